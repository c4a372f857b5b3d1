//! What can go wrong between a request and its answer, in words that hold no address, name, header or body.

use crate::ErrorKind;
use std::ops::Range;

/// The longest error code that is kept; services' own are shorter.
const CODE_LENGTH_MAX: usize = 64;

/// Why a request had no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// The service answered with an error.
    #[error("{0}")]
    Refused(Refusal),
    /// The object does not hold all of the range.
    #[error("the object ends before the range does")]
    Short,
    /// Something else than what was asked for came back.
    #[error("the service gave another range than was asked of it")]
    OtherRange,
    /// Something came that is no page of a listing.
    #[error("what came is not a listing: is the endpoint that of the service?")]
    OtherPage,
    /// No connection could be made, or it broke, or nothing came in time.
    #[error("{0}")]
    Unreachable(String),
    /// The request could not even be made.
    #[error("the request is not valid: check the endpoint")]
    Unsendable,
}

/// The answer of a service that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The service's own word for the error, if it gave one.
    pub(crate) code: Option<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        Ok(())
    }
}

impl Refusal {
    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// What it means with any service, as far as its status tells.
    pub(crate) fn meaning(&self) -> Meaning {
        match self.status {
            300..=399 => Meaning::new(ErrorKind::Failed).advise(
                "the endpoint points to another address, which is not followed; \
                 configure the bucket's own endpoint and region",
            ),
            401 | 403 | 407 => Meaning::new(ErrorKind::Denied),
            404 => Meaning::new(ErrorKind::NotFound),
            // Refused because of the condition that nothing has the name.
            409 | 412 => Meaning::new(ErrorKind::AlreadyExists),
            416 => Meaning::new(ErrorKind::OutOfRange),
            408 | 425 | 429 | 499 | 500 | 502 | 503 | 504 => Meaning::new(ErrorKind::Unavailable),
            507 => Meaning::new(ErrorKind::Full),
            501 | 505 => Meaning::new(ErrorKind::Failed).advise("the service cannot do that"),
            _ => Meaning::new(ErrorKind::Failed),
        }
    }
}

/// What a refusal means to the caller of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) kind: ErrorKind,
    /// What to do about it, if more can be said than the kind does.
    pub(crate) advice: Option<&'static str>,
}

impl Meaning {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { kind, advice: None }
    }

    pub(crate) const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }
}

/// A service's word for an error, if that is all it is: such a word cannot carry a name or a secret out by accident.
pub(crate) fn code(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let is_code = !text.is_empty() && text.len() <= CODE_LENGTH_MAX && text.bytes().all(plain);
    is_code.then(|| text.to_owned())
}

/// What a `Range` header asks for, of the two forms that we send: `bytes=1-4` and `bytes=1-`.
pub(crate) fn asked_range(header: &str) -> Option<Range<u64>> {
    let (start, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let end = if last.is_empty() { u64::MAX } else { last.parse::<u64>().ok()?.checked_add(1)? };
    Some(start.parse().ok()?..end)
}

/// What a `Content-Range` header says has come: `bytes 1-4/10`.
pub(crate) fn given_range(header: &str) -> Option<Range<u64>> {
    let (range, _total) = header.strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.split_once('-')?;
    Some(start.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(asked_range("bytes=0-0"), Some(0..1));
        assert_eq!(asked_range("bytes=5-"), Some(5..u64::MAX));
        assert_eq!(given_range("bytes 3-9/20"), Some(3..10));
        assert_eq!(given_range("bytes 3-9/*"), Some(3..10));
    }

    #[test]
    fn odd_ranges_are_not() {
        for odd in ["", "bytes", "bytes=-5", "bytes=a-b", "bytes=1-18446744073709551615", "items=0-1"] {
            assert_eq!(asked_range(odd), None, "{odd}");
        }
        for odd in ["", "bytes */20", "bytes 3/20", "bytes 3-x/20", "bytes 3-9"] {
            assert_eq!(given_range(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_a_plain_word_is_a_code() {
        assert_eq!(code("NoSuchBucket").as_deref(), Some("NoSuchBucket"));
        for text in ["", "key AKIA", "http://host", "a\nb", &"x".repeat(65)] {
            assert_eq!(code(text), None, "{text:?}");
        }
    }
}
