//! What apps get.

use crate::harness::{Answer, BASE, Site, encoded};
use data_encoding::BASE64;

async fn basic(site: &Site, id: &str, secret: &str, form: &str) -> Answer {
    let header = format!("Basic {}", BASE64.encode(format!("{}:{}", encoded(id), encoded(secret)).as_bytes()));
    site.send("POST", "/oauth2/token", &[("authorization", &header)], form.to_owned()).await
}

#[tokio::test]
async fn a_client_may_say_who_it_is_in_a_header() {
    let site = Site::new().await;
    let form = "grant_type=client_credentials&scope=read";
    let answer = basic(&site, &site.app.client_id, site.secret(), form).await;
    assert_eq!((answer.header("cache-control"), answer.header("content-type")), ("no-store", "application/json"));
    let tokens = answer.json(200);
    assert_eq!((tokens["scope"].as_str(), tokens.get("refresh_token")), (Some("read"), None));
    let caller = site.stage.identity.authenticate(tokens["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(caller.user, site.app.service_user);
    let wrong = basic(&site, &site.app.client_id, "wrong", form).await;
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    assert_eq!(wrong.json(401)["error"], "invalid_client");
    let both = format!("{form}&client_id=another");
    assert_eq!(basic(&site, &site.app.client_id, site.secret(), &both).await.json(400)["error"], "invalid_request");
    for header in ["Basic", "Basic !", "Bearer x", "Basic eA=="] {
        let answer = site.send("POST", "/oauth2/token", &[("authorization", header)], form.to_owned()).await;
        assert_eq!(answer.json(400)["error"], "invalid_request", "{header}");
    }
}

#[tokio::test]
async fn a_token_is_exchanged_and_given_back() {
    let site = Site::new().await;
    let tokens = site.token("grant_type=client_credentials").await.json(200);
    let token = tokens["access_token"].as_str().unwrap();
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token={token}&scope=read\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
    );
    let weak = site.send("POST", "/oauth2/token", &[], form).await.json(200);
    assert_eq!(weak["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    let weak = weak["access_token"].as_str().unwrap();
    assert!(site.stage.identity.authenticate(weak).is_ok());
    let form = format!("token={token}&client_id={}&client_secret={}", site.app.client_id, site.secret());
    let revoked = site.send("POST", "/oauth2/revoke", &[], form).await;
    assert_eq!((revoked.status.as_u16(), revoked.text.as_str()), (200, ""));
    assert!(site.stage.identity.authenticate(token).is_err() && site.stage.identity.authenticate(weak).is_err());
    assert_eq!(site.send("POST", "/oauth2/revoke", &[], String::new()).await.json(400)["error"], "invalid_request");
}

#[tokio::test]
async fn programs_find_out_what_is_served() {
    let site = Site::new().await;
    let answer = site.send("GET", "/.well-known/oauth-authorization-server", &[], String::new()).await.json(200);
    assert_eq!(answer["issuer"], BASE);
    assert_eq!(answer["authorization_endpoint"], format!("{BASE}/oauth2/authorize"));
    assert_eq!(answer["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(site.send("GET", "/oauth2/token", &[], String::new()).await.status, 405);
}
