//! What the server does when nobody asks: the handlers of all jobs, their schedule, and what each node looks at by itself.

mod events;
mod expiry;
mod follow;
mod letters;
mod people;
mod scrub;
mod settle;
mod tell;
mod webhooks;

use crate::config::UpkeepConfig;
use crate::relocation::{Parts, RELOCATE_JOB, Relocations};
use crate::storage::Storage;
use entente_database::jobs::{self, NewJob};
use entente_database::relocations;
use entente_database::{Database, Error as DatabaseError, Tx, assignments, settings};
use entente_identity::Identity;
use entente_jobs::{BoxError, Handlers, Outcome, Run, Runner, handler};
use entente_model::{ContentId, ItemId, JobId, PolicyId};
use entente_tree::limits::{BATCH_ROWS_MAX, COPY_LIFETIME};
use entente_tree::metadata::TEND_METADATA_JOB;
use entente_tree::{
    DIGEST_JOB, EXPIRE_COLLABORATIONS_JOB, EXPIRE_FILE_LOCKS_JOB, EXPIRE_MULTIPARTS_JOB, EXPIRE_SESSIONS_JOB,
    FOLLOW_POLICY_JOB, PURGE_JOB, TAKE_APART_JOB, Tree,
};
use entente_vault::Vault;
use entente_vault::upkeep::collect::Grace;
use entente_vault::upkeep::repack::Choice;
use entente_vault::upkeep::safety::INTENT_GRACE;
use entente_vault::upkeep::{Pace, Watch};
use entente_world::{Shutdown, World};
use expiry::Expiring;
pub(crate) use expiry::tell;
use follow::Following;
pub(crate) use letters::Post;
use scrub::{BEGIN_SCRUBS_JOB, SCRUB_JOB};
pub(crate) use scrub::{Scrubbing, shown as shown_scrub};
use settle::{CONVERGE_JOB, REMOVE_LEFT_JOB, REPLICATE_JOB, Settling};
use std::sync::Arc;
use std::time::Duration;

/// The kinds that the tree does not name.
const EXPIRE_TOKENS_JOB: &str = "expire tokens";
const COLLECT_JOB: &str = "collect garbage";
const REPACK_JOB: &str = "repack segments";

/// The setting that says which default policy was last seen to.
const DEFAULT_FOLLOWED: &str = "default policy followed";
/// Between two batches of a long removal, so that it leaves room for everything else.
const BREATH: Duration = Duration::from_millis(20);
/// How long a folder that is to be purged waits before it is asked again whether it has been told of.
const UNTIL_TOLD: Duration = Duration::from_secs(2);
/// How long a content is read for its digest before others have their turn.
const DIGEST_SPAN: Duration = Duration::from_secs(5);
/// How often each node looks whether replicas are to be made. It costs a read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often roles and locks are ended that were to end: the tree promises a minute.
const END_ROLES_EVERY: Duration = Duration::from_secs(30);
/// How often metadata is tended that nobody has asked for at once: what was moved.
const TEND_METADATA_EVERY: Duration = Duration::from_secs(5);
/// How often everything is compared with what its policy means.
const CONVERGE_EVERY: Duration = Duration::from_secs(60 * 60);
/// After a node has left to others what it cannot do.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(10);
/// How often replicas are removed that left long enough ago.
const REMOVE_LEFT_EVERY: Duration = Duration::from_secs(60);
/// How often is looked whether a scrub is due.
const BEGIN_SCRUBS_EVERY: Duration = Duration::from_secs(5 * 60);

/// Stops when the process does.
struct UntilShutdown(Shutdown);

impl Watch for UntilShutdown {
    fn progress(&mut self, _what: &'static str, _done: u64) {}

    fn stop(&self) -> bool {
        self.0.is_requested()
    }
}

/// What upkeep looks after.
pub(crate) struct Rooms {
    pub(crate) world: World,
    pub(crate) database: Database,
    pub(crate) tree: Tree,
    pub(crate) identity: Identity,
    pub(crate) vault: Vault,
    pub(crate) storage: Storage,
    /// The names of those who may be told of changes.
    pub(crate) targets: Vec<String>,
    pub(crate) post: Post,
    pub(crate) config: UpkeepConfig,
}

/// Everything that is done when nobody asks, and who does it for those who ask. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Upkeep {
    world: World,
    database: Database,
    tree: Tree,
    identity: Identity,
    vault: Vault,
    storage: Storage,
    targets: Vec<String>,
    post: Post,
    config: UpkeepConfig,
    settling: Settling,
    pub(crate) relocations: Relocations,
    pub(crate) scrubbing: Scrubbing,
}

impl Upkeep {
    pub(crate) fn new(rooms: Rooms) -> Self {
        let Rooms { world, database, tree, identity, vault, storage, targets, post, config } = rooms;
        let pace = Pace { bytes_per_second: config.bytes_per_second, parallel: config.parallel };
        let relocations = Relocations::new(Parts {
            world: world.clone(),
            database: database.clone(),
            vault: vault.clone(),
            tree: tree.clone(),
            identity: identity.clone(),
            storage: storage.clone(),
            pace,
        });
        let settling = Settling {
            world: world.clone(),
            database: database.clone(),
            vault: vault.clone(),
            storage: storage.clone(),
            pace,
            leave_grace: config.leave_grace.0,
        };
        let scrubbing = Scrubbing {
            world: world.clone(),
            database: database.clone(),
            vault: vault.clone(),
            every: config.scrub.0,
            pace: Pace { bytes_per_second: Some(config.scrub_bytes_per_second), parallel: config.parallel },
        };
        Self {
            world,
            database,
            tree,
            identity,
            vault,
            storage,
            targets,
            post,
            config,
            settling,
            relocations,
            scrubbing,
        }
    }

    /// Every job that there is.
    pub(crate) fn handlers(&self) -> Handlers {
        let (purged, expired) = (self.tree.clone(), self.tree.clone());
        let (ended, apart, digested) = (self.tree.clone(), self.tree.clone(), self.tree.clone());
        let (roles, locked) = (self.tree.clone(), self.tree.clone());
        let metadata = self.tree.clone();
        let (identity, config) = (self.identity.clone(), &self.config);
        let (collected, repacked, grace) = (self.vault.clone(), self.vault.clone(), config.grace.0);
        let handlers = Handlers::new()
            .on_within(COPY_LIFETIME, PURGE_JOB, handler(move |run: Run| purge(purged.clone(), run)))
            .every(config.expire.0, EXPIRE_SESSIONS_JOB, handler(move |_| expire_sessions(expired.clone())))
            .every(config.expire.0, EXPIRE_MULTIPARTS_JOB, handler(move |_| expire_multiparts(ended.clone())))
            .every(END_ROLES_EVERY, EXPIRE_COLLABORATIONS_JOB, handler(move |_| expire_collaborations(roles.clone())))
            .every(END_ROLES_EVERY, EXPIRE_FILE_LOCKS_JOB, handler(move |_| expire_file_locks(locked.clone())))
            .every(TEND_METADATA_EVERY, TEND_METADATA_JOB, handler(move |_| tend_metadata(metadata.clone())))
            .every(config.expire.0, TAKE_APART_JOB, handler(move |_| take_apart(apart.clone())))
            .on(DIGEST_JOB, handler(move |run: Run| digest(digested.clone(), run)))
            .every(config.expire.0, EXPIRE_TOKENS_JOB, handler(move |_| expire_tokens(identity.clone())))
            .every(
                config.collect.0,
                COLLECT_JOB,
                handler(move |run: Run| collect(collected.clone(), grace, run.shutdown)),
            )
            .every(config.repack.0, REPACK_JOB, handler(move |run: Run| repack(repacked.clone(), run.shutdown)));
        let expiring = Expiring { world: self.world.clone(), tree: self.tree.clone(), trash: config.trash.0 };
        self.storage_handlers(people::handlers(
            self.letter_handlers(
                self.telling_handlers(self.event_handlers(expiring.handlers(handlers, config.expire.0))),
            ),
            &self.tree,
            &self.identity,
        ))
    }

    /// Those that see to it that content is where it is to be.
    fn storage_handlers(&self, handlers: Handlers) -> Handlers {
        let (replicating, converging, removing) = (self.settling.clone(), self.settling.clone(), self.settling.clone());
        let retiring = self.relocations.clone();
        let (relocations, begun, scrubbed) = (self.relocations.clone(), self.scrubbing.clone(), self.scrubbing.clone());
        let following = Following {
            database: self.database.clone(),
            tree: self.tree.clone(),
            relocations: self.relocations.clone(),
        };
        handlers
            .on(REPLICATE_JOB, handler(move |run: Run| replicating.clone().replicate(run)))
            .every(
                CONVERGE_EVERY,
                CONVERGE_JOB,
                handler(move |run: Run| follow_configuration(converging.clone(), retiring.clone(), run)),
            )
            .every(REMOVE_LEFT_EVERY, REMOVE_LEFT_JOB, handler(move |run: Run| removing.clone().remove_left(run)))
            .on(RELOCATE_JOB, handler(move |run: Run| relocate(relocations.clone(), run)))
            .on(FOLLOW_POLICY_JOB, handler(move |run: Run| following.clone().follow(run)))
            .every(BEGIN_SCRUBS_EVERY, BEGIN_SCRUBS_JOB, handler(move |_| begun.clone().begin_due()))
            .on(SCRUB_JOB, handler(move |run: Run| scrubbed.clone().scrub(run)))
    }

    /// Asks for everything to be compared with what the configuration means now.
    async fn configuration_changed(&self) -> Result<(), BoxError> {
        self.storage.report().await?;
        self.relocations.retire_redirects().await?;
        self.enqueue(CONVERGE_JOB).await?;
        // What was moved elsewhere by hand stays there, unless another policy has become the default.
        let default = self.database.read(assignments::default_policy)?;
        let default = default.map_or(0, PolicyId::number).to_be_bytes().to_vec();
        if self.database.read(|tx| settings::value(tx, DEFAULT_FOLLOWED))?.as_ref() == Some(&default) {
            return Ok(());
        }
        let mut after = None;
        loop {
            after = self.tree.follow_default(after, BATCH_ROWS_MAX).await?;
            if after.is_none() {
                break;
            }
        }
        let keep = move |tx: &mut Tx<'_>| settings::set(tx, DEFAULT_FOLLOWED, &default);
        Ok(self.database.transact("keep followed policy", keep).await?)
    }

    /// What each node does by itself until the process stops: sees whether there is anything to be replicated, and has a
    /// job made of it that one of them takes.
    pub(crate) async fn keep_up(self, runner: Runner, mut shutdown: Shutdown) {
        let mut followed = None;
        while !shutdown.is_requested() {
            let config = Arc::clone(&self.storage.in_force().config);
            if !followed.as_ref().is_some_and(|followed| Arc::ptr_eq(followed, &config)) {
                match self.configuration_changed().await {
                    Ok(()) => {
                        followed = Some(config);
                        runner.wake();
                    }
                    Err(error) => tracing::warn!(%error, "what follows from the configuration cannot be seen to now"),
                }
            }
            match self.look().await {
                Ok(true) => runner.wake(),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "it cannot be seen whether replicas are to be made"),
            }
            tokio::select! {
                () = shutdown.requested() => {}
                () = self.world.sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Whether a job was queued.
    async fn look(&self) -> Result<bool, DatabaseError> {
        let now = self.world.now();
        let is_due = move |tx: &mut Tx<'_>| {
            let is_queued = jobs::is_queued(tx, REPLICATE_JOB, "")?;
            Ok::<_, DatabaseError>(!is_queued && relocations::is_unsettled(tx, now, INTENT_GRACE)?)
        };
        let is_due = self.database.read_long(is_due).await?;
        if is_due {
            self.enqueue(REPLICATE_JOB).await?;
        }
        Ok(is_due)
    }

    async fn enqueue(&self, kind: &'static str) -> Result<(), DatabaseError> {
        let (job, now) = (JobId::new(self.world.next_id()), self.world.now());
        let new =
            move |tx: &mut Tx<'_>| jobs::enqueue(tx, &NewJob { job, kind, key: "", payload: "", run_at: now }, now);
        self.database.transact("queue job", new).await
    }
}

/// A node that goes by an older configuration leaves it to those which have the newest.
async fn follow_configuration(settling: Settling, relocations: Relocations, run: Run) -> Result<Outcome, BoxError> {
    if !settling.storage.is_newest() {
        return Ok(Outcome::Again(LEFT_TO_OTHERS));
    }
    relocations.retire_redirects().await?;
    settling.follow_configuration(run).await
}

async fn relocate(relocations: Relocations, run: Run) -> Result<Outcome, BoxError> {
    relocations.job(&run.key, &mut UntilShutdown(run.shutdown)).await
}

/// There is more to do, if something is left.
fn while_left(left: bool) -> Outcome {
    if left { Outcome::Again(BREATH) } else { Outcome::Done }
}

async fn purge(tree: Tree, run: Run) -> Result<Outcome, BoxError> {
    let item: ItemId = run.key.parse()?;
    if tree.is_to_be_told(item)? {
        return Ok(Outcome::Again(UNTIL_TOLD));
    }
    Ok(while_left(!tree.purge_batch(item, BATCH_ROWS_MAX).await?))
}

async fn expire_collaborations(tree: Tree) -> Result<Outcome, BoxError> {
    Ok(while_left(tree.expire_collaborations().await?))
}

async fn expire_file_locks(tree: Tree) -> Result<Outcome, BoxError> {
    Ok(while_left(tree.expire_file_locks().await?))
}

async fn tend_metadata(tree: Tree) -> Result<Outcome, BoxError> {
    Ok(while_left(tree.tend_metadata().await?))
}

async fn expire_sessions(tree: Tree) -> Result<Outcome, BoxError> {
    Ok(while_left(!tree.expire_sessions(BATCH_ROWS_MAX).await?))
}

async fn expire_multiparts(tree: Tree) -> Result<Outcome, BoxError> {
    Ok(while_left(!tree.expire_multiparts(BATCH_ROWS_MAX).await?))
}

async fn take_apart(tree: Tree) -> Result<Outcome, BoxError> {
    Ok(while_left(!tree.take_apart(BATCH_ROWS_MAX).await?))
}

async fn digest(tree: Tree, run: Run) -> Result<Outcome, BoxError> {
    let content: ContentId = run.key.parse()?;
    Ok(while_left(!tree.digest_content(content, DIGEST_SPAN).await?))
}

async fn expire_tokens(identity: Identity) -> Result<Outcome, BoxError> {
    Ok(while_left(identity.remove_expired().await?))
}

async fn collect(vault: Vault, grace: Duration, shutdown: Shutdown) -> Result<Outcome, BoxError> {
    let collected = vault.collect(Grace { segments: grace, orphans: grace }, &mut UntilShutdown(shutdown)).await?;
    tracing::info!(
        segments = collected.segments,
        segment_bytes = collected.segment_bytes,
        orphans = collected.orphans,
        failed = collected.failed,
        last_error = collected.last_error,
        stopped = collected.stopped,
        "collected garbage"
    );
    Ok(while_left(collected.stopped))
}

async fn repack(vault: Vault, shutdown: Shutdown) -> Result<Outcome, BoxError> {
    let repacked = vault.repack(Choice::default(), &mut UntilShutdown(shutdown)).await?;
    tracing::info!(
        segments = repacked.segments,
        chunks = repacked.chunks,
        moved_bytes = repacked.moved_bytes,
        unreadable = repacked.unreadable,
        stopped = repacked.stopped,
        "repacked segments"
    );
    Ok(while_left(repacked.stopped))
}
