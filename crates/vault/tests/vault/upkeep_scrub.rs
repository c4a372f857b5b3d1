//! A scrub finds what is not as it must be, on either side, and nothing else.

use crate::upkeep_kit::{ONCE, TWICE, Union, backend, damage};
use bytes::Bytes;
use entente_clouds::ErrorKind;
use entente_clouds::guard::Fault;
use entente_vault::upkeep::scrub::Found;
use entente_vault::upkeep::{Pace, Selection, Unwatched};
use entente_vault::{ObjectName, ReplicaState};

#[tokio::test]
async fn all_is_well() {
    let union = Union::new();
    union.keep_some(TWICE, 20).await;
    union.keep(ONCE, &vec![1; 9 * 1024 * 1024]).await;
    let first = union.scrub(backend(1, 1)).await;
    assert_eq!((first.objects, first.replicas, first.chunks, first.damaged()), (22, 22, 22, 0));
    assert_eq!(first.bytes, union.spot(1, 1).objects.total_bytes());
    let second = union.scrub(backend(1, 2)).await;
    assert_eq!((second.objects, second.replicas, second.cursor), (0, 0, None));
    assert!(second.awaited >= 20);
    assert!(first.findings.is_empty() && second.findings.is_empty());
}

#[tokio::test]
async fn each_kind_of_damage_is_found_told_and_repaired() {
    let mut union = Union::new();
    let kept = union.keep_some(TWICE, 8).await;
    union.later();
    union.converge(Selection::All).await;
    let live = union.live().await;
    let at = backend(1, 2);
    let objects = &union.spot(1, 2).objects;
    let name = |number: usize| live[number].on(at).unwrap().name;
    let mut wrong = objects.raw(name(0)).unwrap().to_vec();
    wrong[700] ^= 4;
    objects.replace(name(0), wrong.into());
    objects.remove(name(1));
    let short = objects.raw(name(2)).unwrap();
    objects.replace(name(2), short.slice(..1000));
    let mut long = objects.raw(name(3)).unwrap().to_vec();
    long.push(0);
    objects.replace(name(3), long.into());
    let foreign = ObjectName::new([0xff; 16]);
    objects.replace(foreign, Bytes::from_static(b"foreign"));

    let found = union.scrub(at).await;
    assert_eq!((found.wrong_bytes, found.missing, found.wrong_size, found.unknown), (1, 1, 2, 1), "{found:?}");
    assert_eq!((found.replicas, found.damaged(), found.unknown_bytes, found.findings.len()), (8, 4, 7, 5));
    assert!(
        found.findings.iter().any(|found| matches!(found, Found::WrongBytes { content, .. } if *content == kept[0]))
    );
    assert!(found.findings.iter().any(|found| matches!(found, Found::Unknown { name, .. } if *name == foreign)));
    let damaged = union.live().await;
    let damaged = damaged.iter().filter(|record| record.on(at).unwrap().state == ReplicaState::Damaged).count();
    assert_eq!(damaged, 4);
    let again = union.scrub(at).await;
    assert_eq!((again.damaged(), again.damaged_before, again.replicas), (0, 4, 4));

    let converged = union.converge(Selection::Unsettled).await;
    assert_eq!((converged.copied, converged.kept, converged.unreadable), (4, 0, 0));
    let after = union.scrub(at).await;
    assert_eq!((after.damaged(), after.damaged_before, after.replicas), (0, 0, 8));
    assert_eq!(after.unknown, 4, "what was repaired has a new name; the missing one left nothing");
    union.check(&kept).await;
}

#[tokio::test]
async fn what_nothing_refers_to_may_be_wrong() {
    let union = Union::new();
    let (kept, gone) = tokio::join!(union.keep(ONCE, &[1; 3000]), union.keep(ONCE, &[2; 3000]));
    union.release(gone).await;
    damage(&union, backend(1, 1), |bytes| *bytes.last_mut().unwrap() ^= 1).await;
    assert_eq!(union.scrub(backend(1, 1)).await.damaged(), 0);
    union.read(kept).await;
}

#[tokio::test]
async fn it_goes_on_at_its_cursor() {
    let union = Union::new();
    let kept = union.keep_some(ONCE, 60).await;
    assert_eq!(damage(&union, backend(1, 1), |bytes| bytes[100] ^= 1).await, 60);
    // A listing in pages of which each is a slice.
    let pace = Pace { bytes_per_second: Some(20_000), parallel: 2 };
    let (mut cursor, mut calls, mut found) = (None, 0, 0);
    loop {
        let slice = union.restarted().scrub(backend(1, 1), cursor, &pace, &mut Unwatched).await.unwrap();
        (cursor, calls, found) = (slice.cursor, calls + 1, found + slice.wrong_bytes);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((found, kept.len()), (60, 60));
    assert!(calls >= 1);
}

#[tokio::test]
async fn a_backend_that_fails_is_not_taken_for_damaged() {
    let union = Union::new();
    let kept = union.keep_some(ONCE, 10).await;
    let spot = union.spot(1, 1);
    for operation in ["list", "read", "stat"] {
        spot.fail(operation, Fault::Error { kind: ErrorKind::Unavailable, retryable: true });
        let found = union.scrub(backend(1, 1)).await;
        assert_eq!(found.damaged(), 0, "{operation}");
        assert_eq!(found.failed > 0, operation != "stat", "{operation}: {found:?}");
        spot.heal();
    }
    // One whose bytes cannot be read while the backend answers is damaged; a bit that flips on its way once is not.
    spot.fail("read", Fault::Error { kind: ErrorKind::Failed, retryable: false });
    assert_eq!(union.scrub(backend(1, 1)).await.unreadable, 10);
    spot.heal();
    assert_eq!(union.converge(Selection::Unsettled).await.kept, 10);
    union.check(&kept).await;
}
