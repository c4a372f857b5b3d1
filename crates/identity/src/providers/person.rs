//! Who of the enterprise is meant by somebody for whom its provider vouches.

use super::id_token::Person;
use super::{ProviderError, Providers};
use crate::Login;
use crate::secret::sha256;
use crate::users::told;
use entente_database::events::{self, EventKind};
use entente_database::providers::{self, Provider};
use entente_database::users::{self, NewUser, UserKind};
use entente_database::{Tx, tokens};
use entente_model::{EventId, Scopes, Sha256, Timestamp, UserId};

/// Characters of a user's name.
const NAME_LETTERS_MAX: usize = 50;

/// What is known of somebody before the database is asked.
struct Meant {
    subject: Sha256,
    provider: Sha256,
    login: Option<Login>,
    /// Somebody to be made if nobody is there.
    new: Option<NewUser>,
    /// What is told of that.
    event: EventId,
}

impl Providers {
    /// The user that is meant: by the subject, if it is known; else by a mail address that the provider vouches for, and the
    /// subject is known from then on. Who is not there is made if the provider's setting says so. `NotMeant` otherwise.
    pub(super) async fn meant(&self, stored: &Provider, person: Person) -> Result<UserId, ProviderError> {
        let Provider { enterprise, issuer, .. } = stored;
        let login = person.email.and_then(|email| Login::new(email).ok());
        let new = login.as_ref().filter(|_| stored.makes_users).map(|login| {
            let name = person.name.as_deref().unwrap_or("");
            let plain: String = name.trim().chars().filter(|one| !one.is_control()).take(NAME_LETTERS_MAX).collect();
            // Somebody without a name is called by what stands before the at sign.
            let before = login.as_str().split('@').next().unwrap_or("").chars().take(NAME_LETTERS_MAX).collect();
            let name = crate::users::name(&plain).unwrap_or(before);
            NewUser::new(&self.identity.world, *enterprise, login.as_str(), name)
        });
        let meant = Meant {
            subject: sha256(&format!("subject\n{enterprise}\n{issuer}\n{}", person.subject)),
            provider: sha256(&format!("provider\n{enterprise}\n{issuer}")),
            login,
            new,
            event: EventId::new(self.identity.world.next_id()),
        };
        let (stored, now) = (stored.clone(), self.identity.world.now());
        let find = move |tx: &mut Tx<'_>| find(tx, &stored, &meant, now);
        self.identity.database.transact("find who is meant", find).await
    }
}

fn find(tx: &mut Tx<'_>, stored: &Provider, meant: &Meant, now: Timestamp) -> Result<UserId, ProviderError> {
    if let Some(user) = providers::subject(tx, &meant.subject)? {
        return active(tx, stored, user);
    }
    let login = meant.login.as_ref().ok_or(ProviderError::NotMeant("it vouches for no mail address"))?;
    let user = match users::by_login(tx, login.as_str())? {
        Some(found) if found.kind == UserKind::Person => active(tx, stored, found.id)?,
        Some(_) => return Err(ProviderError::NotMeant("the address is not of a person of the enterprise")),
        None => {
            let new = meant.new.as_ref().ok_or(ProviderError::NotMeant("nobody has the address"))?;
            let made = users::create_user(tx, new)?;
            events::record_other(tx, &told(meant.event, EventKind::UserMade, &made, made.id, now))?;
            made.id
        }
    };
    // An address that goes to somebody else at the provider does not hand over what is the first one's.
    if providers::is_bound(tx, user, &meant.provider)? {
        return Err(ProviderError::NotMeant("the address is of somebody who has another subject"));
    }
    providers::bind(tx, &meant.subject, user, &meant.provider, now)?;
    Ok(user)
}

/// The user, if they are of the provider's enterprise and may come in.
fn active(tx: &mut Tx<'_>, stored: &Provider, user: UserId) -> Result<UserId, ProviderError> {
    let caller = tokens::caller(tx, user, None, Scopes::NONE)?;
    let is_meant = caller.is_some_and(|caller| caller.enterprise == stored.enterprise);
    if is_meant { Ok(user) } else { Err(ProviderError::NotMeant("the user may not come in")) }
}
