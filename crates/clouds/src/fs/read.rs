use super::open_files::OpenFile;
use bytes::{Bytes, BytesMut};
use rustix::{
    buffer::spare_capacity,
    io::{Errno, ReadWriteFlags, pread, preadv2},
};
use std::{io::IoSliceMut, ops::Range};

/// How many bytes that is. `RANGE` when the file does not hold them, so that no absurd buffer is ever made.
fn size_within(file: &OpenFile, range: &Range<u64>) -> Result<usize, Errno> {
    if range.end > file.size {
        return Err(Errno::RANGE);
    }
    range.end.checked_sub(range.start).and_then(|size| usize::try_from(size).ok()).ok_or(Errno::RANGE)
}

/// The range if all of it is in the page cache, else `None`. `OPNOTSUPP` where the file system cannot tell.
pub(super) fn without_waiting(file: &OpenFile, range: &Range<u64>) -> Result<Option<BytesMut>, Errno> {
    let size = size_within(file, range)?;
    let mut bytes = BytesMut::zeroed(size);
    match preadv2(&file.file, &mut [IoSliceMut::new(&mut bytes)], range.start, ReadWriteFlags::NOWAIT) {
        Ok(read) if read == size => Ok(Some(bytes)),
        // Only part of it is in memory (or the file was cut short, which the waiting read will find).
        Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// The range, however long the disk takes.
pub(super) fn waiting(file: &OpenFile, range: &Range<u64>) -> Result<BytesMut, Errno> {
    let size = size_within(file, range)?;
    let mut bytes = Vec::with_capacity(size);
    let mut offset = range.start;
    while bytes.len() < size {
        match pread(&file.file, spare_capacity(&mut bytes), offset) {
            // The file has been cut short since it was opened.
            Ok(0) => return Err(Errno::RANGE),
            Ok(read) => offset = offset.saturating_add(u64::try_from(read).unwrap_or(0)),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    // The allocator may have given more room than was asked for.
    bytes.truncate(size);
    // Nobody else has the bytes, so this moves them without copying.
    Ok(BytesMut::from(Bytes::from(bytes)))
}
