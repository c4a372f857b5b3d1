//! The body of a PATCH (RFC 7644, 3.5.2), as a list of what to do.

use crate::error::Problem;
use crate::filter::{self, attribute};
use serde_json::{Map, Value};

/// Operations in one request.
const OPERATIONS_MAX: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Add,
    Replace,
    Remove,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    pub(crate) verb: Verb,
    /// What it is about.
    pub(crate) target: Target,
    /// `Null` when there is none.
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// An attribute, in small letters.
    Attribute(String),
    /// The value of a list whose `value` is this: `members[value eq "…"]`.
    Entry(String, String),
}

/// Reads a PATCH. Operations without a path become one for each attribute of their value.
pub(crate) fn parse(body: &Value) -> Result<Vec<Operation>, Problem> {
    let list = member(body, "Operations").and_then(Value::as_array);
    let list = list.ok_or_else(|| Problem::Invalid("invalidSyntax", "a PATCH has Operations".to_owned()))?;
    if list.is_empty() || list.len() > OPERATIONS_MAX {
        return Err(Problem::value(format!("a PATCH has 1 to {OPERATIONS_MAX} operations")));
    }
    let mut operations = Vec::with_capacity(list.len());
    for operation in list {
        let verb = match member(operation, "op").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
            Some("add") => Verb::Add,
            Some("replace") => Verb::Replace,
            Some("remove") => Verb::Remove,
            _ => return Err(Problem::Invalid("invalidSyntax", "op is add, replace or remove".to_owned())),
        };
        let value = member(operation, "value").cloned().unwrap_or(Value::Null);
        match (member(operation, "path"), value) {
            (None | Some(Value::Null), Value::Object(members)) if verb != Verb::Remove => {
                for (name, value) in members {
                    // An extension's schema: nothing of it is kept.
                    if !name.starts_with("urn:") || name.contains(":core:2.0:") {
                        operations.push(Operation { verb, target: target(&name)?, value });
                    }
                }
            }
            (None | Some(Value::Null), _) if verb == Verb::Remove => {
                return Err(Problem::Invalid("noTarget", "remove needs a path".to_owned()));
            }
            (Some(Value::String(path)), value) => operations.push(Operation { verb, target: target(path)?, value }),
            _ => {
                return Err(Problem::Invalid(
                    "invalidSyntax",
                    "a path is a text, a value without one an object".to_owned(),
                ));
            }
        }
    }
    if operations.len() > OPERATIONS_MAX { Err(Problem::TooLarge) } else { Ok(operations) }
}

fn target(path: &str) -> Result<Target, Problem> {
    let wrong = || Problem::Invalid("invalidPath", "this path cannot be followed".to_owned());
    let Some((list, rest)) = path.split_once('[') else {
        return Ok(Target::Attribute(attribute(path).ok_or_else(wrong)?));
    };
    let list = attribute(list).ok_or_else(wrong)?;
    let (inner, after) = rest.rsplit_once(']').ok_or_else(wrong)?;
    let conditions = filter::parse(inner).map_err(|_| wrong())?;
    match conditions.as_slice() {
        [only] if only.path == "value" && after.is_empty() => {
            Ok(Target::Entry(list, only.text().ok_or_else(wrong)?.to_owned()))
        }
        // Such as `emails[type eq "work"].value`: a part of a list that is not kept.
        _ if list != "members" => Ok(Target::Attribute(list)),
        _ => Err(wrong()),
    }
}

/// A member of an object, in any case: attributes' names are compared so (RFC 7643, 2.1).
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    find(value.as_object()?, name)
}

fn find<'v>(members: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    members.get(name).or_else(|| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::{Operation, Target, Verb, parse};
    use serde_json::json;

    #[test]
    fn operations_are_read_as_directories_send_them() {
        let body = json!({ "Operations": [
            { "op": "Replace", "path": "active", "value": "False" },
            { "op": "add", "path": "members", "value": [{ "value": "1" }] },
            { "op": "remove", "path": "members[value eq \"1\"]" },
            { "op": "replace", "value": { "displayName": "x" } },
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "x" },
        ]});
        let attribute = |name: &str| Target::Attribute(name.to_owned());
        assert_eq!(
            parse(&body).unwrap(),
            [
                Operation { verb: Verb::Replace, target: attribute("active"), value: json!("False") },
                Operation { verb: Verb::Add, target: attribute("members"), value: json!([{ "value": "1" }]) },
                Operation {
                    verb: Verb::Remove,
                    target: Target::Entry("members".to_owned(), "1".to_owned()),
                    value: json!(null)
                },
                Operation { verb: Verb::Replace, target: attribute("displayname"), value: json!("x") },
                Operation { verb: Verb::Replace, target: attribute("emails"), value: json!("x") },
            ]
        );
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        for bad in [
            json!(null),
            json!({}),
            json!({ "Operations": [] }),
            json!({ "Operations": [{}] }),
            json!({ "Operations": [{ "op": "move", "path": "a" }] }),
            json!({ "Operations": [{ "op": "remove" }] }),
            json!({ "Operations": [{ "op": "replace", "value": "x" }] }),
            json!({ "Operations": [{ "op": "replace", "path": 1, "value": "x" }] }),
            json!({ "Operations": [{ "op": "replace", "path": "a b", "value": "x" }] }),
            json!({ "Operations": [{ "op": "remove", "path": "members[value eq" }] }),
            json!({ "Operations": [{ "op": "remove", "path": "members[display eq \"x\"]" }] }),
            json!({ "Operations": vec![json!({ "op": "add", "path": "a", "value": 1 }); 1_001] }),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
    }
}
