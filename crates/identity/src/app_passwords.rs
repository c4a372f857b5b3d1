//! App passwords: for programs that know nothing but a login and a password. Each is for one program, so that it can be
//! taken back alone.
//!
//! We make them, 124 random bits each; nobody can guess one, so what is kept is a plain SHA-256 of it. A slow hash is for
//! passwords that people think of; here it would only make each request slow.

use crate::secret::{is_well_formed, sha256};
use crate::users::name;
use crate::{Error, Identity, Secret, Unauthenticated};
use entente_database::app_passwords::{self, AppPassword};
use entente_database::{tokens, users};
use entente_model::{Caller, Scopes, TokenId, UserId, fold};
use entente_world::Random;

/// Letters and digits of a password.
const LENGTH: usize = 24;
/// They are shown in groups of so many.
const GROUP: usize = 4;
/// What they are made of.
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// Passwords in a list.
const LIST_MAX: u32 = 10_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A password to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAppPassword {
    /// Whose it will be.
    pub user: UserId,
    /// What it is for, in its user's words: 1 to 50 characters.
    pub label: String,
    /// What it may be used for.
    pub scopes: Scopes,
}

/// A password that was made.
pub struct CreatedAppPassword {
    /// Its id.
    pub id: TokenId,
    /// The password: it is stored nowhere.
    pub password: Secret,
}

impl Identity {
    /// Makes a password. Durable when this returns. `UnknownUser` when there is no such active user; `Name` when the label
    /// is not fit.
    pub async fn create_app_password(&self, new: NewAppPassword) -> Result<CreatedAppPassword, Error> {
        let letters = letters(self.world.random());
        let digest = sha256(&letters);
        let row = AppPassword {
            id: TokenId::new(self.world.next_id()),
            user: new.user,
            label: name(&new.label)?,
            scopes: new.scopes,
            created_at: self.world.now(),
            last_used_day: None,
        };
        let id = row.id;
        self.database
            .transact("create app password", move |tx| {
                if tokens::caller(tx, row.user, None, row.scopes)?.is_none() {
                    return Err(Error::UnknownUser(row.user.to_string()));
                }
                Ok(app_passwords::add(tx, &digest, &row)?)
            })
            .await?;
        Ok(CreatedAppPassword { id, password: Secret::kept(grouped(&letters)) })
    }

    /// A user's passwords, in the order in which they were made.
    pub async fn app_passwords(&self, user: UserId) -> Result<Vec<AppPassword>, Error> {
        Ok(self.database.read_long(move |tx| app_passwords::of_user(tx, user, LIST_MAX)).await?)
    }

    /// Makes a password worth nothing from now on. `false` when there is none with that id, which is not an error.
    pub async fn revoke_app_password(&self, id: TokenId) -> Result<bool, Error> {
        Ok(self.database.transact("revoke app password", move |tx| app_passwords::remove(tx, id)).await?)
    }

    /// Who asks with this login and this password: an app password of that user, with or without its hyphens, or one of
    /// the user's bearer tokens, for programs that cannot send them otherwise. One short read, and a write on the first
    /// use of a day.
    ///
    /// `Unknown` when the two do not belong together.
    pub async fn authenticate_basic(&self, login: &str, password: &str) -> Result<Caller, Unauthenticated> {
        if is_well_formed(password) {
            return self.by_token(login, password);
        }
        let digest = sha256(&letters_of(password).ok_or(Unauthenticated::Unknown)?);
        let held = self.database.read(|tx| app_passwords::held(tx, &digest)).map_err(Unauthenticated::Failed)?;
        let held = held.filter(|held| held.login_folded == fold(login)).ok_or(Unauthenticated::Unknown)?;
        let (id, today) = (held.id, self.world.now().millis().div_euclid(DAY_MS));
        if held.last_used_day != Some(today) {
            // When it was used is good to know, and nothing that a request should fail for.
            let noted = self.database.transact("note app password", move |tx| app_passwords::used(tx, id, today));
            let _ = noted.await;
        }
        Ok(held.caller)
    }

    fn by_token(&self, login: &str, token: &str) -> Result<Caller, Unauthenticated> {
        let caller = self.authenticate(token)?;
        let user = self.database.read(|tx| users::mini(tx, caller.user)).map_err(Unauthenticated::Failed)?;
        let is_theirs = user.is_some_and(|user| fold(&user.login) == fold(login));
        if is_theirs { Ok(caller) } else { Err(Unauthenticated::Unknown) }
    }
}

fn letters(random: &Random) -> String {
    let mut text = String::with_capacity(LENGTH);
    while text.len() < LENGTH {
        // The greatest multiple of 36 in a byte: bytes beyond it would favour some letters.
        let usable = random.bytes::<64>().into_iter().filter(|byte| *byte < 252);
        let letters = usable.filter_map(|byte| ALPHABET.get(usize::from(byte % 36)).copied().map(char::from));
        text.extend(letters.take(LENGTH - text.len()));
    }
    text
}

fn grouped(letters: &str) -> String {
    let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (index, letter) in letters.chars().enumerate() {
        if index > 0 && index % GROUP == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    text
}

/// The letters of what somebody typed or pasted, if it can be a password of ours at all.
fn letters_of(password: &str) -> Option<String> {
    if password.len() > 2 * LENGTH {
        return None;
    }
    let letters: String = password.chars().filter(|letter| !matches!(letter, '-' | ' ')).collect();
    let fits = letters.len() == LENGTH && letters.bytes().all(|byte| ALPHABET.contains(&byte));
    fits.then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::{NewAppPassword, grouped, letters, letters_of};
    use crate::{Error, Identity, IssueToken, Login, Unauthenticated};
    use entente_model::{Caller, Scopes, TokenId, UserId, UserRole};
    use entente_testkit::Stage;
    use entente_world::World;
    use std::time::Duration;

    #[test]
    fn a_password_is_known_with_and_without_hyphens() {
        let world = World::real();
        let text = letters(world.random());
        let shown = grouped(&text);
        assert_eq!((text.len(), shown.len(), shown.matches('-').count()), (24, 29, 5));
        assert_eq!(letters_of(&shown).as_deref(), Some(text.as_str()));
        assert_eq!(letters_of(&text).as_deref(), Some(text.as_str()));
        assert_ne!(text, letters(world.random()));
        for bad in ["", "short", &"x".repeat(25), &"X".repeat(24), &"é".repeat(12), &"-".repeat(400)] {
            assert_eq!(letters_of(bad), None, "{bad:?}");
        }
    }

    async fn stage() -> (Stage, Identity, UserId) {
        let stage = Stage::new().await;
        let identity = Identity::new(stage.world.clone(), stage.database.clone());
        let login = Login::new("Anna@example.org").expect("a login");
        let user = identity.create_user(stage.enterprise, login, "Anna", UserRole::User).await.expect("a user").id;
        (stage, identity, user)
    }

    fn outcome(outcome: Result<Caller, Unauthenticated>) -> Option<UserId> {
        outcome.ok().map(|caller| caller.user)
    }

    #[tokio::test]
    async fn a_password_is_its_users_until_it_is_taken_back() {
        let (_stage, identity, user) = stage().await;
        let new = NewAppPassword { user, label: "laptop".to_owned(), scopes: Scopes::READ };
        let made = identity.create_app_password(new).await.expect("a password");
        let password = made.password.expose();
        let caller = identity.authenticate_basic("anna@EXAMPLE.org", password).await.expect("a caller");
        assert_eq!((caller.user, caller.scopes), (user, Scopes::READ));
        assert_eq!(outcome(identity.authenticate_basic("ben@example.org", password).await), None);
        assert_eq!(outcome(identity.authenticate_basic("anna@example.org", &"a".repeat(24)).await), None);
        let listed = identity.app_passwords(user).await.expect("a list");
        assert_eq!((listed.len(), listed[0].label.as_str()), (1, "laptop"));
        assert!(listed[0].last_used_day.is_some());
        assert!(identity.revoke_app_password(made.id).await.expect("revoked"));
        assert!(!identity.revoke_app_password(made.id).await.expect("nothing to do"));
        assert_eq!(outcome(identity.authenticate_basic("anna@example.org", password).await), None);
    }

    #[tokio::test]
    async fn a_token_is_taken_as_a_password_with_its_users_login() {
        let (_stage, identity, user) = stage().await;
        let issue = IssueToken { user, app: None, scopes: Scopes::ALL, lifetime: Duration::from_secs(60) };
        let issued = identity.issue(issue).await.expect("a token");
        let token = issued.secret.expose();
        assert_eq!(outcome(identity.authenticate_basic("anna@example.org", token).await), Some(user));
        assert_eq!(outcome(identity.authenticate_basic("ben@example.org", token).await), None);
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        let (_stage, identity, user) = stage().await;
        let new = |user, label: &str| NewAppPassword { user, label: label.to_owned(), scopes: Scopes::ALL };
        let unknown = identity.create_app_password(new(UserId::new(7), "x")).await;
        assert!(matches!(unknown, Err(Error::UnknownUser(_))));
        assert!(matches!(identity.create_app_password(new(user, " ")).await, Err(Error::Name(_))));
        assert!(!identity.revoke_app_password(TokenId::new(7)).await.expect("nothing to do"));
    }
}
