use crate::harness::{Client, HOUR};
use entente_identity::NewApp;
use entente_model::{Scopes, UserRole};
use insta::assert_json_snapshot;
use std::time::Duration;

#[tokio::test]
async fn an_app_gets_a_token_uses_it_and_revokes_it() {
    let client = Client::new().await;
    let enterprise = client.stage.enterprise;
    let app = NewApp { enterprise, name: "Robot".to_owned(), role: UserRole::User, public_key_pem: None };
    let app = client.stage.identity.create_app(app).await.unwrap();
    let (id, secret) = (&app.client_id, app.client_secret.expose());
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
    client.send("GET", "/box/oauth2/authorize", &[], "").await.refused(404, "not_found");
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
