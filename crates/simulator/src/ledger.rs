//! The ledger in memory: each method is one transaction, with a step before and a step after it, and now and then a
//! failure before it, or after it, when nobody knows whether it was done. What it must do is what `database::ledger` and
//! `database::contents` do on SQL.

mod orphans;
mod owner;
mod replicas;

use crate::steps::Steps;
use async_trait::async_trait;
use entente_clouds::ObjectName;
use entente_model::{
    BackendId, ContentId, EnterpriseId, EpochId, Manifest, Place, PolicyId, SegmentId, Timestamp, ZoneId,
};
use entente_vault::upkeep::safety::UNUSED_AGE_MIN;
use entente_vault::{
    ChunkRecord, Copy, EpochRecord, Error, Ledger, Located, Replica, ReplicaState, SegmentRecord, SegmentState,
    Stretch, WrittenSegment,
};
use entente_world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// No call may ask for, or about, more rows than this.
const ROWS_MAX: usize = 1000;

/// What a failure of the ledger says.
pub(crate) const SIMULATED: &str = "simulated";

/// What survives a crash.
#[derive(Default)]
pub(crate) struct State {
    segments: BTreeMap<SegmentId, SegmentRecord>,
    contents: BTreeMap<ContentId, (Manifest, u32)>,
    chunks: BTreeMap<(ContentId, u32), Place>,
    /// Parts of contents that are still arriving.
    parts: BTreeMap<(ContentId, u32), Place>,
    /// Contents of which some chunk may be in a segment of another policy than theirs.
    moving: BTreeSet<ContentId>,
    /// Objects that are known to be unknown, and since when.
    orphans: BTreeMap<(BackendId, ObjectName), Timestamp>,
    epochs: BTreeMap<EpochId, EpochRecord>,
    /// Every name that there ever was: where, for a segment of which policy, and whether upkeep made it for a copy.
    names: BTreeMap<ObjectName, Named>,
}

/// What a name was given to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub backend: BackendId,
    pub policy: PolicyId,
    pub is_copy: bool,
}

#[derive(Clone)]
pub(crate) struct SimulatedLedger {
    state: Arc<Mutex<State>>,
    steps: Steps,
    world: World,
    /// It fails once in so many times; 0 is never.
    errors: u32,
}

impl SimulatedLedger {
    pub(crate) fn new(state: Arc<Mutex<State>>, steps: Steps, world: World, errors: u32) -> Self {
        Self { state, steps, world, errors }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn transact<T>(
        &self,
        name: &'static str,
        run: impl FnOnce(&mut State) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.steps.step(name).await;
        self.fail_now_and_then()?;
        let done = run(&mut self.state());
        self.steps.step(name).await;
        self.fail_now_and_then()?;
        done
    }

    fn fail_now_and_then(&self) -> Result<(), Error> {
        if self.steps.one_in(self.errors) { Err(Error::ledger(SIMULATED)) } else { Ok(()) }
    }
}

impl State {
    pub(crate) fn segments(&self) -> impl Iterator<Item = &SegmentRecord> {
        self.segments.values()
    }

    pub(crate) fn contents(&self) -> impl Iterator<Item = ContentId> {
        self.contents.keys().copied()
    }

    pub(crate) fn named(&self, name: ObjectName) -> Option<Named> {
        self.names.get(&name).copied()
    }

    /// The first chunk in a segment.
    pub(crate) fn first_place_in(&self, segment: SegmentId) -> Option<Place> {
        self.chunks.values().find(|place| place.segment == segment).copied()
    }

    pub(crate) fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.contents.values().map(|(manifest, _)| manifest)
    }

    pub(crate) fn is_moving(&self, content: ContentId) -> bool {
        self.moving.contains(&content)
    }

    /// The segments that hold a content's chunks.
    pub(crate) fn segments_of_content(&self, content: ContentId) -> impl Iterator<Item = &SegmentRecord> {
        let places = self.chunks.range((content, 0)..=(content, u32::MAX)).map(|(_, place)| place.segment);
        places.filter_map(|segment| self.segments.get(&segment))
    }

    /// The greatest id in use: whoever starts makes none that is smaller, whatever the clock says.
    pub(crate) fn greatest_id(&self) -> i64 {
        let parts = self.parts.keys().map(|(content, _)| content.number()).max();
        let segment = self.segments.keys().map(|segment| segment.number()).max();
        let content = self.contents.keys().map(|content| content.number()).max();
        let epoch = self.epochs.keys().map(|epoch| epoch.number()).max();
        [parts, segment, content, epoch].into_iter().flatten().max().unwrap_or(0)
    }

    /// Parts that a crash left behind: the jobs of whoever owns upload sessions abort those that expire.
    pub(crate) fn unfinished(&self) -> Vec<ContentId> {
        let mut contents: Vec<_> = self.parts.keys().map(|(content, _)| *content).collect();
        contents.dedup();
        contents
    }

    /// As a primary key does.
    fn has_no(&self, content: ContentId) -> Result<(), Error> {
        if self.contents.contains_key(&content) { Err(Error::ledger("there is such a content")) } else { Ok(()) }
    }

    fn can_hold(&self, segment: SegmentId) -> Result<(), Error> {
        match self.segments.get(&segment) {
            Some(record) if record.state != SegmentState::Condemned => Ok(()),
            _ => Err(Error::Condemned(segment)),
        }
    }

    fn hold(&mut self, place: &Place, written: &[WrittenSegment]) -> Result<(), Error> {
        let record = self.segments.get_mut(&place.segment).ok_or(Error::Condemned(place.segment))?;
        let written = written.iter().find(|segment| segment.segment == place.segment);
        let written = written.ok_or(Error::Internal("a place without its segment"))?;
        if record.state == SegmentState::Reserved {
            for replica in record.replicas.iter_mut().filter(|r| r.state == ReplicaState::Intended) {
                if written.holders.iter().any(|holder| holder == replica.backend) {
                    replica.state = ReplicaState::Durable;
                } else {
                    replica.since = Timestamp::from_millis(0);
                }
            }
            record.size = written.size;
        }
        record.state = SegmentState::Live;
        record.live += place.length;
        record.dead_since = None;
        Ok(())
    }

    fn let_go(&mut self, place: &Place) {
        if let Some(record) = self.segments.get_mut(&place.segment) {
            record.live -= place.length;
        }
    }

    fn places_of(&self, content: ContentId, places: &BTreeMap<(ContentId, u32), Place>) -> Vec<Place> {
        places.range((content, 0)..=(content, u32::MAX)).map(|(_, place)| *place).collect()
    }

    fn drop_places(&mut self, content: ContentId, of: impl Fn(&mut Self) -> &mut BTreeMap<(ContentId, u32), Place>) {
        let gone: Vec<_> = of(self).range((content, 0)..=(content, u32::MAX)).map(|(_, place)| *place).collect();
        for place in gone {
            of(self).remove(&(content, place.chunk));
            self.let_go(&place);
        }
    }
}

#[async_trait]
impl Ledger for SimulatedLedger {
    async fn reserve(
        &self,
        policy: PolicyId,
        intents: &[Vec<(BackendId, ObjectName)>],
        now: Timestamp,
    ) -> Result<Vec<SegmentId>, Error> {
        let ids: Vec<_> = intents.iter().map(|_| SegmentId::new(self.world.next_id())).collect();
        self.transact("reserve", |state| {
            if ids.iter().any(|segment| state.segments.contains_key(segment)) {
                return Err(Error::ledger("there is such a segment"));
            }
            for (segment, intent) in ids.iter().zip(intents) {
                let replica = |(backend, name): &(BackendId, ObjectName)| Replica {
                    backend: *backend,
                    name: *name,
                    state: ReplicaState::Intended,
                    since: now,
                };
                for (backend, name) in intent {
                    state.names.insert(*name, Named { backend: *backend, policy, is_copy: false });
                }
                let mut replicas: Vec<_> = intent.iter().map(replica).collect();
                replicas.sort_by_key(|replica| replica.backend);
                let record = SegmentRecord {
                    segment: *segment,
                    policy,
                    replicas,
                    state: SegmentState::Reserved,
                    size: 0,
                    live: 0,
                    created_at: now,
                    dead_since: None,
                };
                state.segments.insert(*segment, record);
            }
            Ok(())
        })
        .await?;
        Ok(ids)
    }

    async fn places(&self, content: ContentId, from: u32, limit: u32) -> Result<Vec<Located>, Error> {
        let limit = bounded(limit as usize)?;
        self.transact("places", |state| {
            let places = state.chunks.range((content, from)..=(content, u32::MAX)).take(limit);
            let located = places.filter_map(|(_, place)| {
                let record = state.segments.get(&place.segment)?;
                Some(Located { place: *place, replicas: record.replicas.clone() })
            });
            Ok(located.collect())
        })
        .await
    }

    async fn segments_after(&self, after: Option<SegmentId>, limit: u32) -> Result<Vec<SegmentRecord>, Error> {
        let limit = bounded(limit as usize)?;
        let from = after.map_or(0, SegmentId::number) + 1;
        let page = |state: &mut State| {
            Ok(state.segments.range(SegmentId::new(from)..).take(limit).map(|(_, r)| r.clone()).collect())
        };
        self.transact("segments after", page).await
    }

    async fn segments(&self, segments: &[SegmentId]) -> Result<Vec<SegmentRecord>, Error> {
        bounded(segments.len())?;
        let find = |state: &mut State| Ok(segments.iter().filter_map(|id| state.segments.get(id).cloned()).collect());
        self.transact("segments", find).await
    }

    async fn unsettled(&self, after: Option<SegmentId>, limit: u32) -> Result<Vec<SegmentRecord>, Error> {
        let limit = bounded(limit as usize)?;
        let is_unsettled = |record: &SegmentRecord| {
            let waits = |r: &Replica| matches!(r.state, ReplicaState::Intended | ReplicaState::Damaged);
            record.state == SegmentState::Live && record.replicas.iter().any(waits)
        };
        self.transact("unsettled", |state| Ok(state.page(after, limit, is_unsettled))).await
    }

    async fn segments_of(
        &self,
        policy: PolicyId,
        after: Option<SegmentId>,
        limit: u32,
    ) -> Result<Vec<SegmentRecord>, Error> {
        let limit = bounded(limit as usize)?;
        self.transact("segments of", |state| Ok(state.page(after, limit, |record| record.policy == policy))).await
    }

    async fn segments_on(
        &self,
        backend: BackendId,
        after: Option<ObjectName>,
        limit: u32,
    ) -> Result<Vec<SegmentRecord>, Error> {
        let limit = bounded(limit as usize)?;
        self.transact("segments on", |state| {
            let named = state.segments.values().filter_map(|record| Some((record.on(backend)?.name, record)));
            let mut found: Vec<_> = named.filter(|(name, _)| after.is_none_or(|after| *name > after)).collect();
            found.sort_by_key(|(name, _)| *name);
            Ok(found.into_iter().take(limit).map(|(_, record)| record.clone()).collect())
        })
        .await
    }

    async fn known(&self, backend: BackendId, names: &[ObjectName]) -> Result<Vec<ObjectName>, Error> {
        bounded(names.len())?;
        self.transact("known", |state| {
            let there = state.segments.values().filter_map(|record| record.on(backend)).map(|replica| replica.name);
            Ok(there.filter(|name| names.contains(name)).collect())
        })
        .await
    }

    async fn note_orphans(
        &self,
        backend: BackendId,
        stretch: Stretch,
        names: &[ObjectName],
        now: Timestamp,
    ) -> Result<Vec<(ObjectName, Timestamp)>, Error> {
        bounded(names.len())?;
        self.transact("note orphans", |state| Ok(state.note_orphans(backend, stretch, names, now))).await
    }

    async fn chunks_in(&self, segment: SegmentId, offset: u64, limit: u32) -> Result<Vec<ChunkRecord>, Error> {
        let limit = bounded(limit as usize)?;
        self.transact("chunks in", |state| {
            let all = state.chunks.iter().chain(&state.parts);
            let within = all.filter(|(_, place)| place.segment == segment && place.offset >= offset);
            let mut found: Vec<_> =
                within.map(|((content, _), place)| ChunkRecord { content: *content, place: *place }).collect();
            found.sort_by_key(|chunk| chunk.place.offset);
            found.truncate(limit);
            Ok(found)
        })
        .await
    }

    async fn chunks_of(&self, segments: &[SegmentId]) -> Result<Vec<ChunkRecord>, Error> {
        bounded(segments.len())?;
        self.transact("chunks of", |state| {
            let all = state.chunks.iter().chain(&state.parts);
            let within = all.filter(|(_, place)| segments.contains(&place.segment));
            let mut found: Vec<_> =
                within.map(|((content, _), place)| ChunkRecord { content: *content, place: *place }).collect();
            found.sort_by_key(|chunk| (chunk.place.segment, chunk.place.offset));
            Ok(found)
        })
        .await
    }

    async fn contents_after(&self, after: Option<ContentId>, limit: u32) -> Result<Vec<Manifest>, Error> {
        let limit = bounded(limit as usize)?;
        let from = ContentId::new(after.map_or(0, ContentId::number) + 1);
        let page =
            |state: &mut State| Ok(state.contents.range(from..).take(limit).map(|(_, (m, _))| m.clone()).collect());
        self.transact("contents after", page).await
    }

    async fn content(&self, content: ContentId) -> Result<Option<Manifest>, Error> {
        self.transact("content", |state| Ok(state.contents.get(&content).map(|(manifest, _)| manifest.clone()))).await
    }

    async fn condemn(
        &self,
        segments: &[SegmentId],
        now: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<SegmentRecord>, Error> {
        bounded(segments.len())?;
        self.transact("condemn", |state| {
            let mut condemned = Vec::new();
            for segment in segments {
                let Some(record) = state.segments.get_mut(segment) else { continue };
                let old = before.max(now.before(UNUSED_AGE_MIN));
                let is_young = record.created_at > old && record.created_at <= now;
                if record.live == 0 && !(record.state == SegmentState::Reserved && is_young) {
                    record.dead_since = Some(record.dead_since.map_or(now, |since| since.min(now)));
                }
                let unused = record.live == 0 && record.dead_since.is_some_and(|since| since <= before);
                if record.state == SegmentState::Condemned || unused {
                    record.state = SegmentState::Condemned;
                    condemned.push(record.clone());
                }
            }
            Ok(condemned)
        })
        .await
    }

    async fn forget(&self, segments: &[SegmentId]) -> Result<(), Error> {
        bounded(segments.len())?;
        self.transact("forget", |state| {
            state.segments.retain(|id, record| !(segments.contains(id) && record.state == SegmentState::Condemned));
            Ok(())
        })
        .await
    }

    async fn intend(&self, copies: &[Copy], now: Timestamp) -> Result<Vec<Copy>, Error> {
        bounded(copies.len())?;
        self.transact("intend", |state| Ok(state.intend(copies, now))).await
    }

    async fn settle(&self, copies: &[Copy], now: Timestamp) -> Result<u32, Error> {
        bounded(copies.len())?;
        self.transact("settle", |state| Ok(state.settle(copies, now))).await
    }

    async fn doubt(&self, copy: Copy, now: Timestamp) -> Result<(), Error> {
        self.transact("doubt", |state| {
            state.doubt(copy, now);
            Ok(())
        })
        .await
    }

    async fn trust(&self, copies: &[Copy], now: Timestamp) -> Result<u32, Error> {
        bounded(copies.len())?;
        self.transact("trust", |state| Ok(state.trust(copies, now))).await
    }

    async fn leave(
        &self,
        backend: BackendId,
        segments: &[SegmentId],
        others_min: u32,
        now: Timestamp,
    ) -> Result<Vec<SegmentId>, Error> {
        bounded(segments.len())?;
        self.transact("leave", |state| Ok(state.leave(backend, segments, others_min, now))).await
    }

    async fn condemn_replicas(
        &self,
        backend: BackendId,
        after: Option<SegmentId>,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Copy>, Error> {
        let limit = bounded(limit as usize)?;
        self.transact("condemn replicas", |state| Ok(state.condemn_replicas(backend, after, (before, limit)))).await
    }

    async fn forget_replicas(&self, copies: &[Copy]) -> Result<(), Error> {
        bounded(copies.len())?;
        self.transact("forget replicas", |state| {
            state.forget_replicas(copies);
            Ok(())
        })
        .await
    }

    async fn move_content(&self, old: &Manifest, new: &Manifest) -> Result<bool, Error> {
        self.transact("move content", |state| {
            let is_elsewhere = state.segments_of_content(old.content).any(|record| record.policy != new.policy);
            let Some((manifest, _)) = state.contents.get_mut(&old.content) else { return Ok(false) };
            if manifest.policy != old.policy || manifest.key != old.key || is_elsewhere {
                return Ok(false);
            }
            (manifest.policy, manifest.zone, manifest.key) = (new.policy, new.zone, new.key.clone());
            state.moving.remove(&old.content);
            Ok(true)
        })
        .await
    }

    async fn rehome(&self, target: WrittenSegment, moves: &[(ChunkRecord, Place)]) -> Result<u32, Error> {
        bounded(moves.len())?;
        self.transact("rehome", |state| {
            state.can_hold(target.segment)?;
            let mut moved = 0;
            for (chunk, new) in moves {
                let key = (chunk.content, chunk.place.chunk);
                if state.chunks.get(&key) == Some(&chunk.place) {
                    state.hold(new, &[target])?;
                    state.chunks.insert(key, *new);
                    state.let_go(&chunk.place);
                    state.moves_to(chunk.content, target.segment);
                    moved += 1;
                }
            }
            Ok(moved)
        })
        .await
    }

    async fn newest_epoch(&self, enterprise: EnterpriseId, zone: ZoneId) -> Result<Option<EpochRecord>, Error> {
        self.transact("newest epoch", |state| {
            let of = |record: &&EpochRecord| record.context.enterprise == enterprise && record.context.zone == zone;
            Ok(state.epochs.values().rev().find(of).cloned())
        })
        .await
    }

    async fn epoch(&self, epoch: EpochId) -> Result<Option<EpochRecord>, Error> {
        self.transact("epoch", |state| Ok(state.epochs.get(&epoch).cloned())).await
    }

    async fn add_epoch(&self, record: EpochRecord) -> Result<(), Error> {
        self.transact("add epoch", |state| {
            state.epochs.insert(record.context.epoch, record);
            Ok(())
        })
        .await
    }
}

fn bare(manifest: &Manifest) -> Manifest {
    Manifest { places: Vec::new(), ..manifest.clone() }
}

fn bounded(rows: usize) -> Result<usize, Error> {
    if rows > ROWS_MAX {
        return Err(Error::Internal("more rows than a ledger allows"));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_vault::Written;
    use entente_vault::conformance::{Owner, run};
    use std::pin::Pin;

    impl Owner for SimulatedLedger {
        fn commit<'a>(&'a self, written: &'a Written) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
            Box::pin(SimulatedLedger::commit(self, written))
        }

        fn release(&self, content: ContentId) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
            Box::pin(SimulatedLedger::release(self, content))
        }
    }

    #[tokio::test]
    async fn the_simulated_ledger_is_a_ledger() {
        let ledger = SimulatedLedger::new(Arc::default(), Steps::new(1, -1, 0, 0), World::real(), 0);
        run(&ledger, &ledger).await.unwrap();
    }
}
