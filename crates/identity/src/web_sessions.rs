//! Browsers in which somebody has signed in.
//!
//! A cookie of 256 random bits stands for the session; what forms must carry besides is made of the cookie, so that only a
//! page of ours knows it.

use crate::secret::{is_well_formed, sha256};
use crate::users::told;
use crate::{Error, Identity, Proven, Secret};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::BASE64URL_NOPAD;
use entente_database::events::{self, EventKind};
use entente_database::{second_factors, tokens, users, web_sessions};
use entente_model::{EventId, Scopes, UserId, WebSessionId};
use std::net::IpAddr;
use std::time::Duration;

pub use entente_database::web_sessions::WebSession;

/// After so long without a request it has ended.
const IDLE_MAX: Duration = Duration::from_secs(8 * 60 * 60);
/// How long it lasts, however much it is used.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How exactly its last use is known.
const SEEN_EVERY: Duration = Duration::from_secs(60);
/// Characters that are kept of what a browser calls itself.
const PROGRAM_LETTERS_MAX: usize = 200;
/// Sessions of one user. Another one ends the oldest.
const SESSIONS_MAX: u32 = 100;

impl Identity {
    /// Signs somebody in: a new cookie for a new session, whatever the browser had before. Durable when this returns.
    /// `UnknownUser` when the user has been made inactive meanwhile; `SecondFactor` when they have shown no code and have a
    /// second factor, or their enterprise requires one.
    pub async fn begin_web_session(&self, proven: &Proven, program: &str, address: IpAddr) -> Result<Secret, Error> {
        let cookie = Secret::random(self.world.random());
        let (digest, now, has_shown_code) = (cookie.sha256(), self.world.now(), proven.has_shown_code);
        let event = EventId::new(self.world.next_id());
        let session = WebSession {
            id: WebSessionId::new(self.world.next_id()),
            user: proven.user,
            program: program.chars().filter(|letter| !letter.is_control()).take(PROGRAM_LETTERS_MAX).collect(),
            address: address.to_canonical().to_string(),
            signed_in_at: now,
            seen_at: now,
            expires_at: now.after(LIFETIME),
        };
        self.database
            .transact("begin web session", move |tx| {
                if tokens::caller(tx, session.user, None, Scopes::NONE)?.is_none() {
                    return Err(Error::UnknownUser(session.user.to_string()));
                }
                let is_enough = has_shown_code
                    || (second_factors::of_user(tx, session.user)?.is_none()
                        && !second_factors::is_required_of(tx, session.user)?);
                if !is_enough {
                    return Err(Error::SecondFactor);
                }
                let others = web_sessions::of_user(tx, session.user, SESSIONS_MAX)?;
                if others.len() >= SESSIONS_MAX as usize
                    && let Some(oldest) = others.first()
                {
                    web_sessions::end_by_id(tx, session.user, oldest.id)?;
                }
                web_sessions::add(tx, &digest, &session)?;
                // Whoever is let in has just been found.
                if let Some(user) = users::by_id(tx, session.user)? {
                    events::record_other(tx, &told(event, EventKind::SignedIn, &user, user.id, now))?;
                }
                Ok(())
            })
            .await?;
        Ok(cookie)
    }

    /// Whose browser has that cookie: `None` when the session has ended, its user is not active, or there never was one.
    pub async fn web_session(&self, cookie: &str) -> Result<Option<WebSession>, Error> {
        if !is_well_formed(cookie) {
            return Ok(None);
        }
        let (digest, now) = (sha256(cookie), self.world.now());
        let Some(session) = self.database.read(|tx| web_sessions::held(tx, &digest))? else { return Ok(None) };
        if session.expires_at <= now || session.seen_at.after(IDLE_MAX) <= now {
            return Ok(None);
        }
        if session.seen_at.after(SEEN_EVERY) <= now {
            self.database.transact("note web session", move |tx| web_sessions::seen(tx, &digest, now)).await?;
        }
        Ok(Some(session))
    }

    /// The login of whoever has signed in.
    pub fn signed_in_login(&self, session: &WebSession) -> Result<String, Error> {
        self.login_of(session.user)
    }

    /// The login of a user. `UnknownUser` when there is none such.
    pub fn login_of(&self, user: UserId) -> Result<String, Error> {
        let found = self.database.read(|tx| users::mini(tx, user))?;
        Ok(found.ok_or_else(|| Error::UnknownUser(user.to_string()))?.login)
    }

    /// The sessions of a user, in the order in which they began, those too that have ended by being left alone.
    pub async fn web_sessions(&self, user: UserId) -> Result<Vec<WebSession>, Error> {
        Ok(self.database.read_long(move |tx| web_sessions::of_user(tx, user, SESSIONS_MAX)).await?)
    }

    /// Signs a browser out. `false` when nobody was signed in, which is not an error.
    pub async fn end_web_session(&self, cookie: &str) -> Result<bool, Error> {
        let digest = sha256(cookie);
        Ok(self.database.transact("end web session", move |tx| web_sessions::end(tx, &digest)).await?)
    }

    /// Signs another browser of a user out. `false` when it is not one of theirs, which is not an error.
    pub async fn end_web_session_of(&self, user: UserId, session: WebSessionId) -> Result<bool, Error> {
        let end = move |tx: &mut entente_database::Tx<'_>| web_sessions::end_by_id(tx, user, session);
        Ok(self.database.transact("end web session", end).await?)
    }

    /// A secret for the cookie of a browser in which nobody has signed in yet.
    #[must_use]
    pub fn form_cookie(&self) -> Secret {
        Secret::random(self.world.random())
    }
}

/// What the forms carry that a browser with that cookie is shown.
#[must_use]
pub fn form_token(cookie: &str) -> String {
    BASE64URL_NOPAD.encode(&sha256(&format!("form\n{cookie}")).0)
}

/// Whether a form that came back was shown to the browser with that cookie.
#[must_use]
pub fn is_form_token(cookie: &str, token: &str) -> bool {
    is_well_formed(cookie) && verify_slices_are_equal(form_token(cookie).as_bytes(), token.as_bytes()).is_ok()
}
