//! A ledger in memory with what writing and reading need, for tests in simulated time: a database has threads of its own,
//! for which a paused clock does not wait.

use async_trait::async_trait;
use entente_model::{
    BackendId, ContentId, EnterpriseId, EpochId, Manifest, Place, PolicyId, SegmentId, Timestamp, ZoneId,
};
use entente_vault::{
    ChunkRecord, Copy, EpochRecord, Error, Ledger, Located, ObjectName, Replica, ReplicaState, SegmentRecord, Stretch,
    Written, WrittenSegment,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Clone, Default)]
pub struct MemoryLedger {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    segments: BTreeMap<SegmentId, (PolicyId, Vec<Replica>)>,
    contents: BTreeMap<ContentId, Manifest>,
    epochs: Vec<EpochRecord>,
    doubts: Vec<Copy>,
}

impl MemoryLedger {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What a commit does: the segments' replicas where they were written become durable.
    pub fn commit(&self, written: &Written) {
        let mut state = self.state();
        for segment in &written.segments {
            let (_, replicas) = state.segments.get_mut(&segment.segment).unwrap();
            for holder in segment.holders.iter() {
                replicas.iter_mut().find(|replica| replica.backend == holder).unwrap().state = ReplicaState::Durable;
            }
        }
        state.contents.insert(written.manifest.content, written.manifest.clone());
    }

    /// Adds a replica, or puts another in its place.
    pub fn replace(&self, segment: SegmentId, replica: Replica) {
        let mut state = self.state();
        let (_, replicas) = state.segments.get_mut(&segment).unwrap();
        replicas.retain(|other| other.backend != replica.backend);
        replicas.push(replica);
        replicas.sort_by_key(|replica| replica.backend);
    }

    pub fn forget_replica(&self, segment: SegmentId, backend: BackendId) {
        self.state().segments.get_mut(&segment).unwrap().1.retain(|replica| replica.backend != backend);
    }

    pub fn replicas(&self, segment: SegmentId) -> Vec<Replica> {
        self.state().segments[&segment].1.clone()
    }

    /// For whose segment an object of a backend was meant.
    pub fn meant_for(&self, backend: BackendId, name: ObjectName) -> Option<PolicyId> {
        let state = self.state();
        let is_it = |replica: &Replica| replica.backend == backend && replica.name == name;
        state.segments.values().find(|(_, replicas)| replicas.iter().any(is_it)).map(|(policy, _)| *policy)
    }

    /// Every doubt that it was told of, in order.
    pub fn doubts(&self) -> Vec<Copy> {
        self.state().doubts.clone()
    }
}

/// These tests are about writing and reading.
fn not_here<T>() -> Result<T, Error> {
    Err(Error::Internal("the ledger of these tests does not do this"))
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn reserve(
        &self,
        policy: PolicyId,
        intents: &[Vec<(BackendId, ObjectName)>],
        now: Timestamp,
    ) -> Result<Vec<SegmentId>, Error> {
        let mut state = self.state();
        let mut ids = Vec::new();
        for intent in intents {
            let id = SegmentId::new(i64::try_from(state.segments.len()).unwrap() + 1);
            let intended = |(backend, name): &(BackendId, ObjectName)| Replica {
                backend: *backend,
                name: *name,
                state: ReplicaState::Intended,
                since: now,
            };
            let mut replicas: Vec<_> = intent.iter().map(intended).collect();
            replicas.sort_by_key(|replica| replica.backend);
            state.segments.insert(id, (policy, replicas));
            ids.push(id);
        }
        Ok(ids)
    }

    async fn places(&self, content: ContentId, from: u32, limit: u32) -> Result<Vec<Located>, Error> {
        let state = self.state();
        let Some(manifest) = state.contents.get(&content) else { return Ok(Vec::new()) };
        let places = manifest.places.iter().filter(|place| place.chunk >= from).take(limit as usize);
        Ok(places.map(|place| Located { place: *place, replicas: state.segments[&place.segment].1.clone() }).collect())
    }

    async fn doubt(&self, copy: Copy, _now: Timestamp) -> Result<(), Error> {
        let mut state = self.state();
        state.doubts.push(copy);
        let (_, replicas) = state.segments.get_mut(&copy.segment).unwrap();
        for replica in
            replicas.iter_mut().filter(|replica| replica.backend == copy.backend && replica.name == copy.name)
        {
            replica.state = ReplicaState::Damaged;
        }
        Ok(())
    }

    async fn content(&self, content: ContentId) -> Result<Option<Manifest>, Error> {
        Ok(self.state().contents.get(&content).cloned())
    }

    async fn newest_epoch(&self, enterprise: EnterpriseId, zone: ZoneId) -> Result<Option<EpochRecord>, Error> {
        let state = self.state();
        let of = |record: &&EpochRecord| record.context.enterprise == enterprise && record.context.zone == zone;
        Ok(state.epochs.iter().rev().find(of).cloned())
    }

    async fn epoch(&self, epoch: EpochId) -> Result<Option<EpochRecord>, Error> {
        Ok(self.state().epochs.iter().find(|record| record.context.epoch == epoch).cloned())
    }

    async fn add_epoch(&self, record: EpochRecord) -> Result<(), Error> {
        self.state().epochs.push(record);
        Ok(())
    }

    async fn segments_after(&self, _: Option<SegmentId>, _: u32) -> Result<Vec<SegmentRecord>, Error> {
        not_here()
    }

    async fn segments(&self, _: &[SegmentId]) -> Result<Vec<SegmentRecord>, Error> {
        not_here()
    }

    async fn unsettled(&self, _: Option<SegmentId>, _: u32) -> Result<Vec<SegmentRecord>, Error> {
        not_here()
    }

    async fn segments_of(&self, _: PolicyId, _: Option<SegmentId>, _: u32) -> Result<Vec<SegmentRecord>, Error> {
        not_here()
    }

    async fn segments_on(&self, _: BackendId, _: Option<ObjectName>, _: u32) -> Result<Vec<SegmentRecord>, Error> {
        not_here()
    }

    async fn known(&self, _: BackendId, _: &[ObjectName]) -> Result<Vec<ObjectName>, Error> {
        not_here()
    }

    async fn note_orphans(
        &self,
        _: BackendId,
        _: Stretch,
        _: &[ObjectName],
        _: Timestamp,
    ) -> Result<Vec<(ObjectName, Timestamp)>, Error> {
        not_here()
    }

    async fn chunks_in(&self, _: SegmentId, _: u64, _: u32) -> Result<Vec<ChunkRecord>, Error> {
        not_here()
    }

    async fn chunks_of(&self, _: &[SegmentId]) -> Result<Vec<ChunkRecord>, Error> {
        not_here()
    }

    async fn contents_after(&self, _: Option<ContentId>, _: u32) -> Result<Vec<Manifest>, Error> {
        not_here()
    }

    async fn condemn(&self, _: &[SegmentId], _: Timestamp, _: Timestamp) -> Result<Vec<SegmentRecord>, Error> {
        not_here()
    }

    async fn forget(&self, _: &[SegmentId]) -> Result<(), Error> {
        not_here()
    }

    async fn intend(&self, _: &[Copy], _: Timestamp) -> Result<Vec<Copy>, Error> {
        not_here()
    }

    async fn settle(&self, _: &[Copy], _: Timestamp) -> Result<u32, Error> {
        not_here()
    }

    async fn trust(&self, _: &[Copy], _: Timestamp) -> Result<u32, Error> {
        not_here()
    }

    async fn leave(&self, _: BackendId, _: &[SegmentId], _: u32, _: Timestamp) -> Result<Vec<SegmentId>, Error> {
        not_here()
    }

    async fn condemn_replicas(
        &self,
        _: BackendId,
        _: Option<SegmentId>,
        _: Timestamp,
        _: u32,
    ) -> Result<Vec<Copy>, Error> {
        not_here()
    }

    async fn forget_replicas(&self, _: &[Copy]) -> Result<(), Error> {
        not_here()
    }

    async fn rehome(&self, _: WrittenSegment, _: &[(ChunkRecord, Place)]) -> Result<u32, Error> {
        not_here()
    }

    async fn move_content(&self, _: &Manifest, _: &Manifest) -> Result<bool, Error> {
        not_here()
    }
}
