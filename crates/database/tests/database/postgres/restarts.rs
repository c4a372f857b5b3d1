//! Sessions end, as when the server is started again: the next request finds the server again by itself.

use crate::kit::{Gate, ServerKit, add_one, number, set, start, value};
use entente_database::postgres::Options;
use entente_database::{Database, Error, ErrorKind, settings};
use entente_emulators::{Fault, Proxy};
use entente_world::World;
use std::pin::pin;
use std::time::Duration;

const END_ALL: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test]
async fn whoever_reads_or_writes_next_does_not_notice() {
    let kit = ServerKit::new();
    let database = kit.open();
    for turn in 1..=5 {
        assert_eq!(database.transact("add", |tx| add_one(tx, "count")).await.unwrap(), turn);
        assert_eq!(database.read(|tx| number(tx, "count")).unwrap(), turn);
        kit.execute(END_ALL);
        assert_eq!(database.read(|tx| number(tx, "count")).unwrap(), turn);
    }
}

#[tokio::test]
async fn a_server_that_is_away_for_long_is_told_and_found_again() {
    let kit = ServerKit::new();
    let proxy = Proxy::before(kit.url());
    let options = Options { patience: Duration::from_millis(200), ..Options::parse(proxy.url()).unwrap() };
    let database = Database::connect(World::real(), &options).unwrap();
    set(&database, "a", b"1").await.unwrap();
    proxy.set(Fault::Refuse);
    let error = set(&database, "b", b"1").await.unwrap_err();
    assert_eq!((error.kind, error.retryable()), (ErrorKind::Busy, true));
    let error = database.read(|tx| number(tx, "b")).unwrap_err();
    assert_eq!((error.kind, error.retryable()), (ErrorKind::Busy, true));
    proxy.set(Fault::Pass);
    set(&database, "b", b"1").await.unwrap();
    assert!(value(&database, "a").is_some() && value(&database, "b").is_some());
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up() {
    let kit = ServerKit::new();
    let options = Options { statement_timeout: Duration::from_millis(300), ..kit.options() };
    let database = Database::connect(World::real(), &options).unwrap();
    set(&database, "a", b"1").await.unwrap();
    let (other, (gate, at_gate)) = (kit.open(), Gate::new());
    let mut holding = pin!(other.transact("hold", move |tx| {
        settings::set(tx, "a", b"held")?;
        settings::value(tx, "a")?;
        at_gate.pass();
        Ok::<_, Error>(())
    }));
    start(holding.as_mut()).await;
    gate.reached();
    let error = set(&database, "a", b"2").await.unwrap_err();
    assert_eq!((error.kind, error.retryable()), (ErrorKind::Busy, true));
    assert!(error.to_string().contains("took longer"), "{error}");
    gate.open();
    holding.await.unwrap();
    set(&database, "a", b"3").await.unwrap();
}
