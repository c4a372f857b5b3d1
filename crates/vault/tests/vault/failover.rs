//! Writing while backends fail: whatever fails at whatever step, another backend takes its place, in the same request.

use crate::country::{Country, Plan, SCOPE, ZONE, backend};
use crate::kit::{CHUNK, plaintext};
use bytes::Bytes;
use entente_clouds::ErrorKind;
use entente_clouds::guard::Fault;
use entente_model::BackendId;
use entente_vault::topology::{OnPrimaryDown, Pace};
use entente_vault::{Error, Limits, Topology, Vault, Written};
use std::sync::Arc;
use std::time::Duration;

const STEPS: [&str; 3] = ["create", "write", "commit"];

fn faults() -> Vec<Fault> {
    let kinds = [ErrorKind::Unavailable, ErrorKind::Failed, ErrorKind::Full, ErrorKind::Denied, ErrorKind::NoBucket];
    let errors = kinds.map(|kind| Fault::Error { kind, retryable: kind == ErrorKind::Unavailable });
    let after = Fault::ErrorAfter { kind: ErrorKind::Unavailable, retryable: true };
    errors.into_iter().chain([after, Fault::Hang]).collect()
}

fn holders(written: &Written) -> Vec<Vec<BackendId>> {
    written.segments.iter().map(|segment| segment.holders.iter().collect()).collect()
}

#[tokio::test(start_paused = true)]
async fn another_backend_takes_what_the_primary_does_not() {
    let small = plaintext(5000);
    let large = plaintext(CHUNK + 300_000);
    for pace in [Pace::Disk, Pace::Cloud] {
        for fault in faults() {
            for step in STEPS {
                for plain in [&small, &large] {
                    let country = Country::new(Plan { pace, ..Plan::default() });
                    country.spots[0].fail(step, fault);
                    let written = country.keep(plain).await;
                    assert!(holders(&written).iter().all(|at| *at == [backend(2)]), "{fault:?} {step}: {written:?}");
                    assert!(country.read(written.manifest.content).await.unwrap() == **plain, "{fault:?} {step}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_backend_takes_a_part() {
    for (fault, step) in faults().into_iter().zip(STEPS.into_iter().cycle()) {
        let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
        country.spots[0].fail(step, fault);
        let begun = country.vault.begin(SCOPE).await.unwrap();
        for length in [1000, 400_000] {
            let body = futures_util::stream::iter([Ok(Bytes::from(plaintext(length)))]);
            let part = country.vault.write_part(&begun, 0, u64::MAX, body).await.unwrap();
            assert_eq!(part.segment.holders.iter().collect::<Vec<_>>(), [backend(2)], "{fault:?} {step}");
            assert_eq!(part.size, length as u64);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn as_many_copies_are_durable_as_must_be() {
    for (fault, step) in faults().into_iter().flat_map(|fault| STEPS.map(|step| (fault, step))) {
        for wrong in 0..3 {
            let plan = Plan { providers: vec!["a", "b", "c"], durable: 2, pace: Pace::Cloud, ..Plan::default() };
            let country = Country::new(plan);
            country.spots[wrong].fail(step, fault);
            let written = country.keep(&plaintext(70_000)).await;
            let at = &holders(&written)[0];
            assert!(at.len() == 2 && !at.contains(&backend(wrong + 1)), "{fault:?} {step} {wrong}: {at:?}");
            let names = |spot: usize| country.spots[spot].objects.names().len();
            let complete: Vec<_> = (0..3).filter(|spot| names(*spot) > 0 && *spot != wrong).collect();
            assert_eq!(complete.len(), 2, "{fault:?} {step} {wrong}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn too_few_backends_are_an_error_that_says_whether_to_try_again() {
    let plan = Plan { providers: vec!["a", "b", "c"], durable: 2, pace: Pace::Cloud, ..Plan::default() };
    let country = Country::new(plan);
    let full = Fault::Error { kind: ErrorKind::Full, retryable: false };
    country.spots[0].fail("commit", full);
    country.spots[2].fail("commit", full);
    let error = country.write(&plaintext(100)).await.unwrap_err();
    assert!(error.is_full(), "{error}");
    for spot in &country.spots {
        spot.fail("commit", full);
    }
    country.spots[1].fail("create", Fault::Error { kind: ErrorKind::Unavailable, retryable: true });
    for plain in [plaintext(100), plaintext(400_000)] {
        let error = country.write(&plain).await.unwrap_err();
        assert!(matches!(&error, Error::Cloud(error) if error.retryable), "{error}");
    }
    // Nobody has been left waiting: it goes on when they are back.
    country.spots.iter().for_each(crate::spot::Spot::heal);
    country.world.sleep(Duration::from_secs(60)).await;
    assert_eq!(holders(&country.keep(&plaintext(100)).await), [[backend(1), backend(2)]]);
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_must_have_a_copy_is_not_replaced() {
    let refuse = || Plan {
        providers: vec!["a", "b", "c"],
        durable: 2,
        on_primary_down: OnPrimaryDown::Refuse,
        pace: Pace::Cloud,
        ..Plan::default()
    };
    let country = Country::new(refuse());
    country.spots[0].fail("commit", Fault::Error { kind: ErrorKind::Denied, retryable: false });
    let error = country.write(&plaintext(100)).await.unwrap_err();
    assert!(matches!(&error, Error::Cloud(error) if error.kind == ErrorKind::Denied), "{error}");
    assert_eq!(country.spots[2].count("create"), 0, "no other was asked in its place");

    let country = Country::new(refuse());
    country.spots[1].fail("commit", Fault::Hang);
    country.spots[0].delay("commit", Duration::from_secs(20));
    let at = holders(&country.keep(&plaintext(100)).await);
    assert_eq!(at, [[backend(3), backend(1)]], "the primary was waited for, and not the other");

    country.find_down(1).await;
    let error = country.write(&plaintext(100)).await.unwrap_err();
    assert!(matches!(error, Error::Unmet { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_hangs_holds_a_client_up_for_a_moment_only() {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    country.keep(&plaintext(10)).await;
    let after = Limits::default().failover_after;
    for step in STEPS {
        country.spots[0].fail(step, Fault::Hang);
        let begun = country.world.instant();
        country.keep(&plaintext(1000)).await;
        assert_eq!(begun.elapsed().as_millis(), after.as_millis(), "{step}");
        country.spots[0].heal();
    }
    // A large one is given more time.
    country.spots[0].fail("commit", Fault::Hang);
    let begun = country.world.instant();
    country.keep(&plaintext(CHUNK)).await;
    assert_eq!(begun.elapsed().as_secs(), after.as_secs() + 2);
}

#[tokio::test(start_paused = true)]
async fn who_is_durable_first_counts() {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    country.spots[0].delay("commit", Duration::from_millis(2500));
    country.spots[1].delay("commit", Duration::from_secs(2));
    let written = country.keep(&plaintext(1000)).await;
    assert_eq!(holders(&written), [[backend(1)]], "the first one was still listened to");
    assert!(country.spots[1].objects.names().is_empty());
    country.spots[0].delay("commit", Duration::from_secs(5));
    assert_eq!(holders(&country.keep(&plaintext(1000)).await), [[backend(2)]]);
}

#[tokio::test(start_paused = true)]
async fn what_is_found_down_meanwhile_is_not_waited_for() {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    country.spots[0].fail("commit", Fault::Hang);
    let begun = country.world.instant();
    let find = async {
        country.world.sleep(Duration::from_millis(100)).await;
        country.find_down(1).await;
    };
    let plain = plaintext(1000);
    let (written, ()) = tokio::join!(country.keep(&plain), find);
    assert_eq!(holders(&written), [[backend(2)]]);
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());

    let asked = country.spots[0].count("create");
    let begun = country.world.instant();
    for _ in 0..10 {
        country.keep(&plaintext(1000)).await;
    }
    assert_eq!(country.spots[0].count("create"), asked, "and not asked from then on");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn the_first_copies_are_with_different_providers() {
    let plan = || Plan { providers: vec!["a", "a", "b"], durable: 2, providers_min: 2, ..Plan::default() };
    let country = Country::new(plan());
    assert_eq!(holders(&country.keep(&plaintext(100)).await), [[backend(1), backend(3)]]);
    country.spots[0].fail("commit", Fault::Error { kind: ErrorKind::Full, retryable: false });
    let mut at = holders(&country.keep(&plaintext(100)).await).remove(0);
    at.sort();
    assert_eq!(at, [backend(2), backend(3)]);
    country.spots[0].heal();
    country.world.sleep(Duration::from_secs(60)).await;
    country.find_down(3).await;
    assert_eq!(holders(&country.keep(&plaintext(100)).await), [[backend(1), backend(2)]], "rather than none");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_cannot_be_met_refuses_and_says_why() {
    let cases = [
        (Plan { providers: vec!["a"], durable: 2, ..Plan::default() }, "copies must be durable"),
        (Plan { providers: vec!["a", "a"], providers_min: 2, ..Plan::default() }, "providers"),
    ];
    for (plan, why) in cases {
        let country = Country::new(plan);
        let error = country.topology.check(SCOPE.policy).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        for plain in [plaintext(100), plaintext(400_000)] {
            let error = country.write(&plain).await.unwrap_err();
            assert!(matches!(error, Error::Unmet { .. }), "{error}");
        }
    }
    let country = Country::new(Plan::default());
    country.topology.check(SCOPE.policy).unwrap();
    country.vault.reconfigure(Topology { policies: [].into(), ..country.topology.clone() });
    assert!(matches!(country.write(&plaintext(100)).await.unwrap_err(), Error::Unmet { .. }));
    country.vault.reconfigure(country.topology.clone());
    country.keep(&plaintext(100)).await;
}

#[tokio::test(start_paused = true)]
async fn a_redirect_sends_writes_elsewhere_from_the_next_one_on() {
    let country = Country::new(Plan::default());
    country.keep(&plaintext(100)).await;
    let mut topology = country.topology.clone();
    topology.redirects.insert(backend(1), backend(2));
    country.vault.reconfigure(topology);
    assert_eq!(holders(&country.keep(&plaintext(100)).await), [[backend(2)]]);
    assert_eq!(holders(&country.keep(&plaintext(400_000)).await), [[backend(2)]]);
    country.vault.reconfigure(country.topology.clone());
    assert_eq!(holders(&country.keep(&plaintext(100)).await), [[backend(1)]]);
}

#[tokio::test(start_paused = true)]
async fn what_hangs_keeps_no_memory_once_another_has_it() {
    let limits = Limits { kept_bytes: 1, commits_per_write_max: 1, ..Limits::default() };
    let country = Country::new(Plan { pace: Pace::Cloud, limits, ..Plan::default() });
    country.spots[0].fail("commit", Fault::Hang);
    let plain = plaintext(3 * CHUNK);
    assert_eq!(holders(&country.keep(&plain).await), [[backend(2)], [backend(2)], [backend(2)]]);
    country.keep(&plaintext(CHUNK)).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_backend_is_not_asked_each_time() {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    country.spots[0].fail("commit", Fault::Error { kind: ErrorKind::Full, retryable: false });
    for _ in 0..10 {
        assert_eq!(holders(&country.keep(&plaintext(1000)).await), [[backend(2)]]);
    }
    assert_eq!(country.spots[0].count("commit"), 1);
    country.spots[0].heal();
    country.world.sleep(Duration::from_secs(60)).await;
    assert_eq!(holders(&country.keep(&plaintext(1000)).await), [[backend(1)]]);
}

/// A body that sends a piece every so often.
fn trickle(
    country: &Country,
    pieces: u32,
    every: Duration,
) -> impl futures_util::Stream<Item = Result<Bytes, entente_vault::BoxError>> {
    let world = country.world.clone();
    futures_util::stream::unfold(0, move |sent| {
        let world = world.clone();
        async move {
            world.sleep(every).await;
            (sent < pieces).then(|| (Ok(Bytes::from(vec![7; 100_000])), sent + 1))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_refused_only_when_others_wait_for_its_memory() {
    let limits = Limits { kept_bytes: 1, ..Limits::default() };
    let country = Country::new(Plan { pace: Pace::Cloud, limits, ..Plan::default() });
    let slow = || country.vault.write(SCOPE, u64::MAX, trickle(&country, 20, Duration::from_secs(30)));
    assert_eq!(slow().await.unwrap().manifest.size, 2_000_000, "nobody waited");

    let other = async {
        country.world.sleep(Duration::from_secs(100)).await;
        // Small ones have memory of their own.
        country.keep(&plaintext(1000)).await;
        let begun = country.world.instant();
        country.keep(&plaintext(400_000)).await;
        begun.elapsed()
    };
    let (refused, waited) = tokio::join!(slow(), other);
    assert!(matches!(refused.unwrap_err(), Error::Body(_)));
    assert!(waited <= Limits::default().chunk_patience + Duration::from_secs(1), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lone_disk_is_written_to_as_the_bytes_come() {
    let country = Country::new(Plan { providers: vec!["a"], ..Plan::default() });
    let slow = country.vault.write(SCOPE, u64::MAX, trickle(&country, 40, Duration::from_secs(1)));
    let look = async {
        country.world.sleep(Duration::from_secs(20)).await;
        country.spots[0].count("write")
    };
    let (written, half_way) = tokio::join!(slow, look);
    assert_eq!(written.unwrap().manifest.size, 4_000_000);
    assert!(half_way > 4, "{half_way}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_begun_before_a_reconfiguration_ends_as_it_was_begun() {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    let body = trickle(&country, 100, Duration::from_secs(1));
    let write = country.vault.write(SCOPE, u64::MAX, body);
    let change = async {
        country.world.sleep(Duration::from_secs(30)).await;
        let mut topology = country.topology.clone();
        topology.redirects.insert(backend(1), backend(2));
        country.vault.reconfigure(topology);
    };
    let (written, ()) = tokio::join!(write, change);
    let written = written.unwrap();
    assert_eq!(holders(&written), [[backend(1)], [backend(2)]], "chunk by chunk");
    country.ledger.commit(&written);
    assert_eq!(country.read(written.manifest.content).await.unwrap().len(), 10_000_000);
}

#[tokio::test(start_paused = true)]
async fn a_vault_without_the_zone_writes_nothing() {
    let country = Country::new(Plan::default());
    let none = Topology::default();
    let vault = Vault::new(country.world.clone(), Arc::new(country.ledger.clone()), none, Limits::default());
    let body = futures_util::stream::iter([Ok(Bytes::from_static(b"x"))]);
    assert!(vault.write(SCOPE, 10, body).await.is_err());
    assert_eq!(country.topology.zone_of(backend(1)), Some(ZONE));
    assert!(country.spots.iter().all(|spot| spot.count("create") == 0));
}
