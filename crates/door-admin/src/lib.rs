//! Our own operator interface: health and metrics for machines, `/admin/v1` for people with an administrator's token.
//!
//! | Path | Answers |
//! |---|---|
//! | `/healthz` | 200 while the process is up |
//! | `/readyz` | 200 when database and backends answer, else 503 with the reason |
//! | `/metrics` | Prometheus text |
//! | `GET /admin/v1/status` | what the store holds and does |
//! | `GET, POST /admin/v1/users` | users of the caller's enterprise |
//! | `GET, POST /admin/v1/apps` | applications of the caller's enterprise |
//! | `POST /admin/v1/tokens` | issues a token |
//! | `POST /admin/v1/tokens/revoke` | makes a token worth nothing |
//!
//! This crate does not know how status, metrics and readiness are found out: the server tells it through
//! [`Operations`].

mod error;
mod handlers;
pub mod shown;

use async_trait::async_trait;
use axum::{
    Router,
    routing::{get, post},
};
use entente_door_kit::{Limits, metrics::Measure};
use entente_identity::Identity;
use std::sync::Arc;

/// What the server knows about itself.
#[async_trait]
pub trait Operations: Send + Sync + 'static {
    /// Whether requests can be served now; otherwise why not, in a sentence that may be shown to anybody.
    async fn ready(&self) -> Result<(), String>;

    /// Metrics as Prometheus text.
    fn metrics(&self) -> String;

    /// What the store holds and does, as `entente status --json` shows it. The error is for the log.
    async fn status(&self) -> Result<serde_json::Value, Box<dyn std::error::Error + Send + Sync>>;
}

/// What the routes need.
#[derive(Clone)]
pub struct State {
    /// Turns credentials into callers; makes users, applications and tokens.
    pub identity: Identity,
    /// What the server knows about itself.
    pub operations: Arc<dyn Operations>,
    /// Bounds of bodies.
    pub limits: Limits,
}

/// The routes, by their full paths.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/healthz", get(handlers::health::healthz))
        .route("/readyz", get(handlers::health::readyz))
        .route("/metrics", get(handlers::health::metrics))
        .route("/admin/v1/status", get(handlers::status::show))
        .route("/admin/v1/users", get(handlers::users::list).post(handlers::users::create))
        .route("/admin/v1/apps", get(handlers::apps::list).post(handlers::apps::create))
        .route("/admin/v1/tokens", post(handlers::tokens::issue))
        .route("/admin/v1/tokens/revoke", post(handlers::tokens::revoke))
        .layer(Measure::door("admin"))
        .with_state(state)
}
