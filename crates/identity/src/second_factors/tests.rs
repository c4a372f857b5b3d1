use super::*;
use crate::{Login, WebSession};
use entente_database::users::{UserChange, UserStatus, update};
use entente_model::UserRole;
use entente_testkit::Stage;

const PASSWORD: &str = "correct horse battery";

struct Desk {
    stage: Stage,
    identity: Identity,
    factors: SecondFactors,
    user: UserId,
}

fn here() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

fn typed() -> Password {
    Password::new(PASSWORD.to_owned())
}

async fn desk() -> Desk {
    let stage = Stage::new().await;
    let identity = Identity::new(stage.world.clone(), stage.database.clone());
    let factors = SecondFactors::load(identity.clone(), stage.custodian.as_ref()).await.unwrap();
    let login = Login::new("anna@example.org").unwrap();
    let user = identity.create_user(stage.enterprise, login, "Anna", UserRole::User).await.unwrap().id;
    identity.set_password(user, &typed(), None).await.unwrap();
    Desk { stage, identity, factors, user }
}

impl Desk {
    /// The code of some steps from now.
    fn code(&self, secret: &Secret, steps: i64) -> String {
        let secret = timed_code::read(secret.expose()).unwrap();
        timed_code::at_step(&secret, timed_code::step(self.stage.world.now()) + steps).unwrap()
    }

    async fn enrolled(&self) -> (Secret, Vec<Secret>) {
        let secret = self.factors.draw();
        loop {
            // The one before: so that those after it are good.
            let (step, code) = (timed_code::step(self.stage.world.now()), self.code(&secret, -1));
            let enrolled = self.factors.enrol(self.user, &typed(), (secret.expose(), &code), here()).await;
            // Unless it has become the one before that in the meantime.
            if enrolled.is_err() && timed_code::step(self.stage.world.now()) > step {
                continue;
            }
            return (secret, enrolled.unwrap());
        }
    }

    async fn begun(&self) -> Secret {
        let proven = self.identity.prove_password("anna@example.org", &typed(), here()).await.unwrap();
        let refused = self.identity.begin_web_session(&proven, "Fox", here()).await;
        assert!(matches!(refused, Err(Error::SecondFactor)), "a password alone is not enough");
        self.identity.begin_sign_in(&proven).await.unwrap()
    }

    async fn session(&self, proven: &Proven) -> WebSession {
        let cookie = self.identity.begin_web_session(proven, "Fox", here()).await.unwrap();
        self.identity.web_session(cookie.expose()).await.unwrap().unwrap()
    }

    async fn prove(&self, begun: &Secret, code: &str) -> Result<Proven, SignInError> {
        self.factors.prove_code(begun.expose(), code, here()).await
    }
}

#[tokio::test]
async fn a_code_is_asked_for_after_the_password_and_is_good_once() {
    let desk = desk().await;
    let proven = desk.identity.prove_password("anna@example.org", &typed(), here()).await.unwrap();
    desk.session(&proven).await;
    let (secret, _) = desk.enrolled().await;
    let begun = desk.begun().await;
    assert_eq!(desk.identity.begun_sign_in(begun.expose()).unwrap(), Some(desk.user));
    for bad in ["", "000", "abcdef", "١٢٣٤٥٦", &"1".repeat(1_000), &desk.code(&secret, 100)] {
        assert!(matches!(desk.prove(&begun, bad).await, Err(SignInError::Wrong | SignInError::Wait(_))), "{bad}");
        desk.forgive().await;
    }
    let code = desk.code(&secret, 0);
    let proven = desk.prove(&begun, &code).await.unwrap();
    assert_eq!(desk.session(&proven).await.user, desk.user);
    assert!(matches!(desk.prove(&begun, &desk.code(&secret, 1)).await, Err(SignInError::Wrong)), "it is over");
    let again = desk.begun().await;
    assert!(matches!(desk.prove(&again, &code).await, Err(SignInError::Wrong)), "it was used");
    // With spaces, as people type it.
    let next = desk.code(&secret, 1);
    let spaced = format!("{} {}", next.get(..3).unwrap(), next.get(3..).unwrap());
    assert!(desk.prove(&again, &spaced).await.is_ok());
}

impl Desk {
    async fn forgive(&self) {
        let keys = [sha256(&format!("code\n{}", self.user)), network_key(here()).0];
        let forget =
            move |tx: &mut Tx<'_>| keys.iter().try_for_each(|key| entente_database::passwords::forgive(tx, key));
        self.stage.database.transact("forgive", forget).await.unwrap();
    }
}

#[tokio::test]
async fn many_at_once_do_not_use_a_code_twice() {
    let desk = desk().await;
    let (secret, _) = desk.enrolled().await;
    let code = desk.code(&secret, 0);
    let (one, other) = (desk.begun().await, desk.begun().await);
    let (one, other) = tokio::join!(desk.prove(&one, &code), desk.prove(&other, &code));
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1);
}

#[tokio::test]
async fn who_guesses_codes_waits() {
    let desk = desk().await;
    let (secret, _) = desk.enrolled().await;
    let begun = desk.begun().await;
    let right = desk.code(&secret, 0);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let mut refused = 0;
    while matches!(desk.prove(&begun, wrong).await, Err(SignInError::Wrong)) {
        refused += 1;
        assert!(refused < 20);
    }
    assert!(matches!(desk.prove(&begun, &right).await, Err(SignInError::Wait(1..))), "the right one is not looked at");
}

#[tokio::test]
async fn a_recovery_code_is_good_once_and_others_replace_it() {
    let desk = desk().await;
    let (secret, codes) = desk.enrolled().await;
    assert_eq!(codes.len(), RECOVERY_CODES);
    let begun = desk.begun().await;
    let lower = codes[0].expose().to_ascii_lowercase().replace('-', " ");
    assert!(desk.prove(&begun, &lower).await.is_ok());
    assert_eq!(desk.identity.second_factor(desk.user).unwrap().recovery_codes, Some(9));
    let begun = desk.begun().await;
    assert!(matches!(desk.prove(&begun, codes[0].expose()).await, Err(SignInError::Wrong)));
    let code = desk.code(&secret, 0);
    let newer = desk.factors.renew_recovery_codes(desk.user, &code, here()).await.unwrap();
    assert!(matches!(desk.prove(&begun, codes[1].expose()).await, Err(SignInError::Wrong)));
    assert!(desk.prove(&begun, newer[0].expose()).await.is_ok());
}

#[tokio::test]
async fn a_second_factor_comes_with_a_password_and_goes_with_a_code() {
    let desk = desk().await;
    let secret = desk.factors.draw();
    let code = desk.code(&secret, -1);
    let enrol = async |password: &str, secret: &str, code: &str| {
        let password = Password::new(password.to_owned());
        desk.factors.enrol(desk.user, &password, (secret, code), here()).await
    };
    for (password, secret, code) in [
        ("wrong", secret.expose(), code.as_str()),
        (PASSWORD, secret.expose(), "0"),
        (PASSWORD, "AAAA", code.as_str()),
        (PASSWORD, "", ""),
    ] {
        assert!(matches!(enrol(password, secret, code).await, Err(FactorError::Refused(SignInError::Wrong))));
    }
    assert_eq!(desk.identity.second_factor(desk.user).unwrap().recovery_codes, None);
    enrol(PASSWORD, secret.expose(), &code).await.unwrap();
    let code = desk.code(&secret, 0);
    assert!(matches!(enrol(PASSWORD, secret.expose(), &code).await, Err(FactorError::There)));
    desk.identity.require_second_factor(desk.stage.enterprise).await.unwrap();
    assert!(matches!(desk.factors.end(desk.user, &code, here()).await, Err(FactorError::Required)));
    desk.identity.waive_second_factor(desk.stage.enterprise).await.unwrap();
    desk.factors.end(desk.user, &code, here()).await.unwrap();
    let proven = desk.identity.prove_password("anna@example.org", &typed(), here()).await.unwrap();
    desk.session(&proven).await;
}

#[tokio::test]
async fn where_it_is_required_nobody_comes_in_without_one() {
    let desk = desk().await;
    desk.identity.require_second_factor(desk.stage.enterprise).await.unwrap();
    assert!(desk.identity.is_second_factor_required(desk.stage.enterprise).unwrap());
    let begun = desk.begun().await;
    assert!(matches!(desk.prove(&begun, "123456").await, Err(SignInError::Wrong)), "there is none to be right about");
    let secret = desk.factors.draw();
    let code = desk.code(&secret, 0);
    let (proven, codes) = desk.factors.enrol_begun(begun.expose(), secret.expose(), &code).await.unwrap();
    desk.session(&proven).await;
    assert_eq!(codes.len(), RECOVERY_CODES);
    // Who has shown a password alone gets no second one in its place.
    let begun = desk.begun().await;
    let other = desk.factors.draw();
    let code = desk.code(&other, 0);
    let refused = desk.factors.enrol_begun(begun.expose(), other.expose(), &code).await;
    assert!(matches!(refused, Err(FactorError::There)));
    assert!(desk.identity.reset_second_factor(desk.user).await.unwrap());
    assert!(!desk.identity.reset_second_factor(desk.user).await.unwrap());
    desk.factors.enrol_begun(begun.expose(), other.expose(), &code).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_that_waits_ends_with_the_password_and_the_user() {
    let desk = desk().await;
    let (secret, _) = desk.enrolled().await;
    let (first, begun) = (desk.begun().await, desk.begun().await);
    assert!(
        desk.identity.begun_sign_in("x").unwrap().is_none()
            && desk.identity.begun_sign_in(first.expose()).unwrap().is_some()
    );
    desk.identity.set_password(desk.user, &typed(), None).await.unwrap();
    assert!(desk.identity.begun_sign_in(begun.expose()).unwrap().is_none());
    let begun = desk.begun().await;
    let (user, at) = (desk.user, desk.stage.world.now());
    let change = UserChange { status: Some(UserStatus::Inactive), ..UserChange::default() };
    desk.stage.database.transact("deactivate", move |tx| update(tx, user, &change, at)).await.unwrap();
    assert!(matches!(desk.prove(&begun, &desk.code(&secret, 0)).await, Err(SignInError::Wrong)));
}

#[tokio::test]
async fn one_users_secret_is_nothing_in_anothers_place() {
    let desk = desk().await;
    let secret = [7; SECRET_BYTES];
    let sealed = desk.factors.seal(desk.user, &secret).unwrap();
    assert_eq!(desk.factors.open(desk.user, sealed.clone()).unwrap().as_slice(), secret);
    assert!(desk.factors.open(UserId::new(1), sealed.clone()).is_none());
    for index in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[index] ^= 1;
        assert!(desk.factors.open(desk.user, damaged).is_none(), "{index}");
    }
    assert!(desk.factors.open(desk.user, Vec::new()).is_none());
}
