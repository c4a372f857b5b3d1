//! Where a history plays: zones, backends, policies and redirects. The operator changes the last two while clients work.

use crate::custodian::SimulatedCustodian;
use entente_clouds::Backend;
use entente_model::{BackendId, EnterpriseId, PolicyId, ZoneId};
use entente_vault::Scope;
use entente_vault::topology::{OnPrimaryDown, Policy, Topology};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) const ENTERPRISE: EnterpriseId = EnterpriseId::new(1);

#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub places: BTreeMap<BackendId, ZoneId>,
    pub policies: BTreeMap<PolicyId, Policy>,
    pub redirects: BTreeMap<BackendId, BackendId>,
}

impl Setting {
    /// Half of the histories have one backend; the others up to three zones with up to four backends each.
    pub(crate) fn draw(rng: &mut fastrand::Rng) -> Self {
        let simple = rng.bool();
        let mut places = BTreeMap::new();
        let mut policies = BTreeMap::new();
        for zone in 1..=if simple { 1 } else { rng.i64(1..4) } {
            let zone = ZoneId::new(zone);
            for number in 1..=if simple { 1 } else { rng.i64(1..5) } {
                places.insert(BackendId::new(zone.number() * 10 + number), zone);
            }
            for number in 1..=if simple { 1 } else { rng.i64(1..3) } {
                policies.insert(PolicyId::new(zone.number() * 100 + number), policy(zone, &places, rng));
            }
        }
        Self { places, policies, redirects: BTreeMap::new() }
    }

    pub(crate) fn is_simple(&self) -> bool {
        self.places.len() == 1
    }

    /// Another redirect, one less, or a policy that says something else. A change that would leave a policy with fewer
    /// backends than copies must be durable is not made.
    pub(crate) fn change(&mut self, rng: &mut fastrand::Rng) {
        let before = self.clone();
        match rng.u32(0..4) {
            0..=1 => {
                let (from, to) = (self.place(rng), self.place(rng));
                if self.places.get(&from) == self.places.get(&to) {
                    self.redirects.insert(from, to);
                }
            }
            2 => {
                let from = rng.usize(0..self.redirects.len().max(1));
                if let Some(from) = self.redirects.keys().nth(from).copied() {
                    self.redirects.remove(&from);
                }
            }
            _ => {
                let at = rng.usize(0..self.policies.len().max(1));
                if let Some(changed) = self.policies.values_mut().nth(at) {
                    *changed = policy(changed.zone, &self.places, rng);
                }
            }
        }
        let is_met = |policy: &Policy| self.wanted(policy).len() >= policy.durable as usize;
        if self.goes_in_circles() || !self.policies.values().all(is_met) {
            *self = before;
        }
    }

    fn goes_in_circles(&self) -> bool {
        let ends = |from: &BackendId| {
            let mut at = from;
            (0..self.redirects.len()).all(|_| {
                self.redirects.get(at).is_none_or(|next| {
                    at = next;
                    at != from
                })
            })
        };
        !self.redirects.keys().all(ends)
    }

    fn place(&self, rng: &mut fastrand::Rng) -> BackendId {
        let at = rng.usize(0..self.places.len());
        self.places.keys().nth(at).copied().unwrap_or(BackendId::new(0))
    }

    fn meant(&self, backend: BackendId) -> BackendId {
        let next = self.redirects.get(&backend);
        next.map_or(backend, |next| self.meant(*next))
    }

    /// Where the segments of a policy are to be, and nowhere else.
    pub(crate) fn wanted(&self, policy: &Policy) -> BTreeSet<BackendId> {
        std::iter::once(&policy.primary).chain(&policy.replicas).map(|named| self.meant(*named)).collect()
    }

    pub(crate) fn scopes(&self) -> Vec<Scope> {
        let scope =
            |(id, policy): (&PolicyId, &Policy)| Scope { enterprise: ENTERPRISE, zone: policy.zone, policy: *id };
        self.policies.iter().map(scope).collect()
    }

    pub(crate) fn topology(
        &self,
        clouds: &BTreeMap<BackendId, Arc<dyn Backend>>,
        custodians: &BTreeMap<ZoneId, SimulatedCustodian>,
    ) -> Topology {
        let mut topology =
            Topology { policies: self.policies.clone(), redirects: self.redirects.clone(), ..Topology::default() };
        for (backend, zone) in &self.places {
            let (Some(cloud), Some(custodian)) = (clouds.get(backend), custodians.get(zone)) else { continue };
            let ids = (*zone, *backend, PolicyId::new(0));
            for (zone, alone) in Topology::single(ids, Arc::clone(cloud), Arc::new(custodian.clone())).zones {
                match topology.zones.get_mut(&zone) {
                    Some(known) => known.backends.extend(alone.backends),
                    None => {
                        topology.zones.insert(zone, alone);
                    }
                }
            }
        }
        topology
    }
}

fn policy(zone: ZoneId, places: &BTreeMap<BackendId, ZoneId>, rng: &mut fastrand::Rng) -> Policy {
    let mut there: Vec<_> = places.iter().filter(|(_, of)| **of == zone).map(|(backend, _)| *backend).collect();
    rng.shuffle(&mut there);
    there.truncate(rng.usize(1..4));
    let primary = there.first().copied().unwrap_or(BackendId::new(0));
    let mut policy = Policy::single(zone, primary);
    policy.durable = if there.len() > 1 { rng.u32(1..3) } else { 1 };
    policy.replicas = there.split_off(1);
    policy.on_primary_down = if rng.bool() { OnPrimaryDown::UseReplica } else { OnPrimaryDown::Refuse };
    policy
}
