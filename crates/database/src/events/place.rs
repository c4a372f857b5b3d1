//! Positions: given after the commit, by whoever comes first.
//!
//! Whoever gives them reads, in one state of the database, the last position and events that have none; and then, in one
//! transaction, moves the last position on, from just what it read, and gives the numbers in between. Of two that have
//! read the same, one finds the last position moved and gives none. So positions have no gaps, and become visible in
//! their order: an event whose transaction ends later gets a later position.

use super::EventKind;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, EventId, ItemId, Timestamp, UserId};

/// The one row of the last position.
const ROW: u32 = 1;

/// An event without a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unplaced {
    /// Which.
    pub id: EventId,
    /// To which item it happened.
    pub item: ItemId,
    /// Where that was then, if it was anywhere.
    pub parent: Option<ItemId>,
    /// Who did it.
    pub user: UserId,
    /// The enterprise of whoever did it; of what happened to no item, that of whom it happened to.
    pub enterprise: EnterpriseId,
    /// Whether it happened to an item.
    pub of_item: bool,
}

/// An event that is to get a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placing {
    /// Which.
    pub id: EventId,
    /// Whose content the item is.
    pub owner: UserId,
    /// Of which enterprise they are.
    pub enterprise: EnterpriseId,
}

/// The greatest position that was given; 0 before the first.
pub fn last(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let found = tx.query_one("SELECT last FROM event_positions WHERE id = ?1", &[ROW.into()], |row| row.int(0))?;
    Ok(found.unwrap_or(0))
}

/// Up to `limit` events without a position, in the order of their ids.
pub fn unplaced(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Unplaced>, Error> {
    tx.query(
        "SELECT id, item_id, user_id, enterprise_id, parent_id, kind FROM events WHERE position IS NULL ORDER BY id LIMIT ?1",
        &[limit.into()],
        |row| {
            Ok(Unplaced {
                id: EventId::new(row.int(0)?),
                item: ItemId::new(row.int(1)?),
                user: UserId::new(row.int(2)?),
                enterprise: EnterpriseId::new(row.int(3)?),
                parent: row.int_or_null(4)?.map(ItemId::new),
                of_item: EventKind::from_number(row.int(5)?).is_none_or(EventKind::is_of_item),
            })
        },
    )
}

/// Gives positions to events, in their order, if the last position still is what [`last`] answered when they were read.
/// Answers the last position after it; `None` when somebody else was quicker, and nothing was done.
pub fn place(tx: &mut Tx<'_>, last: i64, events: &[Placing]) -> Result<Option<i64>, Error> {
    let reached = last.saturating_add(i64::try_from(events.len()).unwrap_or(0));
    if last == 0 {
        tx.put("INSERT INTO event_positions (id, last) VALUES (?1, 0) ON CONFLICT (id) DO NOTHING", &[ROW.into()])?;
    }
    let moved = tx.execute(
        "UPDATE event_positions SET last = ?2 WHERE id = ?1 AND last = ?3",
        &[ROW.into(), reached.into(), last.into()],
    )?;
    if moved == 0 {
        return Ok(None);
    }
    for (event, position) in events.iter().zip(last.saturating_add(1)..) {
        tx.put(
            "UPDATE events SET position = ?2, owner_id = ?3, enterprise_id = ?4 WHERE id = ?1",
            &[event.id.into(), position.into(), event.owner.into(), event.enterprise.into()],
        )?;
    }
    Ok(Some(reached))
}

/// Removes those of the `limit` events with the smallest positions that happened before a moment; whether there may be
/// more. What has no position is never removed.
pub fn remove_old(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<bool, Error> {
    let removed = tx.execute(
        "DELETE FROM events WHERE at < ?1 AND id IN (
           SELECT id FROM events WHERE position IS NOT NULL ORDER BY position LIMIT ?2)",
        &[before.into(), limit.into()],
    )?;
    Ok(removed >= limit as usize)
}
