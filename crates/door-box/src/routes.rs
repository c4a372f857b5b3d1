//! Every operation that is served, in the order of Box's reference.

use crate::asked::{Asked, Outcome};
use crate::handlers::{
    downloads, file_versions, files, folders, oauth, storage_policies, storage_policy_assignments, trashed_files,
    trashed_folders, trashed_items, upload_sessions, uploads, users,
};
use axum::routing::MethodFilter;
use entente_model::Caller;
use std::future::Future;
use std::pin::Pin;

type Answer = Pin<Box<dyn Future<Output = Outcome> + Send>>;
/// Answers whoever asks.
pub(crate) type Open = fn(Asked) -> Answer;
/// Answers a caller.
pub(crate) type Known = fn(Asked, Caller) -> Answer;

#[derive(Clone, Copy)]
pub(crate) enum Handle {
    Open(Open),
    Known(Known),
}

/// Under which prefixes an operation is.
#[derive(Clone, Copy)]
pub(crate) enum Mount {
    /// `/box/2.0`.
    Api,
    /// `/box/2.0`, and wherever clients look for uploads.
    Upload,
    /// `/box`.
    Door,
}

const UPLOAD_PREFIXES: [&str; 4] =
    ["/box/2.0", "/box/upload/2.0", "/box/upload/api/2.0", "/box/upload.box.com/api/2.0"];

pub(crate) struct Operation {
    /// Box's name for it, or a name of ours in brackets for what its description does not have.
    pub(crate) id: &'static str,
    pub(crate) method: MethodFilter,
    pub(crate) path: &'static str,
    pub(crate) mount: Mount,
    pub(crate) handle: Handle,
}

impl Operation {
    pub(crate) fn paths(&self) -> impl Iterator<Item = String> {
        let prefixes: &[&str] = match self.mount {
            Mount::Api => &["/box/2.0"],
            Mount::Upload => &UPLOAD_PREFIXES,
            Mount::Door => &["/box"],
        };
        prefixes.iter().map(|prefix| [prefix, self.path].concat())
    }
}

/// Box's names for the operations that are served.
#[must_use]
pub fn served() -> Vec<&'static str> {
    all().map(|operation| operation.id).filter(|id| !id.starts_with('[')).collect()
}

pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter()
}

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const DELETE: MethodFilter = MethodFilter::DELETE;
const OPTIONS: MethodFilter = MethodFilter::OPTIONS;

macro_rules! operations {
    ($($id:literal $method:ident $path:literal $mount:ident $handle:ident $handler:path;)*) => {
        static OPERATIONS: &[Operation] = &[$(Operation {
            id: $id,
            method: $method,
            path: $path,
            mount: Mount::$mount,
            handle: operations!(@ $handle $handler),
        },)*];
    };
    (@ Open $handler:path) => { Handle::Open(|asked| Box::pin($handler(asked))) };
    (@ Known $handler:path) => { Handle::Known(|asked, caller| Box::pin($handler(asked, caller))) };
}

operations! {
    "post_oauth2_token" POST "/oauth2/token" Door Open oauth::token;
    "post_oauth2_revoke" POST "/oauth2/revoke" Door Open oauth::revoke;

    "get_files_id" GET "/files/{file_id}" Api Known files::show;
    "post_files_id" POST "/files/{file_id}" Api Known trashed_files::restore;
    "put_files_id" PUT "/files/{file_id}" Api Known files::update;
    "delete_files_id" DELETE "/files/{file_id}" Api Known files::delete;
    "get_files_id_content" GET "/files/{file_id}/content" Api Open downloads::redirect;
    "post_files_id_content" POST "/files/{file_id}/content" Upload Known uploads::new_version;
    "options_files_content" OPTIONS "/files/content" Upload Known uploads::preflight;
    "[options_files_content with a slash]" OPTIONS "/files/content/" Upload Known uploads::preflight;
    "[options_files_id_content]" OPTIONS "/files/{file_id}/content" Upload Known uploads::preflight_version;
    "post_files_content" POST "/files/content" Upload Known uploads::new_file;
    "[post_files_content with a slash]" POST "/files/content/" Upload Known uploads::new_file;
    "post_files_upload_sessions" POST "/files/upload_sessions" Upload Known upload_sessions::create;
    "post_files_id_upload_sessions" POST "/files/{file_id}/upload_sessions" Upload Known upload_sessions::create_version;
    "get_files_upload_sessions_id" GET "/files/upload_sessions/{upload_session_id}" Upload Known upload_sessions::show;
    "put_files_upload_sessions_id" PUT "/files/upload_sessions/{upload_session_id}" Upload Known upload_sessions::part;
    "delete_files_upload_sessions_id" DELETE "/files/upload_sessions/{upload_session_id}" Upload Known upload_sessions::abort;
    "get_files_upload_sessions_id_parts" GET "/files/upload_sessions/{upload_session_id}/parts" Upload Known upload_sessions::parts;
    "[post_files_upload_sessions_id_plan]" POST "/files/upload_sessions/{upload_session_id}/plan" Upload Known upload_sessions::plan;
    "post_files_upload_sessions_id_commit" POST "/files/upload_sessions/{upload_session_id}/commit" Upload Known upload_sessions::commit;
    "post_files_id_copy" POST "/files/{file_id}/copy" Api Known files::copy;
    "get_files_id_trash" GET "/files/{file_id}/trash" Api Known trashed_files::show;
    "delete_files_id_trash" DELETE "/files/{file_id}/trash" Api Known trashed_files::purge;
    "get_files_id_versions" GET "/files/{file_id}/versions" Api Known file_versions::list;
    "get_files_id_versions_id" GET "/files/{file_id}/versions/{file_version_id}" Api Known file_versions::show;
    "put_files_id_versions_id" PUT "/files/{file_id}/versions/{file_version_id}" Api Known file_versions::restore;
    "delete_files_id_versions_id" DELETE "/files/{file_id}/versions/{file_version_id}" Api Known file_versions::delete;
    "post_files_id_versions_current" POST "/files/{file_id}/versions/current" Api Known file_versions::promote;

    "get_folders_id" GET "/folders/{folder_id}" Api Known folders::show;
    "post_folders_id" POST "/folders/{folder_id}" Api Known trashed_folders::restore;
    "put_folders_id" PUT "/folders/{folder_id}" Api Known folders::update;
    "delete_folders_id" DELETE "/folders/{folder_id}" Api Known folders::delete;
    "get_folders_id_items" GET "/folders/{folder_id}/items" Api Known folders::items;
    "post_folders" POST "/folders" Api Known folders::create;
    "post_folders_id_copy" POST "/folders/{folder_id}/copy" Api Known folders::copy;
    "get_folders_id_trash" GET "/folders/{folder_id}/trash" Api Known trashed_folders::show;
    "delete_folders_id_trash" DELETE "/folders/{folder_id}/trash" Api Known trashed_folders::purge;
    "get_folders_trash_items" GET "/folders/trash/items" Api Known trashed_items::list;

    "get_users" GET "/users" Api Known users::list;
    "post_users" POST "/users" Api Known users::create;
    "get_users_me" GET "/users/me" Api Known users::me;
    "get_users_id" GET "/users/{user_id}" Api Known users::show;
    "put_users_id" PUT "/users/{user_id}" Api Known users::update;

    "get_storage_policies" GET "/storage_policies" Api Known storage_policies::list;
    "get_storage_policies_id" GET "/storage_policies/{storage_policy_id}" Api Known storage_policies::show;
    "get_storage_policy_assignments" GET "/storage_policy_assignments" Api Known storage_policy_assignments::list;
    "post_storage_policy_assignments" POST "/storage_policy_assignments" Api Known storage_policy_assignments::create;
    "get_storage_policy_assignments_id" GET "/storage_policy_assignments/{storage_policy_assignment_id}" Api Known storage_policy_assignments::show;
    "put_storage_policy_assignments_id" PUT "/storage_policy_assignments/{storage_policy_assignment_id}" Api Known storage_policy_assignments::update;
    "delete_storage_policy_assignments_id" DELETE "/storage_policy_assignments/{storage_policy_assignment_id}" Api Known storage_policy_assignments::delete;

    "[download]" GET "/download/{ticket}" Door Open downloads::content;
}
