use crate::harness::{Client, HOUR};
use entente_identity::NewApp;
use entente_model::{Scopes, UserRole};
use insta::assert_json_snapshot;
use std::time::Duration;

#[tokio::test]
async fn an_app_gets_a_token_uses_it_and_revokes_it() {
    let client = Client::new().await;
    let enterprise = client.stage.enterprise;
    let app = NewApp::new(enterprise, "Robot", UserRole::User);
    let app = client.stage.identity.create_app(app).await.unwrap();
    let (id, secret) = (&app.client_id, app.client_secret.as_ref().unwrap().expose());
    let form = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={secret}&box_subject_type=enterprise&box_subject_id={enterprise}"
    );
    let no_one = ("authorization", "");
    let granted = client.send("POST", "/box/oauth2/token", &[no_one], form).await;
    assert_eq!(granted.header("cache-control"), "no-store");
    let token = granted.expect(200);
    assert_eq!(token["token_type"], "bearer");
    assert_eq!(token["restricted_to"], serde_json::json!([]));
    assert!(token.get("refresh_token").is_none());
    let token = token["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let robot = [("authorization", bearer.as_str())];
    assert_eq!(client.send("GET", "/box/2.0/users/me", &robot, "").await.expect(200)["name"], "Robot");
    let revoke = |token: &str| format!("client_id={id}&client_secret={secret}&token={token}");
    let revoked = client.send("POST", "/box/oauth2/revoke", &[no_one], revoke(&token)).await;
    assert_eq!((revoked.status.as_u16(), revoked.body.len()), (200, 0));
    client.send("POST", "/box/oauth2/revoke", &[no_one], revoke("unknown")).await.expect(200);
    client.send("GET", "/box/2.0/users/me", &robot, "").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_bad_request_gets_an_oauth_error() {
    let client = Client::new().await;
    let refused = client
        .send(
            "POST",
            "/box/oauth2/token",
            &[("authorization", "")],
            "grant_type=client_credentials&client_id=x&client_secret=y",
        )
        .await;
    assert_json_snapshot!("an unknown client", refused.tame());
    let refused = client.send("POST", "/box/oauth2/token", &[("authorization", "")], "grant_type=password").await;
    assert_eq!(refused.expect(400)["error"], "unsupported_grant_type");
    client.send("GET", "/box/oauth2/token", &[], "").await.refused(405, "method_not_allowed");
    let asked = client.send("GET", "/box/oauth2/authorize?client_id=x&state=%0d%0a", &[], "").await;
    assert_eq!(asked.status, 302);
    assert_eq!(asked.header("location"), "https://files.acme.example/oauth2/authorize?client_id=x&state=%0d%0a");
}

#[tokio::test]
async fn a_401_says_why() {
    let client = Client::new().await;
    let get = |header: String| {
        let client = &client;
        async move { client.send("GET", "/box/2.0/users/me", &[("authorization", header.as_str())], "").await }
    };
    let none = get(String::new()).await;
    none.refused(401, "unauthorized");
    assert_eq!(none.header("www-authenticate"), "Bearer realm=\"Service\"");
    let unknown = get("Bearer nonsense".to_owned()).await;
    unknown.refused(401, "unauthorized");
    assert!(unknown.header("www-authenticate").contains("error=\"invalid_token\""));
    let expired = client.stage.token(client.user, Scopes::ALL, Duration::ZERO).await;
    let expired = get(format!("Bearer {expired}")).await;
    expired.refused(401, "unauthorized");
    assert!(expired.header("www-authenticate").contains("expired_token"));
    let reader = client.stage.token(client.user, Scopes::READ, HOUR).await;
    let reader = format!("Bearer {reader}");
    let delete = client.send("DELETE", "/box/2.0/folders/12", &[("authorization", &reader)], "").await;
    delete.refused(404, "not_found");
    let create = r#"{"name":"a","parent":{"id":"0"}}"#;
    client
        .send("POST", "/box/2.0/folders", &[("authorization", &reader)], create)
        .await
        .refused(403, "access_denied_insufficient_permissions");
}

#[tokio::test]
async fn a_weaker_token_is_for_what_it_was_made_for_alone() {
    let client = Client::new().await;
    let (inside, outside) = (client.folder("0", "inside").await, client.folder("0", "outside").await);
    let file = client.file(&inside, "a.txt", b"a").await;
    let other = client.file(&outside, "b.txt", b"b").await;
    let weaken = |token: String, scope: &'static str, resource: String| {
        let client = &client;
        async move {
            let form = format!(
                "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}&scope={scope}&resource={resource}\
                 &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
            );
            client.send("POST", "/box/oauth2/token", &[("authorization", "")], form).await
        }
    };
    let resource = format!("https://api.box.com/2.0/folders/{inside}");
    let weak = weaken(client.token.clone(), "item_rename+item_preview", resource.clone()).await.expect(200);
    assert_eq!(weak["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    let limits: Vec<_> = weak["restricted_to"].as_array().unwrap().iter().map(|one| &one["scope"]).collect();
    assert_eq!(limits, ["item_rename", "item_preview"]);
    assert_eq!(weak["restricted_to"][0]["object"]["id"], inside.as_str());
    assert_eq!(weak["restricted_to"][0]["object"]["name"], "inside");
    let token = weak["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let weak = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let rename = |id: &str| format!("/box/2.0/files/{id}");
    client.send("PUT", &rename(&file), &weak, r#"{"name":"c.txt"}"#).await.expect(200);
    client.send("PUT", &rename(&other), &weak, r#"{"name":"c.txt"}"#).await.refused(404, "not_found");
    let delete = client.send("DELETE", &rename(&file), &weak, "").await;
    delete.refused(403, "access_denied_insufficient_permissions");
    client.send("GET", &format!("/box/2.0/folders/{outside}/items"), &weak, "").await.refused(404, "not_found");
    client.send("GET", "/box/2.0/folders/0/items", &weak, "").await.refused(404, "not_found");
    client.send("GET", &format!("/box/2.0/folders/{inside}/items"), &weak, "").await.expect(200);

    // What may not be known of is as good as what is not there.
    let nothing = weaken(client.token.clone(), "item_read", "https://api.box.com/2.0/files/12".to_owned()).await;
    let wrong_kind = weaken(client.token.clone(), "item_read", format!("https://api.box.com/2.0/files/{inside}")).await;
    let stranger = client.stage.person("eve@acme.example", "Eve", UserRole::User).await;
    let stranger = client.stage.token(stranger, Scopes::ALL, HOUR).await;
    let foreign = weaken(stranger, "item_read", resource).await;
    let nothing = nothing.expect(400);
    assert_eq!(nothing["error"], "invalid_target");
    assert_eq!((wrong_kind.expect(400), foreign.expect(400)), (nothing.clone(), nothing));
}
