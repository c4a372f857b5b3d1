//! Keys that customers bring along with each request, and that nobody keeps. docs/formats/segment.md has the derivation.
//!
//! The chunks of such a content are sealed with HMAC-SHA-256 of its data key under the customer's key, in the place of the
//! data key alone. So neither opens anything without the other: whoever has the customer's key still needs the zone's
//! custodian, and whoever has that still needs the customer. What upkeep does with wrapped keys and sealed bytes stays as it
//! is.

use crate::{Error, Vault};
use aws_lc_rs::{constant_time, hmac};
use entente_custodians::SecretKey;
use entente_model::{CustomerCheck, Manifest};
use zeroize::Zeroizing;

const KEY_DOMAIN: &[u8] = b"entente customer key 1\0";
const CHECK_DOMAIN: &[u8] = b"entente customer check 1\0";
const MARK_DOMAIN: &[u8] = b"entente customer mark 1\0";

const SALT_BYTES: usize = 16;
const HMAC_BYTES: usize = 32;

/// A key that a customer has sent along. Neither printed nor copied, and wiped when dropped: it is held for as long as the
/// request needs it, and no longer.
pub struct CustomerKey(SecretKey);

/// What tells a customer's key from others where nothing has been sealed with it yet. Salted, so that it does not tell
/// which of them are of one key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CustomerMark([u8; SALT_BYTES + HMAC_BYTES]);

impl std::fmt::Debug for CustomerMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomerMark(..)")
    }
}

impl CustomerMark {
    /// As it is stored.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; SALT_BYTES + HMAC_BYTES] {
        &self.0
    }

    /// Reads what [`CustomerMark::bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; SALT_BYTES + HMAC_BYTES]) -> Self {
        Self(bytes)
    }
}

impl CustomerKey {
    /// Takes the bytes over. The caller wipes any copy of its own.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(SecretKey::new(bytes))
    }

    /// Whether it is the same key. Takes the same time whatever the answer.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.expose(), other.0.expose()).is_ok()
    }

    /// A mark under a fresh salt.
    #[must_use]
    pub fn mark(&self, salt: [u8; SALT_BYTES]) -> CustomerMark {
        let mut mark = [0; SALT_BYTES + HMAC_BYTES];
        let (salted, marked) = mark.split_at_mut(SALT_BYTES);
        salted.copy_from_slice(&salt);
        marked.copy_from_slice(&self.marked(&salt));
        CustomerMark(mark)
    }

    /// Whether the mark is of this key. Takes the same time whatever the answer.
    #[must_use]
    pub fn has_made(&self, mark: &CustomerMark) -> bool {
        let (salt, marked) = mark.0.split_at(SALT_BYTES);
        constant_time::verify_slices_are_equal(marked, &self.marked(salt)).is_ok()
    }

    /// What seals the chunks of a content with this data key.
    pub(crate) fn sealing_key(&self, data_key: &SecretKey) -> SecretKey {
        SecretKey::new(*tagged(&self.0, KEY_DOMAIN, data_key.expose()))
    }

    fn marked(&self, salt: &[u8]) -> [u8; HMAC_BYTES] {
        *tagged(&self.0, MARK_DOMAIN, salt)
    }
}

/// The check of a key that seals chunks.
pub(crate) fn check_of(sealing_key: &SecretKey) -> CustomerCheck {
    CustomerCheck(*tagged(sealing_key, CHECK_DOMAIN, &[]))
}

fn tagged(key: &SecretKey, domain: &[u8], message: &[u8]) -> Zeroizing<[u8; HMAC_BYTES]> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
    context.update(domain);
    context.update(message);
    let mut bytes = Zeroizing::new([0; HMAC_BYTES]);
    bytes.copy_from_slice(context.sign().as_ref());
    bytes
}

impl Vault {
    /// Whether a customer's key is the one that a content with chunks was sealed with; of a content that no customer's key
    /// has sealed, whether there is none. Nothing of the content is read.
    ///
    /// `KeyNeeded`, `WrongKey`, `KeyUnused`; the errors of custodians and the ledger, which may be retried.
    pub async fn check_customer(&self, manifest: &Manifest, key: Option<&CustomerKey>) -> Result<(), Error> {
        match (&manifest.customer, key) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Error::KeyUnused),
            (Some(_), None) => Err(Error::KeyNeeded(manifest.content)),
            (Some(_), Some(_)) => self.sealing_key(manifest, key).await.map(drop),
        }
    }

    /// What seals the chunks of a content. `KeyNeeded`, `WrongKey`. A key that it was not sealed with is passed over when no
    /// customer's has sealed it.
    pub(crate) async fn sealing_key(&self, manifest: &Manifest, key: Option<&CustomerKey>) -> Result<SecretKey, Error> {
        let Some(CustomerCheck(check)) = &manifest.customer else { return self.inner.keys.data_key(manifest).await };
        let key = key.ok_or(Error::KeyNeeded(manifest.content))?;
        let sealing_key = key.sealing_key(&self.inner.keys.data_key(manifest).await?);
        match constant_time::verify_slices_are_equal(&check_of(&sealing_key).0, check) {
            Ok(()) => Ok(sealing_key),
            Err(_) => Err(Error::WrongKey(manifest.content)),
        }
    }

    /// A mark of a customer's key under a salt of its own.
    #[must_use]
    pub fn mark(&self, key: &CustomerKey) -> CustomerMark {
        key.mark(self.inner.world.random().bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8) -> CustomerKey {
        CustomerKey::new(std::array::from_fn(|i| first.wrapping_add(u8::try_from(i).unwrap())))
    }

    fn data_key(byte: u8) -> SecretKey {
        SecretKey::new([byte; 32])
    }

    #[test]
    fn both_keys_count() {
        let of = |customer: &CustomerKey, data_key: &SecretKey| *customer.sealing_key(data_key).expose();
        let one = of(&key(1), &data_key(1));
        assert_eq!(one, of(&key(1), &data_key(1)));
        assert_ne!(one, of(&key(2), &data_key(1)));
        assert_ne!(one, of(&key(1), &data_key(2)));
    }

    #[test]
    fn a_mark_is_of_one_key_and_tells_no_two_apart() {
        let (one, again) = (key(1).mark([1; 16]), key(1).mark([2; 16]));
        assert_ne!(one.bytes()[16..], again.bytes()[16..]);
        assert!(key(1).has_made(&one) && key(1).has_made(&again));
        assert!(!key(2).has_made(&one));
        assert!(key(1).has_made(&CustomerMark::from_bytes(*one.bytes())));
        assert!(key(1).is_same(&key(1)) && !key(1).is_same(&key(2)));
    }

    /// What is derived from keys, for ever: a change here is a change of format.
    #[test]
    fn golden_keys() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let sealing_key = key(0).sealing_key(&data_key(7));
        let check = check_of(&sealing_key);
        let mark = key(0).mark([5; 16]);
        let lines = [hex(sealing_key.expose()), hex(&check.0), hex(mark.bytes())];
        insta::assert_snapshot!(lines.join("\n"));
    }
}
