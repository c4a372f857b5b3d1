//! What is counted and logged.

use crate::fixture::Server;
use axum::{Router, routing::get};
use entente_door_kit::{
    Limits,
    metrics::{CONNECTIONS, Measure, REQUESTS, SECONDS},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn requests_are_counted_by_template() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let numbers = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    let door = Router::new()
        .route("/files/{id}", get(|| async { "file" }).delete(|| async { http::StatusCode::CONFLICT }))
        .route("/users/me", get(|| async { "me" }))
        .fallback(|| async { http::StatusCode::NOT_FOUND })
        .layer(Measure::door("box"));
    let server = Server::start(Router::new().nest("/box", door), Limits::default());
    let mut client = server.connect().await;
    for path in ["/box/files/1", "/box/files/2", "/box/users/me", "/box/absent"] {
        client.get(path).await;
    }
    client.send("DELETE /box/files/3 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 409);
    let text = numbers.render();
    let line = |method: &str, route: &str, status: &str, count: u32| {
        let wanted =
            format!("{REQUESTS}{{door=\"box\",method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}\n");
        assert!(text.contains(&wanted), "no {wanted} in\n{text}");
    };
    line("GET", "/box/files/{id}", "2xx", 2);
    line("GET", "/box/users/me", "2xx", 1);
    line("DELETE", "/box/files/{id}", "4xx", 1);
    line("GET", "unmatched", "4xx", 1);
    assert!(text.contains(&format!("{CONNECTIONS} 1\n")), "{text}");
    assert!(text.contains(SECONDS), "{text}");
}

#[tokio::test]
async fn the_access_log_names_the_route_and_not_the_path() {
    let log = Log::default();
    let lines = tracing_subscriber::fmt().json().with_max_level(LevelFilter::DEBUG).with_writer(log.clone()).finish();
    let _here = tracing::subscriber::set_default(lines);
    let door = Router::new().route("/files/{name}", get(|| async { "file" })).layer(Measure::door("dav"));
    let server = Server::start(door, Limits::default());
    let mut client = server.connect().await;
    let answer = client.get("/files/secret-plans").await;
    // The second answer comes after the first was logged.
    client.get("/absent").await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("\"access\"")).unwrap();
    for part in [
        "\"route\":\"/files/{name}\"",
        "\"method\":\"GET\"",
        "\"status\":200",
        "\"sent_bytes\":4",
        answer.header("x-request-id").unwrap(),
    ] {
        assert!(line.contains(part), "no {part} in {line}");
    }
    assert!(!text.contains("secret-plans"), "{text}");
}
