//! The jobs that remove what belonged to users and groups that are gone, go on giving what one user owns to another, and
//! end sessions.

use super::{BREATH, while_left};
use entente_identity::{END_SESSIONS_JOB, Identity};
use entente_jobs::{BoxError, Handlers, Outcome, Run, handler};
use entente_tree::{HAND_OVER_JOB, PURGE_GROUP_JOB, PURGE_USER_JOB, REMOVE_OUTSIDER_JOB, TRANSFER_JOB, Tree};

/// Adds them.
pub(super) fn handlers(handlers: Handlers, tree: &Tree, identity: &Identity) -> Handlers {
    let (users, groups, identity) = (tree.clone(), tree.clone(), identity.clone());
    let (given, transferred, outside) = (tree.clone(), tree.clone(), tree.clone());
    handlers
        .on(PURGE_USER_JOB, handler(move |run: Run| purge_user(users.clone(), run)))
        .on(PURGE_GROUP_JOB, handler(move |run: Run| purge_group(groups.clone(), run)))
        .on(HAND_OVER_JOB, handler(move |run: Run| hand_over(given.clone(), run)))
        .on(TRANSFER_JOB, handler(move |run: Run| transfer(transferred.clone(), run)))
        .on(REMOVE_OUTSIDER_JOB, handler(move |run: Run| remove_outsider(outside.clone(), run)))
        .on(END_SESSIONS_JOB, handler(move |run: Run| end_sessions(identity.clone(), run)))
}

async fn purge_user(tree: Tree, run: Run) -> Result<Outcome, BoxError> {
    let user = run.key.parse()?;
    Ok(while_left(!tree.purge_user_batch(user).await?))
}

async fn purge_group(tree: Tree, run: Run) -> Result<Outcome, BoxError> {
    let group = run.key.parse()?;
    Ok(while_left(!tree.purge_group_batch(group).await?))
}

async fn hand_over(tree: Tree, run: Run) -> Result<Outcome, BoxError> {
    tree.finish_handover(run.key.parse()?).await?;
    Ok(Outcome::Done)
}

async fn transfer(tree: Tree, run: Run) -> Result<Outcome, BoxError> {
    let (from, folder) = (run.key.parse()?, run.payload.parse()?);
    Ok(while_left(!tree.transfer_rest(from, folder).await?))
}

/// One that is cut off begins again with the first role, which does no harm.
async fn remove_outsider(tree: Tree, run: Run) -> Result<Outcome, BoxError> {
    let (user, enterprise) = run.key.split_once(' ').ok_or("the key has no enterprise")?;
    let (of, by) = ((user.parse()?, enterprise.parse()?), run.payload.parse()?);
    let mut after = None;
    while let Some(reached) = tree.remove_outsider_batch(of, by, after).await? {
        after = Some(reached);
        if run.shutdown.is_requested() {
            return Ok(Outcome::Again(BREATH));
        }
    }
    Ok(Outcome::Done)
}

/// One that is cut off begins again with the first member of a group, which does no harm.
async fn end_sessions(identity: Identity, run: Run) -> Result<Outcome, BoxError> {
    let mut after = None;
    while let Some(reached) = identity.end_sessions_batch(&run.key, after).await? {
        after = reached;
        if run.shutdown.is_requested() {
            return Ok(Outcome::Again(BREATH));
        }
    }
    Ok(Outcome::Done)
}
