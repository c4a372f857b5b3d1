//! Every error of this interface, as `{"error": {"code": …, "message": …}}`.

use crate::Refused;
use crate::handlers::Json;
use axum::response::{IntoResponse, Response};
use entente_door_kit::BodyError;
use entente_door_kit::json::JsonError;
use entente_identity::{Error, Unauthenticated};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

#[derive(Debug)]
pub(crate) enum AdminError {
    Unauthenticated(Unauthenticated),
    Forbidden,
    Body(JsonError),
    Identity(Error),
    Tree(entente_tree::Error),
    /// The configuration cannot be followed: every reason.
    Configuration(String),
    Refused(Refused),
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl From<Unauthenticated> for AdminError {
    fn from(error: Unauthenticated) -> Self {
        Self::Unauthenticated(error)
    }
}

impl From<JsonError> for AdminError {
    fn from(error: JsonError) -> Self {
        Self::Body(error)
    }
}

impl From<Error> for AdminError {
    fn from(error: Error) -> Self {
        Self::Identity(error)
    }
}

impl From<entente_tree::Error> for AdminError {
    fn from(error: entente_tree::Error) -> Self {
        Self::Tree(error)
    }
}

impl From<Refused> for AdminError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let (status, code, message) = match &self {
            Self::Unauthenticated(Unauthenticated::Failed(cause)) => internal(cause),
            Self::Unauthenticated(error) => (StatusCode::UNAUTHORIZED, "unauthenticated", error.to_string()),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "an administrator's token is needed".to_owned()),
            Self::Body(JsonError::Body(BodyError::TooLarge { .. })) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the request body is too large".to_owned())
            }
            Self::Body(error) => (StatusCode::BAD_REQUEST, "bad_request", error.to_string()),
            Self::Identity(error) => identity(error),
            Self::Tree(error) => tree(error),
            Self::Configuration(reasons) => (StatusCode::UNPROCESSABLE_ENTITY, "configuration", reasons.clone()),
            Self::Refused(refused) => movement(refused),
            Self::Internal(cause) => internal(&**cause),
        };
        let mut response = (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

fn identity(error: &Error) -> (StatusCode, &'static str, String) {
    match error {
        Error::Forbidden | Error::SecondFactor => (StatusCode::FORBIDDEN, "forbidden", error.to_string()),
        Error::UnknownUser(_) => (StatusCode::NOT_FOUND, "unknown_user", error.to_string()),
        Error::LoginTaken(_) => (StatusCode::CONFLICT, "login_taken", error.to_string()),
        Error::UnknownApp(_) => (StatusCode::NOT_FOUND, "unknown_app", error.to_string()),
        Error::Login(_)
        | Error::PublicKey(_)
        | Error::Name(_)
        | Error::App(_)
        | Error::RedirectUri(_)
        | Error::Password(_) => (StatusCode::BAD_REQUEST, "bad_request", error.to_string()),
        Error::Interrupted | Error::Setting(_) | Error::Custodian(_) | Error::Database(_) => internal(error),
    }
}

/// Only what operations on users and groups can meet is told apart.
fn tree(error: &entente_tree::Error) -> (StatusCode, &'static str, String) {
    use entente_tree::Error as Tree;
    match error {
        Tree::NotFound => (StatusCode::NOT_FOUND, "not_found", "there is no such user or group".to_owned()),
        Tree::Forbidden => (StatusCode::FORBIDDEN, "forbidden", error.to_string()),
        Tree::Invalid(_) => (StatusCode::BAD_REQUEST, "bad_request", error.to_string()),
        Tree::LoginInUse => (StatusCode::CONFLICT, "login_taken", error.to_string()),
        Tree::AlreadyExists(_) => (StatusCode::CONFLICT, "conflict", error.to_string()),
        Tree::OwnsContent => (StatusCode::CONFLICT, "owns_content", error.to_string()),
        Tree::Retained { .. } => (StatusCode::CONFLICT, "retained", error.to_string()),
        _ => internal(error),
    }
}

fn movement(refused: &Refused) -> (StatusCode, &'static str, String) {
    match refused {
        Refused::Invalid(why) => (StatusCode::BAD_REQUEST, "bad_request", why.clone()),
        Refused::NotFound(what) => (StatusCode::NOT_FOUND, "not_found", what.clone()),
        Refused::Conflict(why) => (StatusCode::CONFLICT, "conflict", why.clone()),
        Refused::Failed(cause) => internal(&**cause),
    }
}

fn internal(cause: &(dyn std::error::Error + 'static)) -> (StatusCode, &'static str, String) {
    tracing::error!(error = %cause, "a request of the operator interface failed");
    let message = "the server cannot answer now; its log says why".to_owned();
    (StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
}
