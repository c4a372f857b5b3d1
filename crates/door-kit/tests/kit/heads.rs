//! Heads of requests: good, bad, large, slow, and for other hosts.

use crate::fixture::Server;
use axum::{
    Router,
    extract::Request,
    routing::{any, get},
};
use entente_door_kit::{
    Arrival, Limits,
    host::{HostRoute, HostTable},
};
use std::time::Duration;

fn hello() -> Router {
    Router::new().route("/hello", get(|| async { "hello" }))
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = Server::start(hello(), Limits::default());
    let mut client = server.connect().await;
    let first = client.get("/hello").await;
    assert_eq!((first.status, first.text()), (200, "hello"));
    assert_eq!(first.header("content-length"), Some("5"));
    assert_eq!(client.get("/absent").await.status, 404);
    let third = client.get("/hello").await;
    assert_eq!(third.text(), "hello");
    let id = |answer: &crate::fixture::Answer| answer.header("x-request-id").unwrap().to_owned();
    assert_eq!(id(&first).len(), 24);
    assert_ne!(id(&first), id(&third));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let router = Router::new().route("/{name}", get(|path: axum::extract::Path<String>| async move { path.0 }));
    let server = Server::start(router, Limits::default());
    let mut client = server.connect().await;
    let asked: String = (0..40).map(|number| format!("GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    client.send(&asked).await;
    for number in 0..40 {
        assert_eq!(client.answer().await.text(), number.to_string());
    }
}

#[tokio::test]
async fn head_has_no_body() {
    let server = Server::start(hello(), Limits::default());
    let mut client = server.connect().await;
    client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let head = client.head().await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("5")));
    assert_eq!(client.get("/hello").await.text(), "hello");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_answered_431() {
    let server = Server::start(hello(), Limits { head_bytes: 16 << 10, ..Limits::default() });
    let mut client = server.connect().await;
    let fits = "y".repeat(15 << 10);
    client.send(&format!("GET /hello HTTP/1.1\r\nHost: x\r\nX-Fits: {fits}\r\n\r\n")).await;
    assert_eq!(client.answer().await.status, 200);
    // Far more than is read before the answer: it must reach the client nevertheless.
    let huge = "y".repeat(4 << 20);
    client.send(&format!("GET /hello HTTP/1.1\r\nHost: x\r\nX-Huge: {huge}\r\n\r\n")).await;
    assert_eq!(client.answer().await.status, 431);
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn what_is_no_http_is_answered_400() {
    let server = Server::start(hello(), Limits::default());
    for text in [
        "nonsense\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost x\r\n\r\n",
        "GET /hello HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n",
    ] {
        let mut client = server.connect().await;
        client.send(text).await;
        assert_eq!(client.answer().await.status, 400, "{text}");
    }
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.0\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn a_head_that_stops_arriving_is_not_waited_for() {
    let server = Server::start(hello(), Limits { head: Duration::from_millis(50), ..Limits::default() });
    let mut client = server.connect().await;
    assert_eq!(client.get("/hello").await.status, 200);
    client.send("GET /hello HTTP/1.1\r\nHost").await;
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::start(hello(), Limits { keep_alive: Duration::from_millis(50), ..Limits::default() });
    assert!(server.connect().await.rest().await.is_empty());
    let mut client = server.connect().await;
    assert_eq!(client.get("/hello").await.status, 200);
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn a_vendor_host_becomes_a_prefix() {
    let hosts = HostTable::new(vec![HostRoute::new("upload.box.com", "/api", "/box/upload")]);
    let show = |arrival: Arrival, request: Request| async move {
        format!("{} {:?} {}", request.uri(), arrival.entry, arrival.scheme)
    };
    let router = Router::new().route("/box/upload/{*rest}", any(show)).route("/api/{*rest}", any(show));
    let server = Server::start_with(router, Limits::default(), None, hosts);
    let mut client = server.connect().await;
    client.send("GET /api/2.0/files/content?x=1 HTTP/1.1\r\nHost: upload.box.com\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "/box/upload/2.0/files/content?x=1 HostName http");
    assert_eq!(client.get("/api/2.0").await.text(), "/api/2.0 Path http");
}

#[tokio::test]
async fn a_panic_fails_one_request() {
    let router = hello().route("/broken", get(|| async { "x".parse::<u8>().map(|_| "").unwrap() }));
    let server = Server::start(router, Limits::default());
    let mut client = server.connect().await;
    assert_eq!(client.get("/broken").await.status, 500);
    assert_eq!(client.get("/hello").await.status, 200);
}

#[tokio::test]
async fn a_target_with_a_fragment_is_answered_400() {
    let router = Router::new().fallback(any(|| async { "done" }));
    let server = Server::start(router, Limits::default());
    let mut client = server.connect().await;
    assert_eq!(client.get("/a").await.status, 200);
    client.send("DELETE /folder/#ment HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 400);
    client.send("GET /a HTTP/1.1\r\nHost: x\r\nCookie: a#b\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "done");
    client.send("GET http://x/a# HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 400);
    assert_eq!(client.get("/a").await.status, 200);
}
