//! What is to be told to subscribers: a row for each change and each of them, written in the transaction of the change.
//!
//! Within a topic (what happens at one path, for one subscription) numbers grow in the order of what happened, and one
//! delivery is under way at a time: the others wait until it has been told or given up. A delivery that is taken has a
//! moment from which on it may be taken again, and a number of attempts; both together say who has it.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EventId, ItemId, SubscriptionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// How many deliveries of a state are counted at most.
const COUNT_MAX: u32 = 100_000;
/// How much of an error's text is kept, in bytes.
const ERROR_BYTES_MAX: usize = 500;

/// In whose words subscribers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wording {
    /// Those of S3's event notifications.
    S3,
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

/// How many deliveries there are, each counted up to 100,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// To be told.
    pub due: u64,
    /// Given up.
    pub dead: u64,
}

impl Wording {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::S3 => 1,
        }
    }

    pub(crate) fn from_number(number: i64) -> Result<Self, Error> {
        if number == 1 { Ok(Self::S3) } else { Err(Error::damaged("in whose words something is told")) }
    }
}

impl Happening {
    /// All of them.
    pub const ALL: [Self; 12] = [
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

/// Queues what is to be told. It waits for what is still to be told of the same topic.
pub fn enqueue(tx: &mut Tx<'_>, new: &NewDelivery<'_>) -> Result<(), Error> {
    let last = last(tx, new)?;
    insert(tx, new, last)
}

/// The same some time after it has happened: nothing is queued when this has been queued already, or something that
/// happened later.
pub fn enqueue_late(tx: &mut Tx<'_>, new: &NewDelivery<'_>) -> Result<(), Error> {
    let last = last(tx, new)?;
    if last.is_some_and(|(number, _)| number >= new.event.number()) { Ok(()) } else { insert(tx, new, last) }
}

/// The last delivery of the topic.
fn last(tx: &mut Tx<'_>, new: &NewDelivery<'_>) -> Result<Option<(i64, DeliveryState)>, Error> {
    tx.query_one(
        "SELECT number, state FROM deliveries WHERE subscription_id = ?1 AND topic = ?2 ORDER BY number DESC LIMIT 1",
        &[new.subscription.into(), new.topic.into()],
        |row| Ok((row.int(0)?, DeliveryState::from_number(row.int(1)?)?)),
    )
}

fn insert(tx: &mut Tx<'_>, new: &NewDelivery<'_>, last: Option<(i64, DeliveryState)>) -> Result<(), Error> {
    // Ids of events grow with time, though not always in the order of commits.
    let least = new.event.number();
    let (number, state) = match last {
        None => (least, DeliveryState::Due),
        Some((last, DeliveryState::Due | DeliveryState::Waiting)) => (least.max(last + 1), DeliveryState::Waiting),
        Some((last, DeliveryState::Told | DeliveryState::Dead)) => (least.max(last + 1), DeliveryState::Due),
    };
    let payload = serde_json::to_string(new.told).map_err(|_| Error::damaged("something that cannot be told"))?;
    tx.put(
        "INSERT INTO deliveries (subscription_id, topic, number, kind, target, happening, payload, state, attempts, due_at,
           last_error, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, '', ?9)",
        &[
            new.subscription.into(),
            new.topic.into(),
            number.into(),
            new.wording.number().into(),
            new.target.into(),
            new.happening.number().into(),
            payload.as_str().into(),
            state.number().into(),
            new.at.into(),
        ],
    )
}

/// When something is next to be told to a target, if anything is.
pub fn next_due(tx: &mut Tx<'_>, target: &str) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT due_at FROM deliveries WHERE target = ?1 AND state = 0 ORDER BY due_at LIMIT 1";
    tx.query_one(sql, &[target.into()], |row| Ok(Timestamp::from_millis(row.int(0)?)))
}

/// Takes up to `limit` deliveries to a target that are due, the longest due first. Nobody else takes them before `until`.
pub fn take(
    tx: &mut Tx<'_>,
    target: &str,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Delivery>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM deliveries d WHERE d.target = ?1 AND d.state = 0 AND d.due_at <= ?2 ORDER BY d.due_at LIMIT ?3
         /* skip locked */"
    );
    let due = tx.query(sql, &[target.into(), now.into(), limit.into()], read)?;
    let mut taken = Vec::with_capacity(due.len());
    for mut delivery in due {
        let DeliveryId { subscription, topic, number } = delivery.id;
        let changed = tx.execute(
            "UPDATE deliveries SET due_at = ?4, attempts = attempts + 1
             WHERE subscription_id = ?1 AND topic = ?2 AND number = ?3 AND state = 0 AND due_at <= ?5",
            &[subscription.into(), topic.into(), number.into(), until.into(), now.into()],
        )?;
        if changed > 0 {
            delivery.attempts += 1;
            delivery.due_at = until;
            taken.push(delivery);
        }
    }
    Ok(taken)
}

/// Records that a delivery that was taken has been told, and lets the next of its topic be told. `false` when somebody
/// else has taken it meanwhile.
pub fn told(tx: &mut Tx<'_>, delivery: &Delivery, now: Timestamp) -> Result<bool, Error> {
    end(tx, delivery, DeliveryState::Told, "", now)
}

/// Gives a delivery that was taken up, and lets the next of its topic be told. `false` when somebody else has taken it
/// meanwhile.
pub fn give_up(tx: &mut Tx<'_>, delivery: &Delivery, error: &str, now: Timestamp) -> Result<bool, Error> {
    end(tx, delivery, DeliveryState::Dead, error, now)
}

/// Records that a delivery that was taken could not be told, and is to be tried again then. `false` when somebody else
/// has taken it meanwhile.
pub fn failed(tx: &mut Tx<'_>, delivery: &Delivery, error: &str, again_at: Timestamp) -> Result<bool, Error> {
    end(tx, delivery, DeliveryState::Due, error, again_at)
}

fn end(
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    state: DeliveryState,
    error: &str,
    due_at: Timestamp,
) -> Result<bool, Error> {
    let DeliveryId { subscription, topic, number } = delivery.id;
    let error = error.get(..error.floor_char_boundary(ERROR_BYTES_MAX)).unwrap_or_default();
    let changed = tx.execute(
        "UPDATE deliveries SET state = ?4, due_at = ?5, last_error = ?6
         WHERE subscription_id = ?1 AND topic = ?2 AND number = ?3 AND state = 0 AND attempts = ?7",
        &[
            subscription.into(),
            topic.into(),
            number.into(),
            state.number().into(),
            due_at.into(),
            error.into(),
            delivery.attempts.into(),
        ],
    )?;
    if changed > 0 && state != DeliveryState::Due {
        advance(tx, delivery.id, due_at)?;
    }
    Ok(changed > 0)
}

/// Lets the next that waits in the topic be told.
fn advance(tx: &mut Tx<'_>, ended: DeliveryId, now: Timestamp) -> Result<(), Error> {
    let DeliveryId { subscription, topic, number } = ended;
    tx.put(
        "UPDATE deliveries SET state = 0, due_at = ?4 WHERE subscription_id = ?1 AND topic = ?2 AND number =
           (SELECT w.number FROM deliveries w WHERE w.subscription_id = ?1 AND w.topic = ?2 AND w.number > ?3
              AND w.state = 1 ORDER BY w.number LIMIT 1)",
        &[subscription.into(), topic.into(), number.into(), now.into()],
    )
}

/// Up to `limit` deliveries that were given up, those first that were given up first.
pub fn dead(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Delivery>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM deliveries d WHERE d.state = 3 AND d.state >= 2 ORDER BY d.due_at LIMIT ?1"
    );
    tx.query(sql, &[limit.into()], read)
}

/// Lets up to `limit` deliveries that were given up be tried as if they were new, beside whatever is told of their topics
/// meanwhile. Answers how many.
pub fn retry(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<u32, Error> {
    let mut some = 0;
    for delivery in dead(tx, limit)? {
        let DeliveryId { subscription, topic, number } = delivery.id;
        let changed = tx.execute(
            "UPDATE deliveries SET state = 0, attempts = 0, due_at = ?4, created_at = ?4
             WHERE subscription_id = ?1 AND topic = ?2 AND number = ?3 AND state = 3",
            &[subscription.into(), topic.into(), number.into(), now.into()],
        )?;
        some += u32::from(changed > 0);
    }
    Ok(some)
}

/// How many are to be told to a target, each that waits for another left out.
pub fn count_due(tx: &mut Tx<'_>, target: &str) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE target = ?1 AND state = 0 LIMIT ?2) AS counted";
    Ok(tx.query_one(sql, &[target.into(), COUNT_MAX.into()], |row| row.size(0))?.unwrap_or(0))
}

/// How many were given up.
pub fn count_dead(tx: &mut Tx<'_>) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state = 3 AND state >= 2 LIMIT ?1) AS counted";
    Ok(tx.query_one(sql, &[COUNT_MAX.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Up to `limit` deliveries that have been due since before `before`. Reads all that are due: for now and then.
pub fn stale(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<Vec<Delivery>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM deliveries d WHERE d.state = 0 AND d.due_at < ?1 LIMIT ?2");
    tx.query(sql, &[before.into(), limit.into()], read)
}

/// Removes up to `limit` deliveries that were told before `told_before` or given up before `dead_before`. Answers how many.
pub fn remove_ended(tx: &mut Tx<'_>, told_before: Timestamp, dead_before: Timestamp, limit: u32) -> Result<u32, Error> {
    let mut removed = 0;
    for (state, before) in [(DeliveryState::Told, told_before), (DeliveryState::Dead, dead_before)] {
        let ended = tx.query(
            "SELECT subscription_id, topic, number FROM deliveries WHERE state = ?1 AND state >= 2 AND due_at < ?2
             ORDER BY due_at LIMIT ?3",
            &[state.number().into(), before.into(), limit.into()],
            read_id,
        )?;
        for DeliveryId { subscription, topic, number } in ended {
            tx.put(
                "DELETE FROM deliveries WHERE subscription_id = ?1 AND topic = ?2 AND number = ?3",
                &[subscription.into(), topic.into(), number.into()],
            )?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn read_id(row: &Row<'_>) -> Result<DeliveryId, Error> {
    Ok(DeliveryId { subscription: SubscriptionId::new(row.int(0)?), topic: row.int(1)?, number: row.int(2)? })
}

fn read(row: &Row<'_>) -> Result<Delivery, Error> {
    Ok(Delivery {
        id: read_id(row)?,
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
