//! What is counted.

use crate::fixture::Server;
use axum::{Router, routing::get};
use entente_door_kit::{
    Limits,
    metrics::{CONNECTIONS, Measure, REQUESTS, SECONDS},
};
use metrics_exporter_prometheus::PrometheusBuilder;

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
