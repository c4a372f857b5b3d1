//! A code besides the password.

use crate::harness::{Answer, BASE, Browser, LOGIN, PASSWORD, Site};
use entente_identity::timed_code;

/// What a device shows for the secret of a page.
fn shown(site: &Site, page: &Answer) -> String {
    let secret = page.fields().into_iter().find(|(name, _)| name == "secret").unwrap().1;
    assert!(
        page.text.contains(&format!("otpauth://totp/Entente:anna%40acme.example?secret={secret}&amp;issuer=Entente"))
    );
    timed_code(&site.stage.world, &secret).unwrap()
}

fn recovery_codes(page: &Answer) -> Vec<String> {
    let codes = page.text.split("<li><code>").skip(1);
    codes.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

/// Shows the password, and is asked for a code.
async fn begin(browser: &Browser<'_>, place: &str) -> Answer {
    let sent = browser.get(place).await;
    let page = browser.get(sent.location().strip_prefix(BASE).unwrap()).await;
    let sent = browser.submit("/oauth2/sign-in", &page, &[("login", LOGIN), ("password", PASSWORD)]).await;
    assert!(sent.location().starts_with(&format!("{BASE}/oauth2/code?continue=")), "{}", sent.location());
    assert!(!browser.cookies.borrow().contains_key("__Host-entente"), "nobody has signed in yet");
    browser.get(sent.location().strip_prefix(BASE).unwrap()).await
}

async fn enrolled(site: &Site, browser: &Browser<'_>) -> Vec<String> {
    let page = browser.sign_in("/oauth2/second-factor").await;
    let code = shown(site, &page);
    let filled = [("do", "begin"), ("password", PASSWORD), ("code", code.as_str())];
    let answer = browser.submit("/oauth2/second-factor", &page, &filled).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    recovery_codes(&answer)
}

#[tokio::test]
async fn who_has_a_second_factor_shows_a_code_to_go_on() {
    let site = Site::new().await;
    let here = site.browser();
    let codes = enrolled(&site, &here).await;
    assert_eq!(codes.len(), 10);
    let there = site.browser();
    let asked = site.authorize("&state=s");
    let page = begin(&there, &asked).await;
    assert_eq!(there.get("/oauth2/sessions").await.status, 303);
    for wrong in ["", "abc", "<script>", "AAAA-AAAA-AAAA-AAAA"] {
        let answer = there.submit("/oauth2/code", &page, &[("code", wrong)]).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text.contains("This code is wrong"));
    }
    let sent = there.submit("/oauth2/code", &page, &[("code", &codes[0])]).await;
    assert_eq!(sent.location(), format!("{BASE}{asked}"));
    assert_eq!(there.get(&asked).await.status, 200);
    assert!(!there.cookies.borrow().contains_key("__Host-entente-begun"));
    // A code that was used, and a form that was.
    let third = site.browser();
    let page = begin(&third, "/oauth2/sessions").await;
    assert_eq!(third.submit("/oauth2/code", &page, &[("code", &codes[0])]).await.status, 403);
    let again = there.submit("/oauth2/code", &page, &[("code", &codes[1])]).await;
    assert!(again.location().starts_with(&format!("{BASE}/oauth2/sign-in")));
}

#[tokio::test]
async fn a_code_is_of_the_browser_that_showed_the_password() {
    let site = Site::new().await;
    let codes = enrolled(&site, &site.browser()).await;
    let browser = site.browser();
    let page = begin(&browser, "/oauth2/sessions").await;
    let stranger = site.browser();
    let sent = stranger.submit("/oauth2/code", &page, &[("code", &codes[0])]).await;
    assert!(sent.location().starts_with(&format!("{BASE}/oauth2/sign-in")));
    let stale = [("form".to_owned(), "x".to_owned()), ("code".to_owned(), codes[0].clone())];
    assert_eq!(browser.post("/oauth2/code", &stale).await.status, 403);
    let sent = browser.submit("/oauth2/code", &page, &[("code", &codes[0])]).await;
    assert_eq!(sent.location(), format!("{BASE}/oauth2/sessions"), "nothing was used up");
}

#[tokio::test]
async fn where_it_is_required_one_is_set_up_on_the_way() {
    let site = Site::new().await;
    site.stage.identity.require_second_factor(site.stage.enterprise).await.unwrap();
    let browser = site.browser().german();
    let page = begin(&browser, "/oauth2/sessions").await;
    assert!(page.text.contains("verlangt einen zweiten Faktor"));
    let wrong = browser.submit("/oauth2/code", &page, &[("code", "1")]).await;
    assert_eq!((wrong.status.as_u16(), wrong.fields()), (403, page.fields()), "the secret stays");
    let code = shown(&site, &page);
    let answer = browser.submit("/oauth2/code", &page, &[("code", &code)]).await;
    assert_eq!((answer.status.as_u16(), recovery_codes(&answer).len()), (200, 10));
    assert!(answer.text.contains(&format!("<a href=\"{BASE}/oauth2/sessions\">")));
    assert_eq!(browser.get("/oauth2/sessions").await.status, 200);
    let page = browser.get("/oauth2/second-factor").await;
    let codes = recovery_codes(&answer);
    let kept = browser.submit("/oauth2/second-factor", &page, &[("do", "end"), ("code", &codes[0])]).await;
    assert_eq!(kept.status, 403);
    assert!(browser.get("/oauth2/second-factor").await.text.contains("Wiederherstellungscodes: 10."));
}

#[tokio::test]
async fn a_second_factor_is_ended_by_who_shows_a_code() {
    let site = Site::new().await;
    let browser = site.browser();
    let codes = enrolled(&site, &browser).await;
    let page = browser.get("/oauth2/second-factor").await;
    assert!(page.text.contains("Recovery codes left: 10."));
    let change = async |what: &str, code: &str| {
        browser.submit("/oauth2/second-factor", &page, &[("do", what), ("code", code)]).await
    };
    assert_eq!(change("end", "000").await.status, 403);
    assert_eq!(change("begin", &codes[0]).await.status, 403);
    assert_eq!(change("x", &codes[0]).await.status, 400);
    let newer = recovery_codes(&change("recovery", &codes[0]).await);
    assert_eq!(newer.len(), 10);
    assert_eq!(change("end", &codes[1]).await.status, 403);
    assert!(change("end", &newer[0]).await.text.contains("is ended"));
    assert_eq!(site.browser().sign_in("/oauth2/sessions").await.status, 200);
}

#[tokio::test]
async fn to_set_one_up_takes_the_password() {
    let site = Site::new().await;
    let browser = site.browser();
    let page = browser.sign_in("/oauth2/second-factor").await;
    let code = shown(&site, &page);
    let filled = [("do", "begin"), ("password", "wrong"), ("code", code.as_str())];
    let refused = browser.submit("/oauth2/second-factor", &page, &filled).await;
    assert!(refused.status == 403 && refused.text.contains("The password or the code was wrong."));
    assert_eq!(refused.fields(), page.fields());
    let nobody = site.browser().get("/oauth2/second-factor").await;
    assert!(nobody.location().starts_with(&format!("{BASE}/oauth2/sign-in")));
}
