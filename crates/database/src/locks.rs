//! Locks that clients of WebDAV hold on items for a while. A lock whose time is over means nothing, even while its row
//! is still there: every function here that reads takes the moment from which on it must live.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{ItemId, Timestamp, UserId};
use std::time::Duration;

/// Whether others may hold a lock beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Nobody else.
    Exclusive,
    /// Whoever asks for a shared one too.
    Shared,
}

/// How far below its item a lock reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockDepth {
    /// The item alone; of a folder also which children it has.
    Item,
    /// Everything below it too.
    Below,
}

/// A lock as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// What its holder names to make changes: a UUID in lower case.
    pub token: String,
    /// What is locked.
    pub item: ItemId,
    /// Whose root the item is below.
    pub owner: UserId,
    /// Who holds it.
    pub user: UserId,
    /// Whether others may hold one beside it.
    pub sharing: Sharing,
    /// How far below the item it reaches.
    pub depth: LockDepth,
    /// What the client says of its holder: a fragment of XML, or nothing.
    pub about: String,
    /// How long it lives when it is asked for, or asked for again.
    pub timeout: Duration,
    /// When it was granted.
    pub created_at: Timestamp,
    /// From when on it means nothing.
    pub expires_at: Timestamp,
}

macro_rules! columns {
    () => {
        "l.token, l.item_id, l.owner_id, l.user_id, l.shared, l.deep, l.about, l.timeout_ms, l.created_at, l.expires_at"
    };
}

/// Stores a lock. `Duplicate` when the token is there already.
pub fn insert(tx: &mut Tx<'_>, lock: &Lock) -> Result<(), Error> {
    let shared: i64 = if lock.sharing == Sharing::Shared { 1 } else { 0 };
    let deep: i64 = if lock.depth == LockDepth::Below { 1 } else { 0 };
    tx.put(
        "INSERT INTO locks (token, item_id, owner_id, user_id, shared, deep, about, timeout_ms, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        &[
            lock.token.as_str().into(),
            lock.item.into(),
            lock.owner.into(),
            lock.user.into(),
            shared.into(),
            deep.into(),
            lock.about.as_str().into(),
            millis(lock.timeout).into(),
            lock.created_at.into(),
            lock.expires_at.into(),
        ],
    )
}

/// Whether anything at all below the user's root is locked.
pub fn any(tx: &mut Tx<'_>, owner: UserId, now: Timestamp) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM locks WHERE owner_id = ?1 AND expires_at > ?2 LIMIT 1";
    Ok(tx.query_one(sql, &[owner.into(), now.into()], |_| Ok(()))?.is_some())
}

/// Up to `limit` locks of items below the user's root, those first that end first.
pub fn of_owner(tx: &mut Tx<'_>, owner: UserId, now: Timestamp, limit: u32) -> Result<Vec<Lock>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM locks l WHERE l.owner_id = ?1 AND l.expires_at > ?2 ORDER BY l.owner_id, l.expires_at LIMIT ?3"
    );
    tx.query(sql, &[owner.into(), now.into(), limit.into()], read)
}

/// The locks of an item itself.
pub fn of_item(tx: &mut Tx<'_>, item: ItemId, now: Timestamp) -> Result<Vec<Lock>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM locks l WHERE l.item_id = ?1 AND l.expires_at > ?2 ORDER BY l.created_at, l.token"
    );
    tx.query(sql, &[item.into(), now.into()], read)
}

/// The locks of what is below a folder, at any depth, and not of the folder itself. `owner` is whose root it is below.
/// Walks up from each lock of the owner, for there are far fewer locks than items; `levels` bounds each walk.
pub fn below(tx: &mut Tx<'_>, folder: ItemId, owner: UserId, now: Timestamp, levels: u32) -> Result<Vec<Lock>, Error> {
    let sql = concat!(
        "WITH RECURSIVE up (token, id, level) AS (
           SELECT s.token, s.item_id, 0 FROM locks s WHERE s.owner_id = ?1 AND s.expires_at > ?2
           UNION ALL
           SELECT up.token, i.parent_id, up.level + 1 FROM up JOIN items i ON i.id = up.id
           WHERE i.parent_id IS NOT NULL AND up.level < ?4
         ) SELECT ",
        columns!(),
        " FROM up JOIN locks l ON l.token = up.token WHERE up.id = ?3 AND up.level > 0"
    );
    tx.query(sql, &[owner.into(), now.into(), folder.into(), levels.into()], read)
}

/// The lock with that token.
pub fn by_token(tx: &mut Tx<'_>, token: &str, now: Timestamp) -> Result<Option<Lock>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM locks l WHERE l.token = ?1 AND l.expires_at > ?2");
    tx.query_one(sql, &[token.into(), now.into()], read)
}

/// Lets a lock live until another moment.
pub fn extend(tx: &mut Tx<'_>, token: &str, timeout: Duration, expires_at: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE locks SET timeout_ms = ?2, expires_at = ?3 WHERE token = ?1";
    tx.put(sql, &[token.into(), millis(timeout).into(), expires_at.into()])
}

/// Removes a lock.
pub fn remove(tx: &mut Tx<'_>, token: &str) -> Result<(), Error> {
    tx.put("DELETE FROM locks WHERE token = ?1", &[token.into()])
}

/// Removes the locks of an item itself.
pub fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM locks WHERE item_id = ?1", &[item.into()])
}

/// How many locks there are below the user's root.
pub fn count(tx: &mut Tx<'_>, owner: UserId, now: Timestamp) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM locks WHERE owner_id = ?1 AND expires_at > ?2";
    Ok(tx.query_one(sql, &[owner.into(), now.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Removes up to `limit` locks below the user's root whose time is over.
pub fn remove_expired(tx: &mut Tx<'_>, owner: UserId, now: Timestamp, limit: u32) -> Result<(), Error> {
    tx.put(
        "DELETE FROM locks WHERE token IN (SELECT token FROM locks WHERE owner_id = ?1 AND expires_at <= ?2
           ORDER BY owner_id, expires_at LIMIT ?3)",
        &[owner.into(), now.into(), limit.into()],
    )
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn read(row: &Row<'_>) -> Result<Lock, Error> {
    Ok(Lock {
        token: row.text(0)?,
        item: ItemId::new(row.int(1)?),
        owner: UserId::new(row.int(2)?),
        user: UserId::new(row.int(3)?),
        sharing: match row.int(4)? {
            0 => Sharing::Exclusive,
            1 => Sharing::Shared,
            _ => return Err(Error::damaged("whether a lock is shared")),
        },
        depth: match row.int(5)? {
            0 => LockDepth::Item,
            1 => LockDepth::Below,
            _ => return Err(Error::damaged("how deep a lock is")),
        },
        about: row.text(6)?,
        timeout: Duration::from_millis(row.size(7)?),
        created_at: Timestamp::from_millis(row.int(8)?),
        expires_at: Timestamp::from_millis(row.int(9)?),
    })
}
