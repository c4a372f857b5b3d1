//! Collects garbage: segments to which nothing refers, and objects that the ledger does not know.
//!
//! The order is what makes it safe: condemn in the ledger (refused while anything refers to the segment; from then on
//! nothing can), delete the object, forget the row. Interrupted anywhere, the next run goes on.
//!
//! What the ledger does not know may be what an older copy of it does not know yet: somebody has restored a backup, or tries
//! one out. So the grace of an unknown object counts from when this very ledger first noted it, and its age counts besides.

use super::Watch;
use super::remove_left::delete;
use super::safety::ORPHAN_GRACE;
use super::trouble::Trouble;
use crate::{Copy, Error, SegmentRecord, SegmentState, Stretch, Vault};
use entente_clouds::{Backend, ErrorKind, Listed};
use entente_model::{BackendId, SegmentId, Timestamp};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

const SEGMENTS_PAGE: u32 = 1000;
const OBJECTS_PAGE: usize = 1000;
/// Unknown objects of one backend that are noted at a time: more have to wait until these have gone.
const ORPHANS_NOTED_MAX: usize = 100_000;

/// How patient a collection is.
#[derive(Debug, Clone, Copy)]
pub struct Grace {
    /// Segments that were reserved, or found dead, more recently are left alone.
    pub segments: Duration,
    /// Unknown objects that were created, or first seen by a collection on this ledger, more recently are left alone. Zero
    /// removes them at once: only for who knows that the ledger is the right one, and the newest.
    pub orphans: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        Self { segments: super::safety::COLLECT_GRACE, orphans: ORPHAN_GRACE }
    }
}

/// What a collection did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Segments that were condemned, deleted and forgotten.
    pub segments: u64,
    /// Their sizes as far as the ledger knew them, in bytes.
    pub segment_bytes: u64,
    /// Objects unknown to the ledger that were deleted.
    pub orphans: u64,
    /// Their sizes, in bytes.
    pub orphan_bytes: u64,
    /// Unknown objects that are too young to delete, or not known to be unknown for long enough.
    pub young_orphans: u64,
    /// Objects that could not be deleted, and backends that could not be listed. Their segments stay condemned, for the
    /// next time.
    pub failed: u64,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl Collected {
    fn fail(&mut self, why: String) {
        self.failed += 1;
        self.last_error = Some(why);
    }
}

impl Vault {
    /// Collects garbage. An object that cannot be deleted, or a backend that is down, is counted and passed over. Errors
    /// of the ledger end it; what was done stays done.
    pub async fn collect(&self, grace: Grace, watch: &mut dyn Watch) -> Result<Collected, Error> {
        let (mut collected, trouble) = (Collected::default(), Trouble::default());
        self.collect_segments(grace, &trouble, watch, &mut collected).await?;
        for (backend, _) in self.inner.core.backends() {
            self.collect_orphans(backend, (grace, &trouble), watch, &mut collected).await?;
        }
        Ok(collected)
    }

    /// Collects those segments with a replica on one backend that were in use once and are not any more: so that a backend
    /// which is being emptied need not wait for the rest. Neither segments that an upload may still commit nor unknown
    /// objects are touched. Fails as [`Vault::collect`] does.
    pub async fn collect_on(
        &self,
        backend: BackendId,
        grace: Duration,
        watch: &mut dyn Watch,
    ) -> Result<Collected, Error> {
        let (mut collected, trouble) = (Collected::default(), Trouble::default());
        let grace = Grace { segments: grace, orphans: grace };
        let (mut after, mut seen) = (None, 0);
        loop {
            if watch.stop() {
                collected.stopped = true;
                return Ok(collected);
            }
            let page = self.inner.ledger.segments_on(backend, after, SEGMENTS_PAGE).await?;
            let Some(last) = page.last().and_then(|record| record.on(backend)) else { return Ok(collected) };
            after = Some(last.name);
            seen += page.len() as u64;
            let is_dead = |record: &&SegmentRecord| match record.state {
                SegmentState::Reserved => false,
                SegmentState::Live => record.live == 0,
                SegmentState::Condemned => true,
            };
            let candidates: Vec<_> = page.iter().filter(is_dead).map(|record| record.segment).collect();
            self.remove(&candidates, (grace, &trouble), &mut collected).await?;
            watch.progress("segments", seen);
        }
    }

    async fn collect_segments(
        &self,
        grace: Grace,
        trouble: &Trouble,
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
            let candidates: Vec<_> = page.iter().filter(dead).map(|record| record.segment).collect();
            self.remove(&candidates, (grace, trouble), collected).await?;
            watch.progress("segments", seen);
        }
    }

    async fn remove(
        &self,
        candidates: &[SegmentId],
        (grace, trouble): (Grace, &Trouble),
        collected: &mut Collected,
    ) -> Result<(), Error> {
        if candidates.is_empty() {
            return Ok(());
        }
        let now = self.inner.world.now();
        let condemned = self.inner.ledger.condemn(candidates, now, now.before(grace.segments)).await?;
        self.inner.reservations.give_up(&condemned.iter().map(|record| record.segment).collect());
        let mut gone = Vec::new();
        for record in condemned {
            let failed = collected.failed;
            for replica in &record.replicas {
                let copy = Copy { segment: record.segment, backend: replica.backend, name: replica.name };
                if let Err(why) = delete(&self.inner.core, trouble, copy).await {
                    collected.fail(why);
                }
            }
            if collected.failed == failed {
                gone.push(record.segment);
                collected.segments += 1;
                collected.segment_bytes += record.size;
            }
        }
        self.inner.ledger.forget(&gone).await
    }

    async fn collect_orphans(
        &self,
        backend: BackendId,
        (grace, trouble): (Grace, &Trouble),
        watch: &mut dyn Watch,
        collected: &mut Collected,
    ) -> Result<(), Error> {
        let cloud = self.inner.cloud(backend)?;
        let (mut stretch, mut seen, mut noted) = (Stretch::default(), 0, 0);
        loop {
            if watch.stop() {
                collected.stopped = true;
                return Ok(());
            }
            let page = match cloud.list(stretch.after, OBJECTS_PAGE).await {
                Ok(page) => page,
                Err(error) => {
                    collected.fail(error.to_string());
                    return Ok(());
                }
            };
            stretch.upto = page.last().map(|last| last.name);
            let unknown = self.unknown(backend, &page).await?;
            let (now, room) = (self.inner.world.now(), ORPHANS_NOTED_MAX.saturating_sub(noted));
            let mut names: Vec<_> = unknown.iter().map(|object| object.name).take(room).collect();
            let since = self.inner.ledger.note_orphans(backend, stretch, &names, now).await?;
            let since: BTreeMap<_, _> = since.into_iter().collect();
            let mut gone = HashSet::new();
            for object in unknown {
                let since = since.get(&object.name).copied();
                let orphan = Orphan { backend, object, since };
                match orphan.remove((&*cloud, trouble), now.before(grace.orphans)).await {
                    Ok(Went::Away) => {
                        collected.orphans += 1;
                        collected.orphan_bytes += object.size;
                        gone.insert(object.name);
                    }
                    Ok(Went::Before) => _ = gone.insert(object.name),
                    Ok(Went::Not) => collected.young_orphans += 1,
                    Err(why) => collected.fail(why),
                }
            }
            names.retain(|name| !gone.contains(name));
            if !gone.is_empty() {
                self.inner.ledger.note_orphans(backend, stretch, &names, now).await?;
            }
            let Some(last) = stretch.upto.take() else { return Ok(()) };
            stretch.after = Some(last);
            noted += names.len();
            seen += page.len() as u64;
            watch.progress("objects", seen);
        }
    }

    /// Those of the listed objects that the ledger does not know. It is asked after the listing, and a segment is in the
    /// ledger before its object exists: so what it does not know now was never ours, or is forgotten.
    pub(crate) async fn unknown(&self, backend: BackendId, page: &[Listed]) -> Result<Vec<Listed>, Error> {
        let names: Vec<_> = page.iter().map(|object| object.name).collect();
        let known: HashSet<_> = self.inner.ledger.known(backend, &names).await?.into_iter().collect();
        Ok(page.iter().filter(|object| !known.contains(&object.name)).copied().collect())
    }
}

/// An object that the ledger does not know.
struct Orphan {
    backend: BackendId,
    object: Listed,
    /// Since when the ledger knows that; `None`: it could not note any more.
    since: Option<Timestamp>,
}

/// What became of an unknown object.
enum Went {
    /// It is deleted.
    Away,
    /// It was not there.
    Before,
    /// It is too young.
    Not,
}

impl Orphan {
    /// Deletes it, if it was created, and first seen, at `before` or earlier.
    async fn remove(&self, (cloud, trouble): (&dyn Backend, &Trouble), before: Timestamp) -> Result<Went, String> {
        // `<=` here and below, so that a grace of zero takes what came this very millisecond.
        if self.since.is_none_or(|since| since > before) {
            return Ok(Went::Not);
        }
        let created_at = match self.object.created_at {
            Some(created_at) => created_at,
            None => match trouble.note(self.backend, cloud.stat(self.object.name).await) {
                Ok(stat) => stat.created_at,
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(Went::Before),
                Err(error) => return Err(error.to_string()),
            },
        };
        if created_at > before {
            return Ok(Went::Not);
        }
        trouble.note(self.backend, cloud.delete(self.object.name).await).map_err(|error| error.to_string())?;
        Ok(Went::Away)
    }
}
