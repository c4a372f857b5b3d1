//! Somebody sends files by a file request.

use crate::files::{Target, add_file_to};
use crate::grant::{Grant, Upload};
use crate::items::place::{NameRule, free_name};
use crate::items::{ItemChange, change};
use crate::limits::SENDER_BYTES_MAX;
use crate::storage::follow_commit;
use crate::users::acting;
use crate::{BoxError, Caller, Error, ItemView, Kind, Tree, UserStatus, allow, subscriptions};
use bytes::Bytes;
use entente_database::events::EventKind;
use entente_database::file_requests::{self, FileRequest};
use entente_database::{Tx, contents, items, users, versions};
use entente_model::{ItemId, ItemName, JobId, Timestamp};
use futures_util::Stream;

/// As much of an open file request as is told to whoever has its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFileRequest {
    /// What the page is called.
    pub title: String,
    /// What it says. May be empty.
    pub description: String,
    /// Whether people must say who they are.
    pub wants_email: bool,
    /// Whether they must say what it is.
    pub wants_description: bool,
}

/// A file that somebody sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// What they call it; it gets another name if this one is taken.
    pub name: ItemName,
    /// Who they say they are: a mail address of up to `limits::SENDER_BYTES_MAX` bytes. May be empty.
    pub sender: String,
    /// What they say it is: up to `limits::DESCRIPTION_CHARS_MAX` characters. May be empty.
    pub description: String,
    /// How many bytes it may have.
    pub size_max: u64,
}

impl Tree {
    /// The file request whose URL ends with that. `NotFound` when there is none that takes files: it was switched off or has
    /// ended, or whoever made it may not upload there any more.
    pub async fn open_file_request(&self, token: &str) -> Result<OpenFileRequest, Error> {
        let at = self.world.now();
        self.database.read(|tx| {
            let (request, ..) = open(tx, token, at)?;
            Ok(OpenFileRequest {
                title: request.title,
                description: request.description,
                wants_email: request.wants_email,
                wants_description: request.wants_description,
            })
        })
    }

    /// Stores a file that came by a file request, and answers when it is durable. Nothing is replaced: a file with a name that
    /// is taken gets another one.
    ///
    /// `NotFound` as for [`Tree::open_file_request`], before the body is read and after; `Invalid` without what the request
    /// wants, and beyond the limits; `BodyFailed`, `TooLarge`, `QuotaExceeded`, `Full`, `PolicyUnmet`, `Unavailable`. Dropping
    /// the future leaves no file, or the whole file.
    pub async fn submit_file<S>(&self, token: &str, sent: Submission, body: S) -> Result<ItemView, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let at = self.world.now();
        let prepared = self.database.read(|tx| {
            let (request, maker, folder) = open(tx, token, at)?;
            check(&request, &sent)?;
            crate::files::Prepared::of(tx, &maker, &folder)
        })?;
        let written = self.store(&prepared, sent.size_max, None, body).await?;
        let added = self.added(&written, None, None)?;
        let (stamp, token) = (self.stamp(), token.to_owned());
        let (item, job) = (ItemId::new(self.world.next_id()), JobId::new(self.world.next_id()));
        self.database
            .transact("submit file", move |tx| {
                let (_, maker, folder) = open(tx, &token, stamp.at)?;
                let name = free_name(tx, folder.inside(), (Kind::File, &sent.name), item)?;
                let rule = NameRule::CaseInsensitive;
                let target = Target { caller: maker, stamp, rule, event: EventKind::Created };
                let mut minis = prepared.minis.clone();
                let mut view = add_file_to(tx, &target, (item, &folder, &name), &added, &mut minis, |tx, owner| {
                    contents::commit_for(tx, &written, owner)?;
                    follow_commit(tx, owner, prepared.scope, (job, stamp.at))
                })?;
                versions::set_sender(tx, added.version, &sent.sender)?;
                if let Some(version) = &mut view.version {
                    version.sender = Some(sent.sender.clone());
                }
                if !sent.description.is_empty() {
                    view.item.description.clone_from(&sent.description);
                    items::save(tx, &view.item)?;
                }
                subscriptions::put(tx, (&target.caller, stamp), folder.inside(), added.version, target.event)?;
                Ok(view)
            })
            .await
    }
}

/// An open request, a caller for whoever made it, and their right to upload there.
fn open(tx: &mut Tx<'_>, token: &str, at: Timestamp) -> Result<(FileRequest, Caller, Grant<Upload>), Error> {
    let request = file_requests::by_token(tx, token)?.filter(|found| found.is_open(at)).ok_or(Error::NotFound)?;
    let maker = users::by_id(tx, request.created_by)?.filter(|maker| maker.status != UserStatus::Inactive);
    let maker = maker.ok_or(Error::NotFound)?;
    let caller = Caller { scopes: maker.status.scopes(), ..acting(&maker) };
    match allow::<Upload>(tx, &caller, request.folder) {
        Ok(folder) => Ok((request, caller, folder)),
        // Whoever sends is told nothing of the folder.
        Err(Error::NotFound | Error::Trashed | Error::Forbidden) => Err(Error::NotFound),
        Err(error) => Err(error),
    }
}

fn check(request: &FileRequest, sent: &Submission) -> Result<(), Error> {
    if request.wants_email && sent.sender.is_empty() {
        return Err(Error::Invalid("whoever sends must say who they are"));
    }
    if sent.sender.len() > SENDER_BYTES_MAX || sent.sender.chars().any(char::is_control) {
        return Err(Error::Invalid("the mail address of whoever sends is too long, or none"));
    }
    if request.wants_description && sent.description.trim().is_empty() {
        return Err(Error::Invalid("whoever sends must say what it is"));
    }
    change::check(&ItemChange { description: Some(sent.description.clone()), ..ItemChange::default() })
}
