//! Contents, their chunks, and what they hold of segments.
//!
//! `live` of a segment is always the sum of the lengths of the chunks and upload parts in it: each function here that
//! adds or removes one moves it in the same transaction.

use crate::replicas::{self, read_replica};
use crate::tx::{Row, Value};
use crate::{Error, ErrorKind, Tx};
use entente_model::{
    Checksum, ContentId, CustomerCheck, EnterpriseId, EpochId, Manifest, Md5, Place, PolicyId, SegmentId, Sha1, UserId,
    WrappedDataKey, ZoneId,
};
use entente_vault::{Located, Written, WrittenSegment};
use std::collections::BTreeMap;

/// How a content that is read is bounded: places are fetched in windows of this many chunks (1 GiB of plaintext).
pub const PLACES_WINDOW: u32 = 128;
/// Stored as the owner of a content that is nobody's in particular.
const NOBODY: i64 = 0;

/// A place among a user's contents, in their order by policy and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedPosition {
    /// The policy under which the content is stored.
    pub policy: PolicyId,
    /// The content.
    pub content: ContentId,
}

/// A content and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The content.
    pub content: ContentId,
    /// Bytes of plaintext.
    pub size: u64,
}

/// Commits a content with one reference: its row, its chunks, and its hold on segments. It is nobody's in particular,
/// where there are no users.
///
/// `Condemned` when one of its segments has been given up in the meantime: nothing is kept, and the upload starts again.
pub fn commit(tx: &mut Tx<'_>, written: &Written) -> Result<(), Error> {
    commit_as(tx, written, NOBODY, None)
}

/// The same for a content of a user's. It stays theirs for as long as it is stored.
pub fn commit_for(tx: &mut Tx<'_>, written: &Written, owner: UserId) -> Result<(), Error> {
    commit_as(tx, written, owner.number(), None)
}

/// The same, with the MD5 of its bytes where that had to be computed.
pub fn commit_with_md5(tx: &mut Tx<'_>, written: &Written, owner: UserId, md5: Option<Md5>) -> Result<(), Error> {
    commit_as(tx, written, owner.number(), md5)
}

fn commit_as(tx: &mut Tx<'_>, written: &Written, owner: i64, md5: Option<Md5>) -> Result<(), Error> {
    let manifest = &written.manifest;
    insert_as(tx, manifest, owner, md5)?;
    let mut held = BTreeMap::new();
    for place in &manifest.places {
        insert_chunk(tx, manifest.content, place)?;
        *held.entry(place.segment).or_insert(0) += place.length;
    }
    for segment in &written.segments {
        hold(tx, *segment, held.get(&segment.segment).copied().unwrap_or(0))?;
    }
    Ok(())
}

/// Inserts the row of a user's content with one reference, without chunks.
pub(crate) fn insert(tx: &mut Tx<'_>, manifest: &Manifest, owner: UserId) -> Result<(), Error> {
    insert_as(tx, manifest, owner.number(), None)
}

fn insert_as(tx: &mut Tx<'_>, manifest: &Manifest, owner: i64, md5: Option<Md5>) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO contents (id, enterprise_id, zone_id, policy_id, epoch_id, data_key, size, sha1, references_count,
           owner_id, md5, customer_check)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11)",
        &[
            manifest.content.into(),
            manifest.enterprise.into(),
            manifest.zone.into(),
            manifest.policy.into(),
            manifest.key.epoch.into(),
            manifest.key.bytes.as_slice().into(),
            manifest.size.into(),
            manifest.sha1.as_ref().map(|sha1| sha1.0.as_slice()).into(),
            owner.into(),
            md5.as_ref().map(|md5| md5.0.as_slice()).into(),
            manifest.customer.as_ref().map(|check| check.0.as_slice()).into(),
        ],
    )?;
    Ok(())
}

/// The SHA-1 of a content; `None` when it is not known (yet), or there is no such content.
pub fn sha1(tx: &mut Tx<'_>, content: ContentId) -> Result<Option<Sha1>, Error> {
    let sql = "SELECT sha1 FROM contents WHERE id = ?1";
    Ok(tx.query_one(sql, &[content.into()], |row| row.array_or_null(0))?.flatten().map(Sha1))
}

/// Keeps the SHA-1 of a content that had none yet.
pub(crate) fn set_sha1(tx: &mut Tx<'_>, content: ContentId, sha1: Sha1) -> Result<(), Error> {
    tx.put("UPDATE contents SET sha1 = ?2 WHERE id = ?1", &[content.into(), sha1.0.as_slice().into()])
}

/// Inserts one chunk of a content, without touching its segment.
pub(crate) fn insert_chunk(tx: &mut Tx<'_>, content: ContentId, place: &Place) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO chunks (content_id, chunk, segment_id, position, length, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            content.into(),
            place.chunk.into(),
            place.segment.into(),
            place.offset.into(),
            place.length.into(),
            place.checksum.0.as_slice().into(),
        ],
    )?;
    Ok(())
}

/// Adds to what is held of a durable segment, and makes it live if it was not. `Condemned` when it has been given up.
pub(crate) fn hold(tx: &mut Tx<'_>, segment: WrittenSegment, length: u64) -> Result<(), Error> {
    // Most contents are not the first in their segment.
    let held = tx.execute(
        "UPDATE segments SET live = live + ?2, dead_since = NULL WHERE id = ?1 AND state = 1",
        &[segment.segment.into(), length.into()],
    )?;
    if held > 0 {
        return Ok(());
    }
    let begun = tx.execute(
        "UPDATE segments SET state = 1, size = ?2, live = live + ?3, dead_since = NULL WHERE id = ?1 AND state = 0",
        &[segment.segment.into(), segment.size.into(), length.into()],
    )?;
    if begun == 0 {
        let message = format!("segment {} was given up before it was committed; send it again", segment.segment);
        return Err(Error::new(ErrorKind::Condemned, message));
    }
    for backend in segment.holders.iter() {
        replicas::settle_first(tx, segment.segment, backend)?;
    }
    replicas::hand_over(tx, segment.segment)?;
    if replicas::is_out_of_reach(tx, segment.segment)? {
        let message =
            format!("the backends of segment {} were removed before it was committed; send it again", segment.segment);
        return Err(Error::new(ErrorKind::Condemned, message));
    }
    Ok(())
}

/// Takes back what is held of a segment.
pub(crate) fn let_go(tx: &mut Tx<'_>, segment: SegmentId, length: u64) -> Result<(), Error> {
    tx.execute("UPDATE segments SET live = live - ?2 WHERE id = ?1", &[segment.into(), length.into()])?;
    Ok(())
}

/// Adds a reference to a committed content, for a copy. `false` when it is not there (any more).
pub fn share(tx: &mut Tx<'_>, content: ContentId) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE contents SET references_count = references_count + 1 WHERE id = ?1 AND references_count > 0",
        &[content.into()],
    )?;
    Ok(changed > 0)
}

/// Drops a reference; with the last one, the content and its chunks go, and its segments' live bytes fall. One that is made
/// of pieces of others is left to [`pieces::take_apart`](crate::pieces::take_apart): it may have very many.
pub fn release(tx: &mut Tx<'_>, content: ContentId) -> Result<(), Error> {
    tx.execute("UPDATE contents SET references_count = references_count - 1 WHERE id = ?1", &[content.into()])?;
    let left =
        tx.query_one("SELECT references_count, pieces FROM contents WHERE id = ?1", &[content.into()], |row| {
            Ok((row.int(0)?, row.int(1)?))
        })?;
    if left.is_none_or(|(left, pieces)| left > 0 || pieces > 0) {
        return Ok(());
    }
    let held = tx.query("SELECT segment_id, length FROM chunks WHERE content_id = ?1", &[content.into()], |row| {
        Ok((SegmentId::new(row.int(0)?), row.size(1)?))
    })?;
    for (segment, length) in held {
        let_go(tx, segment, length)?;
    }
    tx.execute("DELETE FROM chunks WHERE content_id = ?1", &[content.into()])?;
    tx.execute("DELETE FROM contents WHERE id = ?1", &[content.into()])?;
    Ok(())
}

/// The manifest of a committed content, without its places.
pub fn by_id(tx: &mut Tx<'_>, content: ContentId) -> Result<Option<Manifest>, Error> {
    tx.query_one(
        "SELECT id, enterprise_id, zone_id, epoch_id, data_key, size, sha1, policy_id, customer_check FROM contents
         WHERE id = ?1 AND references_count > 0",
        &[content.into()],
        read_manifest,
    )
}

/// Up to `limit` contents after `after`, in order of ids, without their places.
pub(crate) fn after(tx: &mut Tx<'_>, after: Option<ContentId>, limit: u32) -> Result<Vec<Manifest>, Error> {
    tx.query(
        "SELECT id, enterprise_id, zone_id, epoch_id, data_key, size, sha1, policy_id, customer_check FROM contents
         WHERE id > ?1 AND references_count > 0 ORDER BY id LIMIT ?2",
        &[Value::Int(after.map_or(0, ContentId::number)), limit.into()],
        read_manifest,
    )
}

/// Notes that a chunk of a content is in a segment, if that is of another policy than the content.
pub(crate) fn moves_to(tx: &mut Tx<'_>, content: ContentId, segment: SegmentId) -> Result<(), Error> {
    tx.put(
        "UPDATE contents SET moving = 1 WHERE id = ?1 AND moving = 0
           AND policy_id <> (SELECT policy_id FROM segments WHERE id = ?2)",
        &[content.into(), segment.into()],
    )
}

/// Gives a content another policy, zone and wrapping of its data key, if they are still the old ones, and each of its
/// chunks is in a segment of the new policy. `true` if so: then it is nowhere else any more.
pub(crate) fn move_to(tx: &mut Tx<'_>, old: &Manifest, new: &Manifest) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE contents SET policy_id = ?2, zone_id = ?3, epoch_id = ?4, data_key = ?5, moving = 0
         WHERE id = ?1 AND policy_id = ?6 AND epoch_id = ?7 AND data_key = ?8
           AND NOT EXISTS (SELECT 1 FROM chunks c JOIN segments s ON s.id = c.segment_id
               WHERE c.content_id = ?1 AND s.policy_id <> ?2)",
        &[
            old.content.into(),
            new.policy.into(),
            new.zone.into(),
            new.key.epoch.into(),
            new.key.bytes.as_slice().into(),
            old.policy.into(),
            old.key.epoch.into(),
            old.key.bytes.as_slice().into(),
        ],
    )?;
    Ok(changed > 0)
}

/// Up to `limit` contents of a user's that are not, or not wholly, stored under `policy`, after `after`, with their places
/// in the order. What is stored under that policy costs nothing, however much it is.
pub fn elsewhere(
    tx: &mut Tx<'_>,
    owner: UserId,
    policy: PolicyId,
    after: Option<OwnedPosition>,
    limit: u32,
) -> Result<Vec<(OwnedPosition, Stored)>, Error> {
    let mut found = Vec::new();
    let start = OwnedPosition { policy: PolicyId::new(0), content: ContentId::new(0) };
    let mut at = after.unwrap_or(start);
    loop {
        let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        let sql = if at.policy == policy {
            // Some of it may be elsewhere.
            "SELECT id, size FROM contents WHERE owner_id = ?1 AND policy_id = ?2 AND moving <> 0 AND id > ?3
             ORDER BY id LIMIT ?4"
        } else {
            "SELECT id, size FROM contents WHERE owner_id = ?1 AND policy_id = ?2 AND id > ?3 ORDER BY id LIMIT ?4"
        };
        found.extend(tx.query(sql, &[owner.into(), at.policy.into(), at.content.into(), left.into()], |row| {
            let content = ContentId::new(row.int(0)?);
            Ok((OwnedPosition { policy: at.policy, content }, Stored { content, size: row.size(1)? }))
        })?);
        if found.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok(found);
        }
        let next = tx.query_one(
            "SELECT policy_id FROM contents WHERE owner_id = ?1 AND policy_id > ?2 ORDER BY policy_id LIMIT 1",
            &[owner.into(), at.policy.into()],
            |row| row.int(0),
        )?;
        match next {
            // Grows with every turn, and there are no more turns than policies.
            Some(next) => at = OwnedPosition { policy: PolicyId::new(next), ..start },
            None => return Ok(found),
        }
    }
}

/// Up to `limit` places of a content from chunk `from` on, with the replicas that hold them.
pub fn places(tx: &mut Tx<'_>, content: ContentId, from: u32, limit: u32) -> Result<Vec<Located>, Error> {
    located(
        tx,
        "SELECT c.chunk, c.segment_id, c.position, c.length, c.checksum, r.backend_id, r.name, r.state, r.since
         FROM (SELECT chunk, segment_id, position, length, checksum FROM chunks
               WHERE content_id = ?1 AND chunk >= ?2 ORDER BY chunk LIMIT ?3) AS c
         LEFT JOIN replicas r ON r.segment_id = c.segment_id ORDER BY c.chunk, r.backend_id",
        &[content.into(), from.into(), limit.into()],
    )
}

fn read_manifest(row: &Row<'_>) -> Result<Manifest, Error> {
    Ok(Manifest {
        content: ContentId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        zone: ZoneId::new(row.int(2)?),
        policy: PolicyId::new(row.int(7)?),
        key: WrappedDataKey { epoch: EpochId::new(row.int(3)?), bytes: row.blob(4)? },
        customer: row.array_or_null(8)?.map(CustomerCheck),
        size: row.size(5)?,
        sha1: row.array_or_null(6)?.map(Sha1),
        places: Vec::new(),
    })
}

/// Runs a query for chunk, segment, position, length and checksum, with backend, name, state and since of a replica;
/// puts the replicas of each chunk together.
pub(crate) fn located(tx: &mut Tx<'_>, sql: &'static str, parameters: &[Value<'_>]) -> Result<Vec<Located>, Error> {
    let mut found: Vec<Located> = Vec::new();
    tx.query(sql, parameters, |row| {
        let chunk = row.number(0)?;
        if found.last().is_none_or(|last| last.place.chunk != chunk) {
            let place = Place {
                chunk,
                segment: SegmentId::new(row.int(1)?),
                offset: row.size(2)?,
                length: row.size(3)?,
                checksum: Checksum(row.array(4)?),
            };
            found.push(Located { place, replicas: Vec::new() });
        }
        if let Some(last) = found.last_mut() {
            last.replicas.extend(read_replica(row, 5)?);
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::dialect::sqlite_schema;
    use rusqlite::Connection;

    #[test]
    fn contents_that_were_half_moved_before_are_on_the_move() {
        let database = Connection::open_in_memory().expect("a database");
        for sql in [
            include_str!("migrations/0001_first.sql"),
            include_str!("migrations/0002_replicas.sql"),
            include_str!("migrations/0003_policies.sql"),
        ] {
            database.execute_batch(&sqlite_schema(sql)).expect("a schema");
        }
        for (segment, policy) in [(10, 1), (11, 2)] {
            let sql = "INSERT INTO segments (id, state, size, live, created_at, policy_id) VALUES (?1, 1, 9, 9, 0, ?2)";
            database.execute(sql, (segment, policy)).expect("a segment");
        }
        for (content, policy) in [(20, 1), (21, 1), (22, 2)] {
            let sql = "INSERT INTO contents (id, enterprise_id, zone_id, policy_id, epoch_id, data_key, size, sha1,
                         references_count, owner_id) VALUES (?1, 1, 1, ?2, 1, x'00', 1, NULL, 1, 1)";
            database.execute(sql, (content, policy)).expect("a content");
        }
        for (content, chunk, segment) in [(20, 0, 10), (20, 1, 10), (21, 0, 10), (21, 1, 11), (22, 0, 11)] {
            let sql = "INSERT INTO chunks (content_id, chunk, segment_id, position, length, checksum)
                       VALUES (?1, ?2, ?3, 0, 1, x'00')";
            database.execute(sql, (content, chunk, segment)).expect("a chunk");
        }
        database.execute_batch(&sqlite_schema(include_str!("migrations/0006_upkeep.sql"))).expect("the schema");
        let mut statement = database.prepare("SELECT id FROM contents WHERE moving <> 0 ORDER BY id").expect("SQL");
        let found = statement.query_map([], |row| row.get(0)).expect("contents");
        assert_eq!(found.collect::<Result<Vec<i64>, _>>().expect("contents"), [21]);
    }
}
