//! Contents that only their customer can open: whoever reads one brings the customer's key along, and nobody keeps it.
//! Everything that needs no bytes (names, folders, copies by reference, the trash) is as with any other.
//!
//! Nothing is kept of such a content that says what is in it: no digest, no checksum, and an entity tag that is drawn.

use super::Content;
use crate::paths::Finished;
use crate::{Error, Tree};
use entente_database::facts::Facts;
use entente_database::{contents, pieces};
use entente_model::{Manifest, Md5};
use entente_vault::{CustomerKey, CustomerMark};
use std::sync::Arc;

impl Content {
    /// Whether only its customer can open it.
    #[must_use]
    pub fn is_customers(&self) -> bool {
        self.manifest.customer.is_some()
    }

    /// Whether it may stand for what is sealed with this customer's key, or with none: of one that only its customer can
    /// open, if it was given that key.
    #[must_use]
    pub fn is_sealed_with(&self, key: Option<&CustomerKey>) -> bool {
        match (self.is_customers(), &self.key, key) {
            (false, _, None) => true,
            (true, Some(given), Some(key)) => given.is_same(key),
            _ => false,
        }
    }
}

impl Tree {
    /// A content that is read with a customer's key, if it is to be read with one: what was opened is given back when the key
    /// is the right one, or none is needed and none is there.
    ///
    /// `KeyNeeded`, `WrongKey`, `KeyUnused`; `NotFound` when it was purged meanwhile; `Unavailable` when a custodian is.
    pub async fn with_key(&self, mut content: Content, key: Option<Arc<CustomerKey>>) -> Result<Content, Error> {
        if key.is_none() && !content.is_customers() {
            return Ok(content);
        }
        if content.is_of_pieces() && content.is_customers() {
            // One key has sealed all of them.
            self.vault.check_customer(&self.first_source(&content)?, key.as_deref()).await?;
        } else {
            self.vault.check_customer(&content.manifest, key.as_deref()).await?;
        }
        content.key = key;
        Ok(content)
    }

    /// What the first piece of a content of pieces is of.
    fn first_source(&self, content: &Content) -> Result<Manifest, Error> {
        self.database.read(|tx| {
            let first = pieces::of(tx, content.id(), 0, 1)?.first().copied().ok_or(Error::NotFound)?;
            contents::by_id(tx, first.source)?.ok_or(Error::NotFound)
        })
    }

    /// Takes away what would say what is in a content that only its customer can open, and draws its entity tag.
    pub(crate) fn conceal(&self, finished: Finished) -> Finished {
        let Finished { facts, .. } = finished;
        let etag = facts.etag.or_else(|| Some(Md5(self.drawn_tag()).to_string()));
        Finished { md5: None, facts: Facts { etag, checksum: None, ..facts } }
    }

    /// What is called like an MD5 and is none.
    pub(crate) fn drawn_tag(&self) -> [u8; 16] {
        self.world.random().bytes()
    }
}

/// Whether the parts of an upload are sealed with this key. `KeyNeeded`, `WrongKey`, `KeyUnused`.
pub(crate) fn check_mark(mark: Option<&CustomerMark>, key: Option<&CustomerKey>) -> Result<(), Error> {
    match (mark, key) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(Error::KeyNeeded),
        (None, Some(_)) => Err(Error::KeyUnused),
        (Some(mark), Some(key)) if key.has_made(mark) => Ok(()),
        (Some(_), Some(_)) => Err(Error::WrongKey),
    }
}
