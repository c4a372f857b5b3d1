//! Recorded changes, one row each, in the same transaction as the change.
//!
//! The order in which changes are committed is not that of their ids, so each event gets a position afterwards: see
//! [`place()`]. Who reads in the order of positions, and goes on after the last one seen, misses nothing.

mod place;
mod read;
#[cfg(test)]
mod tests;

pub use place::{Placing, Unplaced, last, place, remove_old, unplaced};
pub use read::{Event, Of, Touch, after, all_after, explain, first_since, touches};

use crate::tx::Value;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, EventId, ItemId, Timestamp, UserId, VersionId};

/// What has happened. The numbers are stored: never give one another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An item was made: a folder created, a file uploaded.
    Created,
    /// A file got a new version.
    VersionAdded,
    /// An item got another name.
    Renamed,
    /// An item got another parent (and perhaps another name).
    Moved,
    /// An item was copied; the item is the copy.
    Copied,
    /// An item went into the trash.
    Trashed,
    /// An item came back from the trash.
    Restored,
    /// An item was removed for good.
    Purged,
    /// An item's description, tags or times changed.
    Described,
    /// An older version became the content of a new one.
    VersionPromoted,
    /// A version was removed from the list.
    VersionRemoved,
    /// A version came back into the list.
    VersionRestored,
    /// Somebody was given a role on an item, or invited to it.
    CollaborationAdded,
    /// A role on an item changed.
    CollaborationChanged,
    /// A role on an item was taken away.
    CollaborationRemoved,
    /// Somebody accepted a role.
    CollaborationAccepted,
    /// Somebody did not want a role.
    CollaborationRejected,
    /// Something was said of an item by a template that had said nothing of it.
    MetadataAdded,
    /// What a template says of an item changed.
    MetadataChanged,
    /// What a template said of an item was taken back.
    MetadataRemoved,
    /// Somebody read a file's content, or fetched it or a folder in an archive.
    Downloaded,
    /// Somebody looked at a large picture of a file.
    Previewed,
    /// An item got a shared link.
    SharedLinkMade,
    /// An item's shared link changed.
    SharedLinkChanged,
    /// An item's shared link was taken away.
    SharedLinkRemoved,
    /// An item got a comment.
    Commented,
    /// A comment changed.
    CommentChanged,
    /// A comment was removed.
    CommentRemoved,
    /// People are asked to do something with an item.
    TaskMade,
    /// What they are asked to do changed.
    TaskChanged,
    /// They are no longer asked.
    TaskRemoved,
    /// Somebody is asked to do it.
    TaskAssigned,
    /// Somebody who is asked did it, or said something to it.
    TaskAssignmentChanged,
    /// Somebody is no longer asked.
    TaskAssignmentRemoved,
    /// Somebody locked a file.
    FileLocked,
    /// It is no longer locked.
    FileUnlocked,
    /// An item got a watermark.
    Watermarked,
    /// Its watermark was taken away.
    WatermarkRemoved,
    /// A folder got a file request.
    FileRequestMade,
    /// A file request changed.
    FileRequestChanged,
    /// A file request was removed.
    FileRequestRemoved,
    /// Somebody became a user.
    UserMade,
    /// What is known of a user changed.
    UserChanged,
    /// A user was removed.
    UserRemoved,
    /// A group was made.
    GroupMade,
    /// A group changed.
    GroupChanged,
    /// A group was removed.
    GroupRemoved,
    /// Somebody came into a group.
    MemberAdded,
    /// What somebody may do in a group changed.
    MemberChanged,
    /// Somebody left a group.
    MemberRemoved,
    /// Somebody signed in with a browser.
    SignedIn,
    /// Somebody did not know a user's password.
    SignInFailed,
    /// An application was registered.
    AppMade,
}

impl EventKind {
    /// All of them. Rows of another kind are those of a later release: they are shown to nobody.
    pub const ALL: [Self; 53] = [
        Self::Created,
        Self::VersionAdded,
        Self::Renamed,
        Self::Moved,
        Self::Copied,
        Self::Trashed,
        Self::Restored,
        Self::Purged,
        Self::Described,
        Self::VersionPromoted,
        Self::VersionRemoved,
        Self::VersionRestored,
        Self::CollaborationAdded,
        Self::CollaborationChanged,
        Self::CollaborationRemoved,
        Self::CollaborationAccepted,
        Self::CollaborationRejected,
        Self::MetadataAdded,
        Self::MetadataChanged,
        Self::MetadataRemoved,
        Self::Downloaded,
        Self::Previewed,
        Self::SharedLinkMade,
        Self::SharedLinkChanged,
        Self::SharedLinkRemoved,
        Self::Commented,
        Self::CommentChanged,
        Self::CommentRemoved,
        Self::TaskMade,
        Self::TaskChanged,
        Self::TaskRemoved,
        Self::TaskAssigned,
        Self::TaskAssignmentChanged,
        Self::TaskAssignmentRemoved,
        Self::FileLocked,
        Self::FileUnlocked,
        Self::Watermarked,
        Self::WatermarkRemoved,
        Self::FileRequestMade,
        Self::FileRequestChanged,
        Self::FileRequestRemoved,
        Self::UserMade,
        Self::UserChanged,
        Self::UserRemoved,
        Self::GroupMade,
        Self::GroupChanged,
        Self::GroupRemoved,
        Self::MemberAdded,
        Self::MemberChanged,
        Self::MemberRemoved,
        Self::SignedIn,
        Self::SignInFailed,
        Self::AppMade,
    ];

    /// Whether it happens to an item, and not to a user, a group or an application.
    #[must_use]
    pub const fn is_of_item(self) -> bool {
        !matches!(self.number(), 20..=39)
    }

    /// Whether it leaves everything as it was.
    #[must_use]
    pub const fn is_of_reading(self) -> bool {
        matches!(self, Self::Downloaded | Self::Previewed)
    }

    fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    const fn number(self) -> i64 {
        match self {
            Self::Created => 1,
            Self::VersionAdded => 2,
            Self::Renamed => 3,
            Self::Moved => 4,
            Self::Copied => 5,
            Self::Trashed => 6,
            Self::Restored => 7,
            Self::Purged => 8,
            Self::Described => 9,
            Self::VersionPromoted => 10,
            Self::VersionRemoved => 11,
            Self::VersionRestored => 12,
            Self::CollaborationAdded => 40,
            Self::CollaborationChanged => 41,
            Self::CollaborationRemoved => 42,
            Self::CollaborationAccepted => 43,
            Self::CollaborationRejected => 44,
            Self::MetadataAdded => 50,
            Self::MetadataChanged => 51,
            Self::MetadataRemoved => 52,
            Self::Downloaded => 53,
            Self::Previewed => 54,
            Self::SharedLinkMade => 60,
            Self::SharedLinkChanged => 61,
            Self::SharedLinkRemoved => 62,
            Self::Commented => 70,
            Self::CommentChanged => 71,
            Self::CommentRemoved => 72,
            Self::TaskMade => 73,
            Self::TaskChanged => 74,
            Self::TaskRemoved => 75,
            Self::TaskAssigned => 76,
            Self::TaskAssignmentChanged => 77,
            Self::TaskAssignmentRemoved => 78,
            Self::FileLocked => 80,
            Self::FileUnlocked => 81,
            Self::Watermarked => 82,
            Self::WatermarkRemoved => 83,
            Self::FileRequestMade => 84,
            Self::FileRequestChanged => 85,
            Self::FileRequestRemoved => 86,
            Self::UserMade => 20,
            Self::UserChanged => 21,
            Self::UserRemoved => 22,
            Self::GroupMade => 23,
            Self::GroupChanged => 24,
            Self::GroupRemoved => 25,
            Self::MemberAdded => 26,
            Self::MemberChanged => 27,
            Self::MemberRemoved => 28,
            Self::SignedIn => 30,
            Self::SignInFailed => 31,
            Self::AppMade => 35,
        }
    }
}

/// A change to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// A fresh id.
    pub id: EventId,
    /// The enterprise of whoever did it. When the event gets its position, that of the item's owner takes its place.
    pub enterprise: EnterpriseId,
    /// Who did it.
    pub user: UserId,
    /// What.
    pub kind: EventKind,
    /// To which item.
    pub item: ItemId,
    /// To which of its versions, if to one.
    pub version: Option<VersionId>,
    /// When.
    pub at: Timestamp,
}

/// Something to be recorded that happened to no item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOtherEvent<'e> {
    /// A fresh id.
    pub id: EventId,
    /// Of which enterprise the one is to whom it happened.
    pub enterprise: EnterpriseId,
    /// Who did it; 0 for an operator, or nobody that is known.
    pub user: UserId,
    /// What.
    pub kind: EventKind,
    /// To whom: the id of a user, a group or an application.
    pub subject: i64,
    /// What that is called.
    pub name: &'e str,
    /// Who else it is about, and what they are called: of a user, 0 and their login; of a membership, the member and
    /// their login.
    pub other: Option<(UserId, &'e str)>,
    /// When.
    pub at: Timestamp,
}

/// Records that.
pub fn record_other(tx: &mut Tx<'_>, event: &NewOtherEvent<'_>) -> Result<(), Error> {
    let (other, other_name) = event.other.map_or((Value::Null, Value::Null), |(id, name)| (id.into(), name.into()));
    tx.put(
        "INSERT INTO events (id, enterprise_id, user_id, kind, item_id, version_id, at, item_kind, name, parent_id,
           other_id, other_name)
         VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6, NULL, ?7, NULL, ?8, ?9)",
        &[
            event.id.into(),
            event.enterprise.into(),
            event.user.into(),
            event.kind.number().into(),
            event.subject.into(),
            event.at.into(),
            event.name.into(),
            other,
            other_name,
        ],
    )
}

/// Who has changed an item, the latest change first, up to `limit` changes.
pub fn doers(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<Vec<UserId>, Error> {
    tx.query(
        "SELECT user_id FROM events WHERE item_id = ?1 AND kind NOT IN (53, 54) ORDER BY id DESC LIMIT ?2",
        &[item.into(), limit.into()],
        |row| Ok(UserId::new(row.int(0)?)),
    )
}

/// Records a change, with the item as it is at this moment of the transaction. Of what is in the trash itself, where it was
/// is the folder that it came from.
pub fn record(tx: &mut Tx<'_>, event: &NewEvent) -> Result<(), Error> {
    tx.put(
        "INSERT INTO events (id, enterprise_id, user_id, kind, item_id, version_id, at, item_kind, name, parent_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT kind FROM items WHERE id = ?5),
           (SELECT name FROM items WHERE id = ?5),
           (SELECT coalesce(trashed_from, parent_id) FROM items WHERE id = ?5))",
        &[
            event.id.into(),
            event.enterprise.into(),
            event.user.into(),
            event.kind.number().into(),
            event.item.into(),
            event.version.into(),
            event.at.into(),
        ],
    )?;
    Ok(())
}
