//! The door itself: what it was given, and the router that it becomes.

use crate::asked::{Asked, Outcome};
use crate::handlers::{
    authorize, code, metadata, new_password, passkeys, password, provider, second_factor, sessions, sign_in, sign_out,
    token,
};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use entente_door_kit::origin::Origin;
use entente_door_kit::{Arrival, Limits, page};
use entente_identity::{Identity, Providers, SecondFactors};
use http::StatusCode;
use std::future::Future;
use std::sync::Arc;

/// What an operator may set.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where clients reach this server; it is this that stands behind every token.
    pub origin: Origin,
    /// Bounds of bodies.
    pub limits: Limits,
}

/// The door of sign-in. Cheap to clone.
#[derive(Clone)]
pub struct OAuthDoor(Arc<Inner>);

struct Inner {
    identity: Identity,
    factors: SecondFactors,
    providers: Providers,
    options: Options,
}

impl OAuthDoor {
    /// A door over an identity and what it knows of second factors and of providers.
    #[must_use]
    pub fn new(identity: Identity, factors: SecondFactors, providers: Providers, options: Options) -> Self {
        Self(Arc::new(Inner { identity, factors, providers, options }))
    }

    /// Serves everything below `/oauth2`, and the description of it below `/.well-known`.
    ///
    /// Requests must carry an [`Arrival`], as `entente_door_kit::serve` attaches it.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/oauth2/authorize", pages(authorize::show, authorize::decide))
            .route("/oauth2/sign-in", pages(sign_in::show, sign_in::sign_in))
            .route("/oauth2/provider", get(|State(door), request| run(door, request, provider::leave)))
            .route("/oauth2/provider-back", get(|State(door), request| run(door, request, provider::come_back)))
            .route("/oauth2/code", pages(code::show, code::answer))
            .route("/oauth2/second-factor", pages(second_factor::show, second_factor::change))
            .route("/oauth2/sign-out", pages(sign_out::show, sign_out::sign_out))
            .route("/oauth2/sessions", pages(sessions::show, sessions::end))
            .route("/oauth2/password", pages(password::show, password::change))
            .route("/oauth2/new-password", pages(new_password::show, new_password::set))
            .route("/oauth2/passkeys", pages(passkeys::show, passkeys::change))
            .route("/oauth2/passkey-sign-in", post(|State(door), request| run(door, request, passkeys::sign_in)))
            .route("/oauth2/passkey.js", get(|| async { passkeys::script() }))
            .route("/oauth2/token", post(|State(door), request| run(door, request, token::grant)))
            .route("/oauth2/revoke", post(|State(door), request| run(door, request, token::revoke)))
            .route("/oauth2/style.css", get(|| async { page::style() }))
            .route(
                "/.well-known/oauth-authorization-server",
                get(|State(door), request| run(door, request, metadata::show)),
            )
            .with_state(self.clone())
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    pub(crate) fn factors(&self) -> &SecondFactors {
        &self.0.factors
    }

    pub(crate) fn providers(&self) -> &Providers {
        &self.0.providers
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }
}

/// A page, and the form on it.
fn pages<S, SF, P, PF>(show: S, submit: P) -> MethodRouter<OAuthDoor>
where
    S: Fn(Asked) -> SF + Clone + Send + Sync + 'static,
    SF: Future<Output = Outcome> + Send + 'static,
    P: Fn(Asked) -> PF + Clone + Send + Sync + 'static,
    PF: Future<Output = Outcome> + Send + 'static,
{
    get(move |State(door), request| run(door, request, show))
        .post(move |State(door), request| run(door, request, submit))
}

async fn run<F, H>(door: OAuthDoor, request: Request, handle: H) -> Response
where
    F: Future<Output = Outcome> + Send,
    H: FnOnce(Asked) -> F,
{
    let Some(arrival) = request.extensions().get::<Arrival>().copied() else {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let asked = Asked::new(door, arrival, request);
    let (language, scheme) = (asked.language, asked.base.scheme());
    match handle(asked).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(arrival.request_id, language, scheme),
    }
}
