//! Logins, and the users that are known by them.

use crate::{Error, Identity};
use entente_database::events::{self, EventKind, NewOtherEvent};
use entente_database::users::{self, NewUser, User, UserFilter, UsersFrom};
use entente_database::{ErrorKind, Tx, users::UserStatus};
use entente_model::{EnterpriseId, EventId, Timestamp, UserId, UserRole};
use std::fmt;

/// The longest login, in bytes: the longest address that mail can reach.
const LOGIN_BYTES_MAX: usize = 254;
/// The longest name of a user, in characters.
const NAME_LETTERS_MAX: usize = 50;

/// The text cannot be a login. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a login is a mail address of at most {LOGIN_BYTES_MAX} bytes, without spaces and control characters")]
pub struct LoginError;

/// What a user signs in with: a mail address. Unique without regard to case.
#[derive(Clone, PartialEq, Eq)]
pub struct Login(String);

impl Login {
    /// Checks the text once. Whether mail reaches the address is another matter.
    pub fn new(text: impl Into<String>) -> Result<Self, LoginError> {
        let text = text.into();
        let (local, domain) = text.rsplit_once('@').ok_or(LoginError)?;
        let odd = |letter: char| {
            letter.is_whitespace() || letter.is_control() || matches!(letter, '<' | '>' | ',' | '"') || misleads(letter)
        };
        let domain_is_fit = domain.split('.').all(|label| !label.is_empty()) && !domain.contains(['/', '@', ':']);
        if local.is_empty() || !domain_is_fit || text.len() > LOGIN_BYTES_MAX || text.chars().any(odd) {
            return Err(LoginError);
        }
        Ok(Self(text))
    }

    /// The login as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a letter cannot be seen, turns others round, or stands for a dot or an at sign: two logins that have nothing else
/// apart look alike.
const fn misleads(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2024}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3002}' | '\u{fe52}' | '\u{fe6b}' | '\u{feff}' | '\u{ff0e}' | '\u{ff20}' | '\u{ff61}'
    )
}

/// Logins do not belong in logs.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({} bytes)", self.0.len())
    }
}

/// A name of a user or an application, checked.
pub(crate) fn name(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > NAME_LETTERS_MAX || text.chars().any(char::is_control) {
        return Err(Error::Name(NAME_LETTERS_MAX));
    }
    Ok(text.to_owned())
}

/// What has happened to a user, to be recorded. `by` is 0 for an operator.
pub(crate) fn told(id: EventId, kind: EventKind, user: &User, by: UserId, at: Timestamp) -> NewOtherEvent<'_> {
    NewOtherEvent {
        id,
        enterprise: user.enterprise,
        user: by,
        kind,
        subject: user.id.number(),
        name: &user.name,
        other: Some((UserId::new(0), &user.login)),
        at,
    }
}

impl Identity {
    /// Makes a person. `LoginTaken` when another user has the login, `Name` when the name is not fit.
    pub async fn create_user(
        &self,
        enterprise: EnterpriseId,
        login: Login,
        called: &str,
        role: UserRole,
    ) -> Result<User, Error> {
        let mut new = NewUser::new(&self.world, enterprise, login.0, name(called)?);
        new.role = role;
        let (taken, event) = (new.login.clone(), EventId::new(self.world.next_id()));
        let make = move |tx: &mut Tx<'_>| match users::by_login(tx, &new.login)? {
            // Perhaps it is only another address of somebody's.
            Some(_) => Err(entente_database::Error::new(ErrorKind::Duplicate, "the login is taken")),
            None => {
                let made = users::create_user(tx, &new)?;
                events::record_other(tx, &told(event, EventKind::UserMade, &made, UserId::new(0), new.at))?;
                Ok(made)
            }
        };
        let made = self.database.transact("create user", make).await;
        made.map_err(|error| match error.kind {
            ErrorKind::Duplicate => Error::LoginTaken(taken),
            _ => Error::Database(error),
        })
    }

    /// The active user with that login, without regard to case. `UnknownUser` when there is none.
    pub fn user_by_login(&self, login: &str) -> Result<User, Error> {
        let found = self.database.read(|tx| users::by_login(tx, login))?;
        found.filter(|user| user.status == UserStatus::Active).ok_or_else(|| Error::UnknownUser(login.to_owned()))
    }

    /// Users of an enterprise, in order of ids.
    pub async fn users(&self, enterprise: EnterpriseId, offset: u32, limit: u32) -> Result<Vec<User>, Error> {
        let filter = UserFilter::all(enterprise);
        Ok(self.database.read_long(move |tx| users::list(tx, &filter, UsersFrom::Offset(offset), limit)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Login, LoginError};

    #[test]
    fn a_login_looks_like_a_mail_address() {
        for good in ["admin@entente.local", "a.b+c@x", "ünï@exämple.org", "\'o@x.y"] {
            assert!(Login::new(good).is_ok(), "{good}");
        }
        let long = format!("{}@x.org", "a".repeat(250));
        for bad in [
            "",
            "admin",
            "@x",
            "a@",
            "a b@x",
            "a@x..y",
            "a@.x",
            "a@x/y",
            "<a@x>",
            "a@x\n",
            &long,
            "a@x\u{ff0e}y",
            "a\u{200b}@x.y",
            "a\u{202e}@x.y",
            "a\u{ff20}b@x",
            "a@x\u{3002}y",
            "a\r\n@x",
        ] {
            assert_eq!(Login::new(bad).err(), Some(LoginError), "{bad}");
        }
    }
}
