//! Rows that a later release has written, or that are damaged.

use super::*;
use crate::{Database, Options, postgres, subscriptions};
use entente_world::World;

/// A database on the engine that tests use, and what it is kept in.
struct Desk {
    database: Database,
    _folder: tempfile::TempDir,
    _server: Option<entente_emulators::Database>,
}

#[expect(clippy::disallowed_methods, reason = "tests are told of the engine by their environment alone")]
fn desk() -> Desk {
    let folder = tempfile::tempdir().expect("a folder");
    let on_server = std::env::var("ENTENTE_TEST_DATABASE").is_ok_and(|engine| engine == "postgres");
    let server = on_server.then(|| entente_emulators::postgres().fresh_database());
    let database = match &server {
        Some(server) => {
            let options = postgres::Options::parse(server.url()).expect("a URL");
            Database::connect(World::real(), &options)
        }
        None => Database::open(World::real(), &Options::new(folder.path().join("test.sqlite"))),
    };
    Desk { database: database.expect("a database"), _folder: folder, _server: server }
}

const NOW: Timestamp = Timestamp::from_millis(1_000);
const SOON: Timestamp = Timestamp::from_millis(2_000);

fn happens(tx: &mut Tx<'_>, topic: i64, event: i64) -> Result<(), Error> {
    let (told, subscription) = (Told::default(), SubscriptionId::new(1));
    let (happening, wording, target) = (Happening::Put, Wording::S3, "here");
    let new = NewDelivery {
        subscription,
        topic,
        wording,
        target,
        happening,
        told: &told,
        event: EventId::new(event),
        at: NOW,
    };
    enqueue(tx, &new)
}

impl Desk {
    async fn transact<T: Send + 'static>(
        &self,
        run: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + Sync + 'static,
    ) -> T {
        self.database.transact("as it was", run).await.expect("done")
    }
}

#[test]
fn known_kinds_are_those_that_there_are_words_for() {
    let numbers: Vec<_> = Wording::ALL.into_iter().map(|wording| wording.number().to_string()).collect();
    assert_eq!(numbers.join(", "), known_kinds!());
}

#[tokio::test]
async fn what_cannot_be_read_stops_neither_its_target_nor_what_happens_next() {
    let desk = desk();
    desk.transact(|tx| {
        for topic in 1..=5 {
            happens(tx, topic, 10)?;
        }
        tx.put("UPDATE deliveries SET kind = 99 WHERE topic = 1", &[])?;
        tx.put("UPDATE deliveries SET happening = 99 WHERE topic = 2", &[])?;
        tx.put("UPDATE deliveries SET payload = 'what' WHERE topic = 3", &[])?;
        tx.put("UPDATE deliveries SET state = 9 WHERE topic = 4", &[])
    })
    .await;
    let topics = |ids: Vec<DeliveryId>| ids.into_iter().map(|id| id.topic).collect::<Vec<_>>();
    let taken = desk.transact(|tx| take(tx, "here", NOW, SOON, 10)).await;
    let mut unreadable = topics(taken.unreadable);
    unreadable.sort_unstable();
    assert_eq!(unreadable, [2, 3]);
    assert_eq!(topics(taken.deliveries.iter().map(|delivery| delivery.id).collect()), [5]);
    // They are put off, and what happens next waits for them, or not if nobody knows what became of them.
    assert_eq!(desk.transact(|tx| next_due(tx, "here")).await, Some(SOON));
    desk.transact(|tx| (1..=5).try_for_each(|topic| happens(tx, topic, 11))).await;
    let next = desk.transact(|tx| take(tx, "here", NOW, SOON, 10)).await;
    assert_eq!(topics(next.deliveries.iter().map(|delivery| delivery.id).collect()), [4]);
    // In the end they are given up, and shown.
    let stale = desk.transact(|tx| stale(tx, SOON, 100)).await;
    desk.transact(move |tx| {
        for stale in &stale {
            assert!(give_up_stale(tx, stale, "too old", SOON)?);
        }
        Ok(())
    })
    .await;
    let dead = desk.transact(|tx| dead(tx, 100)).await;
    let mut unreadable = topics(dead.unreadable);
    unreadable.sort_unstable();
    assert_eq!((unreadable, dead.deliveries.len()), (vec![1, 2, 3], 6));
    assert_eq!(desk.transact(|tx| retry(tx, SOON, 100)).await, 9);
}

#[tokio::test]
async fn a_wish_in_words_that_nobody_knows_is_nobodys() {
    let desk = desk();
    desk.transact(|tx| {
        tx.put(
            "INSERT INTO subscriptions (id, enterprise_id, item_id, kind, name, target, happenings, prefix, suffix,
               created_at)
             VALUES (1, 1, 7, 99, '', '', 1, '', '', 0)",
            &[],
        )
    })
    .await;
    assert_eq!(desk.transact(|tx| subscriptions::of_item(tx, ItemId::new(7), 10)).await, []);
    assert_eq!(desk.transact(|tx| subscriptions::after(tx, None, 10)).await, []);
}
