use crate::harness::{Client, HOUR, multipart};
use entente_model::{Scopes, UserRole, ZoneId};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

/// The enterprise's administrator and an ordinary user, with two more policies: their ids.
async fn office() -> (Client, String, [String; 2]) {
    let client = Client::new().await;
    let bob = client.stage.person("bob@acme.example", "Bob", UserRole::User).await;
    let near = client.stage.add_policy("Dublin twice", ZoneId::new(1)).await.0;
    let far = client.stage.add_policy("Montreal", ZoneId::new(2)).await.0;
    (client, bob.to_string(), [near.to_string(), far.to_string()])
}

fn assignment(kind: &str, id: &str, policy: &str) -> Value {
    json!({"storage_policy": {"type": "storage_policy", "id": policy}, "assigned_to": {"type": kind, "id": id}})
}

fn policy(id: &str) -> Value {
    json!({"storage_policy": {"type": "storage_policy", "id": id}})
}

fn resolved(kind: &str, id: &str) -> String {
    format!("/storage_policy_assignments?resolved_for_type={kind}&resolved_for_id={id}")
}

#[tokio::test]
async fn policies_are_listed_and_shown() {
    let (client, _, [near, far]) = office().await;
    assert_json_snapshot!("the policies", client.get("/storage_policies").await.tame());
    assert_json_snapshot!("one policy", client.get(&format!("/storage_policies/{far}")).await.tame());
    let page = client.get("/storage_policies?limit=2&fields=id").await.expect(200);
    assert_eq!(page["entries"], json!([{"type": "storage_policy", "id": "1"}, {"type": "storage_policy", "id": near}]));
    let marker = page["next_marker"].as_str().unwrap();
    let page = client.get(&format!("/storage_policies?limit=2&marker={marker}")).await.expect(200);
    assert_eq!((page["entries"][0]["id"].as_str(), &page["next_marker"]), (Some(far.as_str()), &Value::Null));
    assert_eq!(client.get("/storage_policies?limit=5000").await.expect(200)["limit"], 1_000);
    client.get("/storage_policies?marker=nonsense").await.refused(400, "bad_request");
    client.get("/storage_policies?limit=-1").await.refused(400, "invalid_limit");
    client.get("/storage_policies/12").await.refused(404, "not_found");
    client.get("/storage_policies/x").await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn a_policy_is_assigned_changed_and_taken_away() {
    let (client, bob, [near, far]) = office().await;
    let enterprise = client.stage.enterprise.to_string();
    let default = client.get(&resolved("user", &bob)).await;
    let mut tame = default.tame();
    tame["body"]["entries"][0]["id"] = "[the enterprise's id in Base64]".into();
    assert_json_snapshot!("inherited from the enterprise", tame);
    let inherited = default.value()["entries"][0].clone();
    assert_eq!(inherited["assigned_to"]["id"], enterprise.as_str());
    assert_eq!(client.get(&resolved("enterprise", &enterprise)).await.expect(200)["entries"][0], inherited);

    let made = client.post("/storage_policy_assignments", assignment("user", &bob, &near)).await.expect(200);
    assert_eq!(made["storage_policy"], json!({"type": "storage_policy", "id": near}));
    assert_eq!(made["assigned_to"], json!({"type": "user", "id": bob}));
    let path = format!("/storage_policy_assignments/{}", made["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.expect(200), made);
    assert_eq!(client.get(&resolved("user", &bob)).await.expect(200)["entries"], json!([made]));
    client.post("/storage_policy_assignments", assignment("user", &bob, &far)).await.refused(409, "conflict");

    let changed = client.put(&path, policy(&far)).await.expect(200);
    assert_eq!((&changed["id"], &changed["storage_policy"]["id"]), (&made["id"], &json!(far)));
    assert_eq!(client.delete(&path).await.expect(204), Value::Null);
    client.get(&path).await.refused(404, "not_found");
    client.put(&path, policy(&far)).await.refused(404, "not_found");
    client.delete(&path).await.refused(404, "not_found");
    assert_eq!(client.get(&resolved("user", &bob)).await.expect(200)["entries"][0], inherited);

    // The enterprise always has one, which can be changed and not be taken away.
    let path = format!("/storage_policy_assignments/{}", inherited["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.expect(200), inherited);
    client.delete(&path).await.refused(403, "access_denied_insufficient_permissions");
    assert_eq!(client.put(&path, policy(&near)).await.expect(200)["storage_policy"]["id"], near.as_str());
    client
        .post("/storage_policy_assignments", assignment("enterprise", &enterprise, &far))
        .await
        .refused(409, "conflict");
    assert_eq!(
        client.get(&resolved("user", &bob)).await.expect(200)["entries"][0]["storage_policy"]["id"],
        near.as_str()
    );
    client.delete(&path).await.expect(204);
    assert_eq!(client.get(&path).await.expect(200), inherited);
    let again = client.post("/storage_policy_assignments", assignment("enterprise", &enterprise, &far)).await;
    assert_eq!(again.expect(200)["id"], inherited["id"]);
}

#[tokio::test]
async fn only_administrators_may() {
    let (client, bob, [near, _]) = office().await;
    let token = format!("Bearer {}", client.stage.token(bob.parse().unwrap(), Scopes::ALL, HOUR).await);
    let limited = format!("Bearer {}", client.stage.token(client.user, Scopes::READ, HOUR).await);
    let made = client.post("/storage_policy_assignments", assignment("user", &bob, &near)).await.expect(200);
    let path = format!("/box/2.0/storage_policy_assignments/{}", made["id"].as_str().unwrap());
    for token in [&token, &limited] {
        for (method, path, body) in [
            ("GET", "/box/2.0/storage_policies", Value::Null),
            ("GET", "/box/2.0/storage_policies/1", Value::Null),
            ("GET", "/box/2.0/storage_policies/12", Value::Null),
            ("GET", &format!("/box/2.0{}", resolved("user", &bob)), Value::Null),
            ("GET", &format!("/box/2.0{}", resolved("user", "12")), Value::Null),
            ("POST", "/box/2.0/storage_policy_assignments", assignment("user", &bob, &near)),
            ("GET", &path, Value::Null),
            ("PUT", &path, policy(&near)),
            ("DELETE", &path, Value::Null),
        ] {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let answer = client.send(method, path, &[("authorization", token)], body).await;
            answer.refused(403, "access_denied_insufficient_permissions");
        }
    }
    client.send("GET", "/box/2.0/storage_policies", &[("authorization", "")], "").await.refused(401, "unauthorized");
    assert_eq!(client.send("GET", &path, &[], "").await.expect(200), made);
}

#[tokio::test]
async fn what_is_malformed_or_unknown_is_refused() {
    let (client, bob, [near, _]) = office().await;
    let assignments = "/storage_policy_assignments";
    for body in [
        json!({}),
        json!({"assigned_to": {"type": "user", "id": bob}}),
        json!({"storage_policy": {"type": "storage_policy", "id": near}}),
        json!({"storage_policy": {"type": "storage_policy"}, "assigned_to": {"type": "user", "id": bob}}),
        json!({"storage_policy": {"type": "retention_policy", "id": near}, "assigned_to": {"type": "user", "id": bob}}),
        json!({"storage_policy": "near", "assigned_to": {"type": "user", "id": bob}}),
        assignment("user", &bob, "near"),
        assignment("folder", "12", &near),
        assignment("user", "bob", &near),
        json!({"storage_policy": {"type": "storage_policy", "id": near}, "assigned_to": {"type": "user"}}),
        json!({"storage_policy": {"type": "storage_policy", "id": near}, "assigned_to": {"id": bob}}),
        json!([]),
    ] {
        client.post(assignments, body).await.refused(400, "bad_request");
    }
    for body in [
        assignment("user", "12", &near),
        assignment("user", &bob, "12"),
        assignment("enterprise", "12", &near),
        assignment("user", "99999999999999999999999", &near),
    ] {
        client.post(assignments, body).await.refused(404, "not_found");
    }
    for query in [
        "",
        "?resolved_for_type=user",
        "?resolved_for_id=12",
        "?resolved_for_type=folder&resolved_for_id=12",
        "?resolved_for_type=user&resolved_for_id=bob",
        "?resolved_for_type=user&resolved_for_id=",
        "?resolved_for_type=user&resolved_for_id=12&marker=abc",
    ] {
        client.get(&format!("{assignments}{query}")).await.refused(400, "bad_request");
    }
    client.get(&resolved("user", "12")).await.refused(404, "not_found");
    client.get(&resolved("enterprise", "12")).await.refused(404, "not_found");
    client.get(&format!("{}&marker=", resolved("user", &bob))).await.expect(200);
    // Nonsense, and the id of an assignment to a user who is not there.
    for id in ["12", "x", "dXNlcl83", "Zm9sZGVyXzc"] {
        let path = format!("{assignments}/{id}");
        client.get(&path).await.refused(404, "not_found");
        client.put(&path, policy(&near)).await.refused(404, "not_found");
        client.delete(&path).await.refused(404, "not_found");
        client.put(&path, json!({})).await.refused(400, "bad_request");
    }
}

#[tokio::test]
async fn an_upload_that_no_backend_may_take_is_to_be_tried_again() {
    let (client, ..) = office().await;
    let mut topology = client.stage.vault.topology().as_ref().clone();
    topology.policies.clear();
    client.stage.vault.reconfigure(topology);
    let attributes = json!({"name": "a", "parent": {"id": "0"}}).to_string();
    let body = multipart(&[("attributes", attributes.as_bytes()), ("file", b"hello")]);
    let headers = [("content-type", "multipart/form-data; boundary=xyz")];
    let answer = client.send("POST", "/box/upload/2.0/files/content", &headers, body).await;
    let said = answer.refused(503, "unavailable");
    assert!(said["message"].as_str().unwrap().contains("storage policy"), "{said}");
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
    assert_eq!(client.get("/folders/0/items").await.expect(200)["total_count"], 0);
}
