//! The job that moves what users own to where their policies want it.

use super::UntilShutdown;
use crate::relocation::Relocations;
use entente_database::relocations::{self, Moved};
use entente_database::{Database, Tx};
use entente_jobs::{BoxError, Outcome, Run};
use entente_model::UserId;
use entente_tree::{Tree, assignee_of_key};
use entente_vault::upkeep::Watch;
use std::collections::BTreeSet;
use std::time::Duration;

/// Users, and contents, looked up at a time.
const PAGE: u32 = 500;
/// More relocations than these are not looked at.
const OPEN_MAX: u32 = 1_000;
/// When something could not be moved.
const FAILURE_WAIT: Duration = Duration::from_secs(30);
const BREATH: Duration = Duration::from_millis(20);

/// What the job needs.
#[derive(Clone)]
pub(crate) struct Following {
    pub(crate) database: Database,
    pub(crate) tree: Tree,
    pub(crate) relocations: Relocations,
}

impl Following {
    pub(super) async fn follow(self, run: Run) -> Result<Outcome, BoxError> {
        // A key of another release: nothing can be made of it.
        let Some(assignee) = assignee_of_key(&run.key) else { return Ok(Outcome::Done) };
        let mut watch = UntilShutdown(run.shutdown.clone());
        let (mut after, mut is_all_moved) = (None, true);
        loop {
            let users = self.tree.users_decided_by(assignee, after, PAGE).await?;
            let Some(last) = users.last() else { break };
            after = Some(*last);
            let moving = self.moving().await?;
            // A relocation of a user may be paused or limited: it does what is to be done, and asks for this job again.
            for user in users.into_iter().filter(|user| !moving.contains(user)) {
                is_all_moved &= self.user(user, &mut watch).await?;
                if watch.stop() {
                    return Ok(Outcome::Again(BREATH));
                }
            }
        }
        Ok(if is_all_moved { Outcome::Done } else { Outcome::Again(FAILURE_WAIT) })
    }

    /// Users whose content a relocation moves.
    async fn moving(&self) -> Result<BTreeSet<UserId>, BoxError> {
        let open = self.database.read_long(|tx: &mut Tx<'_>| relocations::open(tx, OPEN_MAX)).await?;
        let users = open.iter().filter_map(|one| match one.moved {
            Moved::User { user, .. } => Some(user),
            Moved::Backend { .. } | Moved::Folder { .. } => None,
        });
        Ok(users.collect())
    }

    /// Moves until a pass finds nothing. `false` when something is left that could not be moved.
    async fn user(&self, user: UserId, watch: &mut UntilShutdown) -> Result<bool, BoxError> {
        loop {
            let (mut after, mut found, mut moved) = (None, 0, 0);
            loop {
                let Some(page) = self.tree.elsewhere(user, after, PAGE).await? else { return Ok(true) };
                found += page.contents.len();
                let batch = self.relocations.rehouse(&page.contents, page.to, None, watch).await;
                moved += batch.moved;
                if batch.failed > 0 {
                    tracing::warn!(
                        user.id = %user,
                        failed = batch.failed,
                        last_error = batch.last_error,
                        "content could not be moved to its owner's policy"
                    );
                    return Ok(false);
                }
                after = page.next;
                if after.is_none() || watch.stop() {
                    break;
                }
            }
            if moved > 0 {
                tracing::info!(user.id = %user, contents = moved, "moved content to its owner's policy");
            }
            if found == 0 || watch.stop() {
                return Ok(true);
            }
            if moved == 0 {
                return Ok(false);
            }
        }
    }
}
