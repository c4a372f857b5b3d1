//! The life of replicas, as `database::replicas` has it on SQL.

use super::{Named, State};
use entente_model::{BackendId, SegmentId, Timestamp};
use entente_vault::{Copy, Replica, ReplicaState, SegmentRecord, SegmentState};

impl State {
    pub(super) fn page(
        &self,
        after: Option<SegmentId>,
        limit: usize,
        wanted: impl Fn(&SegmentRecord) -> bool,
    ) -> Vec<SegmentRecord> {
        let from = SegmentId::new(after.map_or(0, SegmentId::number) + 1);
        self.segments.range(from..).map(|(_, record)| record).filter(|r| wanted(r)).take(limit).cloned().collect()
    }

    pub(super) fn intend(&mut self, copies: &[Copy], now: Timestamp) -> Vec<Copy> {
        let mut intended = Vec::new();
        for copy in copies {
            let Some(record) = self.segments.get_mut(&copy.segment) else { continue };
            if record.state != SegmentState::Live {
                continue;
            }
            let good_elsewhere = record.replicas.iter().any(|r| r.backend != copy.backend && r.is_good());
            let new = Replica { backend: copy.backend, name: copy.name, state: ReplicaState::Intended, since: now };
            match record.replicas.iter_mut().find(|replica| replica.backend == copy.backend) {
                Some(replica) if replica.is_good() => continue,
                Some(replica) if replica.state == ReplicaState::Damaged && !good_elsewhere => continue,
                Some(replica) => *replica = new,
                None => record.replicas.push(new),
            }
            record.replicas.sort_by_key(|replica| replica.backend);
            let named = Named { backend: copy.backend, policy: record.policy, is_copy: true };
            self.names.insert(copy.name, named);
            intended.push(*copy);
        }
        intended
    }

    pub(super) fn settle(&mut self, copies: &[Copy], now: Timestamp) -> u32 {
        let mut settled = 0;
        for copy in copies {
            settled += u32::from(self.turn(*copy, &[ReplicaState::Intended], (ReplicaState::Durable, now)));
        }
        settled
    }

    pub(super) fn doubt(&mut self, copy: Copy, now: Timestamp) {
        self.turn(copy, &[ReplicaState::Durable, ReplicaState::Leaving], (ReplicaState::Damaged, now));
    }

    pub(super) fn trust(&mut self, copies: &[Copy], now: Timestamp) -> u32 {
        let mut trusted = 0;
        for copy in copies {
            let from = [ReplicaState::Damaged, ReplicaState::Leaving];
            trusted += u32::from(self.turn(*copy, &from, (ReplicaState::Durable, now)));
        }
        trusted
    }

    pub(super) fn leave(
        &mut self,
        backend: BackendId,
        segments: &[SegmentId],
        others_min: u32,
        now: Timestamp,
    ) -> Vec<SegmentId> {
        let leaves = |segment: &&SegmentId| {
            let Some(record) = self.segments.get_mut(segment) else { return false };
            let others = durable_elsewhere(record, backend);
            if record.state != SegmentState::Live || others < others_min.max(1) as usize {
                return false;
            }
            let replica = record.replicas.iter_mut().find(|replica| replica.backend == backend);
            match replica.filter(|r| !matches!(r.state, ReplicaState::Leaving | ReplicaState::Condemned)) {
                Some(replica) => {
                    let was_durable = replica.state == ReplicaState::Durable;
                    replica.state = if was_durable { ReplicaState::Leaving } else { ReplicaState::Condemned };
                    replica.since = now;
                    true
                }
                None => false,
            }
        };
        segments.iter().filter(leaves).copied().collect()
    }

    pub(super) fn condemn_replicas(
        &mut self,
        backend: BackendId,
        after: Option<SegmentId>,
        (before, limit): (Timestamp, usize),
    ) -> Vec<Copy> {
        let mut condemned = Vec::new();
        let from = SegmentId::new(after.map_or(0, SegmentId::number) + 1);
        for (_, record) in self.segments.range_mut(from..) {
            let others = durable_elsewhere(record, backend);
            let Some(replica) = record.replicas.iter_mut().find(|replica| replica.backend == backend) else { continue };
            let is_let_go = matches!(replica.state, ReplicaState::Leaving | ReplicaState::Condemned);
            if is_let_go && replica.since <= before && others > 0 {
                replica.state = ReplicaState::Condemned;
                condemned.push(Copy { segment: record.segment, backend, name: replica.name });
            }
            if condemned.len() == limit {
                break;
            }
        }
        condemned
    }

    pub(super) fn forget_replicas(&mut self, copies: &[Copy]) {
        for copy in copies {
            if let Some(record) = self.segments.get_mut(&copy.segment) {
                let gone = |r: &Replica| {
                    r.backend == copy.backend && r.name == copy.name && r.state == ReplicaState::Condemned
                };
                record.replicas.retain(|replica| !gone(replica));
            }
        }
    }

    fn turn(&mut self, copy: Copy, from: &[ReplicaState], (to, now): (ReplicaState, Timestamp)) -> bool {
        let Some(record) = self.segments.get_mut(&copy.segment) else { return false };
        let named = |r: &&mut Replica| r.backend == copy.backend && r.name == copy.name && from.contains(&r.state);
        match record.replicas.iter_mut().find(named) {
            Some(replica) => {
                (replica.state, replica.since) = (to, now);
                true
            }
            None => false,
        }
    }
}

fn durable_elsewhere(record: &SegmentRecord, backend: BackendId) -> usize {
    record.replicas.iter().filter(|r| r.backend != backend && r.state == ReplicaState::Durable).count()
}
