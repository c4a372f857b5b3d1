//! `/admin/v1/users`

use super::{Administrator, Json, WireRole};
use crate::error::AdminError;
use crate::{State, shown};
use axum::body::Body;
use axum::extract::{self, Path, Query};
use axum::response::{IntoResponse, Response};
use entente_door_kit::json::read_json;
use entente_identity::Login;
use entente_model::UserId;
use entente_tree::{NewPerson, OwnedContent, Seat, UserChange, UserKind, UserQuery, UserStatus, UsersFrom};
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
    /// Only those whose login or name begins with this.
    filter: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deletion {
    #[serde(default)]
    force: bool,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireKind {
    Person,
    External,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireSeat {
    Full,
    Frontline,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireStatus {
    Active,
    Inactive,
    CannotDeleteEdit,
    CannotDeleteEditUpload,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    login: String,
    name: String,
    #[serde(default)]
    role: WireRole,
    kind: Option<WireKind>,
    seat: Option<WireSeat>,
    /// Negative for any number.
    space_limit_bytes: Option<i64>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    login: Option<String>,
    name: Option<String>,
    role: Option<WireRole>,
    seat: Option<WireSeat>,
    status: Option<WireStatus>,
    /// Negative for any number.
    space_limit_bytes: Option<i64>,
}

pub(crate) async fn list(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Query(page): Query<Page>,
) -> Result<Json, AdminError> {
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let (prefix, from) = (page.filter.unwrap_or_default(), UsersFrom::Offset(page.offset));
    let found = state.tree.list_users(&caller, UserQuery { prefix, from, limit, ..UserQuery::default() }).await?;
    let entries: Vec<_> = found.entries.iter().map(shown::user).collect();
    Ok(Json(json!({ "offset": page.offset, "limit": limit, "entries": entries })))
}

pub(crate) async fn create(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    body: Body,
) -> Result<Response, AdminError> {
    let NewUser { login, name, role, kind, seat, space_limit_bytes } = read_json(body, state.limits.json_bytes).await?;
    Login::new(&*login).map_err(entente_identity::Error::from)?;
    let kind = kind.map(|kind| match kind {
        WireKind::Person => UserKind::Person,
        WireKind::External => UserKind::External,
    });
    let space_limit = space_limit_bytes.map(|bytes| u64::try_from(bytes).ok());
    let rest = UserChange { kind, seat: seat.map(Into::into), space_limit, ..UserChange::default() };
    let user = state.tree.create_user(&caller, NewPerson { login, name, role: role.into(), rest }).await?;
    Ok((StatusCode::CREATED, Json(shown::user(&user))).into_response())
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
) -> Result<Json, AdminError> {
    Ok(Json(shown::user(&state.tree.user(&caller, user(&id)?).await?)))
}

pub(crate) async fn update(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json, AdminError> {
    let Change { login, name, role, seat, status, space_limit_bytes } =
        read_json(body, state.limits.json_bytes).await?;
    if let Some(login) = &login {
        Login::new(&**login).map_err(entente_identity::Error::from)?;
    }
    let change = UserChange {
        login,
        name,
        role: role.map(Into::into),
        seat: seat.map(Into::into),
        status: status.map(Into::into),
        space_limit: space_limit_bytes.map(|bytes| u64::try_from(bytes).ok()),
        ..UserChange::default()
    };
    Ok(Json(shown::user(&state.tree.update_user(&caller, user(&id)?, change).await?)))
}

pub(crate) async fn delete(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
    Query(deletion): Query<Deletion>,
) -> Result<StatusCode, AdminError> {
    let content = if deletion.force { OwnedContent::Purge } else { OwnedContent::Refuse };
    state.tree.delete_user(&caller, user(&id)?, content).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id is the id of nobody.
pub(super) fn user(text: &str) -> Result<UserId, AdminError> {
    text.parse().map_err(|_| entente_tree::Error::NotFound.into())
}

impl From<WireSeat> for Seat {
    fn from(seat: WireSeat) -> Self {
        match seat {
            WireSeat::Full => Self::Full,
            WireSeat::Frontline => Self::Frontline,
        }
    }
}

impl From<WireStatus> for UserStatus {
    fn from(status: WireStatus) -> Self {
        match status {
            WireStatus::Active => Self::Active,
            WireStatus::Inactive => Self::Inactive,
            WireStatus::CannotDeleteEdit => Self::CannotDeleteEdit,
            WireStatus::CannotDeleteEditUpload => Self::CannotDeleteEditUpload,
        }
    }
}
