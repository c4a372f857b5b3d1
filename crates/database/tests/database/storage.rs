//! Backends, zones and policies by name, and what would be lost with a backend.

use crate::kit::Kit;
use entente_database::backends::{self, Amount, Backend, Standing};
use entente_database::policies::{self, Reach, StoragePolicy};
use entente_database::whereabouts::{self, Noted};
use entente_database::zones::{self, Zone};
use entente_database::{Database, Error, ErrorKind, Tx, contents};
use entente_model::{
    BackendId, Checksum, ContentId, EnterpriseId, EpochId, Manifest, Place, PolicyId, SegmentId, Sha1, Timestamp,
    WrappedDataKey, ZoneId,
};
use entente_vault::{Holders, Ledger, ObjectName, WrittenSegment};

const ONE: BackendId = BackendId::new(1);
const TWO: BackendId = BackendId::new(2);
const NOW: Timestamp = Timestamp::from_millis(1_000);

async fn change(database: &Database, change: impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static) {
    database.transact("change", change).await.unwrap();
}

async fn two_backends() -> (Kit, Database) {
    let kit = Kit::new();
    let database = kit.open();
    let two = Backend { id: TWO, name: "two".to_owned(), zone: ZoneId::new(1), standing: Standing::Configured };
    change(&database, move |tx| backends::put(tx, &two, NOW)).await;
    (kit, database)
}

/// A committed content whose only segment is meant for both backends, and durable on those that are named.
async fn store(database: &Database, number: u8, durable: &[BackendId]) -> SegmentId {
    let name = |backend: BackendId| {
        ObjectName::new([number, backend.number() as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    };
    let intents = vec![vec![(ONE, name(ONE)), (TWO, name(TWO))]];
    let segment = database.reserve(PolicyId::new(1), &intents, NOW).await.unwrap()[0];
    let place = Place { chunk: 0, segment, offset: 0, length: 100, checksum: Checksum([0; 16]) };
    let manifest = Manifest {
        content: ContentId::new(i64::from(number) + 1),
        enterprise: EnterpriseId::new(1),
        zone: ZoneId::new(1),
        policy: PolicyId::new(1),
        size: 10,
        sha1: Some(Sha1([0; 20])),
        key: WrappedDataKey { epoch: EpochId::new(1), bytes: vec![0; 40] },
        customer: None,
        places: vec![place],
    };
    let holders = durable.iter().copied().collect::<Holders>();
    let written = entente_vault::Written { manifest, segments: vec![WrittenSegment { segment, size: 100, holders }] };
    database.transact("commit content", move |tx| contents::commit(tx, &written)).await.unwrap();
    segment
}

#[tokio::test]
async fn a_new_database_has_the_embedded_default() {
    let (_kit, database) = two_backends().await;
    let names: Vec<_> = database.read(backends::all).unwrap().into_iter().map(|row| (row.id, row.name)).collect();
    assert_eq!(names, [(ONE, "local".to_owned()), (TWO, "two".to_owned())]);
    let zone = Zone { id: ZoneId::new(1), name: "default".to_owned(), standing: Standing::Configured };
    assert_eq!(database.read(zones::all).unwrap(), [zone]);
    let policy = StoragePolicy {
        id: PolicyId::new(1),
        name: "default".to_owned(),
        zone: ZoneId::new(1),
        reach: Reach::Default,
        standing: Standing::Configured,
    };
    assert_eq!(database.read(policies::all).unwrap(), std::slice::from_ref(&policy));
    assert_eq!(database.read(|tx| policies::by_name(tx, "default")).unwrap(), Some(policy));
    assert_eq!(database.read(|tx| backends::by_name(tx, "three")).unwrap(), None);
}

#[tokio::test]
async fn what_is_put_again_changes() {
    let (_kit, database) = two_backends().await;
    let gone = Backend { id: TWO, name: "two".to_owned(), zone: ZoneId::new(7), standing: Standing::Removed };
    let put = gone.clone();
    change(&database, move |tx| backends::put(tx, &put, NOW)).await;
    assert_eq!(database.read(|tx| backends::by_name(tx, "two")).unwrap(), Some(gone));
    let taken =
        Backend { id: BackendId::new(3), name: "two".to_owned(), zone: ZoneId::new(1), standing: Standing::Removed };
    let twice = database.transact("put", move |tx| backends::put(tx, &taken, NOW)).await;
    assert_eq!(twice.unwrap_err().kind, ErrorKind::Duplicate, "a name is of one backend");
}

#[tokio::test]
async fn holdings_count_what_contents_were_committed_to() {
    let (_kit, database) = two_backends().await;
    store(&database, 1, &[ONE, TWO]).await;
    store(&database, 2, &[ONE]).await;
    let name = ObjectName::new([9; 16]);
    database.reserve(PolicyId::new(1), &[vec![(ONE, name)]], NOW).await.unwrap();
    let (one, two) =
        database.read(|tx| Ok::<_, Error>((backends::holdings(tx, ONE)?, backends::holdings(tx, TWO)?))).unwrap();
    assert_eq!((one.durable, one.durable_bytes, one.intended), (2, 200, 0));
    assert_eq!((two.durable, two.durable_bytes, two.intended), (1, 100, 1));
    let held = database.read(|tx| policies::holds(tx, PolicyId::new(1))).unwrap();
    assert_eq!(held, Amount { segments: 2, bytes: 200 });
    assert_eq!(database.read(|tx| zones::contents(tx, ZoneId::new(1))).unwrap(), 2);
    assert_eq!(database.read(|tx| zones::contents(tx, ZoneId::new(2))).unwrap(), 0);
}

#[tokio::test]
async fn only_what_is_durable_elsewhere_is_forgotten() {
    let (_kit, database) = two_backends().await;
    let both = store(&database, 1, &[ONE, TWO]).await;
    let alone = store(&database, 2, &[ONE]).await;
    let sole = |database: &Database| database.read(|tx| backends::sole(tx, ONE)).unwrap();
    assert_eq!(sole(&database).segments, 0, "it is configured itself");
    let forget = |tx: &mut Tx<'_>| backends::forget_replicas(tx, ONE, 10);
    assert_eq!(database.transact("forget", forget).await.unwrap(), 0, "nothing of one that is configured");
    let one = Backend { id: ONE, name: "local".to_owned(), zone: ZoneId::new(1), standing: Standing::Removed };
    change(&database, move |tx| backends::put(tx, &one, NOW)).await;
    assert_eq!(sole(&database), Amount { segments: 1, bytes: 100 });
    assert_eq!(database.transact("forget", forget).await.unwrap(), 1);
    assert_eq!(database.transact("forget", forget).await.unwrap(), 0);
    let on_one = |segments: Vec<entente_vault::SegmentRecord>| segments[0].on(ONE).is_some();
    assert!(!on_one(database.segments(&[both]).await.unwrap()));
    assert!(on_one(database.segments(&[alone]).await.unwrap()));
    // The other one goes too: then the first would have been the only copy of nothing, and this one is of something.
    let two = Backend { id: TWO, name: "two".to_owned(), zone: ZoneId::new(1), standing: Standing::Removed };
    change(&database, move |tx| backends::put(tx, &two, NOW)).await;
    assert_eq!(database.read(|tx| backends::sole(tx, TWO)).unwrap().segments, 1);
}

#[tokio::test]
async fn whatever_its_state_what_is_on_a_backend_is_counted() {
    let (_kit, database) = two_backends().await;
    store(&database, 1, &[ONE]).await;
    store(&database, 2, &[ONE, TWO]).await;
    change(&database, |tx| contents::release(tx, ContentId::new(3))).await;
    let reserve = |policy: i64, number: u8, at: Timestamp| {
        let intents = [vec![(ONE, ObjectName::new([number; 16]))]];
        let database = database.clone();
        async move { database.reserve(PolicyId::new(policy), &intents, at).await.unwrap() }
    };
    let later = Timestamp::from_millis(3_000);
    reserve(1, 8, NOW).await;
    reserve(2, 9, later).await;
    let on = |backend, policy| database.read(|tx| whereabouts::on_backend(tx, backend, policy)).unwrap();
    assert_eq!(on(ONE, None), Noted { in_use: 1, garbage: 1, reserved: 2, reserved_at: Some(later) });
    assert_eq!(on(ONE, Some(PolicyId::new(1))), Noted { in_use: 1, garbage: 1, reserved: 1, reserved_at: Some(NOW) });
    assert_eq!(on(TWO, None), Noted { in_use: 1, garbage: 1, reserved: 0, reserved_at: None });
    assert_eq!(on(BackendId::new(3), None), Noted::default());
}
