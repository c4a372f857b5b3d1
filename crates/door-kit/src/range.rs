//! Range requests (RFC 9110 section 14) for one range of bytes.
//!
//! A request for several ranges is answered with the whole, which the RFC allows: no client of the vendors that we
//! serve asks for several, and answering them invites abuse.

use http::{HeaderMap, HeaderValue, header};

/// A run of bytes inside a content: never empty, never past its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolvedRange {
    start: u64,
    end: u64,
}

impl ResolvedRange {
    /// Where it starts, in bytes from the start of the content.
    #[must_use]
    pub const fn start(self) -> u64 {
        self.start
    }

    /// Where it ends: the first byte after it.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.end
    }

    /// How many bytes it has; at least one.
    #[must_use]
    pub const fn length_bytes(self) -> u64 {
        self.end - self.start
    }

    /// The `Content-Range` of a 206 answer.
    #[must_use]
    pub fn content_range(self, size_bytes: u64) -> HeaderValue {
        header(format!("bytes {}-{}/{size_bytes}", self.start, self.end - 1))
    }
}

/// What to answer a request that may have a `Range`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 200 with everything: no range, or one that a server is to ignore.
    Whole,
    /// 206 with this part.
    Part(ResolvedRange),
    /// 416, with the `Content-Range` of [`unsatisfiable`].
    Unsatisfiable,
}

/// Whether a request asks for the whole, or for a part from the first byte on: whoever reads a content bit by bit does so
/// once.
#[must_use]
pub fn is_from_start(headers: &HeaderMap) -> bool {
    headers.get(header::RANGE).is_none_or(|range| {
        let part = range.as_bytes().strip_prefix(b"bytes=").unwrap_or_default().trim_ascii_start();
        part.starts_with(b"0-")
    })
}

/// The `Content-Range` of a 416 answer.
#[must_use]
pub fn unsatisfiable(size_bytes: u64) -> HeaderValue {
    header(format!("bytes */{size_bytes}"))
}

/// Decides what a `Range` header asks of a content of `size_bytes`. A header that is malformed, has another unit or
/// names several ranges is ignored.
#[must_use]
pub fn resolve(range: Option<&HeaderValue>, size_bytes: u64) -> Answer {
    match range.and_then(|value| value.to_str().ok()).and_then(parse) {
        None => Answer::Whole,
        Some(Wanted::From { first, .. }) if first >= size_bytes => Answer::Unsatisfiable,
        Some(Wanted::From { first, last }) => {
            Answer::Part(ResolvedRange { start: first, end: last.saturating_add(1).min(size_bytes) })
        }
        Some(Wanted::Last(0)) => Answer::Unsatisfiable,
        // The last bytes of nothing are nothing, which a 206 cannot express.
        Some(Wanted::Last(_)) if size_bytes == 0 => Answer::Whole,
        Some(Wanted::Last(length)) => {
            Answer::Part(ResolvedRange { start: size_bytes.saturating_sub(length), end: size_bytes })
        }
    }
}

/// Whether the range still counts, given an `If-Range` header (RFC 9110 section 13.1.5): there is none, or it names
/// the content's etag (quoted or bare, but not weak), or exactly its `Last-Modified`.
#[must_use]
pub fn if_range_holds(if_range: Option<&HeaderValue>, etag: &str, last_modified: Option<&HeaderValue>) -> bool {
    let Some(value) = if_range.map(HeaderValue::as_bytes) else { return true };
    let bare = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    bare == etag.as_bytes() || last_modified.is_some_and(|moment| moment.as_bytes() == value)
}

enum Wanted {
    /// From the first byte to the last, both included.
    From { first: u64, last: u64 },
    /// That many at the end.
    Last(u64),
}

fn parse(text: &str) -> Option<Wanted> {
    let (unit, ranges) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    // A comma, and so several ranges, fails in `number`.
    let (first, last) = ranges.trim_matches([' ', '\t']).split_once('-')?;
    match (first, last) {
        ("", last) => Some(Wanted::Last(number(last)?)),
        (first, "") => Some(Wanted::From { first: number(first)?, last: u64::MAX }),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Wanted::From { first, last })
        }
    }
}

/// Digits only; a number too large to hold is as good as the largest.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// Digits and a few signs are always legal in a header.
fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("bytes */*"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prop_assert, prop_assert_eq, proptest};

    fn answer(text: &str, size_bytes: u64) -> Answer {
        resolve(Some(&HeaderValue::from_str(text).unwrap()), size_bytes)
    }

    fn part(start: u64, end: u64) -> Answer {
        Answer::Part(ResolvedRange { start, end })
    }

    #[test]
    fn a_content_is_begun_once() {
        let asks = |range: Option<&'static str>| {
            let headers = range.map(|range| (http::header::RANGE, HeaderValue::from_static(range)));
            super::is_from_start(&headers.into_iter().collect())
        };
        assert!(asks(None) && asks(Some("bytes=0-")) && asks(Some("bytes=0-1023")) && asks(Some("bytes= 0-1, 5-7")));
        for later in ["bytes=1-", "bytes=-5", "bytes=00-", "lines=0-", ""] {
            assert!(!asks(Some(later)), "{later}");
        }
    }

    #[test]
    fn one_range_is_resolved() {
        assert_eq!(answer("bytes=0-0", 10), part(0, 1));
        assert_eq!(answer("bytes=2-5", 10), part(2, 6));
        assert_eq!(answer("bytes=5-", 10), part(5, 10));
        assert_eq!(answer("bytes=-3", 10), part(7, 10));
        assert_eq!(answer("bytes=-30", 10), part(0, 10));
        assert_eq!(answer("Bytes= 5-99999999999999999999999 ", 10), part(5, 10));
        assert_eq!(answer("bytes=0-18446744073709551615", 10), part(0, 10));
    }

    #[test]
    fn what_lies_outside_is_unsatisfiable() {
        for text in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(answer(text, 10), Answer::Unsatisfiable, "{text}");
        }
        assert_eq!(answer("bytes=0-", 0), Answer::Unsatisfiable);
        assert_eq!(unsatisfiable(10), "bytes */10");
    }

    #[test]
    fn what_is_malformed_or_several_is_ignored() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "items=0-1",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=--1",
            "0-1",
        ] {
            assert_eq!(answer(text, 10), Answer::Whole, "{text}");
        }
        assert_eq!(resolve(None, 10), Answer::Whole);
        assert_eq!(answer("bytes=-5", 0), Answer::Whole);
    }

    #[test]
    fn if_range_compares_strongly() {
        let holds = |text: &'static str| {
            if_range_holds(
                Some(&HeaderValue::from_static(text)),
                "7",
                Some(&HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT")),
            )
        };
        assert!(holds("7") && holds("\"7\"") && holds("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert!(!holds("W/\"7\"") && !holds("8") && !holds("Sun, 06 Nov 1994 08:49:38 GMT"));
        assert!(if_range_holds(None, "7", None));
    }

    proptest! {
        #[test]
        fn a_part_is_never_empty_and_never_past_the_end(text in "(bytes=)?[0-9]{0,20}-[0-9]{0,20}", size_bytes: u64) {
            if let Answer::Part(range) = answer(&text, size_bytes) {
                prop_assert!(range.start() < range.end() && range.end() <= size_bytes);
                prop_assert!(range.length_bytes() > 0);
            }
        }

        #[test]
        fn any_text_is_answered(text in "[ -~]{0,40}", size_bytes: u64) {
            answer(&text, size_bytes);
        }

        #[test]
        fn a_well_formed_range_is_what_it_says(first in 0..1000_u64, length in 1..1000_u64, size_bytes in 1..1500_u64) {
            let found = answer(&format!("bytes={first}-{}", first + length - 1), size_bytes);
            if first < size_bytes {
                let range = ResolvedRange { start: first, end: (first + length).min(size_bytes) };
                prop_assert_eq!(found, Answer::Part(range));
                prop_assert_eq!(range.content_range(size_bytes), format!("bytes {first}-{}/{size_bytes}", range.end() - 1));
            } else {
                prop_assert_eq!(found, Answer::Unsatisfiable);
            }
        }
    }
}
