//! Placement, purely: where a policy's segments go, are read from, and are to be. It can return nothing but backends of
//! the policy's zone.

use crate::topology::{OnPrimaryDown, Policy, Topology};
use crate::{Error, Replica, ReplicaState};
use entente_model::{BackendId, PolicyId, ZoneId};

/// Where the copies of a new segment go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Every backend that the policy means, each once: healthy ones first, and then as the policy orders them.
    pub order: Vec<BackendId>,
    /// What decides between those of `order`, in the same order.
    marks: Vec<Mark>,
    /// How many copies must be durable.
    pub durable: usize,
    /// The one that must be among them, if nothing may take its place.
    pub required: Option<BackendId>,
    /// With how many providers they are to be, as far as healthy backends allow.
    providers: usize,
}

/// What decides between backends that could take a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    /// The same number for the same provider.
    provider: usize,
    /// The same number for those that are equally well, a lower one for those that are better.
    health: usize,
}

impl Plan {
    /// Where to write next, when copies are or may soon be at `holding`, and all of `tried` have been tried: the one that
    /// must have a copy; then, of those that are best, the first that brings in a provider that is still lacking, or the
    /// first. `None` when all have been tried.
    pub(crate) fn next(&self, holding: &[BackendId], tried: &[BackendId]) -> Option<BackendId> {
        let targets = || self.order.iter().copied().zip(self.marks.iter().copied());
        if let Some(required) = self.required.filter(|required| !tried.contains(required)) {
            return Some(required);
        }
        let mut held: Vec<_> =
            targets().filter(|(id, _)| holding.contains(id)).map(|(_, mark)| mark.provider).collect();
        held.sort_unstable();
        held.dedup();
        let (first, best) = targets().find(|(id, _)| !tried.contains(id))?;
        if held.len() >= self.providers {
            return Some(first);
        }
        let lacking = |(id, mark): &(BackendId, Mark)| {
            mark.health == best.health && !tried.contains(id) && !held.contains(&mark.provider)
        };
        Some(targets().find(lacking).map_or(first, |(id, _)| id))
    }

    /// Where to write at first.
    pub(crate) fn first(&self) -> Vec<BackendId> {
        let mut first = Vec::with_capacity(self.durable);
        while first.len() < self.durable
            && let Some(next) = self.next(&first, &first)
        {
            first.push(next);
        }
        first
    }
}

impl Topology {
    /// The policy, if it is one of that zone.
    pub(crate) fn policy(&self, zone: ZoneId, policy: PolicyId) -> Result<&Policy, Error> {
        let found = self.policies.get(&policy).ok_or_else(|| unmet(policy, "it is not configured"))?;
        if found.zone == zone { Ok(found) } else { Err(unmet(policy, "it is a policy of another zone")) }
    }

    /// The backends that a policy means, the primary first, each once; none outside of the policy's zone.
    pub(crate) fn meant_by(&self, policy: &Policy) -> Vec<BackendId> {
        let mut meant = Vec::with_capacity(1 + policy.replicas.len());
        for named in std::iter::once(&policy.primary).chain(&policy.replicas) {
            let backend = self.meant(*named);
            if self.zone_of(backend) == Some(policy.zone) && !meant.contains(&backend) {
                meant.push(backend);
            }
        }
        meant
    }

    /// Where a new segment of a policy goes, while the backends are as well as `health` says (less is better, and the
    /// greatest that there is means down). `Unmet` when the policy cannot be met: it means too few backends of its zone, or
    /// too few providers, or may not do without its primary, which is down.
    pub(crate) fn plan<H: Condition>(
        &self,
        zone: ZoneId,
        policy: PolicyId,
        health: impl Fn(BackendId) -> H,
    ) -> Result<Plan, Error> {
        let found = self.policy(zone, policy)?;
        let meant = self.meant_by(found);
        let durable = usize::try_from(found.durable.max(1)).unwrap_or(usize::MAX);
        if meant.len() < durable {
            return Err(unmet(policy, "its zone has fewer of its backends than copies must be durable"));
        }
        let provider = |backend: BackendId| self.member(backend).map(|member| member.provider.as_str());
        let number = |backend| meant.iter().position(|other| provider(*other) == provider(backend)).unwrap_or(0);
        let mut targets: Vec<_> = meant.iter().map(|id| (health(*id), number(*id), *id)).collect();
        let providers = targets.iter().enumerate().filter(|(place, (_, provider, _))| place == provider).count();
        let providers_min = usize::try_from(found.providers_min).unwrap_or(usize::MAX);
        if providers < providers_min {
            return Err(unmet(policy, "its backends are of fewer providers than its copies must be with"));
        }
        let required = match (found.on_primary_down, targets.first()) {
            (OnPrimaryDown::Refuse, Some((health, ..))) if *health == H::DOWN => {
                return Err(unmet(policy, "its primary is down"));
            }
            (OnPrimaryDown::Refuse, Some((_, _, primary))) => Some(*primary),
            _ => None,
        };
        targets.sort_by_key(|(health, ..)| *health);
        let health = |of: H| targets.partition_point(|(health, ..)| *health < of);
        let marks = targets.iter().map(|(of, provider, _)| Mark { provider: *provider, health: health(*of) }).collect();
        let order = targets.iter().map(|(.., id)| *id).collect();
        Ok(Plan { order, marks, durable, required, providers: durable.min(providers_min.max(1)) })
    }

    /// The replicas to read from, best first: good ones before those that may yet be, healthy ones before others, near and
    /// cheap ones before others. None that has never been written, nor one whose backend is not configured.
    pub(crate) fn sources<H: Condition>(&self, replicas: &[Replica], health: impl Fn(BackendId) -> H) -> Vec<Replica> {
        let rank = |replica: &Replica| self.member(replica.backend).map(|member| member.rank);
        let mut sources: Vec<_> = replicas
            .iter()
            .filter(|replica| replica.state != ReplicaState::Intended && rank(replica).is_some())
            .copied()
            .collect();
        sources.sort_by_key(|replica| {
            (!replica.is_good(), health(replica.backend), replica.state == ReplicaState::Leaving, rank(replica))
        });
        sources
    }

    /// [`Topology::sources`] for contents of a policy: when nothing else decides, its primary comes first.
    pub(crate) fn sources_for<H: Condition>(
        &self,
        policy: PolicyId,
        replicas: &[Replica],
        health: impl Fn(BackendId) -> H,
    ) -> Vec<Replica> {
        let primary = self.policies.get(&policy).map(|policy| self.meant(policy.primary));
        let mut replicas = replicas.to_vec();
        replicas.sort_by_key(|replica| Some(replica.backend) != primary);
        self.sources(&replicas, health)
    }
}

/// How well a backend is, as far as placement is concerned: less is better.
pub(crate) trait Condition: Ord + Copy {
    /// It cannot be reached.
    const DOWN: Self;
}

/// Whether it is down.
impl Condition for bool {
    const DOWN: Self = true;
}

fn unmet(policy: PolicyId, why: &'static str) -> Error {
    Error::Unmet { policy, why }
}

#[cfg(test)]
mod tests;
