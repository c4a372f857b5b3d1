//! Uploads in pieces: a session, parts in any order, and a commit that makes a file or a version of them.
//!
//! Parts are durable one by one, in any order, at any node. The digest of the whole is taken of what is stored, behind
//! the parts as they arrive (`follow`), so that a commit has little left to read.

mod commit;
mod expire;
mod follow;
mod parts;

pub use commit::{CommitSession, NamedPart};
pub use expire::EXPIRE_SESSIONS_JOB;
pub(crate) use follow::Followed;
pub use parts::{NewPart, PartPage};

use crate::grant::Upload;
use crate::items::place::{NameRule, check_name};
use crate::limits::{SESSION_BYTES_MAX, SESSION_LIFETIME};
use crate::{Caller, Error, Kind, Part, Session, Tree, UploadTarget, allow};
use entente_database::users::Storage;
use entente_database::{Tx, uploads, users};
use entente_model::{CHUNK_SIZE_BYTES, ItemId, ItemName, Manifest, Sha1, Timestamp, UploadSessionId};
use entente_vault::Scope;

/// What an upload in pieces is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadInto {
    /// A new file.
    NewFile {
        /// In which folder.
        parent: ItemId,
        /// Under which name.
        name: ItemName,
    },
    /// A new version of a file.
    NewVersion {
        /// Of which.
        file: ItemId,
        /// Another name for it.
        name: Option<ItemName>,
    },
}

/// An upload in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Its row: `part_size` is the length of every part but the last, which may be shorter.
    pub session: Session,
    /// How many parts the whole has.
    pub parts_total: u32,
    /// How many have arrived.
    pub parts_done: u64,
}

impl Tree {
    /// Begins an upload of `size` bytes in pieces.
    ///
    /// Refused as the upload itself would be: `NotFound`, `Trashed`, `Forbidden`, `NameInUse`, `QuotaExceeded`;
    /// `TooLarge`; `Invalid` for a size of 0.
    pub async fn create_session(
        &self,
        caller: &Caller,
        into: UploadInto,
        size: u64,
        rule: NameRule,
    ) -> Result<SessionView, Error> {
        if size == 0 {
            return Err(Error::Invalid("an upload in pieces has at least one byte"));
        }
        if size > SESSION_BYTES_MAX {
            return Err(Error::TooLarge { limit: SESSION_BYTES_MAX });
        }
        let Storage { enterprise, zone, policy, left } = self.database.read(|tx| check(tx, caller, &into, rule))?;
        if left.is_some_and(|left| left < size) {
            return Err(Error::QuotaExceeded);
        }
        let begun = self.vault.begin(Scope { enterprise, zone, policy }).await?;
        let now = self.world.now();
        let (target, name) = match into {
            UploadInto::NewFile { parent, name } => (UploadTarget::File(parent), Some(name)),
            UploadInto::NewVersion { file, name } => (UploadTarget::Version(file), name),
        };
        let session = Session {
            id: UploadSessionId::new(self.world.next_id()),
            user: caller.user,
            target,
            name,
            size,
            part_size: CHUNK_SIZE_BYTES,
            content: begun.content,
            enterprise,
            zone,
            policy,
            key: begun.key,
            created_at: now,
            expires_at: now.after(SESSION_LIFETIME),
            committed: None,
        };
        let stored = session.clone();
        self.database
            .transact("create upload session", move |tx| uploads::insert(tx, &stored).map_err(Error::from))
            .await?;
        Ok(SessionView { parts_total: parts_total(&session)?, parts_done: 0, session })
    }

    /// An upload in pieces, committed or not. `NotFound` for another user's, and when it was ended or has expired.
    pub async fn session(&self, caller: &Caller, session: UploadSessionId) -> Result<SessionView, Error> {
        let now = self.world.now();
        self.database.read(|tx| {
            let session = find(tx, caller, session, now)?;
            let parts_total = parts_total(&session)?;
            let parts_done = match session.committed {
                Some(_) => u64::from(parts_total),
                None => uploads::count_parts(tx, session.id)?,
            };
            Ok(SessionView { parts_total, parts_done, session })
        })
    }
}

/// The caller's session, committed or not.
fn find(tx: &mut Tx<'_>, caller: &Caller, session: UploadSessionId, now: Timestamp) -> Result<Session, Error> {
    let found = uploads::by_id(tx, session)?;
    found.filter(|session| session.user == caller.user && session.expires_at >= now).ok_or(Error::NotFound)
}

/// The caller's session, if parts of it may still arrive.
fn find_open(tx: &mut Tx<'_>, caller: &Caller, session: UploadSessionId, now: Timestamp) -> Result<Session, Error> {
    let session = find(tx, caller, session, now)?;
    if session.committed.is_some() { Err(Error::SessionGone) } else { Ok(session) }
}

fn parts_total(session: &Session) -> Result<u32, Error> {
    let parts = session.size.checked_div(session.part_size).map(|_| session.size.div_ceil(session.part_size));
    parts.and_then(|parts| u32::try_from(parts).ok()).ok_or(Error::internal("a session has no size of parts"))
}

/// What the vault reads, or is to keep, of a session: its content as these parts.
fn read_back(session: &Session, parts: &[Part], sha1: Option<Sha1>) -> Manifest {
    Manifest {
        content: session.content,
        enterprise: session.enterprise,
        zone: session.zone,
        policy: session.policy,
        key: session.key.clone(),
        customer: None,
        size: session.size,
        sha1,
        places: parts.iter().map(|part| part.place).collect(),
    }
}

fn check(tx: &mut Tx<'_>, caller: &Caller, into: &UploadInto, rule: NameRule) -> Result<Storage, Error> {
    let owner = match into {
        UploadInto::NewFile { parent, name } => {
            let folder = allow::<Upload>(tx, caller, *parent)?.of(Kind::Folder)?;
            check_name(tx, folder.inside(), (Kind::File, name), rule, None)?;
            folder.owner()
        }
        UploadInto::NewVersion { file, name } => {
            let grant = allow::<Upload>(tx, caller, *file)?.of(Kind::File)?;
            if let Some(name) = name.as_ref().filter(|name| **name != grant.item().name) {
                grant.check_may_rename(caller)?;
                check_name(tx, grant.beside()?, (Kind::File, name), rule, Some(*file))?;
            }
            grant.owner()
        }
    };
    users::storage(tx, owner)?.ok_or(Error::internal("an owner is not there"))
}
