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
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

const PLACES_PAGE: u32 = 256;
const PIECES_PAGE: u32 = 256;
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

/// A call to [`Vault::rehouse`].
struct Rehousing<'a> {
    vault: &'a Vault,
    to: Scope,
    until: Instant,
    mover: Mover<'a>,
    /// Contents that were taken along. Copies share one, and pieces too: each is moved once.
    taken: BTreeSet<ContentId>,
    /// Contents whose chunks are on their way, and whether they were there already.
    gathered: Vec<(Manifest, bool)>,
    rehoused: Rehoused,
}

impl Rehousing<'_> {
    fn is_over(&self) -> bool {
        self.rehoused.stopped || self.vault.inner.world.instant() >= self.until
    }

    /// Takes a content along, as far as there is time.
    async fn take(&mut self, manifest: Manifest, watch: &mut dyn Watch) -> Result<(), Error> {
        if !self.taken.insert(manifest.content) {
            return Ok(());
        }
        let (mut from, mut is_there) = (Some(0), true);
        while let Some(chunk) = from {
            let page = self.vault.inner.ledger.places(manifest.content, chunk, PLACES_PAGE).await?;
            from = page.last().and_then(|last| last.place.chunk.checked_add(1));
            let elsewhere = self.vault.elsewhere(manifest.content, page, self.to.policy).await?;
            is_there &= elsewhere.is_empty();
            self.mover.take(elsewhere, Home { zone: self.to.zone, policy: self.to.policy }).await?;
            self.rehoused.stopped = watch.stop();
            if self.is_over() {
                break;
            }
        }
        self.gathered.push((manifest, is_there));
        if self.gathered.len() == TOGETHER {
            self.mover.flush_all().await?;
            self.vault.complete(std::mem::take(&mut self.gathered), self.to, &mut self.rehoused).await?;
        }
        Ok(())
    }

    /// Takes the contents along of whose pieces one is made, as far as there is time.
    async fn take_sources(&mut self, of_pieces: &Manifest, watch: &mut dyn Watch) -> Result<(), Error> {
        let mut from = 0;
        while from < of_pieces.size {
            let page = self.vault.inner.ledger.pieces(of_pieces.content, from, PIECES_PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.start.saturating_add(last.length.max(1));
            for piece in page {
                if self.taken.contains(&piece.source) {
                    continue;
                }
                if self.is_over() {
                    self.rehoused.unfinished += 1;
                    return Ok(());
                }
                match self.vault.inner.ledger.content(piece.source).await? {
                    Some(manifest) => self.take(manifest, watch).await?,
                    None => self.rehoused.gone += 1,
                }
            }
        }
        Ok(())
    }

    async fn finish(self) -> Result<Rehoused, Error> {
        let mut rehoused = self.rehoused;
        let moved = self.mover.finish().await?;
        self.vault.complete(self.gathered, self.to, &mut rehoused).await?;
        (rehoused.chunks, rehoused.bytes) = (moved.chunks, moved.bytes);
        rehoused.unreadable += moved.unreadable;
        rehoused.failed += moved.failed;
        rehoused.last_error = moved.last_error.or(rehoused.last_error);
        Ok(rehoused)
    }
}

impl Vault {
    /// Moves contents to a scope, as many as it gets done in a while: the others are counted as unfinished. In place of one
    /// that is made of pieces of others, it moves and counts those.
    ///
    /// `Unmet` when there is no such policy in that zone. Errors of the ledger and of custodians end it; what was done
    /// stays done. A backend's failures are counted.
    pub async fn rehouse(&self, contents: &[ContentId], to: Scope, watch: &mut dyn Watch) -> Result<Rehoused, Error> {
        self.topology().policy(to.zone, to.policy)?;
        let trouble = Trouble::default();
        let mut run = Rehousing {
            vault: self,
            to,
            until: self.inner.world.instant() + SLICE_SPAN,
            mover: Mover::new(self, &trouble),
            taken: BTreeSet::new(),
            gathered: Vec::new(),
            rehoused: Rehoused::default(),
        };
        for (content, seen) in contents.iter().zip(1..) {
            if run.is_over() {
                run.rehoused.unfinished += 1;
                continue;
            }
            match self.inner.ledger.content(*content).await? {
                None => run.rehoused.gone += 1,
                Some(manifest) if manifest.enterprise != to.enterprise => {
                    run.rehoused.failed += 1;
                    run.rehoused.last_error = Some(format!("content {content} is of another enterprise"));
                }
                Some(manifest) if manifest.is_of_pieces() => run.take_sources(&manifest, watch).await?,
                Some(manifest) => run.take(manifest, watch).await?,
            }
            watch.progress("contents", seen);
        }
        run.finish().await
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
