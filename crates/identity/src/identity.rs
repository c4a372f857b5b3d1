//! Tokens: issue, authenticate, revoke.

use crate::passwords::links::Shown;
use crate::secret::{is_well_formed, sha256};
use crate::{Error, Secret, Unauthenticated};
use entente_database::tokens::Token;
use entente_database::{Database, apps, authorizations, passwords, providers, second_factors, tokens, web_sessions};
use entente_model::{AppId, Caller, Scopes, Timestamp, TokenId, UserId, UserRole};
use entente_world::World;
use std::sync::Arc;
use std::time::Duration;

/// How many expired rows one transaction removes.
const REMOVED_MAX: u32 = 500;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Turns credentials into callers. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    pub(crate) world: World,
    pub(crate) database: Database,
    /// Passwords of links that were shown lately.
    pub(crate) shown: Arc<Shown>,
}

/// A token to be issued.
#[derive(Debug, Clone, Copy)]
pub struct IssueToken {
    /// Whose it will be.
    pub user: UserId,
    /// The application through which the user asks, if any.
    pub app: Option<AppId>,
    /// What it may be used for.
    pub scopes: Scopes,
    /// How long it lives.
    pub lifetime: Duration,
}

/// A token that was issued.
pub struct Issued {
    /// The secret, to be handed to its holder: it is stored nowhere.
    pub secret: Secret,
    /// Its id.
    pub token: TokenId,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

impl Identity {
    /// An identity over a database.
    #[must_use]
    pub fn new(world: World, database: Database) -> Self {
        Self { world, database, shown: Arc::default() }
    }

    /// Who asks with this bearer token. One short read; call it where you stand.
    pub fn authenticate(&self, token: &str) -> Result<Caller, Unauthenticated> {
        if !is_well_formed(token) {
            return Err(Unauthenticated::Malformed);
        }
        let digest = sha256(token);
        let held = self.database.read(|tx| tokens::held(tx, &digest)).map_err(Unauthenticated::Failed)?;
        let held = held.ok_or(Unauthenticated::Unknown)?;
        if held.expires_at <= self.world.now() {
            return Err(Unauthenticated::Expired);
        }
        Ok(held.caller)
    }

    /// The same, of the value of an `Authorization` header (RFC 6750): `Bearer`, in any case, and the token.
    pub fn authenticate_header(&self, header: Option<&[u8]>) -> Result<Caller, Unauthenticated> {
        let header = header.ok_or(Unauthenticated::Missing)?;
        let text = std::str::from_utf8(header).map_err(|_| Unauthenticated::Malformed)?;
        let (scheme, token) = text.trim().split_once(' ').ok_or(Unauthenticated::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Unauthenticated::Malformed);
        }
        self.authenticate(token.trim_start())
    }

    /// Issues a token. Durable when this returns.
    ///
    /// `UnknownUser` when there is no such active user.
    pub async fn issue(&self, issue: IssueToken) -> Result<Issued, Error> {
        let secret = Secret::random(self.world.random());
        let now = self.world.now();
        let token = Token {
            sha256: secret.sha256(),
            token: TokenId::new(self.world.next_id()),
            user: issue.user,
            app: issue.app,
            scopes: issue.scopes,
            confined: None,
            authorization: None,
            source: None,
            issued_at: now,
            expires_at: now.after(issue.lifetime),
        };
        self.database
            .transact("issue token", move |tx| {
                if tokens::caller(tx, token.user, token.app, token.scopes)?.is_none() {
                    return Err(Error::UnknownUser(token.user.to_string()));
                }
                Ok(tokens::add(tx, &token)?)
            })
            .await?;
        Ok(Issued { secret, token: token.token, expires_at: token.expires_at })
    }

    /// Makes a token worth nothing from now on. `false` when it is unknown, which is not an error.
    pub async fn revoke(&self, token: &str) -> Result<bool, Error> {
        if !is_well_formed(token) {
            return Ok(false);
        }
        let digest = sha256(token);
        Ok(self.database.transact("revoke token", move |tx| tokens::remove(tx, &digest)).await?)
    }

    /// Who `caller` becomes when asking on behalf of another user: only who administers the enterprise may, with a credential
    /// that is for that too, through an app only if that may act as users, only for active users of the enterprise, and a co-admin not for an admin. Never more
    /// than the credential is worth. `None` otherwise; the reasons are not told apart.
    pub fn on_behalf_of(&self, caller: &Caller, user: UserId) -> Result<Option<Caller>, Error> {
        // A weaker token of an administrator is not to see everybody's content.
        if !caller.role.administers() || !caller.scopes.contains(Scopes::ADMINISTER) {
            return Ok(None);
        }
        let (app, scopes) = (caller.app, caller.scopes);
        let other = self.database.read(|tx| {
            let may = match app {
                Some(app) => apps::by_id(tx, app)?.is_some_and(|app| app.acts_as_users),
                None => true,
            };
            if may { tokens::caller(tx, user, app, scopes) } else { Ok(None) }
        })?;
        let rises = |other: &Caller| other.role == UserRole::Admin && caller.role != UserRole::Admin;
        let other = other.filter(|other| other.enterprise == caller.enterprise && !rises(other));
        Ok(other.map(|other| Caller { confined: caller.confined, ..other }))
    }

    /// Removes some of what has expired: tokens, assertions, authorizations, codes, web sessions, and what was remembered of
    /// failures to sign in. Answers whether there may be more.
    pub async fn remove_expired(&self) -> Result<bool, Error> {
        let now = self.world.now();
        let day_ago = Timestamp::from_millis(now.millis() - DAY_MS);
        let removed = self.database.transact("remove expired credentials", move |tx| {
            let most = [
                tokens::remove_expired(tx, now, REMOVED_MAX)?,
                tokens::forget_assertions(tx, now, REMOVED_MAX)?,
                authorizations::remove_expired(tx, now, day_ago, REMOVED_MAX)?,
                web_sessions::remove_expired(tx, now, REMOVED_MAX)?,
                second_factors::remove_expired(tx, now, REMOVED_MAX)?,
                providers::remove_expired(tx, now, REMOVED_MAX)?,
                passwords::forget_failures(tx, day_ago, REMOVED_MAX)?,
            ];
            Ok::<_, entente_database::Error>(most.into_iter().max().unwrap_or(0))
        });
        Ok(removed.await? >= REMOVED_MAX as usize)
    }
}
