//! A first password, by a link: for whoever administers a new store, and has nothing yet to sign in with.

use super::{Password, PasswordError, check, put};
use crate::secret::{is_well_formed, sha256};
use crate::{Error, Identity, Secret};
use entente_database::users::{self, User, UserKind, UserStatus};
use entente_database::{Tx, password_links, passwords};
use entente_model::{Timestamp, UserId, WebSessionId};
use std::time::Duration;

/// How long the links are good that operators give out.
pub const PASSWORD_LINK_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a link does not set a password.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It was used, has expired, was followed by another, or never was one.
    #[error("the link is not good any more")]
    Stale,
    /// The password is not fit. The link stays good.
    #[error(transparent)]
    New(#[from] PasswordError),
    /// The database failed, or nothing could be computed. May be retried.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<entente_database::Error> for LinkError {
    fn from(error: entente_database::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Identity {
    /// The secret of a link by which an active person sets a password, whether they have one or not: for so long, once, and until
    /// they get one otherwise. The link before it is worth nothing any more. `UnknownUser`, and `Password` for whoever
    /// has none.
    pub async fn create_password_link(&self, user: UserId, lifetime: Duration) -> Result<Secret, Error> {
        let found = self.database.read(|tx| users::by_id(tx, user))?.filter(may_come_in);
        let found = found.ok_or_else(|| Error::UnknownUser(user.to_string()))?;
        if !matches!(found.kind, UserKind::Person | UserKind::External) {
            return Err(PasswordError::Kind.into());
        }
        let secret = Secret::random(self.world.random());
        let (digest, expires_at) = (secret.sha256(), self.world.now().after(lifetime));
        let set = move |tx: &mut Tx<'_>| password_links::set(tx, user, &digest, expires_at);
        self.database.transact("make password link", set).await?;
        Ok(secret)
    }

    /// Whether a user has a password.
    pub fn has_password(&self, user: UserId) -> Result<bool, Error> {
        Ok(self.database.read(|tx| passwords::hash(tx, user))?.is_some())
    }

    /// The login of whose link that is. `Stale`.
    pub fn password_link(&self, secret: &str) -> Result<String, LinkError> {
        let now = self.world.now();
        Ok(self.database.read(|tx| of_link(tx, secret, now))?.login)
    }

    /// Sets the password of whose link that is, and ends their web sessions. The link is worth nothing afterwards. Durable
    /// when this returns.
    pub async fn set_password_by_link(&self, secret: &str, password: &Password) -> Result<(), LinkError> {
        let now = self.world.now();
        let found = self.database.read(|tx| of_link(tx, secret, now))?;
        check(&password.0, &found.login)?;
        let hash = self.hash(password).await?;
        let secret = secret.to_owned();
        let set = move |tx: &mut Tx<'_>| {
            // Somebody may have been quicker.
            let found = of_link(tx, &secret, now)?;
            Ok(put(tx, &found, &hash, WebSessionId::new(0), now)?)
        };
        self.database.transact("set password by link", set).await
    }
}

fn of_link(tx: &mut Tx<'_>, secret: &str, now: Timestamp) -> Result<User, LinkError> {
    if !is_well_formed(secret) {
        return Err(LinkError::Stale);
    }
    let user = password_links::user(tx, &sha256(secret), now)?.ok_or(LinkError::Stale)?;
    users::by_id(tx, user)?.filter(may_come_in).ok_or(LinkError::Stale)
}

fn may_come_in(user: &User) -> bool {
    user.status != UserStatus::Inactive
}
