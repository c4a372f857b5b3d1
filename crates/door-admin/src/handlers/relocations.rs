//! `/admin/v1/relocations`

use super::{Administrator, Json};
use crate::State;
use crate::error::AdminError;
use axum::body::Body;
use axum::extract::{self, Path};
use axum::response::{IntoResponse, Response};
use entente_door_kit::json::read_json;
use entente_model::RelocationId;
use http::StatusCode;

/// What is to be moved where: of `from`, `zone`, `policy`, `user` and `folder`, what makes sense together.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelocationOrder {
    /// The backend that is to be emptied.
    pub from: Option<String>,
    /// The backend that takes its place.
    pub to: Option<String>,
    /// Only what is in this zone.
    pub zone: Option<String>,
    /// Only what is stored under this policy.
    pub policy: Option<String>,
    /// Instead: what the user with this login owns, to `to_policy`, which the user has from then on.
    pub user: Option<String>,
    /// Instead: what is in the folder with this id, to `to_policy`.
    pub folder: Option<String>,
    /// The policy that a user or a folder is moved to.
    pub to_policy: Option<String>,
    /// Bytes a second; as fast as it goes, if not given.
    pub rate_bytes_per_second: Option<u64>,
    /// How long what has been moved stays at the source, in seconds.
    pub grace_seconds: Option<u64>,
    /// Only say what it would take.
    pub dry_run: bool,
    /// For a dry run: what a gigabyte costs that leaves the source.
    pub price_egress_per_gb: f64,
    /// For a dry run: what a thousand writes cost.
    pub price_per_1000_puts: f64,
    /// For a dry run: what a thousand reads cost.
    pub price_per_1000_gets: f64,
}

/// What can be done to a relocation that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steer {
    /// Let it stand still.
    Pause,
    /// Let it go on.
    Resume,
    /// Call it off.
    Cancel,
}

impl Steer {
    /// The word for it, as in the path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }
}

pub(crate) async fn list(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
) -> Result<Json, AdminError> {
    Ok(Json(state.movements.relocations().await?))
}

pub(crate) async fn order(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
    body: Body,
) -> Result<Response, AdminError> {
    let order: RelocationOrder = read_json(body, state.limits.json_bytes).await?;
    let status = if order.dry_run { StatusCode::OK } else { StatusCode::CREATED };
    let ordered = state.movements.order(order).await?;
    Ok((status, Json(ordered)).into_response())
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
    Path(id): Path<String>,
) -> Result<Json, AdminError> {
    Ok(Json(state.movements.relocation(relocation(&id)?).await?))
}

pub(crate) async fn steer(
    extract::State(state): extract::State<State>,
    Administrator(_): Administrator,
    Path((id, steer)): Path<(String, Steer)>,
) -> Result<Json, AdminError> {
    Ok(Json(state.movements.steer(relocation(&id)?, steer).await?))
}

fn relocation(id: &str) -> Result<RelocationId, AdminError> {
    let unknown = |_| crate::Refused::NotFound(format!("there is no relocation {id:?}"));
    Ok(id.parse().map_err(unknown)?)
}
