//! Signing in with an OpenID provider, which is a real one.

use crate::harness::{Answer, BASE, Browser, LOGIN, Site};
use entente_emulators::{Oidc, oidc};
use entente_identity::{NewProvider, ProviderError, Secret};
use entente_model::UserRole;

const BACK: &str = "https://files.acme.example/oauth2/provider-back";

struct Setting<'a> {
    client_id: &'a str,
    secret: Option<&'a str>,
    makes_users: bool,
}

const USUAL: Setting<'_> = Setting { client_id: "entente", secret: Some(Oidc::SECRET), makes_users: false };

async fn with_provider(setting: Setting<'_>) -> (Site, Oidc) {
    let (site, provider) = (Site::new().await, oidc(BACK));
    set(&site, &provider, setting).await;
    (site, provider)
}

async fn set(site: &Site, provider: &Oidc, setting: Setting<'_>) {
    let new = NewProvider {
        enterprise: site.stage.enterprise,
        name: "Acme <b>".to_owned(),
        issuer: provider.issuer.clone(),
        client_id: setting.client_id.to_owned(),
        client_secret: setting.secret.map(|secret| Secret::given(secret.to_owned())),
        makes_users: setting.makes_users,
    };
    site.providers.set(new).await.unwrap();
}

/// Goes to the page of sign-in and takes the way to the provider: where that is.
async fn leave(browser: &Browser<'_>, place: &str) -> String {
    let sent = browser.get(place).await;
    let page = browser.get(sent.location().strip_prefix(BASE).unwrap()).await;
    assert!(page.text.contains("Sign in with Acme &lt;b&gt;"), "{}", page.text);
    let link = page.text.split("href=\"provider?").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    browser.get(&format!("/oauth2/provider?{link}")).await.location().to_owned()
}

/// The same, with somebody at the provider, and back.
async fn sign_in(browser: &Browser<'_>, provider: &Oidc, place: &str, hint: &str) -> Answer {
    let url = leave(browser, place).await;
    let back = provider.visit(&url, hint);
    browser.get(back.strip_prefix(BASE).unwrap_or_else(|| panic!("{back}"))).await
}

fn is_signed_in(browser: &Browser<'_>) -> bool {
    browser.cookies.borrow().contains_key("__Host-entente")
}

#[tokio::test]
async fn a_verified_address_is_who_is_meant_and_the_subject_from_then_on() {
    let (site, provider) = with_provider(USUAL).await;
    let browser = site.browser();
    let asked = site.authorize("&state=s");
    let url = leave(&browser, &asked).await;
    for part in ["response_type=code", "code_challenge_method=S256", "nonce=", "state=", "scope=openid+email+profile"] {
        assert!(url.contains(part), "{url}");
    }
    let back = provider.visit(&url, "a-1~Anna@Acme.example");
    let sent = browser.get(back.strip_prefix(BASE).unwrap()).await;
    assert_eq!(sent.location(), format!("{BASE}{asked}"));
    assert!(is_signed_in(&browser) && !browser.cookies.borrow().contains_key("__Host-entente-away"));
    assert!(browser.get("/oauth2/sessions").await.text.contains(LOGIN));
    // The subject is who it was, whatever address it has by now. That address is no other subject's.
    let other = site.browser();
    sign_in(&other, &provider, "/oauth2/sessions", "a-1?").await.location();
    let other = site.browser();
    let refused = sign_in(&other, &provider, "/oauth2/sessions", "a-2~anna@acme.example").await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("You cannot be signed in this way") && !is_signed_in(&other));
    // Until whoever looks after it says so.
    assert!(site.stage.identity.unbind_provider(site.user).await.unwrap());
    let other = site.browser();
    sign_in(&other, &provider, "/oauth2/sessions", "a-2~anna@acme.example").await.location();
}

#[tokio::test]
async fn nobody_comes_in_whom_the_provider_does_not_vouch_for() {
    let (site, provider) = with_provider(USUAL).await;
    site.stage.person("out@acme.example", "Out", UserRole::User).await;
    for hint in ["x~nobody@acme.example", "x?anna@acme.example", "nobody", "x~no-address"] {
        let browser = site.browser();
        let answer = sign_in(&browser, &provider, "/oauth2/sessions", hint).await;
        assert_eq!(answer.status, 403, "{hint}: {}", answer.text);
        assert!(!is_signed_in(&browser), "{hint}");
    }
}

#[tokio::test]
async fn who_is_not_there_is_made_if_the_setting_says_so() {
    let (site, provider) = with_provider(Setting { makes_users: true, ..USUAL }).await;
    let browser = site.browser();
    sign_in(&browser, &provider, "/oauth2/sessions", "n~new@acme.example").await.location();
    let made = site.stage.identity.user_by_login("new@acme.example").unwrap();
    assert_eq!((made.name.as_str(), made.role), ("n of the provider", UserRole::User));
    assert_eq!(made.enterprise, site.stage.enterprise);
    let unverified = site.browser();
    assert_eq!(sign_in(&unverified, &provider, "/oauth2/sessions", "m?other@acme.example").await.status, 403);
    assert!(site.stage.identity.user_by_login("other@acme.example").is_err());
}

#[tokio::test]
async fn each_kind_of_client_gets_its_token() {
    let (site, provider) = with_provider(USUAL).await;
    for (client_id, secret) in [("public", None), ("elliptic", None)] {
        set(&site, &provider, Setting { client_id, secret, makes_users: false }).await;
        let browser = site.browser();
        sign_in(&browser, &provider, "/oauth2/sessions", "a-1~anna@acme.example").await.location();
        assert!(is_signed_in(&browser), "{client_id}");
    }
    set(&site, &provider, Setting { secret: Some("wrong"), ..USUAL }).await;
    let browser = site.browser();
    assert_eq!(sign_in(&browser, &provider, "/oauth2/sessions", "a-1~anna@acme.example").await.status, 403);
}

#[tokio::test]
async fn an_answer_is_good_once_and_in_the_browser_that_was_sent() {
    let (site, provider) = with_provider(USUAL).await;
    let (anna, eve) = (site.browser(), site.browser());
    let url = leave(&anna, "/oauth2/sessions").await;
    leave(&eve, "/oauth2/sessions").await;
    let back = provider.visit(&url, "a-1~anna@acme.example");
    let path = back.strip_prefix(BASE).unwrap();
    // Neither another browser nor one that was never sent.
    for browser in [&eve, &site.browser()] {
        assert_eq!(browser.get(path).await.status, 403);
        assert!(!is_signed_in(browser));
    }
    let kept = anna.cookies.borrow().clone();
    anna.get(path).await.location();
    let again = site.browser();
    *again.cookies.borrow_mut() = kept;
    let answer = again.get(path).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("was begun in another browser"));
    // An answer of another issuer, a code that is none, and no code.
    for change in ["iss", "code", "none"] {
        let browser = site.browser();
        let url = leave(&browser, "/oauth2/sessions").await;
        let back = provider.visit(&url, "a-1~anna@acme.example");
        let path = back.strip_prefix(BASE).unwrap();
        let path = match change {
            "iss" => path.replace("iss=http", "iss=https"),
            "code" => path.replace("code=", "code=x"),
            _ => path.replace("code=", "nocode="),
        };
        assert_eq!(browser.get(&path).await.status, 403, "{change}");
        assert!(!is_signed_in(&browser), "{change}");
    }
}

#[tokio::test]
async fn ten_minutes_later_is_too_late_and_what_was_begun_goes() {
    let (site, provider) = with_provider(USUAL).await;
    let browser = site.browser();
    let url = leave(&browser, "/oauth2/sessions").await;
    let back = provider.visit(&url, "a-1~anna@acme.example");
    // No link of somebody else's sends a browser to the provider.
    let page = browser.get("/oauth2/provider?enterprise=1&continue=/oauth2/sessions").await;
    assert_eq!(page.status, 403);
    drop(provider);
    let answer = browser.get(back.strip_prefix(BASE).unwrap()).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains("cannot be asked at this moment"));
    assert!(site.stage.identity.remove_provider(site.stage.enterprise).await.unwrap());
    assert!(!site.stage.identity.remove_provider(site.stage.enterprise).await.unwrap());
    assert!(!site.browser().get("/oauth2/sign-in").await.text.contains("provider?"));
    assert!(matches!(site.providers.check(site.stage.enterprise).await, Err(ProviderError::Unknown)));
}

#[tokio::test]
async fn a_second_factor_is_asked_for_behind_a_provider_too() {
    let (site, provider) = with_provider(USUAL).await;
    site.stage.identity.require_second_factor(site.stage.enterprise).await.unwrap();
    let browser = site.browser();
    let sent = sign_in(&browser, &provider, "/oauth2/sessions", "a-1~anna@acme.example").await;
    assert!(sent.location().starts_with(&format!("{BASE}/oauth2/code?continue=")), "{}", sent.location());
    assert!(!is_signed_in(&browser));
}

#[tokio::test]
async fn who_is_inactive_stays_out() {
    let (site, provider) = with_provider(Setting { makes_users: true, ..USUAL }).await;
    let browser = site.browser();
    sign_in(&browser, &provider, "/oauth2/sessions", "a-1~anna@acme.example").await.location();
    site.stage.deactivate(site.user).await;
    for hint in ["a-1~anna@acme.example", "a-3~anna@acme.example"] {
        let browser = site.browser();
        assert_eq!(sign_in(&browser, &provider, "/oauth2/sessions", hint).await.status, 403);
    }
}

#[tokio::test]
async fn what_cannot_be_a_provider_is_not_set() {
    let site = Site::new().await;
    for (issuer, client_id, name) in [
        ("http://id.example.org", "c", "n"),
        ("https://id.example.org?x", "c", "n"),
        ("https://id.example.org", "", "n"),
        ("https://id.example.org", "c", ""),
    ] {
        let new = NewProvider {
            enterprise: site.stage.enterprise,
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: None,
            makes_users: false,
        };
        assert!(matches!(site.providers.set(new).await, Err(ProviderError::Setting(_))), "{issuer}");
    }
}
