//! Our own operator interface: health and metrics for machines, `/admin/v1` for people with an administrator's token.
//!
//! | Path | Answers |
//! |---|---|
//! | `/healthz` | 200 while the process is up |
//! | `/readyz` | 200 when the database answers and content can be read, else 503 with the reason |
//! | `/metrics` | Prometheus text |
//! | `GET /admin/v1/status` | what the store holds and does |
//! | `GET /admin/v1/backends` | backends: how they are, and what they hold |
//! | `GET /admin/v1/zones` | zones |
//! | `GET /admin/v1/policies` | storage policies, and what is stored under them |
//! | `POST /admin/v1/config/reload` | reads the configuration file again; `?accept_earlier=true` takes one that was in force before |
//! | `GET, POST /admin/v1/users` | users of the caller's enterprise |
//! | `GET, PUT, DELETE /admin/v1/users/{id}` | one of them; `?force=true` removes what they own, too |
//! | `GET, POST /admin/v1/groups` | groups of the caller's enterprise |
//! | `GET, PUT, DELETE /admin/v1/groups/{id}` | one of them |
//! | `GET, POST /admin/v1/groups/{id}/members` | who is in it |
//! | `DELETE /admin/v1/groups/{id}/members/{user_id}` | takes somebody out of it |
//! | `GET, POST /admin/v1/apps` | applications of the caller's enterprise |
//! | `GET, PATCH, DELETE /admin/v1/apps/{id}` | one of them, by id or client id |
//! | `POST /admin/v1/apps/{id}/secret` | another secret instead of the one it has |
//! | `POST /admin/v1/tokens` | issues a token |
//! | `POST /admin/v1/tokens/revoke` | makes a token worth nothing |
//! | `GET, POST /admin/v1/relocations` | the newest relocations; orders one, or estimates it |
//! | `GET /admin/v1/relocations/{id}` | how far a relocation is |
//! | `POST /admin/v1/relocations/{id}/{pause, resume, cancel}` | steers it |
//! | `GET, POST /admin/v1/scrubs` | what scrubs found, for auditors; begins some |
//!
//! This crate does not know how status, metrics and readiness are found out: the server tells it through
//! [`Operations`].

mod error;
mod handlers;
mod movements;
pub mod shown;

use async_trait::async_trait;
use axum::{
    Router,
    routing::{delete, get, post},
};
use entente_door_kit::{Limits, metrics::Measure};
use entente_identity::Identity;
use entente_tree::Tree;
pub use handlers::relocations::{RelocationOrder, Steer};
pub use movements::{Movements, Refused};
use serde_json::Value;
use std::sync::Arc;

/// What the server knows about itself.
#[async_trait]
pub trait Operations: Send + Sync + 'static {
    /// Whether requests can be served now, and what does not work though nobody need notice; otherwise why not. Sentences
    /// that may be shown to anybody.
    async fn ready(&self) -> Result<Vec<String>, String>;

    /// Metrics as Prometheus text.
    fn metrics(&self) -> String;

    /// What the store holds and does, as `entente status --json` shows it. The error is for the log.
    async fn status(&self) -> Result<Value, BoxError>;

    /// Every backend, as `entente backend list --json` shows them. The error is for the log.
    async fn backends(&self) -> Result<Value, BoxError>;

    /// Every zone, as `entente zone list --json` shows them.
    async fn zones(&self) -> Result<Value, BoxError>;

    /// Every storage policy, as `entente policy list --json` shows them. The error is for the log.
    async fn policies(&self) -> Result<Value, BoxError>;

    /// Reads the configuration file again, and answers what is in force now. An error is every reason why all is as it was,
    /// for the administrator.
    async fn reload(&self, on_earlier: OnEarlier) -> Result<Value, String>;
}

/// What to do with a storage configuration that was in force before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnEarlier {
    /// Somebody has forgotten to bring this node the newer one.
    Refuse,
    /// It is meant: it becomes the newest.
    Apply,
}

/// An error that is only logged.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the routes need.
#[derive(Clone)]
pub struct State {
    /// Turns credentials into callers; makes users, applications and tokens.
    pub identity: Identity,
    /// Users and groups.
    pub tree: Tree,
    /// What the server knows about itself.
    pub operations: Arc<dyn Operations>,
    /// What the server can move and check.
    pub movements: Arc<dyn Movements>,
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
        .route("/admin/v1/backends", get(handlers::storage::backends))
        .route("/admin/v1/zones", get(handlers::storage::zones))
        .route("/admin/v1/policies", get(handlers::storage::policies))
        .route("/admin/v1/config/reload", post(handlers::storage::reload))
        .route("/admin/v1/users", get(handlers::users::list).post(handlers::users::create))
        .route(
            "/admin/v1/users/{id}",
            get(handlers::users::show).put(handlers::users::update).delete(handlers::users::delete),
        )
        .route("/admin/v1/groups", get(handlers::groups::list).post(handlers::groups::create))
        .route(
            "/admin/v1/groups/{id}",
            get(handlers::groups::show).put(handlers::groups::update).delete(handlers::groups::delete),
        )
        .route("/admin/v1/groups/{id}/members", get(handlers::groups::members).post(handlers::groups::add))
        .route("/admin/v1/groups/{id}/members/{user_id}", delete(handlers::groups::remove))
        .route("/admin/v1/apps", get(handlers::apps::list).post(handlers::apps::create))
        .route(
            "/admin/v1/apps/{id}",
            get(handlers::apps::show).patch(handlers::apps::change).delete(handlers::apps::remove),
        )
        .route("/admin/v1/apps/{id}/secret", post(handlers::apps::rotate_secret))
        .route("/admin/v1/tokens", post(handlers::tokens::issue))
        .route("/admin/v1/tokens/revoke", post(handlers::tokens::revoke))
        .route("/admin/v1/relocations", get(handlers::relocations::list).post(handlers::relocations::order))
        .route("/admin/v1/relocations/{id}", get(handlers::relocations::show))
        .route("/admin/v1/relocations/{id}/{steer}", post(handlers::relocations::steer))
        .route("/admin/v1/scrubs", get(handlers::scrubs::report).post(handlers::scrubs::start))
        .layer(Measure::door("admin"))
        .with_state(state)
}
