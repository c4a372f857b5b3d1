//! What goes over the wire, where no emulator could tell that something is missing.

use crate::{
    kit::{self, Secrets},
    scripted::{Answer, Asked, Scripted, answer},
};
use bytes::Bytes;
use entente_clouds::{Backend, Connection, OBJECT_BYTES_MAX, ObjectName, gcs, s3};

const NAME: ObjectName = ObjectName::new([0xab; 16]);

/// Enough for all three to be content.
fn content(asked: &Asked) -> Answer {
    let size = asked.body.len();
    let created = format!(r#"{{"name":"x","size":"{size}","updated":"2026-01-01T00:00:00Z","generation":"1"}}"#);
    let etag = "\"0123456789abcdef0123456789abcdef\"";
    let created = if asked.method == "POST" { created } else { String::new() };
    let status = if asked.method == "PUT" && asked.header("x-ms-version").is_some() { 201 } else { 200 };
    answer(status, created).with("etag", etag).with("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
}

async fn create(backend: &dyn Backend, pieces: usize, piece: &Bytes) {
    let mut creation = backend.create(NAME).await.unwrap();
    for _ in 0..pieces {
        creation.write(piece.clone()).await.unwrap();
    }
    creation.commit().await.unwrap();
}

#[tokio::test]
async fn a_creation_is_one_request_on_the_condition_that_nothing_has_the_name() {
    let secrets = Secrets::new();
    // As small as can be, and more than any service's part of an upload.
    for (pieces, piece) in [(0, Bytes::new()), (1, Bytes::from_static(b"x")), (170, Bytes::from(vec![7; 65_552]))] {
        let server = Scripted::new(content);
        for (cloud, backend) in kit::all_at(&server.url, &secrets) {
            create(&*backend, pieces, &piece).await;
            let asked = server.asked().pop().unwrap();
            assert_eq!(asked.body.len(), pieces * piece.len(), "{cloud}");
            let target = asked.target.replace("%2F", "/");
            assert!(target.contains(&format!("in/side/{NAME}")), "{cloud}: {target}");
            match cloud {
                "gcs" => assert!(asked.is("POST", "&ifGenerationMatch=0"), "{cloud}: {}", asked.target),
                _ => assert_eq!((&*asked.method, asked.header("if-none-match")), ("PUT", Some("*")), "{cloud}"),
            }
        }
        assert_eq!(server.asked().len(), 3);
    }
}

#[tokio::test]
async fn marks_have_the_condition_too() {
    let server = Scripted::new(content);
    for (cloud, backend) in kit::all_at(&server.url, &Secrets::new()) {
        backend.mark(Bytes::from_static(b"ours")).await.unwrap();
        let asked = server.asked().pop().unwrap();
        assert!(asked.target.contains("entente-store"), "{cloud}: {}", asked.target);
        let condition = asked.header("if-none-match") == Some("*") || asked.target.contains("&ifGenerationMatch=0");
        assert!(condition, "{cloud}: {asked:?}");
    }
}

#[tokio::test]
async fn a_read_is_one_request_for_its_range() {
    let server = Scripted::new(|asked| {
        assert_eq!(asked.header("range"), Some("bytes=3-6"));
        answer(206, "abcd").with("content-range", "bytes 3-6/10")
    });
    for (cloud, backend) in kit::all_at(&server.url, &Secrets::new()) {
        assert_eq!(backend.read(NAME, 3..7).await.unwrap(), "abcd", "{cloud}");
    }
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn an_object_that_is_too_large_is_refused_before_it_is_sent() {
    let server = Scripted::new(content);
    for (cloud, backend) in kit::all_at(&server.url, &Secrets::new()) {
        let mut creation = backend.create(NAME).await.unwrap();
        creation.write(Bytes::from(vec![0; OBJECT_BYTES_MAX])).await.unwrap();
        let error = creation.write(Bytes::from_static(b"x")).await.unwrap_err();
        assert!(!error.retryable && error.to_string().contains("at most"), "{cloud}: {error}");
    }
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn requests_go_through_the_proxy_to_the_bucket_as_a_host() {
    let proxy = Scripted::new(content);
    let secrets = Secrets::new();
    let connection = Connection { proxy: Some(proxy.url.clone()), ..Connection::default() };
    let settings = s3::Settings {
        addressing: s3::Addressing::Host,
        connection,
        ..kit::s3_at("http://s3.entente.invalid", &secrets)
    };
    // No such host: only a proxy could find it.
    create(&*s3::open(&settings).unwrap_or_else(|error| panic!("{error}")), 1, &Bytes::from_static(b"x")).await;
    let asked = proxy.asked().pop().unwrap();
    assert_eq!(asked.target, format!("http://bucket.s3.entente.invalid/in/side/{NAME}"));
}

/// Set in the process that has a proxy in its environment.
const PROXIED: &str = "ENTENTE_TEST_PROXIED";

#[tokio::test]
async fn requests_go_through_the_proxy_of_the_environment() {
    if std::env::var_os(PROXIED).is_some() {
        let url = "http://cloud.entente.invalid";
        let (s3, gcs) = (s3::open(&kit::s3_at(url, &Secrets::new())), gcs::open(&kit::gcs_at(url)));
        for backend in [s3.unwrap(), gcs.unwrap()] {
            create(&*backend, 1, &Bytes::from_static(b"x")).await;
        }
        return;
    }
    // An environment cannot be changed in a process with threads, so the same test runs in another one.
    let proxy = Scripted::new(content);
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "wire::requests_go_through_the_proxy_of_the_environment"]);
    child.env(PROXIED, "1").env("HTTP_PROXY", &proxy.url).env_remove("NO_PROXY").env_remove("no_proxy");
    let done = child.env("http_proxy", &proxy.url).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let hosts: Vec<bool> =
        proxy.asked().iter().map(|asked| asked.target.starts_with("http://cloud.entente.invalid/")).collect();
    assert_eq!(hosts, [true, true]);
}
