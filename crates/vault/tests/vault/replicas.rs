//! Reading while replicas are missing, wrong, slow or out of reach.

use crate::country::{Country, Plan, backend};
use crate::kit::{CHUNK, plaintext};
use crate::upkeep_kit::{self, TWICE, Union};
use entente_clouds::ErrorKind;
use entente_clouds::guard::Fault;
use entente_model::BackendId;
use entente_vault::upkeep::Selection;
use entente_vault::{Error, Limits, ObjectName, Replica, ReplicaState, Written};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

const LENGTH: usize = 1_000_000;

/// A content with a durable replica on each of three backends.
async fn thrice(limits: Limits, length: usize) -> (Country, Written) {
    let country = Country::new(Plan { providers: vec!["a", "b", "c"], limits, ..Plan::default() });
    let written = country.keep(&plaintext(length)).await;
    for to in [2, 3] {
        country.replicate(&written, 1, to).await;
    }
    (country, written)
}

fn replica(country: &Country, written: &Written, number: usize) -> Replica {
    let replicas = country.ledger.replicas(written.segments[0].segment);
    *replicas.iter().find(|replica| replica.backend == backend(number)).unwrap()
}

/// Flips a bit of one of its replicas.
fn flip(country: &Country, written: &Written, number: usize, at: usize) {
    let name = replica(country, written, number).name;
    let mut bytes = country.spots[number - 1].objects.raw(name).unwrap().to_vec();
    bytes[at] ^= 1;
    country.spots[number - 1].objects.replace(name, bytes.into());
}

async fn doubts(country: &Country) -> Vec<BackendId> {
    country.world.sleep(Duration::from_millis(1)).await;
    country.ledger.doubts().iter().map(|copy| copy.backend).collect()
}

async fn read(country: &Country, written: &Written, length: usize) {
    assert!(country.read(written.manifest.content).await.unwrap() == plaintext(length));
}

#[tokio::test(start_paused = true)]
async fn the_next_replica_answers_for_one_that_fails() {
    let kinds = [ErrorKind::Unavailable, ErrorKind::Failed, ErrorKind::Denied, ErrorKind::NoBucket];
    for kind in kinds {
        let (country, written) = thrice(Limits::default(), LENGTH).await;
        country.spots[0].fail("read", Fault::Error { kind, retryable: false });
        let begun = country.world.instant();
        read(&country, &written, LENGTH).await;
        country.spots[1].fail("read", Fault::ErrorAfter { kind, retryable: true });
        read(&country, &written, LENGTH).await;
        assert!(begun.elapsed() < Duration::from_millis(1), "at once");
        assert_eq!(doubts(&country).await, [], "that is no proof of anything");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_or_wrong_replica_is_put_in_doubt_once_and_another_read() {
    type Damage = fn(&Country, &Written);
    let damages: [(&str, Damage); 5] = [
        ("missing", |country, written| drop(country.spots[0].objects.remove(replica(country, written, 1).name))),
        ("marker", |country, written| flip(country, written, 1, 0)),
        ("salt", |country, written| flip(country, written, 1, 9)),
        ("frame", |country, written| flip(country, written, 1, 70_000)),
        ("truncated", |country, written| {
            let (objects, name) = (&country.spots[0].objects, replica(country, written, 1).name);
            let bytes = objects.raw(name).unwrap();
            objects.replace(name, bytes.slice(..bytes.len() - 1));
        }),
    ];
    for (what, damage) in damages {
        let (country, written) = thrice(Limits::default(), LENGTH).await;
        let wrong = replica(&country, &written, 1);
        damage(&country, &written);
        // Readers who have asked the ledger before anybody knew.
        let readers = (0..5).map(|_| read(&country, &written, LENGTH));
        futures_util::future::join_all(readers).await;
        assert_eq!(doubts(&country).await, [backend(1)], "{what}");
        let doubted = country.ledger.doubts()[0];
        assert_eq!((doubted.name, doubted.segment), (wrong.name, written.segments[0].segment), "{what}");
        let asked = country.spots[0].count("read");
        read(&country, &written, LENGTH).await;
        assert_eq!(country.spots[0].count("read"), asked, "{what}: it is not asked any more");
    }
}

#[tokio::test(start_paused = true)]
async fn bits_that_flip_on_the_way_are_never_given_to_a_reader() {
    let (country, written) = thrice(Limits::default(), LENGTH).await;
    for bit in [0, 77, 150_000, 2_000_000] {
        country.spots[0].fail("read", Fault::Corrupt { bit });
        read(&country, &written, LENGTH).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_good_replica_is_not_put_in_doubt() {
    let (country, written) = thrice(Limits::default(), LENGTH).await;
    for number in 1..=3 {
        country.spots[number - 1].objects.remove(replica(&country, &written, number).name);
    }
    let error = country.read(written.manifest.content).await.unwrap_err();
    assert!(matches!(error, Error::Damaged { chunk: 0, .. }), "{error}");
    assert_eq!(doubts(&country).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_not_called_damaged() {
    let (country, written) = thrice(Limits::default(), LENGTH).await;
    country.spots[0].objects.remove(replica(&country, &written, 1).name);
    flip(&country, &written, 2, 500);
    country.spots[2].fail("read", Fault::Error { kind: ErrorKind::Unavailable, retryable: true });
    let error = country.read(written.manifest.content).await.unwrap_err();
    assert!(matches!(&error, Error::Cloud(error) if error.retryable), "{error}");
    country.spots[2].heal();
    read(&country, &written, LENGTH).await;
}

#[tokio::test(start_paused = true)]
async fn replicas_that_have_each_lost_something_make_a_whole() {
    let (country, written) = thrice(Limits::default(), LENGTH).await;
    let frame = |number: usize| 20 + number * (65_536 + 16) + 5;
    // In one window of four frames: one has lost its header, one a frame, one another frame and the end.
    flip(&country, &written, 1, 10);
    flip(&country, &written, 2, frame(1));
    flip(&country, &written, 3, frame(2));
    let (objects, name) = (&country.spots[2].objects, replica(&country, &written, 3).name);
    let bytes = objects.raw(name).unwrap();
    objects.replace(name, bytes.slice(..frame(3)));
    read(&country, &written, LENGTH).await;
    // What no replica has is lost.
    for number in 1..=3 {
        flip(&country, &written, number, frame(0));
    }
    assert!(matches!(country.read(written.manifest.content).await.unwrap_err(), Error::Damaged { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_takes_long_is_not_waited_for_alone() {
    let hedge_after = Limits::default().hedge_after;
    let (country, written) = thrice(Limits::default(), 100_000).await;
    for slow in [None, Some(Duration::from_secs(5))] {
        match slow {
            None => country.spots[0].fail("read", Fault::Hang),
            Some(span) => {
                country.spots[0].heal();
                country.spots[0].delay("read", span);
            }
        }
        let begun = country.world.instant();
        read(&country, &written, 100_000).await;
        assert_eq!(begun.elapsed().as_millis(), hedge_after.as_millis());
    }
    // The third, when the second takes long too.
    country.spots[1].fail("read", Fault::Hang);
    let begun = country.world.instant();
    read(&country, &written, 100_000).await;
    assert_eq!(begun.elapsed().as_millis(), 2 * hedge_after.as_millis());
    // And at once, when it fails.
    country.spots[1].fail("read", Fault::Error { kind: ErrorKind::Failed, retryable: false });
    let begun = country.world.instant();
    read(&country, &written, 100_000).await;
    assert_eq!(begun.elapsed().as_millis(), hedge_after.as_millis());
    assert_eq!(doubts(&country).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_answers_in_time_is_asked_alone() {
    let (country, written) = thrice(Limits::default(), 100_000).await;
    country.spots[0].delay("read", Duration::from_millis(140));
    read(&country, &written, 100_000).await;
    assert_eq!((country.spots[1].count("read"), country.spots[2].count("read")), (0, 0));
    country.spots[0].delay("read", Duration::from_millis(200));
    country.spots[1].delay("read", Duration::from_millis(200));
    let begun = country.world.instant();
    read(&country, &written, 100_000).await;
    assert_eq!(begun.elapsed().as_millis(), 200, "the first one was still listened to");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_ask_twice_for_being_slow() {
    let (country, written) = thrice(Limits { hedges_max: 3, ..Limits::default() }, 10_000).await;
    for spot in &country.spots {
        spot.delay("read", Duration::from_secs(1));
    }
    futures_util::future::join_all((0..20).map(|_| read(&country, &written, 10_000))).await;
    let asked: usize = country.spots.iter().map(|spot| spot.count("read")).sum();
    assert_eq!(asked, 23);
}

#[tokio::test(start_paused = true)]
async fn what_is_down_is_asked_last() {
    let (country, written) = thrice(Limits::default(), 100_000).await;
    country.find_down(1).await;
    read(&country, &written, 100_000).await;
    assert_eq!(country.spots[0].count("read"), 0);
    for spot in &country.spots[1..] {
        spot.fail("read", Fault::Error { kind: ErrorKind::Failed, retryable: false });
    }
    read(&country, &written, 100_000).await;
    assert_eq!(country.spots[0].count("read"), 1, "but it is asked");
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_may_never_have_been_written_is_not_asked() {
    let country = Country::new(Plan::default());
    let written = country.keep(&plaintext(1000)).await;
    country.spots[0].objects.remove(replica(&country, &written, 1).name);
    assert!(country.read(written.manifest.content).await.is_err());
    assert_eq!(country.spots[1].count("read"), 0);
    assert_eq!(doubts(&country).await, []);
}

#[tokio::test(start_paused = true)]
async fn places_are_looked_up_again_when_the_replicas_have_moved() {
    for gone in [false, true] {
        let (country, written) = thrice(Limits::default(), LENGTH).await;
        let (content, segment) = (written.manifest.content, written.segments[0].segment);
        let manifest = country.manifest(content).await;
        let mut reading = country.vault.read(manifest, Vec::new(), 0..LENGTH as u64);
        let mut bytes = reading.next().await.unwrap().unwrap().to_vec();
        // All of it is on the third backend now, under another name.
        let old = replica(&country, &written, 3);
        let moved = Replica { name: ObjectName::new([9; 16]), state: ReplicaState::Durable, ..old };
        country.spots[2].objects.replace(moved.name, country.spots[2].objects.remove(old.name).unwrap());
        for number in [1, 2] {
            country.ledger.forget_replica(segment, backend(number));
            if gone {
                country.spots[number - 1].fail("read", Fault::Error { kind: ErrorKind::Unavailable, retryable: true });
            } else {
                country.spots[number - 1].objects.remove(country.spots[number - 1].objects.names()[0]);
            }
        }
        country.ledger.replace(segment, moved);
        while let Some(piece) = reading.next().await.unwrap() {
            bytes.extend_from_slice(&piece);
        }
        assert!(bytes == plaintext(LENGTH), "{gone}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_gives_up_and_asks_again_loses_nothing() {
    let length = CHUNK + 100_000;
    let (country, written) = thrice(Limits::default(), length).await;
    // The first two are slow and wrong now and then, so that every kind of wait is given up somewhere.
    country.spots[0].delay("read", Duration::from_millis(200));
    country.spots[1].delay("read", Duration::from_millis(70));
    flip(&country, &written, 2, 3_000_000);
    let manifest = country.manifest(written.manifest.content).await;
    let mut reading = country.vault.read(manifest, Vec::new(), 0..u64::MAX);
    let mut bytes = Vec::new();
    let mut patience_ms = 0;
    loop {
        patience_ms = (patience_ms + 37) % 400;
        let next = {
            let mut next = pin!(reading.next());
            let mut patience = pin!(country.world.sleep(Duration::from_millis(patience_ms)));
            std::future::poll_fn(|context| match next.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(Some(done.unwrap())),
                Poll::Pending => patience.as_mut().poll(context).map(|()| None),
            })
            .await
        };
        match next {
            None => {}
            Some(None) => break,
            Some(Some(piece)) => bytes.extend_from_slice(&piece),
        }
    }
    assert!(bytes == plaintext(length));
}

#[tokio::test]
async fn what_a_reader_finds_missing_is_repaired() {
    let mut union = Union::new();
    let content = union.keep(TWICE, &plaintext(5000)).await;
    union.later();
    assert_eq!(union.converge(Selection::Unsettled).await.copied, 1);
    let spot = union.spots[&upkeep_kit::backend(1, 1)].clone();
    let lost = spot.objects.names();
    assert!(lost.len() == 1 && spot.objects.remove(lost[0]).is_some());
    assert!(union.read(content).await == plaintext(5000));
    // The doubt is on its way to the database.
    while union.converge(Selection::Unsettled).await.copied == 0 {
        tokio::task::yield_now().await;
    }
    let names = spot.objects.names();
    assert!(names.len() == 1 && names != lost, "under another name");
    assert!(union.verify().await.is_clean());
}
