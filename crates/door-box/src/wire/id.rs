//! Ids as Box has them: digits, with `0` for a user's root and `1` for the trash.

use entente_model::ItemId;
use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// The name that Box gives the root.
pub const ROOT_NAME: &str = "All Files";
/// The name that Box gives the trash in a path.
pub const TRASH_NAME: &str = "Trash";

/// Which item: the caller's root, or one with an id of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemRef {
    /// `0`, the caller's own "All Files".
    Root,
    /// `1`, the trash; never in a request.
    Trash,
    /// Any other.
    Item(ItemId),
}

/// The text is not an id: Box answers 405 for one in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: ids are strings of digits")]
pub struct MalformedId;

impl FromStr for ItemRef {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        if text == "0" {
            return Ok(Self::Root);
        }
        parse(text).map(Self::Item)
    }
}

/// Reads the id of anything but a root.
///
/// Digits that are too many for any id of ours, or have leading zeros, are still an id to Box: one of nothing. They
/// become the greatest id, which is never given out.
pub fn parse<I: FromStr + FromNumber>(text: &str) -> Result<I, MalformedId> {
    if text.is_empty() || text.len() > 64 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MalformedId);
    }
    Ok(text.parse().unwrap_or_else(|_| I::from_number(i64::MAX)))
}

/// Ids that can be made of a number.
pub trait FromNumber {
    /// The id.
    fn from_number(number: i64) -> Self;
}

macro_rules! from_number {
    ($($name:ident),*) => {$(
        impl FromNumber for entente_model::$name {
            fn from_number(number: i64) -> Self {
                Self::new(number)
            }
        }
    )*};
}

from_number!(
    AllowedDomainId,
    ExemptionId,
    TermsId,
    TermsStatusId,
    AuthorizationId,
    FolderLockId,
    CommentId,
    TaskId,
    TaskAssignmentId,
    AliasId,
    GroupId,
    InviteId,
    MembershipId,
    CollaborationId,
    WebhookId,
    FileRequestId
);
from_number!(EnterpriseId, ItemId, PolicyId, UserId, VersionId, UploadSessionId);

impl fmt::Display for ItemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("0"),
            Self::Trash => f.write_str("1"),
            Self::Item(id) => id.fmt(f),
        }
    }
}

impl Serialize for ItemRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Any other number that Box shows as a text.
#[derive(Debug, Clone, Copy)]
pub struct Text<T>(pub T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ItemRef, MalformedId};
    use entente_model::ItemId;

    #[test]
    fn zero_is_the_root_and_only_digits_are_ids() {
        assert_eq!("0".parse(), Ok(ItemRef::Root));
        assert_eq!("12".parse(), Ok(ItemRef::Item(ItemId::new(12))));
        for unknown in ["00", "012", "99999999999999999999999"] {
            assert_eq!(unknown.parse(), Ok(ItemRef::Item(ItemId::new(i64::MAX))), "{unknown}");
        }
        for bad in ["", "-1", "1x", "abc", "1.0", "٣"] {
            assert_eq!(bad.parse::<ItemRef>(), Err(MalformedId), "{bad:?}");
        }
        assert_eq!(ItemRef::Trash.to_string(), "1");
    }
}
