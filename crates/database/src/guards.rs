//! What stands in the way of changes to items: locks of folders, locks of files, watermarks. Each has a bit in the item's
//! row besides, so that nobody looks for what is not there.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{FileLockId, FolderLockId, ItemId, Timestamp, UserId};

/// What an item has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Guard {
    /// It is a folder that is neither moved nor removed.
    pub frozen: bool,
    /// It is a file that somebody has locked.
    pub locked: bool,
    /// It is watermarked.
    pub watermarked: bool,
}

const FROZEN: i64 = 1;
const LOCKED: i64 = 2;
const WATERMARKED: i64 = 4;

impl Guard {
    /// Nothing at all.
    pub const NONE: Self = Self { frozen: false, locked: false, watermarked: false };

    pub(crate) fn from_number(number: i64) -> Self {
        let has = |bit| number & bit != 0;
        Self { frozen: has(FROZEN), locked: has(LOCKED), watermarked: has(WATERMARKED) }
    }
}

/// A folder that is neither moved nor removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderLock {
    /// Its id.
    pub id: FolderLockId,
    /// The folder.
    pub folder: ItemId,
    /// Whose content that is.
    pub owner: UserId,
    /// Who locked it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// A file that one user alone may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLock {
    /// The file.
    pub item: ItemId,
    /// Its id.
    pub id: FileLockId,
    /// Who that is.
    pub created_by: UserId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, if it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether others may not read the content either.
    pub prevents_downloads: bool,
}

/// Pictures of an item's contents carry the name of whoever looks at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// The item.
    pub item: ItemId,
    /// Since when.
    pub created_at: Timestamp,
    /// When somebody last said so.
    pub modified_at: Timestamp,
}

fn set_bit(tx: &mut Tx<'_>, item: ItemId, bit: i64) -> Result<(), Error> {
    tx.put("UPDATE items SET guard = guard | ?2 WHERE id = ?1", &[item.into(), bit.into()])
}

fn clear_bit(tx: &mut Tx<'_>, item: ItemId, bit: i64) -> Result<(), Error> {
    tx.put("UPDATE items SET guard = guard & ~?2 WHERE id = ?1", &[item.into(), bit.into()])
}

/// Locks a folder. `Duplicate` when it is locked.
pub fn freeze(tx: &mut Tx<'_>, lock: &FolderLock) -> Result<(), Error> {
    tx.put(
        "INSERT INTO folder_locks (id, folder_id, owner_id, created_by, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[lock.id.into(), lock.folder.into(), lock.owner.into(), lock.created_by.into(), lock.created_at.into()],
    )?;
    set_bit(tx, lock.folder, FROZEN)
}

/// Unlocks a folder.
pub fn unfreeze(tx: &mut Tx<'_>, lock: &FolderLock) -> Result<(), Error> {
    tx.put("DELETE FROM folder_locks WHERE id = ?1", &[lock.id.into()])?;
    clear_bit(tx, lock.folder, FROZEN)
}

/// Notes that the folder of a lock is another's now.
pub fn set_owner(tx: &mut Tx<'_>, id: FolderLockId, owner: UserId) -> Result<(), Error> {
    tx.put("UPDATE folder_locks SET owner_id = ?2 WHERE id = ?1", &[id.into(), owner.into()])
}

/// The lock of a folder with that id.
pub fn folder_lock(tx: &mut Tx<'_>, id: FolderLockId) -> Result<Option<FolderLock>, Error> {
    let sql = "SELECT id, folder_id, owner_id, created_by, created_at FROM folder_locks WHERE id = ?1";
    tx.query_one(sql, &[id.into()], read_folder_lock)
}

/// The lock of that folder.
pub fn lock_of_folder(tx: &mut Tx<'_>, folder: ItemId) -> Result<Option<FolderLock>, Error> {
    let sql = "SELECT id, folder_id, owner_id, created_by, created_at FROM folder_locks WHERE folder_id = ?1";
    tx.query_one(sql, &[folder.into()], read_folder_lock)
}

/// Up to `limit` locks of folders of an owner.
pub fn folder_locks_of(tx: &mut Tx<'_>, owner: UserId, limit: u32) -> Result<Vec<FolderLock>, Error> {
    let sql = "SELECT id, folder_id, owner_id, created_by, created_at FROM folder_locks
               WHERE owner_id = ?1 ORDER BY id LIMIT ?2";
    tx.query(sql, &[owner.into(), limit.into()], read_folder_lock)
}

fn read_folder_lock(row: &Row<'_>) -> Result<FolderLock, Error> {
    Ok(FolderLock {
        id: FolderLockId::new(row.int(0)?),
        folder: ItemId::new(row.int(1)?),
        owner: UserId::new(row.int(2)?),
        created_by: UserId::new(row.int(3)?),
        created_at: Timestamp::from_millis(row.int(4)?),
    })
}

/// Locks a file, in the place of whatever lock it has.
pub fn lock(tx: &mut Tx<'_>, lock: &FileLock) -> Result<(), Error> {
    tx.put(
        "INSERT INTO file_locks (item_id, id, created_by, created_at, expires_at, prevents_downloads)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (item_id) DO UPDATE SET id = excluded.id, created_by = excluded.created_by,
           created_at = excluded.created_at, expires_at = excluded.expires_at,
           prevents_downloads = excluded.prevents_downloads",
        &[
            lock.item.into(),
            lock.id.into(),
            lock.created_by.into(),
            lock.created_at.into(),
            lock.expires_at.into(),
            i64::from(lock.prevents_downloads).into(),
        ],
    )?;
    set_bit(tx, lock.item, LOCKED)
}

/// Unlocks a file.
pub fn unlock(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM file_locks WHERE item_id = ?1", &[item.into()])?;
    clear_bit(tx, item, LOCKED)
}

/// The lock of that file.
pub fn file_lock(tx: &mut Tx<'_>, item: ItemId) -> Result<Option<FileLock>, Error> {
    let sql = "SELECT item_id, id, created_by, created_at, expires_at, prevents_downloads FROM file_locks
               WHERE item_id = ?1";
    tx.query_one(sql, &[item.into()], read_file_lock)
}

/// Up to `limit` locks of files that were to end before a moment, the earliest first.
pub fn expired_file_locks(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<Vec<FileLock>, Error> {
    let sql = "SELECT item_id, id, created_by, created_at, expires_at, prevents_downloads FROM file_locks
               WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
    tx.query(sql, &[before.into(), limit.into()], read_file_lock)
}

fn read_file_lock(row: &Row<'_>) -> Result<FileLock, Error> {
    Ok(FileLock {
        item: ItemId::new(row.int(0)?),
        id: FileLockId::new(row.int(1)?),
        created_by: UserId::new(row.int(2)?),
        created_at: Timestamp::from_millis(row.int(3)?),
        expires_at: row.int_or_null(4)?.map(Timestamp::from_millis),
        prevents_downloads: row.int(5)? != 0,
    })
}

/// Watermarks an item, or says so again.
pub fn watermark(tx: &mut Tx<'_>, watermark: &Watermark) -> Result<(), Error> {
    tx.put(
        "INSERT INTO watermarks (item_id, created_at, modified_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (item_id) DO UPDATE SET modified_at = excluded.modified_at",
        &[watermark.item.into(), watermark.created_at.into(), watermark.modified_at.into()],
    )?;
    set_bit(tx, watermark.item, WATERMARKED)
}

/// Takes a watermark away.
pub fn unwatermark(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM watermarks WHERE item_id = ?1", &[item.into()])?;
    clear_bit(tx, item, WATERMARKED)
}

/// The watermark of that item.
pub fn watermark_of(tx: &mut Tx<'_>, item: ItemId) -> Result<Option<Watermark>, Error> {
    let sql = "SELECT item_id, created_at, modified_at FROM watermarks WHERE item_id = ?1";
    tx.query_one(sql, &[item.into()], |row| {
        Ok(Watermark {
            item: ItemId::new(row.int(0)?),
            created_at: Timestamp::from_millis(row.int(1)?),
            modified_at: Timestamp::from_millis(row.int(2)?),
        })
    })
}

/// Removes what an item that goes has.
pub(crate) fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM folder_locks WHERE folder_id = ?1", &[item.into()])?;
    tx.put("DELETE FROM file_locks WHERE item_id = ?1", &[item.into()])?;
    tx.put("DELETE FROM watermarks WHERE item_id = ?1", &[item.into()])
}
