//! For load balancers and Prometheus: no credential, no secret.

use crate::State;
use axum::extract;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// The text format that Prometheus scrapes.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

pub(crate) async fn readyz(extract::State(state): extract::State<State>) -> Response {
    match state.operations.ready().await {
        Ok(degraded) if degraded.is_empty() => "ready\n".into_response(),
        Ok(degraded) => format!("ready, degraded: {}\n", degraded.join("; ")).into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response(),
    }
}

pub(crate) async fn metrics(extract::State(state): extract::State<State>) -> Response {
    ([(header::CONTENT_TYPE, PROMETHEUS)], state.operations.metrics()).into_response()
}
