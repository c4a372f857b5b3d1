//! Events in the order of their positions.

use super::EventKind;
use crate::items::Kind;
use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, EventId, ItemId, Timestamp, UserId, VersionId};

/// An event that has its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place among all events, from 1.
    pub position: i64,
    /// Its id.
    pub id: EventId,
    /// The enterprise of the item's owner.
    pub enterprise: EnterpriseId,
    /// Whose content the item is.
    pub owner: UserId,
    /// Who did it.
    pub user: UserId,
    /// What; `None` for what a later release has recorded.
    pub kind: Option<EventKind>,
    /// To which item.
    pub item: ItemId,
    /// What that is, if it was there.
    pub item_kind: Option<Kind>,
    /// What it was called.
    pub name: Option<String>,
    /// Where it was.
    pub parent: Option<ItemId>,
    /// To which of its versions, if to one.
    pub version: Option<VersionId>,
    /// When.
    pub at: Timestamp,
    /// Of what happened to no item (`item` is the number of whom it happened to): who else it is about.
    pub other: Option<UserId>,
    /// What that one is called, or the login of the user to whom it happened.
    pub other_name: Option<String>,
}

/// Of which events some are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    /// Those to what a user owns.
    Owner(UserId),
    /// Those that a user caused to what others own.
    Doer(UserId),
    /// Those to what the users of an enterprise own.
    Enterprise(EnterpriseId),
}

macro_rules! after {
    ($column:literal) => {
        after!($column, "")
    };
    ($column:literal, $further:literal) => {
        concat!(
            "SELECT position, id, enterprise_id, owner_id, user_id, kind, item_id, item_kind, name, parent_id, version_id, at,
               other_id, other_name
             FROM events WHERE ",
            $column,
            " = ?1 AND position > ?2 AND position IS NOT NULL",
            $further,
            " ORDER BY position LIMIT ?3"
        )
    };
}

impl Of {
    const fn select(self) -> (&'static str, i64) {
        match self {
            // What happens to people is for those who administer: see `EventKind::is_of_item`.
            Self::Owner(user) => (after!("owner_id", " AND kind NOT BETWEEN 20 AND 39"), user.number()),
            Self::Doer(user) => (after!("user_id", " AND user_id <> owner_id"), user.number()),
            Self::Enterprise(enterprise) => (after!("enterprise_id"), enterprise.number()),
        }
    }
}

/// Up to `limit` events after a position, in their order.
pub fn after(tx: &mut Tx<'_>, of: Of, position: i64, limit: u32) -> Result<Vec<Event>, Error> {
    let (select, whose) = of.select();
    tx.query(select, &[whose.into(), position.into(), limit.into()], read)
}

/// Up to `limit` events of everybody after a position, in their order.
pub fn all_after(tx: &mut Tx<'_>, position: i64, limit: u32) -> Result<Vec<Event>, Error> {
    tx.query(
        "SELECT position, id, enterprise_id, owner_id, user_id, kind, item_id, item_kind, name, parent_id, version_id, at,
               other_id, other_name
         FROM events WHERE position > ?1 AND position IS NOT NULL ORDER BY position LIMIT ?2",
        &[position.into(), limit.into()],
        read,
    )
}

/// An event, as far as those need it who look at what it happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Its place among all events.
    pub position: i64,
    /// What; `None` for what a later release has recorded.
    pub kind: Option<EventKind>,
    /// To which item.
    pub item: ItemId,
}

/// Up to `limit` events after a position, whosever they are, in their order.
pub fn touches(tx: &mut Tx<'_>, position: i64, limit: u32) -> Result<Vec<Touch>, Error> {
    tx.query(
        "SELECT position, kind, item_id FROM events WHERE position > ?1 AND position IS NOT NULL
         ORDER BY position LIMIT ?2",
        &[position.into(), limit.into()],
        |row| {
            let kind = EventKind::from_number(row.int(1)?);
            Ok(Touch { position: row.int(0)?, kind, item: ItemId::new(row.int(2)?) })
        },
    )
}

/// About where events from a moment on begin: the positions are halved until it is found. Others from that moment on may
/// stand before it, if their transactions ended sooner. `None` when all are earlier.
pub fn first_since(tx: &mut Tx<'_>, from: Timestamp) -> Result<Option<i64>, Error> {
    let (mut low, mut high) = (0, super::last(tx)?.saturating_add(1));
    let end = high;
    while low < high {
        let middle = low + (high - low) / 2;
        let found = tx.query_one(
            "SELECT position, at FROM events WHERE position >= ?1 AND position IS NOT NULL ORDER BY position LIMIT 1",
            &[middle.into()],
            |row| Ok((row.int(0)?, Timestamp::from_millis(row.int(1)?))),
        )?;
        match found {
            Some((position, at)) if at < from => low = position.saturating_add(1),
            Some(_) | None => high = middle,
        }
    }
    Ok((low < end).then_some(low))
}

/// How SQLite would answer each statement that is asked again and again: the lines of its plans. For tests.
#[doc(hidden)]
pub fn explain(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    for sql in [
        concat!("EXPLAIN QUERY PLAN ", after!("owner_id", " AND kind NOT BETWEEN 20 AND 39")),
        concat!("EXPLAIN QUERY PLAN ", after!("user_id", " AND user_id <> owner_id")),
        concat!("EXPLAIN QUERY PLAN ", after!("enterprise_id")),
    ] {
        lines.extend(tx.query(sql, &[1_u32.into(), 1_u32.into(), 1_u32.into()], |row| row.text(3))?);
    }
    let unplaced = "EXPLAIN QUERY PLAN SELECT id, item_id, user_id, enterprise_id, parent_id, kind FROM events
                    WHERE position IS NULL ORDER BY id LIMIT ?1";
    lines.extend(tx.query(unplaced, &[1_u32.into()], |row| row.text(3))?);
    Ok(lines)
}

fn read(row: &Row<'_>) -> Result<Event, Error> {
    Ok(Event {
        position: row.int(0)?,
        id: EventId::new(row.int(1)?),
        enterprise: EnterpriseId::new(row.int(2)?),
        owner: UserId::new(row.int(3)?),
        user: UserId::new(row.int(4)?),
        kind: EventKind::from_number(row.int(5)?),
        item: ItemId::new(row.int(6)?),
        item_kind: row.int_or_null(7)?.map(Kind::from_number).transpose()?,
        name: row.text_or_null(8)?,
        parent: row.int_or_null(9)?.map(ItemId::new),
        version: row.int_or_null(10)?.map(VersionId::new),
        at: Timestamp::from_millis(row.int(11)?),
        other: row.int_or_null(12)?.map(UserId::new),
        other_name: row.text_or_null(13)?,
    })
}
