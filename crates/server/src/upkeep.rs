//! What the server does when nobody asks: the handlers of all jobs, and their schedule.

use crate::config::UpkeepConfig;
use entente_identity::Identity;
use entente_jobs::{BoxError, Handlers, Outcome, Run, handler};
use entente_model::ItemId;
use entente_tree::limits::BATCH_ROWS_MAX;
use entente_tree::{EXPIRE_SESSIONS_JOB, PURGE_JOB, PURGE_VERSIONS_JOB, Tree};
use entente_vault::Vault;
use entente_vault::upkeep::Watch;
use entente_vault::upkeep::collect::Grace;
use entente_vault::upkeep::repack::Choice;
use entente_world::Shutdown;
use std::time::Duration;

/// The kinds that the tree does not name.
const EXPIRE_TOKENS_JOB: &str = "expire tokens";
const COLLECT_JOB: &str = "collect garbage";
const REPACK_JOB: &str = "repack segments";

/// Between two batches of a long removal, so that it leaves room for everything else.
const BREATH: Duration = Duration::from_millis(20);

/// Stops when the process does.
struct UntilShutdown(Shutdown);

impl Watch for UntilShutdown {
    fn progress(&mut self, _what: &'static str, _done: u64) {}

    fn stop(&self) -> bool {
        self.0.is_requested()
    }
}

/// Every job that there is.
pub(crate) fn handlers(tree: &Tree, identity: &Identity, vault: &Vault, config: &UpkeepConfig) -> Handlers {
    let (purged, removed, expired, identity) = (tree.clone(), tree.clone(), tree.clone(), identity.clone());
    let (collected, repacked, grace) = (vault.clone(), vault.clone(), config.grace.0);
    Handlers::new()
        .on(PURGE_JOB, handler(move |run: Run| purge(purged.clone(), run)))
        .every(config.expire.0, PURGE_VERSIONS_JOB, handler(move |_| purge_versions(removed.clone())))
        .every(config.expire.0, EXPIRE_SESSIONS_JOB, handler(move |_| expire_sessions(expired.clone())))
        .every(config.expire.0, EXPIRE_TOKENS_JOB, handler(move |_| expire_tokens(identity.clone())))
        .every(config.collect.0, COLLECT_JOB, handler(move |run: Run| collect(collected.clone(), grace, run.shutdown)))
        .every(config.repack.0, REPACK_JOB, handler(move |run: Run| repack(repacked.clone(), run.shutdown)))
}

/// There is more to do, if something is left.
fn while_left(left: bool) -> Outcome {
    if left { Outcome::Again(BREATH) } else { Outcome::Done }
}

async fn purge(tree: Tree, run: Run) -> Result<Outcome, BoxError> {
    let item: ItemId = run.key.parse()?;
    Ok(while_left(!tree.purge_batch(item, BATCH_ROWS_MAX).await?))
}

async fn purge_versions(tree: Tree) -> Result<Outcome, BoxError> {
    Ok(while_left(!tree.purge_removed_versions(BATCH_ROWS_MAX).await?))
}

async fn expire_sessions(tree: Tree) -> Result<Outcome, BoxError> {
    Ok(while_left(!tree.expire_sessions(BATCH_ROWS_MAX).await?))
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
