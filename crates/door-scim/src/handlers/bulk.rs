//! Many operations in one request (RFC 7644, 3.7).
//!
//! What is made and refers to nothing that is made here is made many at a time, so that the database writes them together;
//! everything else is done in order.

use crate::door::{Answer, Asked, Desk, Outcome};
use crate::error::Problem;
use crate::handlers::{groups, users};
use crate::patch::member;
use crate::wire::schemas::BULK_OPERATIONS_MAX;
use futures_util::stream::{StreamExt, iter};
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// How what was made here is referred to.
const PREFIX: &str = "bulkId:";
/// Resources that are made at once.
const AT_ONCE: usize = 64;
/// How deep a body is looked through for references.
const DEPTH_MAX: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Users,
    Groups,
}

/// One operation.
struct Operation {
    method: String,
    kind: Kind,
    /// Of the resource; empty for one that is made.
    id: String,
    bulk_id: Option<String>,
    data: Value,
}

pub(crate) async fn run(desk: Desk, asked: Asked) -> Outcome {
    let body = asked.json().await?;
    let list = member(&body, "Operations").and_then(Value::as_array);
    let list = list.ok_or_else(|| Problem::Invalid("invalidSyntax", "a bulk request has Operations".to_owned()))?;
    if list.len() > BULK_OPERATIONS_MAX {
        return Err(Problem::TooLarge);
    }
    let most = match member(&body, "failOnErrors") {
        None | Some(Value::Null) => u64::MAX,
        Some(most) => most.as_u64().ok_or_else(|| Problem::value("failOnErrors is a number"))?.max(1),
    };
    let mut made = BTreeMap::new();
    let (mut answers, mut failures) = (Vec::with_capacity(list.len()), 0_u64);
    let mut rest = list.as_slice();
    while !rest.is_empty() && failures < most {
        // One at a time where the first failure ends all: nothing after it is to be done.
        let alone = if most == u64::MAX { rest.iter().take_while(|one| is_independent(one)).count() } else { 0 };
        let (now, later) = rest.split_at_checked(alone.max(1)).unwrap_or((rest, &[]));
        rest = later;
        let mut tasks = Vec::with_capacity(now.len());
        for operation in now {
            tasks.push(one(&desk, operation, &made));
        }
        let done = iter(tasks).buffered(AT_ONCE).collect::<Vec<_>>().await;
        for (answer, outcome) in now.iter().zip(done).map(|(operation, outcome)| tell(operation, outcome)) {
            if let Some((bulk_id, id)) = outcome {
                made.insert(bulk_id, id);
            }
            failures += u64::from(answer.get("response").is_some());
            answers.push(answer);
        }
    }
    Ok(Answer::ok(json!({ "schemas": [RESPONSE], "Operations": answers })))
}

/// Whether it makes something and refers to nothing else that is made here.
fn is_independent(operation: &Value) -> bool {
    let is_post = member(operation, "method").and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case("post"));
    is_post && !member(operation, "data").is_some_and(|data| refers(data, 0))
}

fn refers(value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) => text.starts_with(PREFIX),
        Value::Array(values) => depth < DEPTH_MAX && values.iter().any(|value| refers(value, depth + 1)),
        Value::Object(members) => depth < DEPTH_MAX && members.values().any(|value| refers(value, depth + 1)),
        _ => false,
    }
}

async fn one(desk: &Desk, operation: &Value, made: &BTreeMap<String, String>) -> Outcome {
    let Operation { method, kind, id, bulk_id, data } = read(operation, made)?;
    match (method.as_str(), kind) {
        ("POST", _) if bulk_id.is_none() => Err(Problem::value("what is made has a bulkId")),
        ("POST", Kind::Users) => users::make(desk, &data).await,
        ("POST", Kind::Groups) => groups::make(desk, &data).await,
        ("PUT", Kind::Users) => users::put(desk, users::id(&id)?, &data).await,
        ("PUT", Kind::Groups) => groups::put(desk, groups::id(&id)?, &data).await,
        ("PATCH", Kind::Users) => users::modify(desk, users::id(&id)?, &data).await,
        ("PATCH", Kind::Groups) => groups::modify(desk, groups::id(&id)?, &data).await,
        ("DELETE", Kind::Users) => users::remove(desk, users::id(&id)?).await,
        ("DELETE", Kind::Groups) => groups::remove(desk, groups::id(&id)?).await,
        _ => Err(Problem::Invalid("invalidSyntax", "method is POST, PUT, PATCH or DELETE".to_owned())),
    }
}

fn read(operation: &Value, made: &BTreeMap<String, String>) -> Result<Operation, Problem> {
    let text = |name: &str| member(operation, name).and_then(Value::as_str);
    let path = text("path").unwrap_or("").trim_start_matches('/');
    let (kind, id) = path.split_once('/').unwrap_or((path, ""));
    let kind = match kind {
        "Users" => Kind::Users,
        "Groups" => Kind::Groups,
        _ => return Err(Problem::Invalid("invalidPath", "a path is /Users or /Groups, perhaps with an id".to_owned())),
    };
    let method = text("method").unwrap_or("").to_ascii_uppercase();
    if (method == "POST") != id.is_empty() {
        return Err(Problem::Invalid(
            "invalidPath",
            "what is made has no id yet, and everything else has one".to_owned(),
        ));
    }
    let id = resolved(id, made)?;
    let mut data = member(operation, "data").cloned().unwrap_or(Value::Object(Map::new()));
    replace(&mut data, made, 0)?;
    Ok(Operation { method, kind, id, bulk_id: text("bulkId").map(str::to_owned), data })
}

fn resolved(text: &str, made: &BTreeMap<String, String>) -> Result<String, Problem> {
    match text.strip_prefix(PREFIX) {
        None => Ok(text.to_owned()),
        Some(bulk_id) => made.get(bulk_id).cloned().ok_or_else(|| {
            let detail = "a bulkId names something that is made earlier in the request".to_owned();
            Problem::Invalid("invalidValue", detail)
        }),
    }
}

fn replace(value: &mut Value, made: &BTreeMap<String, String>, depth: usize) -> Result<(), Problem> {
    if depth > DEPTH_MAX {
        return Err(Problem::value("the data is too deep"));
    }
    match value {
        Value::String(text) if text.starts_with(PREFIX) => *text = resolved(text, made)?,
        Value::Array(values) => {
            values.iter_mut().try_for_each(|value| replace(value, made, depth + 1))?;
        }
        Value::Object(members) => {
            members.values_mut().try_for_each(|value| replace(value, made, depth + 1))?;
        }
        _ => {}
    }
    Ok(())
}

/// What is told of an operation, and by which bulkId what it made is known.
fn tell(operation: &Value, outcome: Outcome) -> (Value, Option<(String, String)>) {
    let mut told = Map::new();
    for name in ["method", "bulkId"] {
        if let Some(value) = member(operation, name) {
            told.insert(name.to_owned(), value.clone());
        }
    }
    let (answer, failed) = match outcome {
        Ok(answer) => (answer, false),
        Err(problem) => (problem.into_answer(), true),
    };
    let Answer { status, location, body } = answer;
    told.insert("status".to_owned(), status.as_u16().to_string().into());
    let id = body.as_ref().and_then(|body| body.get("id")).and_then(Value::as_str).map(str::to_owned);
    let at = location.or_else(|| body.as_ref()?.get("meta")?.get("location")?.as_str().map(str::to_owned));
    if let Some(at) = at {
        told.insert("location".to_owned(), at.into());
    }
    if failed && let Some(body) = body {
        told.insert("response".to_owned(), body);
    }
    let bulk_id = member(operation, "bulkId").and_then(Value::as_str).map(str::to_owned);
    let made = if status == StatusCode::CREATED { bulk_id.zip(id) } else { None };
    (Value::Object(told), made)
}
