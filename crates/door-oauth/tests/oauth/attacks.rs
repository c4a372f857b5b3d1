//! What others try.

use crate::harness::{BACK, BASE, LOGIN, PASSWORD, Site, encoded};
use entente_identity::{AppChange, AppState};

#[tokio::test]
async fn nobody_is_sent_to_a_place_that_is_not_registered() {
    let site = Site::new().await;
    let browser = site.browser();
    for elsewhere in [
        "https://evil.example/",
        "https://portal.example.org/back/../evil",
        "https://portal.example.org.evil.example/back",
        "https://portal.example.org@evil.example/back",
        "//evil.example",
        "javascript:alert(1)",
        "https://portal.example.org/back\r\nlocation: https://evil.example",
    ] {
        let answer = browser.get(&site.authorize(&format!("&redirect_uri={}", encoded(elsewhere)))).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{elsewhere}");
        assert!(!answer.text.contains("evil"), "{elsewhere}");
    }
    let unknown =
        browser.get("/oauth2/authorize?response_type=code&client_id=x&redirect_uri=https://evil.example").await;
    assert_eq!((unknown.status.as_u16(), unknown.header("location")), (400, ""));
    // Not after signing in, either.
    for elsewhere in
        ["https://evil.example", "//evil.example", "/\\evil.example", "/oauth2/authorize", "/oauth2/token", "x"]
    {
        let browser = site.browser();
        let page = browser.get(&format!("/oauth2/sign-in?continue={}", encoded(elsewhere))).await;
        let sent = browser.submit("/oauth2/sign-in", &page, &[("login", LOGIN), ("password", PASSWORD)]).await;
        assert_eq!(sent.location(), format!("{BASE}/"), "{elsewhere}");
    }
}

#[tokio::test]
async fn nothing_gets_into_the_head_of_an_answer() {
    let site = Site::new().await;
    let browser = site.browser();
    browser.allow(&site.authorize("")).await;
    let state = "x\r\nset-cookie: a=b\u{0}ü";
    let sent = browser.get(&site.authorize(&format!("&state={}", encoded(state)))).await;
    assert_eq!(sent.parameter("state").as_deref(), Some(state));
    assert!(sent.headers.get("set-cookie").is_none());
    let long = browser.get(&site.authorize(&format!("&state={}", "x".repeat(8_000)))).await;
    assert_eq!((long.status.as_u16(), long.header("location")), (400, ""));
    let twice = browser.get(&site.authorize("&state=a&state=b")).await;
    assert_eq!((twice.status.as_u16(), twice.header("location")), (400, ""));
    let scope = browser.get(&site.authorize("&scope=everything&state=s")).await;
    assert!(scope.location().starts_with(&format!("{BACK}?error=invalid_scope")));
    assert_eq!(scope.parameter("state").as_deref(), Some("s"));
}

#[tokio::test]
async fn a_form_from_elsewhere_does_nothing() {
    let site = Site::new().await;
    let (victim, attacker) = (site.browser(), site.browser());
    let consent = victim.sign_in(&site.authorize("")).await;
    let own = attacker.sign_in(&site.authorize("")).await;
    let mut forged = consent.fields();
    forged.retain(|(name, _)| name != "form");
    forged.push(("decision".to_owned(), "allow".to_owned()));
    let without = victim.post("/oauth2/authorize", &forged).await;
    assert_eq!((without.status.as_u16(), without.header("location")), (403, ""));
    let (_, token) = own.fields().into_iter().find(|(name, _)| name == "form").unwrap();
    forged.push(("form".to_owned(), token));
    assert_eq!(victim.post("/oauth2/authorize", &forged).await.status, 403, "somebody else's token");
    // The right token, from a page of another site.
    let body: Vec<String> = consent.fields().iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let body = format!("{}&decision=allow", body.join("&"));
    for place in ["cross-site", "same-site", "none"] {
        let answer = victim.send("POST", "/oauth2/authorize", body.clone(), &[("sec-fetch-site", place)]).await;
        assert_eq!(answer.status, 403, "{place}");
    }
    for path in ["/oauth2/sign-in", "/oauth2/sign-out", "/oauth2/sessions", "/oauth2/password"] {
        assert_eq!(victim.post(path, &[]).await.status, 403, "{path}");
    }
    assert_eq!(victim.get("/oauth2/sessions").await.status, 200, "still signed in");
    // A form to sign in with, from elsewhere: nobody is signed in as somebody else without knowing it.
    let stranger = site.browser();
    let filled = [("login", LOGIN), ("password", PASSWORD)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(stranger.post("/oauth2/sign-in", &filled).await.status, 403);
}

#[tokio::test]
async fn a_session_that_was_there_before_is_not_filled() {
    let site = Site::new().await;
    let browser = site.browser();
    let planted = "A".repeat(43);
    browser.cookies.borrow_mut().insert("__Host-entente".to_owned(), planted.clone());
    browser.sign_in("/oauth2/sessions").await;
    let first = browser.cookies.borrow()["__Host-entente"].clone();
    assert_ne!(first, planted);
    // Signing in again gives another one, and ends that.
    let page = site.browser();
    page.cookies.borrow_mut().insert("__Host-entente".to_owned(), planted);
    let other = site.browser();
    other.cookies.borrow_mut().insert("__Host-entente".to_owned(), first.clone());
    assert_eq!(other.get("/oauth2/sessions").await.status, 200);
    let form = site.browser().get("/oauth2/sign-in").await;
    assert!(form.headers.get("set-cookie").is_some());
    let again = site.browser();
    let shown = again.get("/oauth2/sign-in").await;
    again.cookies.borrow_mut().insert("__Host-entente".to_owned(), first.clone());
    again.submit("/oauth2/sign-in", &shown, &[("login", LOGIN), ("password", PASSWORD)]).await;
    assert_ne!(again.cookies.borrow()["__Host-entente"], first);
    assert_eq!(other.get("/oauth2/sessions").await.status, 303);
}

#[tokio::test]
async fn who_may_not_come_in_any_more_is_out_at_each_step() {
    let site = Site::new().await;
    let browser = site.browser();
    let sent = browser.allow(&site.authorize("")).await;
    let consent = browser.get(&site.authorize("&scope=root_readonly&state=1")).await;
    let tokens = site.token(&format!("grant_type=authorization_code&code={}", sent.parameter("code").unwrap())).await;
    let tokens = tokens.json(200);
    let code = consent.parameter("code").unwrap();
    let (id, client) = (site.stage.enterprise, site.app.client_id.clone());
    let state = |state| AppChange { state: Some(state), ..AppChange::default() };
    site.stage.identity.change_app(id, &client, state(AppState::Disabled)).await.unwrap();
    assert_eq!(browser.get(&site.authorize("")).await.status, 400);
    let refresh = format!("grant_type=refresh_token&refresh_token={}", tokens["refresh_token"].as_str().unwrap());
    assert_eq!(site.token(&refresh).await.json(400)["error"], "invalid_client");
    site.stage.identity.change_app(id, &client, state(AppState::Enabled)).await.unwrap();
    site.stage.deactivate(site.user).await;
    assert_eq!(browser.get("/oauth2/sessions").await.status, 303);
    assert_eq!(site.token(&refresh).await.json(400)["error"], "invalid_grant");
    assert_eq!(
        site.token(&format!("grant_type=authorization_code&code={code}")).await.json(400)["error"],
        "invalid_grant"
    );
    assert!(site.stage.identity.authenticate(tokens["access_token"].as_str().unwrap()).is_err());
    let page = browser.get("/oauth2/sign-in").await;
    let answer = browser.submit("/oauth2/sign-in", &page, &[("login", LOGIN), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn large_things_are_refused() {
    let site = Site::new().await;
    let browser = site.browser();
    let large = "x".repeat(2 << 20);
    assert_eq!(browser.send("POST", "/oauth2/sign-in", large.clone(), &[]).await.status, 400);
    assert_eq!(site.send("POST", "/oauth2/token", &[], large).await.json(400)["error"], "invalid_request");
    let page = browser.get("/oauth2/sign-in").await;
    let long = "x".repeat(100_000);
    let answer = browser.submit("/oauth2/sign-in", &page, &[("login", LOGIN), ("password", &long)]).await;
    assert_eq!(answer.status, 403);
}
