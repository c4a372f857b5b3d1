//! What every driver of the vault shares.

use crate::doubts::Doubts;
use crate::kept::Kept;
use crate::place::Plan;
use crate::topology::{Member, Topology};
use crate::upkeep::unreadable::Unreadable;
use crate::{Error, Ledger, Limits, keys, reserve};
use entente_clouds::Backend;
use entente_clouds::guard::HealthState;
use entente_model::{BackendId, PolicyId, ZoneId};
use entente_world::World;
use metrics::{describe_counter, describe_histogram};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub(crate) const SEGMENT_CHUNKS: &str = "entente_vault_segment_chunks";
pub(crate) const READS_HEDGED: &str = "entente_vault_reads_hedged_total";
pub(crate) const READS_FALLEN_THROUGH: &str = "entente_vault_reads_fallen_through_total";
pub(crate) const WRITES_FAILED_OVER: &str = "entente_vault_writes_failed_over_total";
pub(crate) const REPLICAS_DOUBTED: &str = "entente_vault_replicas_doubted_total";

fn describe() {
    describe_histogram!(SEGMENT_CHUNKS, "small contents that shared a segment when it was written");
    describe_counter!(READS_HEDGED, "times that another replica was asked because one took long");
    describe_counter!(READS_FALLEN_THROUGH, "times that another replica was asked because one failed");
    describe_counter!(WRITES_FAILED_OVER, "copies that were written elsewhere because a backend failed or took long");
    describe_counter!(REPLICAS_DOUBTED, "replicas that readers have found missing or wrong");
}

/// How long a full backend is thought to be full.
const FULL_FOR: Duration = Duration::from_secs(30);
/// A few are enough to learn that a backend hangs.
const OUTRUN_MAX: usize = 8;

pub(crate) struct Core {
    pub world: World,
    pub ledger: Arc<dyn Ledger>,
    pub limits: Limits,
    pub keys: keys::Keys,
    pub reservations: reserve::Reservations,
    pub budget: Arc<Semaphore>,
    pub kept: Kept,
    pub doubts: Doubts,
    pub unreadable: Unreadable,
    /// Of bytes that readers fetch at a time beyond their first ones.
    pub ahead: Arc<Semaphore>,
    /// Of those who ask a second replica because the first one takes long.
    pub hedges: Arc<Semaphore>,
    /// Of first ones that are listened to although a second one has answered.
    pub outrun: Arc<Semaphore>,
    topology: RwLock<Arc<Topology>>,
    /// Backends that had no room, and until when they are asked after others.
    full: Mutex<BTreeMap<BackendId, Instant>>,
}

impl Core {
    pub(crate) fn new(world: World, ledger: Arc<dyn Ledger>, topology: Topology, limits: Limits) -> Self {
        describe();
        let keys = keys::Keys::new(world.clone(), Arc::clone(&ledger), limits.key_lease);
        keys.reconfigure(&topology);
        let reservations = reserve::Reservations::new(world.clone(), Arc::clone(&ledger));
        let doubts = Doubts::new(world.clone(), Arc::clone(&ledger));
        let unreadable = Unreadable::new(world.clone());
        let budget = Arc::new(Semaphore::new(limits.budget_bytes as usize));
        let kept = Kept::new(world.clone(), limits.kept_bytes, limits.chunk_patience);
        let ahead = Arc::new(Semaphore::new(limits.read_ahead_bytes as usize));
        let hedges = Arc::new(Semaphore::new(limits.hedges_max as usize));
        let outrun = Arc::new(Semaphore::new(OUTRUN_MAX));
        let topology = RwLock::new(Arc::new(topology));
        Self {
            world,
            ledger,
            limits,
            keys,
            reservations,
            budget,
            kept,
            doubts,
            unreadable,
            ahead,
            hedges,
            outrun,
            topology,
            full: Mutex::default(),
        }
    }

    pub(crate) fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.topology.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn reconfigure(&self, topology: Topology) {
        self.keys.reconfigure(&topology);
        *self.topology.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(topology);
    }

    /// Where a new segment of a policy goes now. One that has just been found full comes after those that are well: it is
    /// not sent a whole segment each time to be told again.
    pub(crate) fn plan(&self, topology: &Topology, zone: ZoneId, policy: PolicyId) -> Result<Plan, Error> {
        let full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.world.instant();
        let is_full = |backend| full.get(&backend).is_some_and(|until| now < *until);
        let state = |backend| {
            topology.state(backend).max(if is_full(backend) { HealthState::Slow } else { HealthState::Healthy })
        };
        topology.plan(zone, policy, state)
    }

    /// Notes that a backend had no room.
    pub(crate) fn found_full(&self, backend: BackendId) {
        let until = self.world.instant() + FULL_FOR;
        self.full.lock().unwrap_or_else(PoisonError::into_inner).insert(backend, until);
    }

    /// What stores the objects of a backend.
    pub(crate) fn cloud(&self, backend: BackendId) -> Result<Arc<dyn Backend>, Error> {
        let topology = self.topology();
        let member =
            topology.member(backend).ok_or(Error::Internal("a segment is on a backend that is not configured"))?;
        Ok(Arc::clone(&member.cloud))
    }

    /// Every configured backend.
    pub(crate) fn backends(&self) -> Vec<(BackendId, Member)> {
        let topology = self.topology();
        topology.zones.values().flat_map(|zone| &zone.backends).map(|(id, member)| (*id, member.clone())).collect()
    }

    /// Whether a backend is known to be down.
    pub(crate) fn is_down(&self, backend: BackendId) -> bool {
        self.topology().state(backend) == HealthState::Down
    }
}
