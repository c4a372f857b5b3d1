//! SQLite: files that are not what they should be are refused, and left as they are.

use crate::kit::{FileKit, set, value};
use entente_database::{Database, ErrorKind};
use entente_world::World;
use rusqlite::Connection;

fn refusal(kit: &FileKit) -> ErrorKind {
    Database::open(World::real(), &kit.options()).err().expect("a refusal").kind
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let kit = FileKit::new();
    let database = kit.open();
    set(&database, "a", b"1").await.unwrap();
    drop(database);
    let connection = Connection::open(kit.path()).unwrap();
    let number: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "user_version", 9_999).unwrap();
    assert_eq!(refusal(&kit), ErrorKind::Schema);
    connection.pragma_update(None, "user_version", -1).unwrap();
    assert_eq!(refusal(&kit), ErrorKind::Damaged);
    connection.pragma_update(None, "user_version", number).unwrap();
    drop(connection);
    assert!(value(&kit.open(), "a").is_some());
}

#[test]
fn another_programs_database_is_refused_and_not_touched() {
    let kit = FileKit::new();
    let connection = Connection::open(kit.path()).unwrap();
    connection.execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").unwrap();
    drop(connection);
    let before = std::fs::read(kit.path()).unwrap();
    assert_eq!(refusal(&kit), ErrorKind::Schema);
    assert!(std::fs::read(kit.path()).unwrap() == before, "it is as it was");
    assert_eq!(std::fs::read_dir(kit.folder.path()).unwrap().count(), 1, "nothing stands beside it");
}

#[test]
fn what_is_no_database_is_refused_and_not_touched() {
    let kit = FileKit::new();
    let text = "not a database at all. ".repeat(500);
    std::fs::write(kit.path(), &text).unwrap();
    assert_eq!(refusal(&kit), ErrorKind::Damaged);
    assert!(std::fs::read_to_string(kit.path()).unwrap() == text, "it is as it was");
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let kit = FileKit::new();
    let options = entente_database::Options::new(kit.folder.path().join("missing").join("test.sqlite"));
    assert_eq!(Database::open(World::real(), &options).err().unwrap().kind, ErrorKind::Failed);
}
