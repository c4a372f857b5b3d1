//! `/admin/v1/users`

use super::{Administrator, Json, WireRole};
use crate::error::AdminError;
use crate::{State, shown};
use axum::body::Body;
use axum::extract::{self, Query};
use axum::response::{IntoResponse, Response};
use entente_door_kit::json::read_json;
use entente_identity::Login;
use http::StatusCode;
use serde_json::json;

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    #[serde(default)]
    offset: u32,
    limit: Option<u32>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    login: String,
    name: String,
    #[serde(default)]
    role: WireRole,
}

pub(crate) async fn list(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Query(page): Query<Page>,
) -> Result<Json, AdminError> {
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let users = state.identity.users(caller.enterprise, page.offset, limit).await?;
    let entries: Vec<_> = users.iter().map(shown::user).collect();
    Ok(Json(json!({ "offset": page.offset, "limit": limit, "entries": entries })))
}

pub(crate) async fn create(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    body: Body,
) -> Result<Response, AdminError> {
    let new: NewUser = read_json(body, state.limits.json_bytes).await?;
    let login = Login::new(new.login).map_err(entente_identity::Error::from)?;
    let user = state.identity.create_user(caller.enterprise, login, &new.name, new.role.into()).await?;
    Ok((StatusCode::CREATED, Json(shown::user(&user))).into_response())
}
