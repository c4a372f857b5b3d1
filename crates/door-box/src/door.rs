//! The door itself: what it was given, and the router that it becomes.

use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::handlers::shared_links;
use crate::routes::{self, Handle, Operation};
use crate::to_wire::Look;
use crate::wire::date::Zone;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, on};
use entente_door_kit::origin::Origin;
use entente_door_kit::turns::Turns;
use entente_door_kit::{Arrival, Auth, Limits};
use entente_model::UserId;
use entente_pictures::Maker;
use entente_tree::Tree;
use http::StatusCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What an operator may set.
#[derive(Clone)]
pub struct Options {
    /// Where clients reach this server; the URLs that are handed out begin with it.
    pub origin: Origin,
    /// The enterprise's time zone, in which dates are shown.
    pub zone: Zone,
    /// What a client may take of us.
    pub limits: Limits,
    /// The largest file, in bytes.
    pub file_bytes_max: u64,
    /// How long the trash keeps what is in it, if it does not keep it for ever.
    pub trash: Option<Duration>,
    /// Whether webhooks may have addresses without TLS.
    pub plain_webhooks: bool,
    /// Who makes pictures of contents; without one, there are placeholders.
    pub pictures: Option<Maker>,
}

impl Default for Options {
    /// No configured URL, universal time, files of up to 256 GiB, a trash that keeps everything, webhooks with TLS,
    /// no pictures.
    fn default() -> Self {
        Self {
            origin: Origin::default(),
            zone: Zone::utc(),
            limits: Limits::default(),
            file_bytes_max: entente_tree::limits::SESSION_BYTES_MAX,
            trash: None,
            plain_webhooks: false,
            pictures: None,
        }
    }
}

/// The Box door. Cheap to clone.
#[derive(Clone)]
pub struct BoxDoor(Arc<Inner>);

struct Inner {
    tree: Tree,
    auth: Auth,
    options: Options,
    waiting: Waiting,
    submissions: Turns,
}

impl BoxDoor {
    /// A door to the tree.
    #[must_use]
    pub fn new(tree: Tree, auth: Auth, options: Options) -> Self {
        let submissions = Turns::new(SUBMISSIONS_MAX, SUBMISSIONS_WITHIN);
        Self(Arc::new(Inner { tree, auth, options, waiting: Waiting::default(), submissions }))
    }

    /// Serves everything below `/box`: the API at `/box/2.0`, uploads also at `/box/upload/2.0`,
    /// `/box/upload/api/2.0` and `/box/upload.box.com/api/2.0`, tokens at `/box/oauth2`, downloads at `/box/download`; and
    /// the pages of file requests below `/f`.
    ///
    /// Requests must carry an [`Arrival`], as `entente_door_kit::serve` attaches it. No other layer may limit or read
    /// bodies: the door does both, and `OPTIONS` is an operation of Box's, not a matter of CORS.
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        for operation in routes::all() {
            for path in operation.paths() {
                let answer = move |State(door): State<Self>, request: Request| run(door, request, operation);
                router = router.route(&path, on(operation.method, answer));
            }
        }
        router
            .route("/box", any(unknown_path))
            .route("/box/{*rest}", any(unknown_path))
            .method_not_allowed_fallback(unknown_method)
            .with_state(self.clone())
    }

    /// What it shows.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.0.tree
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn waiting(&self) -> &Waiting {
        &self.0.waiting
    }

    /// How often files may be sent by file requests.
    pub(crate) fn submissions(&self) -> &Turns {
        &self.0.submissions
    }

    pub(crate) fn look(&self) -> Look<'_> {
        Look { zone: &self.0.options.zone, trash: self.0.options.trash, links: None }
    }
}

/// How often one network may send files by one file request, within which time.
const SUBMISSIONS_MAX: u32 = 100;
const SUBMISSIONS_WITHIN: Duration = Duration::from_secs(10 * 60);
/// Requests that wait for news, in all.
const WAITING_MAX: usize = 2_000;
/// Those of them that wait for one user's.
const WAITING_OF_USER_MAX: usize = 10;

/// Who waits for news: each of them holds a connection. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Waiting(Arc<Mutex<Vec<UserId>>>);

/// One that waits, until it is dropped.
pub(crate) struct Waits {
    among: Waiting,
    user: UserId,
}

impl Waiting {
    /// `None` when as many wait as may.
    pub(crate) fn enter(&self, user: UserId) -> Option<Waits> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_user = waiting.iter().filter(|one| **one == user).count();
        if waiting.len() >= WAITING_MAX || of_user >= WAITING_OF_USER_MAX {
            return None;
        }
        waiting.push(user);
        Some(Waits { among: self.clone(), user })
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut waiting = self.among.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = waiting.iter().position(|one| *one == self.user) {
            waiting.swap_remove(index);
        }
    }
}

async fn run(door: BoxDoor, request: Request, operation: &'static Operation) -> Response {
    let asked = match Asked::new(door.clone(), request).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let request_id = asked.arrival.request_id;
    let outcome = match operation.handle {
        Handle::Open(handle) => handle(asked).await,
        Handle::Known(handle) => known(asked, handle).await,
    };
    outcome.unwrap_or_else(|problem| problem.into_response(request_id, &door.look()))
}

async fn known(mut asked: Asked, handle: routes::Known) -> Outcome {
    let caller = asked.caller()?;
    let (caller, found) = shared_links::follow(&asked, caller).await?;
    asked.found = found;
    asked.caller_known = Some(caller.clone());
    handle(asked, caller).await
}

async fn unknown_path(State(door): State<BoxDoor>, request: Request) -> Response {
    refuse(&door, &request, Problem::not_found())
}

async fn unknown_method(State(door): State<BoxDoor>, request: Request) -> Response {
    refuse(&door, &request, Problem::method_not_allowed())
}

fn refuse(door: &BoxDoor, request: &Request, problem: Problem) -> Response {
    match request.extensions().get::<Arrival>() {
        Some(arrival) => problem.into_response(arrival.request_id, &door.look()),
        None => crate::answer::empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
