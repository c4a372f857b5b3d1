//! Another process on the same database: a command line beside a running server, or another node.

use crate::kit::{FileKit, Kit, add_one, number, set, value};
use entente_database::{Database, ErrorKind, Options};
use entente_world::World;
use futures_util::future::join_all;
use rusqlite::Connection;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_write_at_the_same_time_both_get_their_turn() {
    let kit = Kit::new();
    let (one, two) = (kit.open(), kit.open());
    let adds = |database: &Database| {
        let database = database.clone();
        async move {
            for _ in 0..20 {
                let adds = (0..10).map(|_| database.transact("add", |tx| add_one(tx, "count")));
                assert!(join_all(adds).await.into_iter().all(|count| count.is_ok()));
                // What was acknowledged is seen at once.
                assert!(database.read(|tx| number(tx, "count")).unwrap() > 0);
            }
        }
    };
    tokio::join!(adds(&one), adds(&two));
    assert_eq!(one.read(|tx| number(tx, "count")).unwrap(), 400);
    drop(one);
    set(&two, "a", b"1").await.unwrap();
    drop(two);
    assert_eq!(kit.open().read(|tx| number(tx, "count")).unwrap(), 400);
}

#[test]
fn several_may_make_the_database_at_the_same_time() {
    let kit = Kit::new();
    std::thread::scope(|scope| {
        let opening = [0; 4].map(|_| scope.spawn(|| drop(kit.open())));
        for opened in opening {
            opened.join().unwrap();
        }
    });
}

#[tokio::test]
async fn one_that_holds_the_file_for_too_long_makes_the_others_busy() {
    let kit = FileKit::new();
    let options = Options { busy_timeout: Duration::from_millis(20), ..kit.options() };
    let database = Database::open(World::real(), &options).unwrap();
    let neighbour = Connection::open(kit.path()).unwrap();
    neighbour.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = set(&database, "a", b"1").await.unwrap_err();
    assert_eq!((error.kind, error.retryable()), (ErrorKind::Busy, true));
    assert_eq!(value(&database, "a"), None, "and it reads while it cannot write");
    neighbour.execute_batch("ROLLBACK").unwrap();
    set(&database, "a", b"1").await.unwrap();
}
