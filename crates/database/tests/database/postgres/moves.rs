//! A database in a file becomes one on a server, whole or not at all.

use crate::kit::{FileKit, ServerKit, set, value};
use entente_database::enterprises::{Enterprise, create_enterprise, first};
use entente_database::items::{self, Item, Kind};
use entente_database::transfer::{self, Moved};
use entente_database::users::{self, NewUser};
use entente_database::{Database, Error, ErrorKind, Tx, totals};
use entente_model::{EnterpriseId, ItemId, ItemName, Timestamp, ZoneId};
use entente_world::World;
use std::ops::ControlFlow::{Break, Continue};

const FILES: i64 = 12_345;

/// Rows of several tables, with nulls, empty and long values, negative numbers and letters beyond ASCII.
async fn fill(database: &Database) {
    let world = database.world().clone();
    let enterprise = EnterpriseId::new(world.next_id());
    let row = Enterprise {
        id: enterprise,
        name: "Äcme\t\"\\N\"\u{1F600}".to_owned(),
        zone: ZoneId::new(1),
        created_at: world.now(),
    };
    let new = NewUser::new(&world, enterprise, "anna@example.org", "Anna");
    let make = move |tx: &mut Tx<'_>| -> Result<(), Error> {
        create_enterprise(tx, &row)?;
        let user = users::create_user(tx, &new)?;
        for number in 0..FILES {
            let name = ItemName::new(format!("файл {number}")).unwrap();
            let mut item =
                Item::new(ItemId::new(1_000 + number), Kind::File, name, user.id, Timestamp::from_millis(-number));
            item.parent = (number % 3 == 0).then_some(user.root);
            item.description = "x".repeat(usize::try_from(number % 700).unwrap());
            items::insert(tx, &item)?;
        }
        Ok(())
    };
    database.transact("fill", make).await.unwrap();
    set(database, "empty", b"").await.unwrap();
    set(database, "large", &vec![7; 3_000_000]).await.unwrap();
}

fn move_it(file: &FileKit, server: &ServerKit) -> Result<Vec<Moved>, Error> {
    transfer::to_server(&World::real(), &file.options(), &server.options(), &mut |_| Continue(()))
}

#[tokio::test]
async fn everything_arrives_and_the_file_is_not_served_any_more() {
    let (file, server) = (FileKit::new(), ServerKit::new());
    let database = file.open();
    fill(&database).await;
    let before = database.read(totals::totals).unwrap();
    let enterprise = database.read(first).unwrap().unwrap();
    drop(database);
    let mut seen = Vec::new();
    let moved = transfer::to_server(&World::real(), &file.options(), &server.options(), &mut |progress| {
        assert!(progress.rows <= progress.of);
        seen.push((progress.table.to_owned(), progress.compares, progress.rows));
        Continue(())
    });
    let moved = moved.unwrap();
    let items = moved.iter().find(|table| table.table == "items").unwrap();
    assert_eq!(items.rows, u64::try_from(FILES).unwrap() + 2);
    assert!(seen.contains(&("items".to_owned(), true, items.rows)), "progress is told");
    for own in ["migrations", "nodes", "writers"] {
        assert!(moved.iter().all(|table| table.table != own));
    }

    let database = server.open();
    assert_eq!(database.read(totals::totals).unwrap(), before);
    assert_eq!(database.read(first).unwrap().unwrap(), enterprise);
    assert_eq!(value(&database, "empty").as_deref(), Some(b"".as_slice()));
    assert_eq!(value(&database, "large").map(|value| value.len()), Some(3_000_000));
    let item = database.read(|tx| items::by_id(tx, ItemId::new(1_000 + 699))).unwrap().unwrap();
    assert_eq!((item.name.as_str(), item.description.len()), ("файл 699", 699));
    set(&database, "after", b"1").await.unwrap();

    let error = Database::open(World::real(), &file.options()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Schema);
    assert!(error.to_string().contains("moved to a server"), "{error}");
    let again = move_it(&file, &server).unwrap_err();
    assert_eq!(again.kind, ErrorKind::Schema);
    assert!(again.to_string().contains("already"), "{again}");
    assert!(value(&database, "after").is_some());
}

#[tokio::test]
async fn a_target_that_is_in_use_is_refused_and_the_file_stays() {
    let (file, server) = (FileKit::new(), ServerKit::new());
    fill(&file.open()).await;
    let there = server.open();
    set(&there, "theirs", b"1").await.unwrap();
    let error = move_it(&file, &server).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Schema);
    assert!(error.to_string().contains("in use"), "{error}");
    assert!(value(&there, "theirs").is_some() && value(&there, "large").is_none());
    assert!(value(&file.open(), "large").is_some());
}

#[tokio::test]
async fn a_file_that_somebody_writes_to_is_not_moved() {
    let (file, server) = (FileKit::new(), ServerKit::new());
    fill(&file.open()).await;
    let writer = rusqlite::Connection::open(file.path()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let options = entente_database::Options { busy_timeout: std::time::Duration::from_millis(20), ..file.options() };
    let moved = transfer::to_server(&World::real(), &options, &server.options(), &mut |_| Continue(()));
    assert_eq!(moved.unwrap_err().kind, ErrorKind::Busy);
    writer.execute_batch("ROLLBACK").unwrap();
    assert!(!move_it(&file, &server).unwrap().is_empty());
}

/// Whatever is cut off, the same call again ends with one database that is served, and the whole of it.
#[tokio::test]
async fn a_move_that_is_cut_off_anywhere_is_completed_by_the_next() {
    let (file, server) = (FileKit::new(), ServerKit::new());
    fill(&file.open()).await;
    // While it copies.
    for turns in [0, 1, 20] {
        let mut left = turns;
        let cut = transfer::to_server(&World::real(), &file.options(), &server.options(), &mut |_| {
            left -= 1;
            if left < 0 { Break(()) } else { Continue(()) }
        });
        assert_eq!(cut.unwrap_err().kind, ErrorKind::Stopping);
    }
    assert!(value(&file.open(), "large").is_some(), "the file is as it was");

    // After the server's side was committed, and before the file was marked.
    assert!(!move_it(&file, &server).unwrap().is_empty());
    let token = mark(&file);
    let filled = |state: &str| server.execute(&format!("UPDATE entente SET state = '{state}'"));
    filled("it has been filled from a file; run `entente migrate-database` again to complete that x");
    unmark(&file);
    let error = Database::connect(World::real(), &server.options()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Schema);
    assert!(error.to_string().contains("migrate-database"), "{error}");
    assert!(!move_it(&file, &server).unwrap().is_empty());
    assert!(value(&server.open(), "large").is_some());

    // After the file was marked, and before the server's side was opened for use.
    assert_ne!(mark(&file), token, "another move");
    let token = mark(&file);
    filled(&format!("it has been filled from a file; run `entente migrate-database` again to complete that {token}"));
    assert!(Database::open(World::real(), &file.options()).is_err());
    assert!(Database::connect(World::real(), &server.options()).is_err());
    assert!(move_it(&file, &server).unwrap().is_empty(), "nothing was left to copy");
    assert!(value(&server.open(), "large").is_some());

    // To another database than the one that it went to.
    filled("it has been filled from a file; run `entente migrate-database` again to complete that another");
    let error = move_it(&file, &server).unwrap_err();
    assert!(error.to_string().contains("another database"), "{error}");
}

/// What the file says of where it went.
fn mark(file: &FileKit) -> String {
    let connection = rusqlite::Connection::open(file.path()).unwrap();
    let sql = "SELECT value FROM settings WHERE name = 'database moved'";
    String::from_utf8(connection.query_row(sql, [], |row| row.get(0)).unwrap()).unwrap()
}

fn unmark(file: &FileKit) {
    let connection = rusqlite::Connection::open(file.path()).unwrap();
    connection.pragma_update(None, "application_id", 0x456e_7431).unwrap();
}
