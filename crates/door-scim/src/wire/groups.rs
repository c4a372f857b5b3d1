//! Groups, as SCIM has them.

use super::{moment, text};
use crate::error::Problem;
use crate::patch::member;
use entente_model::UserId;
use entente_tree::{Group, GroupChange};
use serde_json::{Value, json};

pub(crate) const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// Members that one request names at most.
const MEMBERS_MAX: usize = 20_000;

pub(crate) fn encode(group: &Group, members: Option<&[UserId]>, base: &str) -> Value {
    let mut resource = json!({
        "schemas": [SCHEMA],
        "id": group.id.to_string(),
        "displayName": group.name,
        "meta": {
            "resourceType": "Group",
            "created": moment(group.created_at),
            "lastModified": moment(group.modified_at),
            "location": format!("{base}/Groups/{}", group.id),
        },
    });
    let Value::Object(written) = &mut resource else { return resource };
    if !group.external_id.is_empty() {
        written.insert("externalId".to_owned(), group.external_id.as_str().into());
    }
    if let Some(members) = members {
        let shown = members
            .iter()
            .map(|user| json!({ "value": user.to_string(), "type": "User", "$ref": format!("{base}/Users/{user}") }));
        written.insert("members".to_owned(), shown.collect());
    }
    resource
}

/// A whole group, of a POST or a PUT, and who is in it.
pub(crate) fn whole(body: &Value) -> Result<(GroupChange, Vec<UserId>), Problem> {
    if !body.is_object() {
        return Err(Problem::Invalid("invalidSyntax", "a group is an object".to_owned()));
    }
    let read = |name: &str| text(member(body, name).unwrap_or(&Value::Null), name);
    let name = read("displayName")?.ok_or_else(|| Problem::value("a group needs a displayName"))?;
    let external_id = Some(read("externalId")?.unwrap_or_default());
    let members = members(member(body, "members").unwrap_or(&Value::Null))?;
    Ok((GroupChange { name: Some(name), external_id, ..GroupChange::default() }, members))
}

/// Who is named in a list of members, each once.
pub(crate) fn members(value: &Value) -> Result<Vec<UserId>, Problem> {
    let list = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    if list.len() > MEMBERS_MAX {
        return Err(Problem::TooLarge);
    }
    let mut found = Vec::with_capacity(list.len());
    for entry in list {
        let id = member(entry, "value").and_then(Value::as_str);
        found.push(user(id.ok_or_else(|| Problem::value("a member has the id of a user as its value"))?)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What is no id is the id of nobody.
pub(crate) fn user(id: &str) -> Result<UserId, Problem> {
    id.parse().map_err(|_| Problem::value("there is no such user"))
}
