//! The public keys with which applications sign: RSA, in PEM.

use aws_lc_rs::rsa::PublicEncryptingKey;
use data_encoding::BASE64;

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
/// Far more than a key of 8192 bits needs.
const PEM_BYTES_MAX: usize = 16 * 1024;
const BITS_MIN: usize = 2048;

/// Why a text is not a public key that can be used. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// It is not a public key in PEM.
    #[error("not a public key in PEM: it begins with {BEGIN:?}; `openssl rsa -in private.pem -pubout` prints one")]
    NotPem,
    /// It is a private key, which does not belong here.
    #[error(
        "this is a private key: keep it, and give the public one that `openssl rsa -in private.pem -pubout` prints"
    )]
    Private,
    /// It is not an RSA key of a fit length.
    #[error("not an RSA key of {BITS_MIN} to 8192 bits")]
    NotRsa,
}

/// Checks a key; answers it in the form in which it is stored.
pub(crate) fn check(pem: &str) -> Result<String, PublicKeyError> {
    if pem.len() > PEM_BYTES_MAX {
        return Err(PublicKeyError::NotPem);
    }
    if pem.contains("PRIVATE KEY-----") {
        return Err(PublicKeyError::Private);
    }
    let (_, rest) = pem.split_once(BEGIN).ok_or(PublicKeyError::NotPem)?;
    let (body, _) = rest.split_once(END).ok_or(PublicKeyError::NotPem)?;
    let body: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let der = BASE64.decode(body.as_bytes()).map_err(|_| PublicKeyError::NotPem)?;
    let key = PublicEncryptingKey::from_der(&der).map_err(|_| PublicKeyError::NotRsa)?;
    if key.key_size_bits() < BITS_MIN {
        return Err(PublicKeyError::NotRsa);
    }
    let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    Ok(format!("{BEGIN}\n{}\n{END}\n", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::{PublicKeyError, check};

    const PUBLIC: &str = include_str!("../tests/fixtures/test-only-public.pem");

    #[test]
    fn a_public_key_is_kept_as_it_is() {
        assert_eq!(check(PUBLIC).as_deref(), Ok(PUBLIC));
        assert_eq!(check(&format!("  {}\n", PUBLIC.replace('\n', "\r\n"))).as_deref(), Ok(PUBLIC));
    }

    #[test]
    fn anything_else_is_refused_with_advice() {
        assert_eq!(check(""), Err(PublicKeyError::NotPem));
        assert_eq!(check(&"x".repeat(20_000)), Err(PublicKeyError::NotPem));
        assert_eq!(check(include_str!("../tests/fixtures/test-only-private.pem")), Err(PublicKeyError::Private));
        assert_eq!(check(include_str!("../tests/fixtures/test-only-1024-public.pem")), Err(PublicKeyError::NotRsa));
        assert_eq!(check(include_str!("../tests/fixtures/test-only-ec-public.pem")), Err(PublicKeyError::NotRsa));
        assert_eq!(check(&PUBLIC.replace("MII", "MIJ")), Err(PublicKeyError::NotRsa));
    }
}
