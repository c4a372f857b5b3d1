//! Relocations: orders, and the work that follows from them. The engine is the vault's upkeep; here is who asks for what.
//!
//! An order is a row, a redirect and a job. From the order on, every node takes the target for the source (within a second
//! or so: see `upkeep`); the job converges what the source still has, a slice at a time, and may be interrupted anywhere.

mod asked;
mod contents;
mod estimate;
mod names;
mod order;
pub(crate) mod redirects;
mod shown;
mod step;

pub(crate) use estimate::Prices;
pub(crate) use estimate::text as estimate_text;
pub(crate) use names::Names;
pub(crate) use order::{Order, Refusal, Wanted};
pub(crate) use shown::{line, progress, shown, what};

use crate::storage::{Followed, Storage};
use entente_database::jobs::{self, NewJob};
use entente_database::relocations::{self, Moved, Relocation, State};
use entente_database::{Database, Error as DatabaseError, Tx};
use entente_identity::Identity;
use entente_jobs::{BoxError, Outcome};
use entente_model::{JobId, RelocationId};
use entente_tree::{Assignee, FOLLOW_POLICY_JOB, Tree, key_of_assignee};
use entente_vault::Vault;
use entente_vault::upkeep::{Pace, Watch};
use entente_world::World;
use std::time::Duration;

/// The kind of the job that does the work of one relocation; its key is the relocation's id.
pub(crate) const RELOCATE_JOB: &str = "relocate";
/// How long what has been moved stays at the source, and uploads under way are waited for, if an order does not say.
pub(crate) const GRACE: Duration = Duration::from_secs(10 * 60);
/// Between two slices, so that others get their turn.
const SLICE_PAUSE: Duration = Duration::from_millis(10);
/// How many relocations are listed at most.
pub(crate) const LISTED_MAX: u32 = 1_000;

/// Everything about relocations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Relocations {
    world: World,
    database: Database,
    vault: Vault,
    tree: Tree,
    identity: Identity,
    /// How fast, if an order does not say.
    pace: Pace,
    /// How long what has been moved stays, if an order does not say.
    grace: Duration,
    storage: Storage,
}

/// What [`Relocations`] is put together from.
pub(crate) struct Parts {
    pub(crate) world: World,
    pub(crate) database: Database,
    pub(crate) vault: Vault,
    pub(crate) tree: Tree,
    pub(crate) identity: Identity,
    pub(crate) storage: Storage,
    pub(crate) pace: Pace,
}

/// What comes after a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another one, after this.
    After(Duration),
    /// Nothing: it is over.
    Ended,
    /// Nothing until somebody resumes it.
    Standing,
}

impl Relocations {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { world, database, vault, tree, identity, storage, pace } = parts;
        Self { world, database, vault, tree, identity, storage, pace, grace: GRACE }
    }

    /// The newest relocations.
    pub(crate) async fn list(&self) -> Result<Vec<Relocation>, DatabaseError> {
        self.database.read_long(|tx| relocations::before(tx, None, LISTED_MAX)).await
    }

    pub(crate) fn find(&self, id: RelocationId) -> Result<Relocation, Refusal> {
        self.database.read(|tx| relocations::by_id(tx, id))?.ok_or(Refusal::NoRelocation(id))
    }

    /// What everything is called.
    pub(crate) fn names(&self) -> Result<Names, DatabaseError> {
        Names::read(&self.database)
    }

    /// Lets a relocation stand still. New content goes to its target all the same.
    pub(crate) async fn pause(&self, id: RelocationId) -> Result<Relocation, Refusal> {
        self.change(id, &[State::Running], State::Paused, "paused").await
    }

    /// Lets a relocation go on that was paused.
    pub(crate) async fn resume(&self, id: RelocationId) -> Result<Relocation, Refusal> {
        self.change(id, &[State::Paused], State::Running, "resumed").await
    }

    /// Calls a relocation off: policies mean its source again, and what it has moved comes back. What a user owns, or a
    /// folder has, stays where it is by then.
    pub(crate) async fn cancel(&self, id: RelocationId) -> Result<Relocation, Refusal> {
        self.change(id, &[State::Running, State::Paused], State::Cancelled, "cancelled").await
    }

    async fn change(
        &self,
        id: RelocationId,
        from: &'static [State],
        to: State,
        wanted: &'static str,
    ) -> Result<Relocation, Refusal> {
        let (now, job) = (self.world.now(), JobId::new(self.world.next_id()));
        let change = move |tx: &mut Tx<'_>| -> Result<Relocation, Refusal> {
            let found = relocations::by_id(tx, id)?.ok_or(Refusal::NoRelocation(id))?;
            if found.state == to && found.is_open() {
                return Ok(found);
            }
            if !from.contains(&found.state) || !relocations::change_state(tx, id, found.state, to, now)? {
                return Err(Refusal::TooLate { id, state: shown::state(&found), wanted });
            }
            if to != State::Paused {
                let key = id.to_string();
                jobs::enqueue(tx, &NewJob { job, kind: RELOCATE_JOB, key: &key, payload: "", run_at: now }, now)?;
            }
            relocations::by_id(tx, id)?.ok_or(Refusal::NoRelocation(id))
        };
        let changed = self.database.transact("change relocation", change).await?;
        self.storage.refresh().await?;
        Ok(changed)
    }

    /// The job: a slice of the work, and when the next is due.
    pub(crate) async fn job(&self, key: &str, watch: &mut dyn Watch) -> Result<Outcome, BoxError> {
        Ok(match self.step(key.parse()?, watch).await? {
            Next::After(wait) => Outcome::Again(wait),
            Next::Ended | Next::Standing => Outcome::Done,
        })
    }

    /// A slice of the work.
    pub(crate) async fn step(&self, id: RelocationId, watch: &mut dyn Watch) -> Result<Next, DatabaseError> {
        let Some(relocation) = self.database.read(|tx| relocations::by_id(tx, id))? else { return Ok(Next::Ended) };
        if !relocation.is_open() {
            return Ok(Next::Ended);
        }
        match (relocation.moved, relocation.state) {
            (_, State::Paused | State::Done) => Ok(Next::Standing),
            (Moved::Backend { .. }, State::Running | State::Cancelled) => self.step_backend(relocation, watch).await,
            (_, State::Running) => self.step_contents(relocation, watch).await,
            (_, State::Cancelled) => self.end(&relocation).await,
        }
    }

    /// Stores how far it is. `Standing` when somebody has paused or cancelled it meanwhile: what follows is theirs.
    async fn save(&self, relocation: &Relocation, next: Next) -> Result<Next, DatabaseError> {
        let (id, state, progress, now) =
            (relocation.id, relocation.state, relocation.progress.clone(), self.world.now());
        let save = move |tx: &mut Tx<'_>| relocations::save_progress(tx, id, state, &progress, now);
        let is_saved = self.database.transact("save relocation", save).await?;
        Ok(if is_saved { next } else { Next::Standing })
    }

    /// Stores that it is over.
    async fn end(&self, relocation: &Relocation) -> Result<Next, DatabaseError> {
        if let Next::Standing = self.save(relocation, Next::Ended).await? {
            return Ok(Next::Standing);
        }
        let (id, state, moved, now) = (relocation.id, relocation.state, relocation.moved, self.world.now());
        let job = JobId::new(self.world.next_id());
        let end = move |tx: &mut Tx<'_>| {
            if let Moved::User { user, .. } = moved {
                // What was committed under the old policy in the last moment was left to this relocation.
                let key = key_of_assignee(Assignee::User(user));
                jobs::enqueue(tx, &NewJob { job, kind: FOLLOW_POLICY_JOB, key: &key, payload: "", run_at: now }, now)?;
            }
            relocations::end(tx, id, state, now)
        };
        let is_ended = self.database.transact("end relocation", end).await?;
        if is_ended {
            tracing::info!(relocation.id = %id, "a relocation has ended");
            self.retire_redirects().await?;
            self.storage.refresh().await?;
        }
        Ok(Next::Ended)
    }

    /// Puts redirects out of force that the configuration, or a move back, has made needless, once no node can go by a
    /// configuration that needs them: it would write to the source again.
    pub(crate) async fn retire_redirects(&self) -> Result<(), DatabaseError> {
        let (in_force, now) = (self.storage.in_force(), self.world.now());
        let (named, generation) = (redirects::meanings(&in_force.named()), in_force.names.generation);
        let read =
            move |tx: &mut Tx<'_>| Ok::<_, DatabaseError>((relocations::redirects(tx)?, Followed::read(tx, now)?));
        let (redirects, followed) = self.database.read_long(read).await?;
        let spent = redirects::spent(&named, &redirects, |source| followed.is_forgotten(source, generation));
        if !spent.is_empty() {
            self.database.transact("retire redirects", move |tx| relocations::retire(tx, &spent)).await?;
            self.storage.refresh().await?;
        }
        Ok(())
    }
}
