//! Statements whose answers are not waited for: their failures still reach the command that ran them, and no other.

use crate::kit::{Gate, ServerKit, set, start, value};
use entente_database::enterprises::{Enterprise, by_id, create_enterprise};
use entente_database::{Database, Error, ErrorKind, settings};
use entente_model::{EnterpriseId, Timestamp, ZoneId};
use futures_util::future::join;
use std::pin::pin;

fn enterprise(id: i64) -> Enterprise {
    let (id, zone) = (EnterpriseId::new(id), ZoneId::new(1));
    Enterprise { id, name: "e".to_owned(), zone, created_at: Timestamp::from_millis(0) }
}

/// Made without waiting for the answer.
async fn make(database: &Database, id: i64, note: &'static str) -> Result<(), Error> {
    let new = enterprise(id);
    database
        .transact("make", move |tx| {
            create_enterprise(tx, &new)?;
            settings::set(tx, note, b"1")
        })
        .await
}

fn is_there(database: &Database, id: i64) -> bool {
    database.read(|tx| by_id(tx, EnterpriseId::new(id))).unwrap().is_some()
}

#[tokio::test]
async fn a_failure_that_comes_late_is_its_own_commands() {
    let kit = ServerKit::new();
    let database = kit.open();
    make(&database, 1, "before").await.unwrap();
    let (gate, at_gate) = Gate::new();
    let mut held = pin!(database.transact("held", move |_| {
        at_gate.pass();
        Ok::<_, Error>(())
    }));
    start(held.as_mut()).await;
    gate.reached();
    let several = async {
        tokio::join!(
            make(&database, 2, "two"),
            make(&database, 1, "again"),
            make(&database, 3, "three"),
            database.transact("read", |tx| settings::value(tx, "two")),
            make(&database, 1, "and again"),
            set(&database, "four", b"1"),
            make(&database, 2, "last"),
        )
    };
    let mut several = pin!(several);
    start(several.as_mut()).await;
    gate.open();
    let ((two, again, three, read, and_again, four, last), _) = join(several, held).await;
    two.unwrap();
    three.unwrap();
    four.unwrap();
    for failed in [again, and_again, last] {
        assert_eq!(failed.unwrap_err().kind, ErrorKind::Duplicate);
    }
    assert!(read.unwrap().is_some(), "a command sees those before it");
    assert!(is_there(&database, 2) && is_there(&database, 3));
    for (name, stands) in [("two", true), ("three", true), ("four", true), ("again", false), ("last", false)] {
        assert_eq!(value(&database, name).is_some(), stands, "{name}");
    }
}

#[tokio::test]
async fn a_command_that_overlooks_a_failure_fails_all_the_same() {
    let kit = ServerKit::new();
    let database = kit.open();
    make(&database, 1, "before").await.unwrap();
    let careless = database.transact("careless", |tx| {
        create_enterprise(tx, &enterprise(1))?;
        let _ = settings::value(tx, "before");
        let _ = settings::set(tx, "after", b"1");
        Ok::<_, Error>(())
    });
    assert_eq!(careless.await.unwrap_err().kind, ErrorKind::Duplicate);
    assert_eq!(value(&database, "after"), None);
}

#[tokio::test]
async fn more_statements_than_go_out_at_once_are_run_in_order() {
    let kit = ServerKit::new();
    let database = kit.open();
    let many = database.transact("many", |tx| {
        for turn in 0..1_000_u64 {
            settings::set(tx, "turn", &turn.to_be_bytes())?;
        }
        settings::value(tx, "turn")
    });
    assert_eq!(many.await.unwrap().as_deref(), Some(999_u64.to_be_bytes().as_slice()));
}

#[tokio::test]
async fn what_the_server_will_not_store_is_a_failure_and_no_more() {
    let kit = ServerKit::new();
    let database = kit.open();
    let error = set(&database, "zero\0", b"1").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    set(&database, "a", b"1").await.unwrap();
    assert!(value(&database, "a").is_some());
}
