//! Groups and who is in them, as Box's clients see them.

use crate::harness::{Client, HOUR};
use entente_model::{Scopes, UserRole};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

/// Somebody else of the enterprise: id and credential.
async fn person(client: &Client, login: &str) -> (String, String) {
    let user = client.stage.person(login, "Somebody", UserRole::User).await;
    (user.to_string(), format!("Bearer {}", client.stage.token(user, Scopes::ALL, HOUR).await))
}

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_group_from_its_making_to_its_end() {
    let client = Client::new().await;
    let whole = json!({
        "name": "Support", "provenance": "Directory", "external_sync_identifier": "ad-7", "description": "Helps",
        "invitability_level": "admins_and_members", "member_viewability_level": "all_managed_users",
    });
    let made = client.post("/groups", whole).await;
    assert_json_snapshot!("a new group", made.tame());
    let group = id(&made.expect(201));
    let taken = client.post("/groups", json!({"name": "SUPPORT"})).await.refused(409, "conflict");
    assert_eq!(taken["context_info"]["errors"][0]["reason"], "invalid_parameter");
    for (bad, name) in [
        (json!({}), "name"),
        (json!({"name": null}), "name"),
        (json!({"name": 5}), "entity-body"),
        (json!({"name": "A", "invitability_level": "everybody"}), "entity-body"),
    ] {
        let body = client.post("/groups", bad.clone()).await.refused(400, "bad_request");
        assert_eq!(body["context_info"]["errors"][0]["name"], name, "{bad}");
    }
    for bad in ["", "a\nb", "\u{202e}a", &"x".repeat(300)] {
        client.post("/groups", json!({"name": bad})).await.refused(400, "bad_request");
    }
    let path = format!("/groups/{group}");
    assert_json_snapshot!(
        "a group with fields",
        client.get(&format!("{path}?fields=permissions,description")).await.tame()
    );
    assert_eq!(client.put(&path, json!({"name": "Help"})).await.expect(200)["name"], "Help");
    client.post("/groups", json!({"name": "Sales"})).await.expect(201);
    assert_json_snapshot!("groups", client.get("/groups").await.tame());
    let found = |answer: &Value| answer["entries"].as_array().map(Vec::len);
    assert_eq!(found(&client.get("/groups?filter_term=he").await.expect(200)), Some(1));
    assert_eq!(found(&client.get("/groups?external_sync_identifier=ad-7").await.expect(200)), Some(1));
    assert_eq!(found(&client.get("/groups?limit=1&offset=1").await.expect(200)), Some(1));
    client.get("/groups?offset=10001").await.refused(400, "invalid_offset");
    client.get("/groups?usemarker=true").await.refused(400, "bad_request");
    client.delete(&path).await.expect(204);
    client.get(&path).await.refused(404, "not_found");
    client.delete(&path).await.refused(404, "not_found");
    client.get("/groups/x").await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn memberships() {
    let client = Client::new().await;
    let (bob, _) = person(&client, "bob@acme.example").await;
    let group = id(&client.post("/groups", json!({"name": "Group"})).await.expect(201));
    let new = json!({"user": {"id": bob}, "group": {"id": group}, "role": "admin",
        "configurable_permissions": {"can_run_reports": false}});
    let made = client.post("/group_memberships?fields=configurable_permissions,role", new.clone()).await;
    assert_json_snapshot!("a new membership with fields", made.tame());
    let membership = id(&made.expect(201));
    client.post("/group_memberships", new).await.refused(409, "conflict");
    let path = format!("/group_memberships/{membership}");
    assert_json_snapshot!("a membership", client.get(&path).await.tame());
    let none = json!({"role": "member", "configurable_permissions": null});
    let changed = client.put(&format!("{path}?fields=role,configurable_permissions"), none).await.expect(200);
    assert_eq!(
        (changed["role"].as_str(), &changed["configurable_permissions"]["can_run_reports"]),
        (Some("member"), &json!(false))
    );
    assert_json_snapshot!("memberships of a group", client.get(&format!("/groups/{group}/memberships")).await.tame());
    let of_user = client.get(&format!("/users/{bob}/memberships?limit=1")).await.expect(200);
    assert_eq!((of_user["total_count"].as_u64(), of_user["limit"].as_u64()), (Some(1), Some(1)));
    for bad in [
        json!({}),
        json!({"user": {"id": bob}}),
        json!({"group": {"id": group}, "user": {}}),
        json!({"group": {"id": group}, "user": {"id": "x"}}),
        json!({"group": {"id": group}, "user": {"id": bob}, "role": "owner"}),
        json!({"group": {"id": group}, "user": {"id": bob}, "configurable_permissions": {"can_fly": true}}),
        json!({"group": {"id": group}, "user": {"id": bob}, "configurable_permissions": {"can_run_reports": "yes"}}),
    ] {
        client.post("/group_memberships", bad).await.refused(400, "bad_request");
    }
    for (user, group) in [("12", group.as_str()), (bob.as_str(), "12")] {
        let new = json!({"user": {"id": user}, "group": {"id": group}});
        client.post("/group_memberships", new).await.refused(404, "not_found");
    }
    client.delete(&path).await.expect(204);
    client.delete(&path).await.refused(404, "not_found");
    client.put(&path, json!({"role": "admin"})).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_a_stranger_is_told_of_groups_is_what_is_said_of_none() {
    let client = Client::new().await;
    let (bob, token) = person(&client, "bob@acme.example").await;
    let (carl, _) = person(&client, "carl@acme.example").await;
    let group = id(&client.post("/groups", json!({"name": "Group"})).await.expect(201));
    let new = json!({"user": {"id": carl}, "group": {"id": group}});
    let membership = id(&client.post("/group_memberships", new).await.expect(201));
    let as_bob = [("authorization", token.as_str()), ("content-type", "application/json")];
    let new = json!({"user": {"id": bob}, "group": {"id": group}}).to_string();
    let same = |there: Value, absent: Value| {
        let told = |mut body: Value| {
            body["request_id"] = Value::Null;
            body
        };
        assert_eq!(told(there), told(absent));
    };
    for (method, there, absent, body) in [
        ("GET", format!("/groups/{group}"), "/groups/12", "{}"),
        ("PUT", format!("/groups/{group}"), "/groups/12", r#"{"name":"x"}"#),
        ("DELETE", format!("/groups/{group}"), "/groups/12", ""),
        ("GET", format!("/groups/{group}/memberships"), "/groups/12/memberships", ""),
        ("GET", format!("/users/{carl}/memberships"), "/users/12/memberships", ""),
        ("GET", format!("/group_memberships/{membership}"), "/group_memberships/12", ""),
        ("PUT", format!("/group_memberships/{membership}"), "/group_memberships/12", "{}"),
        ("DELETE", format!("/group_memberships/{membership}"), "/group_memberships/12", ""),
    ] {
        let there = client.send(method, &format!("/box/2.0{there}"), &as_bob, body).await.refused(404, "not_found");
        let absent = client.send(method, &format!("/box/2.0{absent}"), &as_bob, body).await.refused(404, "not_found");
        same(there, absent);
    }
    client.send("POST", "/box/2.0/group_memberships", &as_bob, new).await.refused(404, "not_found");
    for (method, path, body) in [("GET", "/groups", ""), ("POST", "/groups", r#"{"name":"Mine"}"#)] {
        let answer = client.send(method, &format!("/box/2.0{path}"), &as_bob, body).await;
        answer.refused(403, "access_denied_insufficient_permissions");
    }
}
