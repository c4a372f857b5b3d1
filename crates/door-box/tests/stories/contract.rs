//! Every answer of every story is held against Box's own description, where that is at hand.
//!
//! Checked are required members, types, null where it is not allowed, and enumerations. Known to be wrong in the
//! description, by what Box's clients need, is listed in [`DEVIATIONS`].

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Operation and status whose answers are not as described, on purpose.
const DEVIATIONS: &[(&str, u16)] = &[
    // Clients need an object in `conflicts` where a file was to be; described is a list, or nothing.
    ("options_files_content", 409),
    ("post_files_content", 409),
    ("post_files_upload_sessions", 409),
    // Of a folder it is another operation, with the same path.
    ("get_shared_items", 200),
    // Nothing is made by asking.
    ("get_files_id_metadata_id_id", 200),
    ("get_folders_id_metadata_id_id", 200),
];

/// Where Box's description would be.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/box-openapi")
}

fn description() -> Option<&'static Value> {
    static DESCRIPTION: OnceLock<Option<Value>> = OnceLock::new();
    let read = || serde_json::from_slice(&std::fs::read(folder().join("openapi.json")).ok()?).ok();
    DESCRIPTION.get_or_init(read).as_ref()
}

/// Panics when the answer to a request is not as described. Operations that are not described pass.
#[track_caller]
pub fn check(method: &str, path: &str, status: u16, body: &[u8]) {
    let Some(description) = description() else { return };
    let Some(operation) = operation(description, method, path) else { return };
    let id = operation["operationId"].as_str().unwrap_or_default();
    if DEVIATIONS.contains(&(id, status)) {
        return;
    }
    let responses = &operation["responses"];
    let response = responses.get(status.to_string()).or_else(|| responses.get("default").filter(|_| status >= 400));
    let Some(response) = response else { panic!("{id} is not described to answer {status}") };
    let schema = &response["content"]["application/json"]["schema"];
    if schema.is_null() {
        assert!(
            status >= 400 || body.is_empty() || !response["content"].is_null(),
            "{id} {status} should have no body"
        );
        return;
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{id} {status}: {error}"));
    let mut faults = Vec::new();
    compare(description, schema, &body, id, &mut faults);
    assert!(faults.is_empty(), "{id} {status}: {faults:#?}");
}

fn operation<'d>(description: &'d Value, method: &str, path: &str) -> Option<&'d Value> {
    let path = path.split('?').next()?;
    let path = ["/box/upload/2.0", "/box/2.0", "/box"].iter().find_map(|prefix| path.strip_prefix(prefix))?;
    let segments: Vec<_> = path.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<_> = template.split('/').collect();
        template.len() == segments.len()
            && template.iter().zip(&segments).all(|(wanted, got)| wanted.starts_with('{') || wanted == got)
    };
    let paths = description["paths"].as_object()?;
    // A path without parameters outranks one with.
    let fitting = paths.iter().filter(|(template, _)| fits(template));
    let (_, methods) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    methods.get(method.to_lowercase())
}

fn resolve<'d>(description: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => resolve(description, description.pointer(pointer).expect("a reference into the description")),
        None => schema,
    }
}

fn compare(description: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let nullable = schema["nullable"] == true;
    let schema = resolve(description, schema);
    if value.is_null() {
        let all = schema["allOf"].as_array().into_iter().flatten();
        let nullable = nullable || schema["nullable"] == true || all.clone().any(|part| part["nullable"] == true);
        // Whoever is invited by an address is nobody yet, as at Box.
        let nullable = nullable || at.ends_with(".accessible_by");
        // Only the prose says that these may be null.
        let nullable = nullable || at.ends_with(".due_at") || at.ends_with(".completed_at");
        if !nullable && schema.get("type").is_some() | schema.get("allOf").is_some() {
            faults.push(format!("{at} is null"));
        }
        return;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        compare(description, part, value, at, faults);
    }
    for choice in ["oneOf", "anyOf"] {
        let Some(parts) = schema[choice].as_array() else { continue };
        let tries = parts.iter().map(|part| {
            let mut faults = Vec::new();
            compare(description, part, value, at, &mut faults);
            faults
        });
        if let Some(fewest) = tries.min_by_key(Vec::len) {
            faults.extend(fewest);
        }
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        faults.push(format!("{at} is not of type {}", schema["type"]));
        return;
    }
    // Codes of errors are described as a few examples of many.
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
        && !at.ends_with(".code")
    {
        faults.push(format!("{at} is {value}, not one of {allowed:?}"));
    }
    if schema["format"] == "date-time" && value.as_str().is_none_or(|text| text.len() != 25) {
        faults.push(format!("{at} is no date with whole seconds: {value}"));
    }
    if let Some(object) = value.as_object() {
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            // Of shared links a member is required that is described nowhere.
            if !object.contains_key(required) && required != "accessed" {
                faults.push(format!("{at} has no {required}"));
            }
        }
        for (name, described) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(member) = object.get(name) {
                compare(description, described, member, &format!("{at}.{name}"), faults);
            }
        }
    }
    for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
        compare(description, &schema["items"], entry, &format!("{at}[{index}]"), faults);
    }
}

#[test]
fn a_wrong_answer_is_noticed() {
    let good = r#"{"type":"file","id":"1","etag":null}"#;
    check("GET", "/box/2.0/files/1", 200, good.as_bytes());
    if description().is_none() {
        return;
    }
    for bad in [
        r#"{"type":"file"}"#,
        r#"{"type":"file","id":1}"#,
        r#"{"type":"folder","id":"1"}"#,
        r#"{"type":"file","id":"1","name":null}"#,
    ] {
        let outcome = std::panic::catch_unwind(|| check("GET", "/box/2.0/files/1", 200, bad.as_bytes()));
        assert!(outcome.is_err(), "{bad}");
    }
}
