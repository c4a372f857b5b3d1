//! One suite for all.

use crate::kit::{self, Secrets};
use bytes::Bytes;
use entente_clouds::guard::{Retry, RetrySettings};
use entente_clouds::{Backend, ErrorKind, MARKER_NAME, ObjectName, azure, conformance, conformance::Check, gcs, s3};
use entente_world::World;
use std::sync::Arc;
use std::time::Duration;

async fn create(backend: &dyn Backend, name: ObjectName) {
    let mut creation = backend.create(name).await.unwrap();
    creation.write(Bytes::from_static(b"hello")).await.unwrap();
    creation.commit().await.unwrap();
}

/// The same place, with a prefix or without.
type Open = Box<dyn Fn(Option<&str>) -> Arc<dyn Backend>>;

fn places(secrets: &Secrets) -> [(&'static str, Open); 3] {
    let (s3, azure, gcs) = (kit::s3_settings(secrets), kit::azure_settings(secrets), kit::gcs_settings());
    [
        (
            "s3",
            Box::new(move |prefix| {
                s3::open(&s3::Settings { prefix: prefix.map(str::to_owned), ..s3.clone() }).unwrap()
            }),
        ),
        (
            "azure",
            Box::new(move |prefix| {
                azure::open(&azure::Settings { prefix: prefix.map(str::to_owned), ..azure.clone() }).unwrap()
            }),
        ),
        (
            "gcs",
            Box::new(move |prefix| {
                gcs::open(&gcs::Settings { prefix: prefix.map(str::to_owned), ..gcs.clone() }).unwrap()
            }),
        ),
    ]
}

/// Prefixes that come before, between and after our names.
const NEIGHBOURS: [&str; 5] = ["-", "3", "7f", "a0/b", "zz"];

/// The place without a prefix, with what others keep beside it.
async fn among_others(open: &Open) -> Arc<dyn Backend> {
    for neighbour in NEIGHBOURS {
        let neighbour = open(Some(neighbour));
        neighbour.mark(Bytes::from_static(b"theirs")).await.unwrap();
        for number in 0..3 {
            create(&*neighbour, ObjectName::new([number; 16])).await;
        }
    }
    open(None)
}

#[tokio::test]
async fn s3_conforms() {
    let secrets = Secrets::new();
    let [(_, open), ..] = places(&secrets);
    conformance::run(&*among_others(&open).await, &World::real()).await.unwrap();
}

#[tokio::test]
async fn azure_conforms() {
    let secrets = Secrets::new();
    let [_, (_, open), _] = places(&secrets);
    conformance::run(&*among_others(&open).await, &World::real()).await.unwrap();
}

/// The emulator takes the condition of a create-only write and ignores it. That we send it is shown in `wire`.
#[tokio::test]
async fn gcs_conforms_but_for_what_its_emulator_ignores() {
    let secrets = Secrets::new();
    let [.., (_, open)] = places(&secrets);
    // It also breaks a connection now and then after a request that it refused.
    let quick =
        RetrySettings { tries_max: 4, wait_first: Duration::from_millis(10), wait_max: Duration::from_millis(50) };
    let backend = Retry::new(among_others(&open).await, World::real(), quick);
    let report = conformance::report(&backend, &World::real()).await;
    let failed: Vec<Check> = report.failed().map(|checked| checked.check).collect();
    assert_eq!(failed, [Check::NeverOverwrites, Check::OneOfManyWins], "{report}");
    assert_eq!(report.checks.len(), Check::ALL.len());
}

#[tokio::test]
async fn what_others_keep_in_the_same_place_is_passed_over_and_told() {
    for (cloud, open) in places(&Secrets::new()) {
        assert_eq!(open(None).foreign(10).await.unwrap(), Vec::<String>::new(), "{cloud}");
        let backend = among_others(&open).await;
        assert_eq!(backend.list(None, 100).await.unwrap(), [], "{cloud}");
        assert_eq!(backend.marker().await.unwrap(), None, "{cloud}");
        let foreign = backend.foreign(100).await.unwrap();
        assert_eq!(foreign.len(), NEIGHBOURS.len() * 4, "{cloud}: {foreign:?}");
        for neighbour in NEIGHBOURS {
            assert!(foreign.contains(&format!("{neighbour}/{MARKER_NAME}")), "{cloud}: {foreign:?}");
        }
        assert_eq!(backend.foreign(7).await.unwrap().len(), 7, "{cloud}");
        // And those in the prefix are alone in it.
        let neighbour = open(Some("a0/b"));
        assert_eq!(neighbour.foreign(10).await.unwrap(), Vec::<String>::new(), "{cloud}");
        assert_eq!(neighbour.list(None, 10).await.unwrap().len(), 3, "{cloud}");
        neighbour.delete(ObjectName::new([0; 16])).await.unwrap();
        assert_eq!(neighbour.list(None, 10).await.unwrap().len(), 2, "{cloud}");
    }
}

#[tokio::test]
async fn the_marker_is_put_once() {
    for (cloud, open) in places(&Secrets::new()) {
        let backend = open(Some("marked"));
        assert_eq!(backend.marker().await.unwrap(), None);
        backend.mark(Bytes::from_static(b"ours")).await.unwrap();
        assert_eq!(backend.marker().await.unwrap().unwrap(), "ours");
        assert_eq!(backend.list(None, 10).await.unwrap(), []);
        assert_eq!(backend.foreign(10).await.unwrap(), Vec::<String>::new());
        // Not with an emulator that ignores the condition.
        if cloud != "gcs" {
            let error = backend.mark(Bytes::from_static(b"theirs")).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::AlreadyExists, "{cloud}: {error}");
            Check::Marker.run(&*backend, &World::real()).await.unwrap();
            assert_eq!(backend.marker().await.unwrap().unwrap(), "ours");
        }
    }
}
