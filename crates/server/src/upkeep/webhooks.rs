//! What webhooks are to be told is found, as long as the process runs.

use super::Upkeep;
use entente_door_box::BoxDoor;
use entente_world::Shutdown;
use std::time::Duration;

/// Between two looks while nobody says that something has happened.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After a look that failed.
const FAILED_PAUSE: Duration = Duration::from_secs(2);

impl Upkeep {
    /// Writes down what webhooks are to be told, until the process stops.
    pub(crate) async fn keep_telling(self, door: BoxDoor, mut shutdown: Shutdown) {
        let mut heads = self.tree.heads().subscribe();
        while !shutdown.is_requested() {
            heads.borrow_and_update();
            let pause = match door.tell_webhooks().await {
                Ok(true) => continue,
                Ok(false) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "webhooks are not told of anything now");
                    self.world.sleep(FAILED_PAUSE).await;
                    continue;
                }
            };
            tokio::select! {
                () = shutdown.requested() => {}
                () = self.world.sleep(pause) => {}
                changed = heads.changed() => if changed.is_err() { return },
            }
        }
    }
}
