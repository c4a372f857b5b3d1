//! Several ranges in one request (RFC 9110 section 14), answered as `multipart/byteranges`.

use std::ops::Range;

/// Ranges in an answer. Who asks for more gets the whole.
const RANGES_MAX: usize = 32;

/// The ranges that a header with more than one asks of a content of `size` bytes, in their order. `None` when it has only
/// one, is malformed, asks for too many, or for more than the whole: then it is answered in another way, or not at all.
#[must_use]
pub fn several(header: &str, size: u64) -> Option<Vec<Range<u64>>> {
    let (unit, list) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || !list.contains(',') {
        return None;
    }
    let mut ranges = Vec::new();
    for (index, wanted) in list.split(',').enumerate() {
        if index >= RANGES_MAX {
            return None;
        }
        let (first, last) = wanted.trim().split_once('-')?;
        let range = match (first, last) {
            ("", last) => size.saturating_sub(number(last)?)..size,
            (first, "") => number(first)?..size,
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return None;
                }
                first..last.saturating_add(1).min(size)
            }
        };
        if range.start < range.end {
            ranges.push(range);
        }
    }
    let total = ranges.iter().try_fold(0_u64, |sum, range| sum.checked_add(range.end - range.start))?;
    (!ranges.is_empty() && total <= size).then_some(ranges)
}

/// What stands before the bytes of a range.
#[must_use]
pub fn head(boundary: &str, media_type: &str, range: &Range<u64>, size: u64) -> String {
    let (start, last) = (range.start, range.end.saturating_sub(1));
    format!("\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: bytes {start}-{last}/{size}\r\n\r\n")
}

/// What stands after the last.
#[must_use]
pub fn tail(boundary: &str) -> String {
    format!("\r\n--{boundary}--\r\n")
}

fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::several;
    use proptest::prelude::{any, prop_assert, proptest};

    #[test]
    fn several_ranges_are_read() {
        assert_eq!(several("bytes=0-1, 4-5", 10), Some(vec![0..2, 4..6]));
        assert_eq!(several("bytes=-2,0-0", 10), Some(vec![8..10, 0..1]));
        assert_eq!(several("bytes=8-,20-30, 0-0", 10), Some(vec![8..10, 0..1]));
        for other in
            ["bytes=0-1", "bytes=", "items=0-1,3-4", "bytes=0-1,x", "bytes=5-1,2-3", "bytes=0-9,0-9", "bytes=20-,30-"]
        {
            assert_eq!(several(other, 10), None, "{other}");
        }
        assert_eq!(several(&format!("bytes={}", vec!["0-0"; 33].join(",")), 1_000), None);
    }

    proptest! {
        #[test]
        fn an_answer_is_never_longer_than_the_whole(text in "bytes=[0-9,-]{0,40}", size in any::<u64>()) {
            let ranges = several(&text, size).unwrap_or_default();
            prop_assert!(ranges.iter().all(|range| range.start < range.end && range.end <= size));
            prop_assert!(ranges.iter().map(|range| u128::from(range.end - range.start)).sum::<u128>() <= u128::from(size));
        }
    }
}
