use super::*;
use crate::ObjectName;
use crate::seal::{HEADER_BYTES, TAG_BYTES};
use crate::topology::Policy;
use entente_clouds::memory::MemoryBackend;
use entente_custodians::local::LocalCustodian;
use entente_model::{Checksum, ContentId, Place, PolicyId, SegmentId, ZoneId};
use entente_world::World;
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_millis(10_000_000);
const STATES: [ReplicaState; 5] = [
    ReplicaState::Intended,
    ReplicaState::Durable,
    ReplicaState::Damaged,
    ReplicaState::Leaving,
    ReplicaState::Condemned,
];

type Named = (i64, i64);

fn backend((zone, number): (i64, i64)) -> BackendId {
    BackendId::new(zone * 100 + number)
}

/// Zones 1 to 3 with backends 0 to 3 each; policies with their zones, what they name (of whatever zone), and redirects.
fn topology(policies: &[(i64, Vec<Named>)], redirects: &[(Named, Named)]) -> Topology {
    let mut topology = Topology::default();
    for zone in 1..4 {
        let world = World::real();
        let custodian = Arc::new(LocalCustodian::in_memory(world.clone()));
        let ids = (ZoneId::new(zone), backend((zone, 0)), PolicyId::new(0));
        let one = Topology::single(ids, Arc::new(MemoryBackend::new(world)), custodian);
        for (id, mut one) in one.zones {
            let member = one.backends.values().next().unwrap().clone();
            one.backends.extend((1..4).map(|number| (backend((zone, number)), member.clone())));
            topology.zones.insert(id, one);
        }
    }
    topology.redirects = redirects.iter().map(|(from, to)| (backend(*from), backend(*to))).collect();
    for (number, (zone, named)) in (1..).zip(policies) {
        let mut named = named.iter().copied().map(backend);
        let mut policy = Policy::single(ZoneId::new(*zone), named.next().unwrap());
        policy.replicas = named.collect();
        topology.policies.insert(PolicyId::new(number), policy);
    }
    topology
}

/// Zone, number, state, age in milliseconds.
type Drawn = ((i64, i64), usize, i64);

fn record(policy: i64, live: u64, drawn: &[Drawn]) -> SegmentRecord {
    let replica = |(serial, &(at, state, age)): (u8, &Drawn)| Replica {
        backend: backend(at),
        name: ObjectName::new([serial; 16]),
        state: STATES[state],
        since: Timestamp::from_millis(NOW.millis() - age),
    };
    let mut replicas: Vec<_> = (0..).zip(drawn).map(replica).collect();
    replicas.sort_by_key(|replica| replica.backend);
    replicas.dedup_by_key(|replica| replica.backend);
    SegmentRecord {
        segment: SegmentId::new(1),
        policy: PolicyId::new(policy),
        state: SegmentState::Live,
        size: 100,
        live,
        created_at: NOW,
        dead_since: None,
        replicas,
    }
}

fn place() -> impl Strategy<Value = (i64, i64)> {
    (1_i64..4, 0_i64..4)
}

fn one_zone() -> impl Strategy<Value = Vec<Drawn>> {
    proptest::collection::vec(((1_i64..2, 0_i64..4), 0_usize..5, -1000_i64..200_000), 0..5)
}

proptest! {
    #[test]
    fn no_copy_is_made_outside_the_zone(
        policies in proptest::collection::vec((1_i64..4, proptest::collection::vec(place(), 1..5)), 1..4),
        redirects in proptest::collection::vec((place(), place()), 0..4),
        drawn in proptest::collection::vec((place(), 0_usize..5, -1000_i64..200_000), 0..6),
    ) {
        let topology = topology(&policies, &redirects);
        for policy in 1..5 {
            let record = record(policy, 50, &drawn);
            let Ok(needs) = needs(&topology, &record, NOW) else { continue };
            let zone = topology.policies[&record.policy].zone;
            for target in needs.copies.iter().chain(&needs.stays).chain(&needs.mends) {
                prop_assert_eq!(topology.zone_of(*target), Some(zone));
            }
            // Nor is anything touched that is in part elsewhere.
            prop_assert!(record.replicas.iter().all(|replica| topology.zone_of(replica.backend) == Some(zone)));
        }
    }

    #[test]
    fn nothing_leaves_before_all_that_is_wanted_is_durable(
        named in proptest::collection::vec((1_i64..2, 0_i64..4), 1..5),
        redirects in proptest::collection::vec(((1_i64..2, 0_i64..4), (1_i64..2, 0_i64..4)), 0..3),
        drawn in one_zone(),
    ) {
        let topology = topology(&[(1, named)], &redirects);
        let mut record = record(1, 50, &drawn);
        let Ok(needs) = needs(&topology, &record, NOW) else { return Ok(()) };
        let meant = topology.meant_by(&topology.policies[&record.policy]);
        prop_assert_eq!(needs.wanted as usize, meant.len());
        let is_durable = |record: &SegmentRecord, backend: BackendId| {
            record.on(backend).is_some_and(|replica| replica.state == ReplicaState::Durable)
        };
        prop_assert_eq!(needs.is_complete(), meant.iter().all(|backend| is_durable(&record, *backend)));
        prop_assert!(needs.leaves.is_empty() || needs.is_complete());
        prop_assert!(needs.leaves.iter().all(|backend| !meant.contains(backend)));
        // When all of them have left, what is wanted is there.
        record.replicas.retain(|replica| !needs.leaves.contains(&replica.backend));
        prop_assert!(needs.leaves.is_empty() || meant.iter().all(|backend| is_durable(&record, *backend)));
        // Each that is meant is durable, or something is done about it, once.
        for backend in &meant {
            let lists = [&needs.copies, &needs.stays, &needs.mends, &needs.awaited];
            let times = lists.iter().filter(|list| list.contains(backend)).count();
            prop_assert_eq!(times, usize::from(!is_durable(&record, *backend)));
        }
    }

    /// Done again and again, what is needed is done, whatever it began with (if something good is there).
    #[test]
    fn it_ends(named in proptest::collection::vec((1_i64..2, 0_i64..4), 1..5), drawn in one_zone()) {
        let topology = topology(&[(1, named)], &[]);
        let mut record = record(1, 50, &drawn);
        for round in 0..4 {
            let now = NOW.after(INTENT_GRACE * round);
            let Ok(needs) = needs(&topology, &record, now) else { return Ok(()) };
            for target in needs.copies.iter().chain(&needs.stays).chain(&needs.mends) {
                record.replicas.retain(|replica| replica.backend != *target);
                let name = ObjectName::new([9; 16]);
                record.replicas.push(Replica { backend: *target, name, state: ReplicaState::Durable, since: now });
            }
            for leaving in &needs.leaves {
                record.replicas.iter_mut().filter(|r| r.backend == *leaving).for_each(|r| r.state = ReplicaState::Leaving);
            }
        }
        let rest = needs(&topology, &record, NOW.after(INTENT_GRACE * 5)).unwrap();
        prop_assert!(rest.is_complete() && rest.leaves.is_empty(), "{:?}", rest);
    }
}

#[test]
fn the_dead_and_the_strange_are_left_alone() {
    let topology = topology(&[(1, vec![(1, 0), (1, 1)])], &[]);
    let held = [((1, 0), 1, 0)];
    assert_eq!(needs(&topology, &record(1, 0, &held), NOW), Ok(Needs::default()));
    assert_eq!(needs(&topology, &record(2, 50, &held), NOW), Err(LeftAlone::NoPolicy));
    assert_eq!(needs(&topology, &record(1, 50, &[((2, 0), 1, 0)]), NOW), Err(LeftAlone::OtherZone));
    let lacking = needs(&topology, &record(1, 50, &held), NOW).unwrap();
    assert_eq!(lacking, Needs { wanted: 2, copies: vec![backend((1, 1))], ..Needs::default() });
    let young = needs(&topology, &record(1, 50, &[((1, 0), 1, 0), ((1, 1), 0, 100)]), NOW).unwrap();
    assert_eq!(young, Needs { wanted: 2, awaited: vec![backend((1, 1))], ..Needs::default() });
}

#[test]
fn a_redirect_is_a_copy_and_then_a_leave() {
    let topology = topology(&[(1, vec![(1, 0)])], &[((1, 0), (1, 3))]);
    let before = needs(&topology, &record(1, 50, &[((1, 0), 1, 0)]), NOW).unwrap();
    assert_eq!(before, Needs { wanted: 1, copies: vec![backend((1, 3))], ..Needs::default() });
    let after = needs(&topology, &record(1, 50, &[((1, 0), 1, 0), ((1, 3), 1, 0)]), NOW).unwrap();
    assert_eq!(after, Needs { wanted: 1, leaves: vec![backend((1, 0))], ..Needs::default() });
}

#[test]
fn only_what_leaves_room_for_others_is_merged() {
    let chunks = |count: u32, length: u64| -> Vec<ChunkRecord> {
        let place = |chunk| Place { chunk, segment: SegmentId::new(1), offset: 0, length, checksum: Checksum([0; 16]) };
        (0..count).map(|chunk| ChunkRecord { content: ContentId::new(1), place: place(chunk) }).collect()
    };
    for (count, length, is_merged) in
        [(1, 4096, true), (128, 4096, true), (129, 4096, false), (4, 257 * 1024, true), (1, 257 * 1024 + 1, false)]
    {
        assert_eq!(is_worth_merging(&chunks(count, length)), is_merged, "{count} of {length}");
    }
    // All that comes packed with others is small enough: 256 KiB, with a header and a tag for each 64 KiB.
    assert!(256 * 1024 + HEADER_BYTES + 4 * TAG_BYTES <= usize::try_from(PACKED_BYTES_MAX).unwrap());
}
