//! Which segments a job looks at, and how far it is.

use crate::{Error, Ledger, ObjectName, SegmentRecord};
use entente_model::{BackendId, PolicyId, SegmentId};

/// Which segments to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Those that have a replica which is not written yet, or damaged: few, so they can be looked at often.
    Unsettled,
    /// Those that have a replica on a backend, whatever its state.
    On(BackendId),
    /// Those of a policy.
    Of(PolicyId),
    /// All.
    All,
}

/// How far a job is. It goes on behind this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// For those that go in order of segments: all but [`Selection::On`].
    Segment(SegmentId),
    /// For those that go in order of the names of objects on a backend.
    Object(ObjectName),
}

/// The bytes are not those of a cursor. Begin at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not those of a cursor; begin at the beginning")]
pub struct CursorError;

const SEGMENT: u8 = 1;
const OBJECT: u8 = 2;

impl Cursor {
    /// To be stored: a marker, and a number or a name.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Segment(segment) => [[SEGMENT].as_slice(), &segment.number().to_be_bytes()].concat(),
            Self::Object(name) => [[OBJECT].as_slice(), name.as_bytes()].concat(),
        }
    }

    /// What `to_bytes` made.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CursorError> {
        let (kind, rest) = bytes.split_first().ok_or(CursorError)?;
        match *kind {
            SEGMENT => rest
                .try_into()
                .map(|bytes| Self::Segment(SegmentId::new(i64::from_be_bytes(bytes))))
                .map_err(|_| CursorError),
            OBJECT => rest.try_into().map(|bytes| Self::Object(ObjectName::new(bytes))).map_err(|_| CursorError),
            _ => Err(CursorError),
        }
    }
}

impl Selection {
    /// Up to `limit` segments behind a cursor. A cursor of the other kind is an error of the caller.
    pub(crate) async fn page(
        self,
        ledger: &dyn Ledger,
        from: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<SegmentRecord>, Error> {
        let after = match (self, from) {
            (Self::On(backend), None) => return ledger.segments_on(backend, None, limit).await,
            (Self::On(backend), Some(Cursor::Object(name))) => {
                return ledger.segments_on(backend, Some(name), limit).await;
            }
            (_, None) => None,
            (Self::Unsettled | Self::Of(_) | Self::All, Some(Cursor::Segment(segment))) => Some(segment),
            _ => return Err(Error::Internal("a cursor is of another selection")),
        };
        match self {
            Self::Unsettled => ledger.unsettled(after, limit).await,
            Self::Of(policy) => ledger.segments_of(policy, after, limit).await,
            Self::On(_) | Self::All => ledger.segments_after(after, limit).await,
        }
    }

    /// The cursor behind a segment.
    pub(crate) fn behind(self, record: &SegmentRecord) -> Option<Cursor> {
        match self {
            Self::On(backend) => record.on(backend).map(|replica| Cursor::Object(replica.name)),
            _ => Some(Cursor::Segment(record.segment)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_from_its_bytes() {
        for cursor in [Cursor::Segment(SegmentId::new(42)), Cursor::Object(ObjectName::new([7; 16]))] {
            assert_eq!(Cursor::from_bytes(&cursor.to_bytes()), Ok(cursor));
        }
        for wrong in [&[][..], &[1], &[3, 0, 0], &[2; 16], &[1; 17]] {
            assert_eq!(Cursor::from_bytes(wrong), Err(CursorError));
        }
    }
}
