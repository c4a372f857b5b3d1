//! Digests of plaintext. They live in the metadata database only: no backend ever sees one.

use std::fmt;

macro_rules! digests {
    ($($(#[$doc:meta])* $name:ident, $bytes:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Reads the digest from exactly as many bytes as it has.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Reads hexadecimal digits of either case.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let digits = text.as_bytes();
                if digits.len() != $bytes * 2 {
                    return None;
                }
                let mut bytes = [0; $bytes];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    let high = char::from(*pair.first()?).to_digit(16)?;
                    let low = char::from(*pair.get(1)?).to_digit(16)?;
                    *byte = u8::try_from(high * 16 + low).ok()?;
                }
                Some(Self(bytes))
            }
        }

        /// Lower-case hexadecimal.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let mut text = [0_u8; $bytes * 2];
                for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
                    pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
                }
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}

digests! {
    /// What S3 calls an object by, where nobody said otherwise.
    Md5, 16;
    /// What Box calls a file's hash.
    Sha1, 20;
    /// What most other doors can use.
    Sha256, 32;
}

#[cfg(test)]
mod tests {
    use super::Sha1;

    #[test]
    fn hexadecimal_goes_both_ways() {
        let text = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let digest = Sha1::from_hex(text).expect("valid");
        assert_eq!(digest.to_string(), text);
        assert_eq!(Sha1::from_hex(&text.to_uppercase()), Some(digest));
        assert_eq!(Sha1::from_hex("da39"), None);
        assert_eq!(Sha1::from_hex(&"g".repeat(40)), None);
    }
}
