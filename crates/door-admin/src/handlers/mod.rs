//! One module a resource.

pub(crate) mod apps;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod relocations;
pub(crate) mod scrubs;
pub(crate) mod status;
pub(crate) mod storage;
pub(crate) mod tokens;
pub(crate) mod users;

use crate::State;
use crate::error::AdminError;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use entente_model::{Caller, Scopes, UserRole};
use http::{header, request::Parts};

/// The caller, who administers everything.
pub(crate) struct Administrator(pub(crate) Caller);

impl FromRequestParts<State> for Administrator {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, AdminError> {
        let header = parts.headers.get(header::AUTHORIZATION).map(http::HeaderValue::as_bytes);
        let caller = state.identity.authenticate_header(header)?;
        if caller.role != UserRole::Admin || !caller.scopes.contains(Scopes::ADMINISTER) {
            return Err(AdminError::Forbidden);
        }
        Ok(Self(caller))
    }
}

/// A role on the wire.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WireRole {
    #[default]
    User,
    CoAdmin,
    Admin,
}

impl From<WireRole> for UserRole {
    fn from(role: WireRole) -> Self {
        match role {
            WireRole::User => Self::User,
            WireRole::CoAdmin => Self::CoAdmin,
            WireRole::Admin => Self::Admin,
        }
    }
}

/// A JSON body.
pub(crate) struct Json(pub(crate) serde_json::Value);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0.to_string()).into_response()
    }
}
