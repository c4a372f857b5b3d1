//! Collaborations that end by themselves.

use crate::limits::BATCH_ROWS_MAX;
use crate::{Error, Tree};
use entente_database::collaborations;
use entente_database::events::EventKind;

/// The kind of the job that ends collaborations when they are to end.
pub const EXPIRE_COLLABORATIONS_JOB: &str = "expire collaborations";

impl Tree {
    /// Ends some of the collaborations that were to end by now; whether there may be more.
    pub async fn expire_collaborations(&self) -> Result<bool, Error> {
        let (world, stamp) = (self.world.clone(), self.stamp());
        self.database
            .transact("expire collaborations", move |tx| {
                let expired = collaborations::expired(tx, stamp.at, BATCH_ROWS_MAX)?;
                for one in &expired {
                    collaborations::remove(tx, one.id)?;
                    // It ends because whoever gave it said so.
                    stamp.again(&world).record_for(tx, one.created_by, EventKind::CollaborationRemoved, one.item)?;
                }
                Ok(expired.len() >= BATCH_ROWS_MAX as usize)
            })
            .await
    }
}
