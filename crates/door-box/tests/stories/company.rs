//! Allowed domains and terms of service, on the wire.

use crate::harness::{Client, HOUR};
use entente_model::{Scopes, UserId, UserRole};
use insta::assert_json_snapshot;
use serde_json::json;

const DENIED: &str = "access_denied_insufficient_permissions";

#[tokio::test]
async fn allowed_domains() {
    let client = Client::new().await;
    let new = json!({"domain": "Example.org", "direction": "both"});
    let made = client.post("/collaboration_whitelist_entries", new.clone()).await;
    assert_json_snapshot!("an allowed domain", made.tame());
    let id = client.get("/collaboration_whitelist_entries").await.expect(200)["entries"][0]["id"].clone();
    let path = format!("/collaboration_whitelist_entries/{}", id.as_str().unwrap());
    assert_json_snapshot!("allowed domains", client.get("/collaboration_whitelist_entries?limit=1").await.tame());
    client.get(&path).await.expect(200);
    client.post("/collaboration_whitelist_entries", new).await.refused(409, "conflict");
    for bad in [
        json!({"domain": "example.net"}),
        json!({"direction": "both"}),
        json!({"domain": "example.net", "direction": "sideways"}),
        json!({"domain": "not a domain", "direction": "both"}),
        json!({"domain": 7, "direction": "both"}),
        json!([]),
    ] {
        client.post("/collaboration_whitelist_entries", bad).await.refused(400, "bad_request");
    }
    client.get("/collaboration_whitelist_entries?marker=x").await.refused(400, "bad_request");
    client.get("/collaboration_whitelist_entries/12").await.refused(404, "not_found");
    client.get("/collaboration_whitelist_entries/x").await.refused(405, "method_not_allowed");

    let folder = client.folder("0", "folder").await;
    let invite = |login: &str| {
        client.post(
            "/collaborations",
            json!({
                "item": {"type": "folder", "id": folder}, "role": "viewer",
                "accessible_by": {"type": "user", "login": login},
            }),
        )
    };
    invite("somebody@example.com").await.refused(403, DENIED);
    invite("somebody@example.org").await.expect(201);
    client.delete(&path).await.expect(204);
    client.delete(&path).await.refused(404, "not_found");
    invite("somebody@example.com").await.expect(201);
}

#[tokio::test]
async fn exempt_users() {
    let client = Client::new().await;
    let targets = "/collaboration_whitelist_exempt_targets";
    let new = json!({"user": {"id": client.user.to_string()}});
    assert_json_snapshot!("an exempt user", client.post(targets, new.clone()).await.tame());
    client.post(targets, new).await.refused(409, "conflict");
    for bad in [json!({}), json!({"user": {}}), json!({"user": {"id": "x"}}), json!({"user": 7})] {
        client.post(targets, bad).await.refused(400, "bad_request");
    }
    client.post(targets, json!({"user": {"id": "12"}})).await.refused(404, "not_found");
    assert_json_snapshot!("exempt users", client.get(targets).await.tame());
    let id = client.get(targets).await.expect(200)["entries"][0]["id"].clone();
    let path = format!("{targets}/{}", id.as_str().unwrap());
    client.get(&path).await.expect(200);

    let plain = client.stage.person("plain@acme.example", "Plain", UserRole::User).await;
    let token = format!("Bearer {}", client.stage.token(plain, Scopes::ALL, HOUR).await);
    let headers = [("authorization", token.as_str())];
    for path in [targets, "/collaboration_whitelist_entries", path.as_str()] {
        client.send("GET", &format!("/box/2.0{path}"), &headers, String::new()).await.refused(403, DENIED);
    }
    client.send("DELETE", &format!("/box/2.0{path}"), &headers, String::new()).await.refused(403, DENIED);
    client.delete(&path).await.expect(204);
    client.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn terms_of_service() {
    let client = Client::new().await;
    let new = json!({"status": "enabled", "tos_type": "external", "text": "be good"});
    let made = client.post("/terms_of_services", new.clone()).await;
    assert_json_snapshot!("terms of service", made.tame());
    client.post("/terms_of_services", new).await.refused(409, "conflict");
    for bad in [
        json!({"status": "enabled"}),
        json!({"text": "x"}),
        json!({"status": "on", "text": "x"}),
        json!({"status": "enabled", "text": "", "tos_type": "managed"}),
        json!({"status": "enabled", "text": "x", "tos_type": "all"}),
    ] {
        client.post("/terms_of_services", bad).await.refused(400, "bad_request");
    }
    client.post("/terms_of_services", json!({"status": "disabled", "text": ""})).await.expect(200);
    let listed = client.get("/terms_of_services?tos_type=external").await.expect(200);
    assert_eq!(listed["total_count"], 1);
    assert_eq!(client.get("/terms_of_services").await.expect(200)["total_count"], 2);
    client.get("/terms_of_services?tos_type=x").await.refused(400, "bad_request");
    let id = listed["entries"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/terms_of_services/{id}");
    assert_eq!(client.get(&path).await.expect(200)["text"], "be good");
    let change = json!({"status": "enabled", "text": "be better"});
    assert_eq!(client.put(&path, change).await.expect(200)["text"], "be better");
    client.get("/terms_of_services/12").await.refused(404, "not_found");

    // Somebody from outside accepts them before a role.
    let zoe = client.stage.outsider("zoe@elsewhere.example", "Zoe").await;
    let token = format!("Bearer {}", client.stage.token(zoe, Scopes::ALL, HOUR).await);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let folder = client.folder("0", "folder").await;
    let given = client.post(
        "/collaborations",
        json!({
            "item": {"type": "folder", "id": folder}, "role": "viewer",
            "accessible_by": {"type": "user", "login": "zoe@elsewhere.example"},
        }),
    );
    let given = given.await.expect(201);
    let required = &given["acceptance_requirements_status"]["terms_of_service_requirement"];
    assert_eq!((&required["is_accepted"], &required["terms_of_service"]["id"]), (&json!(false), &json!(id)));
    let accept = format!("/box/2.0/collaborations/{}", given["id"].as_str().unwrap());
    let accepted = json!({"status": "accepted"}).to_string();
    client.send("PUT", &accept, &headers, accepted.clone()).await.refused(400, "terms_of_service_required");
    let answer = json!({
        "tos": {"type": "terms_of_service", "id": id}, "user": {"type": "user", "id": zoe.to_string()},
        "is_accepted": false,
    });
    let said = client.send("POST", "/box/2.0/terms_of_service_user_statuses", &headers, answer.to_string()).await;
    assert_json_snapshot!("what a user says to terms", said.tame());
    let mine = format!("/box/2.0/terms_of_service_user_statuses?tos_id={id}");
    let mine = client.send("GET", &mine, &headers, String::new()).await.expect(200);
    let status = mine["entries"][0]["id"].as_str().unwrap().to_owned();
    let yes = json!({"is_accepted": true});
    client.put(&format!("/terms_of_service_user_statuses/{status}"), yes.clone()).await.refused(404, "not_found");
    let path = format!("/box/2.0/terms_of_service_user_statuses/{status}");
    client.send("PUT", &path, &headers, yes.to_string()).await.expect(200);
    client.send("PUT", &accept, &headers, accepted).await.expect(200);

    for bad in
        [json!({}), json!({"tos": {"id": id}, "is_accepted": true}), json!({"tos": {"id": "x"}, "user": {"id": "1"}})]
    {
        client.post("/terms_of_service_user_statuses", bad).await.refused(400, "bad_request");
    }
    client.get("/terms_of_service_user_statuses").await.refused(400, "bad_request");
    client.get("/terms_of_service_user_statuses?tos_id=12").await.refused(404, "not_found");
    let all = client.get(&format!("/terms_of_service_user_statuses?tos_id={id}")).await.expect(200);
    assert_eq!((&all["total_count"], &all["entries"][0]["is_accepted"]), (&json!(1), &json!(true)));
    let one = format!("/terms_of_service_user_statuses?tos_id={id}&user_id={zoe}");
    assert_eq!(client.get(&one).await.expect(200)["total_count"], 1);
}

#[tokio::test]
async fn people_from_outside_lose_their_roles() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let outsider = client.stage.outsider("dora@elsewhere.example", "Elsewhere").await;
    let plain = client.stage.person("plain@acme.example", "Plain", UserRole::User).await;
    let path = "/box/2.0/external_users/submit_delete_job";
    let token = format!("Bearer {}", client.token);
    let ask = async |version: &str, body: serde_json::Value| {
        let headers = [("authorization", token.as_str()), ("box-version", version)];
        client.send("POST", path, &headers, body.to_string()).await
    };
    let named = |users: &[UserId]| {
        let users: Vec<_> = users.iter().map(|user| json!({"type": "user", "id": user.to_string()})).collect();
        json!({"external_users": users})
    };
    // Without a role here they are nobody's business.
    ask("2025.0", named(&[outsider])).await.refused(404, "not_found");
    let given = json!({
        "item": {"type": "folder", "id": folder}, "role": "viewer",
        "accessible_by": {"type": "user", "login": "dora@elsewhere.example"},
    });
    client.post("/collaborations", given).await.expect(201);
    ask("2024.0", named(&[outsider])).await.refused(400, "invalid_api_version");
    client.post("/external_users/submit_delete_job", named(&[outsider])).await.refused(400, "invalid_api_version");
    for bad in [json!({}), json!({"external_users": []}), json!({"external_users": [{}]}), json!({"external_users": 7})]
    {
        ask("2025.0", bad).await.refused(400, "bad_request");
    }
    let many: Vec<UserId> = (1..=1_001).map(UserId::new).collect();
    ask("2025.0", named(&many)).await.refused(400, "bad_request");
    let going = ask("2025.0", named(&[outsider, plain])).await.expect(207);
    let statuses: Vec<_> = going["entries"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [202, 404]);
    let of = (outsider, client.stage.enterprise);
    while client.stage.tree.remove_outsider_batch(of, client.user, None).await.unwrap().is_some() {}
    let left = client.get(&format!("/folders/{folder}/collaborations")).await.expect(200);
    assert_eq!(left["entries"], json!([]));
    // Who does not administer is told that nobody is there.
    let theirs = format!("Bearer {}", client.stage.token(plain, Scopes::ALL, HOUR).await);
    let headers = [("authorization", theirs.as_str()), ("box-version", "2025.0")];
    client.send("POST", path, &headers, named(&[outsider]).to_string()).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_holds_for_an_enterprise() {
    let client = Client::new().await;
    let token = format!("Bearer {}", client.token);
    let ask = async |token: &str, version: &str, rest: &str| {
        let headers = [("authorization", token), ("box-version", version)];
        let path = format!("/box/2.0/enterprise_configurations/{}{rest}", client.stage.enterprise);
        client.send("GET", &path, &headers, String::new()).await
    };
    let all = "?categories=security,content_and_sharing,user_settings";
    assert_json_snapshot!("what holds for an enterprise", ask(&token, "2025.0", all).await.tame());
    let one = ask(&token, "2025.0", "?categories=security").await.expect(200);
    assert_eq!((one.get("user_settings"), &one["security"]["password_min_length"]["value"]), (None, &json!(8)));
    let new = json!({"domain": "example.org", "direction": "both"});
    client.post("/collaboration_whitelist_entries", new).await.expect(200);
    client.stage.identity.require_second_factor(client.stage.enterprise).await.unwrap();
    let shown = ask(&token, "2025.0", all).await.expect(200);
    assert_eq!(shown["security"]["is_multi_factor_auth_required"]["value"], true);
    let status = &shown["content_and_sharing"]["external_collaboration_status"]["value"];
    assert_eq!(status, "limit_collaboration_to_allowlisted_domains");
    ask(&token, "2025.0", "?categories=shield").await.refused(404, "not_found");
    ask(&token, "2025.0", "").await.refused(400, "bad_request");
    ask(&token, "2025.0", "?categories=weather").await.refused(400, "bad_request");
    ask(&token, "2024.0", all).await.refused(400, "invalid_api_version");
    let headers = [("authorization", token.as_str()), ("box-version", "2025.0")];
    let other = format!("/box/2.0/enterprise_configurations/12{all}");
    client.send("GET", &other, &headers, String::new()).await.refused(404, "not_found");
    let plain = client.stage.person("plain@acme.example", "Plain", UserRole::User).await;
    let theirs = format!("Bearer {}", client.stage.token(plain, Scopes::ALL, HOUR).await);
    ask(&theirs, "2025.0", all).await.refused(404, "not_found");
}
