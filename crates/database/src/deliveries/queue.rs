//! What is to be told, from the moment that it has happened until it has been told or given up.

use super::{Batch, Delivery, DeliveryId, DeliveryState, NewDelivery, columns, known_kinds, read};
use crate::{Error, Tx};
use entente_model::Timestamp;

/// How much of an error's text is kept, in bytes.
const ERROR_BYTES_MAX: usize = 500;

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

/// The last delivery of the topic: its number, and whether it is still to be told.
fn last(tx: &mut Tx<'_>, new: &NewDelivery<'_>) -> Result<Option<(i64, bool)>, Error> {
    tx.query_one(
        "SELECT number, CASE WHEN state < 2 THEN 1 ELSE 0 END FROM deliveries WHERE subscription_id = ?1 AND topic = ?2 ORDER BY number DESC LIMIT 1",
        &[new.subscription.into(), new.topic.into()],
        |row| Ok((row.int(0)?, row.int(1)? == 1)),
    )
}

fn insert(tx: &mut Tx<'_>, new: &NewDelivery<'_>, last: Option<(i64, bool)>) -> Result<(), Error> {
    // Ids of events grow with time, though not always in the order of commits.
    let least = new.event.number();
    let (number, state) = match last {
        None => (least, DeliveryState::Due),
        Some((last, true)) => (least.max(last + 1), DeliveryState::Waiting),
        Some((last, false)) => (least.max(last + 1), DeliveryState::Due),
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
    let sql = concat!(
        "SELECT due_at FROM deliveries WHERE target = ?1 AND state = 0 AND kind IN (",
        known_kinds!(),
        ") ORDER BY due_at LIMIT 1"
    );
    tx.query_one(sql, &[target.into()], |row| Ok(Timestamp::from_millis(row.int(0)?)))
}

/// Takes up to `limit` deliveries to a target that are due, the longest due first. Nobody else takes them before `until`.
/// What cannot be read is put off until then as well, and so keeps nothing else waiting but what is behind it.
pub fn take(tx: &mut Tx<'_>, target: &str, now: Timestamp, until: Timestamp, limit: u32) -> Result<Batch, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM deliveries d WHERE d.target = ?1 AND d.state = 0 AND d.due_at <= ?2 AND d.kind IN (",
        known_kinds!(),
        ") ORDER BY d.due_at LIMIT ?3 /* skip locked */"
    );
    let mut taken = Batch::default();
    for found in tx.query(sql, &[target.into(), now.into(), limit.into()], read)? {
        let id = found.as_ref().map_or_else(|id| *id, |delivery| delivery.id);
        let DeliveryId { subscription, topic, number } = id;
        let changed = tx.execute(
            "UPDATE deliveries SET due_at = ?4, attempts = attempts + 1
             WHERE subscription_id = ?1 AND topic = ?2 AND number = ?3 AND state = 0 AND due_at <= ?5",
            &[subscription.into(), topic.into(), number.into(), until.into(), now.into()],
        )?;
        match found {
            _ if changed == 0 => {}
            Ok(found) => taken.deliveries.push(Delivery { attempts: found.attempts + 1, due_at: until, ..found }),
            Err(id) => taken.unreadable.push(id),
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

/// Lets the next that waits in the topic be told, unless something before it is under way.
pub(super) fn advance(tx: &mut Tx<'_>, ended: DeliveryId, now: Timestamp) -> Result<(), Error> {
    let DeliveryId { subscription, topic, number } = ended;
    tx.put(
        "UPDATE deliveries SET state = 0, due_at = ?4 WHERE subscription_id = ?1 AND topic = ?2 AND state = 1 AND number =
           (SELECT w.number FROM deliveries w WHERE w.subscription_id = ?1 AND w.topic = ?2 AND w.number > ?3
              AND w.state < 2 ORDER BY w.number LIMIT 1)",
        &[subscription.into(), topic.into(), number.into(), now.into()],
    )
}
