//! Folders that stay where they are. Who manages a folder locks and unlocks it.

use crate::grant::{Grant, Manage};
use crate::limits::FOLDER_LOCKS_MAX;
use crate::view::{Minis, row, view_row};
use crate::{Caller, Error, ItemView, Kind, Tree, UserMini, allow};
use entente_database::guards::{self, FolderLock};
use entente_database::items::{self, Item};
use entente_database::{ErrorKind, Tx, paths};
use entente_model::{FolderLockId, ItemId, UserId};
use std::sync::Arc;

/// A lock, and what is shown with it.
#[derive(Debug, Clone)]
pub struct FolderLockView {
    /// Its row.
    pub lock: FolderLock,
    /// The folder.
    pub folder: ItemView,
    /// Who locked it.
    pub created_by: Arc<UserMini>,
}

impl Tree {
    /// Keeps a folder from being moved and removed, by anybody and through any door, until it is unlocked. What is in it may
    /// change; so may its name.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the folder; `Forbidden` for who does not manage it, and for a root.
    /// `AlreadyExists` when it is locked; `Invalid` once its owner has `limits::FOLDER_LOCKS_MAX` locked folders.
    pub async fn lock_folder(&self, caller: &Caller, folder: ItemId) -> Result<FolderLockView, Error> {
        const TWICE: Error = Error::AlreadyExists("the folder is locked already");
        let (caller, now, id) = (caller.clone(), self.world.now(), FolderLockId::new(self.world.next_id()));
        self.database
            .transact("lock folder", move |tx| {
                let grant = allow::<Manage>(tx, &caller, folder)?.of(Kind::Folder)?;
                if guards::lock_of_folder(tx, folder)?.is_some() {
                    return Err(TWICE);
                }
                let most = FOLDER_LOCKS_MAX;
                if guards::folder_locks_of(tx, grant.owner(), most)?.len() >= most as usize {
                    return Err(Error::Invalid("as many folders of this owner are locked as can be"));
                }
                if grant.item().implied {
                    // It would go with the last item below it.
                    paths::make_explicit(tx, folder)?;
                }
                let lock = FolderLock { id, folder, owner: grant.owner(), created_by: caller.user, created_at: now };
                match guards::freeze(tx, &lock) {
                    Err(error) if error.kind == ErrorKind::Duplicate => return Err(TWICE),
                    outcome => outcome?,
                }
                view(tx, &grant, lock)
            })
            .await
    }

    /// The lock of a folder, if it has one. `NotFound`, `Trashed` and `Forbidden` speak of the folder; `Forbidden` for who
    /// does not manage it.
    pub async fn folder_lock(&self, caller: &Caller, folder: ItemId) -> Result<Option<FolderLockView>, Error> {
        self.database.read(|tx| {
            let grant = allow::<Manage>(tx, caller, folder)?.of(Kind::Folder)?;
            guards::lock_of_folder(tx, folder)?.map(|lock| view(tx, &grant, lock)).transpose()
        })
    }

    /// Unlocks a folder. `NotFound` if there is no such lock, or the caller may not know of the folder; `Forbidden` for who
    /// does not manage it.
    pub async fn unlock_folder(&self, caller: &Caller, id: FolderLockId) -> Result<(), Error> {
        let caller = caller.clone();
        self.database
            .transact("unlock folder", move |tx| {
                let lock = guards::folder_lock(tx, id)?.ok_or(Error::NotFound)?;
                allow::<Manage>(tx, &caller, lock.folder)?;
                Ok(guards::unfreeze(tx, &lock)?)
            })
            .await
    }
}

fn view(tx: &mut Tx<'_>, grant: &Grant<Manage>, lock: FolderLock) -> Result<FolderLockView, Error> {
    let row = row(tx, grant)?;
    let created_by = Minis::default().find(tx, lock.created_by)?;
    Ok(FolderLockView { folder: view_row(tx, grant, row)?, created_by, lock })
}

/// Folders that are locked, itself or below it, stay so when an item gets another owner.
pub(crate) fn take_locks_along(tx: &mut Tx<'_>, (from, to): (UserId, UserId), item: &Item) -> Result<(), Error> {
    for lock in locked_within(tx, from, item)? {
        guards::set_owner(tx, lock.id, to)?;
    }
    Ok(())
}

/// The locked folders of an owner that are an item or below it.
fn locked_within(tx: &mut Tx<'_>, owner: UserId, item: &Item) -> Result<Vec<FolderLock>, Error> {
    let mut found = Vec::new();
    if item.kind != Kind::Folder {
        return Ok(found);
    }
    for lock in guards::folder_locks_of(tx, owner, FOLDER_LOCKS_MAX)? {
        if items::ancestors(tx, lock.folder)?.iter().any(|step| step.id == item.id) {
            found.push(lock);
        }
    }
    Ok(found)
}

/// `Locked` when an item of that owner is a locked folder, or has one below it: it does not leave its place.
pub(crate) fn check_may_go(tx: &mut Tx<'_>, owner: UserId, item: &Item) -> Result<(), Error> {
    if item.guard.frozen || !locked_within(tx, owner, item)?.is_empty() { Err(Error::Locked) } else { Ok(()) }
}
