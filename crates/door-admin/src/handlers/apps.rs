//! `/admin/v1/apps`

use super::{Administrator, Json, WireRole};
use crate::error::AdminError;
use crate::{State, shown};
use axum::body::Body;
use axum::extract::{self, Path};
use axum::response::{IntoResponse, Response};
use entente_door_kit::json::read_json;
use entente_identity::{AppChange, AppKind, AppState, CreatedApp, Error, Grants, NewApp, Secret};
use entente_model::{EnterpriseId, Scopes};
use http::StatusCode;
use serde_json::{Value, json};

const APPS_MAX: u32 = 1_000;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    #[serde(default)]
    role: WireRole,
    public_key: Option<String>,
    #[serde(default)]
    kind: WireKind,
    #[serde(default)]
    redirect_uris: Vec<String>,
    scopes: Option<String>,
    grants: Option<String>,
    acts_as_users: Option<bool>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    enabled: Option<bool>,
    redirect_uris: Option<Vec<String>>,
    scopes: Option<String>,
    grants: Option<String>,
    acts_as_users: Option<bool>,
}

#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireKind {
    #[default]
    Confidential,
    Public,
}

pub(crate) async fn list(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
) -> Result<Json, AdminError> {
    let apps = state.identity.apps(caller.enterprise, None, APPS_MAX).await?;
    let entries: Vec<_> = apps.iter().map(shown::app).collect();
    Ok(Json(json!({ "entries": entries })))
}

pub(crate) async fn create(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    body: Body,
) -> Result<Response, AdminError> {
    let wanted: Wanted = read_json(body, state.limits.json_bytes).await?;
    let mut new = NewApp::new(caller.enterprise, wanted.name, wanted.role.into());
    new.public_key_pem = wanted.public_key;
    new.redirect_uris = wanted.redirect_uris;
    new.kind = match wanted.kind {
        WireKind::Confidential => AppKind::Confidential,
        WireKind::Public => AppKind::Public,
    };
    new.scopes = scopes(wanted.scopes)?.unwrap_or(new.scopes);
    new.grants = grants(wanted.grants)?.unwrap_or(new.grants);
    new.acts_as_users = wanted.acts_as_users.unwrap_or(new.acts_as_users);
    let app = state.identity.create_app(new).await?;
    Ok((StatusCode::CREATED, Json(created(&app, caller.enterprise))).into_response())
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
) -> Result<Json, AdminError> {
    Ok(Json(shown::app(&state.identity.app(caller.enterprise, &id)?)))
}

pub(crate) async fn change(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json, AdminError> {
    let wanted: Change = read_json(body, state.limits.json_bytes).await?;
    let change = AppChange {
        name: wanted.name,
        state: wanted.enabled.map(|enabled| if enabled { AppState::Enabled } else { AppState::Disabled }),
        redirect_uris: wanted.redirect_uris,
        scopes: scopes(wanted.scopes)?,
        grants: grants(wanted.grants)?,
        acts_as_users: wanted.acts_as_users,
    };
    Ok(Json(shown::app(&state.identity.change_app(caller.enterprise, &id, change).await?)))
}

pub(crate) async fn remove(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, AdminError> {
    state.identity.remove_app(caller.enterprise, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn rotate_secret(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
) -> Result<Json, AdminError> {
    let secret = state.identity.rotate_app_secret(caller.enterprise, &id).await?;
    Ok(Json(json!({ "client_secret": secret.expose() })))
}

fn created(app: &CreatedApp, enterprise: EnterpriseId) -> Value {
    json!({
        "id": app.app.to_string(),
        "client_id": app.client_id,
        "client_secret": app.client_secret.as_ref().map(Secret::expose),
        "public_key_id": app.public_key_label,
        "enterprise_id": enterprise.to_string(),
        "service_user_id": app.service_user.to_string(),
        "service_login": app.service_login,
    })
}

fn scopes(text: Option<String>) -> Result<Option<Scopes>, Error> {
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|_| Error::App("a scope is one of read, download, upload, change, delete, share, administer"))
}

fn grants(text: Option<String>) -> Result<Option<Grants>, Error> {
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|_| Error::App("a grant is one of code, credentials, assertion, exchange"))
}
