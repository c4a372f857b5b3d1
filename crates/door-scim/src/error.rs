//! Every error in SCIM's form (RFC 7644, 3.12).

use crate::door::Answer;
use entente_identity::Unauthenticated;
use entente_tree::Error;
use http::StatusCode;
use serde_json::{Value, json};

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Problem {
    Unauthenticated(Unauthenticated),
    Forbidden,
    NotFound,
    TooLarge,
    /// The body is no JSON.
    Syntax(String),
    /// One of SCIM's words for what is wrong, and a sentence.
    Invalid(&'static str, String),
    Tree(Error),
    Internal,
}

impl From<Unauthenticated> for Problem {
    fn from(error: Unauthenticated) -> Self {
        Self::Unauthenticated(error)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Tree(error)
    }
}

impl Problem {
    pub(crate) fn value(detail: impl Into<String>) -> Self {
        Self::Invalid("invalidValue", detail.into())
    }

    pub(crate) fn into_answer(self) -> Answer {
        let (status, word, detail) = self.told();
        let mut body = json!({ "schemas": [SCHEMA], "status": status.as_u16().to_string(), "detail": detail });
        if let (Some(word), Value::Object(members)) = (word, &mut body) {
            members.insert("scimType".to_owned(), word.into());
        }
        Answer { status, location: None, body: Some(body) }
    }

    fn told(self) -> (StatusCode, Option<&'static str>, String) {
        match self {
            Self::Unauthenticated(Unauthenticated::Failed(cause)) => unavailable(&cause),
            Self::Unauthenticated(error) => (StatusCode::UNAUTHORIZED, None, error.to_string()),
            Self::Forbidden => {
                let detail = "a credential that administers users is needed".to_owned();
                (StatusCode::FORBIDDEN, None, detail)
            }
            Self::NotFound => (StatusCode::NOT_FOUND, None, "there is no such resource".to_owned()),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, None, "the request is too large".to_owned()),
            Self::Syntax(detail) => (StatusCode::BAD_REQUEST, Some("invalidSyntax"), detail),
            Self::Invalid(word, detail) => (StatusCode::BAD_REQUEST, Some(word), detail),
            Self::Tree(error) => tree(error),
            Self::Internal => unavailable(&"a request without an arrival"),
        }
    }
}

/// Only what operations on users and groups can meet is told apart.
fn tree(error: Error) -> (StatusCode, Option<&'static str>, String) {
    match error {
        Error::NotFound => Problem::NotFound.told(),
        Error::Forbidden => (StatusCode::FORBIDDEN, None, error.to_string()),
        Error::Invalid(_) => (StatusCode::BAD_REQUEST, Some("invalidValue"), error.to_string()),
        Error::LoginInUse | Error::AlreadyExists(_) => (StatusCode::CONFLICT, Some("uniqueness"), error.to_string()),
        Error::OwnsContent | Error::Retained { .. } => (StatusCode::CONFLICT, None, error.to_string()),
        error => unavailable(&error),
    }
}

fn unavailable(cause: &dyn std::fmt::Display) -> (StatusCode, Option<&'static str>, String) {
    tracing::error!(error = %cause, "a directory's request failed");
    let detail = "the server cannot answer now; try again".to_owned();
    (StatusCode::SERVICE_UNAVAILABLE, None, detail)
}
