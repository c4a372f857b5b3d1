use crate::harness::{Client, HOUR};
use entente_model::{Scopes, UserRole};
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn me() {
    let client = Client::new().await;
    client.file("0", "a", b"hello").await;
    let me = client.get("/users/me").await;
    assert_json_snapshot!("me", me.tame());
    assert!(me.value().get("role").is_none());
    assert_eq!(me.value()["space_used"], 5);
    assert_json_snapshot!("me with fields", client.get("/users/me?fields=role,enterprise,login").await.tame());
}

#[tokio::test]
async fn an_administrator_makes_and_changes_users() {
    let client = Client::new().await;
    let made = client.post("/users", json!({"login": "bob@acme.example", "name": "Bob"})).await;
    assert_json_snapshot!("a new user", made.tame());
    let bob = made.expect(201)["id"].as_str().unwrap().to_owned();
    client
        .post("/users", json!({"login": "BOB@acme.example", "name": "Bob"}))
        .await
        .refused(409, "user_login_already_used");
    client.post("/users", json!({"login": "nonsense", "name": "Bob"})).await.refused(400, "bad_request");
    client.post("/users", json!({"name": "Bob"})).await.refused(400, "bad_request");
    let path = format!("/users/{bob}");
    let changed = client
        .put(&format!("{path}?fields=name,job_title,role"), json!({"name": "Robert", "job_title": "Clerk"}))
        .await;
    assert_json_snapshot!("a changed user", changed.tame());
    assert_eq!(client.get(&path).await.expect(200)["name"], "Robert");
    assert_json_snapshot!("users", client.get("/users?fields=name,login").await.tame());
    assert_eq!(client.get("/users?filter_term=bob").await.expect(200)["total_count"], 1);
    client.get("/users?offset=10001").await.refused(400, "invalid_offset");
    client.get("/users/12").await.refused(404, "not_found");
    client.get("/users/x").await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn others_see_only_themselves_and_administrators_act_for_them() {
    let client = Client::new().await;
    let bob = client.stage.person("bob@acme.example", "Bob", UserRole::User).await;
    let token = format!("Bearer {}", client.stage.token(bob, Scopes::ALL, HOUR).await);
    let as_bob = [("authorization", token.as_str())];
    client.send("GET", "/box/2.0/users", &as_bob, "").await.refused(403, "access_denied_insufficient_permissions");
    client
        .send("POST", "/box/2.0/users", &as_bob, r#"{"login":"c@acme.example","name":"C"}"#)
        .await
        .refused(403, "access_denied_insufficient_permissions");
    client.send("GET", "/box/2.0/users/me", &as_bob, "").await.expect(200);

    let file = client.file("0", "a", b"hello").await;
    client.send("GET", &format!("/box/2.0/files/{file}"), &as_bob, "").await.refused(404, "not_found");
    let me = client.send("GET", "/box/2.0/users/me", &[("As-User", &bob.to_string())], "").await.expect(200);
    assert_eq!(me["login"], "bob@acme.example");
    let ada = client.user.to_string();
    client.send("GET", "/box/2.0/users/me", &[as_bob[0], ("as-user", &ada)], "").await.refused(403, "forbidden");
    client.send("GET", "/box/2.0/users/me", &[("as-user", "12")], "").await.refused(403, "forbidden");
}
