use super::{Inner, aligned::AlignedBuffer, layout::Temporary};
use crate::ObjectName;
use bytes::Bytes;
use rustix::{
    fd::OwnedFd,
    fs::{OFlags, fcntl_setfl, fsync},
    io::{Errno, write, writev},
};
use std::{
    io::IoSlice,
    sync::{Arc, atomic::Ordering},
};

/// What one call of the system takes.
pub(super) const PIECES_MAX: usize = 1024;

/// How large the object will be, as far as that is known when its file is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// All of it is here. It is written through the page cache, from where it is likely to be read soon.
    Small,
    /// More than the backend likes to hold. It goes past the page cache where the disk allows that: copying it
    /// there costs several times the processor time, and pushes out what is read.
    Large,
}

/// A temporary file that removes itself unless it is published. All of its methods block.
pub(super) struct Draft {
    inner: Arc<Inner>,
    /// Always there: only `drop` takes it.
    temporary: Option<Temporary>,
    /// Where bytes wait to be written directly; none when they go through the page cache.
    direct: Option<AlignedBuffer>,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            self.inner.layout.discard(&temporary);
        }
        if let Some(buffer) = self.direct.take() {
            self.inner.buffers.give_back(buffer);
        }
    }
}

impl Draft {
    pub(super) fn make(inner: Arc<Inner>, name: ObjectName, expected: Expected) -> Result<Self, Errno> {
        let temporary = inner.layout.make_temporary(&inner.world, name)?;
        let direct = expected == Expected::Large
            && inner.writes_directly.load(Ordering::Relaxed)
            && fcntl_setfl(&temporary.file, OFlags::DIRECT).is_ok();
        let direct = direct.then(|| inner.buffers.take());
        Ok(Self { inner, temporary: Some(temporary), direct })
    }

    fn temporary(&self) -> Result<&Temporary, Errno> {
        self.temporary.as_ref().ok_or(Errno::BADF)
    }

    pub(super) fn append(&mut self, pieces: &[Bytes]) -> Result<(), Errno> {
        let mut pieces = pieces.iter();
        while self.direct.is_some() {
            let Some(piece) = pieces.next() else {
                return Ok(());
            };
            self.append_directly(piece)?;
        }
        pieces.as_slice().chunks(PIECES_MAX).try_for_each(|pieces| write_pieces(&self.temporary()?.file, pieces))
    }

    fn append_directly(&mut self, piece: &[u8]) -> Result<(), Errno> {
        let mut rest = piece;
        while !rest.is_empty() {
            let Some(buffer) = &mut self.direct else {
                // The disk has just turned out not to take direct writes.
                return write_all(&self.temporary()?.file, rest);
            };
            buffer.fill(&mut rest);
            if buffer.is_full() {
                self.empty_buffer()?;
            }
        }
        Ok(())
    }

    /// Writes what is in the buffer, which must be all that is left of the object if it is not full.
    fn empty_buffer(&mut self) -> Result<(), Errno> {
        let file = &self.temporary.as_ref().ok_or(Errno::BADF)?.file;
        let Some(buffer) = &mut self.direct else {
            return Ok(());
        };
        let (mut aligned, tail) = buffer.parts();
        let mut cut_short = false;
        while !aligned.is_empty() {
            match write(file, aligned) {
                Ok(0) => return Err(Errno::IO),
                Ok(written) => {
                    cut_short |= written < aligned.len();
                    aligned = aligned.get(written..).unwrap_or_default();
                }
                Err(Errno::INTR) => {}
                // It took the flag, but not the write: it wants another alignment. If only because the write
                // before was cut short, as on a disk that is almost full, that says nothing of other files.
                Err(Errno::INVAL | Errno::OPNOTSUPP) => {
                    if !cut_short {
                        self.inner.writes_directly.store(false, Ordering::Relaxed);
                    }
                    fcntl_setfl(file, OFlags::empty())?;
                    write_all(file, aligned)?;
                    write_all(file, tail)?;
                    let buffer = self.direct.take();
                    buffer.into_iter().for_each(|buffer| self.inner.buffers.give_back(buffer));
                    return Ok(());
                }
                Err(errno) => return Err(errno),
            }
        }
        if !tail.is_empty() {
            // Less than a block can only be written through the page cache.
            fcntl_setfl(file, OFlags::empty())?;
            write_all(file, tail)?;
        }
        buffer.clear();
        Ok(())
    }

    /// Makes what was appended durable, and then visible under the name, durably too. `EXIST` if it is taken.
    pub(super) fn publish(mut self, name: ObjectName) -> Result<(), Errno> {
        self.empty_buffer()?;
        let temporary = self.temporary()?;
        fsync(&temporary.file)?;
        self.inner.layout.publish(temporary, name)
    }
}

fn write_pieces(file: &OwnedFd, pieces: &[Bytes]) -> Result<(), Errno> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut rest = slices.as_mut_slice();
    // Takes empty pieces off the front, so that what is left has something to write.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match writev(file, rest) {
            // Nothing written and no error does not happen with regular files; without this it would be for ever.
            Ok(0) => return Err(Errno::IO),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn write_all(file: &OwnedFd, mut rest: &[u8]) -> Result<(), Errno> {
    while !rest.is_empty() {
        match write(file, rest) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
