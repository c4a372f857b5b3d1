use super::*;
use crate::topology::{Member, Pace, Zone};
use entente_clouds::ObjectName;
use entente_clouds::guard::HealthState;
use entente_clouds::memory::MemoryBackend;
use entente_custodians::local::LocalCustodian;
use entente_model::Timestamp;
use entente_world::World;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const ZONES: i64 = 6;
const BACKENDS: i64 = 5;

/// Zones with so many backends each; a backend's provider is its number modulo 3, its rank modulo 2.
fn topology(sizes: &[i64]) -> Topology {
    let world = World::real();
    let zone = |(number, &size): (i64, &i64)| {
        let member = |backend: i64| Member {
            cloud: Arc::new(MemoryBackend::new(world.clone())),
            provider: (backend % 3).to_string(),
            rank: u32::try_from(backend % 2).unwrap(),
            pace: Pace::Disk,
            health: None,
        };
        let backends = (0..size).map(|b| (BackendId::new(number * 100 + b), member(b))).collect();
        let custodian = Arc::new(LocalCustodian::in_memory(world.clone()));
        (ZoneId::new(number), Zone { backends, custodian })
    };
    Topology { zones: (1..).zip(sizes).map(zone).collect(), ..Topology::default() }
}

fn backend() -> impl Strategy<Value = BackendId> {
    (1..=ZONES, 0..BACKENDS).prop_map(|(zone, number)| BackendId::new(zone * 100 + number))
}

fn policy() -> impl Strategy<Value = Policy> {
    let on_primary_down = prop_oneof![Just(OnPrimaryDown::UseReplica), Just(OnPrimaryDown::Refuse)];
    let named = (backend(), proptest::collection::vec(backend(), 0..5));
    // Half of them name backends of their own zone, as they should.
    (1..=ZONES, any::<bool>(), named, 0_u32..4, 0_u32..4, on_primary_down).prop_map(
        |(zone, own, (primary, replicas), durable, providers_min, on_primary_down)| {
            let at = |id: BackendId| if own { BackendId::new(zone * 100 + id.number() % 100) } else { id };
            Policy {
                zone: ZoneId::new(zone),
                primary: at(primary),
                replicas: replicas.into_iter().map(at).collect(),
                durable,
                providers_min,
                on_primary_down,
            }
        },
    )
}

fn health() -> impl Strategy<Value = BTreeMap<BackendId, HealthState>> {
    let state = prop_oneof![Just(HealthState::Slow), Just(HealthState::Down)];
    proptest::collection::btree_map(backend(), state, 0..12)
}

/// What a topology is made of.
#[derive(Debug, Clone)]
struct Drawn {
    sizes: Vec<i64>,
    policies: Vec<Policy>,
    redirects: BTreeMap<BackendId, BackendId>,
}

impl Drawn {
    fn topology(self) -> Topology {
        let mut topology = topology(&self.sizes);
        topology.policies = (1..).map(PolicyId::new).zip(self.policies).collect();
        topology.redirects = self.redirects;
        topology
    }
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let sizes = proptest::collection::vec(0..=BACKENDS, 1..6);
    let policies = proptest::collection::vec(policy(), 1..8);
    let redirects = proptest::collection::btree_map(backend(), backend(), 0..6);
    (sizes, policies, redirects).prop_map(|(sizes, policies, redirects)| Drawn { sizes, policies, redirects })
}

/// How a plan goes when these backends, and no others, fail whatever they are asked: what holds copies at the end.
fn carried_out(plan: &Plan, fails: impl Fn(BackendId) -> bool) -> Option<Vec<BackendId>> {
    let mut tried = plan.first();
    let mut asked: Vec<_> = tried.clone();
    let mut holders = Vec::new();
    while let Some(backend) = asked.pop() {
        if !fails(backend) {
            holders.push(backend);
        } else if plan.required == Some(backend) {
            return None;
        } else {
            let holding: Vec<_> = holders.iter().chain(&asked).copied().collect();
            let next = plan.next(&holding, &tried)?;
            tried.push(next);
            asked.push(next);
        }
    }
    Some(holders)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_segment_never_leaves_its_zone_and_has_copies_enough(drawn in drawn(), health in health()) {
        let topology = drawn.topology();
        let state = |backend| health.get(&backend).copied().unwrap_or(HealthState::Healthy);
        for (policy, found) in &topology.policies {
            for zone in (1..=ZONES).map(ZoneId::new).filter(|zone| *zone != found.zone) {
                prop_assert!(topology.plan(zone, *policy, state).is_err(), "it is a policy of another zone");
            }
            let Ok(plan) = topology.plan(found.zone, *policy, state) else { continue };
            let own = &topology.zones[&found.zone].backends;
            prop_assert!(plan.order.iter().all(|backend| own.contains_key(backend)));
            let each: BTreeSet<_> = plan.order.iter().copied().collect();
            prop_assert_eq!(each.len(), plan.order.len(), "none twice");
            let meant: BTreeSet<_> = topology.meant_by(found).into_iter().collect();
            prop_assert_eq!(&each, &meant, "all that it means, and no others");
            prop_assert!(plan.durable >= 1 && plan.durable >= found.durable as usize);
            let first = plan.first();
            prop_assert_eq!(first.len(), plan.durable);
            prop_assert!(first.iter().collect::<BTreeSet<_>>().len() == plan.durable);
            // None that is less well is written to at first while a better one is left.
            let worst = first.iter().filter(|id| plan.required != Some(**id)).map(|id| state(*id)).max();
            let left = plan.order.iter().filter(|id| !first.contains(id)).map(|id| state(*id)).min();
            prop_assert!(worst <= left || left.is_none() || worst.is_none());
            if found.on_primary_down == OnPrimaryDown::Refuse {
                let primary = topology.meant_by(found)[0];
                prop_assert!(first[0] == primary && state(primary) != HealthState::Down);
            }
        }
    }

    #[test]
    fn a_plan_succeeds_whenever_enough_backends_do(drawn in drawn(), bad in proptest::collection::btree_set(backend(), 0..15)) {
        let topology = drawn.topology();
        for (policy, found) in &topology.policies {
            let Ok(plan) = topology.plan(found.zone, *policy, |_| false) else { continue };
            let good = plan.order.iter().filter(|backend| !bad.contains(backend)).count();
            let possible = good >= plan.durable && plan.required.is_none_or(|required| !bad.contains(&required));
            let holders = carried_out(&plan, |backend| bad.contains(&backend));
            prop_assert_eq!(holders.is_some(), possible, "{:?} without {:?}", plan, bad);
            let Some(holders) = holders else { continue };
            prop_assert!(holders.len() == plan.durable && holders.iter().all(|backend| plan.order.contains(backend)));
            // With as many providers as there can be of those that are good.
            let provider = |backend: &BackendId| topology.member(*backend).unwrap().provider.clone();
            let there: BTreeSet<_> = plan.order.iter().filter(|id| !bad.contains(id)).map(provider).collect();
            let wanted = plan.durable.min(found.providers_min.max(1) as usize).min(there.len());
            let with: BTreeSet<_> = holders.iter().map(provider).collect();
            let best = bad.is_empty() && plan.required.is_none();
            prop_assert!(!best || with.len() >= wanted, "{:?}", holders);
        }
    }

    #[test]
    fn whether_a_policy_can_be_met_is_said_before(drawn in drawn()) {
        let topology = drawn.topology();
        for (policy, found) in &topology.policies {
            let meant = topology.meant_by(found);
            let providers: BTreeSet<_> = meant.iter().map(|id| &topology.member(*id).unwrap().provider).collect();
            let can = meant.len() >= found.durable.max(1) as usize && providers.len() >= found.providers_min as usize;
            prop_assert_eq!(topology.check(*policy).is_ok(), can);
        }
    }

    #[test]
    fn sources_are_what_there_is_and_the_best_comes_first(
        drawn in drawn(),
        health in health(),
        states in proptest::collection::btree_map(backend(), 0_usize..5, 0..8),
        policy in 1_i64..9,
    ) {
        let topology = drawn.topology();
        use ReplicaState::{Condemned, Damaged, Durable, Intended, Leaving};
        let state = |backend| health.get(&backend).copied().unwrap_or(HealthState::Healthy);
        let since = Timestamp::from_millis(0);
        let replica = |(backend, state): (&BackendId, &usize)| {
            let state = [Intended, Durable, Damaged, Leaving, Condemned][*state];
            Replica { backend: *backend, name: ObjectName::new([1; 16]), state, since }
        };
        let replicas: Vec<_> = states.iter().map(replica).collect();
        let sources = topology.sources_for(PolicyId::new(policy), &replicas, state);
        let can_be_asked = |r: &&Replica| r.state != Intended && topology.member(r.backend).is_some();
        prop_assert_eq!(sources.len(), replicas.iter().filter(can_be_asked).count());
        prop_assert!(sources.iter().all(|source| replicas.contains(source) && can_be_asked(&source)));
        for pair in sources.windows(2) {
            let (one, other) = (&pair[0], &pair[1]);
            prop_assert!(one.is_good() || !other.is_good(), "good ones first");
            if one.is_good() == other.is_good() {
                prop_assert!(state(one.backend) <= state(other.backend), "then healthy ones");
            }
            if one.state == other.state && state(one.backend) == state(other.backend) {
                let rank = |r: &Replica| topology.member(r.backend).unwrap().rank;
                prop_assert!(rank(one) <= rank(other), "then near ones");
                let primary = topology.policies.get(&PolicyId::new(policy)).map(|found| topology.meant(found.primary));
                prop_assert!(rank(one) < rank(other) || Some(other.backend) != primary, "then the primary");
            }
        }
    }
}
