//! The door itself: what it was given, and the router that it becomes.

use crate::error::Problem;
use crate::handlers::{bulk, discovery, groups, users};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use entente_door_kit::json::{JsonError, read_json};
use entente_door_kit::origin::Origin;
use entente_door_kit::{Arrival, Auth, BodyError, Limits};
use entente_model::{Caller, Scopes};
use entente_tree::Tree;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;

const MEDIA_TYPE: &str = "application/scim+json";
/// The longest query that is looked at.
const QUERY_BYTES_MAX: usize = 8 * 1_024;

/// What an operator may set.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where clients reach this server.
    pub origin: Origin,
    /// Bounds of bodies.
    pub limits: Limits,
}

/// The door of directories. Cheap to clone.
#[derive(Clone)]
pub struct ScimDoor(Arc<Inner>);

struct Inner {
    tree: Tree,
    auth: Auth,
    options: Options,
}

/// Who asks, and of whom: what every operation needs.
pub(crate) struct Desk {
    pub(crate) tree: Tree,
    pub(crate) caller: Caller,
    /// The URL of this door, without a slash at the end.
    pub(crate) base: String,
    pub(crate) body_bytes_max: usize,
}

/// What an operation answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) body: Option<Value>,
}

pub(crate) type Outcome = Result<Answer, Problem>;

impl Answer {
    pub(crate) const fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, location: None, body: Some(body) }
    }

    pub(crate) const fn none() -> Self {
        Self { status: StatusCode::NO_CONTENT, location: None, body: None }
    }
}

/// A request: the id in its path, its query and its body.
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) limit_bytes: usize,
}

impl Asked {
    /// The first parameter of that name, in any case: clients differ.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) async fn json(self) -> Result<Value, Problem> {
        read_json(self.body, self.limit_bytes).await.map_err(|error| match error {
            JsonError::Body(BodyError::TooLarge { .. }) => Problem::TooLarge,
            error => Problem::Syntax(error.to_string()),
        })
    }
}

impl ScimDoor {
    /// A door over a tree.
    #[must_use]
    pub fn new(tree: Tree, auth: Auth, options: Options) -> Self {
        Self(Arc::new(Inner { tree, auth, options }))
    }

    /// Serves everything below `/scim/v2`.
    ///
    /// Requests must carry an [`Arrival`], as `entente_door_kit::serve` attaches it.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/scim/v2/ServiceProviderConfig", to(MethodFilter::GET, discovery::config))
            .route("/scim/v2/ResourceTypes", to(MethodFilter::GET, discovery::resource_types))
            .route("/scim/v2/ResourceTypes/{id}", to(MethodFilter::GET, discovery::resource_type))
            .route("/scim/v2/Schemas", to(MethodFilter::GET, discovery::schemas))
            .route("/scim/v2/Schemas/{id}", to(MethodFilter::GET, discovery::schema))
            .route("/scim/v2/Users", to(MethodFilter::GET, users::list).merge(to(MethodFilter::POST, users::create)))
            .route(
                "/scim/v2/Users/{id}",
                to(MethodFilter::GET, users::show)
                    .merge(to(MethodFilter::PUT, users::replace))
                    .merge(to(MethodFilter::PATCH, users::patch))
                    .merge(to(MethodFilter::DELETE, users::delete)),
            )
            .route("/scim/v2/Groups", to(MethodFilter::GET, groups::list).merge(to(MethodFilter::POST, groups::create)))
            .route(
                "/scim/v2/Groups/{id}",
                to(MethodFilter::GET, groups::show)
                    .merge(to(MethodFilter::PUT, groups::replace))
                    .merge(to(MethodFilter::PATCH, groups::patch))
                    .merge(to(MethodFilter::DELETE, groups::delete)),
            )
            .route("/scim/v2/Bulk", to(MethodFilter::POST, bulk::run))
            .route("/scim/v2/{*rest}", any(async || respond(Err(Problem::NotFound))))
            .with_state(self.clone())
    }

    fn desk(&self, request: &Request) -> Result<Desk, Problem> {
        let Inner { tree, auth, options } = &*self.0;
        let caller = auth.caller(request.headers())?;
        if !caller.role.administers() || !caller.scopes.contains(Scopes::ADMINISTER) || caller.confined.is_some() {
            return Err(Problem::Forbidden);
        }
        let arrival = request.extensions().get::<Arrival>().ok_or(Problem::Internal)?;
        let base = options.origin.base_url(arrival, request.uri(), request.headers());
        let base = [base.as_str(), "/scim/v2"].concat();
        Ok(Desk { tree: tree.clone(), caller, base, body_bytes_max: options.limits.json_bytes })
    }
}

/// The method and what it does.
fn to<F, H>(method: MethodFilter, handle: H) -> MethodRouter<ScimDoor>
where
    F: Future<Output = Outcome> + Send + 'static,
    H: Fn(Desk, Asked) -> F + Clone + Send + Sync + 'static,
{
    on(method, move |State(door): State<ScimDoor>, id: Option<Path<String>>, request: Request| {
        let handle = handle.clone();
        async move {
            let desk = match door.desk(&request) {
                Ok(desk) => desk,
                Err(problem) => return respond(Err(problem)),
            };
            let limit_bytes = desk.body_bytes_max;
            let query = request.uri().query().unwrap_or("");
            if query.len() > QUERY_BYTES_MAX {
                return respond(Err(Problem::Invalid("invalidValue", "the query is too long".to_owned())));
            }
            let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            let id = id.map(|Path(id)| id).unwrap_or_default();
            respond(handle(desk, Asked { id, query, body: request.into_body(), limit_bytes }).await)
        }
    })
}

fn respond(outcome: Outcome) -> Response {
    let Answer { status, location, body } = outcome.unwrap_or_else(Problem::into_answer);
    let mut response = Response::new(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(Ok(location)) = location.map(|location| HeaderValue::from_str(&location)) {
        headers.insert(header::LOCATION, location);
    }
    response
}
