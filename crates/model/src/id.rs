//! Ids are 63-bit, positive, time-ordered and unique without coordination (see `world::Ids`). They are
//! shown as decimal strings, as Box shows its own.

use std::{fmt, str::FromStr};

/// The text is not the decimal form of a positive 63-bit number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a positive decimal number below 2^63, without sign or leading zero")]
pub struct IdParseError;

fn parse(text: &str) -> Result<i64, IdParseError> {
    let canonical =
        !text.is_empty() && text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if !canonical {
        return Err(IdParseError);
    }
    text.parse().map_err(|_| IdParseError)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Wraps a number that is already known to be an id: one from the database or from `world::Ids`.
            #[must_use]
            pub const fn new(number: i64) -> Self {
                Self(number)
            }

            /// The number itself.
            #[must_use]
            pub const fn number(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdParseError;
            fn from_str(text: &str) -> Result<Self, IdParseError> {
                parse(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// The customer whose content is kept apart from every other's.
    EnterpriseId;
    /// A person, or the service account of an app.
    UserId;
    /// A folder, file or web link.
    ItemId;
    /// One immutable content of a file, as the tree sees it.
    VersionId;
    /// The sealed bytes behind one or more versions: what a manifest describes. Copies share it.
    ContentId;
    /// One stored object. Its name on the backend is random and unrelated.
    SegmentId;
    /// An application registered to use the doors.
    AppId;
    /// A public key with which an application signs assertions.
    PublicKeyId;
    /// An issued credential (never the secret itself).
    TokenId;
    /// That a user let an app act for them.
    AuthorizationId;
    /// A browser in which somebody has signed in.
    WebSessionId;
    /// An upload in pieces.
    UploadSessionId;
    /// An upload of parts of any size that become an object when all are there (S3's multipart upload).
    MultipartId;
    /// A recorded change.
    EventId;
    /// Work to be done later.
    JobId;
    /// A residency boundary.
    ZoneId;
    /// One configured bucket or disk in one zone.
    BackendId;
    /// A key of an enterprise and zone that wraps data keys.
    EpochId;
    /// A storage policy: a zone, and how many copies on which of its backends.
    PolicyId;
    /// A storage policy given to an enterprise or a user.
    AssignmentId;
    /// A wish to be told of changes.
    SubscriptionId;
    /// A wish of an application's user to be told of changes at a URL.
    WebhookId;
    /// A page where people without an account put files into a folder.
    FileRequestId;
    /// A key with which a device signs its user in.
    PasskeyId;
    /// A set of users.
    GroupId;
    /// A user's place in a group.
    MembershipId;
    /// A role that somebody has on an item.
    CollaborationId;
    /// A URL that gives access to an item.
    SharedLinkId;
    /// A folder that is neither moved nor removed.
    FolderLockId;
    /// A file that one user alone may change.
    FileLockId;
    /// What somebody says of a file.
    CommentId;
    /// What people are asked to do with a file.
    TaskId;
    /// That somebody is asked.
    TaskAssignmentId;
    /// Another mail address of a user.
    AliasId;
    /// That somebody was asked to become a user of the enterprise.
    InviteId;
    /// A domain with which roles may be given and taken.
    AllowedDomainId;
    /// That this does not apply to a user.
    ExemptionId;
    /// Terms of service.
    TermsId;
    /// What a user has said to them.
    TermsStatusId;
    /// A set of fields that may be said of items.
    TemplateId;
    /// What goes from a folder to everything below it.
    CascadeId;
    /// A set of values in levels.
    TaxonomyId;
    /// One of these values.
    TaxonomyNodeId;
    /// A move of stored bytes, from its order to its end.
    RelocationId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_decimal_form_is_an_id() {
        assert_eq!("12".parse::<ItemId>(), Ok(ItemId::new(12)));
        assert_eq!("9223372036854775807".parse::<ItemId>(), Ok(ItemId::new(i64::MAX)));
        for bad in ["", "0", "012", "-1", "+1", "1 ", "1.0", "9223372036854775808", "99999999999999999999", "٣"] {
            assert_eq!(bad.parse::<ItemId>(), Err(IdParseError), "{bad:?}");
        }
    }
}
