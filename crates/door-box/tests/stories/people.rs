//! What there is of users besides themselves: addresses, pictures, invites, sessions, and their end.

use crate::harness::{Client, HOUR};
use entente_model::{Scopes, UserRole};
use insta::assert_json_snapshot;
use serde_json::json;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x02rest";

async fn person(client: &Client, login: &str) -> (String, String) {
    let user = client.stage.person(login, "Somebody", UserRole::User).await;
    (user.to_string(), format!("Bearer {}", client.stage.token(user, Scopes::ALL, HOUR).await))
}

#[tokio::test]
async fn every_member_of_a_user_can_be_set() {
    let client = Client::new().await;
    let (bob, _) = person(&client, "bob@acme.example").await;
    let path = format!("/users/{bob}");
    let all = json!({
        "name": "Bob B.", "login": "bob.b@acme.example", "role": "coadmin", "language": "de", "timezone": "Europe/Berlin",
        "job_title": "Clerk", "phone": "1", "address": "A road\n2", "space_amount": 11, "status": "cannot_delete_edit",
        "tracking_codes": [{"type": "tracking_code", "name": "cost centre", "value": "7"}],
        "can_see_managed_users": false, "is_sync_enabled": false, "is_external_collab_restricted": true,
        "is_exempt_from_device_limits": true, "is_exempt_from_login_verification": true,
        "notification_email": {"email": "else@where.example"}, "external_app_user_id": "their-7", "notify": true,
    });
    let fields = "name,login,role,language,timezone,job_title,phone,address,space_amount,status,tracking_codes,\
        can_see_managed_users,is_sync_enabled,is_external_collab_restricted,is_exempt_from_device_limits,\
        is_exempt_from_login_verification,notification_email,external_app_user_id,enterprise,hostname,my_tags,\
        is_platform_access_only";
    assert_json_snapshot!("a user with everything", client.put(&format!("{path}?fields={fields}"), all).await.tame());
    let cleared = json!({"notification_email": null, "tracking_codes": [], "space_amount": -1, "status": "active"});
    let cleared = client.put(&format!("{path}?fields=notification_email,tracking_codes,status,role"), cleared).await;
    let cleared = cleared.expect(200);
    assert_eq!((&cleared["notification_email"], &cleared["tracking_codes"]), (&json!(null), &json!([])));
    assert_eq!(cleared["role"], "coadmin", "what is not named stays");
    for bad in [
        json!({"status": "asleep"}),
        json!({"role": "admin"}),
        json!({"notification_email": {"email": "nonsense"}}),
        json!({"notification_email": {}}),
        json!({"tracking_codes": [{"value": "7"}]}),
        json!({"tracking_codes": "7"}),
        json!({"name": "a\r\nb"}),
        json!({"login": "a\u{202e}b@acme.example"}),
        json!({"login": "a@acme\u{ff0e}example"}),
        json!({"name": "x".repeat(300)}),
        json!({"space_amount": "much"}),
    ] {
        client.put(&path, bad).await.refused(400, "bad_request");
    }
    client.put(&path, json!({"enterprise": null})).await.expect(200);
    let outside = client.get("/users?user_type=external&filter_term=bob.b@acme.example&fields=role").await.expect(200);
    assert_eq!(outside["entries"][0]["role"], "user");
    client.get("/users?user_type=strange").await.refused(400, "bad_request");
}

#[tokio::test]
async fn app_users_and_markers() {
    let client = Client::new().await;
    let new = json!({"name": "Theirs", "is_platform_access_only": true, "external_app_user_id": "x-1"});
    let made = client.post("/users?fields=is_platform_access_only,login", new.clone()).await.expect(201);
    assert_eq!(made["is_platform_access_only"], true);
    client
        .post("/users", json!({"name": "T", "login": "t@x.org", "is_platform_access_only": true}))
        .await
        .refused(400, "bad_request");
    let found = client.get("/users?external_app_user_id=x-1").await.expect(200);
    assert_eq!(found["entries"][0]["id"], made["id"]);
    let first = client.get("/users?usemarker=true&limit=1").await.expect(200);
    let marker = first["next_marker"].as_str().expect("there is more").to_owned();
    let last = client.get(&format!("/users?usemarker=true&limit=1&marker={marker}")).await.expect(200);
    assert_eq!((&last["entries"][0]["id"], &last["next_marker"]), (&made["id"], &json!(null)));
    client.get("/users?usemarker=true&marker=abc").await.refused(400, "bad_request");
}

#[tokio::test]
async fn aliases() {
    let client = Client::new().await;
    let (bob, token) = person(&client, "bob@acme.example").await;
    let path = format!("/users/{bob}/email_aliases");
    let made = client.post(&path, json!({"email": "Robert@acme.example"})).await;
    assert_json_snapshot!("a new alias", made.tame());
    assert_eq!(client.get(&path).await.expect(200)["total_count"], 1);
    for taken in ["robert@acme.example", "bob@acme.example", "ada@acme.example"] {
        client.post(&path, json!({"email": taken})).await.refused(409, "user_login_already_used");
    }
    for bad in [json!({}), json!({"email": "x"}), json!({"email": 5}), json!({"email": "a\n@x.org"})] {
        client.post(&path, bad).await.refused(400, "bad_request");
    }
    let as_bob = [("authorization", token.as_str()), ("content-type", "application/json")];
    let alias = made.value()["id"].as_str().unwrap().to_owned();
    client
        .send("POST", &format!("/box/2.0{path}"), &as_bob, r#"{"email":"b@x.org"}"#)
        .await
        .refused(403, "access_denied_insufficient_permissions");
    let ada = format!("/box/2.0/users/{}/email_aliases", client.user);
    client.send("GET", &ada, &as_bob, "").await.refused(404, "not_found");
    client.send("DELETE", &format!("{ada}/{alias}"), &as_bob, "").await.refused(404, "not_found");
    client.delete(&format!("/users/{}/email_aliases/{alias}", client.user)).await.refused(404, "not_found");
    client.delete(&format!("{path}/{alias}")).await.expect(204);
    client.delete(&format!("{path}/{alias}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn pictures() {
    let client = Client::new().await;
    let (bob, token) = person(&client, "bob@acme.example").await;
    let path = format!("/box/2.0/users/{bob}/avatar");
    let form = [("content-type", "multipart/form-data; boundary=xyz")];
    let send = async |headers: &[(&str, &str)], image: &[u8]| {
        let headers = [&form, headers].concat();
        client.send("POST", &path, &headers, crate::harness::multipart(&[("pic", image)])).await
    };
    client.get(&path).await.refused(404, "not_found");
    assert_json_snapshot!("a new picture", send(&[], PNG).await.tame());
    send(&[], PNG).await.expect(200);
    let seen = client.get(&path).await;
    assert_eq!((seen.status.as_u16(), seen.header("content-type"), &seen.body[..]), (200, "image/png", PNG));
    assert_eq!(seen.header("x-content-type-options"), "nosniff");
    for bad in [b"".as_slice(), b"GIF89a", b"<svg/>", &[PNG, &vec![0; 1024 * 1024]].concat()] {
        send(&[], bad).await.refused(400, "bad_request");
    }
    client.send("POST", &path, &form, crate::harness::multipart(&[("other", PNG)])).await.refused(400, "bad_request");
    client.post(&path, json!({})).await.refused(400, "bad_request");
    let as_bob = [("authorization", token.as_str())];
    send(&as_bob, PNG).await.expect(200);
    let ada = format!("/box/2.0/users/{}/avatar", client.user);
    let as_form = [form[0], as_bob[0]];
    client.send("POST", &ada, &as_form, crate::harness::multipart(&[("pic", PNG)])).await.refused(404, "not_found");
    client.send("DELETE", &ada, &as_bob, "").await.refused(404, "not_found");
    client.send("DELETE", &path, &as_bob, "").await.expect(204);
    client.delete(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn invites() {
    let client = Client::new().await;
    let (bob, token) = person(&client, "bob@acme.example").await;
    client.put(&format!("/users/{bob}"), json!({"enterprise": null})).await.expect(200);
    let enterprise = client.stage.enterprise.to_string();
    let new =
        |enterprise: &str, login: &str| json!({"enterprise": {"id": enterprise}, "actionable_by": {"login": login}});
    let made = client.post("/invites", new(&enterprise, "Bob@acme.example")).await;
    assert_json_snapshot!("an invite", made.tame());
    let path = format!("/invites/{}", made.value()["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.expect(200)["status"], "pending");
    client.post("/invites", new("12", "bob@acme.example")).await.refused(404, "not_found");
    client.post("/invites", new(&enterprise, "ada@acme.example")).await.refused(404, "not_found");
    client.post("/invites", new("x", "bob@acme.example")).await.refused(400, "bad_request");
    client.post("/invites", json!({"enterprise": {"id": enterprise}})).await.refused(400, "bad_request");
    client.post("/invites", json!({})).await.refused(400, "bad_request");
    let (_, stranger) = person(&client, "carl@acme.example").await;
    let path = format!("/box/2.0{path}");
    client.send("GET", &path, &[("authorization", &stranger)], "").await.refused(404, "not_found");
    client.send("GET", &path, &[("authorization", &token)], "").await.expect(200);
    let body = new(&enterprise, "bob@acme.example").to_string();
    let asked = client.send("POST", "/box/2.0/invites", &[("authorization", &stranger)], body).await;
    asked.refused(403, "access_denied_insufficient_permissions");
}

#[tokio::test]
async fn sessions_end_when_an_administrator_says_so() {
    let client = Client::new().await;
    let (bob, token) = person(&client, "bob@acme.example").await;
    let as_bob = [("authorization", token.as_str())];
    let mine = json!({"user_ids": [client.user.to_string()], "user_logins": []}).to_string();
    let refused = client.send("POST", "/box/2.0/users/terminate_sessions", &as_bob, mine).await;
    refused.refused(403, "access_denied_insufficient_permissions");
    let path = "/users/terminate_sessions";
    for bad in
        [json!({}), json!({"user_ids": [], "user_logins": []}), json!({"user_ids": ["x"]}), json!({"user_ids": "1"})]
    {
        client.post(path, bad).await.refused(400, "bad_request");
    }
    client.post(path, json!({"user_ids": [bob, "12"], "user_logins": []})).await.refused(404, "not_found");
    client.post(path, json!({"user_ids": [], "user_logins": ["no@acme.example"]})).await.refused(404, "not_found");
    client.send("GET", "/box/2.0/users/me", &as_bob, "").await.expect(200);
    let ended = client.post(path, json!({"user_ids": [], "user_logins": ["BOB@acme.example"]})).await;
    assert!(ended.expect(202)["message"].is_string());
    client.send("GET", "/box/2.0/users/me", &as_bob, "").await.refused(401, "unauthorized");

    let (carl, token) = person(&client, "carl@acme.example").await;
    let as_carl = [("authorization", token.as_str())];
    let group = client.post("/groups", json!({"name": "G"})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let new = json!({"user": {"id": carl}, "group": {"id": group}});
    client.post("/group_memberships", new).await.expect(201);
    let path = "/groups/terminate_sessions";
    for bad in [json!({}), json!({"group_ids": []}), json!({"group_ids": ["x"]})] {
        client.post(path, bad).await.refused(400, "bad_request");
    }
    client.post(path, json!({"group_ids": ["12"]})).await.refused(404, "not_found");
    let body = json!({"group_ids": [group]});
    client
        .send("POST", &format!("/box/2.0{path}"), &as_carl, body.to_string())
        .await
        .refused(403, "access_denied_insufficient_permissions");
    client.post(path, body).await.expect(202);
    let (key, mut after) = (format!("group:{group}"), None);
    while let Some(reached) = client.stage.identity.end_sessions_batch(&key, after).await.unwrap() {
        after = reached;
    }
    client.send("GET", "/box/2.0/users/me", &as_carl, "").await.refused(401, "unauthorized");
    client.get("/users/me").await.expect(200);
}

#[tokio::test]
async fn users_are_removed() {
    let client = Client::new().await;
    let (bob, token) = person(&client, "bob@acme.example").await;
    let (carl, _) = person(&client, "carl@acme.example").await;
    let as_bob = [("authorization", token.as_str()), ("content-type", "application/json")];
    let path = format!("/users/{bob}");
    let made = json!({"name": "mine", "parent": {"id": "0"}}).to_string();
    client.send("POST", "/box/2.0/folders", &as_bob, made).await.expect(201);
    client
        .send("DELETE", &format!("/box/2.0{path}"), &as_bob, "")
        .await
        .refused(403, "access_denied_insufficient_permissions");
    client.send("DELETE", &format!("/box/2.0/users/{carl}"), &as_bob, "").await.refused(404, "not_found");
    client.delete(&format!("/users/{}", client.user)).await.refused(403, "access_denied_insufficient_permissions");
    client.delete(&path).await.refused(409, "conflict");
    client.delete(&format!("{path}?force=true&notify=false")).await.expect(204);
    client.send("GET", "/box/2.0/users/me", &as_bob, "").await.refused(401, "unauthorized");
    client.get(&path).await.refused(404, "not_found");
    client.delete(&path).await.refused(404, "not_found");
    client.post("/users", json!({"name": "New Bob", "login": "bob@acme.example"})).await.expect(201);
}

#[tokio::test]
async fn everything_goes_to_another_user() {
    let client = Client::new().await;
    let (bob, token) = person(&client, "bob@acme.example").await;
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let folder = json!({"name": "bob's", "parent": {"id": "0"}}).to_string();
    client.send("POST", "/box/2.0/folders", &headers, folder).await.expect(201);
    let path = format!("/users/{bob}/folders/0");
    let to = json!({"owned_by": {"id": client.user.to_string()}});
    client.send("PUT", &format!("/box/2.0{path}"), &headers, to.to_string()).await.refused(404, "not_found");
    for bad in [json!({}), json!({"owned_by": {}}), json!({"owned_by": {"id": "x"}}), json!({"owned_by": {"id": bob}})]
    {
        client.put(&path, bad).await.refused(400, "bad_request");
    }
    client.put(&path, json!({"owned_by": {"id": "12"}})).await.refused(404, "not_found");
    client.put("/users/12/folders/0", to.clone()).await.refused(404, "not_found");
    let made = client.put(&path, to).await.expect(200);
    assert_eq!(made["name"], "bob@acme.example - Somebody's Files and Folders");
    assert_eq!(made["owned_by"]["id"], client.user.to_string());
    let listed = client.get(&format!("/folders/{}/items", made["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&listed["total_count"], &listed["entries"][0]["name"]), (&json!(1), &json!("bob's")));
}
