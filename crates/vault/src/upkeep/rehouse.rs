//! Moves contents to another policy, perhaps of another zone: their chunks, still sealed, go into segments of that policy,
//! and then, in one transaction, the content gets the policy, the zone, and its data key wrapped by the zone's epoch key.
//!
//! Until then it is read with the old key, wherever its chunks are, and the ledger notes that it is on the move, from its
//! first chunk on: should the mind be changed, what has moved is found and brought back by the same means. Interrupted
//! anywhere, the next run passes over the chunks that are there already. A content that is released meanwhile is gone, and
//! that is fine.

use super::Watch;
use super::moving::{Home, Mover};
use super::trouble::Trouble;
use crate::{ChunkRecord, Error, Located, Replica, Scope, Vault, chunk};
use entente_model::{ContentId, Manifest, PolicyId, SegmentId};
use std::collections::BTreeMap;
use std::time::Duration;

const PLACES_PAGE: u32 = 256;
/// Contents whose chunks wait for each other, so that small ones share segments.
const TOGETHER: usize = 500;
/// After this time a call ends.
const SLICE_SPAN: Duration = Duration::from_secs(20);

/// What a rehousing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehoused {
    /// Contents that were moved.
    pub contents: u64,
    /// Contents that were there already.
    pub already: u64,
    /// Contents that are not there any more.
    pub gone: u64,
    /// Contents that are not moved yet, or not wholly: call it again with all of them.
    pub unfinished: u64,
    /// Chunks that were moved.
    pub chunks: u64,
    /// Their sealed bytes.
    pub bytes: u64,
    /// Chunks that no replica has as they were written: their contents cannot be moved.
    pub unreadable: u64,
    /// What was not done because a backend failed, or because a content is not of that enterprise.
    pub failed: u64,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl Vault {
    /// Moves contents to a scope, as many as it gets done in a while: the others are counted as unfinished.
    ///
    /// `Unmet` when there is no such policy in that zone. Errors of the ledger and of custodians end it; what was done
    /// stays done. A backend's failures are counted.
    pub async fn rehouse(&self, contents: &[ContentId], to: Scope, watch: &mut dyn Watch) -> Result<Rehoused, Error> {
        self.topology().policy(to.zone, to.policy)?;
        let (trouble, mut rehoused) = (Trouble::default(), Rehoused::default());
        let mut mover = Mover::new(self, &trouble);
        let until = self.inner.world.instant() + SLICE_SPAN;
        let (mut gathered, mut seen) = (Vec::new(), 0);
        for content in contents {
            seen += 1;
            if rehoused.stopped || self.inner.world.instant() >= until {
                rehoused.unfinished += 1;
                continue;
            }
            let Some(manifest) = self.inner.ledger.content(*content).await? else {
                rehoused.gone += 1;
                continue;
            };
            if manifest.enterprise != to.enterprise {
                rehoused.failed += 1;
                rehoused.last_error = Some(format!("content {content} is of another enterprise"));
                continue;
            }
            let (mut from, mut is_there) = (Some(0), true);
            while let Some(chunk) = from {
                let page = self.inner.ledger.places(*content, chunk, PLACES_PAGE).await?;
                from = page.last().and_then(|last| last.place.chunk.checked_add(1));
                let elsewhere = self.elsewhere(*content, page, to.policy).await?;
                is_there &= elsewhere.is_empty();
                mover.take(elsewhere, Home { zone: to.zone, policy: to.policy }).await?;
                rehoused.stopped = watch.stop();
                if rehoused.stopped || self.inner.world.instant() >= until {
                    break;
                }
            }
            gathered.push((manifest, is_there));
            if gathered.len() == TOGETHER {
                mover.flush_all().await?;
                self.complete(std::mem::take(&mut gathered), to, &mut rehoused).await?;
            }
            watch.progress("contents", seen);
        }
        let moved = mover.finish().await?;
        self.complete(gathered, to, &mut rehoused).await?;
        (rehoused.chunks, rehoused.bytes) = (moved.chunks, moved.bytes);
        rehoused.unreadable += moved.unreadable;
        rehoused.failed += moved.failed;
        rehoused.last_error = moved.last_error.or(rehoused.last_error);
        Ok(rehoused)
    }

    /// Those of a content's places that are not in segments of a policy.
    async fn elsewhere(
        &self,
        content: ContentId,
        places: Vec<Located>,
        policy: PolicyId,
    ) -> Result<Vec<(ChunkRecord, Vec<Replica>)>, Error> {
        let mut segments: Vec<SegmentId> = places.iter().map(|located| located.place.segment).collect();
        segments.sort_unstable();
        segments.dedup();
        let records = self.inner.ledger.segments(&segments).await?;
        let policies: BTreeMap<_, _> = records.iter().map(|record| (record.segment, record.policy)).collect();
        let moved = |located: &Located| policies.get(&located.place.segment) == Some(&policy);
        let rest = places.into_iter().filter(|located| !moved(located));
        Ok(rest.map(|located| (ChunkRecord { content, place: located.place }, located.replicas)).collect())
    }

    /// Gives contents whose chunks are all there their new policy, zone and key.
    async fn complete(&self, contents: Vec<(Manifest, bool)>, to: Scope, rehoused: &mut Rehoused) -> Result<(), Error> {
        for (old, was_there) in contents {
            if !self.is_all_there(&old, to.policy).await? {
                *if self.inner.ledger.content(old.content).await?.is_none() {
                    &mut rehoused.gone
                } else {
                    &mut rehoused.unfinished
                } += 1;
                continue;
            }
            // One that was to go elsewhere, and is back, is not on the move any more: the ledger is to note that.
            let is_back = (old.zone, old.policy) == (to.zone, to.policy);
            let key = self.inner.keys.rewrap(&old, to).await?;
            let new = Manifest { zone: to.zone, policy: to.policy, key, ..old.clone() };
            if self.inner.ledger.move_content(&old, &new).await? {
                *if is_back && was_there { &mut rehoused.already } else { &mut rehoused.contents } += 1;
            } else if self.inner.ledger.content(old.content).await?.is_none() {
                rehoused.gone += 1;
            } else {
                // Somebody else has moved it meanwhile, perhaps elsewhere.
                rehoused.unfinished += 1;
            }
        }
        Ok(())
    }

    /// Whether each chunk of a content is in a segment of a policy.
    async fn is_all_there(&self, manifest: &Manifest, policy: PolicyId) -> Result<bool, Error> {
        let (mut found, mut from) = (0, Some(0));
        while let Some(chunk) = from {
            let page = self.inner.ledger.places(manifest.content, chunk, PLACES_PAGE).await?;
            found += page.len() as u64;
            from = page.last().and_then(|last| last.place.chunk.checked_add(1));
            if !self.elsewhere(manifest.content, page, policy).await?.is_empty() {
                return Ok(false);
            }
        }
        Ok(found == chunk::count(manifest.size))
    }
}
