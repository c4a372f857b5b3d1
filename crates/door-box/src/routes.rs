//! Every operation that is served, in the order of Box's reference.

use crate::asked::{Asked, Outcome};
use crate::handlers::{
    allowlist, avatars, classifications, collaborations, collections, comments, device_pinners, downloads,
    email_aliases, enterprise_configurations, events, external_users, file_request_page, file_requests, file_versions,
    files, folder_locks, folders, group_memberships, groups, invites, metadata_cascade_policies, metadata_instances,
    metadata_queries, metadata_taxonomies, metadata_templates, oauth, recent_items, representations, search,
    session_termination, shared_links, skills, storage_policies, storage_policy_assignments, tasks, terms_of_service,
    thumbnails, trashed_files, trashed_folders, trashed_items, trashed_web_links, upload_sessions, uploads, users,
    watermarks, web_links, webhooks, zip_downloads,
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
    /// The root: what people open in a browser.
    Root,
}

const UPLOAD_PREFIXES: [&str; 4] =
    ["/box/2.0", "/box/upload/2.0", "/box/upload/api/2.0", "/box/upload.box.com/api/2.0"];

pub(crate) struct Operation {
    /// Box's name for it, two with a space between where it has two, or a name of ours in brackets for what its description
    /// does not have.
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
            Mount::Root => &[""],
        };
        prefixes.iter().map(|prefix| [prefix, self.path].concat())
    }
}

/// Box's names for the operations that are served.
#[must_use]
pub fn served() -> Vec<&'static str> {
    let named = all().map(|operation| operation.id).filter(|id| !id.starts_with('['));
    // Of a path and method that Box describes in two ways, one row has both names.
    named.flat_map(|ids| ids.split(' ')).collect()
}

pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter()
}

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const DELETE: MethodFilter = MethodFilter::DELETE;
const OPTIONS: MethodFilter = MethodFilter::OPTIONS;
const PATCH: MethodFilter = MethodFilter::PATCH;

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
    "get_authorize" GET "/oauth2/authorize" Door Open oauth::authorize;
    "[get_authorize below api]" GET "/api/oauth2/authorize" Door Open oauth::authorize;
    "post_oauth2_token post_oauth2_token#refresh" POST "/oauth2/token" Door Open oauth::token;
    "post_oauth2_revoke" POST "/oauth2/revoke" Door Open oauth::revoke;

    "get_files_id get_files_id#get_shared_link" GET "/files/{file_id}" Api Known files::show;
    "post_files_id" POST "/files/{file_id}" Api Known trashed_files::restore;
    "put_files_id put_files_id#add_shared_link put_files_id#update_shared_link put_files_id#remove_shared_link" PUT "/files/{file_id}" Api Known files::update;
    "delete_files_id" DELETE "/files/{file_id}" Api Known files::delete;
    "get_files_id_content" GET "/files/{file_id}/content" Api Open downloads::redirect;
    "get_files_id_thumbnail_id" GET "/files/{file_id}/thumbnail.png" Api Known thumbnails::png;
    "[get_files_id_thumbnail_id as jpg]" GET "/files/{file_id}/thumbnail.jpg" Api Known thumbnails::jpg;
    "[how it stands with a representation]" GET "/internal_files/{file_id}/versions/{version_id}/representations/{name}" Api Known representations::show;
    "[content of a representation]" GET "/internal_files/{file_id}/versions/{version_id}/representations/{name}/content/" Api Known representations::content;
    "[content of a page of a representation]" GET "/internal_files/{file_id}/versions/{version_id}/representations/{name}/content/{asset}" Api Known representations::content;
    "[content of a representation without a slash]" GET "/internal_files/{file_id}/versions/{version_id}/representations/{name}/content" Api Known representations::content;
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

    "get_folders_id get_folders_id#get_shared_link" GET "/folders/{folder_id}" Api Known folders::show;
    "post_folders_id" POST "/folders/{folder_id}" Api Known trashed_folders::restore;
    "put_folders_id put_folders_id#add_shared_link put_folders_id#update_shared_link put_folders_id#remove_shared_link" PUT "/folders/{folder_id}" Api Known folders::update;
    "delete_folders_id" DELETE "/folders/{folder_id}" Api Known folders::delete;
    "get_folders_id_items" GET "/folders/{folder_id}/items" Api Known folders::items;
    "post_folders" POST "/folders" Api Known folders::create;
    "post_folders_id_copy" POST "/folders/{folder_id}/copy" Api Known folders::copy;
    "get_folders_id_trash" GET "/folders/{folder_id}/trash" Api Known trashed_folders::show;
    "delete_folders_id_trash" DELETE "/folders/{folder_id}/trash" Api Known trashed_folders::purge;
    "get_folders_trash_items" GET "/folders/trash/items" Api Known trashed_items::list;

    "post_web_links" POST "/web_links" Api Known web_links::create;
    "get_web_links_id get_web_links_id#get_shared_link" GET "/web_links/{web_link_id}" Api Known web_links::show;
    "post_web_links_id" POST "/web_links/{web_link_id}" Api Known trashed_web_links::restore;
    "put_web_links_id put_web_links_id#add_shared_link put_web_links_id#update_shared_link put_web_links_id#remove_shared_link" PUT "/web_links/{web_link_id}" Api Known web_links::update;
    "delete_web_links_id" DELETE "/web_links/{web_link_id}" Api Known web_links::delete;
    "get_web_links_id_trash" GET "/web_links/{web_link_id}/trash" Api Known trashed_web_links::show;
    "delete_web_links_id_trash" DELETE "/web_links/{web_link_id}/trash" Api Known trashed_web_links::purge;

    "get_files_id_collaborations" GET "/files/{file_id}/collaborations" Api Known collaborations::of_file;
    "get_folders_id_collaborations" GET "/folders/{folder_id}/collaborations" Api Known collaborations::of_folder;
    "get_collaborations_id" GET "/collaborations/{collaboration_id}" Api Known collaborations::show;
    "put_collaborations_id" PUT "/collaborations/{collaboration_id}" Api Known collaborations::update;
    "delete_collaborations_id" DELETE "/collaborations/{collaboration_id}" Api Known collaborations::delete;
    "get_collaborations" GET "/collaborations" Api Known collaborations::pending;
    "post_collaborations" POST "/collaborations" Api Known collaborations::create;
    "get_groups_id_collaborations" GET "/groups/{group_id}/collaborations" Api Known collaborations::of_group;

    "get_shared_items get_shared_items#folders get_shared_items#web_links" GET "/shared_items" Api Known shared_links::shown_item;
    "[download by an open shared link]" GET "/shared/static/{token}" Door Open shared_links::download;

    "get_file_requests_id" GET "/file_requests/{file_request_id}" Api Known file_requests::show;
    "put_file_requests_id" PUT "/file_requests/{file_request_id}" Api Known file_requests::update;
    "delete_file_requests_id" DELETE "/file_requests/{file_request_id}" Api Known file_requests::delete;
    "post_file_requests_id_copy" POST "/file_requests/{file_request_id}/copy" Api Known file_requests::copy;
    "[post_file_requests]" POST "/file_requests" Api Known file_requests::create;
    "[get_folders_id_file_requests]" GET "/folders/{folder_id}/file_requests" Api Known file_requests::of_folder;
    "[page of a file request]" GET "/f/{token}" Root Open file_request_page::show;
    "[sending by a file request]" POST "/f/{token}" Root Open file_request_page::submit;
    "[style of that page]" GET "/f/style.css" Root Open file_request_page::style;

    "get_folder_locks" GET "/folder_locks" Api Known folder_locks::list;
    "post_folder_locks" POST "/folder_locks" Api Known folder_locks::create;
    "delete_folder_locks_id" DELETE "/folder_locks/{folder_lock_id}" Api Known folder_locks::delete;
    "get_files_id_watermark" GET "/files/{file_id}/watermark" Api Known watermarks::of_file;
    "put_files_id_watermark" PUT "/files/{file_id}/watermark" Api Known watermarks::set_on_file;
    "delete_files_id_watermark" DELETE "/files/{file_id}/watermark" Api Known watermarks::delete_of_file;
    "get_folders_id_watermark" GET "/folders/{folder_id}/watermark" Api Known watermarks::of_folder;
    "put_folders_id_watermark" PUT "/folders/{folder_id}/watermark" Api Known watermarks::set_on_folder;
    "delete_folders_id_watermark" DELETE "/folders/{folder_id}/watermark" Api Known watermarks::delete_of_folder;

    "get_files_id_comments" GET "/files/{file_id}/comments" Api Known comments::of_file;
    "get_comments_id" GET "/comments/{comment_id}" Api Known comments::show;
    "put_comments_id" PUT "/comments/{comment_id}" Api Known comments::update;
    "delete_comments_id" DELETE "/comments/{comment_id}" Api Known comments::delete;
    "post_comments" POST "/comments" Api Known comments::create;

    "get_files_id_tasks" GET "/files/{file_id}/tasks" Api Known tasks::of_file;
    "post_tasks" POST "/tasks" Api Known tasks::create;
    "get_tasks_id" GET "/tasks/{task_id}" Api Known tasks::show;
    "put_tasks_id" PUT "/tasks/{task_id}" Api Known tasks::update;
    "delete_tasks_id" DELETE "/tasks/{task_id}" Api Known tasks::delete;
    "get_tasks_id_assignments" GET "/tasks/{task_id}/assignments" Api Known tasks::assignments;
    "post_task_assignments" POST "/task_assignments" Api Known tasks::assign;
    "get_task_assignments_id" GET "/task_assignments/{task_assignment_id}" Api Known tasks::show_assignment;
    "put_task_assignments_id" PUT "/task_assignments/{task_assignment_id}" Api Known tasks::update_assignment;
    "delete_task_assignments_id" DELETE "/task_assignments/{task_assignment_id}" Api Known tasks::delete_assignment;
    "get_collections" GET "/collections" Api Known collections::list;
    "get_collections_id" GET "/collections/{collection_id}" Api Known collections::show;
    "get_collections_id_items" GET "/collections/{collection_id}/items" Api Known collections::items;
    "get_recent_items" GET "/recent_items" Api Known recent_items::list;
    "get_search" GET "/search" Api Known search::find;

    "get_collaboration_whitelist_entries" GET "/collaboration_whitelist_entries" Api Known allowlist::list;
    "post_collaboration_whitelist_entries" POST "/collaboration_whitelist_entries" Api Known allowlist::create;
    "get_collaboration_whitelist_entries_id" GET "/collaboration_whitelist_entries/{collaboration_whitelist_entry_id}" Api Known allowlist::show;
    "delete_collaboration_whitelist_entries_id" DELETE "/collaboration_whitelist_entries/{collaboration_whitelist_entry_id}" Api Known allowlist::delete;
    "get_collaboration_whitelist_exempt_targets" GET "/collaboration_whitelist_exempt_targets" Api Known allowlist::list_exempt;
    "post_collaboration_whitelist_exempt_targets" POST "/collaboration_whitelist_exempt_targets" Api Known allowlist::create_exempt;
    "get_collaboration_whitelist_exempt_targets_id" GET "/collaboration_whitelist_exempt_targets/{collaboration_whitelist_exempt_target_id}" Api Known allowlist::show_exempt;
    "delete_collaboration_whitelist_exempt_targets_id" DELETE "/collaboration_whitelist_exempt_targets/{collaboration_whitelist_exempt_target_id}" Api Known allowlist::delete_exempt;
    "get_terms_of_services" GET "/terms_of_services" Api Known terms_of_service::list;
    "post_terms_of_services" POST "/terms_of_services" Api Known terms_of_service::create;
    "get_terms_of_services_id" GET "/terms_of_services/{terms_of_service_id}" Api Known terms_of_service::show;
    "put_terms_of_services_id" PUT "/terms_of_services/{terms_of_service_id}" Api Known terms_of_service::update;
    "get_terms_of_service_user_statuses" GET "/terms_of_service_user_statuses" Api Known terms_of_service::list_statuses;
    "post_terms_of_service_user_statuses" POST "/terms_of_service_user_statuses" Api Known terms_of_service::create_status;
    "put_terms_of_service_user_statuses_id" PUT "/terms_of_service_user_statuses/{terms_of_service_user_status_id}" Api Known terms_of_service::update_status;

    "get_users" GET "/users" Api Known users::list;
    "post_users" POST "/users" Api Known users::create;
    "get_users_me" GET "/users/me" Api Known users::me;
    "get_users_id" GET "/users/{user_id}" Api Known users::show;
    "put_users_id" PUT "/users/{user_id}" Api Known users::update;
    "delete_users_id" DELETE "/users/{user_id}" Api Known users::delete;
    "put_users_id_folders_0" PUT "/users/{user_id}/folders/0" Api Known folders::transfer;
    "post_users_terminate_sessions" POST "/users/terminate_sessions" Api Known session_termination::users;
    "get_users_id_avatar" GET "/users/{user_id}/avatar" Api Known avatars::show;
    "post_users_id_avatar" POST "/users/{user_id}/avatar" Api Known avatars::create;
    "delete_users_id_avatar" DELETE "/users/{user_id}/avatar" Api Known avatars::delete;
    "get_users_id_email_aliases" GET "/users/{user_id}/email_aliases" Api Known email_aliases::list;
    "post_users_id_email_aliases" POST "/users/{user_id}/email_aliases" Api Known email_aliases::create;
    "delete_users_id_email_aliases_id" DELETE "/users/{user_id}/email_aliases/{email_alias_id}" Api Known email_aliases::delete;
    "get_users_id_memberships" GET "/users/{user_id}/memberships" Api Known group_memberships::of_user;
    "post_invites" POST "/invites" Api Known invites::create;
    "get_webhooks" GET "/webhooks" Api Known webhooks::list;
    "post_webhooks" POST "/webhooks" Api Known webhooks::create;
    "get_webhooks_id" GET "/webhooks/{webhook_id}" Api Known webhooks::show;
    "put_webhooks_id" PUT "/webhooks/{webhook_id}" Api Known webhooks::update;
    "delete_webhooks_id" DELETE "/webhooks/{webhook_id}" Api Known webhooks::delete;
    "get_enterprises_id_device_pinners" GET "/enterprises/{enterprise_id}/device_pinners" Api Known device_pinners::list;
    "get_device_pinners_id" GET "/device_pinners/{device_pinner_id}" Api Known device_pinners::show;
    "delete_device_pinners_id" DELETE "/device_pinners/{device_pinner_id}" Api Known device_pinners::delete;
    "get_enterprise_configurations_id_v2025.0" GET "/enterprise_configurations/{enterprise_id}" Api Known enterprise_configurations::show;
    "post_external_users_submit_delete_job_v2025.0" POST "/external_users/submit_delete_job" Api Known external_users::remove;
    "get_invites_id" GET "/invites/{invite_id}" Api Known invites::show;

    "get_groups" GET "/groups" Api Known groups::list;
    "post_groups" POST "/groups" Api Known groups::create;
    "post_groups_terminate_sessions" POST "/groups/terminate_sessions" Api Known session_termination::groups;
    "get_groups_id" GET "/groups/{group_id}" Api Known groups::show;
    "put_groups_id" PUT "/groups/{group_id}" Api Known groups::update;
    "delete_groups_id" DELETE "/groups/{group_id}" Api Known groups::delete;
    "get_groups_id_memberships" GET "/groups/{group_id}/memberships" Api Known group_memberships::of_group;
    "post_group_memberships" POST "/group_memberships" Api Known group_memberships::create;
    "get_group_memberships_id" GET "/group_memberships/{group_membership_id}" Api Known group_memberships::show;
    "put_group_memberships_id" PUT "/group_memberships/{group_membership_id}" Api Known group_memberships::update;
    "delete_group_memberships_id" DELETE "/group_memberships/{group_membership_id}" Api Known group_memberships::delete;

    "get_storage_policies" GET "/storage_policies" Api Known storage_policies::list;
    "get_storage_policies_id" GET "/storage_policies/{storage_policy_id}" Api Known storage_policies::show;
    "get_storage_policy_assignments" GET "/storage_policy_assignments" Api Known storage_policy_assignments::list;
    "post_storage_policy_assignments" POST "/storage_policy_assignments" Api Known storage_policy_assignments::create;
    "get_storage_policy_assignments_id" GET "/storage_policy_assignments/{storage_policy_assignment_id}" Api Known storage_policy_assignments::show;
    "put_storage_policy_assignments_id" PUT "/storage_policy_assignments/{storage_policy_assignment_id}" Api Known storage_policy_assignments::update;
    "delete_storage_policy_assignments_id" DELETE "/storage_policy_assignments/{storage_policy_assignment_id}" Api Known storage_policy_assignments::delete;

    "get_files_id_metadata" GET "/files/{file_id}/metadata" Api Known metadata_instances::list_of_file;
    "get_files_id_metadata_enterprise_securityClassification-6VMVochwUWo" GET "/files/{file_id}/metadata/enterprise/securityClassification-6VMVochwUWo" Api Known classifications::show_of_file;
    "post_files_id_metadata_enterprise_securityClassification-6VMVochwUWo" POST "/files/{file_id}/metadata/enterprise/securityClassification-6VMVochwUWo" Api Known classifications::create_on_file;
    "put_files_id_metadata_enterprise_securityClassification-6VMVochwUWo" PUT "/files/{file_id}/metadata/enterprise/securityClassification-6VMVochwUWo" Api Known classifications::update_of_file;
    "delete_files_id_metadata_enterprise_securityClassification-6VMVochwUWo" DELETE "/files/{file_id}/metadata/enterprise/securityClassification-6VMVochwUWo" Api Known classifications::delete_of_file;
    "get_files_id_metadata_id_id" GET "/files/{file_id}/metadata/{scope}/{template_key}" Api Known metadata_instances::show_of_file;
    "post_files_id_metadata_id_id" POST "/files/{file_id}/metadata/{scope}/{template_key}" Api Known metadata_instances::create_on_file;
    "put_files_id_metadata_id_id" PUT "/files/{file_id}/metadata/{scope}/{template_key}" Api Known metadata_instances::update_of_file;
    "delete_files_id_metadata_id_id" DELETE "/files/{file_id}/metadata/{scope}/{template_key}" Api Known metadata_instances::delete_of_file;
    "get_folders_id_metadata" GET "/folders/{folder_id}/metadata" Api Known metadata_instances::list_of_folder;
    "get_folders_id_metadata_enterprise_securityClassification-6VMVochwUWo" GET "/folders/{folder_id}/metadata/enterprise/securityClassification-6VMVochwUWo" Api Known classifications::show_of_folder;
    "post_folders_id_metadata_enterprise_securityClassification-6VMVochwUWo" POST "/folders/{folder_id}/metadata/enterprise/securityClassification-6VMVochwUWo" Api Known classifications::create_on_folder;
    "put_folders_id_metadata_enterprise_securityClassification-6VMVochwUWo" PUT "/folders/{folder_id}/metadata/enterprise/securityClassification-6VMVochwUWo" Api Known classifications::update_of_folder;
    "delete_folders_id_metadata_enterprise_securityClassification-6VMVochwUWo" DELETE "/folders/{folder_id}/metadata/enterprise/securityClassification-6VMVochwUWo" Api Known classifications::delete_of_folder;
    "get_folders_id_metadata_id_id" GET "/folders/{folder_id}/metadata/{scope}/{template_key}" Api Known metadata_instances::show_of_folder;
    "post_folders_id_metadata_id_id" POST "/folders/{folder_id}/metadata/{scope}/{template_key}" Api Known metadata_instances::create_on_folder;
    "put_folders_id_metadata_id_id" PUT "/folders/{folder_id}/metadata/{scope}/{template_key}" Api Known metadata_instances::update_of_folder;
    "delete_folders_id_metadata_id_id" DELETE "/folders/{folder_id}/metadata/{scope}/{template_key}" Api Known metadata_instances::delete_of_folder;
    "get_files_id_metadata_global_boxSkillsCards" GET "/files/{file_id}/metadata/global/boxSkillsCards" Api Known skills::show_cards;
    "post_files_id_metadata_global_boxSkillsCards" POST "/files/{file_id}/metadata/global/boxSkillsCards" Api Known skills::create_cards;
    "put_files_id_metadata_global_boxSkillsCards" PUT "/files/{file_id}/metadata/global/boxSkillsCards" Api Known skills::update_cards;
    "delete_files_id_metadata_global_boxSkillsCards" DELETE "/files/{file_id}/metadata/global/boxSkillsCards" Api Known skills::delete_cards;
    "put_skill_invocations_id" PUT "/skill_invocations/{skill_id}" Api Known skills::report;

    "get_metadata_templates" GET "/metadata_templates" Api Known metadata_templates::by_instance;
    "get_metadata_templates_enterprise_securityClassification-6VMVochwUWo_schema" GET "/metadata_templates/enterprise/securityClassification-6VMVochwUWo/schema" Api Known metadata_templates::show_classifications;
    "put_metadata_templates_enterprise_securityClassification-6VMVochwUWo_schema#add put_metadata_templates_enterprise_securityClassification-6VMVochwUWo_schema#update" PUT "/metadata_templates/enterprise/securityClassification-6VMVochwUWo/schema" Api Known metadata_templates::update_classifications;
    "[delete_metadata_templates_enterprise_securityClassification-6VMVochwUWo_schema]" DELETE "/metadata_templates/enterprise/securityClassification-6VMVochwUWo/schema" Api Known metadata_templates::delete_classifications;
    "get_metadata_templates_id_id_schema" GET "/metadata_templates/{scope}/{template_key}/schema" Api Known metadata_templates::show;
    "put_metadata_templates_id_id_schema" PUT "/metadata_templates/{scope}/{template_key}/schema" Api Known metadata_templates::update;
    "delete_metadata_templates_id_id_schema" DELETE "/metadata_templates/{scope}/{template_key}/schema" Api Known metadata_templates::delete;
    "get_metadata_templates_id" GET "/metadata_templates/{template_id}" Api Known metadata_templates::show_by_id;
    "get_metadata_templates_global" GET "/metadata_templates/global" Api Known metadata_templates::global;
    "get_metadata_templates_enterprise" GET "/metadata_templates/enterprise" Api Known metadata_templates::enterprise;
    "post_metadata_templates_schema post_metadata_templates_schema#classifications" POST "/metadata_templates/schema" Api Known metadata_templates::create;

    "get_metadata_cascade_policies" GET "/metadata_cascade_policies" Api Known metadata_cascade_policies::list;
    "post_metadata_cascade_policies" POST "/metadata_cascade_policies" Api Known metadata_cascade_policies::create;
    "get_metadata_cascade_policies_id" GET "/metadata_cascade_policies/{metadata_cascade_policy_id}" Api Known metadata_cascade_policies::show;
    "delete_metadata_cascade_policies_id" DELETE "/metadata_cascade_policies/{metadata_cascade_policy_id}" Api Known metadata_cascade_policies::delete;
    "post_metadata_cascade_policies_id_apply" POST "/metadata_cascade_policies/{metadata_cascade_policy_id}/apply" Api Known metadata_cascade_policies::apply;

    "post_metadata_queries_execute_read" POST "/metadata_queries/execute_read" Api Known metadata_queries::execute;

    "post_metadata_taxonomies" POST "/metadata_taxonomies" Api Known metadata_taxonomies::create;
    "get_metadata_taxonomies_id" GET "/metadata_taxonomies/{namespace}" Api Known metadata_taxonomies::list;
    "get_metadata_taxonomies_id_id" GET "/metadata_taxonomies/{namespace}/{taxonomy_key}" Api Known metadata_taxonomies::show;
    "patch_metadata_taxonomies_id_id" PATCH "/metadata_taxonomies/{namespace}/{taxonomy_key}" Api Known metadata_taxonomies::update;
    "delete_metadata_taxonomies_id_id" DELETE "/metadata_taxonomies/{namespace}/{taxonomy_key}" Api Known metadata_taxonomies::delete;
    "post_metadata_taxonomies_id_id_levels" POST "/metadata_taxonomies/{namespace}/{taxonomy_key}/levels" Api Known metadata_taxonomies::create_levels;
    "patch_metadata_taxonomies_id_id_levels_id" PATCH "/metadata_taxonomies/{namespace}/{taxonomy_key}/levels/{level_index}" Api Known metadata_taxonomies::update_level;
    "post_metadata_taxonomies_id_id_levels:append" POST "/metadata_taxonomies/{namespace}/{taxonomy_key}/levels:append" Api Known metadata_taxonomies::append_level;
    "post_metadata_taxonomies_id_id_levels:trim" POST "/metadata_taxonomies/{namespace}/{taxonomy_key}/levels:trim" Api Known metadata_taxonomies::trim_levels;
    "get_metadata_taxonomies_id_id_nodes" GET "/metadata_taxonomies/{namespace}/{taxonomy_key}/nodes" Api Known metadata_taxonomies::list_nodes;
    "post_metadata_taxonomies_id_id_nodes" POST "/metadata_taxonomies/{namespace}/{taxonomy_key}/nodes" Api Known metadata_taxonomies::create_node;
    "get_metadata_taxonomies_id_id_nodes_id" GET "/metadata_taxonomies/{namespace}/{taxonomy_key}/nodes/{node_id}" Api Known metadata_taxonomies::show_node;
    "patch_metadata_taxonomies_id_id_nodes_id" PATCH "/metadata_taxonomies/{namespace}/{taxonomy_key}/nodes/{node_id}" Api Known metadata_taxonomies::update_node;
    "delete_metadata_taxonomies_id_id_nodes_id" DELETE "/metadata_taxonomies/{namespace}/{taxonomy_key}/nodes/{node_id}" Api Known metadata_taxonomies::delete_node;
    "get_metadata_templates_id_id_fields_id_options" GET "/metadata_templates/{namespace}/{template_key}/fields/{field_key}/options" Api Known metadata_taxonomies::list_options;

    "get_events" GET "/events" Api Known events::list;
    "options_events" OPTIONS "/events" Api Known events::realtime;
    "[realtime]" GET "/realtime" Door Open events::wait;

    "post_zip_downloads" POST "/zip_downloads" Api Known zip_downloads::create;
    "get_zip_downloads_id_content" GET "/zip_downloads/{zip_download_id}/content" Api Open zip_downloads::content;
    "get_zip_downloads_id_status" GET "/zip_downloads/{zip_download_id}/status" Api Known zip_downloads::status;

    "[placeholder of a picture]" GET "/placeholders/file.png" Door Open thumbnails::placeholder;
    "[download]" GET "/download/{ticket}" Door Open downloads::content;
}
