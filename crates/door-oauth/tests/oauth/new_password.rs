//! A link that sets a password.

use crate::harness::{BASE, LOGIN, PASSWORD, Site, encoded};
use entente_identity::{PASSWORD_LINK_LIFETIME, Password};
use std::time::Duration;

const NEW: &str = "staple horse correct";

async fn link(site: &Site) -> String {
    link_for(site, PASSWORD_LINK_LIFETIME).await
}

async fn link_for(site: &Site, lifetime: Duration) -> String {
    let secret = site.stage.identity.create_password_link(site.user, lifetime).await.unwrap();
    format!("/oauth2/new-password?link={}", encoded(secret.expose()))
}

#[tokio::test]
async fn a_link_sets_a_password_once() {
    let site = Site::new().await;
    let (browser, signed_in) = (site.browser(), site.browser());
    signed_in.sign_in("/oauth2/sessions").await;
    let path = link(&site).await;
    let page = browser.get(&path).await;
    assert!(page.text.contains(LOGIN), "{}", page.text);
    for (new, again, problem) in
        [(NEW, "else", "not the same"), ("short", "short", "8 to 256"), (LOGIN, LOGIN, "must not be your mail address")]
    {
        let refused = browser.submit("/oauth2/new-password", &page, &[("new", new), ("again", again)]).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains(problem), "{}", refused.text);
    }
    let done = browser.submit("/oauth2/new-password", &page, &[("new", NEW), ("again", NEW)]).await;
    assert!(done.location().starts_with(&format!("{BASE}/oauth2/sign-in?")), "{}", done.location());
    assert_eq!(signed_in.get("/oauth2/sessions").await.status, 303, "other browsers are signed out");
    let proven = |password: &str| {
        let (identity, password) = (site.stage.identity.clone(), Password::new(password.to_owned()));
        async move { identity.prove_password(LOGIN, &password, "192.0.2.9".parse().unwrap()).await.is_ok() }
    };
    assert!(proven(NEW).await && !proven(PASSWORD).await);
    let again = browser.submit("/oauth2/new-password", &page, &[("new", PASSWORD), ("again", PASSWORD)]).await;
    assert_eq!(again.status, 404);
    assert_eq!(browser.get(&path).await.status, 404);
    assert!(proven(NEW).await);
}

#[tokio::test]
async fn links_end() {
    let site = Site::new().await;
    let browser = site.browser();
    let (first, second) = (link(&site).await, link(&site).await);
    assert_eq!(browser.get(&first).await.status, 404, "there is a later one");
    assert_eq!(browser.get(&second).await.status, 200);
    site.stage.identity.set_password(site.user, &Password::new(NEW.to_owned()), None).await.unwrap();
    assert_eq!(browser.get(&second).await.status, 404, "a password was set otherwise");
    let third = link_for(&site, Duration::ZERO).await;
    assert_eq!(browser.get(&third).await.status, 404, "its time has passed");
    for made_up in ["", "x", "../../etc/passwd", &"a".repeat(64), "%00"] {
        assert_eq!(
            browser.get(&format!("/oauth2/new-password?link={}", encoded(made_up))).await.status,
            404,
            "{made_up}"
        );
    }
}

#[tokio::test]
async fn a_form_from_elsewhere_sets_nothing() {
    let site = Site::new().await;
    let path = link(&site).await;
    let page = site.browser().get(&path).await;
    let other = site.browser();
    let sent = other.submit("/oauth2/new-password", &page, &[("new", NEW), ("again", NEW)]).await;
    assert_eq!(sent.status, 403);
    assert_eq!(other.get(&path).await.status, 200, "the link is still good");
}
