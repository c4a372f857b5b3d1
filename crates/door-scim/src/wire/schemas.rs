//! What is served, for programs (RFC 7643, 5 to 7).

use super::RESULTS_MAX;
use serde_json::{Value, json};

/// Operations of one bulk request.
pub(crate) const BULK_OPERATIONS_MAX: usize = 1_000;

pub(crate) fn config(base: &str, payload_bytes_max: usize) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": true, "maxOperations": BULK_OPERATIONS_MAX, "maxPayloadSize": payload_bytes_max },
        "filter": { "supported": true, "maxResults": RESULTS_MAX },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": false },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token that administers users (RFC 6750)",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    })
}

pub(crate) fn resource_types(base: &str) -> Vec<Value> {
    let kind = |name: &str, path: &str, schema: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": path,
            "description": name,
            "schema": schema,
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
        })
    };
    vec![kind("User", "/Users", super::users::SCHEMA), kind("Group", "/Groups", super::groups::SCHEMA)]
}

/// How an attribute may be used.
#[derive(Clone, Copy)]
enum Use {
    Written,
    Required,
    Unique,
    Read,
}

fn attribute(name: &str, kind: &str, of: Use) -> Value {
    let mut attribute = json!({
        "name": name,
        "type": kind,
        "description": name,
        "multiValued": false,
        "required": matches!(of, Use::Required | Use::Unique),
        "mutability": if matches!(of, Use::Read) { "readOnly" } else { "readWrite" },
        "returned": "default",
    });
    if let Value::Object(members) = &mut attribute {
        let is_text = kind == "string";
        members.insert("uniqueness".to_owned(), if matches!(of, Use::Unique) { "server" } else { "none" }.into());
        if is_text {
            members.insert("caseExact".to_owned(), false.into());
        }
    }
    attribute
}

fn complex(name: &str, is_list: bool, of: Use, parts: &[Value]) -> Value {
    let mut attribute = attribute(name, "complex", of);
    if let Value::Object(members) = &mut attribute {
        members.insert("multiValued".to_owned(), is_list.into());
        members.insert("subAttributes".to_owned(), parts.to_vec().into());
    }
    attribute
}

pub(crate) fn schemas(base: &str) -> Vec<Value> {
    use Use::{Read, Required, Unique, Written};
    let user = vec![
        attribute("userName", "string", Unique),
        attribute("displayName", "string", Required),
        complex("name", false, Read, &[attribute("formatted", "string", Read)]),
        attribute("active", "boolean", Written),
        attribute("title", "string", Written),
        attribute("preferredLanguage", "string", Written),
        attribute("timezone", "string", Written),
        complex(
            "emails",
            true,
            Read,
            &[
                attribute("value", "string", Read),
                attribute("type", "string", Read),
                attribute("primary", "boolean", Read),
            ],
        ),
    ];
    let reference = json!({
        "name": "$ref", "type": "reference", "referenceTypes": ["User"], "description": "$ref", "multiValued": false,
        "required": false, "mutability": "immutable", "returned": "default", "uniqueness": "none", "caseExact": false,
    });
    let group = vec![
        attribute("displayName", "string", Required),
        complex(
            "members",
            true,
            Written,
            &[attribute("value", "string", Written), reference, attribute("type", "string", Read)],
        ),
    ];
    let schema = |id: &str, name: &str, attributes: Vec<Value>| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": id,
            "name": name,
            "description": name,
            "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{id}") },
        })
    };
    vec![schema(super::users::SCHEMA, "User", user), schema(super::groups::SCHEMA, "Group", group)]
}
