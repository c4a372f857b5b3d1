//! Jobs that bring segments to what their policies mean: soon after something was left to be done, and now and then.

use super::UntilShutdown;
use crate::storage::Storage;
use entente_database::relocations::{self, Moved, Redirect, State};
use entente_database::{Database, Tx};
use entente_jobs::{BoxError, Outcome, Run};
use entente_model::{BackendId, PolicyId};
use entente_vault::Vault;
use entente_vault::upkeep::{Converged, Pace, Selection};
use entente_world::World;
use std::collections::BTreeSet;
use std::time::Duration;

/// Brings up replicas that are missing or damaged.
pub(crate) const REPLICATE_JOB: &str = "replicate";
/// Looks at everything, whether its policy means something else by now.
pub(crate) const CONVERGE_JOB: &str = "follow configuration";
/// Removes replicas that left long enough ago.
pub(crate) const REMOVE_LEFT_JOB: &str = "remove left replicas";

/// Between two slices.
const BREATH: Duration = Duration::from_millis(20);
/// After a backend failed: as soon as it is back there is something to do, and while it is down a pass asks it nothing.
/// But a pass may have many segments to look at: passes take no more than half of the time.
const FAILURE_WAIT: Duration = Duration::from_secs(1);
const FAILURE_WAIT_MAX: Duration = Duration::from_secs(10);
/// What cannot be read rests for a while; what becomes unsettled meanwhile is to be looked at soon.
const UNREADABLE_WAIT: Duration = Duration::from_secs(2);
/// More relocations than these are not looked at.
const OPEN_MAX: u32 = 1_000;

/// What these jobs need.
#[derive(Clone)]
pub(crate) struct Settling {
    pub(crate) world: World,
    pub(crate) database: Database,
    pub(crate) vault: Vault,
    pub(crate) storage: Storage,
    pub(crate) pace: Pace,
    pub(crate) leave_grace: Duration,
}

impl Settling {
    /// Replicates and repairs what is not in order.
    pub(super) async fn replicate(self, run: Run) -> Result<Outcome, BoxError> {
        let begun = self.world.instant();
        let done = self.converge(Selection::Unsettled, &run).await?;
        let took = begun.elapsed();
        if done.copied + done.kept + done.left + done.repacked > 0 {
            tracing::info!(
                copied = done.copied,
                copied_bytes = done.copied_bytes,
                kept = done.kept,
                left = done.left,
                "replicated segments"
            );
        }
        Ok(next(&done, took))
    }

    /// Goes over everything, but for what an open relocation looks after: it has its own pace, and may be paused.
    pub(super) async fn follow_configuration(self, run: Run) -> Result<Outcome, BoxError> {
        // The nodes look for redirects now and then; what follows from them is decided by the newest.
        self.storage.refresh().await?;
        let topology = self.vault.topology();
        let open = self.database.read_long(|tx: &mut Tx<'_>| relocations::open(tx, OPEN_MAX)).await?;
        let mut total = Converged::default();
        for (id, policy) in &topology.policies {
            let named: BTreeSet<BackendId> = std::iter::once(policy.primary).chain(policy.replicas.clone()).collect();
            if !open.iter().any(|one| concerns(&one.moved, *id, &named)) {
                total.add(self.converge(Selection::Of(*id), &run).await?);
            }
        }
        // A node that had not heard of a move yet may have written to its source at the last moment.
        for redirect in self.database.read_long(|tx: &mut Tx<'_>| relocations::redirects(tx)).await? {
            let Redirect { from, policy, is_done: true, .. } = redirect else { continue };
            if self.database.read_long(move |tx: &mut Tx<'_>| relocations::holds_any(tx, from, policy)).await? {
                total.add(self.converge(Selection::On(from), &run).await?);
            }
        }
        if total.failed + total.unreadable + total.untended > 0 {
            tracing::warn!(
                failed = total.failed,
                unreadable = total.unreadable,
                untended = total.untended,
                last_error = total.last_error,
                "some segments are not as their policies want them"
            );
        }
        Ok(if total.stopped { Outcome::Again(BREATH) } else { Outcome::Done })
    }

    /// Removes what has left, but for what an open relocation looks after itself.
    pub(super) async fn remove_left(self, run: Run) -> Result<Outcome, BoxError> {
        if !self.database.read_long(|tx: &mut Tx<'_>| relocations::is_leaving(tx)).await? {
            return Ok(Outcome::Done);
        }
        let open = self.database.read_long(|tx: &mut Tx<'_>| relocations::open(tx, OPEN_MAX)).await?;
        let looked_after: BTreeSet<_> = open.iter().filter_map(|one| source(&one.moved, one.state)).collect();
        let topology = self.vault.topology();
        for backend in topology.zones.values().flat_map(|zone| zone.backends.keys()) {
            if looked_after.contains(backend) {
                continue;
            }
            let mut watch = UntilShutdown(run.shutdown.clone());
            let removed = self.vault.remove_left(*backend, self.leave_grace, &mut watch).await?;
            if removed.replicas + removed.failed > 0 {
                tracing::info!(
                    backend.id = %backend,
                    replicas = removed.replicas,
                    failed = removed.failed,
                    last_error = removed.last_error,
                    "removed replicas that had left"
                );
            }
            if removed.stopped {
                return Ok(Outcome::Again(BREATH));
            }
        }
        Ok(Outcome::Done)
    }

    /// A whole pass.
    async fn converge(&self, selection: Selection, run: &Run) -> Result<Converged, BoxError> {
        let mut watch = UntilShutdown(run.shutdown.clone());
        let mut total = Converged::default();
        loop {
            let done = self.vault.converge(selection, total.cursor, &self.pace, &mut watch).await?;
            total.add(done);
            if total.cursor.is_none() || total.stopped {
                return Ok(total);
            }
        }
    }
}

/// When to replicate again, after a pass that took so long.
fn next(done: &Converged, took: Duration) -> Outcome {
    if done.stopped {
        Outcome::Again(BREATH)
    } else if done.failed > 0 {
        Outcome::Again(took.clamp(FAILURE_WAIT, FAILURE_WAIT_MAX))
    } else if done.unreadable > 0 {
        Outcome::Again(took.clamp(UNREADABLE_WAIT, FAILURE_WAIT_MAX))
    } else {
        Outcome::Done
    }
}

/// Whether a relocation does what is to be done for a policy that means these backends.
fn concerns(moved: &Moved, policy: PolicyId, means: &BTreeSet<BackendId>) -> bool {
    match moved {
        Moved::Backend { from, to, policy: only } => {
            only.is_none_or(|only| only == policy) && (means.contains(from) || means.contains(to))
        }
        Moved::User { .. } | Moved::Folder { .. } => false,
    }
}

/// From where an open relocation takes something away.
fn source(moved: &Moved, state: State) -> Option<BackendId> {
    match *moved {
        Moved::Backend { to, .. } if state == State::Cancelled => Some(to),
        Moved::Backend { from, .. } => Some(from),
        Moved::User { .. } | Moved::Folder { .. } => None,
    }
}
