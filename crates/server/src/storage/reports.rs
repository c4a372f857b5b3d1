//! What each node says of itself, and what follows from what all of them say: whether any may still go by an older storage
//! configuration.

use super::{Generations, Inner, Storage};
use entente_database::backends::{self, Standing};
use entente_database::nodes::{self, Report};
use entente_database::{Error, Tx};
use entente_model::{BackendId, Timestamp};
use entente_world::Shutdown;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a node says that it is there.
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// One that has not said so for so long is gone, and comes back only with a start, which reads what is the newest.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// Who goes by what.
pub(crate) struct Followed {
    /// The generation that was applied last.
    newest: u64,
    /// Whether that is so long ago that nobody remembers another.
    is_old: bool,
    /// The oldest that a node goes by which was seen lately.
    oldest: Option<u64>,
    /// Backends that are no longer configured.
    removed: BTreeSet<BackendId>,
}

impl Followed {
    pub(crate) fn read(tx: &mut Tx<'_>, now: Timestamp) -> Result<Self, Error> {
        let generations = Generations::read(tx)?;
        let before = now.before(REMEMBERED);
        let seen = nodes::all(tx)?.into_iter().filter(|report| report.seen_at >= before);
        let removed = backends::all(tx)?.into_iter().filter(|backend| backend.standing == Standing::Removed);
        Ok(Self {
            newest: generations.number,
            is_old: generations.applied_at() <= before,
            oldest: seen.map(|report| report.generation).min(),
            removed: removed.map(|backend| backend.id).collect(),
        })
    }

    /// Whether nobody comes to write to a backend that is named no more by `generation`: that is the newest, all nodes go
    /// by it, and it is the only one there ever was, or it does not have the backend at all, or it is a day old.
    pub(crate) fn is_forgotten(&self, backend: BackendId, generation: u64) -> bool {
        let is_followed =
            generation == self.newest && generation > 0 && self.oldest.is_none_or(|oldest| oldest >= self.newest);
        is_followed && (self.newest == 1 || self.is_old || self.removed.contains(&backend))
    }
}

/// Who reports.
pub(super) struct Reporter {
    id: i64,
    name: String,
    started_at: Timestamp,
}

impl Storage {
    /// Says that this process is a node, and how it is called.
    pub(crate) async fn introduce(&self, name: String) -> Result<(), Error> {
        let world = &self.inner.world;
        let reporter = Reporter { id: world.next_id(), name, started_at: world.now() };
        let _ = self.inner.reporter.set(reporter);
        self.report().await
    }

    /// Says that this node is there, and by what it goes. Nothing, if the process is no node.
    pub(crate) async fn report(&self) -> Result<(), Error> {
        let Some(Reporter { id, name, started_at }) = self.inner.reporter.get() else { return Ok(()) };
        let seen_at = self.inner.world.now();
        let report = Report {
            id: *id,
            name: name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: self.in_force().names.generation,
            started_at: *started_at,
            seen_at,
        };
        let store = move |tx: &mut Tx<'_>| {
            nodes::forget(tx, seen_at.before(REMEMBERED), seen_at.after(REMEMBERED))?;
            nodes::report(tx, &report)
        };
        self.inner.database.transact("report node", store).await
    }

    /// Reports now and then, until the process stops.
    pub(crate) async fn keep_reporting(self, mut shutdown: Shutdown) {
        let Inner { world, database, reporter, .. } = &*self.inner;
        while !shutdown.is_requested() {
            tokio::select! {
                () = shutdown.requested() => break,
                () = world.sleep(REPORT_EVERY) => {}
            }
            if let Err(error) = self.report().await {
                tracing::warn!(%error, "this node cannot say that it is there; trying again soon");
            }
        }
        let Some(id) = reporter.get().map(|reporter| reporter.id) else { return };
        if let Err(error) = database.transact("leave", move |tx| nodes::leave(tx, id)).await {
            tracing::warn!(%error, "this node cannot say that it stops; it is forgotten in a day");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Followed;
    use entente_model::BackendId;

    #[test]
    fn a_backend_is_forgotten_when_nobody_can_name_it() {
        let (kept, gone) = (BackendId::new(1), BackendId::new(2));
        let followed = |newest, is_old, oldest| Followed { newest, is_old, oldest, removed: [gone].into() };
        let forgotten = |followed: Followed, generation| {
            (followed.is_forgotten(kept, generation), followed.is_forgotten(gone, generation))
        };
        assert_eq!(forgotten(followed(1, false, Some(1)), 1), (true, true), "there was no other");
        assert_eq!(forgotten(followed(3, false, Some(3)), 3), (false, true), "one that is stopped may come back");
        assert_eq!(forgotten(followed(3, true, Some(3)), 3), (true, true));
        assert_eq!(forgotten(followed(3, true, None), 3), (true, true), "no node runs");
        assert_eq!(forgotten(followed(3, true, Some(2)), 3), (false, false), "a node goes by an older one");
        assert_eq!(forgotten(followed(3, true, Some(3)), 2), (false, false), "this very node does");
        assert_eq!(forgotten(followed(0, true, None), 0), (false, false), "nothing has been applied yet");
    }
}
