//! Small contents share requests to a cloud, and a lone one does not wait for nobody.

use crate::country::{Country, Plan};
use crate::kit::plaintext;
use entente_vault::topology::Pace;
use std::time::Duration;

const CLIENTS: usize = 32;
const ROUNDS: usize = 40;

/// Clients that each upload one after the other; `think` is how long each takes from an answer to its next upload.
async fn requests(put: Duration, think: impl Fn(usize, usize) -> Duration) -> usize {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    country.spots[0].delay("commit", put);
    let plain = plaintext(4096);
    let clients = (0..CLIENTS).map(|client| {
        let (country, plain, think) = (&country, &plain, &think);
        async move {
            for round in 0..ROUNDS {
                country.world.sleep(think(client, round)).await;
                country.keep(plain).await;
            }
        }
    });
    futures_util::future::join_all(clients).await;
    country.spots[0].count("commit")
}

#[tokio::test(start_paused = true)]
async fn thirty_two_clients_make_few_requests() {
    for put_ms in [2, 5, 10, 20, 40, 80] {
        for spread_ms in [0, 1, 5, 10, 20, 30] {
            let put = Duration::from_millis(put_ms);
            // Some are quick and some slow, now one and now the other.
            let think =
                |client, round| Duration::from_millis((client as u64 * 7 + round as u64 * 13) % (spread_ms + 1));
            let requests = requests(put, think).await;
            let files = CLIENTS * ROUNDS;
            assert!(requests * 20 <= files, "{requests} requests for {files} files ({put_ms} ms, {spread_ms} ms)");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_client_waits_for_nobody() {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    country.spots[0].delay("commit", Duration::from_millis(30));
    country.keep(&plaintext(10)).await;
    let begun = country.world.instant();
    for _ in 0..10 {
        country.keep(&plaintext(4096)).await;
    }
    assert_eq!(begun.elapsed().as_millis(), 300);
}

#[tokio::test(start_paused = true)]
async fn when_the_others_have_gone_one_waits_a_little_and_then_no_more() {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    country.spots[0].delay("commit", Duration::from_millis(30));
    let plain = plaintext(4096);
    futures_util::future::join_all((0..100).map(|_| country.keep(&plain))).await;
    let mut spans = Vec::new();
    for _ in 0..60 {
        let begun = country.world.instant();
        country.keep(&plain).await;
        spans.push(begun.elapsed().as_millis());
    }
    assert!(spans.iter().all(|span| *span <= 45), "{spans:?}");
    assert_eq!(spans[59], 30, "{spans:?}");
}

#[tokio::test(start_paused = true)]
async fn big_batches_go_beside_each_other() {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    country.keep(&plaintext(10)).await;
    country.spots[0].delay("commit", Duration::from_secs(1));
    let begun = country.world.instant();
    let plain = plaintext(200_000);
    futures_util::future::join_all((0..100).map(|_| country.keep(&plain))).await;
    assert!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_old_batch_goes_beside_one_that_takes_long() {
    let country = Country::new(Plan { pace: Pace::Cloud, ..Plan::default() });
    country.spots[0].delay("commit", Duration::from_secs(1));
    let plain = plaintext(100);
    let second = async {
        country.world.sleep(Duration::from_millis(200)).await;
        let begun = country.world.instant();
        country.keep(&plain).await;
        begun.elapsed()
    };
    let (_, span) = tokio::join!(country.keep(&plain), second);
    assert_eq!(span.as_millis(), 1100);
}
