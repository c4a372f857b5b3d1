//! Group commit: everybody in a batch is answered after one commit, and answers for nobody else.

use crate::kit::{Gate, Kit, add_one, number, set, start, value};
use entente_database::{Database, Error, ErrorKind, settings};
use futures_util::future::{join, join_all};
use std::pin::pin;

/// Holds the writer up in a command, so that what `work` queues meanwhile shares the batch with it.
async fn in_one_batch<T>(database: &Database, work: impl Future<Output = T>) -> T {
    let (gate, at_gate) = Gate::new();
    let mut first = pin!(database.transact("first", move |_| {
        at_gate.pass();
        Ok::<_, Error>(())
    }));
    start(first.as_mut()).await;
    gate.reached();
    let mut work = pin!(work);
    start(work.as_mut()).await;
    gate.open();
    let (done, outcome) = join(work, first).await;
    outcome.unwrap();
    done
}

#[tokio::test]
async fn a_command_that_fails_takes_back_only_its_own() {
    let kit = Kit::new();
    let database = kit.open();
    let fails = database.transact("fails", |tx| {
        settings::set(tx, "b", b"1")?;
        settings::set(tx, "a", b"spoilt")?;
        Err::<(), _>(Error::new(ErrorKind::Duplicate, "its own"))
    });
    let sees = database.transact("sees", |tx| settings::value(tx, "a"));
    let work = async { tokio::join!(set(&database, "a", b"1"), fails, sees, set(&database, "c", b"1")) };
    let (a, failed, seen, c) = in_one_batch(&database, work).await;
    a.unwrap();
    c.unwrap();
    assert_eq!(failed.unwrap_err().kind, ErrorKind::Duplicate);
    assert_eq!(seen.unwrap().as_deref(), Some(b"1".as_slice()), "a command sees those before it");
    drop(database);
    let database = kit.open();
    assert_eq!(value(&database, "a").as_deref(), Some(b"1".as_slice()));
    assert_eq!((value(&database, "b"), value(&database, "c").is_some()), (None, true));
}

#[tokio::test]
async fn a_command_that_panics_is_the_only_one_to_fail() {
    let kit = Kit::new();
    let database = kit.open();
    let panics = database.transact("panics", |tx| {
        settings::set(tx, "b", b"1")?;
        if settings::value(tx, "b")?.is_some() {
            panic!("on purpose");
        }
        Ok::<(), Error>(())
    });
    let work = async { tokio::join!(set(&database, "a", b"1"), panics, set(&database, "c", b"1")) };
    let (a, panicked, c) = in_one_batch(&database, work).await;
    a.unwrap();
    c.unwrap();
    assert_eq!(panicked.unwrap_err().kind, ErrorKind::Failed);
    assert_eq!((value(&database, "b"), value(&database, "c").is_some()), (None, true));
    set(&database, "d", b"1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_callers_than_places_in_the_queue_are_all_served() {
    let kit = Kit::new();
    let database = kit.open();
    let commands = (0..3_000).map(|_| database.transact("add", |tx| add_one(tx, "count")));
    let mut counts: Vec<u64> = join_all(commands).await.into_iter().map(Result::unwrap).collect();
    counts.sort_unstable();
    assert!(counts.into_iter().eq(1..=3_000), "each command saw all that came before it");
    drop(database);
    assert_eq!(kit.open().read(|tx| number(tx, "count")).unwrap(), 3_000);
}

#[tokio::test]
async fn a_queued_command_runs_though_nobody_waits_for_it() {
    let kit = Kit::new();
    let database = kit.open();
    let (gate, at_gate) = Gate::new();
    let held = database.transact("held", move |tx| {
        at_gate.pass();
        settings::set(tx, "a", b"1")
    });
    {
        let mut held = pin!(held);
        start(held.as_mut()).await;
        gate.reached();
    }
    gate.open();
    set(&database, "b", b"1").await.unwrap();
    assert!(value(&database, "a").is_some());
}

#[tokio::test]
async fn a_command_may_hold_the_last_clone() {
    let kit = Kit::new();
    let (gate, at_gate) = Gate::new();
    let database = kit.open();
    let clone = database.clone();
    {
        let mut last = pin!(database.transact("last", move |tx| {
            at_gate.pass();
            settings::set(tx, "a", if clone.world().next_id() > 0 { b"1" } else { b"0" })
        }));
        start(last.as_mut()).await;
        gate.reached();
    }
    drop(database);
    gate.open();
    // Opening waits for nobody, but the value comes only with the commit.
    let database = kit.open();
    while value(&database, "a").is_none() {
        tokio::task::yield_now().await;
    }
}
