//! The `Content-Range` of an uploaded part: `bytes first-last/size` (RFC 9110, section 14.4).

/// Which bytes of the whole file a part has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// Its first byte.
    pub offset: u64,
    /// How many there are; at least 1.
    pub length: u64,
    /// The size of the whole file, unless it was `*`.
    pub size: Option<u64>,
}

/// Reads the header. `None` when it is malformed, or its end is before its beginning or past the whole size.
#[must_use]
pub fn parse(header: &str) -> Option<ContentRange> {
    let (unit, rest) = header.trim().split_once(' ')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (range, size) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    let size = if size.trim() == "*" { None } else { Some(number(size)?) };
    let length = last.checked_sub(first)?.checked_add(1)?;
    if size.is_some_and(|size| last >= size) {
        return None;
    }
    Some(ContentRange { offset: first, length, size })
}

/// Digits only: no sign.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::{ContentRange, parse};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn only_a_range_within_its_size_is_one() {
        let range = ContentRange { offset: 8, length: 8, size: Some(20) };
        assert_eq!(parse("bytes 8-15/20"), Some(range));
        assert_eq!(parse("Bytes 8-15/*"), Some(ContentRange { size: None, ..range }));
        for bad in [
            "",
            "bytes",
            "bytes 8-15",
            "8-15/20",
            "bytes 15-8/20",
            "bytes 8-20/20",
            "bytes +8-15/20",
            "bytes */20",
            "items 8-15/20",
            "bytes 0-18446744073709551615/*",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(offset in 0..u64::MAX / 4, length in 1..u64::MAX / 4, rest in 0..u64::MAX / 4) {
            let size = offset + length + rest;
            let text = format!("bytes {offset}-{}/{size}", offset + length - 1);
            prop_assert_eq!(parse(&text), Some(ContentRange { offset, length, size: Some(size) }));
        }

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            let _ = parse(&text);
            let _ = parse(&format!("bytes {text}"));
        }
    }
}
