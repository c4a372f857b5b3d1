//! Converging: replication, repair, relocation and changes of policies, on a real database and backends in memory.

use crate::upkeep_kit::{ABROAD, AT_ONCE, ONCE, TWICE, Union, backend, damage};
use entente_clouds::ErrorKind;
use entente_clouds::guard::Fault;
use entente_model::PolicyId;
use entente_vault::topology::Policy;
use entente_vault::upkeep::repack::Choice;
use entente_vault::upkeep::{Converged, Cursor, Pace, Selection, Unwatched, Watch};
use entente_vault::{Copy, Ledger, ObjectName, Replica, ReplicaState};
use std::time::Duration;

const REFUSED: Fault = Fault::Error { kind: ErrorKind::Unavailable, retryable: true };

#[tokio::test]
async fn what_was_written_once_comes_to_be_twice() {
    let union = Union::new();
    let kept = union.keep_some(TWICE, 30).await;
    let once = union.keep_some(ONCE, 2).await;
    assert_eq!((union.objects(1, 1), union.objects(1, 2)), (32, 0));
    let converged = union.converge(Selection::Unsettled).await;
    assert_eq!((converged.segments, converged.copied, converged.failed), (30, 30, 0));
    assert_eq!(converged.copied_bytes, union.spot(1, 2).objects.total_bytes());
    assert_eq!((union.objects(1, 1), union.objects(1, 2)), (32, 30));
    assert!(union.converge(Selection::All).await.is_settled());
    assert_eq!(union.converge(Selection::Unsettled).await.segments, 0, "what is settled is not looked at again");
    union.spot(1, 1).fail("read", REFUSED);
    union.check(&kept).await;
    union.spot(1, 1).heal();
    union.check(&once).await;
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn what_somebody_else_intends_is_left_to_them_for_a_minute() {
    let mut union = Union::new();
    let kept = union.keep_some(ONCE, 3).await;
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    union.vault.reconfigure(union.topology.clone());
    let fresh = |segment, number| Copy { segment, backend: backend(1, 3), name: ObjectName::new([number; 16]) };
    let intended: Vec<_> =
        (1..).zip(union.live().await).map(|(number, record)| fresh(record.segment, number)).collect();
    union.database.intend(&intended, union.world.now()).await.unwrap();
    let early = union.converge(Selection::All).await;
    assert_eq!((early.copied, early.awaited, early.left), (0, 3, 0));
    assert!(!early.is_settled());
    union.later();
    let taken_over = union.converge(Selection::All).await;
    assert_eq!((taken_over.copied, taken_over.left), (3, 3));
    assert_eq!(union.database.settle(&intended, union.world.now()).await.unwrap(), 0, "they come too late");
    union.check(&kept).await;
}

#[tokio::test]
async fn a_redirect_moves_everything_and_leaves_the_source_empty() {
    let mut union = Union::new();
    let kept = union.keep_some(TWICE, 20).await;
    union.later();
    union.converge(Selection::All).await;
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    let planned = union.vault.survey_as(&union.topology, Selection::On(backend(1, 1)), &mut Unwatched).await.unwrap();
    assert_eq!(planned.segments.objects, 20);
    assert_eq!(planned.copies[&(backend(1, 1), backend(1, 3))].objects, 20);
    assert_eq!(planned.leaving[&backend(1, 1)], planned.segments);
    let now = union.vault.survey(Selection::All, &mut Unwatched).await.unwrap();
    assert!(now.copies.is_empty() && now.leaving.is_empty(), "{now:?}");

    union.vault.reconfigure(union.topology.clone());
    let converged = union.converge(Selection::All).await;
    assert_eq!((converged.copied, converged.left, converged.failed), (20, 20, 0));
    assert_eq!(converged.copied_bytes, planned.segments.bytes);
    let patient = union.vault.remove_left(backend(1, 1), Duration::from_secs(60), &mut Unwatched).await.unwrap();
    assert_eq!((patient.replicas, union.objects(1, 1)), (0, 20));
    union.later();
    let removed = union.vault.remove_left(backend(1, 1), Duration::from_secs(60), &mut Unwatched).await.unwrap();
    assert_eq!((removed.replicas, removed.failed, union.objects(1, 1)), (20, 0, 0));
    assert_eq!(union.whereabouts().await, vec![vec![backend(1, 2), backend(1, 3)]; 20]);
    assert_eq!(union.converge(Selection::On(backend(1, 1))).await.bytes_seen, 0, "only what is reserved ahead");
    union.check(&kept).await;
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn small_segments_become_one_when_their_backend_is_emptied() {
    let mut union = Union::new();
    let kept = union.keep_some(TWICE, 40).await;
    let large = union.keep(ONCE, &vec![7; 3 << 20]).await;
    union.converge(Selection::All).await;
    union.release(kept[39]).await;
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    union.vault.reconfigure(union.topology.clone());
    let source = Selection::On(backend(1, 1));
    let planned = union.vault.survey(source, &mut Unwatched).await.unwrap();
    assert_eq!(planned.copies[&(backend(1, 1), backend(1, 3))].objects, 40);
    assert_eq!(planned.merged[&(backend(1, 1), backend(1, 3))].objects, 39);

    // Others may be about to commit to what has only just become durable.
    let early = union.converge(source).await;
    assert_eq!((early.copied, early.left, early.repacked, early.awaited), (1, 1, 0, 39));
    union.later();
    union.vault.reconfigure(union.topology.clone());
    let converged = union.converge(source).await;
    assert_eq!((converged.copied, converged.repacked, converged.failed), (0, 39, 0));
    assert_eq!(union.objects(1, 3), 2, "a large one, and one for all of the small ones");
    assert_eq!(converged.written, 2, "the new one is at once where the old ones were, and no less safe");
    assert_eq!(union.converge(Selection::Unsettled).await.copied, 0);
    for _ in 0..2 {
        union.later();
        union.vault.remove_left(backend(1, 1), Duration::ZERO, &mut Unwatched).await.unwrap();
        union.vault.collect_on(backend(1, 1), Duration::from_secs(1), &mut Unwatched).await.unwrap();
    }
    assert_eq!(union.objects(1, 1), 0);
    union.check(&kept[..39]).await;
    assert_eq!(union.read(large).await, vec![7; 3 << 20]);
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn what_cannot_be_merged_is_copied_one_by_one() {
    let mut union = Union::new();
    let kept = union.keep_some(TWICE, 10).await;
    union.later();
    union.converge(Selection::All).await;
    // The other copies are where they are wanted, and good; but nothing new can go there.
    union.spot(1, 2).fail("create", REFUSED);
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    union.later();
    let converged = union.converge(Selection::On(backend(1, 1))).await;
    assert_eq!((converged.copied, converged.left, converged.repacked, converged.failed), (10, 10, 0, 0));
    union.check(&kept).await;
    union.later();
    union.vault.remove_left(backend(1, 1), Duration::ZERO, &mut Unwatched).await.unwrap();
    union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    assert_eq!((union.objects(1, 1), union.objects(1, 2), union.objects(1, 3)), (0, 10, 10));
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn a_small_segment_that_is_damaged_keeps_none_of_the_others() {
    let mut union = Union::new();
    let kept = union.keep_some(ONCE, 10).await;
    let lost = union.keep(ONCE, &[99; 3000]).await;
    let places = union.database.places(lost, 0, 1).await.unwrap();
    let name = places[0].replicas[0].name;
    let mut bytes = union.spot(1, 1).objects.raw(name).unwrap().to_vec();
    bytes[100] ^= 1;
    union.spot(1, 1).objects.replace(name, bytes.into());
    union.later();
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    union.vault.reconfigure(union.topology.clone());
    let converged = union.converge(Selection::On(backend(1, 1))).await;
    assert_eq!((converged.repacked, converged.unreadable), (10, 1));
    union.check(&kept).await;
}

#[tokio::test]
async fn a_move_that_is_taken_back_costs_no_copy() {
    let mut union = Union::new();
    let kept = union.keep_some(ONCE, 5).await;
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    union.vault.reconfigure(union.topology.clone());
    assert_eq!(union.converge(Selection::All).await.left, 5);
    union.topology.redirects.clear();
    union.vault.reconfigure(union.topology.clone());
    let back = union.converge(Selection::All).await;
    assert_eq!((back.kept, back.copied, back.left), (5, 0, 5));
    union.later();
    for at in [backend(1, 1), backend(1, 3)] {
        union.vault.remove_left(at, Duration::ZERO, &mut Unwatched).await.unwrap();
    }
    assert_eq!(union.whereabouts().await, vec![vec![backend(1, 1)]; 5]);
    assert_eq!((union.objects(1, 1), union.objects(1, 3)), (5, 0));
    union.check(&kept).await;
}

#[tokio::test]
async fn a_policy_that_says_something_else_is_followed() {
    let mut union = Union::new();
    let kept = union.keep_some(TWICE, 4).await;
    union.later();
    union.converge(Selection::All).await;
    let policy = union.topology.policies.get_mut(&TWICE.policy).unwrap();
    (policy.primary, policy.replicas) = (backend(1, 3), vec![]);
    union.vault.reconfigure(union.topology.clone());
    let converged = union.converge(Selection::Of(TWICE.policy)).await;
    assert_eq!((converged.copied, converged.left), (4, 8));
    union.check(&kept).await;
    // A policy that is gone: what is there stays as it is.
    union.topology.policies.remove(&TWICE.policy);
    union.vault.reconfigure(union.topology.clone());
    let converged = union.converge(Selection::All).await;
    assert_eq!((converged.untended, converged.copied, converged.left), (4, 0, 0));
    assert_eq!(union.converge(Selection::Of(PolicyId::new(77))).await.segments, 0);
    union.check(&kept).await;
}

#[tokio::test]
async fn a_copy_that_is_not_what_was_written_does_not_count() {
    let mut union = Union::new();
    let kept = union.keep_some(ONCE, 3).await;
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    union.vault.reconfigure(union.topology.clone());
    // What is read back from the target has a bit that was not written.
    union.spot(1, 3).fail("read", Fault::Corrupt { bit: 40 });
    let converged = union.converge(Selection::All).await;
    assert_eq!((converged.copied, converged.left, converged.failed), (0, 0, 3));
    assert!(converged.last_error.unwrap().contains("reads back other"));
    let records = union.live().await;
    assert!(records.iter().all(|r| r.on(backend(1, 1)).unwrap().state == ReplicaState::Durable));
    assert!(records.iter().all(|r| r.on(backend(1, 3)).unwrap().state == ReplicaState::Intended));
    union.spot(1, 3).heal();
    union.later();
    let converged = union.converge(Selection::All).await;
    assert_eq!((converged.copied, converged.left), (3, 3));
    union.check(&kept).await;
    union.later();
    union.vault.remove_left(backend(1, 1), Duration::ZERO, &mut Unwatched).await.unwrap();
    assert_eq!(union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap().orphans, 3, "the first tries");
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn a_damaged_source_is_put_in_doubt_and_repaired_from_another() {
    let mut union = Union::new();
    let kept = union.keep_some(TWICE, 3).await;
    union.later();
    union.converge(Selection::All).await;
    assert_eq!(damage(&union, backend(1, 1), |bytes| bytes[100] ^= 1).await, 3);
    // A third copy is wanted: the first source is read, and found wrong.
    let policy = union.topology.policies.get_mut(&TWICE.policy).unwrap();
    policy.replicas.push(backend(1, 3));
    union.vault.reconfigure(union.topology.clone());
    let converged = union.converge(Selection::All).await;
    assert_eq!((converged.copied, converged.unreadable), (3, 0));
    let reduced = union.verify().await;
    assert_eq!((reduced.damaged, reduced.reduced), (0, 3), "{:?}", reduced.findings);
    assert!(reduced.is_undamaged() && !reduced.is_clean());
    let converged = union.converge(Selection::Unsettled).await;
    assert_eq!((converged.copied, converged.kept), (3, 0));
    assert!(union.converge(Selection::All).await.is_settled());
    union.later();
    assert_eq!(union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap().orphans, 3, "the damaged ones");
    union.check(&kept).await;
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn a_replica_that_was_doubted_for_nothing_stays() {
    let union = Union::new();
    let kept = union.keep_some(ONCE, 3).await;
    for record in union.live().await {
        let replica = record.replicas[0];
        let copy = Copy { segment: record.segment, backend: replica.backend, name: replica.name };
        union.database.doubt(copy, union.world.now()).await.unwrap();
    }
    union.check(&kept).await;
    let converged = union.converge(Selection::Unsettled).await;
    assert_eq!((converged.kept, converged.copied, union.objects(1, 1)), (3, 0, 3));
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn what_is_good_in_two_halves_is_salvaged() {
    let mut union = Union::new();
    // Two contents in one segment, on two backends; of each backend another one is damaged.
    let (first, second) = (vec![1; 3000], vec![2; 3000]);
    let (a, b) = tokio::join!(union.keep(TWICE, &first), union.keep(TWICE, &second));
    union.later();
    union.converge(Selection::All).await;
    assert_eq!(union.live().await.len(), 1, "they came together");
    damage(&union, backend(1, 1), |bytes| bytes[100] ^= 1).await;
    damage(&union, backend(1, 2), |bytes| *bytes.last_mut().unwrap() ^= 1).await;
    for at in [backend(1, 1), backend(1, 2)] {
        assert_eq!(union.scrub(at).await.wrong_bytes, 1);
    }
    let converged = union.converge(Selection::Unsettled).await;
    assert_eq!((converged.repacked, converged.unreadable), (1, 0));
    union.later();
    union.converge(Selection::All).await;
    union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    assert_eq!((union.read(a).await, union.read(b).await), (first, second));
    assert_eq!(union.whereabouts().await, [[backend(1, 1), backend(1, 2)]]);
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn nothing_can_be_done_without_a_good_replica_and_the_rest_is_done() {
    let mut union = Union::new();
    let lost = union.keep(TWICE, &[9; 3000]).await;
    damage(&union, backend(1, 1), |bytes| bytes[100] ^= 1).await;
    let kept = union.keep_some(TWICE, 3).await;
    union.later();
    let converged = union.converge(Selection::All).await;
    assert_eq!((converged.copied, converged.unreadable), (3, 1));
    union.check(&kept).await;
    let verified = union.verify().await;
    assert!(verified.damaged > 0);
    let segments = union.database.places(lost, 0, 1).await.unwrap();
    assert_eq!(segments[0].replicas.iter().filter(|replica| replica.state == ReplicaState::Damaged).count(), 1);
    assert_eq!(union.objects(1, 1), 4, "what is left of it is kept");
}

#[tokio::test]
async fn what_is_unreadable_rests_and_holds_up_nobody() {
    let mut union = Union::new();
    let lost = union.keep_some(TWICE, 2).await;
    damage(&union, backend(1, 1), |bytes| bytes[100] ^= 1).await;
    union.later();
    let found = union.converge(Selection::Unsettled).await;
    assert_eq!((found.copied, found.unreadable), (0, 2));
    let read_before = union.spot(1, 1).names("read");
    let kept = union.keep_some(TWICE, 3).await;
    let others = union.converge(Selection::Unsettled).await;
    assert_eq!((others.copied, others.unreadable), (3, 2), "the others are not held up");
    let read = union.spot(1, 1).names("read").split_off(read_before.len());
    assert!(!read.iter().any(|name| read_before.contains(name)), "it is not read again at once");
    // What was wrong was only on its way to us: in a while it is found to be good.
    for name in std::collections::BTreeSet::from_iter(read_before) {
        let mut bytes = union.spot(1, 1).objects.raw(name).unwrap().to_vec();
        bytes[100] ^= 1;
        union.spot(1, 1).objects.replace(name, bytes.into());
    }
    union.later();
    let mended = union.converge(Selection::Unsettled).await;
    assert_eq!((mended.copied, mended.unreadable), (2, 0));
    union.check(&lost).await;
    union.check(&kept).await;
}

#[tokio::test]
async fn a_backend_that_is_down_holds_up_only_its_own() {
    let mut union = Union::new();
    let kept = union.keep_some(TWICE, 20).await;
    let abroad = union.keep_some(ABROAD, 20).await;
    union.spot(1, 2).fail("create", REFUSED);
    union.later();
    let converged = union.converge(Selection::All).await;
    assert_eq!((converged.copied, converged.failed), (20, 20));
    assert!(union.spot(1, 2).count("create") < 15, "it is left alone after a few failures");
    union.spot(1, 2).heal();
    union.later();
    assert_eq!(union.converge(Selection::Unsettled).await.copied, 20);
    union.check(&kept).await;
    union.check(&abroad).await;
}

/// Stops after so many looks.
struct Impatient(std::cell::Cell<u32>);

impl Watch for Impatient {
    fn progress(&mut self, _what: &'static str, _done: u64) {}

    fn stop(&self) -> bool {
        self.0.set(self.0.get().saturating_sub(1));
        self.0.get() == 0
    }
}

// The clock runs while the database is at work: slices end early.
#[tokio::test(start_paused = true)]
async fn it_goes_on_at_its_cursor_in_another_process() {
    let mut union = Union::new();
    let kept = union.keep_some(ONCE, 120).await;
    union.later();
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    for selection in [Selection::All, Selection::On(backend(1, 3))] {
        let (mut cursor, mut calls) = (None, 0);
        loop {
            let vault = union.restarted();
            // So slow that no two segments come together: none are merged.
            let pace = Pace { bytes_per_second: Some(1024), parallel: 3 };
            let slice = vault.converge(selection, cursor, &pace, &mut Unwatched).await.unwrap();
            assert!(slice.copied_bytes + slice.repacked_bytes <= 50_000, "a slice is bounded: {slice:?}");
            calls += 1;
            cursor = slice.cursor.map(|cursor| Cursor::from_bytes(&cursor.to_bytes()).unwrap());
            if cursor.is_none() {
                break;
            }
        }
        assert!(calls > 4, "{calls} {selection:?}");
        let settled = converged_anew(&union).await;
        assert!(settled.is_settled(), "{settled:?}");
        union.topology.redirects.insert(backend(1, 3), backend(1, 2));
    }
    union.check(&kept).await;
    // One that is stopped says so, and where to go on.
    let stopped = union.restarted();
    let slice = stopped.converge(Selection::All, None, &Pace::default(), &mut Impatient(1.into())).await.unwrap();
    assert_eq!((slice.stopped, slice.segments, slice.cursor), (true, 0, None));
    assert!(union.verify().await.is_undamaged());
}

async fn converged_anew(union: &Union) -> Converged {
    let vault = union.restarted();
    vault.converge(Selection::All, None, &Pace::default(), &mut Unwatched).await.unwrap()
}

#[tokio::test]
async fn mostly_dead_segments_are_packed_anew_where_they_are_wanted() {
    let mut union = Union::new();
    let plain: Vec<_> = (0..40).map(|number| [number; 3000]).collect();
    let writes = plain.iter().map(|plain| union.keep(TWICE, plain));
    let kept = futures_util::future::join_all(writes).await;
    union.later();
    union.converge(Selection::All).await;
    for (_, content) in kept.iter().enumerate().filter(|(number, _)| number % 10 != 0) {
        union.release(*content).await;
    }
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    union.vault.reconfigure(union.topology.clone());
    let converged = union.converge(Selection::On(backend(1, 1))).await;
    assert!(converged.repacked > 0, "{converged:?}");
    assert!(converged.copied_bytes + converged.repacked_bytes < 40_000, "{converged:?}");
    union.later();
    union.converge(Selection::All).await;
    union.vault.remove_left(backend(1, 1), Duration::ZERO, &mut Unwatched).await.unwrap();
    union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    assert_eq!(union.objects(1, 1), 0);
    for (number, content) in kept.iter().enumerate().filter(|(number, _)| number % 10 == 0) {
        assert_eq!(union.read(*content).await, vec![u8::try_from(number).unwrap(); 3000]);
    }
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn what_cannot_be_deleted_does_not_keep_the_rest() {
    let mut union = Union::new();
    let kept = union.keep_some(ONCE, 6).await;
    let dead = union.keep_some(ABROAD, 4).await;
    for content in &dead {
        union.release(*content).await;
    }
    union.spot(2, 1).fail("delete", REFUSED);
    union.topology.redirects.insert(backend(1, 1), backend(1, 3));
    union.vault.reconfigure(union.topology.clone());
    union.converge(Selection::All).await;
    union.later();
    union.spot(1, 1).objects.replace(ObjectName::new([7; 16]), bytes::Bytes::from_static(b"foreign"));
    union.later();
    let collected = union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    assert!(collected.failed >= 4 && collected.orphans == 1, "{collected:?}");
    assert!(collected.last_error.is_some());
    union.spot(1, 1).fail("delete", REFUSED);
    let removed = union.vault.remove_left(backend(1, 1), Duration::ZERO, &mut Unwatched).await.unwrap();
    assert_eq!((removed.replicas, removed.failed), (0, 6));
    union.spot(1, 1).heal();
    union.spot(2, 1).heal();
    let removed = union.vault.remove_left(backend(1, 1), Duration::ZERO, &mut Unwatched).await.unwrap();
    assert_eq!((removed.replicas, removed.failed), (6, 0));
    assert_eq!(union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap().failed, 0);
    assert_eq!((union.objects(1, 1), union.objects(2, 1)), (0, 0));
    union.check(&kept).await;
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn what_is_left_of_a_damaged_replica_stays_while_nothing_else_is_good() {
    let mut union = Union::new();
    let kept = union.keep_some(TWICE, 1).await;
    union.later();
    union.converge(Selection::All).await;
    // One chunk is all there is: what is damaged here is the end of the object, which nothing refers to.
    let at = backend(1, 1);
    let record = union.live().await.remove(0);
    let replica = *record.on(at).unwrap();
    let copy = |replica: Replica| Copy { segment: record.segment, backend: replica.backend, name: replica.name };
    let mut long = union.spot(1, 1).objects.raw(replica.name).unwrap().to_vec();
    long.push(0);
    union.spot(1, 1).objects.replace(replica.name, long.into());
    union.database.doubt(copy(replica), union.world.now()).await.unwrap();
    // Its policy does not want it any more, and the only other one is taken for good.
    let policy = union.topology.policies.get_mut(&TWICE.policy).unwrap();
    (policy.primary, policy.replicas) = (backend(1, 2), vec![]);
    union.vault = union.restarted();
    assert_eq!(union.converge(Selection::All).await.left, 1);
    let patient = union.vault.remove_left(at, Duration::from_secs(60), &mut Unwatched).await.unwrap();
    assert_eq!((patient.replicas, union.objects(1, 1)), (0, 1), "it has its grace as any other");
    union.later();
    damage(&union, backend(1, 2), |bytes| bytes[100] ^= 1).await;
    assert_eq!(union.scrub(backend(1, 2)).await.wrong_bytes, 1);
    let removed = union.vault.remove_left(at, Duration::from_secs(60), &mut Unwatched).await.unwrap();
    assert_eq!((removed.replicas, union.objects(1, 1)), (0, 1));
    union.check(&kept).await;
    let salvaged = union.converge(Selection::All).await;
    assert_eq!((salvaged.repacked + salvaged.copied, salvaged.unreadable), (1, 0), "{salvaged:?}");
    union.check(&kept).await;
    assert!(union.verify().await.is_undamaged());
}

#[tokio::test]
async fn what_is_in_another_zone_than_its_policy_stays_there() {
    let mut union = Union::new();
    let plain: Vec<_> = (0..4).map(|number| [number; 3000]).collect();
    let kept = futures_util::future::join_all(plain.iter().map(|plain| union.keep(ONCE, plain))).await;
    for content in &kept[1..] {
        union.release(*content).await;
    }
    // The configuration says that the policy is of the other zone.
    let abroad = Policy::single(ABROAD.zone, backend(2, 1));
    union.topology.policies.insert(ONCE.policy, abroad);
    union.later();
    let choice = Choice { live_share_max: 1.0, age_min: Duration::ZERO };
    let repacked = union.vault.repack(choice, &mut Unwatched).await.unwrap();
    assert_eq!((repacked.segments, repacked.chunks), (0, 0), "{repacked:?}");
    assert!(repacked.untended > 0);
    for selection in [Selection::All, Selection::On(backend(1, 1)), Selection::Unsettled] {
        let converged = union.converge(selection).await;
        assert_eq!((converged.copied, converged.repacked), (0, 0), "{converged:?}");
    }
    assert_eq!((union.objects(2, 1), union.objects(2, 2)), (0, 0));
    union.check(&kept[..1]).await;
}
