//! Who asks, and tickets for those who cannot say so.
//!
//! A door hands over a request's headers and gets a [`Caller`], or hands over a ticket that it once gave out. What
//! credentials are and how tickets are signed is the business of identity; a door only words the refusal as its vendor
//! does.

use entente_identity::{Identity, Signer, Ticket, TicketError, Unauthenticated};
use entente_model::{Caller, ContentId, ItemName, UserId, VersionId};
use entente_world::World;
use http::{HeaderMap, header};
use std::time::Duration;

/// Knows callers and tickets. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    world: World,
    identity: Identity,
    signer: Signer,
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
        Self { world, identity, signer }
    }

    /// What answers token requests.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Who asks, by the one `Authorization` header. Two of them are as good as a malformed one.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Caller, Unauthenticated> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (value, None) => self.identity.authenticate_header(value.map(http::HeaderValue::as_bytes)),
            (_, Some(_)) => Err(Unauthenticated::Malformed),
        }
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
        self.signer.verify(ticket, self.world.now())
    }
}
