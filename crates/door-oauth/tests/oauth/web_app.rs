//! The web app of the server itself, which nobody needs to let in.

use crate::harness::{BACK, BASE, Site, encoded};
use entente_identity::{AppChange, AppKind, NewApp, WEB_CLIENT_ID};
use entente_model::UserRole;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn authorize(back: &str) -> String {
    format!(
        "/oauth2/authorize?response_type=code&client_id={WEB_CLIENT_ID}&redirect_uri={}&state=s\
         &code_challenge={CHALLENGE}&code_challenge_method=S256",
        encoded(back)
    )
}

async fn site() -> Site {
    let site = Site::new().await;
    let enterprise = site.stage.enterprise;
    site.stage.identity.ensure_web_app(enterprise).await.unwrap();
    // As the next start does.
    site.stage.identity.ensure_web_app(enterprise).await.unwrap();
    site
}

#[tokio::test]
async fn who_is_signed_in_is_in() {
    let site = site().await;
    let browser = site.browser();
    let sent = browser.get(&authorize("/")).await;
    assert!(sent.location().starts_with(&format!("{BASE}/oauth2/sign-in?")), "{}", sent.location());
    let sent = browser.sign_in(&authorize("/")).await;
    assert!(sent.location().starts_with("/?code="), "{}", sent.location());
    assert_eq!(sent.parameter("state").as_deref(), Some("s"));
    let code = sent.parameter("code").unwrap();
    let form = |verifier: &str| {
        format!(
            "grant_type=authorization_code&client_id={WEB_CLIENT_ID}&redirect_uri=%2F&code={code}&code_verifier={verifier}"
        )
    };
    let refused = site.send("POST", "/oauth2/token", &[], form(&VERIFIER.replace('d', "e"))).await.json(400);
    assert_eq!(refused["error"], "invalid_grant");
    let granted = site.send("POST", "/oauth2/token", &[], form(VERIFIER)).await.json(200);
    // What lasts is the browser's session.
    assert!(granted.get("refresh_token").is_none(), "{granted}");
    let token = granted["access_token"].as_str().unwrap();
    assert_eq!(site.stage.identity.authenticate(token).unwrap().user, site.user);
    let again = site.send("POST", "/oauth2/token", &[], form(VERIFIER)).await.json(400);
    assert_eq!(again["error"], "invalid_grant");
    assert!(site.stage.identity.authenticate(token).is_err(), "a code that comes twice ends what it gave");
    // Nobody was asked, so nothing is there to withdraw.
    assert!(site.stage.identity.consents(site.user).await.unwrap().is_empty());
}

#[tokio::test]
async fn it_comes_back_to_this_server_alone() {
    let site = site().await;
    let browser = site.browser();
    browser.sign_in(&authorize("/")).await;
    for elsewhere in ["https://evil.example/", "//evil.example", "/files/", &format!("{BASE}/"), BACK] {
        let answer = browser.get(&authorize(elsewhere)).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{elsewhere}");
    }
    let without = authorize("/").replace("code_challenge", "x");
    assert!(browser.get(&without).await.location().starts_with("/?error=invalid_request"));
}

#[tokio::test]
async fn no_other_app_is_taken_for_it() {
    let site = site().await;
    let identity = &site.stage.identity;
    let mut new = NewApp::new(site.stage.enterprise, "Entente", UserRole::User);
    new.kind = AppKind::Public;
    new.redirect_uris = vec!["/".to_owned()];
    assert!(identity.create_app(new).await.is_err());
    let change = AppChange { redirect_uris: Some(vec!["/".to_owned()]), ..AppChange::default() };
    assert!(identity.change_app(site.stage.enterprise, &site.app.client_id, change).await.is_err());
    let change = AppChange { redirect_uris: Some(vec![BACK.to_owned()]), ..AppChange::default() };
    assert!(identity.change_app(site.stage.enterprise, WEB_CLIENT_ID, change).await.is_err());
}

#[tokio::test]
async fn people_come_back_to_what_they_looked_at() {
    let site = site().await;
    for (asked, place) in [
        ("/files/123", "/files/123"),
        ("/trash", "/trash"),
        ("/console/zones", "/console/zones"),
        ("/files", "/"),
        ("//x", "/"),
    ] {
        let browser = site.browser();
        let page = browser.get(&format!("/oauth2/sign-in?continue={}", encoded(asked))).await;
        let filled = [("login", crate::harness::LOGIN), ("password", crate::harness::PASSWORD)];
        let sent = browser.submit("/oauth2/sign-in", &page, &filled).await;
        assert_eq!(sent.location(), format!("{BASE}{place}"));
    }
}
