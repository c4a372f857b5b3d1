//! Download tickets: texts in a URL that carry their own authorisation to one content, for a while. Their layout is
//! docs/formats/download-ticket.md.

use crate::Error;
use aws_lc_rs::{constant_time, hmac};
use data_encoding::BASE64URL_NOPAD;
use entente_custodians::{Custodian, KeyContext, SecretKey, WrappedKey};
use entente_database::{Database, settings};
use entente_model::{ContentId, EnterpriseId, EpochId, ItemName, NAME_BYTES_MAX, Timestamp, UserId, VersionId, ZoneId};
use entente_world::World;
use std::sync::Arc;

/// The setting that holds the wrapped key.
const SETTING: &str = "download key";
/// First byte of the setting: version, then the length of the key encryption key's name (2 bytes), the name, the rest.
const SETTING_VERSION: u8 = 1;
const TICKET_VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
/// Longer texts are not looked at.
const TEXT_BYTES_MAX: usize = (1 + 8 * 4 + 2 + NAME_BYTES_MAX + TAG_BYTES) * 4 / 3 + 4;
/// The key belongs to no enterprise, zone or epoch: no id is 0.
const CONTEXT: KeyContext =
    KeyContext { enterprise: EnterpriseId::new(0), zone: ZoneId::new(0), epoch: EpochId::new(0) };

/// What a ticket allows: to download this content as this file version, until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The content.
    pub content: ContentId,
    /// The file version that it was asked for as.
    pub version: VersionId,
    /// Who asked.
    pub user: UserId,
    /// The file's name at that time, for `Content-Disposition`.
    pub name: ItemName,
    /// From when on the ticket is worth nothing.
    pub expires_at: Timestamp,
}

/// Why a text is not a ticket. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// We never made it.
    #[error("not a ticket of ours")]
    Forged,
    /// It is worth nothing any more.
    #[error("the ticket has expired; ask for another")]
    Expired,
}

/// Signs tickets and knows its own again. Cheap to clone.
#[derive(Clone)]
pub struct Signer {
    key: Arc<hmac::Key>,
}

impl Signer {
    /// Fetches the key, making and storing one at first. Every node of a database has the same.
    ///
    /// `Custodian` when the stored key does not unwrap: then the custodian's key is not the one that this database
    /// was made with, which is worth finding out at start.
    pub async fn load(world: &World, database: &Database, custodian: &dyn Custodian) -> Result<Self, Error> {
        let key = kept_key(world, database, custodian, KeptKey { setting: SETTING, context: CONTEXT }).await?;
        Ok(Self::new(&key))
    }

    fn new(key: &SecretKey) -> Self {
        Self { key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, key.expose())) }
    }

    /// The ticket's text: letters, digits, `-` and `_`.
    #[must_use]
    pub fn sign(&self, ticket: &Ticket) -> String {
        let name = ticket.name.as_str().as_bytes();
        let mut bytes = Vec::with_capacity(1 + 8 * 4 + 2 + name.len() + TAG_BYTES);
        bytes.push(TICKET_VERSION);
        let numbers =
            [ticket.content.number(), ticket.version.number(), ticket.user.number(), ticket.expires_at.millis()];
        bytes.extend(numbers.into_iter().flat_map(i64::to_be_bytes));
        bytes.extend(u16::try_from(name.len()).unwrap_or(0).to_be_bytes());
        bytes.extend(name);
        let tag = hmac::sign(&self.key, &bytes);
        bytes.extend(tag.as_ref().iter().take(TAG_BYTES));
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// What a ticket allows. `Forged` for any text that this key did not sign, whatever is wrong with it.
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<Ticket, TicketError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(TicketError::Forged);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| TicketError::Forged)?;
        let (payload, tag) = bytes.split_last_chunk::<TAG_BYTES>().ok_or(TicketError::Forged)?;
        let expected = hmac::sign(&self.key, payload);
        let expected = expected.as_ref().first_chunk::<TAG_BYTES>().ok_or(TicketError::Forged)?;
        constant_time::verify_slices_are_equal(expected, tag).map_err(|_| TicketError::Forged)?;
        let ticket = decode(payload).ok_or(TicketError::Forged)?;
        if ticket.expires_at <= now {
            return Err(TicketError::Expired);
        }
        Ok(ticket)
    }
}

/// Reads what was signed by us: `None` cannot happen, unless an older or newer release signed it.
fn decode(payload: &[u8]) -> Option<Ticket> {
    let (version, rest) = payload.split_first()?;
    let (content, rest) = number(rest)?;
    let (file_version, rest) = number(rest)?;
    let (user, rest) = number(rest)?;
    let (expires_at, rest) = number(rest)?;
    let (length, name) = rest.split_first_chunk::<2>()?;
    if *version != TICKET_VERSION || usize::from(u16::from_be_bytes(*length)) != name.len() {
        return None;
    }
    Some(Ticket {
        content: ContentId::new(content),
        version: VersionId::new(file_version),
        user: UserId::new(user),
        name: ItemName::new(std::str::from_utf8(name).ok()?).ok()?,
        expires_at: Timestamp::from_millis(expires_at),
    })
}

fn number(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((i64::from_be_bytes(*number), rest))
}

/// A key of the whole database, and the setting in which it is kept, wrapped.
pub(crate) struct KeptKey {
    pub(crate) setting: &'static str,
    /// Differs for each, so that one cannot be put in another's place.
    pub(crate) context: KeyContext,
}

/// Fetches such a key, making and storing one at first. Every node of a database has the same.
pub(crate) async fn kept_key(
    world: &World,
    database: &Database,
    custodian: &dyn Custodian,
    kept: KeptKey,
) -> Result<SecretKey, Error> {
    let KeptKey { setting, context } = kept;
    let stored = match database.read(|tx| settings::value(tx, setting))? {
        Some(stored) => stored,
        None => {
            let wrapped = custodian.wrap(context, &SecretKey::random(world.random())).await?;
            let encoded = encode_setting(&wrapped).map_err(|_| Error::Setting(setting))?;
            // Another node may have been quicker; then its key stands.
            database.transact("keep a key", move |tx| settings::keep(tx, setting, &encoded)).await?
        }
    };
    let wrapped = decode_setting(&stored).map_err(|_| Error::Setting(setting))?;
    Ok(custodian.unwrap(context, &wrapped).await?)
}

fn encode_setting(wrapped: &WrappedKey) -> Result<Vec<u8>, Error> {
    let name = wrapped.key_encryption_key.as_bytes();
    let length = u16::try_from(name.len()).map_err(|_| Error::Setting(SETTING))?;
    Ok([&[SETTING_VERSION], length.to_be_bytes().as_slice(), name, &wrapped.bytes].concat())
}

fn decode_setting(stored: &[u8]) -> Result<WrappedKey, Error> {
    let read = || {
        let (version, rest) = stored.split_first()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (name, bytes) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let name = std::str::from_utf8(name).ok()?;
        (*version == SETTING_VERSION).then(|| WrappedKey { key_encryption_key: name.to_owned(), bytes: bytes.to_vec() })
    };
    read().ok_or(Error::Setting(SETTING))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN_TICKET: &str =
        "AQAAAAAAAAALAAAAAAAAABYAAAAAAAAAIQAAAAAAAAPoABLDnGJlcnNpY2h0ICgxKS5wZGapTsLk65-Dqb4zg1OKF5yk";

    fn ticket() -> Ticket {
        Ticket {
            content: ContentId::new(11),
            version: VersionId::new(22),
            user: UserId::new(33),
            name: ItemName::new("Übersicht (1).pdf").expect("valid"),
            expires_at: Timestamp::from_millis(1_000),
        }
    }

    #[test]
    fn a_ticket_is_known_again_until_it_expires() {
        let signer = Signer::new(&SecretKey::new([7; 32]));
        let text = signer.sign(&ticket());
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
        assert_eq!(signer.verify(&text, Timestamp::from_millis(999)), Ok(ticket()));
        assert_eq!(signer.verify(&text, Timestamp::from_millis(1_000)), Err(TicketError::Expired));
    }

    #[test]
    fn any_change_is_a_forgery() {
        let signer = Signer::new(&SecretKey::new([7; 32]));
        let text = signer.sign(&ticket());
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).expect("ours");
        let now = Timestamp::from_millis(0);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(signer.verify(&BASE64URL_NOPAD.encode(&changed), now), Err(TicketError::Forged), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(signer.verify(&BASE64URL_NOPAD.encode(&bytes[..length]), now), Err(TicketError::Forged));
        }
        let other = Signer::new(&SecretKey::new([8; 32]));
        assert_eq!(other.verify(&text, now), Err(TicketError::Forged));
        for odd in ["", "!", "é", &"A".repeat(5_000)] {
            assert_eq!(signer.verify(odd, now), Err(TicketError::Forged));
        }
    }

    #[tokio::test]
    async fn every_node_has_the_same_key_and_another_custodian_none() {
        use entente_custodians::local::LocalCustodian;
        let (scratch, world) = (entente_testkit::Scratch::new(), World::real());
        let database = scratch.open(&world);
        let custodian = LocalCustodian::in_memory(world.clone());
        let first = Signer::load(&world, &database, &custodian).await.expect("a key");
        let second = Signer::load(&world, &database, &custodian).await.expect("the same key");
        assert_eq!(second.verify(&first.sign(&ticket()), Timestamp::from_millis(0)), Ok(ticket()));
        let other = LocalCustodian::in_memory(world.clone());
        let Err(error) = Signer::load(&world, &database, &other).await else { panic!("the wrong key is accepted") };
        let message = error.to_string();
        assert!(message.contains(&custodian.current_key()) && message.contains(&other.current_key()), "{message}");
    }

    /// docs/formats/download-ticket.md: these bytes stay as they are for ever.
    #[test]
    fn golden_ticket_and_setting() {
        let signer = Signer::new(&SecretKey::new([7; 32]));
        assert_eq!(signer.sign(&ticket()), GOLDEN_TICKET);
        assert_eq!(signer.verify(GOLDEN_TICKET, Timestamp::from_millis(0)), Ok(ticket()));
        let wrapped = WrappedKey { key_encryption_key: "local:abcd".to_owned(), bytes: vec![1, 2, 3] };
        let golden = b"\x01\x00\x0alocal:abcd\x01\x02\x03";
        assert_eq!(encode_setting(&wrapped).expect("short"), golden);
        assert_eq!(decode_setting(golden).expect("ours"), wrapped);
    }

    #[test]
    fn a_setting_goes_to_bytes_and_back() {
        let wrapped = WrappedKey { key_encryption_key: "local:abcd".to_owned(), bytes: vec![1, 2, 3] };
        let encoded = encode_setting(&wrapped).expect("short");
        assert_eq!(decode_setting(&encoded).expect("ours"), wrapped);
        assert!(decode_setting(&[]).is_err() && decode_setting(&encoded[..8]).is_err());
    }
}
