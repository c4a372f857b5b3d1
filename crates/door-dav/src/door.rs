//! The door itself: what it was given, and the router that it becomes.

use crate::answer;
use crate::asked::{Asked, Roots};
use crate::error::Problem;
use crate::routes;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use entente_door_kit::origin::Origin;
use entente_door_kit::{Arrival, Auth};
use entente_tree::Tree;
use http::StatusCode;
use std::sync::Arc;

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where clients reach this server: a `Destination` must lead there.
    pub origin: Origin,
    /// The largest file, in bytes.
    pub file_bytes_max: u64,
}

impl Default for Options {
    /// No configured URL, files of up to 256 GiB.
    fn default() -> Self {
        Self { origin: Origin::default(), file_bytes_max: entente_tree::limits::SESSION_BYTES_MAX }
    }
}

/// The WebDAV door. Cheap to clone.
#[derive(Clone)]
pub struct DavDoor(Arc<Inner>);

struct Inner {
    tree: Tree,
    auth: Auth,
    options: Options,
    roots: Roots,
}

/// Where the door is.
pub(crate) const PREFIX: &str = "/dav";

impl DavDoor {
    /// A door to the tree.
    #[must_use]
    pub fn new(tree: Tree, auth: Auth, options: Options) -> Self {
        Self(Arc::new(Inner { tree, auth, options, roots: Roots::default() }))
    }

    /// Serves everything below `/dav`: that is each caller's own root.
    ///
    /// Requests must carry an [`Arrival`], as `entente_door_kit::serve` attaches it. No other layer may limit or read
    /// bodies: the door does both.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/dav", any(run))
            .route("/dav/", any(run))
            .route("/dav/{*path}", any(run))
            .with_state(self.clone())
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.0.tree
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn roots(&self) -> &Roots {
        &self.0.roots
    }
}

async fn run(State(door): State<DavDoor>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(arrival) = parts.extensions.get::<Arrival>().copied() else {
        return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    if routes::is_open(&parts.method) {
        return routes::answer_anybody().unwrap_or_else(|problem| problem.into_response(arrival.request_id));
    }
    let outcome = match Asked::new(door, arrival, parts, body).await {
        Ok(asked) => routes::dispatch(asked).await,
        Err(problem) => Err(problem),
    };
    outcome.unwrap_or_else(|problem: Problem| problem.into_response(arrival.request_id))
}
