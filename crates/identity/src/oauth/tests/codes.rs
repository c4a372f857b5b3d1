//! Codes and refresh tokens.

use super::{BACK, Site, refused};
use crate::secret::sha256;
use crate::{
    AppChange, AppKind, AppState, AuthorizeError, AuthorizeForm, Grants, NewApp, OAuthError, OAuthErrorKind, Secret,
    TokenAnswer, TokenForm,
};
use data_encoding::BASE64URL_NOPAD;
use entente_database::items::SortOrder::{Ascending, Descending};
use entente_model::{Caller, Scopes, Timestamp, UserId, UserRole};
use entente_world::World;
use std::time::Duration;
use tokio::time::advance;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn challenge(verifier: &str) -> String {
    BASE64URL_NOPAD.encode(&sha256(verifier).0)
}

impl Site {
    fn form<'f>(&'f self, more: &[(&'f str, &'f str)]) -> AuthorizeForm {
        let mut pairs = vec![("response_type", "code"), ("client_id", self.app.client_id.as_str())];
        pairs.extend(more);
        AuthorizeForm::from_pairs(pairs)
    }

    /// A code for a user.
    async fn code(&self, user: UserId, more: &[(&str, &str)]) -> Secret {
        let request = self.identity.authorize(&self.form(more)).ok().unwrap();
        self.identity.agree(user, &request).await.unwrap()
    }

    async fn redeem(&self, code: &str, more: &[(&str, &str)]) -> Result<TokenAnswer, OAuthError> {
        let mut pairs = vec![("grant_type", "authorization_code"), ("code", code)];
        pairs.extend(more);
        self.grant(&pairs).await
    }

    async fn refresh(&self, token: &str) -> Result<TokenAnswer, OAuthError> {
        self.grant(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    fn knows(&self, answer: &TokenAnswer) -> bool {
        self.identity.authenticate(answer.access_token.expose()).is_ok()
    }
}

fn refresh_token(answer: &TokenAnswer) -> &str {
    answer.refresh_token.as_ref().expect("a refresh token").expose()
}

fn shown(outcome: Result<crate::AuthorizeRequest, AuthorizeError>) -> OAuthErrorKind {
    match outcome.err().expect("a refusal") {
        AuthorizeError::Shown(error) => error.kind,
        AuthorizeError::SentBack(..) => panic!("sent back"),
    }
}

fn sent_back(outcome: Result<crate::AuthorizeRequest, AuthorizeError>) -> OAuthErrorKind {
    match outcome.err().expect("a refusal") {
        AuthorizeError::Shown(error) => panic!("shown: {error}"),
        AuthorizeError::SentBack(_, error) => error.kind,
    }
}

#[tokio::test]
async fn a_code_becomes_tokens_of_its_user() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let code = site.code(anna, &[("state", "s"), ("scope", "root_readonly")]).await;
    let answer = site.redeem(code.expose(), &[]).await.unwrap();
    let caller = site.identity.authenticate(answer.access_token.expose()).unwrap();
    assert_eq!((caller.user, caller.app), (anna, Some(site.app.app)));
    assert_eq!(caller.scopes, Scopes::READ.with(Scopes::DOWNLOAD));
    let next = site.refresh(refresh_token(&answer)).await.unwrap();
    assert_ne!(refresh_token(&answer), refresh_token(&next));
    assert!(site.knows(&answer) && site.knows(&next));
    assert_eq!(site.identity.authenticate(next.access_token.expose()).unwrap().scopes, caller.scopes);
}

#[tokio::test]
async fn nobody_is_sent_where_the_app_is_not() {
    let site = Site::new().await;
    for elsewhere in
        ["https://evil.example/", "https://app.example.org/back", "//evil.example", BACK.to_uppercase().as_str()]
    {
        let outcome = site.identity.authorize(&site.form(&[("redirect_uri", elsewhere)]));
        assert_eq!(shown(outcome), OAuthErrorKind::InvalidRequest, "{elsewhere}");
    }
    let unknown = AuthorizeForm::from_pairs([("client_id", "x"), ("redirect_uri", BACK), ("response_type", "code")]);
    assert_eq!(shown(site.identity.authorize(&unknown)), OAuthErrorKind::InvalidClient);
    assert_eq!(shown(site.identity.authorize(&AuthorizeForm::default())), OAuthErrorKind::InvalidRequest);
    let long = "x".repeat(5_000);
    let repeated: [&[(&str, &str)]; 3] =
        [&[("redirect_uri", BACK), ("redirect_uri", BACK)], &[("client_id", "another")], &[("state", &long)]];
    for more in repeated {
        assert_eq!(shown(site.identity.authorize(&site.form(more))), OAuthErrorKind::InvalidRequest);
    }
    site.change_app(AppChange { redirect_uris: Some(Vec::new()), ..AppChange::default() }).await;
    assert_eq!(shown(site.identity.authorize(&site.form(&[]))), OAuthErrorKind::InvalidRequest);
}

#[tokio::test]
async fn an_app_is_told_what_is_wrong_with_its_request() {
    let site = Site::new().await;
    let half = challenge(VERIFIER).split_off(3);
    for (more, kind) in [
        (vec![("scope", "everything")], OAuthErrorKind::InvalidScope),
        (vec![("code_challenge", half.as_str()), ("code_challenge_method", "S256")], OAuthErrorKind::InvalidRequest),
        (vec![("code_challenge", VERIFIER), ("code_challenge_method", "plain")], OAuthErrorKind::InvalidRequest),
        (vec![("code_challenge", VERIFIER)], OAuthErrorKind::InvalidRequest),
        (vec![("code_challenge_method", "S256")], OAuthErrorKind::InvalidRequest),
    ] {
        assert_eq!(sent_back(site.identity.authorize(&site.form(&more))), kind, "{more:?}");
    }
    let token = AuthorizeForm::from_pairs([("response_type", "token"), ("client_id", &site.app.client_id)]);
    assert_eq!(sent_back(site.identity.authorize(&token)), OAuthErrorKind::UnsupportedResponseType);
    site.change_app(AppChange { grants: Some(Grants::CREDENTIALS), ..AppChange::default() }).await;
    assert_eq!(sent_back(site.identity.authorize(&site.form(&[]))), OAuthErrorKind::UnauthorizedClient);
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_all_that_came_of_it() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let code = site.code(anna, &[]).await;
    let answer = site.redeem(code.expose(), &[]).await.unwrap();
    assert!(site.knows(&answer));
    assert_eq!(refused(site.redeem(code.expose(), &[]).await).0, "invalid_grant");
    assert!(!site.knows(&answer));
    assert_eq!(refused(site.refresh(refresh_token(&answer)).await).0, "invalid_grant");
}

#[tokio::test]
async fn a_code_is_its_apps_and_goes_where_it_was_sent() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let mut other = NewApp::new(site.enterprise, "other", UserRole::User);
    other.redirect_uris = vec![BACK.to_owned()];
    let other = site.identity.create_app(other).await.unwrap();
    let code = site.code(anna, &[]).await;
    let stolen = TokenForm::from_pairs([
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("client_id", &other.client_id),
        ("client_secret", other.client_secret.as_ref().unwrap().expose()),
    ]);
    assert_eq!(refused(site.identity.grant(&stolen, &[]).await).0, "invalid_grant");
    let elsewhere = site.redeem(code.expose(), &[("redirect_uri", "https://app.example.org/other")]).await;
    assert_eq!(refused(elsewhere).0, "invalid_grant");
    assert!(site.redeem(code.expose(), &[("redirect_uri", BACK)]).await.is_ok());
    for nonsense in ["x", &"A".repeat(43), &"x".repeat(100_000)] {
        assert_eq!(refused(site.redeem(nonsense, &[]).await).0, "invalid_grant");
    }
}

#[tokio::test]
async fn what_was_announced_with_the_code_must_be_shown() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let challenge = challenge(VERIFIER);
    let announced = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    let code = site.code(anna, &announced).await;
    assert_eq!(refused(site.redeem(code.expose(), &[]).await).0, "invalid_grant");
    let other = "x".repeat(43);
    assert_eq!(refused(site.redeem(code.expose(), &[("code_verifier", &other)]).await).0, "invalid_grant");
    assert_eq!(refused(site.redeem(code.expose(), &[("code_verifier", "short")]).await).0, "invalid_grant");
    assert!(site.redeem(code.expose(), &[("code_verifier", VERIFIER)]).await.is_ok());
    // A code without a challenge, put in place of one with: the app shows its verifier, and is not fooled.
    let code = site.code(anna, &[]).await;
    assert_eq!(refused(site.redeem(code.expose(), &[("code_verifier", VERIFIER)]).await).0, "invalid_grant");
}

#[tokio::test]
async fn a_public_app_has_no_secret_and_must_announce() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let mut new = NewApp::new(site.enterprise, "desktop", UserRole::User);
    new.kind = AppKind::Public;
    new.redirect_uris = vec!["http://127.0.0.1/back".to_owned()];
    let app = site.identity.create_app(new).await.unwrap();
    assert!(app.client_secret.is_none());
    let back = "http://127.0.0.1:50123/back";
    let mut pairs = vec![("response_type", "code"), ("client_id", app.client_id.as_str()), ("redirect_uri", back)];
    let bare = site.identity.authorize(&AuthorizeForm::from_pairs(pairs.clone()));
    assert_eq!(sent_back(bare), OAuthErrorKind::InvalidRequest);
    let challenge = challenge(VERIFIER);
    pairs.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
    let request = site.identity.authorize(&AuthorizeForm::from_pairs(pairs)).ok().unwrap();
    let code = site.identity.agree(anna, &request).await.unwrap();
    assert!(!site.identity.is_agreed(anna, &request).unwrap(), "anybody can pass for it, so its user is asked again");
    let form = TokenForm::from_pairs([
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("client_id", &app.client_id),
        ("code_verifier", VERIFIER),
        ("redirect_uri", back),
    ]);
    let answer = site.identity.grant(&form, &[]).await.unwrap();
    assert!(site.knows(&answer));
    let own = TokenForm::from_pairs([("grant_type", "client_credentials"), ("client_id", &app.client_id)]);
    assert_eq!(refused(site.identity.grant(&own, &[]).await).0, "unauthorized_client");
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_its_whole_family() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let code = site.code(anna, &[]).await;
    let first = site.redeem(code.expose(), &[]).await.unwrap();
    let second = site.refresh(refresh_token(&first)).await.unwrap();
    assert_eq!(refused(site.refresh(refresh_token(&first)).await).0, "invalid_grant");
    assert!(!site.knows(&first) && !site.knows(&second));
    assert_eq!(refused(site.refresh(refresh_token(&second)).await).0, "invalid_grant");
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins_and_both_lose() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let code = site.code(anna, &[]).await;
    let first = site.redeem(code.expose(), &[]).await.unwrap();
    let token = refresh_token(&first);
    let (one, two, three) = tokio::join!(site.refresh(token), site.refresh(token), site.refresh(token));
    let won: Vec<_> = [one, two, three].into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1);
    assert!(!site.knows(&won[0]));
}

#[tokio::test]
async fn consent_is_remembered_and_withdrawn() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let all = site.identity.authorize(&site.form(&[])).ok().unwrap();
    let some = site.identity.authorize(&site.form(&[("scope", "root_readonly")])).ok().unwrap();
    assert!(!site.identity.is_agreed(anna, &some).unwrap());
    let code = site.identity.agree(anna, &some).await.unwrap();
    assert!(site.identity.is_agreed(anna, &some).unwrap() && !site.identity.is_agreed(anna, &all).unwrap());
    let answer = site.redeem(code.expose(), &[]).await.unwrap();
    let consents = site.identity.consents(anna).await.unwrap();
    assert_eq!((consents.len(), consents[0].name.as_str()), (1, "sync"));
    site.identity.withdraw(anna, site.app.app).await.unwrap();
    assert!(!site.identity.is_agreed(anna, &some).unwrap() && !site.knows(&answer));
    assert_eq!(refused(site.refresh(refresh_token(&answer)).await).0, "invalid_grant");
}

#[tokio::test]
async fn nothing_of_an_inactive_user_is_worth_anything() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let request = site.identity.authorize(&site.form(&[])).ok().unwrap();
    let (code, other) = (site.code(anna, &[]).await, site.code(anna, &[]).await);
    let answer = site.redeem(code.expose(), &[]).await.unwrap();
    site.deactivate(anna).await;
    assert!(!site.knows(&answer));
    assert_eq!(refused(site.redeem(other.expose(), &[]).await).0, "invalid_grant");
    assert_eq!(refused(site.refresh(refresh_token(&answer)).await).0, "invalid_grant");
    assert_eq!(site.identity.agree(anna, &request).await.err().unwrap().kind, OAuthErrorKind::AccessDenied);
}

#[tokio::test]
async fn nothing_of_a_disabled_app_is_worth_anything_until_it_is_enabled() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let request = site.identity.authorize(&site.form(&[])).ok().unwrap();
    let (code, other) = (site.code(anna, &[]).await, site.code(anna, &[]).await);
    let answer = site.redeem(code.expose(), &[]).await.unwrap();
    let state = |state| AppChange { state: Some(state), ..AppChange::default() };
    site.change_app(state(AppState::Disabled)).await;
    assert!(!site.knows(&answer));
    assert_eq!(shown(site.identity.authorize(&site.form(&[]))), OAuthErrorKind::InvalidClient);
    assert!(site.identity.agree(anna, &request).await.is_err());
    assert_eq!(refused(site.redeem(other.expose(), &[]).await).0, "invalid_client");
    assert_eq!(refused(site.refresh(refresh_token(&answer)).await).0, "invalid_client");
    assert_eq!(refused(site.credentials("enterprise", &site.enterprise.to_string()).await).0, "invalid_client");
    site.change_app(state(AppState::Enabled)).await;
    assert!(site.knows(&answer));
    // What it is registered for limits what it has already.
    site.change_app(AppChange { scopes: Some(Scopes::READ), ..AppChange::default() }).await;
    assert_eq!(site.identity.authenticate(answer.access_token.expose()).unwrap().scopes, Scopes::READ);
    site.identity.remove_app(site.enterprise, &site.app.client_id).await.unwrap();
    assert!(!site.knows(&answer));
}

#[tokio::test]
async fn a_revoked_token_takes_its_family_along() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    for by_refresh_token in [false, true] {
        let code = site.code(anna, &[]).await;
        let answer = site.redeem(code.expose(), &[]).await.unwrap();
        let token = if by_refresh_token { refresh_token(&answer) } else { answer.access_token.expose() };
        let other = NewApp::new(site.enterprise, "other", UserRole::User);
        let other = site.identity.create_app(other).await.unwrap();
        let form = |id: &str, secret: &str| {
            TokenForm::from_pairs([("client_id", id), ("client_secret", secret), ("token", token)])
        };
        let foreign = form(&other.client_id, other.client_secret.as_ref().unwrap().expose());
        let refusal = site.identity.revoke_by_form(&foreign).await.unwrap_err();
        assert_eq!(refusal.kind, OAuthErrorKind::UnauthorizedClient);
        assert!(site.knows(&answer));
        site.identity.revoke_by_form(&form(&site.app.client_id, site.secret())).await.unwrap();
        assert!(!site.knows(&answer));
        assert_eq!(refused(site.refresh(refresh_token(&answer)).await).0, "invalid_grant");
    }
}

#[tokio::test]
async fn a_field_that_comes_twice_makes_the_request_invalid() {
    let site = Site::new().await;
    let twice = [("grant_type", "client_credentials"), ("grant_type", "refresh_token")];
    assert_eq!(refused(site.grant(&twice).await).0, "invalid_request");
}

#[tokio::test(start_paused = true)]
async fn codes_and_refresh_tokens_expire() {
    let site = Site::in_world(World::simulated(7, Timestamp::from_millis(1_800_000_000_000))).await;
    let anna = site.person("anna@example.org").await;
    let late = site.code(anna, &[]).await;
    advance(Duration::from_secs(61)).await;
    assert_eq!(refused(site.redeem(late.expose(), &[]).await).0, "invalid_grant");
    let code = site.code(anna, &[]).await;
    advance(Duration::from_secs(59)).await;
    let answer = site.redeem(code.expose(), &[]).await.unwrap();
    advance(Duration::from_secs(3_601)).await;
    assert!(!site.knows(&answer));
    let day = Duration::from_secs(24 * 60 * 60);
    advance(59 * day).await;
    while site.identity.remove_expired().await.unwrap() {}
    let next = site.refresh(refresh_token(&answer)).await.unwrap();
    advance(61 * day).await;
    assert_eq!(refused(site.refresh(refresh_token(&next)).await).0, "invalid_grant");
    while site.identity.remove_expired().await.unwrap() {}
    assert_eq!(refused(site.refresh(refresh_token(&next)).await).0, "invalid_grant");
}

#[tokio::test]
async fn an_app_says_on_which_device_it_is() {
    let site = Site::new().await;
    let (anna, boss) = (site.person("anna@example.org").await, site.person("boss@example.org").await);
    let as_role = |user, role| Caller {
        user,
        enterprise: site.enterprise,
        role,
        app: None,
        scopes: Scopes::ALL,
        confined: None,
        through: None,
        link: None,
    };
    let (admin, user) = (as_role(boss, UserRole::Admin), as_role(anna, UserRole::User));
    let pins = async |order, offset, limit| {
        let found = site.identity.device_pins(&admin, order, offset, limit).await.unwrap();
        found.into_iter().map(|pin| pin.product).collect::<Vec<_>>()
    };
    let code = site.code(anna, &[]).await;
    for bad in [("box_device_id", "a\tb"), ("box_device_id", "x".repeat(256).as_str())] {
        let refusal = refused(site.redeem(code.expose(), &[bad]).await);
        assert_eq!(refusal.0, "invalid_request");
    }
    let device = [("box_device_id", "d-1"), ("box_device_name", "Anna's phone")];
    let first = site.redeem(code.expose(), &device).await.unwrap();
    // Not every app says so.
    let code = site.code(anna, &[]).await;
    let silent = site.redeem(code.expose(), &[("box_device_id", " ")]).await.unwrap();
    let code = site.code(boss, &[]).await;
    let second = site.redeem(code.expose(), &[("box_device_id", "d-2")]).await.unwrap();
    assert_eq!(pins(Ascending, 0, 10).await, ["Anna's phone", ""]);
    assert_eq!(pins(Descending, 0, 1).await, [""]);
    assert_eq!(pins(Descending, 1, 10).await, ["Anna's phone"]);
    // A device may have got another name since.
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh_token(&first)), device[0]];
    let first = site.grant(&pairs).await.unwrap();
    assert_eq!(pins(Ascending, 0, 10).await, ["", ""]);

    let all = site.identity.device_pins(&admin, Ascending, 0, 10).await.unwrap();
    let [annas, bosss] = all.as_slice() else { panic!("two pins") };
    assert_eq!(annas.user.id, anna);
    assert!(matches!(site.identity.device_pins(&user, Ascending, 0, 10).await, Err(crate::Error::Forbidden)));
    assert!(matches!(site.identity.device_pin(&user, annas.id), Err(crate::Error::Forbidden)));
    assert!(matches!(site.identity.remove_device_pin(&user, annas.id).await, Err(crate::Error::Forbidden)));
    let elsewhere = Caller { enterprise: entente_model::EnterpriseId::new(12), ..admin.clone() };
    assert_eq!(site.identity.device_pin(&elsewhere, annas.id).unwrap(), None);
    assert!(!site.identity.remove_device_pin(&elsewhere, annas.id).await.unwrap());

    assert!(site.identity.remove_device_pin(&admin, annas.id).await.unwrap());
    assert!(!site.identity.remove_device_pin(&admin, annas.id).await.unwrap());
    assert!(!site.knows(&first) && site.knows(&silent) && site.knows(&second));
    assert!(site.refresh(refresh_token(&first)).await.is_err());
    assert_eq!(site.identity.device_pin(&admin, bosss.id).unwrap().as_ref(), Some(bosss));
}
