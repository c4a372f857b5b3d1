//! `/admin/v1/scrubs`

use super::{Administrator, Json};
use crate::State;
use crate::error::AdminError;
use axum::body::Body;
use axum::extract;
use axum::response::{IntoResponse, Response};
use entente_door_kit::json::read_json;
use http::StatusCode;

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    /// By name; all, if there are none.
    backends: Vec<String>,
}

pub(crate) async fn report(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
) -> Result<Json, AdminError> {
    Ok(Json(state.movements.scrub_report().await?))
}

pub(crate) async fn start(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
    body: Body,
) -> Result<Response, AdminError> {
    let wanted: Wanted = read_json(body, state.limits.json_bytes).await?;
    let started = state.movements.start_scrubs(wanted.backends).await?;
    Ok((StatusCode::ACCEPTED, Json(started)).into_response())
}
