//! What a segment needs, purely: its policy as it is meant now, against its replicas as they are.

use crate::topology::Topology;
use crate::upkeep::safety::{INTENT_GRACE, REPACK_LIVE_SHARE_MAX};
use crate::{Replica, ReplicaState, SegmentRecord, SegmentState};
use entente_model::{BackendId, Timestamp};

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
    let policy = topology.policies.get(&record.policy).ok_or(LeftAlone::NoPolicy)?;
    let meant = topology.meant_by(policy);
    if meant.is_empty() {
        return Err(LeftAlone::NoPolicy);
    }
    let elsewhere = |replica: &Replica| topology.zone_of(replica.backend).is_some_and(|zone| zone != policy.zone);
    if record.replicas.iter().any(elsewhere) {
        return Err(LeftAlone::OtherZone);
    }
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

/// Whether so little of a segment is live that its chunks are better moved to a new one than copied with the dead ones.
pub(crate) fn is_mostly_dead(record: &SegmentRecord) -> bool {
    is_live_at_most(record, REPACK_LIVE_SHARE_MAX)
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
