//! Passkeys: added, used, removed, and what is none.

use crate::harness::{Answer, BASE, Browser, LOGIN, PASSWORD, Site};
use entente_testkit::Device;
use serde_json::Value;

/// The form with which a page asks for a passkey: its hidden fields, and what the browser is asked.
fn asked(page: &Answer) -> (Vec<(String, String)>, Value) {
    let form = page.text.split("<form ").find(|form| form.contains("data-passkey=\"")).expect("a form");
    let plain = |text: &str| text.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
    let options = form.split("data-passkey=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = form.split("<input type=\"hidden\" name=\"").skip(1).map(|input| {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        (name.to_owned(), plain(rest.split('"').next().unwrap()))
    });
    (fields.collect(), serde_json::from_str(&plain(options)).unwrap())
}

fn filled(mut fields: Vec<(String, String)>, values: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.retain(|(name, _)| values.iter().all(|(filled, _)| filled != name));
    fields.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}

async fn add(browser: &Browser<'_>, page: &Answer, device: &mut Device, password: &str) -> Answer {
    let (fields, options) = asked(page);
    let answer = device.create(&options, BASE);
    let values = [("answer", answer.as_str()), ("name", "My <phone>"), ("password", password)];
    browser.post("/oauth2/passkeys", &filled(fields, &values)).await
}

/// Opens the page where one signs in, and answers with a device.
async fn enter(browser: &Browser<'_>, place: &str, device: &mut Device, origin: &str) -> Answer {
    let page = browser.get(&format!("/oauth2/sign-in?continue={place}")).await;
    let (fields, options) = asked(&page);
    let answer = device.get(&options, origin);
    browser.post("/oauth2/passkey-sign-in", &filled(fields, &[("answer", answer.as_str())])).await
}

#[tokio::test]
async fn somebody_adds_a_passkey_signs_in_with_it_and_removes_it() {
    let site = Site::new().await;
    let here = site.browser();
    let page = here.sign_in("/oauth2/passkeys").await;
    assert!(page.text.contains("You have none yet."));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    let mut phone = Device::new("phone");
    let wrong = add(&here, &page, &mut phone, "wrong password").await;
    assert_eq!(wrong.status, 403);
    let added = add(&here, &here.get("/oauth2/passkeys").await, &mut phone, PASSWORD).await;
    assert_eq!(added.status, 200, "{}", added.text);
    assert!(added.text.contains("The passkey was added.") && added.text.contains("My &lt;phone&gt;"));
    assert!(!added.text.contains("used last"));

    let there = site.browser();
    let sent = enter(&there, "/oauth2/passkeys", &mut phone, BASE).await;
    assert_eq!(sent.location(), format!("{BASE}/oauth2/passkeys"));
    let shown = there.get("/oauth2/passkeys").await;
    assert!(shown.text.contains(LOGIN) && shown.text.contains("used last"), "{}", shown.text);
    // Whoever goes on to an app gets there.
    let third = site.browser();
    let place = site.authorize("&state=s");
    let place: String = place.replace('?', "%3F").replace('&', "%26").replace('=', "%3D");
    let sent = enter(&third, &place, &mut phone, BASE).await;
    assert_eq!(sent.location(), format!("{BASE}{}", site.authorize("&state=s")));

    // Once more it is refused by the device, and by us.
    let again = add(&there, &shown, &mut phone, PASSWORD).await;
    assert_eq!(again.status, 409, "{}", again.text);
    let remove = shown.text.split("name=\"remove\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = filled(asked(&shown).0, &[("remove", remove)]);
    assert!(there.post("/oauth2/passkeys", &fields).await.text.contains("You have none yet."));
    let sent = enter(&site.browser(), "/oauth2/passkeys", &mut phone, BASE).await;
    assert_eq!(sent.status, 403);
    assert!(sent.text.contains("This passkey is not known here"));
}

#[tokio::test]
async fn no_code_is_asked_for_besides() {
    let site = Site::new().await;
    let here = site.browser();
    let mut phone = Device::new("phone");
    let page = here.sign_in("/oauth2/passkeys").await;
    assert_eq!(add(&here, &page, &mut phone, PASSWORD).await.status, 200);
    site.stage.identity.require_second_factor(site.stage.enterprise).await.unwrap();
    let there = site.browser();
    let sent = enter(&there, "/oauth2/sessions", &mut phone, BASE).await;
    assert_eq!(sent.location(), format!("{BASE}/oauth2/sessions"));
    assert_eq!(there.get("/oauth2/sessions").await.status, 200);
    // Whoever lost it has it taken away, and shows a password and a code again.
    assert!(site.stage.identity.reset_second_factor(site.user).await.unwrap());
    assert_eq!(enter(&site.browser(), "/oauth2/sessions", &mut phone, BASE).await.status, 403);
}

#[tokio::test]
async fn what_is_not_an_answer_is_refused() {
    let site = Site::new().await;
    let here = site.browser();
    let mut phone = Device::new("phone");
    let page = here.sign_in("/oauth2/passkeys").await;
    // A device that asks nobody who they are is no second factor.
    phone.verifies = false;
    assert_eq!(add(&here, &page, &mut phone, PASSWORD).await.status, 403);
    phone.verifies = true;
    let page = here.get("/oauth2/passkeys").await;
    assert_eq!(add(&here, &page, &mut phone, PASSWORD).await.status, 200);
    // The same answer once more: its challenge is used up.
    let mut other = Device::new("other");
    assert_eq!(add(&here, &page, &mut other, PASSWORD).await.status, 403);

    let refused = async |fields: &[(String, String)], browser: &Browser<'_>| {
        let answer = browser.post("/oauth2/passkey-sign-in", fields).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
    };
    phone.verifies = false;
    assert_eq!(enter(&site.browser(), "/oauth2/sessions", &mut phone, BASE).await.status, 403);
    phone.verifies = true;
    let elsewhere = "https://files.acme.example.evil.example";
    assert_eq!(enter(&site.browser(), "/oauth2/sessions", &mut phone, elsewhere).await.status, 403);
    assert_eq!(enter(&site.browser(), "/oauth2/sessions", &mut other, BASE).await.status, 403);

    // An answer that was believed once, from another browser.
    let first = site.browser();
    let page = first.get("/oauth2/sign-in").await;
    let (fields, options) = asked(&page);
    let answer = phone.get(&options, BASE);
    let sent = first.post("/oauth2/passkey-sign-in", &filled(fields.clone(), &[("answer", answer.as_str())])).await;
    assert_eq!(sent.status, 303);
    let second = site.browser();
    let (theirs, _) = asked(&second.get("/oauth2/sign-in").await);
    let challenge = fields.iter().find(|(name, _)| name == "challenge").unwrap().1.clone();
    let replayed = filled(theirs.clone(), &[("answer", answer.as_str()), ("challenge", &challenge)]);
    refused(&replayed, &second).await;
    // Of another challenge, a changed one, none, and no answer at all.
    refused(&filled(theirs.clone(), &[("answer", answer.as_str())]), &second).await;
    for challenge in ["", "x", &challenge[1..], &"A".repeat(40_000)] {
        refused(&filled(theirs.clone(), &[("answer", answer.as_str()), ("challenge", challenge)]), &second).await;
    }
    for nonsense in ["", "{}", "[]", "null", "{\"rawId\":1}", &"[".repeat(30_000)] {
        refused(&filled(theirs.clone(), &[("answer", nonsense)]), &second).await;
    }
    // Without the browser's own form.
    let stale = filled(theirs.clone(), &[("answer", answer.as_str()), ("form", "x")]);
    refused(&stale, &second).await;
    // A challenge of a sign-in adds nothing, and the other way round.
    let page = here.get("/oauth2/passkeys").await;
    let (fields, options) = asked(&page);
    let made = Device::new("third").create(&options, BASE);
    let (signing_in, _) = asked(&second.get("/oauth2/sign-in").await);
    let challenge = signing_in.iter().find(|(name, _)| name == "challenge").unwrap().1.clone();
    let mixed = [("answer", made.as_str()), ("challenge", &challenge), ("name", "x"), ("password", PASSWORD)];
    assert_eq!(here.post("/oauth2/passkeys", &filled(fields, &mixed)).await.status, 403);
}

#[tokio::test]
async fn two_devices_with_one_key_are_noticed() {
    let site = Site::new().await;
    let here = site.browser();
    let mut phone = Device::new("phone");
    phone.counter = 5;
    let page = here.sign_in("/oauth2/passkeys").await;
    assert_eq!(add(&here, &page, &mut phone, PASSWORD).await.status, 200);
    assert_eq!(enter(&site.browser(), "/oauth2/sessions", &mut phone, BASE).await.status, 303);
    phone.counter = 5;
    assert_eq!(enter(&site.browser(), "/oauth2/sessions", &mut phone, BASE).await.status, 403);
    phone.counter = 9;
    assert_eq!(enter(&site.browser(), "/oauth2/sessions", &mut phone, BASE).await.status, 303);
}

#[tokio::test]
async fn a_passkey_is_its_users_alone_and_goes_with_them() {
    let site = Site::new().await;
    let here = site.browser();
    let mut phone = Device::new("phone");
    let page = here.sign_in("/oauth2/passkeys").await;
    assert_eq!(add(&here, &page, &mut phone, PASSWORD).await.status, 200);
    let shown = here.get("/oauth2/passkeys").await;
    let remove = shown.text.split("name=\"remove\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    // Somebody else cannot remove it, whatever they send.
    let ben = site.stage.person("ben@acme.example", "Ben", entente_model::UserRole::User).await;
    let password = entente_identity::Password::new(PASSWORD.to_owned());
    site.stage.identity.set_password(ben, &password, None).await.unwrap();
    let theirs = site.browser();
    let page = theirs.get("/oauth2/sign-in?continue=/oauth2/passkeys").await;
    theirs.submit("/oauth2/sign-in", &page, &[("login", "ben@acme.example"), ("password", PASSWORD)]).await;
    let page = theirs.get("/oauth2/passkeys").await;
    theirs.post("/oauth2/passkeys", &filled(asked(&page).0, &[("remove", remove)])).await;
    assert!(here.get("/oauth2/passkeys").await.text.contains("My &lt;phone&gt;"));
    // Nor be taken for its owner's when they add the same.
    assert_eq!(add(&theirs, &page, &mut phone, PASSWORD).await.status, 409);

    site.stage.deactivate(site.user).await;
    assert_ne!(enter(&site.browser(), "/oauth2/sessions", &mut phone, BASE).await.status, 303);
}
