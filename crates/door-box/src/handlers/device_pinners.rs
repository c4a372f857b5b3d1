//! Devices on which apps are signed in.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::mini;
use crate::wire::id::Text;
use crate::wire::person::{DevicePinner, DevicePinnerOrder, DevicePinners};
use entente_identity::{DEVICE_PINS_PAGE_MAX, DevicePin};
use entente_model::{Caller, EnterpriseId};
use entente_tree::SortOrder;
use http::StatusCode;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let enterprise: EnterpriseId = asked.id("enterprise_id")?;
    let query = asked.query();
    let order = match query.value("direction").as_deref() {
        None | Some("" | "ASC" | "asc") => SortOrder::Ascending,
        Some("DESC" | "desc") => SortOrder::Descending,
        Some(_) => return Err(Problem::invalid("direction", "'direction' must be 'ASC' or 'DESC'")),
    };
    // Markers are numbers here, which not every client reads as exactly as ids: so many come before.
    let page = query.marker_page()?;
    let malformed = |_| Problem::invalid("marker", "the marker is not one that a list gave");
    let before: u32 = page.marker.as_deref().map(str::parse).transpose().map_err(malformed)?.unwrap_or(0);
    let limit = page.limit.clamp(1, DEVICE_PINS_PAGE_MAX);
    if enterprise != caller.enterprise {
        return Err(Problem::not_found());
    }
    let identity = asked.door.auth().identity();
    let found = identity.device_pins(&caller, order, before, limit).await.map_err(Problem::of_identity)?;
    let next = (found.len() >= limit as usize).then(|| before.saturating_add(limit));
    let entries = found.iter().map(shown).collect();
    let direction = if order == SortOrder::Ascending { "asc" } else { "desc" };
    let order = [DevicePinnerOrder { by: "id", direction }];
    Ok(answer::json(StatusCode::OK, &DevicePinners { entries, limit, next_marker: next, order }))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.door.auth().identity().device_pin(&caller, asked.id("device_pinner_id")?);
    let found = found.map_err(Problem::of_identity)?.ok_or_else(Problem::not_found)?;
    Ok(answer::json(StatusCode::OK, &shown(&found)))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    let id = asked.id("device_pinner_id")?;
    let removed = asked.door.auth().identity().remove_device_pin(&caller, id).await.map_err(Problem::of_identity)?;
    if removed { Ok(answer::empty(StatusCode::NO_CONTENT)) } else { Err(Problem::not_found()) }
}

fn shown(pin: &DevicePin) -> DevicePinner<'_> {
    DevicePinner { id: Text(pin.id), owned_by: mini(&pin.user), product_name: &pin.product }
}
