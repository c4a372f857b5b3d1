//! The `Digest` header (RFC 3230, with Box's algorithm name `sha` for SHA-1) and `content-md5`, which at Box holds the
//! SHA-1 in hexadecimal.

use data_encoding::{BASE64, BASE64_NOPAD};
use entente_model::Sha1;
use serde::{Serialize, Serializer};

/// A file's `sha1`: hexadecimal, and empty while it is not known. (One that came in parts through another door is hashed
/// soon after.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub Option<Sha1>);

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(sha1) => serializer.collect_str(sha1),
            None => serializer.serialize_str(""),
        }
    }
}

/// Reads `sha=<base64>`, in any case of the name; other algorithms beside it are skipped.
///
/// `None` when there is no SHA-1 in it, or it is malformed.
#[must_use]
pub fn parse(header: &str) -> Option<Sha1> {
    header.split(',').find_map(|value| {
        let (algorithm, digest) = value.trim().split_once('=')?;
        let algorithm = algorithm.trim();
        if !algorithm.eq_ignore_ascii_case("sha") && !algorithm.eq_ignore_ascii_case("sha-1") {
            return None;
        }
        let digest = digest.trim().as_bytes();
        let bytes = BASE64.decode(digest).or_else(|_| BASE64_NOPAD.decode(digest)).ok()?;
        Sha1::from_slice(&bytes)
    })
}

/// Reads the value of `content-md5`: hexadecimal of either case, or base64.
#[must_use]
pub fn parse_content_md5(header: &str) -> Option<Sha1> {
    let text = header.trim();
    Sha1::from_hex(text).or_else(|| Sha1::from_slice(&BASE64.decode(text.as_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Digest, parse, parse_content_md5};
    use entente_model::Sha1;
    use proptest::prelude::{any, proptest};

    #[test]
    fn sha_is_read_in_any_case_and_among_others() {
        let empty = Sha1::from_hex("da39a3ee5e6b4b0d3255bfef95601890afd80709");
        for good in [
            "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "SHA=2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk",
            " md5=AAAA , Sha = 2jmj7l5rSw0yVb/vlWAYkK/YBwk= ",
        ] {
            assert_eq!(parse(good), empty, "{good:?}");
        }
        for bad in
            ["", "sha", "sha=", "sha=2jmj", "md5=2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha=!!!!7l5rSw0yVb/vlWAYkK/YBwk="]
        {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
        assert_eq!(parse_content_md5("DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"), empty);
        assert_eq!(parse_content_md5("2jmj7l5rSw0yVb/vlWAYkK/YBwk="), empty);
        assert_eq!(parse_content_md5("1B2M2Y8AsgTpgAmY7PhCfg=="), None);
    }

    #[test]
    fn a_digest_that_is_not_known_yet_is_empty() {
        let text = |digest| serde_json::to_string(&Digest(digest)).expect("JSON");
        let empty = Sha1::from_hex("da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(text(empty), "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"");
        assert_eq!(text(None), "\"\"");
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            let _ = parse(&text);
            let _ = parse_content_md5(&text);
        }
    }
}
