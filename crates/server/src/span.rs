//! Spans of time as people write them: `30d`, `12h`, `90s`, `250ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// The text is not a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a span is a whole number and a unit, such as 250ms, 90s, 15m, 12h or 30d")]
pub(crate) struct SpanError;

impl FromStr for Span {
    type Err = SpanError;
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let unit = text.find(|letter: char| !letter.is_ascii_digit()).ok_or(SpanError)?;
        let (number, unit) = text.split_at_checked(unit).ok_or(SpanError)?;
        let (_, unit_ms) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SpanError)?;
        let number: u64 = number.parse().map_err(|_| SpanError)?;
        number.checked_mul(*unit_ms).map(|span_ms| Self(Duration::from_millis(span_ms))).ok_or(SpanError)
    }
}

/// Units and their milliseconds, the longest first.
const UNITS: [(&str, u64); 5] =
    [("d", 24 * 60 * 60 * 1_000), ("h", 60 * 60 * 1_000), ("m", 60 * 1_000), ("s", 1_000), ("ms", 1)];

/// In the longest unit of which it is a whole number.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span_ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let fits = |(_, unit_ms): &&(&str, u64)| span_ms > 0 && span_ms % unit_ms == 0;
        match UNITS.iter().find(fits) {
            Some((name, unit_ms)) => write!(f, "{}{name}", span_ms / unit_ms),
            None => f.write_str("0s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, SpanError};
    use std::time::Duration;

    #[test]
    fn spans_are_read() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000)] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!("250ms".parse(), Ok(Span(Duration::from_millis(250))));
        for text in ["0s", "250ms", "90s", "15m", "12h", "30d"] {
            assert_eq!(text.parse::<Span>().map(|span| span.to_string()), Ok(text.to_owned()));
        }
        for bad in ["", "5", "s", "-1s", "1.5h", "1w", "1 d", "99999999999999999999d", "999999999999999999d"] {
            assert_eq!(bad.parse::<Span>(), Err(SpanError), "{bad}");
        }
    }
}
