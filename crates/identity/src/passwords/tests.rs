use super::*;
use crate::{Login, form_token, is_form_token};
use entente_database::users::{UserChange, update};
use entente_model::UserRole;
use entente_testkit::Stage;

const RIGHT: &str = "correct horse battery";

struct Desk {
    stage: Stage,
    identity: Identity,
    user: UserId,
}

impl Desk {
    async fn deactivate(&self) {
        let (user, at) = (self.user, self.stage.world.now());
        let change = UserChange { status: Some(UserStatus::Inactive), ..UserChange::default() };
        self.stage.database.transact("deactivate", move |tx| update(tx, user, &change, at)).await.unwrap();
    }
}

async fn desk() -> Desk {
    let stage = Stage::new().await;
    let identity = Identity::new(stage.world.clone(), stage.database.clone());
    let login = Login::new("Anna@example.org").unwrap();
    let user = identity.create_user(stage.enterprise, login, "Anna", UserRole::User).await.unwrap().id;
    identity.set_password(user, &typed(RIGHT), None).await.unwrap();
    Desk { stage, identity, user }
}

fn typed(text: &str) -> Password {
    Password::new(text.to_owned())
}

fn here() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

async fn outcome(desk: &Desk, login: &str, password: &str) -> Result<UserId, String> {
    let proven = desk.identity.prove_password(login, &typed(password), here()).await;
    proven.map(|proven| proven.user()).map_err(|error| match error {
        SignInError::Wait(_) => "wait".to_owned(),
        other => other.to_string(),
    })
}

#[test]
fn a_hash_is_told_again_and_has_its_cost_in_it() {
    let salt = [7; SALT_BYTES];
    let cheap = Cost { memory_kib: 8, passes: 1, lanes: 1 };
    let hash = digest(&cheap, RIGHT, &salt).unwrap();
    let text = cheap.shown(&salt, &hash);
    let stored = Stored::parse(&text).unwrap();
    assert_eq!((stored.cost, stored.salt.as_slice(), &stored.hash), (cheap, salt.as_slice(), &hash));
    // As the reference implementation makes it.
    assert_eq!(text, "$argon2id$v=19$m=8,t=1,p=1$BwcHBwcHBwcHBwcHBwcHBw$Ifvh/2yXZNM2YXLKEULqjsGR8AQJ/t7RaWEEn8uEiG4");
    assert_ne!(digest(&cheap, "another", &salt), Some(hash));
    for bad in
        ["", "$argon2i$v=19$m=8,t=1,p=1$AA$AA", "$argon2id$v=19$m=x,t=1,p=1$AA$AA", "$argon2id$v=19$m=8,t=1$AA$AA"]
    {
        assert!(Stored::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn a_password_must_not_be_the_first_that_comes_to_mind() {
    let check = |text: &str| check(text, "anna.lang@example.org");
    assert_eq!(check(RIGHT), Ok(()));
    assert_eq!(check("пароль-на-сегодня"), Ok(()));
    for (bad, why) in [
        ("short", PasswordError::Length),
        (&"x".repeat(257), PasswordError::Length),
        (&"\u{1f600}".repeat(256), PasswordError::Length),
        ("Anna.Lang@Example.org", PasswordError::IsLogin),
        ("anna.lang", PasswordError::IsLogin),
        ("Password123", PasswordError::Common),
        ("passwort", PasswordError::Common),
    ] {
        match bad.len() {
            1_024 => assert_eq!(check(bad), Ok(()), "as long as it may be"),
            _ => assert_eq!(check(bad), Err(why), "{bad}"),
        }
    }
}

#[test]
fn pauses_double_up_to_a_limit() {
    let most = Duration::from_secs(60);
    let seconds = |count| pause(count, 5, most).as_secs();
    assert_eq!([4, 5, 6, 7, 8, 12, 400, u32::MAX].map(seconds), [0, 0, 1, 2, 4, 60, 60, 60]);
}

#[tokio::test]
async fn login_and_password_belong_together() {
    let desk = desk().await;
    let user = desk.user;
    assert_eq!(outcome(&desk, " anna@EXAMPLE.org ", RIGHT).await, Ok(user));
    let wrong = Err("login and password do not belong together".to_owned());
    assert_eq!(outcome(&desk, "anna@example.org", "another password").await, wrong);
    assert_eq!(outcome(&desk, "nobody@example.org", RIGHT).await, wrong);
    assert_eq!(outcome(&desk, "anna@example.org", &"x".repeat(100_000)).await, wrong);
    desk.deactivate().await;
    assert_eq!(outcome(&desk, "anna@example.org", RIGHT).await, wrong);
    let unknown = desk.identity.set_password(user, &typed(RIGHT), None).await;
    assert!(matches!(unknown, Err(Error::UnknownUser(_))));
}

#[tokio::test]
async fn who_guesses_must_wait_whether_the_login_is_there_or_not() {
    let desk = desk().await;
    for login in ["anna@example.org", "nobody@example.org"] {
        let mut outcomes = Vec::new();
        while outcomes.len() < 30 && outcomes.last() != Some(&Err("wait".to_owned())) {
            outcomes.push(outcome(&desk, login, "wrong password").await);
        }
        assert!((7..30).contains(&outcomes.len()), "{login}: {}", outcomes.len());
    }
}

#[tokio::test]
async fn guesses_at_once_are_counted_before_they_are_looked_at() {
    let desk = desk().await;
    let guess = || outcome(&desk, "anna@example.org", "wrong password");
    let (a, b, c, d) = tokio::join!(guess(), guess(), guess(), guess());
    let (e, f, g, h) = tokio::join!(guess(), guess(), guess(), guess());
    let waiting = [a, b, c, d, e, f, g, h].into_iter().filter(|outcome| *outcome == Err("wait".to_owned())).count();
    assert!(waiting >= 2, "{waiting}");
}

#[tokio::test]
async fn who_signs_in_is_forgiven() {
    let desk = desk().await;
    let user = desk.user;
    for _ in 0..3 {
        for _ in 0..4 {
            assert!(outcome(&desk, "anna@example.org", "wrong password").await.is_err());
        }
        assert_eq!(outcome(&desk, "anna@example.org", RIGHT).await, Ok(user));
    }
}

#[tokio::test]
async fn a_web_session_is_a_new_cookie_until_it_is_ended() {
    let desk = desk().await;
    let (identity, user) = (&desk.identity, desk.user);
    let sign_in = async || {
        let proven = identity.prove_password("anna@example.org", &typed(RIGHT), here()).await.unwrap();
        identity.begin_web_session(&proven, "Browser\n1", here()).await.unwrap()
    };
    let (first, second) = (sign_in().await, sign_in().await);
    assert_ne!(first.expose(), second.expose());
    let session = identity.web_session(first.expose()).await.unwrap().unwrap();
    assert_eq!((session.user, session.program.as_str(), session.address.as_str()), (user, "Browser1", "192.0.2.7"));
    assert_eq!(identity.web_sessions(user).await.unwrap().len(), 2);
    for nobody in ["", "x", &"A".repeat(43)] {
        assert!(identity.web_session(nobody).await.unwrap().is_none());
    }
    let stranger = desk.stage.person("eve@example.org", "Eve", UserRole::User).await;
    assert!(!identity.end_web_session_of(stranger, session.id).await.unwrap());
    assert!(identity.end_web_session_of(user, session.id).await.unwrap());
    assert!(identity.web_session(first.expose()).await.unwrap().is_none());
    assert!(identity.end_web_session(second.expose()).await.unwrap());
    assert!(identity.web_session(second.expose()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_web_session_ends_when_it_is_left_alone() {
    let desk = desk().await;
    let proven = desk.identity.prove_password("anna@example.org", &typed(RIGHT), here()).await.unwrap();
    let cookie = desk.identity.begin_web_session(&proven, "", here()).await.unwrap();
    let now = desk.stage.world.now().millis();
    for (hours, stays) in [(1, true), (7, true), (9, false)] {
        let (digest, at) = (cookie.sha256(), Timestamp::from_millis(now - hours * 60 * 60 * 1_000));
        let leave = move |tx: &mut Tx<'_>| web_sessions::seen(tx, &digest, at);
        desk.stage.database.transact("leave alone", leave).await.unwrap();
        let session = desk.identity.web_session(cookie.expose()).await.unwrap();
        assert_eq!(session.is_some(), stays, "{hours} hours");
    }
}

#[tokio::test]
async fn another_password_ends_other_sessions() {
    let desk = desk().await;
    let (identity, user) = (&desk.identity, desk.user);
    let proven = identity.prove_password("anna@example.org", &typed(RIGHT), here()).await.unwrap();
    let kept = identity.begin_web_session(&proven, "", here()).await.unwrap();
    let other = identity.begin_web_session(&proven, "", here()).await.unwrap();
    let session = identity.web_session(kept.expose()).await.unwrap().unwrap();
    let change = async |old: &str, new: &str| {
        let changed = identity.change_password((user, session.id), &typed(old), &typed(new), here()).await;
        changed.map_err(|error| error.to_string())
    };
    assert!(change("not the old one", "another good one").await.is_err());
    assert!(change(RIGHT, "short").await.is_err());
    change(RIGHT, "another good one").await.unwrap();
    assert!(identity.web_session(kept.expose()).await.unwrap().is_some());
    assert!(identity.web_session(other.expose()).await.unwrap().is_none());
    assert!(outcome(&desk, "anna@example.org", RIGHT).await.is_err());
    assert_eq!(outcome(&desk, "anna@example.org", "another good one").await, Ok(user));
    // At once, not only when it is next looked for.
    desk.deactivate().await;
    assert!(identity.web_session(kept.expose()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_form_belongs_to_its_cookie() {
    let desk = desk().await;
    let (mine, other) = (desk.identity.form_cookie(), desk.identity.form_cookie());
    let token = form_token(mine.expose());
    assert!(is_form_token(mine.expose(), &token));
    assert!(!is_form_token(other.expose(), &token) && !is_form_token(mine.expose(), "") && !is_form_token("", &token));
}
