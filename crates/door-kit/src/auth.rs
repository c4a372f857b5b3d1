//! Who asks, and tickets for those who cannot say so.
//!
//! A door hands over a request's headers and gets a [`Caller`], or hands over a ticket that it once gave out. What
//! credentials are and how tickets are signed is the business of identity; a door only words the refusal as its vendor
//! does.

use crate::slowdown::Slowdown;
use data_encoding::BASE64;
use entente_identity::{Identity, Signer, Ticket, TicketError, Unauthenticated};
use entente_model::{Caller, ContentId, ItemName, Timestamp, UserId, VersionId};
use entente_world::World;
use http::{HeaderMap, HeaderValue, header};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// No content has this id: it tells a channel from a ticket for a download.
const NO_CONTENT: ContentId = ContentId::new(0);

/// Knows callers and tickets. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    world: World,
    identity: Identity,
    signer: Signer,
    slowdown: Arc<Slowdown>,
}

/// What a ticket is to allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketFor {
    /// The content to download.
    pub content: ContentId,
    /// The file version that it is downloaded as.
    pub version: VersionId,
    /// Who asks.
    pub user: UserId,
    /// The file's name.
    pub name: ItemName,
}

impl Auth {
    /// Over an identity, and the signer of its database.
    #[must_use]
    pub fn new(world: World, identity: Identity, signer: Signer) -> Self {
        Self { world, identity, signer, slowdown: Arc::new(Slowdown::new()) }
    }

    /// What answers token requests.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the clock shows, by which credentials expire.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// A moment that only grows, for counting what happens within a while.
    #[must_use]
    pub fn instant(&self) -> tokio::time::Instant {
        self.world.instant()
    }

    /// Who asks, by the one `Authorization` header. Two of them are as good as a malformed one.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Caller, Unauthenticated> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (value, None) => self.identity.authenticate_header(value.map(HeaderValue::as_bytes)),
            (_, Some(_)) => Err(Unauthenticated::Malformed),
        }
    }

    /// Who asks, by the one `Authorization` header: a bearer token, or a login with an app password or a token of that
    /// user (RFC 7617). After a few failures with one login from one address, each further one is answered later.
    pub async fn caller_or_basic(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, Unauthenticated> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return self.caller(headers) };
        let Some(encoded) = basic(value) else { return self.caller(headers) };
        let decoded = BASE64.decode(encoded.as_bytes()).map_err(|_| Unauthenticated::Malformed)?;
        let text = std::str::from_utf8(&decoded).map_err(|_| Unauthenticated::Malformed)?;
        let (login, password) = text.split_once(':').ok_or(Unauthenticated::Malformed)?;
        let outcome = self.identity.authenticate_basic(login, password).await;
        if let Err(Unauthenticated::Unknown | Unauthenticated::Expired | Unauthenticated::Malformed) = outcome {
            let pause = self.slowdown.failed(login, peer, self.world.instant());
            if !pause.is_zero() {
                self.world.sleep(pause).await;
            }
        }
        outcome
    }

    /// A text that allows one download for that long, to whoever has it. Only for what the tree has granted.
    #[must_use]
    pub fn ticket(&self, allowed: TicketFor, lifetime: Duration) -> String {
        let TicketFor { content, version, user, name } = allowed;
        let expires_at = self.world.now().after(lifetime);
        self.signer.sign(&Ticket { content, version, user, name, expires_at })
    }

    /// What a ticket allows now.
    pub fn redeem(&self, ticket: &str) -> Result<Ticket, TicketError> {
        let found = self.signer.verify(ticket, self.world.now())?;
        if found.content == NO_CONTENT { Err(TicketError::Forged) } else { Ok(found) }
    }

    /// A text that allows whoever has it to hear that there is news for a user, and nothing more, for that long.
    #[must_use]
    pub fn channel(&self, user: UserId, name: ItemName, lifetime: Duration) -> String {
        self.ticket(TicketFor { content: NO_CONTENT, version: VersionId::new(0), user, name }, lifetime)
    }

    /// For whom a channel is.
    pub fn tune_in(&self, channel: &str) -> Result<UserId, TicketError> {
        let found = self.signer.verify(channel, self.world.now())?;
        if found.content == NO_CONTENT { Ok(found.user) } else { Err(TicketError::Forged) }
    }
}

/// What follows `Basic` in a header, if that is its scheme.
fn basic(value: &HeaderValue) -> Option<&str> {
    let (scheme, encoded) = value.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then(|| encoded.trim())
}
