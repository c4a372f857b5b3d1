use crate::backend::SlowBackend;
use crate::kit::{Kit, SCOPE, plaintext};
use crate::upkeep_kit::{ONCE, Union, backend};
use entente_custodians::local::LocalCustodian;
use entente_model::BackendId;
use entente_vault::upkeep::collect::Grace;
use entente_vault::upkeep::repack::Choice;
use entente_vault::upkeep::{Unwatched, safety};
use entente_vault::{Ledger, Limits, ObjectName, Stretch, Topology, Vault};
use entente_world::World;
use std::sync::Arc;
use std::time::Duration;

const AT_ONCE: Grace = Grace { segments: Duration::ZERO, orphans: Duration::ZERO };

/// Waits until the clock shows another millisecond, so that nothing is too young for a grace of zero.
fn a_moment_later(kit: &Kit) {
    let now = kit.world.now();
    while kit.world.now() == now {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn what_was_never_committed_is_collected_after_its_grace() {
    let kit = Kit::new();
    let written = kit.write(&plaintext(5000)).await.unwrap();
    a_moment_later(&kit);
    let patient = kit.vault.collect(Grace::default(), &mut Unwatched).await.unwrap();
    assert_eq!((patient.segments, kit.objects.names().len()), (0, 1));
    let collected = kit.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    assert!(collected.segments >= 1);
    assert!(kit.objects.names().is_empty());
    // Its upload was slower than the grace: it is refused, and whole.
    let commit =
        move |tx: &mut entente_testkit::database::Tx<'_>| entente_testkit::database::contents::commit(tx, &written);
    let error = kit.database.transact("commit", commit).await.unwrap_err();
    assert_eq!(error.kind, entente_testkit::database::ErrorKind::Condemned);
    assert!(kit.verify().await.is_clean());
}

#[tokio::test]
async fn what_was_reserved_ahead_and_collected_is_not_written_to() {
    let kit = Kit::new();
    kit.keep(&plaintext(100)).await;
    a_moment_later(&kit);
    assert!(kit.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap().segments > 1);
    kit.keep(&plaintext(100)).await;
    assert!(kit.verify().await.is_clean());
}

#[tokio::test]
async fn a_foreign_object_is_an_orphan_and_goes() {
    let kit = Kit::new();
    kit.objects.replace(entente_vault::ObjectName::new([7; 16]), bytes::Bytes::from_static(b"foreign"));
    assert_eq!(kit.verify().await.orphans, 1);
    let young = kit.vault.collect(Grace::default(), &mut Unwatched).await.unwrap();
    assert_eq!((young.orphans, young.young_orphans), (0, 1));
    assert_eq!(kit.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap().orphans, 1);
    assert!(kit.objects.names().is_empty());
}

#[tokio::test]
async fn what_a_restored_database_does_not_know_is_kept_for_a_grace_of_its_own() {
    let mut union = Union::new();
    let grace = Grace { segments: Duration::from_secs(60), orphans: Duration::from_secs(60) };
    let objects = union.spot(1, 1).objects.clone();
    let [one, two, three] = [1, 2, 3].map(|number| ObjectName::new([number; 16]));
    // What came after the backup: good, old, and unknown.
    for name in [one, two, three] {
        objects.replace(name, bytes::Bytes::from_static(b"good"));
    }
    union.later();
    let first = union.vault.collect(grace, &mut Unwatched).await.unwrap();
    assert_eq!((first.orphans, first.young_orphans, objects.names().len()), (0, 3, 3));
    // Of one it is forgotten, as if it had come to be known meanwhile; another one is gone.
    objects.remove(one);
    let stretch = Stretch { after: Some(one), upto: Some(two) };
    union.database.note_orphans(backend(1, 1), stretch, &[], union.world.now()).await.unwrap();
    union.later();
    let second = union.vault.collect(grace, &mut Unwatched).await.unwrap();
    assert_eq!((second.orphans, second.young_orphans), (1, 1), "each counts from when it was first seen");
    assert_eq!(objects.names().into_iter().collect::<Vec<_>>(), [two]);
    let now = union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    assert_eq!((now.orphans, now.young_orphans, objects.names().len()), (1, 0, 0), "who asks for it has it at once");
    let later = union.world.now();
    let noted = union.database.note_orphans(backend(1, 1), Stretch::default(), &[two], later).await.unwrap();
    assert_eq!(noted, [(two, later)], "nothing is noted of what is gone");
}

#[tokio::test]
async fn what_a_backup_has_reserved_has_a_grace_of_its_own() {
    let mut union = Union::new();
    let grace = Grace { segments: Duration::from_secs(60), orphans: Duration::from_secs(60) };
    // For the database that is restored it was never committed.
    let pieces = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"good"))]);
    union.vault.write(ONCE, u64::MAX, pieces).await.unwrap();
    union.later();
    let first = union.vault.collect(grace, &mut Unwatched).await.unwrap();
    assert_eq!((first.segments, union.objects(1, 1)), (0, 1), "however long ago it was reserved");
    union.later();
    let second = union.vault.collect(grace, &mut Unwatched).await.unwrap();
    assert!(second.segments > 0);
    assert_eq!(union.objects(1, 1), 0);
}

#[tokio::test]
async fn an_object_that_has_only_just_come_is_kept_however_long_its_name_is_noted() {
    let union = Union::new();
    let name = ObjectName::new([7; 16]);
    union.spot(1, 1).objects.replace(name, bytes::Bytes::from_static(b"young"));
    let long_ago = union.world.now().before(Duration::from_secs(1_000_000));
    union.database.note_orphans(backend(1, 1), Stretch::default(), &[name], long_ago).await.unwrap();
    let collected = union.vault.collect(Grace::default(), &mut Unwatched).await.unwrap();
    assert_eq!((collected.orphans, collected.young_orphans), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_written_while_a_collection_lists_is_no_orphan() {
    let (kit, backend) = SlowBackend::kit(Limits::default());
    // Another process collects. By its clock, everything is old.
    let later = World::simulated(2, kit.world.now().after(Duration::from_secs(3600)));
    let custodian = Arc::new(LocalCustodian::in_memory(later.clone()));
    let ids = (SCOPE.zone, BackendId::new(1), SCOPE.policy);
    let topology = Topology::single(ids, Arc::new(backend.clone()), custodian);
    let beside = Vault::new(later, Arc::new(kit.database.clone()), topology, Limits::default());
    kit.objects.replace(entente_vault::ObjectName::new([7; 16]), bytes::Bytes::from_static(b"foreign"));
    let plain = plaintext(5000);
    let write = async {
        let content = kit.keep(&plain).await;
        backend.let_listings_go_on();
        content
    };
    let mut unwatched = Unwatched;
    let (collected, content) = tokio::join!(beside.collect(AT_ONCE, &mut unwatched), write);
    assert_eq!(collected.unwrap().orphans, 1);
    assert_eq!(kit.read(content, 0..5000).await.unwrap(), plain);
}

#[tokio::test]
async fn mostly_dead_segments_are_repacked_and_everything_still_reads() {
    let kit = Kit::new();
    let writes = (0..40_usize).map(|i| {
        let kit = &kit;
        async move { (i, kit.keep(&plaintext(1000 + i)).await) }
    });
    let contents = futures_util::future::join_all(writes).await;
    for (_, content) in contents.iter().filter(|(i, _)| i % 8 != 0) {
        kit.release(*content).await;
    }
    let before = kit.objects.total_bytes();
    let choice = Choice { live_share_max: 0.9, age_min: Duration::ZERO };
    a_moment_later(&kit);
    let repacked = kit.vault.repack(choice, &mut Unwatched).await.unwrap();
    assert!(repacked.chunks > 0 && repacked.unreadable == 0, "{repacked:?}");
    a_moment_later(&kit);
    kit.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    assert!(kit.objects.total_bytes() < before / 2);
    for (i, content) in contents.iter().filter(|(i, _)| i % 8 == 0) {
        assert_eq!(kit.read(*content, 0..u64::MAX).await.unwrap(), plaintext(1000 + i));
    }
    assert!(kit.verify().await.is_clean());
}

#[tokio::test]
async fn a_reader_follows_a_chunk_that_moves() {
    let kit = Kit::new();
    let (kept, dropped) = tokio::join!(kit.keep(&[1; 5000]), kit.keep(&[2; 5000]));
    let manifest = kit.database.read(|tx| entente_testkit::database::contents::by_id(tx, kept)).unwrap().unwrap();
    let places = kit.database.read(|tx| entente_testkit::database::contents::places(tx, kept, 0, 10)).unwrap();
    kit.release(dropped).await;
    a_moment_later(&kit);
    kit.vault.repack(Choice { live_share_max: 1.0, age_min: Duration::ZERO }, &mut Unwatched).await.unwrap();
    kit.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    // The places are those of before; the object may be gone.
    let mut reading = kit.vault.read(manifest, places, 0..5000);
    assert_eq!(reading.next().await.unwrap().unwrap(), vec![1; 5000]);
}

#[test]
fn grace_periods_are_in_order() {
    assert!(safety::RESERVATION_AGE_MAX * 2 < safety::COLLECT_GRACE_BESIDE_A_SERVER);
    assert!(safety::RESERVATION_AGE_MAX * 2 < safety::UNUSED_AGE_MIN);
    assert!(safety::COLLECT_GRACE_BESIDE_A_SERVER < safety::COLLECT_GRACE);
}
