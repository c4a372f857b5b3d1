//! Reads values as the server sends them: binary.

use crate::Error;
use postgres_protocol::Oid;
use std::ops::Range;

const BOOL: Oid = 16;
pub(super) const BYTEA: Oid = 17;
pub(super) const INT8: Oid = 20;
const INT2: Oid = 21;
const INT4: Oid = 23;
pub(super) const TEXT: Oid = 25;
const NUMERIC: Oid = 1700;

/// One row of an answer.
pub(crate) struct Row<'r> {
    pub(super) columns: &'r [Oid],
    pub(super) places: &'r [Option<Range<usize>>],
    pub(super) bytes: &'r [u8],
}

impl Row<'_> {
    pub(crate) fn int(&self, column: usize) -> Result<Option<i64>, Error> {
        let Some((kind, bytes)) = self.value(column)? else { return Ok(None) };
        let number = match (kind, bytes) {
            (INT8, _) => bytes.try_into().ok().map(i64::from_be_bytes),
            (INT4, _) => bytes.try_into().ok().map(i32::from_be_bytes).map(i64::from),
            (INT2, _) => bytes.try_into().ok().map(i16::from_be_bytes).map(i64::from),
            (BOOL, [one]) => Some(i64::from(*one != 0)),
            (NUMERIC, _) => numeric(bytes),
            _ => None,
        };
        number.map(Some).ok_or_else(|| Error::damaged("not a whole number of 64 bits"))
    }

    pub(crate) fn text(&self, column: usize) -> Result<Option<&str>, Error> {
        match self.value(column)? {
            Some((BYTEA | INT8 | INT4 | INT2 | BOOL | NUMERIC, _)) => Err(Error::damaged("not text")),
            Some((_, bytes)) => {
                std::str::from_utf8(bytes).map(Some).map_err(|_| Error::damaged("text that is not UTF-8"))
            }
            None => Ok(None),
        }
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        match self.value(column)? {
            Some((BYTEA, bytes)) => Ok(Some(bytes)),
            Some(_) => Err(Error::damaged("not a blob")),
            None => Ok(None),
        }
    }

    fn value(&self, column: usize) -> Result<Option<(Oid, &[u8])>, Error> {
        let missing = || Error::damaged("a column that is not there");
        let kind = *self.columns.get(column).ok_or_else(missing)?;
        match self.places.get(column).ok_or_else(missing)? {
            Some(place) => Ok(Some((kind, self.bytes.get(place.clone()).ok_or_else(missing)?))),
            None => Ok(None),
        }
    }
}

/// A whole number in the format of NUMERIC, in which sums of BIGINT come: digits of base 10,000 after a header of count,
/// weight of the first, sign and scale, 16 bits each.
fn numeric(bytes: &[u8]) -> Option<i64> {
    let mut words = bytes.as_chunks::<2>().0.iter().map(|word| i16::from_be_bytes(*word));
    let (count, weight, sign, _scale) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let mut number: i128 = 0;
    for power in 0..=i32::from(weight) {
        let digit = if power < i32::from(count) { words.next()? } else { 0 };
        number = number.checked_mul(10_000)?.checked_add(i128::from(digit))?;
    }
    let number = match sign.cast_unsigned() {
        0 => number,
        0x4000 => -number,
        _ => return None,
    };
    // What is left would be digits after the point.
    if words.any(|digit| digit != 0) { None } else { i64::try_from(number).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[i16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn whole_numerics_are_read() {
        assert_eq!(numeric(&words(&[0, 0, 0, 0])), Some(0));
        assert_eq!(numeric(&words(&[1, 0, 0, 0, 42])), Some(42));
        assert_eq!(numeric(&words(&[1, 1, 0, 0, 3])), Some(30_000));
        assert_eq!(numeric(&words(&[2, 1, 0x4000, 0, 3, 7])), Some(-30_007));
        assert_eq!(numeric(&words(&[5, 4, 0, 0, 922, 3372, 368, 5477, 5807])), Some(i64::MAX));
        assert_eq!(numeric(&words(&[5, 4, 0, 0, 922, 3372, 368, 5477, 5808])), None);
        assert_eq!(numeric(&words(&[2, 0, 0, 1, 1, 5000])), None, "1.5");
        assert_eq!(numeric(&words(&[0, 0, -0x4000, 0])), None, "not a number");
        assert_eq!(numeric(&[0]), None);
    }
}
