//! `/admin/v1/status`

use super::{Administrator, Json};
use crate::State;
use crate::error::AdminError;
use axum::extract;

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
) -> Result<Json, AdminError> {
    state.operations.status().await.map(Json).map_err(AdminError::Internal)
}
