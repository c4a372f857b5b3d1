//! What cannot be used is refused, with the reason, and not touched.

use crate::kit::{ServerKit, set};
use entente_database::postgres::Options;
use entente_database::{Database, ErrorKind};
use entente_world::World;

fn refusal(url: &str) -> (ErrorKind, String) {
    let error = Database::connect(World::real(), &Options::parse(url).unwrap()).err().expect("a refusal");
    (error.kind, error.to_string())
}

/// The URL with something in it replaced.
fn with(url: &str, old: &str, new: &str) -> String {
    assert!(url.contains(old), "{old} in {url}");
    url.replacen(old, new, 1)
}

fn password(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap();
    rest.split_once('@').unwrap().0.split_once(':').unwrap().1
}

#[test]
fn a_wrong_password_is_told_and_not_repeated() {
    let kit = ServerKit::new();
    let url = with(kit.url(), password(kit.url()), "guessed-wrongly");
    let (kind, message) = refusal(&url);
    assert_eq!(kind, ErrorKind::Failed);
    assert!(message.contains("password") && !message.contains("guessed-wrongly"), "{message}");
    let url = with(kit.url(), &format!(":{}", password(kit.url())), "");
    let (kind, message) = refusal(&url);
    assert_eq!(kind, ErrorKind::Failed);
    assert!(message.contains("asks for a password"), "{message}");
}

#[test]
fn a_database_that_is_not_there_is_told() {
    let kit = ServerKit::new();
    let (_, name) = kit.url().rsplit_once('/').unwrap();
    let (kind, message) = refusal(&with(kit.url(), &format!("/{name}"), "/nowhere"));
    assert_eq!(kind, ErrorKind::Failed);
    assert!(message.contains("CREATE DATABASE"), "{message}");
}

#[test]
fn a_server_that_is_not_there_may_come() {
    let (kind, message) = refusal("postgres://anna@127.0.0.1:1/x");
    assert_eq!(kind, ErrorKind::Busy);
    assert!(message.contains("127.0.0.1:1"), "{message}");
}

#[test]
fn a_server_without_tls_is_refused_where_it_is_wanted() {
    let kit = ServerKit::new();
    let (kind, message) = refusal(&format!("{}?sslmode=verify-full", kit.url()));
    assert_eq!(kind, ErrorKind::Failed);
    assert!(message.contains("sslmode=disable"), "{message}");
}

#[test]
fn the_first_host_that_answers_is_taken() {
    let kit = ServerKit::new();
    let url = with(kit.url(), "@", "@127.0.0.1:1,");
    drop(Database::connect(World::real(), &Options::parse(&url).unwrap()).unwrap());
}

#[test]
fn another_programs_database_is_refused_and_not_touched() {
    let kit = ServerKit::new();
    kit.execute("CREATE TABLE theirs (a BIGINT)");
    let (kind, message) = refusal(kit.url());
    assert_eq!(kind, ErrorKind::Schema);
    assert!(message.contains("another program"), "{message}");
    assert_eq!(
        kit.execute("SELECT string_agg(table_name, ' ') FROM information_schema.tables WHERE table_schema = 'public'"),
        "theirs"
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let kit = ServerKit::new();
    set(&kit.open(), "a", b"1").await.unwrap();
    kit.execute(
        "INSERT INTO migrations (number, name, run_at) SELECT n, 'later', 0 FROM generate_series(1000, 1100) AS n",
    );
    let (kind, message) = refusal(kit.url());
    assert_eq!(kind, ErrorKind::Schema);
    assert!(message.contains("newer entente"), "{message}");
}

#[tokio::test]
async fn a_database_that_was_moved_away_is_refused() {
    let kit = ServerKit::new();
    drop(kit.open());
    kit.execute("UPDATE entente SET state = 'it went elsewhere'");
    let (kind, message) = refusal(kit.url());
    assert_eq!(kind, ErrorKind::Schema);
    assert!(message.contains("it went elsewhere"), "{message}");
}
