//! `/admin/v1/backends`, `/admin/v1/zones`, `/admin/v1/policies` and `/admin/v1/config/reload`

use super::{Administrator, Json};
use crate::error::AdminError;
use crate::{BoxError, OnEarlier, State};
use axum::extract;
use serde_json::{Value, json};

pub(crate) async fn backends(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
) -> Result<Json, AdminError> {
    entries(state.operations.backends().await)
}

pub(crate) async fn zones(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
) -> Result<Json, AdminError> {
    entries(state.operations.zones().await)
}

pub(crate) async fn policies(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
) -> Result<Json, AdminError> {
    entries(state.operations.policies().await)
}

pub(crate) async fn reload(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
    extract::RawQuery(query): extract::RawQuery,
) -> Result<Json, AdminError> {
    let on_earlier = match query.as_deref() {
        None | Some("" | "accept_earlier=false") => OnEarlier::Refuse,
        Some("accept_earlier=true") => OnEarlier::Apply,
        Some(_) => {
            let message = "the query may say accept_earlier=true, and nothing else".to_owned();
            return Err(AdminError::Configuration(message));
        }
    };
    state.operations.reload(on_earlier).await.map(Json).map_err(AdminError::Configuration)
}

fn entries(found: Result<Value, BoxError>) -> Result<Json, AdminError> {
    found.map(|entries| Json(json!({ "entries": entries }))).map_err(AdminError::Internal)
}
