//! A vault on a real database over two zones of three backends each, that can be made to fail, and whose clock can be set.

use crate::spot::Spot;
use bytes::Bytes;
use entente_custodians::local::LocalCustodian;
use entente_model::{BackendId, ContentId, EnterpriseId, PolicyId, UserId, ZoneId};
use entente_testkit::Scratch;
use entente_testkit::database::{Database, contents};
use entente_vault::topology::{Policy, Zone};
use entente_vault::upkeep::collect::Grace;
use entente_vault::upkeep::verify::{Depth, Verified};
use entente_vault::upkeep::{Converged, Pace, Scrubbed, Selection, Unwatched};
use entente_vault::{Ledger, Limits, Replica, ReplicaState, Scope, SegmentRecord, SegmentState, Topology, Vault};
use entente_world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub const ENTERPRISE: EnterpriseId = EnterpriseId::new(1);
pub const AT_ONCE: Grace = Grace { segments: Duration::ZERO, orphans: Duration::ZERO };
/// One copy, on the first backend of the first zone.
pub const ONCE: Scope = scope(1, 1);
/// Two copies, on the first and second backend of the first zone.
pub const TWICE: Scope = scope(1, 2);
/// Two copies, on the first and second backend of the second zone.
pub const ABROAD: Scope = scope(2, 3);

const fn scope(zone: i64, policy: i64) -> Scope {
    Scope { enterprise: ENTERPRISE, zone: ZoneId::new(zone), policy: PolicyId::new(policy) }
}

pub const fn backend(zone: i64, number: i64) -> BackendId {
    BackendId::new(zone * 10 + number)
}

pub struct Union {
    pub vault: Vault,
    pub database: Database,
    pub world: World,
    pub spots: BTreeMap<BackendId, Spot>,
    pub topology: Topology,
    _scratch: Scratch,
}

impl Union {
    pub fn new() -> Self {
        let scratch = Scratch::new();
        let start = World::real().now();
        let world = World::simulated(1, start);
        let database = scratch.open(&world);
        let (mut topology, mut spots) = (Topology::default(), BTreeMap::new());
        for zone in 1..3 {
            let custodian: Arc<LocalCustodian> = Arc::new(LocalCustodian::in_memory(world.clone()));
            let mut found = Zone { backends: BTreeMap::new(), custodian: custodian.clone() };
            for number in 1..4 {
                let (id, spot) = (backend(zone, number), Spot::new(&world));
                let ids = (ZoneId::new(zone), id, PolicyId::new(0));
                let alone = Topology::single(ids, Arc::new(spot.clone()), custodian.clone());
                found.backends.extend(alone.zones.into_values().flat_map(|zone| zone.backends));
                spots.insert(id, spot);
            }
            topology.zones.insert(ZoneId::new(zone), found);
        }
        for (scope, replicas) in [(ONCE, vec![]), (TWICE, vec![backend(1, 2)]), (ABROAD, vec![backend(2, 2)])] {
            let primary = backend(scope.zone.number(), 1);
            topology.policies.insert(scope.policy, Policy { replicas, ..Policy::single(scope.zone, primary) });
        }
        // What is written at once comes together, and nothing else does.
        let limits = Limits { gather: Duration::from_millis(5), ..Limits::default() };
        let vault = Vault::new(world.clone(), Arc::new(database.clone()), topology.clone(), limits);
        Self { vault, database, world, spots, topology, _scratch: scratch }
    }

    /// Another process, with nothing in memory.
    pub fn restarted(&self) -> Vault {
        // What is written at once comes together, and nothing else does.
        let limits = Limits { gather: Duration::from_millis(5), ..Limits::default() };
        Vault::new(self.world.clone(), Arc::new(self.database.clone()), self.topology.clone(), limits)
    }

    pub async fn keep(&self, scope: Scope, plain: &[u8]) -> ContentId {
        self.keep_for(UserId::new(1), scope, plain).await
    }

    pub async fn keep_for(&self, owner: UserId, scope: Scope, plain: &[u8]) -> ContentId {
        let pieces: Vec<_> = plain.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let written = self.vault.write(scope, u64::MAX, futures_util::stream::iter(pieces)).await.unwrap();
        let content = written.manifest.content;
        self.database.transact("commit", move |tx| contents::commit_for(tx, &written, owner)).await.unwrap();
        content
    }

    /// Writes some small contents, each in a segment of its own.
    pub async fn keep_some(&self, scope: Scope, count: u8) -> Vec<ContentId> {
        let mut kept = Vec::new();
        for number in 0..count {
            kept.push(self.keep(scope, &[number; 3000]).await);
        }
        kept
    }

    pub async fn release(&self, content: ContentId) {
        self.database.transact("release", move |tx| contents::release(tx, content)).await.unwrap();
    }

    pub async fn read(&self, content: ContentId) -> Vec<u8> {
        let manifest = self.database.content(content).await.unwrap().unwrap();
        let mut reading = self.vault.read(manifest, Vec::new(), 0..u64::MAX);
        let mut bytes = Vec::new();
        while let Some(piece) = reading.next().await.unwrap() {
            bytes.extend_from_slice(&piece);
        }
        bytes
    }

    /// Those contents, as `keep_some` wrote them.
    pub async fn check(&self, kept: &[ContentId]) {
        for (number, content) in (0..).zip(kept) {
            assert_eq!(self.read(*content).await, [number; 3000]);
        }
    }

    /// A process whose clock is a minute further: whoever intended something has had his time.
    pub fn later(&mut self) {
        let seed = self.world.next_id().unsigned_abs();
        self.world = World::simulated(seed, self.world.now().after(Duration::from_secs(61)));
        self.vault = self.restarted();
    }

    /// A whole pass.
    pub async fn converge(&self, selection: Selection) -> Converged {
        let (mut total, mut cursor) = (Converged::default(), None);
        loop {
            let slice = self.vault.converge(selection, cursor, &Pace::default(), &mut Unwatched).await.unwrap();
            cursor = slice.cursor;
            total.add(slice);
            if cursor.is_none() {
                return total;
            }
        }
    }

    pub async fn scrub(&self, backend: BackendId) -> Scrubbed {
        self.vault.scrub(backend, None, &Pace::default(), &mut Unwatched).await.unwrap()
    }

    pub async fn verify(&self) -> Verified {
        self.vault.verify(Depth::Bytes, &mut Unwatched).await.unwrap()
    }

    pub async fn live(&self) -> Vec<SegmentRecord> {
        let all = self.database.segments_after(None, 10_000).await.unwrap();
        all.into_iter().filter(|record| record.state == SegmentState::Live && record.live > 0).collect()
    }

    /// Where each live segment is durable, and nothing else is noted of any.
    pub async fn whereabouts(&self) -> Vec<Vec<BackendId>> {
        let durable = |replica: &Replica| {
            assert_eq!(replica.state, ReplicaState::Durable, "{replica:?}");
            replica.backend
        };
        self.live().await.iter().map(|record| record.replicas.iter().map(durable).collect()).collect()
    }

    pub fn spot(&self, zone: i64, number: i64) -> &Spot {
        &self.spots[&backend(zone, number)]
    }

    pub fn objects(&self, zone: i64, number: i64) -> usize {
        self.spot(zone, number).objects.names().len()
    }
}

/// Every object of a live segment on a backend is changed by this.
pub async fn damage(union: &Union, at: BackendId, change: impl Fn(&mut Vec<u8>)) -> usize {
    let mut damaged = 0;
    for record in union.live().await {
        let Some(replica) = record.on(at) else { continue };
        let objects = &union.spots[&at].objects;
        let mut bytes = objects.raw(replica.name).unwrap().to_vec();
        change(&mut bytes);
        objects.replace(replica.name, bytes.into());
        damaged += 1;
    }
    damaged
}
