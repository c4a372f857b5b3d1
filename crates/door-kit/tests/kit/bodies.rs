//! Bodies of requests and answers: wanted, unwanted, slow and broken.

use crate::fixture::Server;
use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use bytes::Bytes;
use entente_door_kit::{BodyError, Limits, read_bounded, stream::exact};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use std::{io, time::Duration};
use tokio::sync::mpsc;

/// Says how many bytes came, or why not.
fn sizes() -> Router {
    let read = |body: Body| async move {
        match read_bounded(body, 1 << 20).await {
            Ok(bytes) => (StatusCode::OK, bytes.len().to_string()),
            Err(error @ BodyError::Stalled) => (StatusCode::REQUEST_TIMEOUT, error.to_string()),
            Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
        }
    };
    let refuse = || async { (StatusCode::CONFLICT, "taken") };
    Router::new().route("/read", post(read)).route("/refuse", post(refuse))
}

fn post_head(path: &str, length: usize, extra: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{extra}\r\n")
}

#[tokio::test]
async fn bodies_are_read_and_the_connection_goes_on() {
    let server = Server::start(sizes(), Limits::default());
    let mut client = server.connect().await;
    client.send(&post_head("/read", 5, "")).await;
    client.send("hello").await;
    assert_eq!(client.answer().await.text(), "5");
    let big = "z".repeat(1 << 20);
    client.send(&(post_head("/read", big.len(), "") + &big)).await;
    assert_eq!(client.answer().await.text(), "1048576");
    client.send("POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
    client.send("2\r\nde\r\n0\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "5");
    client.send(&post_head("/read", 0, "")).await;
    assert_eq!(client.answer().await.text(), "0");
}

#[tokio::test]
async fn a_broken_transfer_coding_is_recognised() {
    let server = Server::start(sizes(), Limits::default());
    let mut client = server.connect().await;
    client.send("POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text()), (400, BodyError::Malformed.to_string().as_str()));
}

#[tokio::test]
async fn a_body_that_stops_arriving_is_not_waited_for() {
    let server = Server::start(sizes(), Limits { body_idle: Duration::from_millis(50), ..Limits::default() });
    let mut client = server.connect().await;
    client.send(&post_head("/read", 10, "")).await;
    client.send("abc").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text()), (408, BodyError::Stalled.to_string().as_str()));
    client.send("defghij").await;
    drop(client);
    // The connection is not used again, and others are unharmed.
    let mut client = server.connect().await;
    client.send(&(post_head("/read", 2, "") + "ok")).await;
    assert_eq!(client.answer().await.text(), "2");
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_continue() {
    let server = Server::start(sizes(), Limits::default());
    let mut client = server.connect().await;
    client.send(&post_head("/read", 5, "Expect: 100-continue\r\n")).await;
    assert_eq!(client.head().await.status, 100);
    client.send("hello").await;
    assert_eq!(client.answer().await.text(), "5");
    // A refusal comes at once, without the body.
    client.send(&post_head("/refuse", 5_000_000, "Expect: 100-continue\r\n")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text(), answer.header("connection")), (409, "taken", Some("close")));
}

#[tokio::test]
async fn a_short_unwanted_body_keeps_the_connection() {
    let server = Server::start(sizes(), Limits::default());
    let mut client = server.connect().await;
    for _ in 0..3 {
        client.send(&post_head("/refuse", 100_000, "")).await;
        client.send(&"u".repeat(100_000)).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (409, None));
    }
}

#[tokio::test]
async fn a_long_unwanted_body_does_not_cost_the_answer() {
    let server = Server::start(sizes(), Limits::default());
    let mut client = server.connect().await;
    let length = 32 << 20;
    client.send(&post_head("/refuse", length, "")).await;
    // Like many clients this one looks for an answer only when all is sent.
    let piece = "u".repeat(1 << 20);
    for _ in 0..length / piece.len() {
        client.send(&piece).await;
    }
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text(), answer.header("connection")), (409, "taken", Some("close")));
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn a_failing_content_is_cut_off_visibly() {
    let content = || async {
        let good = stream::iter([Ok(Bytes::from(vec![1; 50_000]))]);
        let bad = stream::once(async {
            tokio::task::yield_now().await;
            Err(io::Error::other("the segment is damaged"))
        });
        exact(good.chain(bad), 100_000)
    };
    let server = Server::start(Router::new().route("/content", get(content)), Limits::default());
    let mut client = server.connect().await;
    client.send("GET /content HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let head = client.head().await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("100000")));
    assert!(client.rest().await.len() <= 50_000);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_waited_for() {
    let (alive, mut ended) = mpsc::channel::<()>(1);
    let content = move || {
        let alive = alive.clone();
        async move {
            let pieces = stream::repeat_with(move || {
                let _kept = &alive;
                Ok::<_, io::Error>(Bytes::from_static(&[0; 65_536]))
            });
            exact(pieces, 1 << 40)
        }
    };
    // Draining takes as long as the slowest request: nothing else ends this one.
    let drain = Duration::from_secs(100_000);
    let limits = Limits { write_stall: Duration::from_millis(50), drain, ..Limits::default() };
    let server = Server::start(Router::new().route("/content", get(content)), limits);
    let mut client = server.connect().await;
    client.send("GET /content HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(client.head().await.status, 200);
    // The content lives until the server gives up; then only the route's own sender is left.
    let server_address = server.address;
    server.stop.request();
    server.done.await.unwrap().unwrap();
    assert!(ended.recv().await.is_none(), "{server_address} still sends");
}
