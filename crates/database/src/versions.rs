//! Versions of files.

use crate::contents::Stored;
use crate::items::name;
use crate::tx::{Row, Value};
use crate::{Error, Tx, facts, retention};
use entente_model::{ContentId, ItemId, ItemName, PolicyId, Sha1, Timestamp, UserId, VersionId};

/// Stored in place of a SHA-1 that is not known yet.
const NO_SHA1: [u8; 0] = [];

/// A version as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// The file.
    pub item: ItemId,
    /// From 1, in order of creation within the file.
    pub number: u64,
    /// Its sealed bytes.
    pub content: ContentId,
    /// Length in bytes.
    pub size: u64,
    /// Of its bytes; `None` while nobody has read them: a content of pieces is read once, soon after it was made.
    pub sha1: Option<Sha1>,
    /// The name that the file had when this version was made.
    pub name: ItemName,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: UserId,
    /// When it was removed from the list; `None` as long as it is there.
    pub trashed_at: Option<Timestamp>,
    /// Who removed it.
    pub trashed_by: Option<UserId>,
    /// Whether it was made while its bucket kept no versions: then S3 calls it by no id.
    pub plain: bool,
    /// Who sent it by a file request: the address that they gave, empty if they gave none. `None` of what users upload.
    pub sender: Option<String>,
}

/// The columns of a version, of a table called `v`.
macro_rules! columns {
    () => {
        "v.id, v.item_id, v.number, v.content_id, v.size, v.sha1, v.name, v.created_at, v.created_by, v.trashed_at,
         v.trashed_by, v.plain, v.sender"
    };
}
pub(crate) use columns;

/// Inserts a version as it is. Its content is committed or shared by the caller, in the same transaction.
pub fn insert(tx: &mut Tx<'_>, version: &Version) -> Result<(), Error> {
    tx.put(
        "INSERT INTO versions (id, item_id, number, content_id, size, sha1, name, created_at, created_by, trashed_at,
           trashed_by, plain, sender)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        &[
            version.id.into(),
            version.item.into(),
            version.number.into(),
            version.content.into(),
            version.size.into(),
            version.sha1.as_ref().map_or(&NO_SHA1[..], |sha1| sha1.0.as_slice()).into(),
            version.name.as_str().into(),
            version.created_at.into(),
            version.created_by.into(),
            version.trashed_at.into(),
            version.trashed_by.into(),
            i64::from(version.plain).into(),
            version.sender.as_deref().map_or(Value::Null, Value::Text),
        ],
    )?;
    Ok(())
}

/// The version with that id, of whatever file.
pub fn by_id(tx: &mut Tx<'_>, version: VersionId) -> Result<Option<Version>, Error> {
    tx.query_one(concat!("SELECT ", columns!(), " FROM versions v WHERE v.id = ?1"), &[version.into()], read)
}

/// Versions of a file that are in its list and are not the current one, the newest first.
pub fn older(
    tx: &mut Tx<'_>,
    item: ItemId,
    current: VersionId,
    offset: u32,
    limit: u32,
) -> Result<Vec<Version>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM versions v WHERE v.item_id = ?1 AND v.id <> ?2 AND v.trashed_at IS NULL
         ORDER BY v.number DESC LIMIT ?3 OFFSET ?4"
    );
    tx.query(sql, &[item.into(), current.into(), limit.into(), offset.into()], read)
}

/// How many versions [`older`] finds in all.
pub fn count_older(tx: &mut Tx<'_>, item: ItemId, current: VersionId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM versions WHERE item_id = ?1 AND id <> ?2 AND trashed_at IS NULL";
    Ok(tx.query_one(sql, &[item.into(), current.into()], |row| row.size(0))?.unwrap_or(0))
}

/// The greatest number of a version of the file; 0 if it has none.
pub fn last_number(tx: &mut Tx<'_>, item: ItemId) -> Result<u64, Error> {
    let sql = "SELECT number FROM versions WHERE item_id = ?1 ORDER BY number DESC LIMIT 1";
    Ok(tx.query_one(sql, &[item.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Sets or clears who removed a version from the list, and when.
pub fn set_trashed(tx: &mut Tx<'_>, version: VersionId, trashed: Option<(UserId, Timestamp)>) -> Result<(), Error> {
    tx.put(
        "UPDATE versions SET trashed_by = ?2, trashed_at = ?3 WHERE id = ?1",
        &[version.into(), trashed.map(|(by, _)| by).into(), trashed.map(|(_, at)| at).into()],
    )?;
    Ok(())
}

/// Removes from the list of a file every plain version but the current one. Answers how many there were.
pub fn set_plain_trashed(
    tx: &mut Tx<'_>,
    item: ItemId,
    current: VersionId,
    (by, at): (UserId, Timestamp),
) -> Result<usize, Error> {
    tx.execute(
        "UPDATE versions SET trashed_by = ?3, trashed_at = ?4
         WHERE item_id = ?1 AND id <> ?2 AND plain = 1 AND trashed_at IS NULL",
        &[item.into(), current.into(), by.into(), at.into()],
    )
}

/// Up to `limit` versions that were removed from their lists before `before` and that nothing retains `now`, those first
/// that were removed first.
pub fn trashed_before(tx: &mut Tx<'_>, before: Timestamp, now: Timestamp, limit: u32) -> Result<Vec<Version>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM versions v WHERE v.trashed_at IS NOT NULL AND v.trashed_at < ?1
           AND NOT EXISTS (SELECT 1 FROM version_retention r
             WHERE r.version_id = v.id AND (r.held = 1 OR r.until_at > ?2))
         ORDER BY v.trashed_at LIMIT ?3"
    );
    tx.query(sql, &[before.into(), now.into(), limit.into()], read)
}

/// Says who sent a version by a file request.
pub fn set_sender(tx: &mut Tx<'_>, version: VersionId, sender: &str) -> Result<(), Error> {
    tx.put("UPDATE versions SET sender = ?2 WHERE id = ?1", &[version.into(), sender.into()])
}

/// Gives a version another number.
pub fn set_number(tx: &mut Tx<'_>, version: VersionId, number: u64) -> Result<(), Error> {
    tx.put("UPDATE versions SET number = ?2 WHERE id = ?1", &[version.into(), number.into()])
}

/// Up to `limit` versions of a file, removed ones too, in order of their numbers.
pub fn some(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<Vec<Version>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM versions v WHERE v.item_id = ?1 ORDER BY v.number LIMIT ?2");
    tx.query(sql, &[item.into(), limit.into()], read)
}

/// Up to `limit` contents of a file's versions, removed ones too, that are not (wholly) stored under `policy`, each with the
/// number of its version: from the version after `after` on, in order of numbers.
pub fn contents_elsewhere(
    tx: &mut Tx<'_>,
    item: ItemId,
    policy: PolicyId,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, Stored)>, Error> {
    tx.query(
        "SELECT v.number, c.id, c.size FROM versions v JOIN contents c ON c.id = v.content_id
         WHERE v.item_id = ?1 AND v.number > ?2
           AND (c.pieces = 0 AND (c.policy_id <> ?3 OR c.moving <> 0) OR c.pieces > 0 AND EXISTS (
               SELECT 1 FROM pieces p JOIN contents s ON s.id = p.source_id
               WHERE p.content_id = c.id AND (s.policy_id <> ?3 OR s.moving <> 0)))
         ORDER BY v.number LIMIT ?4",
        &[item.into(), after.into(), policy.into(), limit.into()],
        |row| Ok((row.size(0)?, Stored { content: ContentId::new(row.int(1)?), size: row.size(2)? })),
    )
}

/// Keeps the SHA-1 of a content for all versions with it that have none.
pub(crate) fn set_sha1(tx: &mut Tx<'_>, content: ContentId, sha1: Sha1) -> Result<(), Error> {
    tx.put(
        "UPDATE versions SET sha1 = ?2 WHERE content_id = ?1 AND length(sha1) = 0",
        &[content.into(), sha1.0.as_slice().into()],
    )
}

/// Removes the row of a version. Its content is released by the caller, in the same transaction, and whether it may be
/// removed has been decided.
pub fn remove(tx: &mut Tx<'_>, version: VersionId) -> Result<(), Error> {
    facts::remove(tx, version)?;
    retention::forget_version(tx, version)?;
    tx.put("DELETE FROM versions WHERE id = ?1", &[version.into()])
}

fn read(row: &Row<'_>) -> Result<Version, Error> {
    read_or_null(row, 0)?.ok_or(Error::damaged("a version without an id"))
}

/// Reads a version whose first column is at `start`; `None` where an outer join found none.
pub(crate) fn read_or_null(row: &Row<'_>, start: usize) -> Result<Option<Version>, Error> {
    let Some(id) = row.int_or_null(start)? else { return Ok(None) };
    Ok(Some(Version {
        id: VersionId::new(id),
        item: ItemId::new(row.int(start + 1)?),
        number: row.size(start + 2)?,
        content: ContentId::new(row.int(start + 3)?),
        size: row.size(start + 4)?,
        sha1: row.array_or_empty(start + 5)?.map(Sha1),
        name: name(row.text(start + 6)?)?,
        created_at: Timestamp::from_millis(row.int(start + 7)?),
        created_by: UserId::new(row.int(start + 8)?),
        trashed_at: row.int_or_null(start + 9)?.map(Timestamp::from_millis),
        trashed_by: row.int_or_null(start + 10)?.map(UserId::new),
        plain: row.int(start + 11)? != 0,
        sender: row.text_or_null(start + 12)?,
    }))
}

/// How many columns [`read_or_null`] reads.
pub(crate) const COLUMNS: usize = 13;
