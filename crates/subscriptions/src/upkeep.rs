//! What becomes of deliveries that have ended, and of those that nobody sends.

use crate::Error;
use crate::sender::AGE_MAX;
use entente_database::{Database, Tx, deliveries};
use entente_world::World;
use std::time::Duration;

/// The kind of the job that calls [`remove_ended`] now and then.
pub const REMOVE_DELIVERIES_JOB: &str = "remove deliveries";

/// How long a delivery is kept that has arrived: as long as something that happened earlier may still be written down.
const TOLD_KEPT: Duration = Duration::from_secs(10 * 60);
/// How long one is kept that was given up.
const DEAD_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Rows that one transaction touches.
const BATCH_ROWS_MAX: u32 = 500;

/// Removes some deliveries that arrived or were given up long enough ago, and gives up some that are old and go to targets
/// that nobody `known` any more. `true` when nothing is left to be done. Harmless to run twice.
pub async fn remove_ended(world: &World, database: &Database, known: &[String]) -> Result<bool, Error> {
    let now = world.now();
    let known = known.to_vec();
    let run = move |tx: &mut Tx<'_>| {
        let removed = deliveries::remove_ended(tx, now.before(TOLD_KEPT), now.before(DEAD_KEPT), BATCH_ROWS_MAX)?;
        let stale = deliveries::stale(tx, now.before(AGE_MAX), BATCH_ROWS_MAX)?;
        let mut given_up = 0;
        for delivery in stale.iter().filter(|delivery| !known.contains(&delivery.target)) {
            let gone = "the configuration has no such target any more";
            given_up += u32::from(deliveries::give_up(tx, delivery, gone, now)?);
        }
        metrics::gauge!("entente_deliveries_dead").set(deliveries::count_dead(tx)? as f64);
        Ok::<_, entente_database::Error>(removed < BATCH_ROWS_MAX && given_up < BATCH_ROWS_MAX)
    };
    Ok(database.transact("remove deliveries", run).await?)
}
