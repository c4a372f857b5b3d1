//! Positions under many writers and several who give them.

use super::{EventKind, NewEvent, Of, Placing, after, explain, last, place, record, remove_old, unplaced};
use crate::{Database, Error, Options, Tx, postgres};
use entente_model::{EnterpriseId, EventId, ItemId, Timestamp, UserId};
use entente_world::World;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const OWNER: UserId = UserId::new(7);
const ENTERPRISE: EnterpriseId = EnterpriseId::new(9);
const WRITERS: usize = 8;
const EACH: usize = 60;

/// Handles of one database, as those of several nodes, and what it is kept in.
struct Desk {
    databases: Vec<Database>,
    _folder: tempfile::TempDir,
    _server: Option<entente_emulators::Database>,
}

#[expect(clippy::disallowed_methods, reason = "tests are told of the engine by their environment alone")]
fn desk() -> Desk {
    let folder = tempfile::tempdir().expect("a folder");
    let on_server = std::env::var("ENTENTE_TEST_DATABASE").is_ok_and(|engine| engine == "postgres");
    let server = on_server.then(|| entente_emulators::postgres().fresh_database());
    let databases = match &server {
        Some(server) => {
            let options = postgres::Options::parse(server.url()).expect("a URL");
            (0..3).map(|_| Database::connect(World::real(), &options).expect("a database")).collect()
        }
        None => {
            let options = Options::new(folder.path().join("test.sqlite"));
            vec![Database::open(World::real(), &options).expect("a database"); 3]
        }
    };
    Desk { databases, _folder: folder, _server: server }
}

fn event(id: i64, at: i64) -> NewEvent {
    NewEvent {
        id: EventId::new(id),
        enterprise: ENTERPRISE,
        user: UserId::new(8),
        kind: EventKind::Created,
        item: ItemId::new(1),
        version: None,
        at: Timestamp::from_millis(at),
    }
}

/// What is to be placed, as one state of the database shows it.
async fn look(database: &Database, limit: u32) -> (i64, Vec<Placing>) {
    let seen = database.read_long(move |tx| Ok::<_, Error>((last(tx)?, unplaced(tx, limit)?))).await.expect("a read");
    let placing = |one: super::Unplaced| Placing { id: one.id, owner: OWNER, enterprise: ENTERPRISE };
    (seen.0, seen.1.into_iter().map(placing).collect())
}

async fn give(database: &Database, (from, events): (i64, Vec<Placing>)) -> Option<i64> {
    database.transact("place", move |tx: &mut Tx<'_>| place(tx, from, &events)).await.expect("placed")
}

async fn read_after(database: &Database, position: i64) -> Vec<(i64, i64)> {
    let found = database.read_long(move |tx| after(tx, Of::Owner(OWNER), position, 1_000)).await.expect("events");
    found.into_iter().map(|event| (event.position, event.id.number())).collect()
}

async fn write(database: &Database, id: i64, at: i64) {
    database.transact("act", move |tx: &mut Tx<'_>| record(tx, &event(id, at))).await.expect("recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_sees_each_event_once_in_the_order_of_positions() {
    let desk = desk();
    let written = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let database = desk.databases[writer % desk.databases.len()].clone();
        let written = Arc::clone(&written);
        tasks.spawn(async move {
            for turn in 0..EACH {
                // Of all writers, ids come in another order than commits.
                let id = (turn * WRITERS + (writer * 5) % WRITERS + 1) as i64;
                write(&database, id, 0).await;
                written.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    for database in desk.databases.clone() {
        let written = Arc::clone(&written);
        tasks.spawn(async move {
            loop {
                let all_written = written.load(Ordering::SeqCst) == WRITERS * EACH;
                let seen = look(&database, 7).await;
                if seen.1.is_empty() && all_written {
                    break;
                }
                if !seen.1.is_empty() {
                    give(&database, seen).await;
                }
                tokio::task::yield_now().await;
            }
        });
    }
    let (mut position, mut ids) = (0, BTreeSet::new());
    while ids.len() < WRITERS * EACH {
        for (next, id) in read_after(&desk.databases[0], position).await {
            // Without a gap: nothing can come before what was seen.
            assert_eq!(next, position + 1);
            assert!(ids.insert(id), "{id} was seen twice");
            position = next;
        }
        tokio::task::yield_now().await;
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a task");
    }
    assert_eq!(position, (WRITERS * EACH) as i64);
    assert_eq!(look(&desk.databases[0], 10).await, (position, Vec::new()));
}

#[tokio::test]
async fn who_was_overtaken_between_the_steps_gives_nothing() {
    let desk = desk();
    let [first, second, _] = &desk.databases[..] else { panic!("three handles") };
    for id in [3, 1, 2] {
        write(first, id, 0).await;
    }
    let stopped = look(first, 10).await;
    let quicker = look(second, 2).await;
    assert_eq!(give(second, quicker).await, Some(2));
    assert_eq!(give(first, stopped).await, None);
    assert_eq!(read_after(first, 0).await, [(1, 1), (2, 2)]);
    let again = look(first, 10).await;
    assert_eq!(give(first, again).await, Some(3));
    assert_eq!(read_after(second, 1).await, [(2, 2), (3, 3)]);
}

#[tokio::test]
async fn what_is_old_goes_and_what_has_no_position_stays() {
    let desk = desk();
    let database = &desk.databases[0];
    for id in 1..=4 {
        write(database, id, id * 10).await;
    }
    let seen = look(database, 3).await;
    assert_eq!(give(database, seen).await, Some(3));
    let removed = |before: i64, limit: u32| {
        database.transact("remove", move |tx: &mut Tx<'_>| remove_old(tx, Timestamp::from_millis(before), limit))
    };
    assert!(removed(100, 2).await.expect("removed"));
    assert!(!removed(30, 2).await.expect("removed"));
    assert_eq!(read_after(database, 0).await, [(3, 3)]);
    assert!(!removed(100, 2).await.expect("removed"));
    let seen = look(database, 10).await;
    assert_eq!(seen.0, 3);
    assert_eq!(give(database, seen).await, Some(4));
    assert_eq!(read_after(database, 0).await, [(4, 4)]);
}

#[tokio::test]
async fn streams_are_read_by_their_indexes() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options::new(folder.path().join("test.sqlite"));
    let database = Database::open(World::real(), &options).expect("a database");
    let plan = database.read_long(explain).await.expect("plans");
    assert_eq!(plan.len(), 4, "{plan:?}");
    for (line, index) in
        plan.iter().zip(["events_of_owner", "events_of_user", "events_of_enterprise", "events_unplaced"])
    {
        assert!(line.contains(index), "{plan:?}");
    }
}
