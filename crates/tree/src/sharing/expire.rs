//! Collaborations that end by themselves.

use crate::limits::BATCH_ROWS_MAX;
use crate::{Error, Tree};
use entente_database::events::{self, EventKind, NewEvent};
use entente_database::{collaborations, users};
use entente_model::EventId;

/// The kind of the job that ends collaborations when they are to end.
pub const EXPIRE_COLLABORATIONS_JOB: &str = "expire collaborations";

impl Tree {
    /// Ends some of the collaborations that were to end by now; whether there may be more.
    pub async fn expire_collaborations(&self) -> Result<bool, Error> {
        let (world, now) = (self.world.clone(), self.world.now());
        self.database
            .transact("expire collaborations", move |tx| {
                let expired = collaborations::expired(tx, now, BATCH_ROWS_MAX)?;
                for one in &expired {
                    collaborations::remove(tx, one.id)?;
                    // It ends because whoever gave it said so.
                    let Some(by) = users::by_id(tx, one.created_by)? else { continue };
                    let event = NewEvent {
                        id: EventId::new(world.next_id()),
                        enterprise: by.enterprise,
                        user: by.id,
                        kind: EventKind::CollaborationRemoved,
                        item: one.item,
                        version: None,
                        at: now,
                    };
                    events::record(tx, &event)?;
                }
                Ok(expired.len() >= BATCH_ROWS_MAX as usize)
            })
            .await
    }
}
