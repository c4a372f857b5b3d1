//! Contents that follow from a number, so that nobody has to keep them to compare them later.

use bytes::{BufMut, Bytes, BytesMut};

/// What one file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Two contents with different seeds are different, from their first 16 bytes on.
    pub seed: u64,
    pub size_bytes: usize,
}

impl Content {
    /// All of it.
    pub fn bytes(self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.size_bytes + 8);
        let mut state = self.seed;
        while bytes.len() < self.size_bytes {
            bytes.put_u64_le(next(&mut state));
        }
        bytes.truncate(self.size_bytes);
        bytes.freeze()
    }

    /// Whether these bytes are all of it.
    pub fn is(self, found: &[u8]) -> bool {
        if found.len() != self.size_bytes {
            return false;
        }
        let mut state = self.seed;
        found.chunks(8).all(|eight| next(&mut state).to_le_bytes().starts_with(eight))
    }
}

/// The generator splitmix64 (<https://prng.di.unimi.it/splitmix64.c>).
pub fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A seeded sequence of choices: the same seed gives the same ones.
#[derive(Debug, Clone)]
pub struct Choices(u64);

impl Choices {
    /// The choices of one taker among several under the same seed.
    pub fn new(seed: u64, taker: u64) -> Self {
        let mut state = seed ^ taker.wrapping_mul(0xd6e8_feb8_6659_fd93);
        next(&mut state);
        Self(state)
    }

    pub fn number(&mut self) -> u64 {
        next(&mut self.0)
    }

    /// Below the limit; 0 when that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number().checked_rem(limit).unwrap_or(0)
    }

    /// From the least to the greatest, both possible.
    pub fn between(&mut self, least: u64, greatest: u64) -> u64 {
        least + self.below(greatest.saturating_sub(least) + 1)
    }

    /// A place in a list of that length.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Choices, Content};

    #[test]
    fn contents_follow_from_their_seed_and_are_told_apart() {
        for size_bytes in [0, 1, 7, 8, 9, 4096] {
            let content = Content { seed: 7, size_bytes };
            let bytes = content.bytes();
            assert!(bytes.len() == size_bytes && content.is(&bytes));
            assert!(!content.is(&[&bytes[..], b"x"].concat()));
            let other = Content { seed: 8, size_bytes };
            assert_eq!(other.is(&bytes), size_bytes == 0);
        }
        let content = Content { seed: 7, size_bytes: 100 };
        let mut bytes = content.bytes().to_vec();
        bytes[99] ^= 1;
        assert!(!content.is(&bytes));
    }

    #[test]
    fn choices_repeat_and_stay_within_bounds() {
        let (mut one, mut same, mut other) = (Choices::new(1, 0), Choices::new(1, 0), Choices::new(1, 1));
        let numbers: Vec<_> = (0..100).map(|_| one.between(3, 5)).collect();
        assert!(numbers.iter().all(|number| (3..=5).contains(number)));
        assert!(numbers.iter().all(|number| *number == same.between(3, 5)));
        assert_ne!(same.number(), other.number());
        assert_eq!(one.below(0), 0);
    }
}
