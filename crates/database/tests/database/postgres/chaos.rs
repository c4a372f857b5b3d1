//! Connections that are cut anywhere, in the middle of commits too: what was acknowledged is there, what was refused is
//! not, and nothing is there by halves or twice.

use crate::kit::ServerKit;
use entente_database::postgres::Options;
use entente_database::{Database, Error, ErrorKind, Tx, settings};
use entente_emulators::{Fault, Proxy};
use entente_world::World;
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const CALLERS: u64 = 8;
const ROUNDS: u64 = 40;

/// Counts up by one in two places; answers the number that it came to.
async fn step(database: &Database, caller: u64) -> Result<u64, Error> {
    database.transact("step", move |tx| count_up(tx, caller)).await
}

fn count_up(tx: &mut Tx<'_>, caller: u64) -> Result<u64, Error> {
    let (left, right) = (format!("left {caller}"), format!("right {caller}"));
    let before = settings::value(tx, &left)?.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    settings::set(tx, &left, &(before + 1).to_be_bytes())?;
    settings::set(tx, &right, &(before + 1).to_be_bytes())?;
    Ok(before + 1)
}

async fn both(database: &Database, caller: u64) -> (u64, u64) {
    let read = |tx: &mut Tx<'_>, name: String| {
        let found = settings::value(tx, &name)?;
        Ok::<_, Error>(found.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap())))
    };
    let both =
        database.read(|tx| Ok::<_, Error>((read(tx, format!("left {caller}"))?, read(tx, format!("right {caller}"))?)));
    both.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_and_nothing_by_halves() {
    let kit = ServerKit::new();
    let proxy = Proxy::before(kit.url());
    let options = Options { writers: 2, patience: Duration::from_secs(5), ..Options::parse(proxy.url()).unwrap() };
    let database = Database::connect(World::real(), &options).unwrap();
    let mut acknowledged = [0; CALLERS as usize];
    for round in 0..ROUNDS {
        let steps = join_all((0..CALLERS).map(|caller| step(&database, caller)));
        let trouble = async {
            // Somewhere within the batch, another place each round; then all is well again.
            tokio::task::yield_now().await;
            proxy.set(match round % 4 {
                0 => Fault::CutResponse { after_bytes: 0 },
                1 => Fault::CutResponse { after_bytes: round * 3 },
                2 => Fault::CutRequest { after_bytes: 100 + round * 37 },
                _ => Fault::Refuse,
            });
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            let seen = proxy.responses();
            for _ in 0..10_000 {
                if proxy.responses() > seen + 1 {
                    break;
                }
                tokio::task::yield_now().await;
            }
            proxy.set(Fault::Pass);
        };
        let (outcomes, ()) = tokio::join!(steps, trouble);
        for (caller, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Ok(number) => {
                    assert_eq!(number, acknowledged[caller] + 1, "neither lost nor done twice, round {round}");
                    acknowledged[caller] = number;
                }
                Err(error) => assert!(error.retryable() && error.kind == ErrorKind::Busy, "round {round}: {error}"),
            }
        }
        for caller in 0..CALLERS {
            let expected = acknowledged[caller as usize];
            assert_eq!(both(&database, caller).await, (expected, expected), "round {round}");
        }
    }
    assert!(acknowledged.iter().sum::<u64>() > 0);
}

/// The commit is done, and its answer never comes.
#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_out() {
    let kit = ServerKit::new();
    let proxy = Arc::new(Proxy::before(kit.url()));
    let options = Options { writers: 1, ..Options::parse(proxy.url()).unwrap() };
    let database = Database::connect(World::real(), &options).unwrap();
    assert_eq!(step(&database, 0).await.unwrap(), 1);
    let before = kit.execute("SELECT sum(batch) FROM writers");
    // The statements have had their answers; all that is left to be answered is the commit.
    let (cutter, is_cut) = (Arc::clone(&proxy), AtomicBool::new(false));
    let stepping = database.transact("step", move |tx| {
        let number = count_up(tx, 0)?;
        if !is_cut.swap(true, Ordering::Relaxed) {
            cutter.set(Fault::CutResponse { after_bytes: 0 });
        }
        Ok::<_, Error>(number)
    });
    let healing = async {
        while kit.execute("SELECT sum(batch) FROM writers") == before {
            tokio::task::yield_now().await;
        }
        proxy.set(Fault::Pass);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        stepped = stepping => assert_eq!(stepped.unwrap(), 2),
        () = healing => {}
    }
    assert_eq!(proxy.fault(), Fault::Pass, "the commit was done before anybody heard of it");
    assert_eq!(both(&database, 0).await, (2, 2));
    assert_eq!(step(&database, 0).await.unwrap(), 3);
}
