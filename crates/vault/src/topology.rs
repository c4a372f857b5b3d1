//! What there is to place content on: zones with their backends and custodians, and the policies that use them.
//!
//! A plain value. Whoever reads the configuration makes it and gives it to [`crate::Vault::reconfigure`]; what follows
//! from it is decided in `place`.

use crate::Error;
use crate::place::Condition;
use entente_clouds::Backend;
use entente_clouds::guard::{Health, HealthState};
use entente_custodians::Custodian;
use entente_model::{BackendId, PolicyId, ZoneId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that is configured now.
#[derive(Clone, Default)]
pub struct Topology {
    /// Zones. No backend is in two of them.
    pub zones: BTreeMap<ZoneId, Zone>,
    /// Policies. Each names only backends of its zone, at most [`crate::COPIES_MAX`].
    pub policies: BTreeMap<PolicyId, Policy>,
    /// Moves between backends of one zone that are in force: where a policy names the first, it means the second.
    pub redirects: BTreeMap<BackendId, BackendId>,
}

/// One zone: its backends, and the custodian of its keys.
#[derive(Clone)]
pub struct Zone {
    /// Its backends.
    pub backends: BTreeMap<BackendId, Member>,
    /// Who wraps its epoch keys.
    pub custodian: Arc<dyn Custodian>,
}

/// A backend as a member of its zone.
#[derive(Clone)]
pub struct Member {
    /// What stores the objects.
    pub cloud: Arc<dyn Backend>,
    /// Whose it is: two backends of one provider fail together.
    pub provider: String,
    /// Which to read from first: the least. Nearness and the price of a read together.
    pub rank: u32,
    /// How it takes writes.
    pub pace: Pace,
    /// How it is, as [`entente_clouds::guard::stack`] tells; without, it is thought to be well always.
    pub health: Option<Health>,
}

impl Member {
    /// How it is now.
    #[must_use]
    pub fn state(&self) -> HealthState {
        self.health.as_ref().map_or(HealthState::Healthy, Health::state)
    }
}

impl Condition for HealthState {
    const DOWN: Self = Self::Down;
}

/// How a backend takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// A disk: a write costs little before its fsync, and takes bytes as they come.
    Disk,
    /// A cloud: each object is a request that costs money and tens of milliseconds, and holds its bytes until then.
    Cloud,
}

/// What to do while the primary cannot be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnPrimaryDown {
    /// Write to the replicas, as many as must be durable; the primary catches up afterwards.
    #[default]
    UseReplica,
    /// Refuse.
    Refuse,
}

/// How many copies, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The zone.
    pub zone: ZoneId,
    /// Where content goes first, and is read from by preference when ranks are equal.
    pub primary: BackendId,
    /// Where the other copies go, in order of preference.
    pub replicas: Vec<BackendId>,
    /// How many copies must be durable before a write is acknowledged; at least 1.
    pub durable: u32,
    /// Copies must be with at least so many providers.
    pub providers_min: u32,
    /// What to do while the primary cannot be written to.
    pub on_primary_down: OnPrimaryDown,
}

impl Policy {
    /// One copy on one backend.
    #[must_use]
    pub fn single(zone: ZoneId, backend: BackendId) -> Self {
        Self {
            zone,
            primary: backend,
            replicas: Vec::new(),
            durable: 1,
            providers_min: 1,
            on_primary_down: OnPrimaryDown::UseReplica,
        }
    }
}

impl Topology {
    /// One zone with one disk and one policy of that backend alone: the embedded default, and most tests.
    #[must_use]
    pub fn single(
        (zone, backend, policy): (ZoneId, BackendId, PolicyId),
        cloud: Arc<dyn Backend>,
        custodian: Arc<dyn Custodian>,
    ) -> Self {
        let member = Member { cloud, provider: "own".to_owned(), rank: 0, pace: Pace::Disk, health: None };
        Self {
            zones: [(zone, Zone { backends: [(backend, member)].into(), custodian })].into(),
            policies: [(policy, Policy::single(zone, backend))].into(),
            redirects: BTreeMap::new(),
        }
    }

    /// A backend, whatever zone it is in.
    #[must_use]
    pub fn member(&self, backend: BackendId) -> Option<&Member> {
        self.zones.values().find_map(|zone| zone.backends.get(&backend))
    }

    /// How a backend is now; down, if it is not configured.
    #[must_use]
    pub fn state(&self, backend: BackendId) -> HealthState {
        self.member(backend).map_or(HealthState::Down, Member::state)
    }

    /// Whether a policy could be met if all of its backends were well; `Unmet` says why not. To be asked before this
    /// becomes the topology in force.
    pub fn check(&self, policy: PolicyId) -> Result<(), Error> {
        let zone = self.policies.get(&policy).map_or(ZoneId::new(0), |found| found.zone);
        self.plan(zone, policy, |_| HealthState::Healthy).map(drop)
    }

    /// The zone of a backend.
    #[must_use]
    pub fn zone_of(&self, backend: BackendId) -> Option<ZoneId> {
        self.zones.iter().find_map(|(id, zone)| zone.backends.contains_key(&backend).then_some(*id))
    }

    /// What a backend that a policy names stands for now: follows redirects, at most as many as there are.
    #[must_use]
    pub fn meant(&self, backend: BackendId) -> BackendId {
        let mut meant = backend;
        for _ in 0..self.redirects.len() {
            match self.redirects.get(&meant) {
                Some(next) => meant = *next,
                None => break,
            }
        }
        meant
    }
}
