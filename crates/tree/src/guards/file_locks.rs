//! Files that one user alone may change. Who may change a file locks it, and only they, and who manages the file, unlock
//! it. A lock that is over may hold for a minute longer: a job takes it away.

use crate::limits::BATCH_ROWS_MAX;
use crate::view::Minis;
use crate::{Caller, Error, Kind, Tree, UserMini};
use entente_database::Tx;
use entente_database::events::EventKind;
use entente_database::guards::{self, FileLock};
use entente_database::items::Item;
use entente_model::{FileLockId, Rights, Timestamp};
use std::sync::Arc;

/// The kind of the job that takes away locks that are over.
pub const EXPIRE_FILE_LOCKS_JOB: &str = "expire file locks";

/// A lock that is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLockWish {
    /// What it is called, if it is made.
    pub id: FileLockId,
    /// Until when, if it is to end by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether others may not read the content either.
    pub prevents_downloads: bool,
}

/// A lock, and who holds it.
#[derive(Debug, Clone)]
pub struct FileLockView {
    /// Its row.
    pub lock: FileLock,
    /// Who holds it.
    pub created_by: Arc<UserMini>,
}

impl Tree {
    /// Takes away some of the locks that are over; whether there may be more.
    pub async fn expire_file_locks(&self) -> Result<bool, Error> {
        let (world, stamp) = (self.world.clone(), self.stamp());
        self.database
            .transact("expire file locks", move |tx| {
                let expired = guards::expired_file_locks(tx, stamp.at, BATCH_ROWS_MAX)?;
                for one in &expired {
                    guards::unlock(tx, one.item)?;
                    // It ends because whoever locked it said so.
                    stamp.again(&world).record_for(tx, one.created_by, EventKind::FileUnlocked, one.item)?;
                }
                Ok(expired.len() >= BATCH_ROWS_MAX as usize)
            })
            .await
    }

    /// A fresh name for a lock.
    #[must_use]
    pub fn next_file_lock(&self) -> FileLockId {
        FileLockId::new(self.world.next_id())
    }
}

/// Locks or unlocks a file for a caller with these rights. What was done; `None` when it is so already.
///
/// `Locked` when somebody else holds it and the caller does not manage the file; `Invalid` for what is no file, and for an
/// end in the past.
pub(crate) fn apply_wish(
    tx: &mut Tx<'_>,
    (caller, rights, now): (&Caller, Rights, Timestamp),
    item: &mut Item,
    wish: Option<FileLockWish>,
) -> Result<Option<EventKind>, Error> {
    let held = if item.guard.locked { guards::file_lock(tx, item.id)? } else { None };
    let held = held.filter(|lock| lock.expires_at.is_none_or(|end| end > now));
    let by_another = held.is_some_and(|lock| lock.created_by != caller.user);
    let Some(wish) = wish else {
        if by_another && !rights.contains(Rights::MANAGE) {
            return Err(Error::Locked);
        }
        if !item.guard.locked {
            return Ok(None);
        }
        guards::unlock(tx, item.id)?;
        item.guard.locked = false;
        return Ok(Some(EventKind::FileUnlocked));
    };
    if item.kind != Kind::File {
        return Err(Error::Invalid("only files are locked so"));
    }
    if by_another {
        return Err(Error::Locked);
    }
    if wish.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::Invalid("a lock cannot end in the past"));
    }
    let new = FileLock {
        item: item.id,
        id: held.map_or(wish.id, |lock| lock.id),
        created_by: caller.user,
        created_at: held.map_or(now, |lock| lock.created_at),
        expires_at: wish.expires_at,
        prevents_downloads: wish.prevents_downloads,
    };
    if held == Some(new) {
        return Ok(None);
    }
    guards::lock(tx, &new)?;
    item.guard.locked = true;
    Ok(Some(EventKind::FileLocked))
}

/// `Locked` when somebody else than the caller has locked the file.
pub(crate) fn check_unlocked(tx: &mut Tx<'_>, caller: &Caller, item: &Item) -> Result<(), Error> {
    if !item.guard.locked {
        return Ok(());
    }
    let by_another = guards::file_lock(tx, item.id)?.is_some_and(|lock| lock.created_by != caller.user);
    if by_another { Err(Error::Locked) } else { Ok(()) }
}

/// `Locked` when somebody else than the caller has locked the file, and for readers, too.
pub(crate) fn check_unlocked_to_read(tx: &mut Tx<'_>, caller: &Caller, item: &Item) -> Result<(), Error> {
    if !item.guard.locked {
        return Ok(());
    }
    let lock = guards::file_lock(tx, item.id)?.filter(|lock| lock.prevents_downloads);
    if lock.is_some_and(|lock| lock.created_by != caller.user) { Err(Error::Locked) } else { Ok(()) }
}

/// What is shown of an item's lock.
pub(crate) fn shown(tx: &mut Tx<'_>, minis: &mut Minis, item: &Item) -> Result<Option<FileLockView>, Error> {
    if !item.guard.locked {
        return Ok(None);
    }
    let Some(lock) = guards::file_lock(tx, item.id)? else { return Ok(None) };
    Ok(Some(FileLockView { created_by: minis.find(tx, lock.created_by)?, lock }))
}
