//! Packing, purely: where sealed chunks that share a segment lie in it, and when a segment for a cloud has enough of them.

use bytes::Bytes;
use std::time::Duration;

/// A shared segment is closed when it has this many bytes.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// A shared segment is closed when it has this many chunks, so that one damaged object costs at most so many files.
pub(crate) const SEGMENT_CHUNKS_MAX: usize = crate::CHUNKS_MAX;

/// A segment for a cloud that has this many bytes or chunks is worth a request of its own beside others.
const BIG_BYTES: u64 = 1024 * 1024;
const BIG_CHUNKS: usize = 64;
/// One that has waited this many times as long as a lone one would wait goes beside others as it is.
const OLD_AFTER: u32 = 10;
/// If no more than this came together of late, it is not looked whether there are more by now.
const FEW: usize = 3;
/// While more keep coming, one waits this many times as long as a lone one.
const BUSY: u32 = 3;

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

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
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

/// A segment that gathers contents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gathering {
    /// How many it has.
    pub entries: usize,
    /// Their bytes.
    pub size: u64,
    /// Whether another one has come for which it has no room.
    pub is_full: bool,
    /// How many came together of late.
    pub company: usize,
    /// Segments that are being written.
    pub open: usize,
    /// Since its first content came.
    pub age: Duration,
    /// Since its first content came and no other segment ended.
    pub alone: Duration,
    /// Since anything came or ended.
    pub quiet: Duration,
}

/// When a segment is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Now.
    Now,
    /// If nothing happens, look again in so long.
    In(Duration),
    /// Not before one of those that are being written has ended.
    OneEnds,
}

impl Gathering {
    /// When to write it to a disk, if a lone content waits for `gather`, and at most `writers` segments are written at a time.
    ///
    /// While no other is being written, when as many have come as of late; in any case once it is `beside` old: a disk that
    /// syncs within that time is given one large segment after the other, a slower one several at once.
    pub(crate) fn when_to_disk(&self, gather: Duration, beside: Duration, writers: usize) -> When {
        let is_in_company = self.open == 0 && self.entries >= self.company;
        let until = if is_in_company { gather } else { beside.max(gather) };
        match until.checked_sub(self.age) {
            _ if self.open >= writers => When::OneEnds,
            Some(rest) if !self.is_full && !rest.is_zero() => When::In(rest),
            _ => When::Now,
        }
    }

    /// When to write it to a cloud, if a lone content waits for `gather`, and at most `writers` segments are written at a time.
    ///
    /// While others are being written, only a big or an old one goes beside them. Otherwise it goes when as many have come as
    /// of late, and no more come for a moment; or when a lone one's wait has passed and nobody has come for half of it; or
    /// after three times that wait.
    pub(crate) fn when_to_cloud(&self, gather: Duration, writers: usize) -> When {
        if self.open >= writers {
            return When::OneEnds;
        }
        if self.is_full {
            return When::Now;
        }
        if self.open > 0 {
            let old = gather.saturating_mul(OLD_AFTER);
            if self.size >= BIG_BYTES || self.entries >= BIG_CHUNKS || self.age >= old {
                return When::Now;
            }
            return When::In(old - self.age);
        }
        let most = gather.saturating_mul(BUSY).saturating_sub(self.alone);
        let (least, lull) = match self.entries >= self.company {
            true if self.company <= FEW => (Duration::ZERO, Duration::ZERO),
            true => (Duration::ZERO, gather / 3),
            false => (gather, gather / 2),
        };
        let rest = least.saturating_sub(self.alone).max(lull.saturating_sub(self.quiet)).min(most);
        if rest.is_zero() { When::Now } else { When::In(rest) }
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
    fn to_a_disk_nobody_waits_who_is_alone_and_nobody_for_long() {
        let ms = Duration::from_millis;
        let alone = Gathering {
            entries: 1,
            size: 100,
            is_full: false,
            company: 1,
            open: 0,
            age: Duration::ZERO,
            alone: Duration::ZERO,
            quiet: Duration::ZERO,
        };
        let when = |gathering: Gathering| gathering.when_to_disk(Duration::ZERO, ms(1), 2);
        assert_eq!(when(alone), When::Now);
        // Seven of sixteen have come: the rest is likely to.
        let some = Gathering { entries: 7, company: 16, ..alone };
        assert_eq!(when(some), When::In(ms(1)));
        assert_eq!(when(Gathering { age: ms(1), ..some }), When::Now);
        assert_eq!(when(Gathering { entries: 16, ..some }), When::Now);
        assert_eq!(when(Gathering { is_full: true, ..some }), When::Now);
        // Beside another only once that takes long, and never beside too many.
        assert_eq!(when(Gathering { open: 1, ..alone }), When::In(ms(1)));
        assert_eq!(when(Gathering { open: 1, age: ms(2), ..alone }), When::Now);
        assert_eq!(when(Gathering { open: 2, age: ms(2), ..alone }), When::OneEnds);
        assert_eq!(when(Gathering { open: 2, is_full: true, ..alone }), When::OneEnds);
        // Where a lone content is to wait, it does, and no longer.
        assert_eq!(alone.when_to_disk(ms(5), ms(1), 2), When::In(ms(5)));
        assert_eq!(Gathering { age: ms(5), ..alone }.when_to_disk(ms(5), ms(1), 2), When::Now);
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
