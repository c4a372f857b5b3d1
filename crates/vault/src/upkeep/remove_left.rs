//! Removes replicas that were let go, once they have been leaving for long enough: nobody reads them any more.
//!
//! Condemned in the ledger first (refused while no durable one is elsewhere), then the object is deleted, then the row is
//! forgotten. Interrupted anywhere, the next run goes on.

use super::Watch;
use super::trouble::{Trouble, left_alone};
use crate::core::Core;
use crate::{Copy, Error, Vault};
use entente_model::BackendId;
use futures_util::stream::{self, StreamExt};
use std::time::Duration;

const PAGE: u32 = 500;
/// Objects that are being deleted at a time.
const PARALLEL: usize = 8;

/// What a removal did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Replicas whose objects were deleted, and that are forgotten.
    pub replicas: u64,
    /// Replicas whose objects could not be deleted: they stay condemned, for the next time.
    pub failed: u64,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl Vault {
    /// Removes from a backend the replicas that have been leaving for `grace` or longer.
    ///
    /// An object that cannot be deleted is counted and passed over. Errors of the ledger end it; what was done stays done.
    pub async fn remove_left(
        &self,
        backend: BackendId,
        grace: Duration,
        watch: &mut dyn Watch,
    ) -> Result<Removed, Error> {
        let core = &*self.inner.core;
        let (mut removed, trouble) = (Removed::default(), Trouble::default());
        let before = core.world.now().before(grace);
        let (mut after, mut seen) = (None, 0);
        loop {
            if watch.stop() {
                removed.stopped = true;
                return Ok(removed);
            }
            let page = core.ledger.condemn_replicas(backend, after, before, PAGE).await?;
            let Some(last) = page.last() else { return Ok(removed) };
            after = Some(last.segment);
            seen += page.len() as u64;
            let mut deletions = stream::iter(page).map(|copy| delete(core, &trouble, copy)).buffer_unordered(PARALLEL);
            let mut gone = Vec::new();
            while let Some(deleted) = deletions.next().await {
                match deleted {
                    Ok(copy) => gone.push(copy),
                    Err(why) => {
                        removed.failed += 1;
                        removed.last_error = Some(why);
                    }
                }
            }
            core.ledger.forget_replicas(&gone).await?;
            removed.replicas += gone.len() as u64;
            watch.progress("replicas", seen);
        }
    }
}

/// Deletes the object of a condemned replica.
pub(crate) async fn delete(core: &Core, trouble: &Trouble, copy: Copy) -> Result<Copy, String> {
    if trouble.is_left_alone(core, copy.backend) {
        return Err(left_alone(copy.backend));
    }
    let cloud = core.cloud(copy.backend).map_err(|error| error.to_string())?;
    let deleted = trouble.note(copy.backend, cloud.delete(copy.name).await);
    deleted.map(|()| copy).map_err(|error| error.to_string())
}
