//! Rows as `COPY … (FORMAT binary)` has them (PostgreSQL's manual, COPY, "Binary Format"), and checksums over them.

use crate::Error;
use bytes::{BufMut, BytesMut};
use std::fmt;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The signature, flags, and the length of an extension that there is none of.
const HEADER_BYTES: usize = 19;
/// How much is sent at a time, about.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

pub(super) fn begin(buffer: &mut BytesMut) {
    buffer.put_slice(SIGNATURE);
    buffer.put_i32(0);
    buffer.put_i32(0);
}

pub(super) fn end(buffer: &mut BytesMut) {
    buffer.put_i16(-1);
}

/// Begins a row of so many values.
pub(super) fn row(buffer: &mut BytesMut, columns: usize) -> Result<(), Error> {
    buffer.put_i16(i16::try_from(columns).map_err(|_| Error::damaged("a table with too many columns"))?);
    Ok(())
}

pub(super) fn null(buffer: &mut BytesMut) {
    buffer.put_i32(-1);
}

pub(super) fn value(buffer: &mut BytesMut, bytes: &[u8]) -> Result<(), Error> {
    buffer.put_i32(i32::try_from(bytes.len()).map_err(|_| Error::damaged("a value of 2 GiB"))?);
    buffer.put_slice(bytes);
    Ok(())
}

/// Of rows in any order: their number, and the sum of 128 bits of each one's BLAKE3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Checksum {
    rows: u64,
    sum: u128,
}

impl Checksum {
    pub(super) fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        let hash = blake3::hash(row);
        let half = hash.as_bytes().first_chunk::<16>().copied().map_or(0, u128::from_be_bytes);
        self.sum = self.sum.wrapping_add(half);
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.sum)
    }
}

/// Cuts what comes in pieces into rows.
#[derive(Default)]
pub(super) struct Splitter {
    rest: BytesMut,
    has_begun: bool,
    has_ended: bool,
}

impl Splitter {
    pub(super) fn split(&mut self, piece: &[u8], on_row: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        self.rest.extend_from_slice(piece);
        if !self.has_begun {
            if self.rest.len() < HEADER_BYTES {
                return Ok(());
            }
            if !self.rest.starts_with(SIGNATURE) {
                return Err(Error::damaged("a copy without its signature"));
            }
            drop(self.rest.split_to(HEADER_BYTES));
            self.has_begun = true;
        }
        while let Some(length) = self.row_length()? {
            on_row(&self.rest.split_to(length));
        }
        Ok(())
    }

    /// Makes sure that nothing is missing at the end.
    pub(super) fn finish(&self) -> Result<(), Error> {
        if self.has_ended { Ok(()) } else { Err(Error::damaged("a copy without its end")) }
    }

    /// The length of the next row, if all of it is there.
    fn row_length(&mut self) -> Result<Option<usize>, Error> {
        let Some(count) = self.rest.first_chunk::<2>().copied().map(i16::from_be_bytes) else { return Ok(None) };
        if count < 0 {
            self.has_ended = true;
            return Ok(None);
        }
        let mut at = 2;
        for _ in 0..count {
            let Some(length) = self.rest.get(at..).and_then(|rest| rest.first_chunk::<4>()) else { return Ok(None) };
            at += 4 + usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        }
        Ok((at <= self.rest.len()).then_some(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> (BytesMut, Vec<Vec<u8>>) {
        let (mut all, mut rows) = (BytesMut::new(), Vec::new());
        begin(&mut all);
        for number in 0..5_u8 {
            let from = all.len();
            row(&mut all, 2).unwrap();
            null(&mut all);
            value(&mut all, &vec![number; usize::from(number) * 3]).unwrap();
            rows.push(all[from..].to_vec());
        }
        end(&mut all);
        (all, rows)
    }

    #[test]
    fn pieces_of_any_length_make_the_same_rows() {
        let (all, rows) = table();
        for length in 1..all.len() {
            let (mut splitter, mut found) = (Splitter::default(), Vec::new());
            for piece in all.chunks(length) {
                splitter.split(piece, &mut |row| found.push(row.to_vec())).unwrap();
            }
            splitter.finish().unwrap();
            assert_eq!(found, rows, "{length}");
        }
    }

    #[test]
    fn a_copy_that_was_cut_is_noticed() {
        let (all, _) = table();
        let mut splitter = Splitter::default();
        splitter.split(&all[..all.len() - 1], &mut |_| {}).unwrap();
        assert!(splitter.finish().is_err());
        assert!(Splitter::default().split(&[7; 30], &mut |_| {}).is_err());
    }

    #[test]
    fn a_checksum_knows_rows_and_not_their_order() {
        let of = |rows: &[&[u8]]| {
            let mut checksum = Checksum::default();
            rows.iter().for_each(|row| checksum.add(row));
            checksum
        };
        assert_eq!(of(&[b"a", b"b"]), of(&[b"b", b"a"]));
        assert_ne!(of(&[b"a", b"b"]), of(&[b"a", b"c"]));
        assert_ne!(of(&[b"a", b"b"]), of(&[b"a", b"b", b"b"]));
        assert_eq!(of(&[b"a"]).to_string().len(), 32);
    }
}
