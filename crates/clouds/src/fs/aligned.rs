use std::sync::{Mutex, PoisonError};

/// Alignment that every disk's direct writes are content with, in memory and in the file.
pub(super) const ALIGNMENT_BYTES: usize = 4096;
/// Enough that a write of it keeps a disk busy.
const BUFFER_BYTES: usize = 1024 * 1024;

/// A buffer that the disk can be written from without the page cache.
pub(super) struct AlignedBuffer {
    /// Longer than the buffer by what it takes to begin at an aligned place.
    bytes: Vec<u8>,
    start: usize,
    filled: usize,
}

impl AlignedBuffer {
    fn new() -> Self {
        let bytes = vec![0; BUFFER_BYTES + ALIGNMENT_BYTES];
        let start = bytes.as_ptr().align_offset(ALIGNMENT_BYTES);
        Self { bytes, start, filled: 0 }
    }

    /// What fits of `from` is put behind what is there and taken off its front.
    pub(super) fn fill(&mut self, from: &mut &[u8]) {
        let room = self.room();
        let (fits, rest) = from.split_at(from.len().min(room.len()));
        if let Some(room) = room.get_mut(..fits.len()) {
            room.copy_from_slice(fits);
        }
        self.filled += fits.len();
        *from = rest;
    }

    fn room(&mut self) -> &mut [u8] {
        let end = self.start.saturating_add(BUFFER_BYTES);
        self.bytes.get_mut(self.start.saturating_add(self.filled)..end).unwrap_or_default()
    }

    pub(super) fn is_full(&self) -> bool {
        self.filled >= BUFFER_BYTES
    }

    /// What is in it: a part that is as long as an aligned write must be, and the rest.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        let filled = self.bytes.get(self.start..).and_then(|bytes| bytes.get(..self.filled)).unwrap_or_default();
        filled.split_at(filled.len() - filled.len() % ALIGNMENT_BYTES)
    }

    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }
}

/// Buffers that wait to be used again: a fresh one costs as much time as writing it.
pub(super) struct AlignedBuffers {
    idle_max: usize,
    idle: Mutex<Vec<AlignedBuffer>>,
}

impl AlignedBuffers {
    pub(super) fn new(idle_max: usize) -> Self {
        Self { idle_max, idle: Mutex::default() }
    }

    pub(super) fn take(&self) -> AlignedBuffer {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(AlignedBuffer::new)
    }

    pub(super) fn give_back(&self, mut buffer: AlignedBuffer) {
        buffer.clear();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.idle_max {
            idle.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_aligned() {
        let mut buffer = AlignedBuffer::new();
        let bytes: Vec<u8> = (0..BUFFER_BYTES + 5000).map(|number| u8::try_from(number % 251).unwrap()).collect();
        let mut rest = bytes.get(..10_000).unwrap();
        buffer.fill(&mut rest);
        assert!(rest.is_empty() && !buffer.is_full());
        let (aligned, tail) = buffer.parts();
        assert_eq!((aligned.len(), tail.len()), (8192, 10_000 - 8192));
        let mut rest = bytes.get(10_000..).unwrap();
        buffer.fill(&mut rest);
        assert!(buffer.is_full());
        assert_eq!(rest.len(), 5000);
        let (aligned, tail) = buffer.parts();
        assert_eq!(aligned.as_ptr().align_offset(ALIGNMENT_BYTES), 0);
        assert!(tail.is_empty() && aligned == bytes.get(..BUFFER_BYTES).unwrap());
    }

    #[test]
    fn no_more_buffers_are_kept_than_allowed() {
        let buffers = AlignedBuffers::new(2);
        let taken = [buffers.take(), buffers.take(), buffers.take()];
        taken.into_iter().for_each(|buffer| buffers.give_back(buffer));
        assert_eq!(buffers.idle.lock().unwrap().len(), 2);
    }
}
