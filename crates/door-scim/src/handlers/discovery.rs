//! What is served.

use crate::door::{Answer, Asked, Desk, Outcome};
use crate::error::Problem;
use crate::wire::{Page, list, schemas as wire};
use serde_json::Value;

pub(crate) async fn config(desk: Desk, _: Asked) -> Outcome {
    Ok(Answer::ok(wire::config(&desk.base, desk.body_bytes_max)))
}

pub(crate) async fn resource_types(desk: Desk, asked: Asked) -> Outcome {
    all(&asked, &wire::resource_types(&desk.base))
}

pub(crate) async fn resource_type(desk: Desk, asked: Asked) -> Outcome {
    one(&asked, wire::resource_types(&desk.base))
}

pub(crate) async fn schemas(desk: Desk, asked: Asked) -> Outcome {
    all(&asked, &wire::schemas(&desk.base))
}

pub(crate) async fn schema(desk: Desk, asked: Asked) -> Outcome {
    one(&asked, wire::schemas(&desk.base))
}

/// Filters are refused here (RFC 7644, 4).
fn all(asked: &Asked, resources: &[Value]) -> Outcome {
    if asked.parameter("filter").is_some() {
        return Err(Problem::Forbidden);
    }
    let total = resources.len();
    let page = Page { start: 1, count: u32::try_from(total).unwrap_or(u32::MAX) };
    Ok(Answer::ok(list(resources, u64::try_from(total).unwrap_or(u64::MAX), page)))
}

fn one(asked: &Asked, resources: Vec<Value>) -> Outcome {
    let is_it = |resource: &Value| resource.get("id").and_then(Value::as_str) == Some(&*asked.id);
    resources.into_iter().find(is_it).map(Answer::ok).ok_or(Problem::NotFound)
}
