//! `/admin/v1/apps`

use super::{Administrator, Json, WireRole};
use crate::error::AdminError;
use crate::{State, shown};
use axum::body::Body;
use axum::extract;
use axum::response::{IntoResponse, Response};
use entente_door_kit::json::read_json;
use entente_identity::NewApp;
use http::StatusCode;
use serde_json::json;

const APPS_MAX: u32 = 1_000;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    #[serde(default)]
    role: WireRole,
    public_key: Option<String>,
}

pub(crate) async fn list(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
) -> Result<Json, AdminError> {
    let apps = state.identity.apps(None, APPS_MAX).await?;
    let entries: Vec<_> = apps.iter().filter(|app| app.enterprise == caller.enterprise).map(shown::app).collect();
    Ok(Json(json!({ "entries": entries })))
}

pub(crate) async fn create(
    extract::State(state): extract::State<State>,
    Administrator(caller): Administrator,
    body: Body,
) -> Result<Response, AdminError> {
    let wanted: Wanted = read_json(body, state.limits.json_bytes).await?;
    let new = NewApp {
        enterprise: caller.enterprise,
        name: wanted.name,
        role: wanted.role.into(),
        public_key_pem: wanted.public_key,
    };
    let app = state.identity.create_app(new).await?;
    let shown = json!({
        "id": app.app.to_string(),
        "client_id": app.client_id,
        "client_secret": app.client_secret.expose(),
        "public_key_id": app.public_key_label,
        "enterprise_id": caller.enterprise.to_string(),
        "service_user_id": app.service_user.to_string(),
        "service_login": app.service_login,
    });
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}
