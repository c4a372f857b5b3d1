//! Storage policies.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire;
use crate::wire::collection::{Collection, Page};
use crate::wire::query::MarkerPage;
use crate::wire::storage_policy::STORAGE_POLICY;
use entente_model::{Caller, PolicyId};
use http::StatusCode;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let MarkerPage { limit, marker } = asked.query().marker_page()?;
    // A marker is the id of the last policy of the page before.
    let after: Option<PolicyId> = marker
        .map(|marker| marker.parse())
        .transpose()
        .map_err(|_| Problem::invalid("marker", "the marker is not one that a list gave"))?;
    let page = asked.tree().storage_policies(&caller, after, limit).await?;
    let fields = asked.fields(STORAGE_POLICY);
    let entries = page.entries.iter().map(|policy| to_wire::storage_policy(policy, fields)).collect();
    let next = page.next.map(|next| next.to_string());
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: limit.into(), page: Page::Marker { next } }))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let policy = asked.tree().storage_policy(&caller, asked.id("storage_policy_id")?).await?;
    Ok(answer::json(StatusCode::OK, &to_wire::storage_policy(&policy, asked.fields(STORAGE_POLICY))))
}
