//! Sizes and spans as they are typed on the command line.

use std::time::Duration;

/// Reads `4096`, `4KiB`, `64MiB`, `1GiB`, `5MB`: digits, then nothing, `B`, or a binary or decimal unit.
///
/// # Errors
/// Says what is accepted when the text is not such a size, or does not fit in 64 bits.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(format!("'{text}' is not a size; write it like 4096, 4KiB, 64MiB or 1GiB")),
    };
    let number: u64 =
        number.parse().map_err(|_| format!("'{text}' is not a size; write it like 4096, 4KiB, 64MiB or 1GiB"))?;
    number.checked_mul(factor).ok_or_else(|| format!("'{text}' is too large"))
}

/// Reads a span in seconds, with or without a fraction: `15`, `0.5`.
///
/// # Errors
/// Says so when the text is not a positive number of seconds.
pub fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("'{text}' is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("'{text}' is not a possible number of seconds"))
}

#[cfg(test)]
mod tests {
    use super::{parse_seconds, parse_size};
    use std::time::Duration;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(parse_size("4096"), Ok(4096));
        assert_eq!(parse_size("4KiB"), Ok(4096));
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        assert_eq!(parse_size("5 MB"), Ok(5_000_000));
        for wrong in ["", "KiB", "4 cows", "-1", "99999999999999999999", "99999999999GiB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn seconds_may_have_a_fraction_but_no_sign() {
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(parse_seconds("-1").is_err());
        assert!(parse_seconds("soon").is_err());
    }
}
