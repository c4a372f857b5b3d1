//! Users, as SCIM has them.

use super::{moment, text};
use crate::error::Problem;
use crate::patch::{Operation, Target, Verb, member};
use entente_identity::Login;
use entente_tree::{User, UserChange, UserStatus};
use serde_json::{Value, json};

pub(crate) const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

pub(crate) fn encode(user: &User, base: &str) -> Value {
    let location = format!("{base}/Users/{}", user.id);
    let mut resource = json!({
        "schemas": [SCHEMA],
        "id": user.id.to_string(),
        "userName": user.login,
        "displayName": user.name,
        "name": { "formatted": user.name },
        "active": user.status != UserStatus::Inactive,
        "preferredLanguage": user.language,
        "timezone": user.timezone,
        "emails": [{ "value": user.login, "type": "work", "primary": true }],
        "meta": {
            "resourceType": "User",
            "created": moment(user.created_at),
            "lastModified": moment(user.modified_at),
            "location": location,
        },
    });
    if let Value::Object(members) = &mut resource {
        for (name, value) in [("externalId", &user.external_id), ("title", &user.job_title)] {
            if !value.is_empty() {
                members.insert(name.to_owned(), value.as_str().into());
            }
        }
    }
    resource
}

/// A whole user, of a POST or a PUT: what is not given is as it usually is.
pub(crate) fn whole(body: &Value) -> Result<UserChange, Problem> {
    if !body.is_object() {
        return Err(Problem::Invalid("invalidSyntax", "a user is an object".to_owned()));
    }
    let mut change = UserChange::default();
    for name in ["userName", "externalId", "active", "title", "preferredLanguage", "timezone", "displayName"] {
        let value = member(body, name).unwrap_or(&Value::Null);
        apply(&mut change, &name.to_ascii_lowercase(), value)?;
    }
    if change.login.is_none() {
        return Err(Problem::value("a user needs a userName"));
    }
    change.name = change.name.or(named(body)?).or_else(|| change.login.clone());
    change.external_id.get_or_insert_default();
    change.job_title.get_or_insert_default();
    Ok(change)
}

/// What somebody is called by the parts of their name.
fn named(body: &Value) -> Result<Option<String>, Problem> {
    let Some(name) = member(body, "name") else { return Ok(None) };
    let part = |part: &str| text(member(name, part).unwrap_or(&Value::Null), part);
    if let Some(formatted) = part("formatted")?.filter(|text| !text.trim().is_empty()) {
        return Ok(Some(formatted));
    }
    let parts = [part("givenName")?, part("familyName")?];
    let joined = parts.into_iter().flatten().filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join(" ");
    Ok((!joined.is_empty()).then_some(joined))
}

/// What operations of a PATCH change together: a later one overrides an earlier one.
pub(crate) fn patched(operations: &[Operation]) -> Result<UserChange, Problem> {
    let mut change = UserChange::default();
    for Operation { verb, target, value } in operations {
        let Target::Attribute(name) = target else { continue };
        match verb {
            Verb::Add | Verb::Replace => apply(&mut change, name, value)?,
            Verb::Remove => match name.as_str() {
                "externalid" => change.external_id = Some(String::new()),
                "title" => change.job_title = Some(String::new()),
                "preferredlanguage" => change.language = Some("en".to_owned()),
                "timezone" => change.timezone = Some("UTC".to_owned()),
                "username" | "active" | "displayname" => {
                    return Err(Problem::Invalid("mutability", format!("{name} cannot be removed")));
                }
                _ => {}
            },
        }
    }
    Ok(change)
}

/// Attributes that are not kept are read over.
fn apply(change: &mut UserChange, name: &str, value: &Value) -> Result<(), Problem> {
    match name {
        "username" => {
            if let Some(login) = text(value, "userName")? {
                Login::new(login.as_str()).map_err(|error| Problem::value(error.to_string()))?;
                change.login = Some(login);
            }
        }
        "displayname" => change.name = text(value, name)?.or(change.name.take()),
        "name.formatted" => change.name = text(value, name)?.or(change.name.take()),
        "name" => change.name = named(&json!({ "name": value }))?.or(change.name.take()),
        "externalid" => change.external_id = text(value, name)?.or(change.external_id.take()),
        "title" => change.job_title = text(value, name)?.or(change.job_title.take()),
        "preferredlanguage" => change.language = text(value, name)?.or(change.language.take()),
        "timezone" => change.timezone = text(value, name)?.or(change.timezone.take()),
        "active" => {
            if let Some(is_active) = truth(value)? {
                change.status = Some(if is_active { UserStatus::Active } else { UserStatus::Inactive });
            }
        }
        _ => {}
    }
    Ok(())
}

/// Some directories send texts.
fn truth(value: &Value) -> Result<Option<bool>, Problem> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(truth) => Ok(Some(*truth)),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        _ => Err(Problem::value("active is true or false")),
    }
}
