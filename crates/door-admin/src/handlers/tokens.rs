//! `/admin/v1/tokens`

use super::{Administrator, Json};
use crate::State;
use crate::error::AdminError;
use crate::shown;
use axum::body::Body;
use axum::extract;
use axum::response::{IntoResponse, Response};
use entente_door_kit::json::read_json;
use entente_identity::IssueToken;
use entente_model::Scopes;
use http::StatusCode;
use serde_json::json;
use std::time::Duration;

/// How long a token lives when nobody says.
const LIFETIME_SECONDS: u32 = 3_600;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    login: String,
    app: Option<String>,
    expires_in_seconds: Option<u32>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoked {
    token: String,
}

pub(crate) async fn issue(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    body: Body,
) -> Result<Response, AdminError> {
    let wanted: Wanted = read_json(body, state.limits.json_bytes).await?;
    let user = state.identity.user_by_login(&wanted.login)?;
    if user.enterprise != caller.enterprise {
        return Err(entente_identity::Error::UnknownUser(wanted.login).into());
    }
    let lifetime = Duration::from_secs(wanted.expires_in_seconds.unwrap_or(LIFETIME_SECONDS).into());
    let app = wanted.app.map(|id| state.identity.app(caller.enterprise, &id)).transpose()?;
    let issue = IssueToken { user: user.id, app: app.map(|app| app.app), scopes: Scopes::ALL, lifetime };
    let issued = state.identity.issue(issue).await?;
    let shown = json!({
        "id": issued.token.to_string(),
        "token": issued.secret.expose(),
        "user_id": user.id.to_string(),
        "expires_at": shown::moment(issued.expires_at),
    });
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

pub(crate) async fn revoke(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
    body: Body,
) -> Result<StatusCode, AdminError> {
    let revoked: Revoked = read_json(body, state.limits.json_bytes).await?;
    state.identity.revoke(&revoked.token).await?;
    Ok(StatusCode::NO_CONTENT)
}
