//! What people see.

use crate::harness::{BACK, BASE, LOGIN, PASSWORD, Site, encoded};

#[tokio::test]
async fn an_app_sends_a_browser_and_gets_a_code() {
    let site = Site::new().await;
    let browser = site.browser();
    let asked = site.authorize("&state=a%26b%3Dc&scope=root_readonly");
    let consent = browser.sign_in(&asked).await;
    assert_eq!(consent.status, 200);
    assert!(consent.text.contains("“Portal &lt;b&gt;” asks to act for you"), "{}", consent.text);
    assert!(consent.text.contains("read what is in your files") && !consent.text.contains("administer"));
    assert!(consent.text.contains(LOGIN) && consent.text.contains("https://portal.example.org"));
    let policy = consent.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://portal.example.org;"), "{policy}");
    let sent = browser.submit("/oauth2/authorize", &consent, &[("decision", "allow")]).await;
    assert!(sent.location().starts_with(&format!("{BACK}?code=")), "{}", sent.location());
    assert_eq!(sent.parameter("state").as_deref(), Some("a&b=c"));
    assert_eq!(sent.parameter("iss").as_deref(), Some(BASE));
    let form = format!("grant_type=authorization_code&code={}", sent.parameter("code").unwrap());
    let tokens = site.token(&form).await.json(200);
    assert_eq!((tokens["scope"].as_str(), tokens["token_type"].as_str()), (Some("read download"), Some("Bearer")));
    let caller = site.stage.identity.authenticate(tokens["access_token"].as_str().unwrap()).unwrap();
    assert_eq!((caller.user, caller.app), (site.user, Some(site.app.app)));
    // What was agreed once is not asked again, and more is.
    assert!(browser.get(&asked).await.parameter("code").is_some());
    assert_eq!(browser.get(&site.authorize("&scope=root_readwrite")).await.status, 200);
}

#[tokio::test]
async fn who_does_not_allow_it_says_so_to_the_app() {
    let site = Site::new().await;
    let browser = site.browser();
    let consent = browser.sign_in(&site.authorize("&state=s")).await;
    for decision in [&[("decision", "deny")][..], &[]] {
        let sent = browser.submit("/oauth2/authorize", &consent, decision).await;
        assert!(sent.location().starts_with(&format!("{BACK}?error=access_denied")));
        assert_eq!((sent.parameter("state").as_deref(), sent.parameter("code")), (Some("s"), None));
    }
}

#[tokio::test]
async fn a_program_on_the_users_machine_is_asked_for_each_time() {
    let site = Site::new().await;
    let app = site.public_app().await;
    let asked = format!(
        "/oauth2/authorize?response_type=code&client_id={}&redirect_uri={}&code_challenge={}&code_challenge_method=S256",
        app.client_id,
        encoded("http://127.0.0.1:49152/back"),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    );
    let browser = site.browser();
    let sent = browser.allow(&asked).await;
    assert!(sent.location().starts_with("http://127.0.0.1:49152/back?code="));
    let form = format!(
        "grant_type=authorization_code&client_id={}&code={}&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        app.client_id,
        sent.parameter("code").unwrap()
    );
    site.send("POST", "/oauth2/token", &[], form).await.json(200);
    assert_eq!(browser.get(&asked).await.status, 200, "anybody could be that program");
}

#[tokio::test]
async fn login_and_password_must_belong_together() {
    let site = Site::new().await;
    let browser = site.browser();
    let page = browser.get("/oauth2/sign-in").await;
    for (login, password) in [(LOGIN, "wrong"), ("nobody@acme.example", PASSWORD), ("", ""), ("<script>\"", "x")] {
        let answer = browser.submit("/oauth2/sign-in", &page, &[("login", login), ("password", password)]).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text.contains("do not belong together"));
        assert!(!answer.text.contains(PASSWORD));
    }
    assert!(!browser.cookies.borrow().contains_key("__Host-entente"));
    let german = site.browser().german();
    let page = german.get("/oauth2/sign-in").await;
    assert!(page.text.contains("<html lang=\"de\">") && page.text.contains("Anmelden"));
}

#[tokio::test]
async fn who_guesses_is_told_to_wait() {
    let site = Site::new().await;
    let browser = site.browser();
    let page = browser.get("/oauth2/sign-in").await;
    for _ in 0..30 {
        let answer = browser.submit("/oauth2/sign-in", &page, &[("login", "x@y.z"), ("password", "wrong")]).await;
        if answer.status == 429 {
            assert!(!answer.header("retry-after").is_empty());
            return;
        }
    }
    panic!("nobody was told to wait");
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let site = Site::new().await;
    let (here, there) = (site.browser(), site.browser());
    let sessions = here.sign_in("/oauth2/sessions").await;
    assert!(
        sessions.text.contains("Fox/1") && sessions.text.contains("(this browser)") && sessions.text.contains("None.")
    );
    there.allow(&site.authorize("")).await;
    let sessions = there.get("/oauth2/sessions").await;
    assert!(sessions.text.contains("Portal &lt;b&gt;"));
    let withdraw = [("withdraw", site.app.app.to_string())];
    there.submit("/oauth2/sessions", &sessions, &[("withdraw", &withdraw[0].1)]).await;
    assert_eq!(there.get(&site.authorize("")).await.status, 200, "it is asked again");
    // The first one in the list is the older one.
    let ended = there.submit("/oauth2/sessions", &sessions, &[]).await;
    assert_eq!(ended.location(), format!("{BASE}/oauth2/sessions"));
    assert_eq!(here.get("/oauth2/sessions").await.status, 303);
    assert_eq!(there.get("/oauth2/sessions").await.status, 200);
    let page = there.get("/oauth2/sign-out").await;
    there.submit("/oauth2/sign-out", &page, &[]).await;
    assert!(there.get("/oauth2/sign-out").await.text.contains("You are signed out."));
    assert_eq!(there.get("/oauth2/sessions").await.status, 303);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let site = Site::new().await;
    let (here, there) = (site.browser(), site.browser());
    there.sign_in("/oauth2/sessions").await;
    let page = here.sign_in("/oauth2/password").await;
    let change = async |old: &str, new: &str, again: &str| {
        here.submit("/oauth2/password", &page, &[("old", old), ("new", new), ("again", again)]).await
    };
    assert!(change(PASSWORD, "a new good one", "another").await.text.contains("not the same twice"));
    assert!(change(PASSWORD, "password", "password").await.text.contains("everybody tries first"));
    assert!(change(PASSWORD, "short", "short").await.text.contains("8 to 256"));
    assert!(change("wrong", "a new good one", "a new good one").await.text.contains("not your password until now"));
    assert!(change(PASSWORD, "a new good one", "a new good one").await.text.contains("is changed"));
    assert_eq!(here.get("/oauth2/sessions").await.status, 200);
    assert_eq!(there.get("/oauth2/sessions").await.status, 303);
}

#[tokio::test]
async fn pages_have_a_style_and_nothing_else() {
    let site = Site::new().await;
    let style = site.send("GET", "/oauth2/style.css", &[], String::new()).await;
    assert_eq!((style.status.as_u16(), style.header("content-type")), (200, "text/css; charset=utf-8"));
}
