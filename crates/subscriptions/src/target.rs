//! To whom deliveries go: what the operator's configuration says.

use reqwest::Url;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes that a secret has at least.
const SECRET_BYTES_MIN: usize = 16;
/// Bytes that a URL has at most.
const URL_BYTES_MAX: usize = 2_048;

/// How often a delivery is tried, unless its target says otherwise: so often that its age is what ends it.
pub const ATTEMPTS_MAX: u32 = 100;

/// A key with which deliveries are signed. It cannot be shown or copied, and is wiped when dropped.
pub struct Secret(Zeroizing<Vec<u8>>);

/// Which addresses a target may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Those of the open internet.
    Public,
    /// Any, also this machine's own and those of a private network.
    Anywhere,
}

/// To whom deliveries go, under a name.
pub struct Target {
    pub(crate) name: String,
    pub(crate) url: Url,
    pub(crate) secret: Secret,
    pub(crate) reach: Reach,
    pub(crate) attempts_max: u32,
}

/// Why something is no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongTarget {
    /// The URL is none.
    #[error("is not a URL, such as https://hooks.example.com/entente")]
    NoUrl,
    /// It is not to be asked by HTTP.
    #[error("must begin with https:// or http://")]
    Scheme,
    /// It holds a password, which would be shown wherever the URL is.
    #[error("must not hold a user or a password; receivers know deliveries by their signatures")]
    Password,
    /// It is too long.
    #[error("is longer than 2048 bytes")]
    TooLong,
    /// The secret is short enough to be guessed.
    #[error("has fewer than 16 bytes, and could be guessed; make one with `openssl rand -hex 32`")]
    ShortSecret,
}

impl Secret {
    /// A secret of at least 16 bytes. `ShortSecret`.
    pub fn new(bytes: Vec<u8>) -> Result<Self, WrongTarget> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() < SECRET_BYTES_MIN { Err(WrongTarget::ShortSecret) } else { Ok(Self(bytes)) }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Target {
    /// A target. The errors of [`Target::check`].
    pub fn new(name: String, url: &str, secret: Secret, reach: Reach) -> Result<Self, WrongTarget> {
        Ok(Self { name, url: parse(url)?, secret, reach, attempts_max: ATTEMPTS_MAX })
    }

    /// The same with deliveries given up after so many attempts, and at most [`ATTEMPTS_MAX`].
    #[must_use]
    pub fn give_up_after(self, attempts: u32) -> Self {
        Self { attempts_max: attempts.clamp(1, ATTEMPTS_MAX), ..self }
    }

    /// Whether deliveries could be sent to a URL, for all that it says itself. `NoUrl`, `Scheme`, `Password`, `TooLong`.
    pub fn check(url: &str) -> Result<(), WrongTarget> {
        parse(url).map(drop)
    }
}

pub(crate) fn parse(text: &str) -> Result<Url, WrongTarget> {
    if text.len() > URL_BYTES_MAX {
        return Err(WrongTarget::TooLong);
    }
    let url = Url::parse(text).map_err(|_| WrongTarget::NoUrl)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(WrongTarget::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(WrongTarget::Password);
    }
    if url.host_str().is_none_or(str::is_empty) { Err(WrongTarget::NoUrl) } else { Ok(url) }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path of a URL may be all that a receiver knows us by.
        f.debug_struct("Target").field("name", &self.name).field("reach", &self.reach).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_urls_that_can_be_asked() {
        for good in ["https://hooks.example.com/a?b=c", "http://10.0.0.1:8080", "http://[::1]/"] {
            assert_eq!(Target::check(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("hooks.example.com", WrongTarget::NoUrl),
            ("", WrongTarget::NoUrl),
            ("ftp://example.com/", WrongTarget::Scheme),
            ("file:///etc/passwd", WrongTarget::Scheme),
            ("https://me@example.com/", WrongTarget::Password),
            ("https://:hush@example.com/", WrongTarget::Password),
        ] {
            assert_eq!(Target::check(bad), Err(why), "{bad}");
        }
        assert_eq!(Target::check(&format!("https://example.com/{}", "a".repeat(2_048))), Err(WrongTarget::TooLong));
    }

    #[test]
    fn a_secret_that_could_be_guessed_is_none() {
        assert!(Secret::new(vec![b'a'; 15]).is_err());
        assert!(Secret::new(vec![b'a'; 16]).is_ok());
    }
}
