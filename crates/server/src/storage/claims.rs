//! Claiming backends at the start and after it, and asking them how they are.

use super::place::{Claimant, Claimed, OpenBackend};
use super::{InForce, Inner};
use crate::exit::{Exit, Failure};
use entente_model::BackendId;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Claims every backend that has not been claimed, all at once. Fails when one is refused: those that cannot be reached
/// are only down.
pub(super) async fn claim_all(
    claimant: &Claimant<'_>,
    backends: &BTreeMap<String, Arc<OpenBackend>>,
    ids: &BTreeMap<String, BackendId>,
) -> Result<(), Failure> {
    let claims = backends.iter().map(|(name, open)| async move {
        match open.claim(claimant, ids.get(name).copied()).await {
            Claimed::Yes => None,
            Claimed::Refused(why) => Some(why),
            Claimed::NotYet(why) => {
                tracing::warn!(backend = name.as_str(), why, "the backend is not used until it can be");
                open.give_up(claimant.world).await;
                None
            }
        }
    });
    let refused: Vec<String> = join_all(claims).await.into_iter().flatten().collect();
    if refused.is_empty() { Ok(()) } else { Err(Failure::new(Exit::Usage, refused.join("\n"))) }
}

/// Claims what could not be claimed before, and asks every backend how it is.
pub(super) async fn look_after(inner: &Inner, in_force: &InForce) {
    let Inner { world, database, store, data, .. } = inner;
    let claimant = Claimant { world, database, store: *store, data };
    let claimant = &claimant;
    let looks = in_force.backends.iter().map(|(name, open)| async move {
        if let Some(before) = open.closed_because() {
            match open.claim(claimant, in_force.names.backends.get(name).copied()).await {
                Claimed::Yes => tracing::info!(backend = name.as_str(), "the backend can be used now"),
                Claimed::Refused(why) if why != before => {
                    tracing::error!(backend = name.as_str(), why, "the backend is not ours to use");
                }
                Claimed::Refused(_) | Claimed::NotYet(_) => {}
            }
        }
        open.ask(world).await;
    });
    join_all(looks).await;
}
