//! Packing, purely: where sealed chunks that share a segment lie in it.

use bytes::Bytes;

/// A shared segment is closed when it has this many bytes.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// A shared segment is closed when it has this many chunks, so that one damaged object costs at most so many files.
pub(crate) const SEGMENT_CHUNKS_MAX: usize = 512;

/// Sealed chunks laid end to end.
#[derive(Debug)]
pub(crate) struct Pack<T> {
    entries: Vec<(T, u64, Bytes)>,
    size: u64,
}

impl<T> Default for Pack<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), size: 0 }
    }
}

impl<T> Pack<T> {
    /// Whether another sealed chunk of that length may join.
    pub(crate) fn has_room(&self, length: u64) -> bool {
        self.entries.is_empty() || (self.entries.len() < SEGMENT_CHUNKS_MAX && self.size + length <= SEGMENT_BYTES_MAX)
    }

    /// Adds a sealed chunk at the end.
    pub(crate) fn push(&mut self, owner: T, sealed: Bytes) {
        let offset = self.size;
        self.size += sealed.len() as u64;
        self.entries.push((owner, offset, sealed));
    }

    /// Its length in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Each chunk's owner, offset and bytes, in order.
    pub(crate) fn into_entries(self) -> Vec<(T, u64, Bytes)> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_lie_end_to_end_within_bounds() {
        let mut pack = Pack::default();
        for owner in 0..3 {
            assert!(pack.has_room(100));
            pack.push(owner, Bytes::from(vec![owner; 100]));
        }
        assert!(!pack.has_room(SEGMENT_BYTES_MAX - 299));
        assert!(pack.has_room(SEGMENT_BYTES_MAX - 300));
        assert_eq!(pack.size(), 300);
        let entries = pack.into_entries();
        assert_eq!(entries.iter().map(|e| (e.0, e.1)).collect::<Vec<_>>(), [(0, 0), (1, 100), (2, 200)]);
    }

    #[test]
    fn a_segment_takes_no_more_chunks_than_its_limit() {
        let mut pack = Pack::default();
        while pack.has_room(1) {
            pack.push((), Bytes::from_static(b"x"));
        }
        assert_eq!(pack.size(), SEGMENT_CHUNKS_MAX as u64);
    }
}
