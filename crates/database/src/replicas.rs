//! Replicas: the copies of segments, each under a name of its own on its backend. See `vault::ReplicaState` for their life.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{BackendId, SegmentId, Timestamp};
use entente_vault::{Copy, ObjectName, Replica, ReplicaState};

pub(crate) fn known(tx: &mut Tx<'_>, backend: BackendId, names: &[ObjectName]) -> Result<Vec<ObjectName>, Error> {
    let mut found = Vec::new();
    for name in names {
        let there = tx.query_one(
            "SELECT 1 FROM replicas WHERE backend_id = ?1 AND name = ?2",
            &[backend.into(), name.as_bytes().as_slice().into()],
            |_| Ok(*name),
        )?;
        found.extend(there);
    }
    Ok(found)
}

pub(crate) fn intend(tx: &mut Tx<'_>, copies: &[Copy], now: Timestamp) -> Result<Vec<Copy>, Error> {
    let mut intended = Vec::new();
    for copy in copies {
        let changed = tx.execute(
            "INSERT INTO replicas (segment_id, backend_id, name, state, since)
             SELECT id, ?2, ?3, 0, ?4 FROM segments WHERE id = ?1 AND state = 1
             ON CONFLICT (segment_id, backend_id) DO UPDATE SET name = excluded.name, state = 0, since = excluded.since
               WHERE replicas.state IN (0, 4) OR (replicas.state = 2 AND EXISTS (SELECT 1 FROM replicas o
                 WHERE o.segment_id = ?1 AND o.backend_id <> ?2 AND o.state IN (1, 3)))",
            &[copy.segment.into(), copy.backend.into(), copy.name.as_bytes().as_slice().into(), now.into()],
        )?;
        if changed > 0 {
            intended.push(*copy);
        }
    }
    Ok(intended)
}

pub(crate) fn settle(tx: &mut Tx<'_>, copies: &[Copy], now: Timestamp) -> Result<u32, Error> {
    let mut settled = 0;
    for copy in copies {
        let changed = tx.execute(
            "UPDATE replicas SET state = 1, since = ?4
             WHERE segment_id = ?1 AND backend_id = ?2 AND name = ?3 AND state = 0",
            &[copy.segment.into(), copy.backend.into(), copy.name.as_bytes().as_slice().into(), now.into()],
        )?;
        settled += u32::from(changed > 0);
    }
    Ok(settled)
}

/// Notes where a segment that becomes live is durable. The time of its intent stays.
pub(crate) fn settle_first(tx: &mut Tx<'_>, segment: SegmentId, backend: BackendId) -> Result<(), Error> {
    tx.execute(
        "UPDATE replicas SET state = 1 WHERE segment_id = ?1 AND backend_id = ?2 AND state = 0",
        &[segment.into(), backend.into()],
    )?;
    Ok(())
}

/// Leaves to upkeep, at once, the replicas that a segment lacks when it becomes live: whoever wrote it has done with it.
pub(crate) fn hand_over(tx: &mut Tx<'_>, segment: SegmentId) -> Result<(), Error> {
    tx.execute("UPDATE replicas SET since = 0 WHERE segment_id = ?1 AND state = 0", &[segment.into()])?;
    Ok(())
}

/// Whether each replica of a segment that is durable is on a backend that was removed, if there are any.
pub(crate) fn is_out_of_reach(tx: &mut Tx<'_>, segment: SegmentId) -> Result<bool, Error> {
    let reach = tx.query_one(
        "SELECT count(*), coalesce(sum(CASE WHEN b.state = 1 THEN 1 ELSE 0 END), 0)
         FROM replicas r LEFT JOIN backends b ON b.id = r.backend_id WHERE r.segment_id = ?1 AND r.state = 1",
        &[segment.into()],
        |row| Ok((row.int(0)?, row.int(1)?)),
    )?;
    Ok(reach.is_some_and(|(durable, removed)| durable > 0 && durable == removed))
}

pub(crate) fn doubt(tx: &mut Tx<'_>, copy: Copy, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE replicas SET state = 2, since = ?4
         WHERE segment_id = ?1 AND backend_id = ?2 AND name = ?3 AND state IN (1, 3)",
        &[copy.segment.into(), copy.backend.into(), copy.name.as_bytes().as_slice().into(), now.into()],
    )?;
    Ok(())
}

pub(crate) fn trust(tx: &mut Tx<'_>, copies: &[Copy], now: Timestamp) -> Result<u32, Error> {
    let mut trusted = 0;
    for copy in copies {
        let changed = tx.execute(
            "UPDATE replicas SET state = 1, since = ?4
             WHERE segment_id = ?1 AND backend_id = ?2 AND name = ?3 AND state IN (2, 3)",
            &[copy.segment.into(), copy.backend.into(), copy.name.as_bytes().as_slice().into(), now.into()],
        )?;
        trusted += u32::from(changed > 0);
    }
    Ok(trusted)
}

/// What is on a backend that was removed does not count as elsewhere: nobody goes there any more.
pub(crate) fn leave(
    tx: &mut Tx<'_>,
    backend: BackendId,
    segments: &[SegmentId],
    others_min: u32,
    now: Timestamp,
) -> Result<Vec<SegmentId>, Error> {
    let mut leaving = Vec::new();
    for segment in segments {
        let changed = tx.execute(
            "UPDATE replicas SET state = CASE WHEN state = 1 THEN 3 ELSE 4 END, since = ?3
             WHERE segment_id = ?1 AND backend_id = ?2 AND state IN (0, 1, 2)
               AND (SELECT count(*) FROM replicas o
                    WHERE o.segment_id = ?1 AND o.backend_id <> ?2 AND o.state = 1
                      AND NOT EXISTS (SELECT 1 FROM backends b WHERE b.id = o.backend_id AND b.state = 1)) >= ?4
               AND EXISTS (SELECT 1 FROM segments WHERE id = ?1 AND state = 1)",
            &[(*segment).into(), backend.into(), now.into(), others_min.max(1).into()],
        )?;
        if changed > 0 {
            leaving.push(*segment);
        }
    }
    Ok(leaving)
}

pub(crate) fn condemn(
    tx: &mut Tx<'_>,
    backend: BackendId,
    after: Option<SegmentId>,
    (before, limit): (Timestamp, u32),
) -> Result<Vec<Copy>, Error> {
    // Those that stay are left out here, so that a page of them does not look like the end.
    let candidates = tx.query(
        "SELECT r.segment_id, r.name FROM replicas r
         WHERE r.state <> 1 AND r.state IN (3, 4) AND r.backend_id = ?1 AND r.since <= ?2 AND r.segment_id > ?4
           AND EXISTS (SELECT 1 FROM replicas o
               WHERE o.segment_id = r.segment_id AND o.backend_id <> ?1 AND o.state = 1
                 AND NOT EXISTS (SELECT 1 FROM backends b WHERE b.id = o.backend_id AND b.state = 1))
         ORDER BY r.segment_id LIMIT ?3",
        &[backend.into(), before.into(), limit.into(), after.map_or(0, SegmentId::number).into()],
        |row| Ok(Copy { segment: SegmentId::new(row.int(0)?), backend, name: ObjectName::new(row.array(1)?) }),
    )?;
    let mut condemned = Vec::with_capacity(candidates.len());
    for copy in candidates {
        let changed = tx.execute(
            "UPDATE replicas SET state = 4 WHERE segment_id = ?1 AND backend_id = ?2 AND name = ?3 AND state IN (3, 4)
               AND EXISTS (SELECT 1 FROM replicas o
                    WHERE o.segment_id = ?1 AND o.backend_id <> ?2 AND o.state = 1
                      AND NOT EXISTS (SELECT 1 FROM backends b WHERE b.id = o.backend_id AND b.state = 1))",
            &[copy.segment.into(), backend.into(), copy.name.as_bytes().as_slice().into()],
        )?;
        if changed > 0 {
            condemned.push(copy);
        }
    }
    Ok(condemned)
}

pub(crate) fn forget(tx: &mut Tx<'_>, copies: &[Copy]) -> Result<(), Error> {
    for copy in copies {
        tx.execute(
            "DELETE FROM replicas WHERE segment_id = ?1 AND backend_id = ?2 AND name = ?3 AND state = 4",
            &[copy.segment.into(), copy.backend.into(), copy.name.as_bytes().as_slice().into()],
        )?;
    }
    Ok(())
}

/// Reads backend, name, state and since, from a column on; `None` where there is none.
pub(crate) fn read_replica(row: &Row<'_>, from: usize) -> Result<Option<Replica>, Error> {
    let Some(backend) = row.int_or_null(from)? else { return Ok(None) };
    Ok(Some(Replica {
        backend: BackendId::new(backend),
        name: ObjectName::new(row.array(from + 1)?),
        state: match row.int(from + 2)? {
            0 => ReplicaState::Intended,
            1 => ReplicaState::Durable,
            2 => ReplicaState::Damaged,
            3 => ReplicaState::Leaving,
            4 => ReplicaState::Condemned,
            _ => return Err(Error::damaged("a replica's state")),
        },
        since: Timestamp::from_millis(row.int(from + 3)?),
    }))
}
