//! Segments, with their replicas, and the chunks in them.

use crate::replicas::read_replica;
use crate::tx::{Row, Value};
use crate::{Error, Tx, contents};
use entente_model::{BackendId, Checksum, ContentId, Place, PolicyId, SegmentId, Timestamp};
use entente_vault::upkeep::safety::UNUSED_AGE_MIN;
use entente_vault::{CHUNKS_MAX, ChunkRecord, ObjectName, SegmentRecord, SegmentState, WrittenSegment};
use std::collections::{BTreeMap, BTreeSet};

/// A segment's columns, then those of one of its replicas.
macro_rules! select {
    ($segments:literal) => {
        concat!(
            "SELECT s.id, s.policy_id, s.state, s.size, s.live, s.created_at, s.dead_since,
             r.backend_id, r.name, r.state, r.since FROM (",
            $segments,
            ") AS s LEFT JOIN replicas r ON r.segment_id = s.id ORDER BY s.id, r.backend_id"
        )
    };
}

pub(crate) fn reserve(
    tx: &mut Tx<'_>,
    policy: PolicyId,
    rows: &[(SegmentId, Vec<(BackendId, ObjectName)>)],
    now: Timestamp,
) -> Result<Vec<SegmentId>, Error> {
    for (segment, intents) in rows {
        tx.execute(
            "INSERT INTO segments (id, policy_id, state, size, live, created_at, dead_since)
             VALUES (?1, ?2, 0, 0, 0, ?3, NULL)",
            &[(*segment).into(), policy.into(), now.into()],
        )?;
        for (backend, name) in intents {
            tx.execute(
                "INSERT INTO replicas (segment_id, backend_id, name, state, since) VALUES (?1, ?2, ?3, 0, ?4)",
                &[(*segment).into(), (*backend).into(), name.as_bytes().as_slice().into(), now.into()],
            )?;
        }
    }
    Ok(rows.iter().map(|(segment, _)| *segment).collect())
}

pub(crate) fn after(tx: &mut Tx<'_>, after: Option<SegmentId>, limit: u32) -> Result<Vec<SegmentRecord>, Error> {
    const SQL: &str = select!(
        "SELECT id, policy_id, state, size, live, created_at, dead_since FROM segments
         WHERE id > ?1 ORDER BY id LIMIT ?2"
    );
    records(tx, SQL, &[number(after).into(), limit.into()])
}

pub(crate) fn by_ids(tx: &mut Tx<'_>, segments: &[SegmentId]) -> Result<Vec<SegmentRecord>, Error> {
    const SQL: &str =
        select!("SELECT id, policy_id, state, size, live, created_at, dead_since FROM segments WHERE id = ?1");
    let mut found = Vec::with_capacity(segments.len());
    for segment in segments {
        found.extend(records(tx, SQL, &[(*segment).into()])?);
    }
    Ok(found)
}

/// (`state <> 1` says no more than the list, and lets SQLite take the index of those.)
pub(crate) fn unsettled(tx: &mut Tx<'_>, after: Option<SegmentId>, limit: u32) -> Result<Vec<SegmentRecord>, Error> {
    const SQL: &str = select!(
        "SELECT id, policy_id, state, size, live, created_at, dead_since FROM segments
         WHERE state = 1 AND id > ?1
           AND id IN (SELECT segment_id FROM replicas WHERE state IN (0, 2) AND state <> 1 AND segment_id > ?1)
         ORDER BY id LIMIT ?2"
    );
    records(tx, SQL, &[number(after).into(), limit.into()])
}

pub(crate) fn of_policy(
    tx: &mut Tx<'_>,
    policy: PolicyId,
    after: Option<SegmentId>,
    limit: u32,
) -> Result<Vec<SegmentRecord>, Error> {
    const SQL: &str = select!(
        "SELECT id, policy_id, state, size, live, created_at, dead_since FROM segments
         WHERE policy_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
    );
    records(tx, SQL, &[policy.into(), number(after).into(), limit.into()])
}

/// In order of the names of their objects on that backend.
pub(crate) fn on_backend(
    tx: &mut Tx<'_>,
    backend: BackendId,
    after: Option<ObjectName>,
    limit: u32,
) -> Result<Vec<SegmentRecord>, Error> {
    let least = [0_u8; 0];
    let after: &[u8] = after.as_ref().map_or(&least, |name| name.as_bytes().as_slice());
    let held = tx.query(
        "SELECT segment_id FROM replicas WHERE backend_id = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
        &[backend.into(), after.into(), limit.into()],
        |row| Ok(SegmentId::new(row.int(0)?)),
    )?;
    by_ids(tx, &held)
}

/// Chunks of contents and parts of open uploads alike: both hold the segment. A part is answered as a chunk of its
/// session's content.
pub(crate) fn chunks_in(
    tx: &mut Tx<'_>,
    segment: SegmentId,
    offset: u64,
    limit: u32,
) -> Result<Vec<ChunkRecord>, Error> {
    tx.query(
        "SELECT content_id, chunk, position, length, checksum FROM chunks WHERE segment_id = ?1 AND position >= ?2
         UNION ALL
         SELECT u.content_id, p.chunk, p.position, p.length, p.checksum FROM upload_parts p
         JOIN upload_sessions u ON u.id = p.session_id WHERE p.segment_id = ?1 AND p.position >= ?2
         ORDER BY 3 LIMIT ?3",
        &[segment.into(), offset.into(), limit.into()],
        |row| {
            Ok(ChunkRecord {
                content: ContentId::new(row.int(0)?),
                place: Place {
                    chunk: row.number(1)?,
                    segment,
                    offset: row.size(2)?,
                    length: row.size(3)?,
                    checksum: Checksum(row.array(4)?),
                },
            })
        },
    )
}

pub(crate) fn chunks_of(tx: &mut Tx<'_>, segments: &[SegmentId]) -> Result<Vec<ChunkRecord>, Error> {
    let mut ordered = segments.to_vec();
    ordered.sort_unstable();
    let mut found = Vec::new();
    for segment in ordered {
        found.extend(chunks_in(tx, segment, 0, u32::try_from(CHUNKS_MAX).unwrap_or(u32::MAX))?);
    }
    Ok(found)
}

pub(crate) fn condemn(
    tx: &mut Tx<'_>,
    segments: &[SegmentId],
    now: Timestamp,
    before: Timestamp,
) -> Result<Vec<SegmentRecord>, Error> {
    let mut condemned = Vec::new();
    let old = before.max(now.before(UNUSED_AGE_MIN));
    for segment in segments {
        tx.execute(
            "UPDATE segments SET dead_since = ?2 WHERE id = ?1 AND live = 0 AND (dead_since IS NULL OR dead_since > ?2)
               AND (state <> 0 OR created_at <= ?3 OR created_at > ?2)",
            &[(*segment).into(), now.into(), old.into()],
        )?;
        // `live` alone would do; the chunks and parts are asked too, because a wrong answer here loses bytes.
        let changed = tx.execute(
            "UPDATE segments SET state = 2 WHERE id = ?1 AND (state = 2 OR (live = 0 AND dead_since <= ?2
               AND NOT EXISTS (SELECT 1 FROM chunks WHERE segment_id = ?1)
               AND NOT EXISTS (SELECT 1 FROM upload_parts WHERE segment_id = ?1)))",
            &[(*segment).into(), before.into()],
        )?;
        if changed > 0 {
            condemned.push(*segment);
        }
    }
    by_ids(tx, &condemned)
}

pub(crate) fn forget(tx: &mut Tx<'_>, segments: &[SegmentId]) -> Result<(), Error> {
    for segment in segments {
        let forgotten = tx.execute("DELETE FROM segments WHERE id = ?1 AND state = 2", &[(*segment).into()])?;
        if forgotten > 0 {
            tx.execute("DELETE FROM replicas WHERE segment_id = ?1", &[(*segment).into()])?;
        }
    }
    Ok(())
}

pub(crate) fn rehome(tx: &mut Tx<'_>, target: WrittenSegment, moves: &[(ChunkRecord, Place)]) -> Result<u32, Error> {
    let (mut moved, mut held, mut let_go, mut of) = (0, 0, BTreeMap::new(), BTreeSet::new());
    for (chunk, new) in moves {
        let changed = tx.execute(
            "UPDATE chunks SET segment_id = ?5, position = ?6, length = ?7
             WHERE content_id = ?1 AND chunk = ?2 AND segment_id = ?3 AND position = ?4",
            &[
                chunk.content.into(),
                chunk.place.chunk.into(),
                chunk.place.segment.into(),
                chunk.place.offset.into(),
                new.segment.into(),
                new.offset.into(),
                new.length.into(),
            ],
        )?;
        if changed > 0 {
            *let_go.entry(chunk.place.segment).or_default() += chunk.place.length;
            of.insert(chunk.content);
            held += new.length;
            moved += 1;
        }
    }
    for (segment, length) in let_go {
        contents::let_go(tx, segment, length)?;
    }
    if moved > 0 {
        contents::hold(tx, target, held)?;
    }
    for content in of {
        contents::moves_to(tx, content, target.segment)?;
    }
    Ok(moved)
}

fn number(after: Option<SegmentId>) -> i64 {
    after.map_or(0, SegmentId::number)
}

/// Runs a `select!`; puts the replicas of each segment together.
fn records(tx: &mut Tx<'_>, sql: &'static str, parameters: &[Value<'_>]) -> Result<Vec<SegmentRecord>, Error> {
    let mut found: Vec<SegmentRecord> = Vec::new();
    tx.query(sql, parameters, |row| {
        let segment = SegmentId::new(row.int(0)?);
        if found.last().is_none_or(|last| last.segment != segment) {
            found.push(read_segment(row)?);
        }
        if let Some(last) = found.last_mut() {
            last.replicas.extend(read_replica(row, 7)?);
        }
        Ok(())
    })?;
    Ok(found)
}

fn read_segment(row: &Row<'_>) -> Result<SegmentRecord, Error> {
    Ok(SegmentRecord {
        segment: SegmentId::new(row.int(0)?),
        policy: PolicyId::new(row.int(1)?),
        state: match row.int(2)? {
            0 => SegmentState::Reserved,
            1 => SegmentState::Live,
            2 => SegmentState::Condemned,
            _ => return Err(Error::damaged("a segment's state")),
        },
        size: row.size(3)?,
        live: row.size(4)?,
        created_at: Timestamp::from_millis(row.int(5)?),
        dead_since: row.int_or_null(6)?.map(Timestamp::from_millis),
        replicas: Vec::new(),
    })
}
