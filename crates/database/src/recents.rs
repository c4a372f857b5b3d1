//! What users last had to do with: for each user and item the last time, and what it was.

use crate::{Error, Tx};
use entente_model::{ItemId, Timestamp, UserId};

/// What somebody has done with an item. The numbers are stored: never give one another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Looked at it.
    Previewed,
    /// Put it there, or a version of it.
    Uploaded,
    /// Said something about it.
    Commented,
    /// Read its content.
    Opened,
    /// Changed what it is called, where it is or what is said of it.
    Modified,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Previewed, Self::Uploaded, Self::Commented, Self::Opened, Self::Modified];

    const fn number(self) -> i64 {
        match self {
            Self::Previewed => 0,
            Self::Uploaded => 1,
            Self::Commented => 2,
            Self::Opened => 3,
            Self::Modified => 4,
        }
    }

    fn from_number(number: i64) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|act| act.number() == number);
        found.ok_or_else(|| Error::damaged("what was done with an item"))
    }
}

/// The last time that a user had to do with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent {
    /// Who.
    pub user: UserId,
    /// With what.
    pub item: ItemId,
    /// How.
    pub act: Act,
    /// When.
    pub at: Timestamp,
}

/// Stores that somebody had to do with an item, in place of what was stored of that item unless that is later. Nothing for
/// an item that is not there.
pub fn note(tx: &mut Tx<'_>, recent: &Recent) -> Result<(), Error> {
    if tx.query_one("SELECT 1 FROM items WHERE id = ?1", &[recent.item.into()], |_| Ok(()))?.is_none() {
        return Ok(());
    }
    tx.put(
        "INSERT INTO recents (user_id, item_id, act, at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user_id, item_id) DO UPDATE SET act = excluded.act, at = excluded.at WHERE recents.at <= excluded.at",
        &[recent.user.into(), recent.item.into(), recent.act.number().into(), recent.at.into()],
    )
}

/// Removes what is older than a moment of a user's, and beyond the latest `most`.
pub fn trim(tx: &mut Tx<'_>, user: UserId, before: Timestamp, most: u32) -> Result<(), Error> {
    tx.put(
        "DELETE FROM recents WHERE user_id = ?1 AND (at < ?2 OR item_id IN
           (SELECT item_id FROM recents WHERE user_id = ?1 ORDER BY at DESC, item_id DESC LIMIT 1000000 OFFSET ?3))",
        &[user.into(), before.into(), most.into()],
    )
}

/// Up to `limit` of a user's since a moment, the latest first, after one that is at a moment and of an item, or from the
/// latest on.
pub fn page(
    tx: &mut Tx<'_>,
    user: UserId,
    since: Timestamp,
    after: Option<(Timestamp, ItemId)>,
    limit: u32,
) -> Result<Vec<Recent>, Error> {
    let (at, item) = after.unwrap_or((Timestamp::from_millis(i64::MAX), ItemId::new(i64::MAX)));
    tx.query(
        "SELECT user_id, item_id, act, at FROM recents WHERE user_id = ?1 AND at >= ?2 AND (at, item_id) < (?3, ?4)
         ORDER BY at DESC, item_id DESC LIMIT ?5",
        &[user.into(), since.into(), at.into(), item.into(), limit.into()],
        |row| {
            Ok(Recent {
                user: UserId::new(row.int(0)?),
                item: ItemId::new(row.int(1)?),
                act: Act::from_number(row.int(2)?)?,
                at: Timestamp::from_millis(row.int(3)?),
            })
        },
    )
}

/// Removes up to `limit` rows of an item that goes. How many.
pub fn remove_some_of_item(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<u32, Error> {
    let removed = tx.execute(
        "DELETE FROM recents WHERE item_id = ?1 AND user_id IN
           (SELECT user_id FROM recents WHERE item_id = ?1 ORDER BY user_id LIMIT ?2)",
        &[item.into(), limit.into()],
    )?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// Removes all of them. Whoever removes items that may have many removes those before, some at a time.
pub(crate) fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM recents WHERE item_id = ?1", &[item.into()])
}
