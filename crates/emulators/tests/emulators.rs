//! Each server answers those with the right credentials, and what a test gets is its own.

#![allow(clippy::unwrap_used, reason = "tests")]

use entente_emulators::{Fault, Proxy, azure, gcs, postgres, s3};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

fn status_of(url: &str, target: &str) -> u16 {
    let authority = url.split('/').nth(2).unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn s3_makes_buckets_and_refuses_strangers() {
    let (first, second) = (s3(), s3());
    assert_ne!(first.bucket, second.bucket);
    assert_eq!(status_of(&first.endpoint, &format!("/{}", first.bucket)), 403);
}

#[test]
fn azure_makes_containers_and_refuses_strangers() {
    let (first, second) = (azure(), azure());
    assert_ne!(first.container, second.container);
    let target = format!("/{}/{}?restype=container&comp=list", first.account, first.container);
    assert!([403, 404].contains(&status_of(&first.endpoint, &target)));
}

#[test]
fn gcs_makes_buckets() {
    let (first, second) = (gcs(), gcs());
    assert_ne!(first.bucket, second.bucket);
    assert_eq!(status_of(&first.endpoint, &format!("/storage/v1/b/{}/o", first.bucket)), 200);
    assert_eq!(status_of(&first.endpoint, "/storage/v1/b/nobody-made-this"), 404);
}

#[test]
fn postgres_makes_databases_that_go_with_the_value() {
    let server = postgres();
    let database = server.fresh_database();
    let (url, name) = (database.url().to_owned(), database.name().to_owned());
    assert!(url.ends_with(&format!("/{name}")));
    let other = server.fresh_database();
    assert_ne!(url, other.url());
    assert!(server.databases().contains(&name));
    drop(database);
    assert!(!server.databases().contains(&name));
}

#[test]
fn a_fresh_database_is_empty_whoever_had_it_before() {
    let server = postgres();
    let in_database = |name: &str, statements: &str| server.execute(&format!("\\connect {name}\n{statements}"));
    // Several at once, so that each finds what another has left.
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema NOT LIKE 'pg%'
        AND table_schema <> 'information_schema'";
    for _ in 0..3 {
        let databases = [server.fresh_database(), server.fresh_database()];
        for database in &databases {
            assert_eq!(in_database(database.name(), tables), "0");
            in_database(
                database.name(),
                "CREATE TABLE items (id INT PRIMARY KEY); CREATE SCHEMA more; CREATE VIEW more.ids AS SELECT id FROM items",
            );
            assert_eq!(in_database(database.name(), tables), "2");
        }
    }
}

#[test]
fn a_server_behind_a_proxy_is_out_when_told() {
    let gcs = gcs();
    let proxy = Proxy::before(&gcs.endpoint);
    let target = format!("/storage/v1/b/{}/o", gcs.bucket);
    assert_eq!(status_of(proxy.url(), &target), 200);
    proxy.set(Fault::Refuse);
    assert_eq!(TcpStream::connect(proxy.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(status_of(&gcs.endpoint, &target), 200);
    proxy.set(Fault::Pass);
    assert_eq!(status_of(proxy.url(), &target), 200);
    assert_eq!(proxy.responses(), 2);
}
