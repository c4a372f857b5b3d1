//! Uploads in pieces: sessions and the parts that have arrived. Each part holds its segment, as a chunk does.

use crate::tx::Row;
use crate::{Error, Tx, contents};
use entente_model::{
    Checksum, ContentId, EnterpriseId, EpochId, ItemId, ItemName, Manifest, Place, PolicyId, SegmentId, Sha1,
    Timestamp, UploadSessionId, UserId, WrappedDataKey, ZoneId,
};
use entente_vault::{Located, WrittenSegment};

/// What an upload becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadTarget {
    /// A new file in this folder.
    File(ItemId),
    /// A new version of this file.
    Version(ItemId),
}

/// A session as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: UploadSessionId,
    /// Who uploads.
    pub user: UserId,
    /// What it becomes.
    pub target: UploadTarget,
    /// The name of the file; `None` when it keeps the one that it has.
    pub name: Option<ItemName>,
    /// Length of the whole in bytes.
    pub size: u64,
    /// Length of every part but the last in bytes.
    pub part_size: u64,
    /// The content that the parts are chunks of.
    pub content: ContentId,
    /// Whose content it is.
    pub enterprise: EnterpriseId,
    /// Where it stays.
    pub zone: ZoneId,
    /// How many copies there are of it, and where.
    pub policy: PolicyId,
    /// The key that seals it.
    pub key: WrappedDataKey,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it and its parts are removed.
    pub expires_at: Timestamp,
    /// The file that it became.
    pub committed: Option<ItemId>,
}

/// A part that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What clients call it.
    pub id: String,
    /// Length in bytes.
    pub size: u64,
    /// Of its bytes.
    pub sha1: Sha1,
    /// Which chunk, and where it is.
    pub place: Place,
}

/// Inserts a session as it is.
pub fn insert(tx: &mut Tx<'_>, session: &Session) -> Result<(), Error> {
    let (parent, item) = match session.target {
        UploadTarget::File(parent) => (Some(parent), None),
        UploadTarget::Version(item) => (None, Some(item)),
    };
    tx.execute(
        "INSERT INTO upload_sessions (id, user_id, parent_id, item_id, name, size, part_size, content_id, enterprise_id,
           zone_id, epoch_id, data_key, created_at, expires_at, committed_item_id, policy_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        &[
            session.id.into(),
            session.user.into(),
            parent.into(),
            item.into(),
            session.name.as_ref().map(ItemName::as_str).into(),
            session.size.into(),
            session.part_size.into(),
            session.content.into(),
            session.enterprise.into(),
            session.zone.into(),
            session.key.epoch.into(),
            session.key.bytes.as_slice().into(),
            session.created_at.into(),
            session.expires_at.into(),
            session.committed.into(),
            session.policy.into(),
        ],
    )?;
    Ok(())
}

/// The session with that id, expired or not.
pub fn by_id(tx: &mut Tx<'_>, session: UploadSessionId) -> Result<Option<Session>, Error> {
    tx.query_one(
        "SELECT id, user_id, parent_id, item_id, name, size, part_size, content_id, enterprise_id, zone_id, epoch_id,
           data_key, created_at, expires_at, committed_item_id, policy_id
         FROM upload_sessions WHERE id = ?1",
        &[session.into()],
        read_session,
    )
}

/// Up to `limit` sessions that expired before `before`, those first that expired first.
pub fn expired(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<Vec<UploadSessionId>, Error> {
    tx.query(
        "SELECT id FROM upload_sessions WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2",
        &[before.into(), limit.into()],
        |row| Ok(UploadSessionId::new(row.int(0)?)),
    )
}

/// The part that is this chunk.
pub fn part(tx: &mut Tx<'_>, session: UploadSessionId, chunk: u32) -> Result<Option<Part>, Error> {
    tx.query_one(
        "SELECT part_id, size, sha1, chunk, segment_id, position, length, checksum FROM upload_parts
         WHERE session_id = ?1 AND chunk = ?2",
        &[session.into(), chunk.into()],
        read_part,
    )
}

/// Parts in order.
pub fn parts(tx: &mut Tx<'_>, session: UploadSessionId, offset: u32, limit: u32) -> Result<Vec<Part>, Error> {
    tx.query(
        "SELECT part_id, size, sha1, chunk, segment_id, position, length, checksum FROM upload_parts
         WHERE session_id = ?1 ORDER BY chunk LIMIT ?2 OFFSET ?3",
        &[session.into(), limit.into(), offset.into()],
        read_part,
    )
}

/// Parts in order from chunk `from` on, with the replicas that hold them: to read an upload back before it is committed.
pub fn located(tx: &mut Tx<'_>, session: UploadSessionId, from: u32, limit: u32) -> Result<Vec<Located>, Error> {
    contents::located(
        tx,
        "SELECT p.chunk, p.segment_id, p.position, p.length, p.checksum, r.backend_id, r.name, r.state, r.since
         FROM (SELECT chunk, segment_id, position, length, checksum FROM upload_parts
               WHERE session_id = ?1 AND chunk >= ?2 ORDER BY chunk LIMIT ?3) AS p
         LEFT JOIN replicas r ON r.segment_id = p.segment_id ORDER BY p.chunk, r.backend_id",
        &[session.into(), from.into(), limit.into()],
    )
}

/// How many parts have arrived.
pub fn count_parts(tx: &mut Tx<'_>, session: UploadSessionId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM upload_parts WHERE session_id = ?1";
    Ok(tx.query_one(sql, &[session.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Adds a part, and takes hold of its segment. `Duplicate` when another part is the same chunk.
///
/// `Condemned` when the segment has been given up in the meantime: nothing is kept, and the part is to be sent again.
pub fn put_part(tx: &mut Tx<'_>, session: UploadSessionId, part: &Part, segment: WrittenSegment) -> Result<(), Error> {
    contents::hold(tx, segment, part.place.length)?;
    tx.execute(
        "INSERT INTO upload_parts (session_id, chunk, part_id, size, sha1, segment_id, position, length, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            session.into(),
            part.place.chunk.into(),
            part.id.as_str().into(),
            part.size.into(),
            part.sha1.0.as_slice().into(),
            part.place.segment.into(),
            part.place.offset.into(),
            part.place.length.into(),
            part.place.checksum.0.as_slice().into(),
        ],
    )?;
    Ok(())
}

/// Removes a part and lets go of its segment.
pub fn remove_part(tx: &mut Tx<'_>, session: UploadSessionId, part: &Part) -> Result<(), Error> {
    contents::let_go(tx, part.place.segment, part.place.length)?;
    tx.execute(
        "DELETE FROM upload_parts WHERE session_id = ?1 AND chunk = ?2",
        &[session.into(), part.place.chunk.into()],
    )?;
    Ok(())
}

/// Makes the parts of a session the chunks of a committed content of `owner`'s with one reference. What they hold stays
/// held.
pub fn commit_content(tx: &mut Tx<'_>, session: &Session, manifest: &Manifest, owner: UserId) -> Result<(), Error> {
    contents::insert(tx, manifest, owner)?;
    tx.execute(
        "INSERT INTO chunks (content_id, chunk, segment_id, position, length, checksum)
         SELECT ?2, chunk, segment_id, position, length, checksum FROM upload_parts WHERE session_id = ?1",
        &[session.id.into(), manifest.content.into()],
    )?;
    tx.execute("DELETE FROM upload_parts WHERE session_id = ?1", &[session.id.into()])?;
    Ok(())
}

/// Records which file a session became.
pub fn set_committed(tx: &mut Tx<'_>, session: UploadSessionId, item: ItemId) -> Result<(), Error> {
    let sql = "UPDATE upload_sessions SET committed_item_id = ?2 WHERE id = ?1";
    tx.execute(sql, &[session.into(), item.into()])?;
    Ok(())
}

/// Ends a session now: nobody finds it any more, and it is removed with the expired ones.
pub fn expire_now(tx: &mut Tx<'_>, session: UploadSessionId) -> Result<(), Error> {
    tx.execute("UPDATE upload_sessions SET expires_at = 0 WHERE id = ?1", &[session.into()])?;
    Ok(())
}

/// Removes up to `limit` parts of a session, and the session with its last one. `true` when it is gone.
pub fn remove_some(tx: &mut Tx<'_>, session: UploadSessionId, limit: u32) -> Result<bool, Error> {
    let parts = parts(tx, session, 0, limit)?;
    for part in &parts {
        remove_part(tx, session, part)?;
    }
    if u32::try_from(parts.len()).is_ok_and(|removed| removed < limit) {
        tx.execute("DELETE FROM upload_sessions WHERE id = ?1", &[session.into()])?;
        return Ok(true);
    }
    Ok(false)
}

fn read_session(row: &Row<'_>) -> Result<Session, Error> {
    let target = match (row.int_or_null(2)?, row.int_or_null(3)?) {
        (Some(parent), None) => UploadTarget::File(ItemId::new(parent)),
        (None, Some(item)) => UploadTarget::Version(ItemId::new(item)),
        _ => return Err(Error::damaged("what an upload becomes")),
    };
    Ok(Session {
        id: UploadSessionId::new(row.int(0)?),
        user: UserId::new(row.int(1)?),
        target,
        name: row.text_or_null(4)?.map(crate::items::name).transpose()?,
        size: row.size(5)?,
        part_size: row.size(6)?,
        content: ContentId::new(row.int(7)?),
        enterprise: EnterpriseId::new(row.int(8)?),
        zone: ZoneId::new(row.int(9)?),
        key: WrappedDataKey { epoch: EpochId::new(row.int(10)?), bytes: row.blob(11)? },
        created_at: Timestamp::from_millis(row.int(12)?),
        expires_at: Timestamp::from_millis(row.int(13)?),
        committed: row.int_or_null(14)?.map(ItemId::new),
        policy: PolicyId::new(row.int(15)?),
    })
}

fn read_part(row: &Row<'_>) -> Result<Part, Error> {
    Ok(Part {
        id: row.text(0)?,
        size: row.size(1)?,
        sha1: Sha1(row.array(2)?),
        place: Place {
            chunk: row.number(3)?,
            segment: SegmentId::new(row.int(4)?),
            offset: row.size(5)?,
            length: row.size(6)?,
            checksum: Checksum(row.array(7)?),
        },
    })
}
