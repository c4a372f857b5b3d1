//! File requests: pages where people without an account put files into a folder, in the name of whoever made the page.
//!
//! Whoever may change the folder sees its requests, makes and changes them. A request is worth what its maker is worth: one
//! who may no longer upload there closes it, and one who is removed takes it along.

mod submit;

pub use submit::{OpenFileRequest, Submission};

use crate::grant::{Change, Grant};
use crate::items::Stamp;
use crate::limits::{FILE_REQUEST_TEXT_CHARS_MAX, FILE_REQUEST_TITLE_CHARS_MAX, FILE_REQUESTS_OF_FOLDER_MAX};
use crate::shared_links::fresh_token;
use crate::users::check_full_seat;
use crate::view::{Minis, row, view_row};
use crate::{Caller, Error, ItemView, Kind, Tree, UserMini, allow};
use entente_database::Tx;
use entente_database::events::EventKind;
use entente_database::file_requests::{self, FileRequest};
use entente_model::{FileRequestId, ItemId, Timestamp};
use std::sync::Arc;

/// A file request as it is shown.
#[derive(Debug, Clone)]
pub struct FileRequestView {
    /// It.
    pub request: FileRequest,
    /// Whether it takes files.
    pub open: bool,
    /// Its folder.
    pub folder: ItemView,
    /// Who made it.
    pub created_by: Arc<UserMini>,
    /// Who changed it last.
    pub modified_by: Arc<UserMini>,
}

/// A file request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFileRequest {
    /// Into which folder.
    pub folder: ItemId,
    /// What the page is called: of up to `limits::FILE_REQUEST_TITLE_CHARS_MAX` characters. The folder's name, if not given.
    pub title: Option<String>,
    /// The rest.
    pub change: FileRequestChange,
}

/// What is to be of a file request; `None` stays as it is, and is nothing, no or never of a new one. But a new one is active.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRequestChange {
    /// What the page is called.
    pub title: Option<String>,
    /// What it says: up to `limits::FILE_REQUEST_TEXT_CHARS_MAX` characters.
    pub description: Option<String>,
    /// Whether it takes files.
    pub active: Option<bool>,
    /// Whether people must say who they are.
    pub wants_email: Option<bool>,
    /// Whether they must say what it is.
    pub wants_description: Option<bool>,
    /// When it ends by itself; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
}

/// Some file requests of a folder.
#[derive(Debug, Clone)]
pub struct FileRequestPage {
    /// In the order in which they were made.
    pub entries: Vec<FileRequestView>,
    /// After which one to go on; `None` at the end.
    pub next: Option<FileRequestId>,
}

/// What a new request is made of. Made up once, before the transaction that may run more than once.
#[derive(Clone)]
struct Fresh {
    id: FileRequestId,
    token: String,
}

impl Tree {
    /// Makes a file request for a folder that the caller may change.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the folder; `Forbidden` also for a root and with a frontline seat;
    /// `Invalid` beyond the limits, without a title, with an end in the past, and for a folder with
    /// `limits::FILE_REQUESTS_OF_FOLDER_MAX`.
    pub async fn create_file_request(&self, caller: &Caller, new: NewFileRequest) -> Result<FileRequestView, Error> {
        let (caller, stamp, fresh) = (caller.clone(), self.stamp(), self.fresh_file_request());
        self.database
            .transact("create file request", move |tx| {
                let grant = allow::<Change>(tx, &caller, new.folder)?.of(Kind::Folder)?;
                let request = FileRequest {
                    id: fresh.id,
                    folder: new.folder,
                    token: fresh.token.clone(),
                    title: new.title.clone().unwrap_or_else(|| grant.item().name.as_str().to_owned()),
                    description: String::new(),
                    active: true,
                    wants_email: false,
                    wants_description: false,
                    expires_at: None,
                    sequence: 0,
                    created_by: caller.user,
                    created_at: stamp.at,
                    modified_by: caller.user,
                    modified_at: stamp.at,
                };
                make(tx, (&caller, stamp), &grant, changed(request, &new.change))
            })
            .await
    }

    /// Makes a file request like another one, for a folder. Errors as for making one, and as for [`Tree::file_request`].
    pub async fn copy_file_request(
        &self,
        caller: &Caller,
        id: FileRequestId,
        folder: ItemId,
        change: FileRequestChange,
    ) -> Result<FileRequestView, Error> {
        let (caller, stamp, fresh) = (caller.clone(), self.stamp(), self.fresh_file_request());
        self.database
            .transact("copy file request", move |tx| {
                let (old, _) = found(tx, &caller, id)?;
                let grant = allow::<Change>(tx, &caller, folder)?.of(Kind::Folder)?;
                let request = FileRequest {
                    id: fresh.id,
                    folder,
                    token: fresh.token.clone(),
                    sequence: 0,
                    created_by: caller.user,
                    created_at: stamp.at,
                    modified_by: caller.user,
                    modified_at: stamp.at,
                    // One that has ended would be over before it began.
                    expires_at: old.expires_at.filter(|end| *end > stamp.at),
                    ..old
                };
                make(tx, (&caller, stamp), &grant, changed(request, &change))
            })
            .await
    }

    /// A file request of a folder that the caller may change. `NotFound`; `Trashed` when the folder is in the trash;
    /// `Forbidden` for who sees the folder and may not change it.
    pub async fn file_request(&self, caller: &Caller, id: FileRequestId) -> Result<FileRequestView, Error> {
        let at = self.world.now();
        self.database.read(|tx| {
            let (request, grant) = found(tx, caller, id)?;
            view(tx, &grant, request, at)
        })
    }

    /// Up to `limit` file requests of a folder, after one. Errors as for [`Tree::file_request`].
    pub async fn file_requests(
        &self,
        caller: &Caller,
        folder: ItemId,
        after: Option<FileRequestId>,
        limit: u32,
    ) -> Result<FileRequestPage, Error> {
        let (caller, at, limit) = (caller.clone(), self.world.now(), limit.clamp(1, FILE_REQUESTS_OF_FOLDER_MAX));
        self.database
            .read_long(move |tx| {
                let grant = allow::<Change>(tx, &caller, folder)?.of(Kind::Folder)?;
                let mut rows = file_requests::of_folder(tx, folder, after, limit + 1)?;
                let more = rows.len() > limit as usize;
                rows.truncate(limit as usize);
                let next = rows.last().filter(|_| more).map(|last| last.id);
                let entries =
                    rows.into_iter().map(|request| view(tx, &grant, request, at)).collect::<Result<_, _>>()?;
                Ok(FileRequestPage { entries, next })
            })
            .await
    }

    /// Changes a file request, if it still has that sequence number. Errors as for [`Tree::file_request`];
    /// `PreconditionFailed`; `Forbidden` also with a frontline seat; `Invalid` as for making one.
    pub async fn change_file_request(
        &self,
        caller: &Caller,
        id: FileRequestId,
        change: FileRequestChange,
        if_match: Option<u64>,
    ) -> Result<FileRequestView, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("change file request", move |tx| {
                let (old, grant) = found(tx, &caller, id)?;
                if if_match.is_some_and(|wanted| wanted != old.sequence) {
                    return Err(Error::PreconditionFailed);
                }
                let mut new = changed(old.clone(), &change);
                if new == old {
                    return view(tx, &grant, old, stamp.at);
                }
                check_full_seat(tx, &caller)?;
                check(&new, (old.expires_at, stamp.at))?;
                (new.sequence, new.modified_by, new.modified_at) = (old.sequence + 1, caller.user, stamp.at);
                file_requests::save(tx, &new)?;
                stamp.record(tx, &caller, EventKind::FileRequestChanged, new.folder, None)?;
                view(tx, &grant, new, stamp.at)
            })
            .await
    }

    /// Removes a file request; what was sent stays. Errors as for [`Tree::file_request`].
    pub async fn remove_file_request(&self, caller: &Caller, id: FileRequestId) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("remove file request", move |tx| {
                let (old, _) = found(tx, &caller, id)?;
                file_requests::remove(tx, id)?;
                stamp.record(tx, &caller, EventKind::FileRequestRemoved, old.folder, None)
            })
            .await
    }

    fn fresh_file_request(&self) -> Fresh {
        Fresh { id: FileRequestId::new(self.world.next_id()), token: fresh_token(&self.world) }
    }
}

fn make(
    tx: &mut Tx<'_>,
    (caller, stamp): (&Caller, Stamp),
    grant: &Grant<Change>,
    request: FileRequest,
) -> Result<FileRequestView, Error> {
    check_full_seat(tx, caller)?;
    check(&request, (None, stamp.at))?;
    let there = file_requests::of_folder(tx, request.folder, None, FILE_REQUESTS_OF_FOLDER_MAX)?;
    if there.len() >= FILE_REQUESTS_OF_FOLDER_MAX as usize {
        return Err(Error::Invalid("the folder has as many file requests as it may have"));
    }
    file_requests::save(tx, &request)?;
    stamp.record(tx, caller, EventKind::FileRequestMade, request.folder, None)?;
    view(tx, grant, request, stamp.at)
}

/// A request, and the right to change its folder.
fn found(tx: &mut Tx<'_>, caller: &Caller, id: FileRequestId) -> Result<(FileRequest, Grant<Change>), Error> {
    let request = file_requests::by_id(tx, id)?.ok_or(Error::NotFound)?;
    // Whoever comes by a link has the folder only for as long as they show it.
    let alone = Caller { link: None, ..caller.clone() };
    let grant = allow::<Change>(tx, &alone, request.folder)?;
    Ok((request, grant))
}

fn changed(mut request: FileRequest, change: &FileRequestChange) -> FileRequest {
    request.title = change.title.clone().unwrap_or(request.title);
    request.description = change.description.clone().unwrap_or(request.description);
    request.active = change.active.unwrap_or(request.active);
    request.wants_email = change.wants_email.unwrap_or(request.wants_email);
    request.wants_description = change.wants_description.unwrap_or(request.wants_description);
    request.expires_at = change.expires_at.unwrap_or(request.expires_at);
    request
}

/// Whether a request can be like that, whose end was another one before.
fn check(request: &FileRequest, (end, at): (Option<Timestamp>, Timestamp)) -> Result<(), Error> {
    let title = request.title.trim();
    if title.is_empty() || title.chars().count() > FILE_REQUEST_TITLE_CHARS_MAX || title.chars().any(char::is_control) {
        return Err(Error::Invalid(
            "the title of a file request has 1 to 256 characters, and none that cannot be seen",
        ));
    }
    if request.description.chars().count() > FILE_REQUEST_TEXT_CHARS_MAX {
        return Err(Error::Invalid("the description of a file request has up to 4,000 characters"));
    }
    if request.expires_at != end && request.expires_at.is_some_and(|end| end <= at) {
        return Err(Error::Invalid("a file request cannot end in the past"));
    }
    Ok(())
}

fn view<A>(tx: &mut Tx<'_>, grant: &Grant<A>, request: FileRequest, at: Timestamp) -> Result<FileRequestView, Error> {
    let row = row(tx, grant)?;
    let folder = view_row(tx, grant, row)?;
    let mut minis = Minis::default();
    let (created_by, modified_by) = (minis.find(tx, request.created_by)?, minis.find(tx, request.modified_by)?);
    Ok(FileRequestView { open: request.is_open(at), request, folder, created_by, modified_by })
}
