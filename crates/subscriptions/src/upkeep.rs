//! What becomes of deliveries that have ended, and of those that nobody sends.

use crate::Error;
use crate::backoff::LONGEST;
use crate::sender::{AGE_MAX, LEASE};
use entente_database::deliveries::{self, DeliveryId, Ended, Stale};
use entente_database::{Database, Tx, jobs};
use entente_model::Timestamp;
use entente_world::World;
use std::time::Duration;

/// The kind of the job that calls [`remove_ended`] now and then.
pub const REMOVE_DELIVERIES_JOB: &str = "remove deliveries";

/// How long a delivery is kept that has arrived: as long as something that happened earlier may still be written down.
const TOLD_KEPT: Duration = Duration::from_secs(10 * 60);
/// For how long what has arrived is kept for a job that is to tell of what happened before.
const LATE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How long one is kept that was given up.
const DEAD_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Nothing waits for longer, unless a clock was wrong: twice the longest wait, and a lease.
const AHEAD_MAX: Duration = Duration::from_secs(2 * LONGEST.as_secs() + LEASE.as_secs());
/// Rows that one transaction touches.
const BATCH_ROWS_MAX: usize = 500;
/// Rows of each sort that one look finds.
const LOOK_ROWS_MAX: u32 = 10_000;

/// What a look has found.
struct Found {
    ended: Vec<Ended>,
    stale: Vec<Stale>,
    ahead: Vec<DeliveryId>,
}

impl Found {
    fn look(tx: &mut Tx<'_>, now: Timestamp) -> Result<Self, entente_database::Error> {
        // A job that tells of a folder late must see what has been told since it was queued.
        let late = jobs::oldest(tx, deliveries::TELL_BELOW_JOB)?.unwrap_or(now);
        let told_before = late.clamp(now.before(LATE_MAX), now).before(TOLD_KEPT);
        Ok(Self {
            ended: deliveries::ended(tx, told_before, now.before(DEAD_KEPT), LOOK_ROWS_MAX)?,
            stale: deliveries::stale(tx, now.before(AGE_MAX), LOOK_ROWS_MAX)?,
            ahead: deliveries::ahead(tx, now.after(AHEAD_MAX), LOOK_ROWS_MAX)?,
        })
    }

    /// Whether there may be more.
    fn is_full(&self) -> bool {
        [self.ended.len(), self.stale.len(), self.ahead.len()].into_iter().any(|rows| rows >= LOOK_ROWS_MAX as usize)
    }
}

/// Removes deliveries that arrived or were given up long enough ago, and gives up those that are too old, whether nobody
/// sends them, their targets not being `known` any more, or nobody takes them. What a clock that was ahead has put off is
/// due. `true` when nothing is left to be done. Harmless to run twice.
pub async fn remove_ended(world: &World, database: &Database, known: &[String]) -> Result<bool, Error> {
    let now = world.now();
    let found = database.read_long(move |tx| Found::look(tx, now)).await?;
    let is_done = !found.is_full();
    for some in found.ended.chunks(BATCH_ROWS_MAX) {
        let some = some.to_vec();
        let remove = move |tx: &mut Tx<'_>| some.iter().try_for_each(|ended| deliveries::remove(tx, *ended));
        database.transact("remove deliveries", remove).await?;
    }
    for some in found.stale.chunks(BATCH_ROWS_MAX) {
        let (some, known) = (some.to_vec(), known.to_vec());
        let give_up = move |tx: &mut Tx<'_>| {
            let mut given_up = 0_usize;
            for stale in &some {
                let error = if known.contains(&stale.target) {
                    "it could not be told within three days"
                } else {
                    "the configuration has no such target any more"
                };
                given_up += usize::from(deliveries::give_up_stale(tx, stale, error, now)?);
            }
            Ok::<_, entente_database::Error>(given_up)
        };
        let given_up = database.transact("give deliveries up", give_up).await?;
        tracing::warn!(deliveries = given_up, "deliveries that were too old were given up");
    }
    for some in found.ahead.chunks(BATCH_ROWS_MAX) {
        let (some, due_max) = (some.to_vec(), now.after(AHEAD_MAX));
        let make_due = move |tx: &mut Tx<'_>| {
            some.iter().try_for_each(|delivery| deliveries::make_due(tx, *delivery, due_max, now))
        };
        database.transact("make deliveries due", make_due).await?;
        tracing::warn!("deliveries were put off by a clock that was ahead; they are due");
    }
    Ok(is_done)
}
