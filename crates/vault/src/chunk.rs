//! Chunking, purely: which chunk and where in it a byte of a content is.

use entente_model::CHUNK_SIZE_BYTES;
use std::ops::Range;

/// The part of a plaintext range that falls into one chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The chunk.
    pub chunk: u32,
    /// The bytes of it, counted from its own start.
    pub within: Range<u64>,
    /// The chunk's whole plaintext length.
    pub length: u64,
}

/// How many chunks a content of `size` bytes has.
pub(crate) fn count(size: u64) -> u64 {
    size.div_ceil(CHUNK_SIZE_BYTES)
}

/// The plaintext length of one chunk of a content of `size` bytes; 0 beyond its end.
pub(crate) fn length(size: u64, chunk: u32) -> u64 {
    size.saturating_sub(u64::from(chunk) * CHUNK_SIZE_BYTES).min(CHUNK_SIZE_BYTES)
}

/// The piece with which the rest of a range begins; `None` when nothing is left of it or it starts beyond the end.
pub(crate) fn first_piece(size: u64, range: &Range<u64>) -> Option<Piece> {
    let end = range.end.min(size);
    if range.start >= end {
        return None;
    }
    let chunk = u32::try_from(range.start / CHUNK_SIZE_BYTES).ok()?;
    let length = length(size, chunk);
    let from = range.start % CHUNK_SIZE_BYTES;
    let to = (end - u64::from(chunk) * CHUNK_SIZE_BYTES).min(length);
    Some(Piece { chunk, within: from..to, length })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn the_pieces_of_a_range_are_the_range(size in 0_u64..100_000_000, a in any::<u64>(), b in any::<u64>()) {
            let (a, b) = (a % (size + 1), b % (size + 1));
            let range = a.min(b)..a.max(b);
            let mut rest = range.clone();
            while let Some(piece) = first_piece(size, &rest) {
                prop_assert!(piece.within.start < piece.within.end && piece.within.end <= piece.length);
                prop_assert_eq!(u64::from(piece.chunk) * CHUNK_SIZE_BYTES + piece.within.start, rest.start);
                rest.start += piece.within.end - piece.within.start;
            }
            prop_assert_eq!(rest.start, range.end.max(range.start));
        }
    }

    #[test]
    fn an_empty_content_has_no_chunks() {
        assert_eq!(count(0), 0);
        assert_eq!(first_piece(0, &(0..0)), None);
        assert_eq!((count(1), count(CHUNK_SIZE_BYTES), count(CHUNK_SIZE_BYTES + 1)), (1, 1, 2));
        assert_eq!(length(CHUNK_SIZE_BYTES + 5, 1), 5);
        assert_eq!(length(CHUNK_SIZE_BYTES + 5, 2), 0);
    }
}
