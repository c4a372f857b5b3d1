mod codes;
mod exchange;

use super::*;
use crate::{AppChange, CreatedApp, IssueToken, Login, NewApp, Unauthenticated};
use entente_database::Database;
use entente_database::enterprises::{Enterprise, create_enterprise};
use entente_database::users::{UserChange, UserStatus, update};
use entente_model::{UserRole, ZoneId};
use entente_testkit::Scratch;
use entente_world::World;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

const PRIVATE: &str = include_str!("../../tests/fixtures/test-only-private.pem");
const PUBLIC: &str = include_str!("../../tests/fixtures/test-only-public.pem");
const OTHER_PRIVATE: &str = include_str!("../../tests/fixtures/test-only-other-private.pem");
const BOX: &str = "https://api.box.com/oauth2/token";
const BACK: &str = "https://app.example.org/back?x=1";
const OURS: &str = "https://files.example.org/box/oauth2/token";

struct Site {
    _scratch: Scratch,
    world: World,
    database: Database,
    identity: Identity,
    enterprise: EnterpriseId,
    app: CreatedApp,
}

impl Site {
    async fn new() -> Self {
        Self::in_world(World::real()).await
    }

    async fn in_world(world: World) -> Self {
        let scratch = Scratch::new();
        let database = scratch.open(&world);
        let identity = Identity::new(world.clone(), database.clone());
        let enterprise = enterprise(&world, &database).await;
        let mut new = NewApp::new(enterprise, "sync", UserRole::CoAdmin);
        new.public_key_pem = Some(PUBLIC.to_owned());
        new.redirect_uris = vec![BACK.to_owned()];
        let app = identity.create_app(new).await.unwrap();
        Self { _scratch: scratch, world, database, identity, enterprise, app }
    }

    fn secret(&self) -> &str {
        self.app.client_secret.as_ref().unwrap().expose()
    }

    async fn deactivate(&self, user: UserId) {
        let change = UserChange { status: Some(UserStatus::Inactive), ..UserChange::default() };
        let at = self.world.now();
        self.database.transact("deactivate", move |tx| update(tx, user, &change, at)).await.unwrap();
    }

    async fn change_app(&self, change: AppChange) {
        self.identity.change_app(self.enterprise, &self.app.client_id, change).await.unwrap();
    }

    async fn person(&self, login: &str) -> UserId {
        let login = Login::new(login).unwrap();
        self.identity.create_user(self.enterprise, login, "Somebody", UserRole::User).await.unwrap().id
    }

    /// Fields that are right; `change` makes them wrong.
    async fn grant(&self, fields: &[(&str, &str)]) -> Result<TokenAnswer, OAuthError> {
        let mut all: Vec<(&str, &str)> = fields.to_vec();
        all.extend([("client_id", self.app.client_id.as_str()), ("client_secret", self.secret())]);
        self.identity.grant(&TokenForm::from_pairs(all), &[OURS]).await
    }

    async fn credentials(&self, kind: &str, id: &str) -> Result<TokenAnswer, OAuthError> {
        let fields = [("grant_type", "client_credentials"), ("box_subject_type", kind), ("box_subject_id", id)];
        self.grant(&fields).await
    }

    async fn assert(&self, assertion: &str) -> Result<TokenAnswer, OAuthError> {
        self.grant(&[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)]).await
    }

    fn claims(&self) -> Value {
        let jti = crate::secret::letters(self.world.random(), 32);
        json!({
            "iss": self.app.client_id,
            "sub": self.enterprise.to_string(),
            "box_sub_type": "enterprise",
            "aud": BOX,
            "jti": jti,
            "exp": self.world.now().millis() / 1_000 + 30,
        })
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = self.app.public_key_label.clone();
        header
    }

    fn sign(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims();
        change(&mut claims);
        signed(&self.header(), &claims, PRIVATE)
    }
}

async fn enterprise(world: &World, database: &Database) -> EnterpriseId {
    let row = Enterprise {
        id: EnterpriseId::new(world.next_id()),
        name: "Acme".to_owned(),
        zone: ZoneId::new(1),
        created_at: world.now(),
    };
    let id = row.id;
    database.transact("create enterprise", move |tx| create_enterprise(tx, &row)).await.unwrap();
    id
}

fn signed(header: &Header, claims: &Value, pem: &str) -> String {
    encode(header, claims, &EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()).unwrap()
}

fn refused(answer: Result<TokenAnswer, OAuthError>) -> (&'static str, String) {
    let error = answer.err().expect("a refusal");
    (error.kind.code(), error.description)
}

#[tokio::test]
async fn client_credentials_give_the_service_account_or_a_user() {
    let site = Site::new().await;
    let answer = site.credentials("enterprise", &site.enterprise.to_string()).await.unwrap();
    assert_eq!(answer.expires_in_seconds, 3_600);
    let caller = site.identity.authenticate(answer.access_token.expose()).unwrap();
    assert_eq!((caller.user, caller.app, caller.role), (site.app.service_user, Some(site.app.app), UserRole::CoAdmin));

    let anna = site.person("anna@example.org").await;
    let answer = site.credentials("user", &anna.to_string()).await.unwrap();
    let caller = site.identity.authenticate(answer.access_token.expose()).unwrap();
    assert_eq!((caller.user, caller.enterprise, caller.role), (anna, site.enterprise, UserRole::User));
}

#[tokio::test]
async fn client_credentials_give_nobody_else() {
    let site = Site::new().await;
    let other = enterprise(&site.world, &site.database).await;
    let login = Login::new("eve@elsewhere.org").unwrap();
    let eve = site.identity.create_user(other, login, "Eve", UserRole::Admin).await.unwrap().id;
    let gone = site.person("gone@example.org").await;
    let change = UserChange { status: Some(UserStatus::Inactive), ..UserChange::default() };
    let at = site.world.now();
    site.database.transact("deactivate", move |tx| update(tx, gone, &change, at)).await.unwrap();
    let denied = [
        ("enterprise", other.to_string()),
        ("enterprise", "1".to_owned()),
        ("enterprise", "x".to_owned()),
        ("user", eve.to_string()),
        ("user", gone.to_string()),
        ("user", "0".to_owned()),
        ("group", site.enterprise.to_string()),
    ];
    for (kind, id) in denied {
        let refusal = refused(site.credentials(kind, &id).await);
        assert_eq!(refusal, ("invalid_grant", "Grant credentials are invalid".to_owned()), "{kind} {id}");
    }
}

#[tokio::test]
async fn a_client_must_be_known_and_tell_its_secret() {
    let site = Site::new().await;
    let (id, secret) = (site.app.client_id.clone(), site.secret().to_owned());
    let pairs: [Vec<(&str, &str)>; 4] = [
        vec![("client_id", &id), ("client_secret", "wrong")],
        vec![("client_id", "unknown"), ("client_secret", &secret)],
        vec![("client_id", &id)],
        vec![],
    ];
    for pairs in pairs {
        let subject = site.enterprise.to_string();
        let fields = [
            ("grant_type", "client_credentials"),
            ("box_subject_type", "enterprise"),
            ("box_subject_id", subject.as_str()),
        ];
        let form = TokenForm::from_pairs(fields.into_iter().chain(pairs));
        assert_eq!(refused(site.identity.grant(&form, &[]).await).0, "invalid_client");
    }
}

#[tokio::test]
async fn grants_that_are_not_served_are_refused_by_name() {
    let site = Site::new().await;
    for (grant, code) in [
        ("password", "unsupported_grant_type"),
        ("refresh_token", "invalid_request"),
        ("authorization_code", "invalid_request"),
    ] {
        assert_eq!(refused(site.grant(&[("grant_type", grant)]).await).0, code, "{grant}");
    }
    assert_eq!(refused(site.grant(&[]).await).0, "invalid_request");
    let half = [("grant_type", "client_credentials"), ("box_subject_type", "user")];
    assert_eq!(refused(site.grant(&half).await).0, "invalid_request");
    // Clients that are not Box's name nobody, and mean themselves.
    let answer = site.grant(&[("grant_type", "client_credentials")]).await.unwrap();
    let caller = site.identity.authenticate(answer.access_token.expose()).unwrap();
    assert_eq!(caller.user, site.app.service_user);
}

#[tokio::test]
async fn an_assertion_signed_by_the_app_is_accepted_once() {
    let site = Site::new().await;
    let assertion = site.sign(|_| {});
    let answer = site.assert(&assertion).await.unwrap();
    let caller = site.identity.authenticate(answer.access_token.expose()).unwrap();
    assert_eq!(caller.user, site.app.service_user);
    let (code, description) = refused(site.assert(&assertion).await);
    assert!(code == "invalid_grant" && description.contains("jti"), "{description}");
}

#[tokio::test]
async fn assertions_come_in_several_forms() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    for algorithm in [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512] {
        // Some clients send no `kid`.
        let header = Header::new(algorithm);
        site.assert(&signed(&header, &site.claims(), PRIVATE)).await.unwrap();
    }
    site.assert(&site.sign(|claims| claims["aud"] = json!(OURS))).await.unwrap();
    site.assert(&site.sign(|claims| claims["aud"] = json!([BOX, "other"]))).await.unwrap();
    let soon = site.world.now().millis() / 1_000 + 20;
    #[expect(clippy::cast_precision_loss, reason = "a time of today")]
    site.assert(&site.sign(|claims| claims["exp"] = json!(soon as f64 + 0.5))).await.unwrap();
    let for_anna = site.sign(|claims| {
        claims["sub"] = json!(anna.to_string());
        claims["box_sub_type"] = json!("user");
    });
    let answer = site.assert(&for_anna).await.unwrap();
    assert_eq!(site.identity.authenticate(answer.access_token.expose()).unwrap().user, anna);
}

#[tokio::test]
async fn an_assertion_that_is_not_right_says_what_to_check() {
    let site = Site::new().await;
    let now = site.world.now().millis() / 1_000;
    let wrong: [(&str, Value, &str); 12] = [
        ("aud", json!("https://elsewhere.org/token"), "'aud'"),
        ("iss", json!("somebody else"), "'iss'"),
        ("sub", json!("1"), "'sub'"),
        ("box_sub_type", json!("user"), "'sub'"),
        ("box_sub_type", json!("group"), "'sub'"),
        ("exp", json!(now - 40), "'exp'"),
        ("exp", json!(now + 200), "'exp'"),
        ("exp", json!("soon"), "claims"),
        ("exp", json!(1.0e300), "'exp'"),
        ("jti", json!("short"), "'jti'"),
        ("jti", json!("x".repeat(129)), "'jti'"),
        ("jti", Value::Null, "claims"),
    ];
    for (claim, value, says) in wrong {
        let (code, description) = refused(site.assert(&site.sign(|claims| claims[claim] = value.clone())).await);
        assert!(code == "invalid_grant" && description.contains(says), "{claim} {value}: {description}");
    }
    for missing in ["iss", "sub", "aud", "exp", "jti"] {
        let assertion = site.sign(|claims| {
            claims.as_object_mut().unwrap().remove(missing);
        });
        assert_eq!(refused(site.assert(&assertion).await).0, "invalid_grant", "{missing}");
    }
}

/// As rclone sends its audience.
#[tokio::test]
async fn a_claim_that_is_there_twice_counts_the_last_time() {
    use jsonwebtoken::crypto::sign;
    let site = Site::new().await;
    let key = EncodingKey::from_rsa_pem(PRIVATE.as_bytes()).unwrap();
    let with_audiences = |first: &str, last: &str| {
        let claims = site.claims().to_string();
        let twice = format!("{{\"aud\":\"{first}\",{},\"aud\":\"{last}\"}}", &claims[1..claims.len() - 1]);
        let part = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
        let message = format!("{}.{}", part(&serde_json::to_string(&site.header()).unwrap()), part(&twice));
        format!("{message}.{}", sign(message.as_bytes(), &key, Algorithm::RS256).unwrap())
    };
    site.assert(&with_audiences(BOX, BOX)).await.unwrap();
    let (_, description) = refused(site.assert(&with_audiences(BOX, "https://elsewhere.org/token")).await);
    assert!(description.contains("'aud'"), "{description}");
}

#[tokio::test]
async fn an_assertion_by_anybody_else_is_refused() {
    let site = Site::new().await;
    let forged = signed(&site.header(), &site.claims(), OTHER_PRIVATE);
    let mut unknown_key = site.header();
    unknown_key.kid = Some("another".to_owned());
    let unknown_key = signed(&unknown_key, &site.claims(), PRIVATE);
    let mut symmetric = Header::new(Algorithm::HS256);
    symmetric.kid = site.app.public_key_label.clone();
    // The classic confusion: the public key used as a shared secret.
    let symmetric = encode(&symmetric, &site.claims(), &EncodingKey::from_secret(PUBLIC.as_bytes())).unwrap();
    let unsigned = {
        let part = |value: &Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&site.claims()))
    };
    let mut tampered = site.sign(|_| {});
    tampered.truncate(tampered.len() - 4);
    let long = "x".repeat(20_000);
    for (assertion, says) in [
        (forged.as_str(), "signature"),
        (&unknown_key, "'kid'"),
        (&symmetric, "'alg'"),
        (&unsigned, "assertion"),
        (&tampered, "check"),
        ("not.a.token", "assertion"),
        ("", "assertion"),
        (&long, "assertion"),
    ] {
        let (code, description) = refused(site.assert(assertion).await);
        let code_is_right = if assertion.is_empty() { code == "invalid_request" } else { code == "invalid_grant" };
        assert!(code_is_right && description.contains(says), "{says}: {code} {description}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_unknown() {
    let site = Site::new().await;
    let answer = site.credentials("enterprise", &site.enterprise.to_string()).await.unwrap();
    let token = answer.access_token.expose();
    let bad_client = TokenForm::from_pairs([("client_id", "x"), ("client_secret", "y"), ("token", token)]);
    assert_eq!(site.identity.revoke_by_form(&bad_client).await.unwrap_err().kind, OAuthErrorKind::InvalidClient);
    assert!(site.identity.authenticate(token).is_ok());
    let form = TokenForm::from_pairs([
        ("client_id", site.app.client_id.as_str()),
        ("client_secret", site.secret()),
        ("token", token),
    ]);
    site.identity.revoke_by_form(&form).await.unwrap();
    assert!(matches!(site.identity.authenticate(token), Err(Unauthenticated::Unknown)));
    // Again, and without a client as holders of developer tokens do it, changes nothing.
    site.identity.revoke_by_form(&form).await.unwrap();
    site.identity.revoke_by_form(&TokenForm::from_pairs([("client_id", "None"), ("token", "x")])).await.unwrap();
    assert!(site.identity.revoke_by_form(&TokenForm::default()).await.is_err());
}

#[tokio::test]
async fn tokens_are_told_apart() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let issue = |lifetime| IssueToken { user: anna, app: None, scopes: Scopes::READ, lifetime };
    let issued = site.identity.issue(issue(Duration::from_secs(60))).await.unwrap();
    let token = issued.secret.expose();
    let header = |text: String| site.identity.authenticate_header(Some(text.as_bytes()));
    for good in [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER   {token} ")] {
        assert_eq!(header(good).unwrap().scopes, Scopes::READ);
    }
    for bad in [token.to_owned(), format!("Basic {token}"), "Bearer".to_owned(), format!("Bearer {token}x")] {
        assert!(matches!(header(bad), Err(Unauthenticated::Malformed)));
    }
    assert!(matches!(site.identity.authenticate_header(None), Err(Unauthenticated::Missing)));
    assert!(matches!(site.identity.authenticate_header(Some(&[0xff])), Err(Unauthenticated::Malformed)));
    assert!(matches!(site.identity.authenticate(&"A".repeat(43)), Err(Unauthenticated::Unknown)));

    let expired = site.identity.issue(issue(Duration::ZERO)).await.unwrap();
    assert!(matches!(site.identity.authenticate(expired.secret.expose()), Err(Unauthenticated::Expired)));
    while site.identity.remove_expired().await.unwrap() {}
    assert!(site.identity.authenticate(token).is_ok());

    let nobody = IssueToken { user: UserId::new(1), ..issue(Duration::from_secs(60)) };
    assert!(matches!(site.identity.issue(nobody).await, Err(crate::Error::UnknownUser(_))));
    let at = site.world.now();
    let change = UserChange { status: Some(UserStatus::Inactive), ..UserChange::default() };
    site.database.transact("deactivate", move |tx| update(tx, anna, &change, at)).await.unwrap();
    assert!(matches!(site.identity.authenticate(token), Err(Unauthenticated::Unknown)));
}

#[tokio::test]
async fn only_who_administers_asks_on_behalf_of_others_of_the_same_enterprise() {
    let site = Site::new().await;
    let anna = site.person("anna@example.org").await;
    let service = site.credentials("enterprise", &site.enterprise.to_string()).await.unwrap();
    let service = site.identity.authenticate(service.access_token.expose()).unwrap();
    let as_anna = site.identity.on_behalf_of(&service, anna).unwrap().expect("allowed");
    assert_eq!((as_anna.user, as_anna.role, as_anna.app), (anna, UserRole::User, service.app));
    assert_eq!(site.identity.on_behalf_of(&as_anna, site.app.service_user).unwrap(), None);
    let login = Login::new("boss@example.org").unwrap();
    let boss = site.identity.create_user(site.enterprise, login, "Boss", UserRole::Admin).await.unwrap().id;
    assert_eq!(site.identity.on_behalf_of(&service, boss).unwrap(), None, "a co-admin does not rise");
    let other = enterprise(&site.world, &site.database).await;
    let login = Login::new("eve@elsewhere.org").unwrap();
    let eve = site.identity.create_user(other, login, "Eve", UserRole::User).await.unwrap().id;
    assert_eq!(site.identity.on_behalf_of(&service, eve).unwrap(), None);
}

#[tokio::test]
async fn logins_are_unique_without_regard_to_case() {
    let site = Site::new().await;
    site.person("anna@example.org").await;
    let again = Login::new("ANNA@Example.org").unwrap();
    let made = site.identity.create_user(site.enterprise, again, "Anna", UserRole::User).await;
    assert!(matches!(made, Err(crate::Error::LoginTaken(_))));
    assert!(site.identity.user_by_login("Anna@example.ORG").is_ok());
    assert!(matches!(site.identity.user_by_login("nobody@example.org"), Err(crate::Error::UnknownUser(_))));
    for name in ["", " ", &"x".repeat(51), "a\nb"] {
        let login = Login::new("new@example.org").unwrap();
        let made = site.identity.create_user(site.enterprise, login, name, UserRole::User).await;
        assert!(matches!(made, Err(crate::Error::Name(_))), "{name:?}");
    }
}
