//! Secrets that clients hold: what they look like, and the digest by which we know them.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use entente_model::Sha256;
use entente_world::Random;
use zeroize::Zeroizing;

/// Characters of a secret of 256 bits in base64url.
const TEXT_LENGTH: usize = 43;
/// What ids of clients are made of.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A secret on its way to the client that will hold it. Neither printed nor copied; wiped when dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// 256 random bits, as 43 characters that need no quoting anywhere.
    pub(crate) fn random(random: &Random) -> Self {
        let bytes = Zeroizing::new(random.bytes::<32>());
        Self(Zeroizing::new(BASE64URL_NOPAD.encode(bytes.as_slice())))
    }

    /// That many random letters and digits.
    pub(crate) fn letters(random: &Random, count: usize) -> Self {
        Self(Zeroizing::new(letters(random, count)))
    }

    /// A secret that somebody else made, such as a provider of ours.
    #[must_use]
    pub fn given(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A secret that was kept.
    pub(crate) fn kept(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, to be handed to its holder.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What we remember of it. A random secret of 256 bits needs no salt and no slow hash.
    pub(crate) fn sha256(&self) -> Sha256 {
        sha256(&self.0)
    }
}

/// Whether the text can be a secret of ours at all.
pub(crate) fn is_well_formed(text: &str) -> bool {
    text.len() == TEXT_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

pub(crate) fn sha256(text: &str) -> Sha256 {
    // A SHA-256 always has 32 bytes.
    Sha256::from_slice(digest(&SHA256, text.as_bytes()).as_ref()).unwrap_or(Sha256([0; 32]))
}

/// That many random letters and digits, each of 62 equally likely.
pub(crate) fn letters(random: &Random, count: usize) -> String {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        // The greatest multiple of 62 in a byte: bytes beyond it would favour some letters.
        let usable = random.bytes::<64>().into_iter().filter(|byte| *byte < 248);
        let letters = usable.filter_map(|byte| ALPHABET.get(usize::from(byte % 62)).copied().map(char::from));
        text.extend(letters.take(count - text.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{is_well_formed, letters, sha256};
    use entente_world::World;

    #[test]
    fn a_secret_is_well_formed_and_known_by_its_digest() {
        let world = World::real();
        let secret = super::Secret::random(world.random());
        assert!(is_well_formed(secret.expose()));
        assert_eq!(secret.sha256(), sha256(secret.expose()));
        for bad in ["", "short", &"x".repeat(44), &"é".repeat(21), &format!("{} ", "x".repeat(42))] {
            assert!(!is_well_formed(bad), "{bad:?}");
        }
    }

    #[test]
    fn letters_are_as_many_as_asked_for() {
        let world = World::real();
        let text = letters(world.random(), 32);
        assert_eq!(text.len(), 32);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(text, letters(world.random(), 32));
    }
}
