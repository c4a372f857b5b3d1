//! Collects garbage: segments to which nothing refers, and objects that the ledger does not know.
//!
//! The order is what makes it safe: condemn in the ledger (refused while anything refers to the segment; from then on
//! nothing can), delete the object, forget the row. Interrupted anywhere, the next run goes on.

use super::Watch;
use super::safety::ORPHAN_GRACE;
use crate::{Error, SegmentRecord, SegmentState, Vault};
use entente_clouds::Listed;
use entente_model::BackendId;
use std::collections::HashSet;
use std::time::Duration;

const SEGMENTS_PAGE: u32 = 1000;
const OBJECTS_PAGE: usize = 1000;

/// How patient a collection is.
#[derive(Debug, Clone, Copy)]
pub struct Grace {
    /// Segments that were reserved, or found dead, more recently are left alone.
    pub segments: Duration,
    /// Unknown objects created more recently are left alone.
    pub orphans: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        Self { segments: super::safety::COLLECT_GRACE, orphans: ORPHAN_GRACE }
    }
}

/// What a collection did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Segments that were condemned, deleted and forgotten.
    pub segments: u64,
    /// Their sizes as far as the ledger knew them, in bytes.
    pub segment_bytes: u64,
    /// Objects unknown to the ledger that were deleted.
    pub orphans: u64,
    /// Their sizes, in bytes.
    pub orphan_bytes: u64,
    /// Unknown objects that are too young to delete.
    pub young_orphans: u64,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl Vault {
    /// Collects garbage. Errors of the ledger and of backends end it; what was done stays done.
    pub async fn collect(&self, grace: Grace, watch: &mut dyn Watch) -> Result<Collected, Error> {
        let mut collected = Collected::default();
        self.collect_segments(grace, watch, &mut collected).await?;
        for backend in self.inner.backends.keys().copied().collect::<Vec<_>>() {
            self.collect_orphans(backend, grace, watch, &mut collected).await?;
        }
        Ok(collected)
    }

    async fn collect_segments(
        &self,
        grace: Grace,
        watch: &mut dyn Watch,
        collected: &mut Collected,
    ) -> Result<(), Error> {
        let (mut after, mut seen) = (None, 0);
        loop {
            if watch.stop() {
                collected.stopped = true;
                return Ok(());
            }
            let page = self.inner.ledger.segments_after(after, SEGMENTS_PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.segment);
            seen += page.len() as u64;
            let dead = |record: &&SegmentRecord| record.state == SegmentState::Condemned || record.live == 0;
            let candidates: Vec<_> = page.iter().filter(dead).copied().collect();
            self.remove(&candidates, grace, collected).await?;
            watch.progress("segments", seen);
        }
    }

    async fn remove(&self, candidates: &[SegmentRecord], grace: Grace, collected: &mut Collected) -> Result<(), Error> {
        if candidates.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = candidates.iter().map(|record| record.segment).collect();
        let now = self.inner.world.now();
        let condemned = self.inner.ledger.condemn(&ids, now, now.before(grace.segments)).await?;
        let condemned: HashSet<_> = condemned.into_iter().collect();
        self.inner.reservations.give_up(&condemned);
        let mut gone = Vec::new();
        for record in candidates.iter().filter(|record| condemned.contains(&record.segment)) {
            self.backend(record.backend)?.delete(record.name).await?;
            gone.push(record.segment);
            collected.segments += 1;
            collected.segment_bytes += record.size;
        }
        self.inner.ledger.forget(&gone).await
    }

    async fn collect_orphans(
        &self,
        backend: BackendId,
        grace: Grace,
        watch: &mut dyn Watch,
        collected: &mut Collected,
    ) -> Result<(), Error> {
        let before = self.inner.world.now().before(grace.orphans);
        let (mut after, mut seen) = (None, 0);
        loop {
            if watch.stop() {
                collected.stopped = true;
                return Ok(());
            }
            let page = self.backend(backend)?.list(after, OBJECTS_PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.name);
            seen += page.len() as u64;
            for object in self.unknown(backend, &page).await? {
                let created_at = match object.created_at {
                    Some(created_at) => created_at,
                    None => match self.backend(backend)?.stat(object.name).await {
                        Ok(stat) => stat.created_at,
                        Err(error) if error.kind == entente_clouds::ErrorKind::NotFound => continue,
                        Err(error) => return Err(error.into()),
                    },
                };
                // `<=` so that a grace of zero takes what was created this very millisecond.
                if created_at <= before {
                    self.backend(backend)?.delete(object.name).await?;
                    collected.orphans += 1;
                    collected.orphan_bytes += object.size;
                } else {
                    collected.young_orphans += 1;
                }
            }
            watch.progress("objects", seen);
        }
    }

    /// Those of the listed objects that the ledger does not know. It is asked after the listing, and a segment is in the
    /// ledger before its object exists: so what it does not know now was never ours, or is forgotten.
    pub(crate) async fn unknown(&self, backend: BackendId, page: &[Listed]) -> Result<Vec<Listed>, Error> {
        let names: Vec<_> = page.iter().map(|object| object.name).collect();
        let known = self.inner.ledger.segments_named(backend, &names).await?;
        let known: HashSet<_> = known.into_iter().map(|record| record.name).collect();
        Ok(page.iter().filter(|object| !known.contains(&object.name)).copied().collect())
    }
}
