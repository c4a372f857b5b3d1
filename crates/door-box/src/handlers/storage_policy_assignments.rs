//! Who has which storage policy.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire;
use crate::wire::collection::{Collection, Page};
use crate::wire::id;
use crate::wire::query::MarkerPage;
use crate::wire::request::{AssignmentChange, NewAssignment, TypedReference};
use crate::wire::storage_policy::AssignedTo;
use entente_model::{Caller, PolicyId};
use entente_tree::{Assignee, PolicyAssignment};
use http::StatusCode;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let query = asked.query();
    let MarkerPage { limit, marker } = query.marker_page()?;
    if marker.is_some() {
        // Nobody has more than one, so no list of ours gives a marker.
        return Err(Problem::invalid("marker", "the marker is not one that a list gave"));
    }
    let given = |name| query.value(name).filter(|value| !value.is_empty()).ok_or_else(|| Problem::missing(name));
    let (kind, id) = (given("resolved_for_type")?, given("resolved_for_id")?);
    let assignee = assignee(("resolved_for_type", &kind), ("resolved_for_id", &id))?;
    let assignment = asked.tree().resolve_policy(&caller, assignee).await?;
    let entries = vec![to_wire::assignment(&assignment)];
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: limit.into(), page: Page::Marker { next: None } }))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewAssignment = asked.json().await?;
    let policy = policy(new.storage_policy)?;
    let assigned_to = new.assigned_to.ok_or_else(|| Problem::missing("assigned_to"))?;
    let kind = assigned_to.kind.ok_or_else(|| Problem::missing("assigned_to.type"))?;
    let id = assigned_to.id.ok_or_else(|| Problem::missing("assigned_to.id"))?;
    let assignee = assignee(("assigned_to.type", &kind), ("assigned_to.id", &id.0))?;
    let made = asked.tree().assign_policy(&caller, assignee, policy).await?;
    // Not 201, as Box describes it.
    Ok(answer(&made))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    Ok(answer(&asked.tree().policy_assignment(&caller, named(&asked)?).await?))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let change: AssignmentChange = asked.json().await?;
    let policy = policy(change.storage_policy)?;
    Ok(answer(&asked.tree().reassign_policy(&caller, named(&asked)?, policy).await?))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().unassign_policy(&caller, named(&asked)?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

fn answer(assignment: &PolicyAssignment) -> axum::response::Response {
    answer::json(StatusCode::OK, &to_wire::assignment(assignment))
}

/// Whose assignment the path names. What is no id of an assignment is the id of none.
fn named(asked: &Asked) -> Result<Assignee, Problem> {
    let assigned_to = AssignedTo::of_assignment_id(asked.parameter("storage_policy_assignment_id"));
    assigned_to.map(crate::from_wire::assignee).ok_or_else(Problem::not_found)
}

fn assignee(kind: (&'static str, &str), id: (&'static str, &str)) -> Result<Assignee, Problem> {
    let assigned_to = AssignedTo::named(kind.1, id.1)
        .map_err(|unknown| Problem::invalid(kind.0, format!("'{}' {unknown}", kind.0)))?
        .map_err(|malformed| Problem::invalid(id.0, malformed.to_string()))?;
    Ok(crate::from_wire::assignee(assigned_to))
}

fn policy(asked: Option<TypedReference>) -> Result<PolicyId, Problem> {
    let asked = asked.ok_or_else(|| Problem::missing("storage_policy"))?;
    if asked.kind.is_some_and(|kind| kind != "storage_policy") {
        return Err(Problem::invalid("storage_policy.type", "'storage_policy.type' must be 'storage_policy'"));
    }
    let id = asked.id.ok_or_else(|| Problem::missing("storage_policy.id"))?;
    id::parse(&id.0).map_err(|malformed| Problem::invalid("storage_policy.id", malformed.to_string()))
}
