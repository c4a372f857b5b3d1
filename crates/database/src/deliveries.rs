//! What is to be told to subscribers: a row for each change and each of them, written in the transaction of the change.
//!
//! Within a topic (what happens at one path, for one subscription) numbers grow in the order of what happened, and one
//! delivery is under way at a time: the others wait until it has been told or given up. A delivery that is taken has a
//! moment from which on it may be taken again, and a number of attempts; both together say who has it.

mod keep;
mod queue;
#[cfg(test)]
mod tests;

pub use keep::{
    Ended, Stale, ahead, count_dead, count_due, dead, ended, give_up_stale, make_due, remove, retry, stale,
};
pub use queue::{enqueue, enqueue_late, failed, give_up, next_due, take, told};

use crate::tx::Row;
use crate::{Error, Tx, jobs};
use entente_model::{EventId, ItemId, SubscriptionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// The kind of the jobs that tell of what is below a folder. Their payload is [`Below::to_text`], their key
/// [`Below::job_key`].
pub const TELL_BELOW_JOB: &str = "tell of folder";

/// The target of what webhooks are told: each says itself where. No target of a configuration can have this name.
pub const WEBHOOKS: &str = "box:webhooks";

/// After so many attempts that failed in a row nothing waits any more for a job that tells of a folder.
const HELD_UP_ATTEMPTS_MAX: u32 = 10;

/// The kinds that this release has words for, for SQL: in step with [`Wording::ALL`]. Rows of another one are those of a
/// later release: nothing is told by them, and they are in nobody's way.
macro_rules! known_kinds {
    () => {
        "1, 2"
    };
}
pub(crate) use known_kinds;

/// In whose words subscribers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wording {
    /// Those of S3's event notifications.
    S3,
    /// Those of Box's webhooks. What is told is words already, in [`Told::body`]; the subscription is a webhook.
    Box,
}

/// What has happened to what is at a path. The numbers are stored: never give one another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happening {
    /// Nothing: somebody wants to see whether deliveries arrive.
    Trial,
    /// There is a new version.
    Put,
    /// There is one that came by a form.
    Posted,
    /// There is one that is a copy, or came from another path.
    Copied,
    /// There is one that is made of parts.
    Assembled,
    /// It is gone.
    Removed,
    /// A delete marker stands in its place.
    Marked,
    /// It has other tags.
    Tagged,
    /// It has no tags any more.
    Untagged,
    /// It is gone, for its time was over.
    Expired,
    /// A delete marker stands in its place, for its time was over.
    ExpiryMarked,
    /// Others may do something with it.
    Granted,
    /// What the words say that are told.
    Other,
}

/// Where a delivery is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// To be told.
    Due,
    /// To be told once what happened before at the same path has been.
    Waiting,
    /// It has been told.
    Told,
    /// It could not be told, and is not tried any more.
    Dead,
}

/// What is told. Stored as JSON, each member left out when it is empty: a member is never given another meaning.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// What the subscription is called.
    pub name: String,
    /// The name of the bucket.
    pub bucket: String,
    /// At whose root it is.
    pub owner: i64,
    /// Who did it.
    pub user: i64,
    /// The path below the bucket.
    pub key: String,
    /// Bytes of what is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its entity tag, without quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// What the version or the delete marker is called, in a bucket that keeps versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it happened, in milliseconds since 1970.
    pub at: i64,
    /// What is sent, where that is written down as it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Told {
    /// Who did it.
    #[must_use]
    pub const fn by(&self) -> UserId {
        UserId::new(self.user)
    }
}

/// What is to be told, to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery<'d> {
    /// By which wish.
    pub subscription: SubscriptionId,
    /// What happens to which is told one after the other.
    pub topic: i64,
    /// In whose words.
    pub wording: Wording,
    /// To whom.
    pub target: &'d str,
    /// What has happened.
    pub happening: Happening,
    /// What is told of it.
    pub told: &'d Told,
    /// The event that recorded it.
    pub event: EventId,
    /// When it happened.
    pub at: Timestamp,
}

/// Which delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveryId {
    /// By which wish.
    pub subscription: SubscriptionId,
    /// Of which topic.
    pub topic: i64,
    /// Grows within the topic.
    pub number: i64,
}

/// A change of a folder of which there is much to be told: of each file below it. JSON, as the payload of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Below {
    /// The folder.
    pub folder: i64,
    /// Who changed it.
    pub user: i64,
    /// The event that recorded it.
    pub event: i64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Where it is not any more, if that is to be told.
    pub gone: Option<Branch>,
    /// Where it is, if that is to be told.
    pub come: Option<Branch>,
}

/// Where in which bucket a folder is or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// The bucket.
    pub bucket: i64,
    /// Its name.
    pub name: String,
    /// At whose root it is.
    pub owner: i64,
    /// How the paths of all that is in the folder begin.
    pub prefix: String,
    /// What has happened to all that is in it.
    happening: i64,
}

impl Below {
    /// What the job that tells of it is called among those of its kind.
    #[must_use]
    pub fn job_key(&self) -> String {
        format!("{}/{}", self.folder, self.event)
    }

    /// The form in which it is stored.
    pub fn to_text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|_| Error::damaged("a change of a folder that cannot be told"))
    }

    /// Reads what [`Below::to_text`] gave.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|_| Error::damaged("a change of a folder that is to be told"))
    }
}

impl Branch {
    /// A folder in which that has happened to everything.
    #[must_use]
    pub fn new(bucket: ItemId, name: String, owner: UserId, (prefix, happening): (String, Happening)) -> Self {
        Self { bucket: bucket.number(), name, owner: owner.number(), prefix, happening: happening.number() }
    }

    /// What has happened to all that is in it.
    pub fn happening(&self) -> Result<Happening, Error> {
        Happening::from_number(self.happening)
    }
}

/// A delivery as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which.
    pub id: DeliveryId,
    /// In whose words.
    pub wording: Wording,
    /// To whom.
    pub target: String,
    /// What has happened.
    pub happening: Happening,
    /// What is told of it.
    pub told: Told,
    /// Where it is in its life.
    pub state: DeliveryState,
    /// How often it has been tried, this time included while it is being told.
    pub attempts: u32,
    /// When it is told next, or was told or given up.
    pub due_at: Timestamp,
    /// What went wrong last; empty if nothing did.
    pub last_error: String,
    /// When it happened.
    pub created_at: Timestamp,
}

/// Deliveries that were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Those that can be told.
    pub deliveries: Vec<Delivery>,
    /// Those of which this release cannot make anything.
    pub unreadable: Vec<DeliveryId>,
}

impl Wording {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::S3, Self::Box];

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::S3 => 1,
            Self::Box => 2,
        }
    }

    pub(crate) fn from_number(number: i64) -> Result<Self, Error> {
        let wording = Self::ALL.into_iter().find(|wording| wording.number() == number);
        wording.ok_or_else(|| Error::damaged("in whose words something is told"))
    }
}

impl Happening {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Trial,
        Self::Put,
        Self::Posted,
        Self::Copied,
        Self::Assembled,
        Self::Removed,
        Self::Marked,
        Self::Tagged,
        Self::Untagged,
        Self::Expired,
        Self::ExpiryMarked,
        Self::Granted,
        Self::Other,
    ];

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Trial => 0,
            Self::Put => 1,
            Self::Posted => 2,
            Self::Copied => 3,
            Self::Assembled => 4,
            Self::Removed => 5,
            Self::Marked => 6,
            Self::Tagged => 7,
            Self::Untagged => 8,
            Self::Expired => 9,
            Self::ExpiryMarked => 10,
            Self::Granted => 11,
            Self::Other => 12,
        }
    }

    fn from_number(number: i64) -> Result<Self, Error> {
        let happening = Self::ALL.into_iter().find(|happening| happening.number() == number);
        happening.ok_or_else(|| Error::damaged("what is told"))
    }
}

impl DeliveryState {
    const fn number(self) -> i64 {
        match self {
            Self::Due => 0,
            Self::Waiting => 1,
            Self::Told => 2,
            Self::Dead => 3,
        }
    }

    fn from_number(number: i64) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::Due),
            1 => Ok(Self::Waiting),
            2 => Ok(Self::Told),
            3 => Ok(Self::Dead),
            _ => Err(Error::damaged("where a delivery is in its life")),
        }
    }
}

macro_rules! columns {
    () => {
        "d.subscription_id, d.topic, d.number, d.kind, d.target, d.happening, d.payload, d.state, d.attempts, d.due_at,
         d.last_error, d.created_at"
    };
}
use columns;

/// Whether a job is still to tell of a change of a folder. What is in the folder must stay where it is until then. A job
/// that has failed ten times in a row holds up nothing.
pub fn is_to_be_told(tx: &mut Tx<'_>, folder: ItemId) -> Result<bool, Error> {
    let number = folder.number();
    // `0` comes after `/`.
    jobs::is_between(tx, TELL_BELOW_JOB, (&format!("{number}/"), &format!("{number}0")), HELD_UP_ATTEMPTS_MAX)
}

fn read_id(row: &Row<'_>) -> Result<DeliveryId, Error> {
    Ok(DeliveryId { subscription: SubscriptionId::new(row.int(0)?), topic: row.int(1)?, number: row.int(2)? })
}

/// A delivery, or which one it is when nothing can be made of it.
fn read(row: &Row<'_>) -> Result<Result<Delivery, DeliveryId>, Error> {
    let id = read_id(row)?;
    Ok(read_whole(row, id).map_err(|_| id))
}

fn read_whole(row: &Row<'_>, id: DeliveryId) -> Result<Delivery, Error> {
    Ok(Delivery {
        id,
        wording: Wording::from_number(row.int(3)?)?,
        target: row.text(4)?,
        happening: Happening::from_number(row.int(5)?)?,
        told: serde_json::from_str(&row.text(6)?).map_err(|_| Error::damaged("what is told of a change"))?,
        state: DeliveryState::from_number(row.int(7)?)?,
        attempts: row.number(8)?,
        due_at: Timestamp::from_millis(row.int(9)?),
        last_error: row.text(10)?,
        created_at: Timestamp::from_millis(row.int(11)?),
    })
}
