//! `/admin/v1/groups`

use super::users::user;
use super::{Administrator, Json};
use crate::error::AdminError;
use crate::{State, shown};
use axum::body::Body;
use axum::extract::{self, Path, Query};
use axum::response::{IntoResponse, Response};
use entente_door_kit::json::read_json;
use entente_model::GroupId;
use entente_tree::{GroupChange, GroupQuery, MembershipRole, NewMembership};
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
    /// Only those whose name begins with this.
    filter: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    description: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMember {
    user_id: String,
    #[serde(default)]
    role: WireMemberRole,
}

#[derive(Clone, Copy, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireMemberRole {
    #[default]
    Member,
    Admin,
}

pub(crate) async fn list(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Query(page): Query<Page>,
) -> Result<Json, AdminError> {
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let (prefix, offset) = (page.filter.unwrap_or_default(), page.offset);
    let found = state.tree.list_groups(&caller, GroupQuery { prefix, offset, limit, ..GroupQuery::default() }).await?;
    let entries: Vec<_> = found.entries.iter().map(|view| shown::group(&view.group)).collect();
    Ok(Json(json!({ "offset": offset, "limit": limit, "entries": entries })))
}

pub(crate) async fn create(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    body: Body,
) -> Result<Response, AdminError> {
    let Change { name, description } = read_json(body, state.limits.json_bytes).await?;
    let made = state.tree.create_group(&caller, GroupChange { name, description, ..GroupChange::default() }).await?;
    Ok((StatusCode::CREATED, Json(shown::group(&made.group))).into_response())
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
) -> Result<Json, AdminError> {
    Ok(Json(shown::group(&state.tree.group(&caller, group(&id)?).await?.group)))
}

pub(crate) async fn update(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json, AdminError> {
    let Change { name, description } = read_json(body, state.limits.json_bytes).await?;
    let change = GroupChange { name, description, ..GroupChange::default() };
    Ok(Json(shown::group(&state.tree.update_group(&caller, group(&id)?, change).await?.group)))
}

pub(crate) async fn delete(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, AdminError> {
    state.tree.delete_group(&caller, group(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn members(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json, AdminError> {
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let found = state.tree.members_of_group(&caller, group(&id)?, page.offset, limit).await?;
    let entries: Vec<_> = found.entries.iter().map(shown::member).collect();
    Ok(Json(json!({ "offset": page.offset, "limit": limit, "entries": entries })))
}

pub(crate) async fn add(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, AdminError> {
    let new: NewMember = read_json(body, state.limits.json_bytes).await?;
    let role = match new.role {
        WireMemberRole::Member => MembershipRole::Member,
        WireMemberRole::Admin => MembershipRole::Admin,
    };
    let new = NewMembership { group: group(&id)?, user: user(&new.user_id)?, role, permissions: None };
    let made = state.tree.add_member(&caller, new).await?;
    Ok((StatusCode::CREATED, Json(shown::member(&made))).into_response())
}

pub(crate) async fn remove(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path((id, user_id)): Path<(String, String)>,
) -> Result<StatusCode, AdminError> {
    let found = state.tree.membership_of(&caller, group(&id)?, user(&user_id)?).await?;
    state.tree.remove_membership(&caller, found.membership.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id is the id of none.
fn group(text: &str) -> Result<GroupId, AdminError> {
    text.parse().map_err(|_| entente_tree::Error::NotFound.into())
}
