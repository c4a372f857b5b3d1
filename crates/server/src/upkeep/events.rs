//! Events get their positions, and old ones go, with webhooks of what is gone.

use super::{Upkeep, while_left};
use entente_jobs::{BoxError, Handlers, Outcome, handler};
use entente_tree::{Indexing, REMOVE_EVENTS_JOB, Tree};
use entente_world::{Shutdown, World};
use std::path::PathBuf;
use std::time::Duration;

/// How often each node looks for events without a position. It costs a read.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// How long what has happened waits to be taken into the index of words together. Each time costs some files, and later the
/// merging of them.
const INDEX_PAUSE: Duration = Duration::from_millis(700);
/// After a look that failed.
const FAILED_PAUSE: Duration = Duration::from_secs(2);

impl Upkeep {
    /// Gives events their positions until the process stops; then lets go of all who wait for news.
    pub(crate) async fn keep_placing(self, mut shutdown: Shutdown) {
        while !shutdown.is_requested() {
            let pause = match self.tree.place_events().await {
                Ok(true) => continue,
                Ok(false) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "events get no positions now");
                    FAILED_PAUSE
                }
            };
            tokio::select! {
                () = shutdown.requested() => {}
                () = self.world.sleep(pause) => {}
            }
        }
        self.tree.heads().end();
    }

    /// Has this node's index of words follow what happens, until the process stops.
    pub(crate) async fn keep_indexing(self, folder: PathBuf, mut shutdown: Shutdown) {
        while !shutdown.is_requested() {
            let pause = match self.tree.index_words(&folder).await {
                Ok(Indexing::Behind) => continue,
                Ok(Indexing::Followed) => INDEX_PAUSE,
                Ok(Indexing::UpToDate) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "search does not know what happens now");
                    FAILED_PAUSE
                }
            };
            tokio::select! {
                () = shutdown.requested() => {}
                () = self.world.sleep(pause) => {}
            }
        }
    }

    /// What removes old events.
    pub(super) fn event_handlers(&self, handlers: Handlers) -> Handlers {
        let (world, tree, kept) = (self.world.clone(), self.tree.clone(), self.config.events.0);
        handlers.every(
            self.config.expire.0,
            REMOVE_EVENTS_JOB,
            handler(move |_| remove(world.clone(), tree.clone(), kept)),
        )
    }
}

async fn remove(world: World, tree: Tree, kept: Duration) -> Result<Outcome, BoxError> {
    tree.remove_lost_webhooks().await?;
    Ok(while_left(tree.remove_events(world.now().before(kept)).await?))
}
