//! A vault over several backends that can be made to fail, in simulated time.

use crate::memory_ledger::MemoryLedger;
use crate::spot::Spot;
use bytes::Bytes;
use entente_clouds::guard::{Breaker, BreakerSettings, Fault, Health, HealthState, StackSettings, stack};
use entente_clouds::{Backend, ErrorKind};
use entente_custodians::local::LocalCustodian;
use entente_model::{BackendId, ContentId, EnterpriseId, Manifest, PolicyId, Timestamp, ZoneId};
use entente_vault::topology::{Member, OnPrimaryDown, Pace, Policy, Zone};
use entente_vault::{Error, Ledger, Limits, ObjectName, Replica, ReplicaState, Scope, Topology, Vault, Written};
use entente_world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub const ZONE: ZoneId = ZoneId::new(1);
pub const POLICY: PolicyId = PolicyId::new(1);
pub const SCOPE: Scope = Scope { enterprise: EnterpriseId::new(1), zone: ZONE, policy: POLICY };

/// One zone with some backends, all of which one policy names in order.
pub struct Country {
    pub vault: Vault,
    pub ledger: MemoryLedger,
    pub world: World,
    pub spots: Vec<Spot>,
    /// Beside the backends: a test says when one opens.
    breakers: Vec<Breaker>,
    pub topology: Topology,
}

/// What a country is to be like.
pub struct Plan {
    /// The provider of each backend; they have the numbers 1, 2, ...
    pub providers: Vec<&'static str>,
    pub durable: u32,
    pub providers_min: u32,
    pub on_primary_down: OnPrimaryDown,
    pub pace: Pace,
    /// How the backends are guarded; not at all, if not said.
    pub guards: Option<StackSettings>,
    pub limits: Limits,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            providers: vec!["a", "b"],
            durable: 1,
            providers_min: 1,
            on_primary_down: OnPrimaryDown::UseReplica,
            pace: Pace::Disk,
            guards: None,
            limits: Limits::default(),
        }
    }
}

pub fn backend(number: usize) -> BackendId {
    BackendId::new(i64::try_from(number).unwrap())
}

impl Country {
    /// Call it in a runtime whose clock is paused.
    pub fn new(plan: Plan) -> Self {
        let world = World::simulated(1, Timestamp::from_millis(1_800_000_000_000));
        let (mut spots, mut breakers) = (Vec::new(), Vec::new());
        let mut backends = BTreeMap::new();
        let settings = BreakerSettings {
            failures_max: 1,
            probe_after: Duration::from_secs(3600),
            probe_after_max: Duration::from_secs(3600),
            slow_from: Duration::from_secs(3600),
        };
        for (number, provider) in (1..).zip(&plan.providers) {
            let spot = Spot::new(&world);
            let cloud: Arc<dyn Backend> = Arc::new(spot.clone());
            let (cloud, health) = match plan.guards {
                Some(guards) => stack(cloud, &world, provider, guards),
                None => (cloud, Health::new(world.clone(), provider, settings)),
            };
            breakers.push(Breaker::new(Arc::clone(&cloud), world.clone(), health.clone()));
            let provider = (*provider).to_owned();
            backends
                .insert(backend(number), Member { cloud, provider, rank: 0, pace: plan.pace, health: Some(health) });
            spots.push(spot);
        }
        let custodian = Arc::new(LocalCustodian::in_memory(world.clone()));
        let mut policy = Policy::single(ZONE, backend(1));
        policy.replicas = (2..=plan.providers.len()).map(backend).collect();
        policy.durable = plan.durable;
        policy.providers_min = plan.providers_min;
        policy.on_primary_down = plan.on_primary_down;
        let topology = Topology {
            zones: [(ZONE, Zone { backends, custodian })].into(),
            policies: [(POLICY, policy)].into(),
            redirects: BTreeMap::new(),
        };
        let ledger = MemoryLedger::default();
        let vault = Vault::new(world.clone(), Arc::new(ledger.clone()), topology.clone(), plan.limits);
        Self { vault, ledger, world, spots, breakers, topology }
    }

    pub async fn write(&self, plain: &[u8]) -> Result<Written, Error> {
        let pieces: Vec<_> = plain.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        self.vault.write(SCOPE, u64::MAX, futures_util::stream::iter(pieces)).await
    }

    pub async fn keep(&self, plain: &[u8]) -> Written {
        let written = self.write(plain).await.unwrap();
        self.ledger.commit(&written);
        written
    }

    pub async fn manifest(&self, content: ContentId) -> Manifest {
        Manifest { places: Vec::new(), ..self.ledger.content(content).await.unwrap().unwrap() }
    }

    pub async fn read(&self, content: ContentId) -> Result<Vec<u8>, Error> {
        let mut reading = self.vault.read(self.manifest(content).await, Vec::new(), 0..u64::MAX);
        let mut bytes = Vec::new();
        while let Some(piece) = reading.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// A copy of all that one backend has of a content, durable on another, as replication makes them.
    pub async fn replicate(&self, written: &Written, from: usize, to: usize) {
        for segment in &written.segments {
            let replicas = self.ledger.replicas(segment.segment);
            let on = |number| *replicas.iter().find(|replica| replica.backend == backend(number)).unwrap();
            let bytes = self.spots[from - 1].objects.raw(on(from).name).unwrap();
            self.spots[to - 1].objects.replace(on(to).name, bytes);
            self.ledger.replace(segment.segment, Replica { state: ReplicaState::Durable, ..on(to) });
        }
    }

    /// Makes a backend known to be down. (It is as well as before.)
    pub async fn find_down(&self, number: usize) {
        let spot = &self.spots[number - 1];
        spot.fail("stat", Fault::Error { kind: ErrorKind::Unavailable, retryable: true });
        self.breakers[number - 1].stat(ObjectName::new([0; 16])).await.unwrap_err();
        assert_eq!(self.vault.topology().state(backend(number)), HealthState::Down);
    }
}
