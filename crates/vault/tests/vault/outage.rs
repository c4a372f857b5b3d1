//! An outage as clients see it: nothing fails, and once the guards know, nothing takes long.

use crate::country::{Country, Plan, backend};
use crate::kit::plaintext;
use entente_clouds::ErrorKind;
use entente_clouds::guard::{Fault, HealthState, StackSettings, probe};
use entente_model::ContentId;
use entente_vault::topology::Pace;
use std::sync::Mutex;
use std::time::Duration;

const OPERATIONS: [&str; 5] = ["create", "write", "commit", "read", "stat"];
/// What a cloud takes when it is well.
const USUAL: Duration = Duration::from_millis(20);
const CLIENTS: u64 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Refuses,
    Hangs,
    IsSlow,
    Corrupts,
    IsFull,
}

fn well(country: &Country, number: usize) {
    let spot = &country.spots[number - 1];
    spot.heal();
    for operation in ["commit", "read", "stat"] {
        spot.delay(operation, USUAL);
    }
}

fn trouble(country: &Country, number: usize, trouble: Trouble) {
    let spot = &country.spots[number - 1];
    match trouble {
        Trouble::Refuses => {
            let refused = Fault::Error { kind: ErrorKind::Unavailable, retryable: true };
            OPERATIONS.iter().for_each(|operation| spot.fail(operation, refused));
        }
        Trouble::Hangs => OPERATIONS.iter().for_each(|operation| spot.fail(operation, Fault::Hang)),
        Trouble::IsSlow => OPERATIONS.iter().for_each(|operation| spot.delay(operation, Duration::from_secs(5))),
        Trouble::Corrupts => spot.fail("read", Fault::Corrupt { bit: 1234 }),
        Trouble::IsFull => spot.fail("commit", Fault::Error { kind: ErrorKind::Full, retryable: false }),
    }
}

/// How long operations took that began in some stretch of time.
#[derive(Default)]
struct Spans {
    reads: Vec<Duration>,
    writes: Vec<Duration>,
}

fn worst(spans: &mut [Duration]) -> Duration {
    spans.sort();
    spans[spans.len() * 99 / 100]
}

/// Clients write and read for a while; answers how long it took them in the second half of it.
async fn traffic(country: &Country, kept: &Mutex<Vec<(ContentId, usize)>>, span: Duration) -> Spans {
    let begun = country.world.instant();
    let spans = Mutex::new(Spans::default());
    let client = |number: u64| {
        let spans = &spans;
        async move {
            while begun.elapsed() < span {
                country.world.sleep(Duration::from_millis(100 + number * 7)).await;
                let now = country.world.instant();
                let late = begun.elapsed() > span / 2;
                if country.world.random().below(3) == 0 {
                    let length = if country.world.random().below(20) == 0 { 300_000 } else { 3000 };
                    let written = country.keep(&plaintext(length)).await;
                    let took = now.elapsed();
                    // Replication comes by later.
                    let from = written.segments[0].holders.iter().next().unwrap();
                    let (from, to) = if from == backend(1) { (1, 2) } else { (2, 1) };
                    country.replicate(&written, from, to).await;
                    kept.lock().unwrap().push((written.manifest.content, length));
                    if late {
                        spans.lock().unwrap().writes.push(took);
                    }
                } else {
                    let some = {
                        let kept = kept.lock().unwrap();
                        let below = u64::try_from(kept.len()).unwrap();
                        kept.get(usize::try_from(country.world.random().below(below)).unwrap()).copied()
                    };
                    let Some((content, length)) = some else { continue };
                    let bytes = country.read(content).await.expect("no read fails");
                    assert!(bytes == plaintext(length));
                    if late {
                        spans.lock().unwrap().reads.push(now.elapsed());
                    }
                }
            }
        }
    };
    futures_util::future::join_all((0..CLIENTS).map(client)).await;
    spans.into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_fails_and_nothing_takes_long_whatever_one_cloud_does() {
    use Trouble::{Corrupts, Hangs, IsFull, IsSlow, Refuses};
    for kind in [Refuses, Hangs, IsSlow, Corrupts, IsFull] {
        for number in if kind == Hangs { 1..3 } else { 1..2 } {
            let guards = Some(StackSettings::cloud());
            let country = Country::new(Plan { pace: Pace::Cloud, guards, ..Plan::default() });
            well(&country, 1);
            well(&country, 2);
            let kept = Mutex::new(Vec::new());
            let members = [1, 2].map(|number| country.topology.member(backend(number)).unwrap().clone());
            let probes = async {
                loop {
                    country.world.sleep(Duration::from_secs(2)).await;
                    for member in &members {
                        let _ =
                            tokio::time::timeout(Duration::from_secs(20), probe(&*member.cloud, &country.world)).await;
                    }
                }
            };
            let history = async {
                let mut before = traffic(&country, &kept, Duration::from_secs(10)).await;
                trouble(&country, number, kind);
                let mut during = traffic(&country, &kept, Duration::from_secs(40)).await;
                well(&country, number);
                country.world.sleep(Duration::from_secs(120)).await;
                let mut after = traffic(&country, &kept, Duration::from_secs(6)).await;
                let usual = (worst(&mut before.reads), worst(&mut before.writes));
                let (reads, writes) = (worst(&mut during.reads), worst(&mut during.writes));
                assert!(
                    reads <= usual.0 + Duration::from_millis(150),
                    "{kind:?} {number}: {reads:?}, usually {usual:?}"
                );
                assert!(writes <= usual.1 * 2, "{kind:?} {number}: {writes:?}, usually {usual:?}");
                let again = (worst(&mut after.reads), worst(&mut after.writes));
                assert!(again.0 <= usual.0 * 2 && again.1 <= usual.1 * 2, "{kind:?} {number}: {again:?}");
            };
            tokio::select! {
                () = history => {}
                () = probes => {}
            }
            if matches!(kind, Refuses | Hangs | IsSlow) {
                assert_eq!(country.vault.topology().state(backend(number)), HealthState::Healthy, "{kind:?} {number}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_hangs_is_found_down_by_readers_alone() {
    let guards = Some(StackSettings::cloud());
    let country = Country::new(Plan { guards, ..Plan::default() });
    let written = country.keep(&plaintext(3000)).await;
    country.replicate(&written, 1, 2).await;
    trouble(&country, 1, Trouble::Hangs);
    for _ in 0..100 {
        country.world.sleep(Duration::from_millis(200)).await;
        country.read(written.manifest.content).await.unwrap();
    }
    assert_eq!(country.vault.topology().state(backend(1)), HealthState::Down);
    let begun = country.world.instant();
    country.read(written.manifest.content).await.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(1));
}
