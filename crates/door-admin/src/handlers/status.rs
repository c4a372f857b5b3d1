//! `/admin/v1/status`

use super::Administrator;
use crate::State;
use crate::error::AdminError;
use axum::extract;
use serde_json::Value;

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
) -> Result<Json, AdminError> {
    state.operations.status().await.map(Json).map_err(AdminError::Internal)
}
