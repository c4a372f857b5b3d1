//! What is told of changes, as far as no request waits for it.

use super::{BREATH, Upkeep, while_left};
use entente_database::Database;
use entente_jobs::{BoxError, Handlers, Outcome, Run, handler};
use entente_subscriptions::{REMOVE_DELIVERIES_JOB, remove_ended};
use entente_tree::{TELL_BELOW_JOB, Tree};
use entente_world::World;

impl Upkeep {
    /// Those that tell subscribers, and forget what they were told.
    pub(super) fn telling_handlers(&self, handlers: Handlers) -> Handlers {
        let (world, tree) = (self.world.clone(), self.tree.clone());
        let (forgetting, database, targets) = (self.world.clone(), self.database.clone(), self.targets.clone());
        handlers.on(TELL_BELOW_JOB, handler(move |run: Run| tell_below(world.clone(), tree.clone(), run))).every(
            self.config.expire.0,
            REMOVE_DELIVERIES_JOB,
            handler(move |_| forget(forgetting.clone(), database.clone(), targets.clone())),
        )
    }
}

/// Tells of all that is below a folder. When the process stops it begins again after the next start: what has been told
/// by then is not told twice.
async fn tell_below(world: World, tree: Tree, run: Run) -> Result<Outcome, BoxError> {
    let mut telling = Some(tree.begin_telling(&run.payload)?);
    while let Some(begun) = telling {
        if run.shutdown.is_requested() {
            return Ok(Outcome::Again(BREATH));
        }
        telling = tree.tell_below(&run.payload, begun).await?;
        world.sleep(BREATH).await;
    }
    Ok(Outcome::Done)
}

async fn forget(world: World, database: Database, targets: Vec<String>) -> Result<Outcome, BoxError> {
    Ok(while_left(!remove_ended(&world, &database, &targets).await?))
}
