//! What a segment needs, purely: its policy as it is meant now, against its replicas as they are.

use crate::pack::{SEGMENT_BYTES_MAX, SEGMENT_CHUNKS_MAX};
use crate::topology::{Policy, Topology};
use crate::upkeep::safety::{INTENT_GRACE, REPACK_LIVE_SHARE_MAX};
use crate::{ChunkRecord, Replica, ReplicaState, SegmentRecord, SegmentState};
use entente_model::{BackendId, Timestamp};
use std::time::Duration;

/// A sealed chunk of at most this length came packed with others: 256 KiB of plaintext, and what sealing adds.
const PACKED_BYTES_MAX: u64 = 257 * 1024;

/// What one segment needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// How many backends its policy means.
    pub wanted: u32,
    /// Where a copy is to be made.
    pub copies: Vec<BackendId>,
    /// Where the replica is wanted and leaving: it stays.
    pub stays: Vec<BackendId>,
    /// Where the replica is wanted and damaged, as far as is known: if it is good after all it stays, else it gets a copy.
    pub mends: Vec<BackendId>,
    /// Where the replica is not wanted, and may go since all that are wanted are durable.
    pub leaves: Vec<BackendId>,
    /// Where a copy may be on its way.
    pub awaited: Vec<BackendId>,
}

impl Needs {
    /// Whether each wanted replica is durable.
    pub(crate) fn is_complete(&self) -> bool {
        self.copies.is_empty() && self.stays.is_empty() && self.mends.is_empty() && self.awaited.is_empty()
    }
}

/// Why a segment is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftAlone {
    /// Its policy is not configured, or none of the backends that it means is in its zone.
    NoPolicy,
    /// It is, in part, in another zone than its policy's: only moving its contents may change that.
    OtherZone,
}

/// What a segment needs. Every backend in the answer where a copy is to be made is of the zone of its policy.
pub(crate) fn needs(topology: &Topology, record: &SegmentRecord, now: Timestamp) -> Result<Needs, LeftAlone> {
    let mut needs = Needs::default();
    if record.state != SegmentState::Live || record.live == 0 {
        return Ok(needs);
    }
    let policy = tending(topology, record)?;
    let meant = topology.meant_by(policy);
    needs.wanted = u32::try_from(meant.len()).unwrap_or(u32::MAX);
    for backend in &meant {
        match record.on(*backend) {
            Some(replica) => match replica.state {
                ReplicaState::Durable => {}
                ReplicaState::Leaving => needs.stays.push(*backend),
                ReplicaState::Damaged => needs.mends.push(*backend),
                ReplicaState::Intended if is_young(replica, now) => needs.awaited.push(*backend),
                ReplicaState::Intended | ReplicaState::Condemned => needs.copies.push(*backend),
            },
            None => needs.copies.push(*backend),
        }
    }
    if needs.is_complete() {
        let surplus = record.replicas.iter().filter(|replica| !meant.contains(&replica.backend));
        let may_go = surplus.filter(|replica| match replica.state {
            ReplicaState::Durable | ReplicaState::Damaged => true,
            ReplicaState::Intended => !is_young(replica, now),
            ReplicaState::Leaving | ReplicaState::Condemned => false,
        });
        needs.leaves = may_go.map(|replica| replica.backend).collect();
    }
    Ok(needs)
}

/// The policy of a segment, if it fits where the segment is: its chunks may go to nothing but backends of their zone.
pub(crate) fn tending<'t>(topology: &'t Topology, record: &SegmentRecord) -> Result<&'t Policy, LeftAlone> {
    let policy = topology.policies.get(&record.policy).ok_or(LeftAlone::NoPolicy)?;
    if topology.meant_by(policy).is_empty() {
        return Err(LeftAlone::NoPolicy);
    }
    let elsewhere = |replica: &Replica| topology.zone_of(replica.backend).is_some_and(|zone| zone != policy.zone);
    if record.replicas.iter().any(elsewhere) { Err(LeftAlone::OtherZone) } else { Ok(policy) }
}

/// Whether so little of a segment is live that its chunks are better moved to a new one than copied with the dead ones.
pub(crate) fn is_mostly_dead(record: &SegmentRecord) -> bool {
    is_live_at_most(record, REPACK_LIVE_SHARE_MAX)
}

/// Whether a segment is so small that several had better be one.
pub(crate) fn is_small(record: &SegmentRecord) -> bool {
    record.size <= SEGMENT_BYTES_MAX / 4
}

/// Whether a segment is moved into a new one with others when a backend is emptied. What has a replica to mend may turn out
/// to lack nothing.
pub(crate) fn is_merged(record: &SegmentRecord, needs: &Needs) -> bool {
    is_small(record) && needs.mends.is_empty() && !needs.copies.is_empty()
}

/// Whether chunks of one small segment had better share another with more of their kind: not when they would fill it by their
/// number, nor when one is so large that it has a segment of its own by right.
pub(crate) fn is_worth_merging(chunks: &[ChunkRecord]) -> bool {
    chunks.len() <= SEGMENT_CHUNKS_MAX / 4 && chunks.iter().all(|chunk| chunk.place.length <= PACKED_BYTES_MAX)
}

/// Whether others may be about to commit to a segment: whoever shared it was answered at about the same time.
pub(crate) fn is_fresh(record: &SegmentRecord, now: Timestamp, merge_after: Duration) -> bool {
    let is_fresh = |replica: &Replica| replica.since <= now && replica.since > now.before(merge_after);
    record.replicas.iter().any(|replica| replica.state == ReplicaState::Durable && is_fresh(replica))
}

/// Whether at most this share of a segment is live, and not all of it.
pub(crate) fn is_live_at_most(record: &SegmentRecord, share_max: f64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more precision than a float has")]
    let share = record.live as f64 / record.size.max(1) as f64;
    record.state == SegmentState::Live && record.live > 0 && record.live < record.size && share <= share_max
}

/// One intended just now, or at a moment that is yet to come because the clock was set back, which is as good as never.
fn is_young(replica: &Replica, now: Timestamp) -> bool {
    replica.since <= now && replica.since > now.before(INTENT_GRACE)
}

#[cfg(test)]
mod tests;
