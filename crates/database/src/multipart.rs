//! Uploads of parts of any size: what has been begun, and the parts that have arrived. Each part is a content of its own,
//! with one reference, until all of them become one content of pieces.

use crate::facts::Facts;
use crate::tx::Row;
use crate::{Error, Tx, contents, pieces};
use entente_model::{ContentId, EnterpriseId, ItemId, MultipartId, Sha1, Timestamp, UserId, VersionId};
use entente_vault::{CustomerMark, Piece};

/// Stored as the state of an upload.
const OPEN: i64 = 0;
const COMPLETE: i64 = 1;
const ENDED: i64 = 2;

/// An upload as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipart {
    /// Its id.
    pub id: MultipartId,
    /// Who began it.
    pub user: UserId,
    /// The folder below which the object is to be.
    pub base: ItemId,
    /// The names on the way to it, with a slash between them.
    pub key: String,
    /// What is to be remembered of the object.
    pub facts: Facts,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it and its parts are removed.
    pub expires_at: Timestamp,
    /// What it became, once complete.
    pub completed: Option<(ItemId, VersionId)>,
    /// Of the customer's key that its parts are sealed with, if there is one.
    pub customer: Option<CustomerMark>,
}

/// A part that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartPart {
    /// Which, from 1.
    pub number: u32,
    /// Its bytes.
    pub content: ContentId,
    /// Length in bytes.
    pub size: u64,
    /// Of how many pieces its content is; 0 when that has chunks of its own.
    pub pieces: u32,
    /// Of its bytes, where they were read.
    pub sha1: Option<Sha1>,
    /// What clients call these bytes: 32 hexadecimal digits, their MD5 where they were read.
    pub etag: String,
    /// What a door wants to know of it again: its checksum.
    pub facts: Facts,
    /// When it arrived.
    pub modified_at: Timestamp,
}

/// The columns of an upload.
macro_rules! columns {
    () => {
        "id, user_id, base_id, object_key, facts, created_at, expires_at, state, item_id, version_id,
         customer_mark"
    };
}

/// The columns of a part.
macro_rules! part_columns {
    () => {
        "number, content_id, size, pieces, sha1, etag, facts, modified_at"
    };
}

/// A walk along the index of open uploads.
macro_rules! walk {
    ($explain:literal) => {
        concat!(
            $explain,
            "SELECT ",
            columns!(),
            " FROM multipart_uploads WHERE state = 0 AND base_id = ?1 AND (object_key, id) > (?2, ?3)
             ORDER BY object_key, id LIMIT ?4"
        )
    };
}

const WALK: &str = walk!("");
const EXPLAIN_WALK: &str = walk!("EXPLAIN QUERY PLAN ");

/// Inserts an open upload into a folder of this owner's.
pub fn insert(tx: &mut Tx<'_>, upload: &Multipart, owner: UserId) -> Result<(), Error> {
    tx.put(
        "INSERT INTO multipart_uploads (id, user_id, base_id, object_key, facts, state, created_at, expires_at, item_id,
           version_id, owner_id, customer_mark)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, NULL, NULL, ?8, ?9)",
        &[
            upload.id.into(),
            upload.user.into(),
            upload.base.into(),
            upload.key.as_str().into(),
            upload.facts.to_text()?.as_str().into(),
            upload.created_at.into(),
            upload.expires_at.into(),
            owner.into(),
            upload.customer.as_ref().map(|mark| mark.bytes().as_slice()).into(),
        ],
    )
}

/// How many open uploads there are into the folders of an owner, counted up to `limit`.
pub fn count_open(tx: &mut Tx<'_>, owner: UserId, limit: u32) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM multipart_uploads WHERE state = 0 AND owner_id = ?1 LIMIT ?2) x";
    Ok(tx.query_one(sql, &[owner.into(), limit.into()], |row| row.size(0))?.unwrap_or(0))
}

/// How many bytes the parts have that have arrived of all open uploads into the folders of an owner, but for one of them.
pub fn held(tx: &mut Tx<'_>, owner: UserId, (upload, number): (MultipartId, u32)) -> Result<u64, Error> {
    let sql = "SELECT coalesce(sum(p.size), 0) FROM multipart_uploads u JOIN multipart_parts p ON p.upload_id = u.id
               WHERE u.state = 0 AND u.owner_id = ?1 AND (p.upload_id <> ?2 OR p.number <> ?3)";
    Ok(tx.query_one(sql, &[owner.into(), upload.into(), number.into()], |row| row.size(0))?.unwrap_or(0))
}

/// The upload with that id, complete or not; `None` when it was ended, or there is none.
pub fn by_id(tx: &mut Tx<'_>, upload: MultipartId) -> Result<Option<Multipart>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM multipart_uploads WHERE id = ?1");
    Ok(tx.query_one(sql, &[upload.into()], read)?.flatten())
}

/// Up to `limit` open uploads below a folder, in order of their keys (by bytes) and ids, after a key and id. Some may have
/// expired.
pub fn after(tx: &mut Tx<'_>, base: ItemId, (key, id): (&str, i64), limit: u32) -> Result<Vec<Multipart>, Error> {
    // PostgreSQL takes no text with a NUL. No key has one: what is after it is after all that is called like the rest.
    let (key, id) = key.split_once('\0').map_or((key, id), |(before, _)| (before, i64::MAX));
    let found = tx.query(WALK, &[base.into(), key.into(), id.into(), limit.into()], read)?;
    Ok(found.into_iter().flatten().collect())
}

/// How the engine means to answer [`after`]: for tests, which see to it that it is by the index alone.
pub fn explain_after(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    tx.query(EXPLAIN_WALK, &[1_i64.into(), "".into(), 1_i64.into(), 1_000_u32.into()], |row| row.text(3))
}

/// The part with that number.
pub fn part(tx: &mut Tx<'_>, upload: MultipartId, number: u32) -> Result<Option<MultipartPart>, Error> {
    let sql = concat!("SELECT ", part_columns!(), " FROM multipart_parts WHERE upload_id = ?1 AND number = ?2");
    tx.query_one(sql, &[upload.into(), number.into()], read_part)
}

/// Up to `limit` parts after a number, in order.
pub fn parts(tx: &mut Tx<'_>, upload: MultipartId, after: u32, limit: u32) -> Result<Vec<MultipartPart>, Error> {
    let sql = concat!(
        "SELECT ",
        part_columns!(),
        " FROM multipart_parts WHERE upload_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3"
    );
    tx.query(sql, &[upload.into(), after.into(), limit.into()], read_part)
}

/// How many bytes and pieces the parts have that have arrived, but for one of them.
pub fn others(tx: &mut Tx<'_>, upload: MultipartId, number: u32) -> Result<(u64, u64), Error> {
    let sql = "SELECT coalesce(sum(size), 0), coalesce(sum(pieces), 0) FROM multipart_parts
               WHERE upload_id = ?1 AND number <> ?2";
    let found = tx.query_one(sql, &[upload.into(), number.into()], |row| Ok((row.size(0)?, row.size(1)?)))?;
    Ok(found.unwrap_or_default())
}

/// Adds a part with a reference to its content, in the place of an earlier one with its number, which is released.
pub fn put_part(tx: &mut Tx<'_>, upload: MultipartId, new: &MultipartPart) -> Result<(), Error> {
    if let Some(old) = part(tx, upload, new.number)? {
        remove_part(tx, upload, &old)?;
    }
    tx.put(
        "INSERT INTO multipart_parts (upload_id, number, content_id, size, pieces, sha1, etag, facts, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            upload.into(),
            new.number.into(),
            new.content.into(),
            new.size.into(),
            new.pieces.into(),
            new.sha1.as_ref().map(|sha1| sha1.0.as_slice()).into(),
            new.etag.as_str().into(),
            new.facts.to_text()?.as_str().into(),
            new.modified_at.into(),
        ],
    )
}

/// The content that parts become in this order, where it is one of theirs: when there are no bytes in the others.
#[must_use]
pub fn only(parts: &[MultipartPart]) -> Option<&MultipartPart> {
    let mut filled = parts.iter().filter(|part| part.size > 0);
    match (filled.next(), filled.next()) {
        (Some(only), None) => Some(only),
        (None, _) => parts.first(),
        (Some(_), Some(_)) => None,
    }
}

/// Makes one content with one reference of parts, in this order: [`only`] one of theirs, or a new one with this id. Their
/// rows go; no byte is read or copied.
pub fn join(
    tx: &mut Tx<'_>,
    upload: MultipartId,
    parts: &[MultipartPart],
    (content, enterprise): (ContentId, EnterpriseId),
) -> Result<(), Error> {
    let only = only(parts).map(|only| only.number);
    if only.is_none() {
        let filled = parts.iter().filter(|part| part.size > 0);
        let pieces = filled.map(|part| part.pieces.max(1)).fold(0, u32::saturating_add);
        let size = parts.iter().map(|part| part.size).fold(0, u64::saturating_add);
        pieces::begin(tx, content, enterprise, (pieces, size))?;
    }
    let mut start = 0;
    for part in parts {
        match part {
            part if only == Some(part.number) => {}
            MultipartPart { size: 0, .. } => contents::release(tx, part.content)?,
            MultipartPart { pieces: 0, .. } => {
                let piece = Piece { start, source: part.content, source_start: 0, length: part.size };
                pieces::add(tx, content, &piece)?;
            }
            part => pieces::take_over(tx, part.content, content, start)?,
        }
        start += part.size;
    }
    if only.is_none() {
        pieces::inherit_customer(tx, content)?;
    }
    // Numbers that follow one another go together: mostly all of them.
    for run in parts.chunk_by(|one, next| one.number.checked_add(1) == Some(next.number)) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            tx.put(
                "DELETE FROM multipart_parts WHERE upload_id = ?1 AND number BETWEEN ?2 AND ?3",
                &[upload.into(), first.number.into(), last.number.into()],
            )?;
        }
    }
    Ok(())
}

/// Notes what an upload became. It is known for it until it expires, with what is left of its parts.
pub fn set_complete(
    tx: &mut Tx<'_>,
    upload: MultipartId,
    (item, version): (ItemId, VersionId),
    expires_at: Timestamp,
) -> Result<(), Error> {
    tx.put(
        "UPDATE multipart_uploads SET state = ?2, item_id = ?3, version_id = ?4, expires_at = ?5 WHERE id = ?1",
        &[upload.into(), COMPLETE.into(), item.into(), version.into(), expires_at.into()],
    )
}

/// Ends an upload: nobody finds it any more, and it is removed with the expired ones.
pub fn end(tx: &mut Tx<'_>, upload: MultipartId) -> Result<(), Error> {
    tx.put("UPDATE multipart_uploads SET state = ?2, expires_at = 0 WHERE id = ?1", &[upload.into(), ENDED.into()])
}

/// Up to `limit` uploads that expired before `before`, those first that expired first.
pub fn expired(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<Vec<MultipartId>, Error> {
    tx.query(
        "SELECT id FROM multipart_uploads WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2",
        &[before.into(), limit.into()],
        |row| Ok(MultipartId::new(row.int(0)?)),
    )
}

/// Removes parts of an upload of about so many chunks, and at least one part; with the last one, the upload. Answers how
/// many chunks' room is left then; `None` when the upload is not gone.
pub fn remove_some(tx: &mut Tx<'_>, upload: MultipartId, chunks: u32) -> Result<Option<u32>, Error> {
    let mut left = chunks.max(1);
    for part in parts(tx, upload, 0, left)? {
        if left == 0 {
            return Ok(None);
        }
        remove_part(tx, upload, &part)?;
        left = left.saturating_sub(pieces::cost(part.size));
    }
    if left == 0 {
        return Ok(None);
    }
    tx.put("DELETE FROM multipart_uploads WHERE id = ?1", &[upload.into()])?;
    Ok(Some(left.saturating_sub(1)))
}

fn remove_part(tx: &mut Tx<'_>, upload: MultipartId, part: &MultipartPart) -> Result<(), Error> {
    contents::release(tx, part.content)?;
    tx.put("DELETE FROM multipart_parts WHERE upload_id = ?1 AND number = ?2", &[upload.into(), part.number.into()])
}

/// `None` for one that was ended.
fn read(row: &Row<'_>) -> Result<Option<Multipart>, Error> {
    let completed = match (row.int(7)?, row.int_or_null(8)?, row.int_or_null(9)?) {
        (ENDED, ..) => return Ok(None),
        (OPEN, None, None) => None,
        (COMPLETE, Some(item), Some(version)) => Some((ItemId::new(item), VersionId::new(version))),
        _ => return Err(Error::damaged("what an upload became")),
    };
    Ok(Some(Multipart {
        id: MultipartId::new(row.int(0)?),
        user: UserId::new(row.int(1)?),
        base: ItemId::new(row.int(2)?),
        key: row.text(3)?,
        facts: Facts::from_text(&row.text(4)?)?,
        created_at: Timestamp::from_millis(row.int(5)?),
        expires_at: Timestamp::from_millis(row.int(6)?),
        completed,
        customer: row.array_or_null(10)?.map(CustomerMark::from_bytes),
    }))
}

fn read_part(row: &Row<'_>) -> Result<MultipartPart, Error> {
    Ok(MultipartPart {
        number: row.number(0)?,
        content: ContentId::new(row.int(1)?),
        size: row.size(2)?,
        pieces: row.number(3)?,
        sha1: row.array_or_null(4)?.map(Sha1),
        etag: row.text(5)?,
        facts: Facts::from_text(&row.text(6)?)?,
        modified_at: Timestamp::from_millis(row.int(7)?),
    })
}
