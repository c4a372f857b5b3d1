//! Rates as people write them: `50MB/s`, `8MiB/s`, `1000000`.

use std::str::FromStr;

/// Bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) u64);

/// The text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a whole number of bytes a second from 1024 on, such as 50MB/s, 8MiB/s or 1000000")]
pub(crate) struct RateError;

const UNITS: [(&str, u64); 9] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];
/// Slower would not end.
const LEAST: u64 = 1 << 10;

impl FromStr for Rate {
    type Err = RateError;
    fn from_str(text: &str) -> Result<Self, RateError> {
        let text = text.strip_suffix("/s").unwrap_or(text);
        let unit = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(unit).ok_or(RateError)?;
        let (_, unit_bytes) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(RateError)?;
        let number: u64 = number.parse().map_err(|_| RateError)?;
        number.checked_mul(*unit_bytes).filter(|rate| *rate >= LEAST).map(Self).ok_or(RateError)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, RateError};

    #[test]
    fn rates_are_read() {
        for (text, bytes) in [("50MB/s", 50_000_000), ("8MiB/s", 8 << 20), ("1GB", 1_000_000_000), ("2048", 2_048)] {
            assert_eq!(text.parse(), Ok(Rate(bytes)), "{text}");
        }
        for bad in ["", "MB/s", "5", "1.5MB/s", "50mb/s", "-1MB", "99999999999999999999", "99999999999999GiB"] {
            assert_eq!(bad.parse::<Rate>(), Err(RateError), "{bad}");
        }
    }
}
