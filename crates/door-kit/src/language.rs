//! The languages of the pages.

use http::{HeaderMap, header};

/// A language that pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
}

/// Longer lists are not looked at to their end.
const RANGES_MAX: usize = 32;

impl Language {
    /// The one that a browser likes best (RFC 9110, 12.5.4); English for those that say nothing we know.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let wishes = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let mut best = (Self::English, 0);
        for range in wishes.split(',').take(RANGES_MAX) {
            let (tag, weight) = range.split_once(';').map_or((range, "q=1"), |(tag, weight)| (tag, weight.trim()));
            let language = match tag.trim().split('-').next() {
                Some(tag) if tag.eq_ignore_ascii_case("en") => Self::English,
                Some(tag) if tag.eq_ignore_ascii_case("de") => Self::German,
                _ => continue,
            };
            let weight = thousandths(weight.strip_prefix("q=").unwrap_or("1"));
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }

    /// Its tag, as HTML and HTTP have it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

/// A weight of up to three decimals; 0 for what is none.
fn thousandths(text: &str) -> u32 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = decimals.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), digits.parse::<u32>()) {
        (Ok(whole @ 0..=1), Ok(decimals)) => (whole * 1_000 + decimals).min(1_000),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Language;
    use http::{HeaderMap, header};

    #[test]
    fn a_browser_gets_what_it_likes_best() {
        for (wishes, tag) in [
            ("", "en"),
            ("de", "de"),
            ("de-CH, en;q=0.5", "de"),
            ("en;q=0.5, de;q=0.9", "de"),
            ("fr, de;q=0.1", "de"),
            ("fr-FR", "en"),
            ("de;q=0", "en"),
            ("de;q=9", "en"),
            ("EN-gb, DE", "en"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wishes.parse().unwrap());
            assert_eq!(Language::of(&headers).tag(), tag, "{wishes}");
        }
    }
}
