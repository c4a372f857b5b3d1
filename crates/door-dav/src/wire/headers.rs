//! `Depth`, `Overwrite`, `Timeout`, `Lock-Token`.

use std::time::Duration;

/// How far below its target a request reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The target alone.
    Zero,
    /// Its children too.
    One,
    /// Everything below it.
    Infinity,
}

impl Depth {
    /// Reads the header's value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "0" => Some(Self::Zero),
            "1" => Some(Self::One),
            text if text.eq_ignore_ascii_case("infinity") => Some(Self::Infinity),
            _ => None,
        }
    }
}

/// Whether `Overwrite` allows what is there to be replaced; `None` for a value that it cannot have.
#[must_use]
pub fn parse_overwrite(text: &str) -> Option<bool> {
    match text.trim() {
        "T" | "t" => Some(true),
        "F" | "f" => Some(false),
        _ => None,
    }
}

/// The first timeout of a list that can be understood; `Infinite` is the longest there is.
#[must_use]
pub fn parse_timeout(text: &str) -> Option<Duration> {
    text.split(',').map(str::trim).find_map(|wish| {
        if wish.eq_ignore_ascii_case("infinite") {
            return Some(Duration::MAX);
        }
        let (unit, number) = wish.split_once('-')?;
        if !unit.eq_ignore_ascii_case("second")
            || number.is_empty()
            || !number.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        Some(number.parse().map_or(Duration::MAX, Duration::from_secs))
    })
}

/// How tokens look outside: a URN of a UUID.
pub const TOKEN_PREFIX: &str = "urn:uuid:";

/// The token in a URL in angle brackets, if it is one of ours.
#[must_use]
pub fn parse_lock_token(text: &str) -> Option<String> {
    let url = text.trim().strip_prefix('<')?.strip_suffix('>')?;
    token_of(url)
}

/// The token of such a URL.
#[must_use]
pub fn token_of(url: &str) -> Option<String> {
    let (prefix, token) = url.split_at_checked(TOKEN_PREFIX.len())?;
    (prefix.eq_ignore_ascii_case(TOKEN_PREFIX) && token.len() <= 64).then(|| token.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        assert_eq!(Depth::parse(" Infinity "), Some(Depth::Infinity));
        assert_eq!((Depth::parse("1"), Depth::parse("2"), Depth::parse("")), (Some(Depth::One), None, None));
        assert_eq!((parse_overwrite("T"), parse_overwrite("f"), parse_overwrite("x")), (Some(true), Some(false), None));
        assert_eq!(parse_timeout("Infinite, Second-60"), Some(Duration::MAX));
        assert_eq!(parse_timeout("Extend-3, Second-60"), Some(Duration::from_secs(60)));
        assert_eq!(parse_timeout("Second-99999999999999999999999"), Some(Duration::MAX));
        assert_eq!((parse_timeout("Second--1"), parse_timeout("Second-"), parse_timeout("")), (None, None, None));
        assert_eq!(parse_lock_token("<urn:uuid:AB-c>").as_deref(), Some("ab-c"));
        assert_eq!(
            (parse_lock_token("urn:uuid:ab"), parse_lock_token("<opaque:ab>"), parse_lock_token("<é>")),
            (None, None, None)
        );
    }
}
