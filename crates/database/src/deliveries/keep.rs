//! What becomes of deliveries besides being told: they are counted, retried, given up for their age, and removed.

use super::{Batch, DeliveryId, columns, queue, read, read_id};
use crate::{Error, Tx};
use entente_model::Timestamp;

/// How many deliveries of a state are counted at most.
const COUNT_MAX: u32 = 100_000;

/// A delivery that was told or given up, as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    id: DeliveryId,
    at: Timestamp,
}

/// A delivery that is still to be told long after it happened, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// To whom.
    pub target: String,
    id: DeliveryId,
    created_at: Timestamp,
}

/// Up to `limit` deliveries that were given up, those first that were given up first.
pub fn dead(tx: &mut Tx<'_>, limit: u32) -> Result<Batch, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM deliveries d WHERE d.state = 3 AND d.state >= 2 ORDER BY d.due_at LIMIT ?1"
    );
    let mut dead = Batch::default();
    for found in tx.query(sql, &[limit.into()], read)? {
        match found {
            Ok(delivery) => dead.deliveries.push(delivery),
            Err(id) => dead.unreadable.push(id),
        }
    }
    Ok(dead)
}

/// Lets up to `limit` deliveries that were given up be tried as if they were new. Each waits for what is still to be told
/// of its topic from before it; what came after it and is under way already, it does not hold up. Answers how many.
pub fn retry(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<u32, Error> {
    let sql =
        "SELECT subscription_id, topic, number FROM deliveries WHERE state = 3 AND state >= 2 ORDER BY due_at LIMIT ?1";
    let mut dead = tx.query(sql, &[limit.into()], read_id)?;
    dead.sort_by_key(|id| (id.subscription, id.topic, id.number));
    let (mut some, mut before): (u32, Option<DeliveryId>) = (0, None);
    for id in dead {
        let DeliveryId { subscription, topic, number } = id;
        // The first of a topic is looked at, and the others wait for it: topics may be long.
        let follows = before.is_some_and(|before| (before.subscription, before.topic) == (subscription, topic));
        let state = i64::from(follows || has_open_before(tx, id)?);
        let changed = tx.execute(
            "UPDATE deliveries SET state = ?5, attempts = 0, due_at = ?4, created_at = ?4
             WHERE subscription_id = ?1 AND topic = ?2 AND number = ?3 AND state = 3",
            &[subscription.into(), topic.into(), number.into(), now.into(), state.into()],
        )?;
        if changed > 0 {
            before = Some(id);
            some += 1;
        }
    }
    Ok(some)
}

/// Whether something that happened before is still to be told of the same topic.
fn has_open_before(tx: &mut Tx<'_>, id: DeliveryId) -> Result<bool, Error> {
    let DeliveryId { subscription, topic, number } = id;
    let sql =
        "SELECT 1 FROM deliveries WHERE subscription_id = ?1 AND topic = ?2 AND number < ?3 AND state < 2 LIMIT 1";
    Ok(tx.query_one(sql, &[subscription.into(), topic.into(), number.into()], |_| Ok(()))?.is_some())
}

/// How many are to be told to a target, each that waits for another left out. Counts up to 100,000.
pub fn count_due(tx: &mut Tx<'_>, target: &str) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE target = ?1 AND state = 0 LIMIT ?2) AS counted";
    Ok(tx.query_one(sql, &[target.into(), COUNT_MAX.into()], |row| row.size(0))?.unwrap_or(0))
}

/// How many were given up. Counts up to 100,000.
pub fn count_dead(tx: &mut Tx<'_>) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state = 3 AND state >= 2 LIMIT ?1) AS counted";
    Ok(tx.query_one(sql, &[COUNT_MAX.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Up to `limit` deliveries that happened before `before` and are still to be told, or wait for such a one. Within a topic
/// they come in order. Reads all that are due: for long reads, now and then.
pub fn stale(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<Vec<Stale>, Error> {
    // What waits is younger than what it waits for.
    let first = tx.query(
        "SELECT subscription_id, topic, number FROM deliveries WHERE state = 0 AND created_at < ?1 LIMIT ?2",
        &[before.into(), limit.into()],
        read_id,
    )?;
    let mut stale = Vec::new();
    for DeliveryId { subscription, topic, number } in first {
        let left = limit.saturating_sub(u32::try_from(stale.len()).unwrap_or(limit));
        if left == 0 {
            break;
        }
        stale.extend(tx.query(
            "SELECT subscription_id, topic, number, target, created_at FROM deliveries
             WHERE subscription_id = ?1 AND topic = ?2 AND number >= ?3 AND state < 2 AND created_at < ?4
             ORDER BY number LIMIT ?5",
            &[subscription.into(), topic.into(), number.into(), before.into(), left.into()],
            |row| {
                let (target, created_at) = (row.text(3)?, Timestamp::from_millis(row.int(4)?));
                Ok(Stale { target, id: read_id(row)?, created_at })
            },
        )?);
    }
    Ok(stale)
}

/// Gives such a delivery up, and lets the next of its topic be told. `false` when it has ended meanwhile.
pub fn give_up_stale(tx: &mut Tx<'_>, stale: &Stale, error: &str, now: Timestamp) -> Result<bool, Error> {
    let DeliveryId { subscription, topic, number } = stale.id;
    let changed = tx.execute(
        "UPDATE deliveries SET state = 3, due_at = ?5, last_error = ?6
         WHERE subscription_id = ?1 AND topic = ?2 AND number = ?3 AND state < 2 AND created_at = ?4",
        &[subscription.into(), topic.into(), number.into(), stale.created_at.into(), now.into(), error.into()],
    )?;
    if changed > 0 {
        queue::advance(tx, stale.id, now)?;
    }
    Ok(changed > 0)
}

/// Up to `limit` deliveries that are due after `due_max` only. Reads all that are due: for long reads, now and then.
pub fn ahead(tx: &mut Tx<'_>, due_max: Timestamp, limit: u32) -> Result<Vec<DeliveryId>, Error> {
    let sql = "SELECT subscription_id, topic, number FROM deliveries WHERE state = 0 AND due_at > ?1 LIMIT ?2";
    tx.query(sql, &[due_max.into(), limit.into()], read_id)
}

/// Makes a delivery that is due after `due_max` due now.
pub fn make_due(tx: &mut Tx<'_>, id: DeliveryId, due_max: Timestamp, now: Timestamp) -> Result<(), Error> {
    let DeliveryId { subscription, topic, number } = id;
    tx.put(
        "UPDATE deliveries SET due_at = ?5
         WHERE subscription_id = ?1 AND topic = ?2 AND number = ?3 AND state = 0 AND due_at > ?4",
        &[subscription.into(), topic.into(), number.into(), due_max.into(), now.into()],
    )
}

/// Up to `limit` deliveries that were told before `told_before`, and as many that were given up before `dead_before`.
pub fn ended(tx: &mut Tx<'_>, told_before: Timestamp, dead_before: Timestamp, limit: u32) -> Result<Vec<Ended>, Error> {
    let mut ended = Vec::new();
    for (state, before) in [(2_i64, told_before), (3_i64, dead_before)] {
        ended.extend(tx.query(
            "SELECT subscription_id, topic, number, due_at FROM deliveries WHERE state = ?1 AND state >= 2 AND due_at < ?2
             ORDER BY due_at LIMIT ?3",
            &[state.into(), before.into(), limit.into()],
            |row| Ok(Ended { id: read_id(row)?, at: Timestamp::from_millis(row.int(3)?) }),
        )?);
    }
    Ok(ended)
}

/// Removes a delivery that has ended, unless it has been retried since it was seen.
pub fn remove(tx: &mut Tx<'_>, ended: Ended) -> Result<(), Error> {
    let DeliveryId { subscription, topic, number } = ended.id;
    tx.put(
        "DELETE FROM deliveries WHERE subscription_id = ?1 AND topic = ?2 AND number = ?3 AND state >= 2 AND due_at = ?4",
        &[subscription.into(), topic.into(), number.into(), ended.at.into()],
    )
}
