//! Brings segments to what their policies mean now: copies what is missing or damaged from what is good, and lets go what
//! is not wanted any more. Replication, repair, relocation and changes of policies are all this.
//!
//! The order is what makes it safe: the source is read and checked before anything is noted; the intent is noted before a
//! byte is written; the copy is read back before it counts; and a replica leaves only in a transaction that sees enough
//! durable others. Interrupted anywhere, what is left is an intent that is taken over, or an object that `collect` finds.
//!
//! When a backend is emptied, small segments are not copied one by one: what is live in several of them moves, still sealed,
//! into one new segment. A cloud takes payment for each request, and a small object takes as long as a large one. Chunks are
//! pointed at it only when every copy that its policy wants is durable; what cannot be done so is copied one by one.

use super::Watch;
use super::copying::{Fetched, fetch, put};
use super::inspect::Subject;
use super::moving::{Moved, Mover, Safety};
use super::needs::{Needs, is_fresh, is_merged, is_mostly_dead, is_small, is_worth_merging, needs};
use super::pace::{Gate, Pace};
use super::selection::{Cursor, Selection};
use super::trouble::{Trouble, left_alone};
use crate::core::Core;
use crate::{ChunkRecord, Copy, Error, Ledger, ObjectName, Replica, SegmentRecord, Vault};
use bytes::Bytes;
use entente_model::{BackendId, SegmentId};
use futures_util::stream::{self, FuturesOrdered, StreamExt};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PAGE: u32 = 500;
/// So many segments, or bytes, are noted in the ledger together.
const BATCH_SEGMENTS: usize = 100;
/// So many, if they are small ones that are about to become a few.
const MERGED_SEGMENTS: usize = 250;
/// Fewer small segments than these are copied as they are.
const MERGED_MIN: usize = 2;
const BATCH_BYTES: u64 = 16 * 1024 * 1024;
/// Batches that are under way at a time: while one is written, the next is read.
const BATCHES: usize = 4;
/// After this time, or so many segments, a call ends.
const SLICE_SPAN: Duration = Duration::from_secs(5);
const SLICE_SEGMENTS: usize = 10_000;

/// What one call of [`Vault::converge`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Converged {
    /// Segments looked at.
    pub segments: u64,
    /// Their sizes, in bytes.
    pub bytes_seen: u64,
    /// Copies that were made, read back and counted.
    pub copied: u64,
    /// Their sizes, in bytes.
    pub copied_bytes: u64,
    /// Replicas that were leaving or damaged, are wanted and good, and stay.
    pub kept: u64,
    /// Replicas that are not wanted, and leave now.
    pub left: u64,
    /// Segments that were small, mostly dead, or good only in parts: what is live in them was moved to new ones, and they
    /// wait for `collect`.
    pub repacked: u64,
    /// Sealed bytes that were moved so.
    pub repacked_bytes: u64,
    /// Objects that were written: copies, and the copies of new segments.
    pub written: u64,
    /// Segments whose copy may be on its way elsewhere, or which others may be about to commit to: to be looked at again
    /// a minute later.
    pub awaited: u64,
    /// Segments of which no replica is good, and from which not every chunk could be salvaged.
    pub unreadable: u64,
    /// Segments whose policy is not configured any more, or does not fit where they are: left as they are.
    pub untended: u64,
    /// Copies that were not made because a backend failed: to be tried again later.
    pub failed: u64,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Where to go on; `None`: this pass has ended.
    pub cursor: Option<Cursor>,
    /// Whether it was stopped before the end of its slice.
    pub stopped: bool,
}

impl Converged {
    /// Whether there was nothing to do, and nothing is left to do.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let done = self.copied + self.kept + self.left + self.repacked;
        done + self.awaited + self.unreadable + self.failed == 0 && !self.stopped
    }

    /// Adds what another call did; the cursor and the last error are the later one's.
    pub fn add(&mut self, later: Self) {
        let Self { segments, bytes_seen, copied, copied_bytes, kept, left, repacked, repacked_bytes, written, .. } =
            later;
        self.segments += segments;
        self.bytes_seen += bytes_seen;
        self.copied += copied;
        self.copied_bytes += copied_bytes;
        self.kept += kept;
        self.left += left;
        self.repacked += repacked;
        self.repacked_bytes += repacked_bytes;
        self.written += written;
        self.awaited += later.awaited;
        self.unreadable += later.unreadable;
        self.untended += later.untended;
        self.failed += later.failed;
        self.last_error = later.last_error.or_else(|| self.last_error.take());
        self.cursor = later.cursor;
        self.stopped |= later.stopped;
    }

    fn fail(&mut self, copies: usize, why: String) {
        self.failed += copies as u64;
        self.last_error = Some(why);
    }
}

impl Vault {
    /// Does a slice of the work on the selected segments behind `from`: some seconds, or thousands of segments. Call it
    /// again with the cursor that it answers until there is none.
    ///
    /// A segment that fails is counted and passed over; a backend that fails a few times in a row is left alone for the
    /// rest of the slice. Errors of the ledger end it; what was done stays done.
    pub async fn converge(
        &self,
        selection: Selection,
        from: Option<Cursor>,
        pace: &Pace,
        watch: &mut dyn Watch,
    ) -> Result<Converged, Error> {
        let core = &*self.inner.core;
        let is_move = matches!(selection, Selection::On(_));
        let gate = Gate::new(core.world.clone(), pace);
        let slice = Slice {
            vault: self,
            core,
            gate,
            trouble: Trouble::default(),
            merges: AtomicBool::new(is_move),
            lets_rest: selection == Selection::Unsettled,
        };
        let batch_bytes = pace.bytes_in(SLICE_SPAN).map_or(BATCH_BYTES, |bytes| bytes.min(BATCH_BYTES));
        let batch_segments = if is_move { MERGED_SEGMENTS } else { BATCH_SEGMENTS };
        let batch_max = BatchMax { segments: batch_segments, bytes: batch_bytes };
        let mut feed = Feed { selection, position: from, waiting: VecDeque::new(), ended: false };
        let until = core.world.instant() + SLICE_SPAN;
        let (mut total, mut taken) = (Converged { cursor: from, ..Converged::default() }, 0);
        let mut under_way = FuturesOrdered::new();
        loop {
            if watch.stop() {
                slice.gate.stop();
            }
            let goes_on = !slice.gate.is_stopped() && taken < SLICE_SEGMENTS && core.world.instant() < until;
            while goes_on && under_way.len() < BATCHES {
                let Some(batch) = feed.next(&*core.ledger, batch_max).await? else { break };
                let behind = batch.last().and_then(|record| selection.behind(record));
                taken += batch.len();
                let slice = &slice;
                under_way.push_back(async move { (slice.batch(batch).await, behind) });
            }
            if under_way.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                Some((done, behind)) = under_way.next() => {
                    // After a stop, a batch may have been left half done.
                    let cursor = if slice.gate.is_stopped() { total.cursor } else { behind };
                    total.add(Converged { cursor, ..done? });
                    watch.progress("segments", total.segments);
                }
                () = slice.gate.while_looking_away() => {}
            }
        }
        total.stopped = slice.gate.is_stopped();
        if feed.ended && feed.waiting.is_empty() && !total.stopped {
            total.cursor = None;
        }
        Ok(total)
    }
}

/// How much a batch may be.
#[derive(Clone, Copy)]
struct BatchMax {
    segments: usize,
    bytes: u64,
}

/// Hands out the selected segments, batch by batch.
struct Feed {
    selection: Selection,
    position: Option<Cursor>,
    waiting: VecDeque<SegmentRecord>,
    ended: bool,
}

impl Feed {
    async fn next(&mut self, ledger: &dyn Ledger, max: BatchMax) -> Result<Option<Vec<SegmentRecord>>, Error> {
        if self.waiting.is_empty() && !self.ended {
            let page = self.selection.page(ledger, self.position, PAGE).await?;
            self.position = page.last().and_then(|record| self.selection.behind(record)).or(self.position);
            self.ended = page.len() < PAGE as usize;
            self.waiting = page.into();
        }
        let (mut batch, mut bytes, mut whole) = (Vec::new(), 0_u64, 0);
        while let Some(next) = self.waiting.front() {
            bytes = bytes.saturating_add(next.size);
            whole += usize::from(!is_small(next));
            if batch.len() == max.segments || whole > BATCH_SEGMENTS || (bytes > max.bytes && !batch.is_empty()) {
                break;
            }
            batch.extend(self.waiting.pop_front());
        }
        Ok((!batch.is_empty()).then_some(batch))
    }
}

/// One call's share of the work.
struct Slice<'a> {
    vault: &'a Vault,
    core: &'a Core,
    gate: Gate,
    trouble: Trouble,
    /// Whether small segments become one. Not any more in this slice, once a backend has failed that each needs.
    merges: AtomicBool,
    /// Whether what was unreadable a moment ago is passed over: when the others are looked at every few seconds.
    lets_rest: bool,
}

/// A segment that lacks replicas.
struct Task {
    record: SegmentRecord,
    needs: Needs,
}

impl Task {
    /// Whether it is better moved into a new segment with others. What has a replica to mend may turn out to lack nothing.
    fn is_merged(&self) -> bool {
        is_merged(&self.record, &self.needs)
    }
}

/// What is fetched, and where it is to go.
struct Ready {
    subject: Subject,
    bytes: Bytes,
    targets: Vec<BackendId>,
}

impl Slice<'_> {
    async fn batch(&self, records: Vec<SegmentRecord>) -> Result<Converged, Error> {
        let mut done = Converged::default();
        let (mut lacking, mut stays, mut complete, mut changed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (topology, now) = (self.core.topology(), self.core.world.now());
        for record in records {
            done.segments += 1;
            done.bytes_seen += record.size;
            let Ok(needs) = needs(&topology, &record, now) else {
                done.untended += 1;
                continue;
            };
            if self.lets_rest && self.core.unreadable.rests(record.segment) {
                done.unreadable += 1;
                continue;
            }
            done.awaited += u64::from(!needs.awaited.is_empty());
            stays.extend(needs.stays.iter().filter_map(|backend| replica_as_copy(&record, *backend)));
            if !needs.copies.is_empty() || !needs.mends.is_empty() {
                changed.push(record.segment);
                lacking.push(Task { record, needs });
            } else if !needs.stays.is_empty() {
                changed.push(record.segment);
            } else if !needs.leaves.is_empty() {
                complete.push((record.segment, needs));
            }
        }
        self.leave(complete, &mut done).await?;
        if !stays.is_empty() {
            done.kept += u64::from(self.core.ledger.trust(&stays, now).await?);
        }
        let lacking = self.repack(lacking, &mut done).await?;
        let merges = self.merges.load(Ordering::Relaxed);
        let well = |task: &Task| {
            let meant = topology.policies.get(&task.record.policy).map(|policy| topology.meant_by(policy));
            meant.is_some_and(|meant| !meant.iter().any(|backend| self.trouble.is_left_alone(self.core, *backend)))
        };
        let (few, whole): (Vec<_>, Vec<_>) =
            lacking.into_iter().partition(|task| merges && task.is_merged() && well(task));
        if few.len() < MERGED_MIN {
            self.copy(whole.into_iter().chain(few).collect(), &mut done).await?;
        } else {
            let (fresh, settled): (Vec<_>, Vec<_>) =
                few.into_iter().partition(|task| is_fresh(&task.record, now, self.core.limits.merge_after));
            done.awaited += fresh.len() as u64;
            self.merge(settled, &mut done).await?;
            self.copy(whole, &mut done).await?;
        }
        self.look_again(&changed, &mut done).await?;
        Ok(done)
    }

    /// Lets go what is not wanted any more of segments that are complete.
    async fn leave(&self, complete: Vec<(SegmentId, Needs)>, done: &mut Converged) -> Result<(), Error> {
        let mut leaving: BTreeMap<(BackendId, u32), Vec<SegmentId>> = BTreeMap::new();
        for (segment, needs) in complete {
            for backend in needs.leaves {
                leaving.entry((backend, needs.wanted)).or_default().push(segment);
            }
        }
        for ((backend, wanted), segments) in leaving {
            let left = self.core.ledger.leave(backend, &segments, wanted, self.core.world.now()).await?;
            done.left += left.len() as u64;
        }
        Ok(())
    }

    /// Segments that have just got what they lacked may let go what they do not want.
    async fn look_again(&self, changed: &[SegmentId], done: &mut Converged) -> Result<(), Error> {
        if changed.is_empty() {
            return Ok(());
        }
        let records = self.core.ledger.segments(changed).await?;
        let (topology, now) = (self.core.topology(), self.core.world.now());
        let complete = records.iter().filter_map(|record| Some((record.segment, needs(&topology, record, now).ok()?)));
        self.leave(complete.collect(), done).await
    }

    /// Moves what is live in mostly dead segments to new ones, which their policy places. Answers those to be copied whole:
    /// the others, and those of which something stays (parts of uploads that are not committed yet).
    async fn repack(&self, lacking: Vec<Task>, done: &mut Converged) -> Result<Vec<Task>, Error> {
        let (sparse, mut whole): (Vec<_>, Vec<_>) =
            lacking.into_iter().partition(|task| is_mostly_dead(&task.record) && !self.gate.is_stopped());
        if sparse.is_empty() {
            return Ok(whole);
        }
        let mut mover = Mover::new(self.vault, &self.trouble);
        for Task { record, .. } in &sparse {
            if self.gate.pass(record.live).await {
                mover.take_segment(record).await?;
            }
        }
        take_in(done, mover.finish().await?);
        let ids: Vec<_> = sparse.iter().map(|task| task.record.segment).collect();
        let (topology, now) = (self.core.topology(), self.core.world.now());
        for record in self.core.ledger.segments(&ids).await? {
            if record.live == 0 {
                done.repacked += 1;
            } else if let Ok(needs) = needs(&topology, &record, now) {
                whole.push(Task { record, needs });
            }
        }
        Ok(whole)
    }

    /// Moves what is live in small segments into a few new ones. Of what stays behind (parts of uploads that are not committed
    /// yet, what was committed meanwhile, or what a backend failed to take) the segment is copied whole.
    async fn merge(&self, small: Vec<Task>, done: &mut Converged) -> Result<(), Error> {
        let (ready, damaged) = self.fetch_all(small, done).await?;
        self.salvage(damaged, done).await?;
        let mut mover = Mover::with(self.vault, &self.trouble, Safety::Complete);
        for Ready { subject, bytes, .. } in ready.iter().filter(|one| is_worth_merging(&one.subject.chunks)) {
            if self.gate.pass(subject.record.live).await {
                mover.take_fetched(subject, bytes).await?;
            }
        }
        let moved = mover.finish().await?;
        if moved.failed > 0 {
            tracing::warn!(error = moved.last_error, "small segments cannot be merged now and are copied");
            self.merges.store(false, Ordering::Relaxed);
        }
        done.written += moved.objects;
        done.repacked_bytes += moved.bytes;
        let ids: Vec<_> = ready.iter().map(|one| one.subject.record.segment).collect();
        let left: BTreeSet<_> = {
            let records = self.core.ledger.segments(&ids).await?;
            done.repacked += records.iter().filter(|record| record.live == 0).count() as u64;
            records.into_iter().filter(|record| record.live > 0).map(|record| record.segment).collect()
        };
        if self.gate.is_stopped() {
            return Ok(());
        }
        self.put_all(ready.into_iter().filter(|one| left.contains(&one.subject.record.segment)), done).await
    }

    /// Of segments none of whose replicas is good as a whole, moves what can be read, chunk by chunk, to new segments.
    async fn salvage(&self, damaged: Vec<SegmentRecord>, done: &mut Converged) -> Result<(), Error> {
        if damaged.is_empty() || self.gate.is_stopped() {
            return Ok(());
        }
        let mut mover = Mover::new(self.vault, &self.trouble);
        for record in &damaged {
            mover.take_segment(record).await?;
        }
        take_in(done, mover.finish().await?);
        let ids: Vec<_> = damaged.iter().map(|record| record.segment).collect();
        for record in self.core.ledger.segments(&ids).await? {
            if record.live == 0 {
                self.core.unreadable.is_read(record.segment);
                done.repacked += 1;
            } else {
                self.core.unreadable.found(record.segment);
                done.unreadable += 1;
            }
        }
        Ok(())
    }

    /// Of segments that were read from a replica which does not count, while no other is good: nothing may take the place of
    /// what may be the last. What is in it moves to new segments.
    async fn salvage_last(&self, refused: &[SegmentId], done: &mut Converged) -> Result<(), Error> {
        if refused.is_empty() {
            return Ok(());
        }
        let records = self.core.ledger.segments(refused).await?;
        let is_last = |record: &SegmentRecord| record.live > 0 && !record.replicas.iter().any(Replica::is_good);
        self.salvage(records.into_iter().filter(is_last).collect(), done).await
    }

    async fn copy(&self, lacking: Vec<Task>, done: &mut Converged) -> Result<(), Error> {
        let (ready, damaged) = self.fetch_all(lacking, done).await?;
        self.salvage(damaged, done).await?;
        self.put_all(ready, done).await
    }

    async fn put_all(&self, ready: impl IntoIterator<Item = Ready>, done: &mut Converged) -> Result<(), Error> {
        let mut copies = Vec::new();
        let mut bytes_of = BTreeMap::new();
        for Ready { subject, bytes, targets } in ready {
            let segment = subject.record.segment;
            let fresh = |backend| Copy { segment, backend, name: ObjectName::new(self.core.world.random().bytes()) };
            copies.extend(targets.into_iter().map(fresh));
            bytes_of.insert(segment, bytes);
        }
        if copies.is_empty() {
            return Ok(());
        }
        let intended = self.core.ledger.intend(&copies, self.core.world.now()).await?;
        let taken: BTreeSet<_> = intended.iter().map(|copy| copy.segment).collect();
        let refused: Vec<_> = bytes_of.keys().filter(|segment| !taken.contains(segment)).copied().collect();
        self.salvage_last(&refused, done).await?;
        let puts = intended.into_iter().filter_map(|copy| Some((copy, bytes_of.get(&copy.segment)?.clone())));
        let mut puts =
            stream::iter(puts.map(|(copy, bytes)| self.put(copy, bytes))).buffer_unordered(self.gate.parallel());
        let mut made = Vec::new();
        while let Some(put) = puts.next().await {
            match put {
                Put::Made(copy) => made.push(copy),
                Put::Failed(why) => done.fail(1, why),
                Put::Stopped => {}
            }
        }
        if made.is_empty() {
            return Ok(());
        }
        // Fewer when somebody else took them over, or the segment died: those objects are left to `collect`.
        let settled = self.core.ledger.settle(&made, self.core.world.now()).await?;
        done.copied += u64::from(settled);
        done.written += made.len() as u64;
        let bytes = made.iter().filter_map(|copy| bytes_of.get(&copy.segment)).map(|bytes| bytes.len() as u64);
        done.copied_bytes += bytes.sum::<u64>();
        Ok(())
    }

    async fn put(&self, copy: Copy, bytes: Bytes) -> Put {
        if !self.gate.pass(bytes.len() as u64).await {
            return Put::Stopped;
        }
        match put(self.core, &self.trouble, &copy, &bytes).await {
            Ok(()) => Put::Made(copy),
            Err(why) => Put::Failed(why),
        }
    }

    /// Fetches and checks segments, and notes what came to light of their replicas. Answers those that were fetched, and
    /// those none of whose replicas is good.
    async fn fetch_all(
        &self,
        lacking: Vec<Task>,
        done: &mut Converged,
    ) -> Result<(Vec<Ready>, Vec<SegmentRecord>), Error> {
        let mut worth = Vec::new();
        for task in lacking {
            let targets = task.needs.copies.iter().chain(&task.needs.mends);
            let alone: Vec<_> = targets.clone().filter(|id| self.trouble.is_left_alone(self.core, **id)).collect();
            if let Some(backend) = alone.first() {
                done.fail(alone.len(), left_alone(**backend));
            }
            if alone.len() < targets.count() {
                worth.push(task);
            }
        }
        let ids: Vec<_> = worth.iter().map(|task| task.record.segment).collect();
        if ids.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut chunks = by_segment(self.core.ledger.chunks_of(&ids).await?);
        let fetches = worth.into_iter().map(|Task { record, needs }| {
            let chunks = chunks.remove(&record.segment).unwrap_or_default().into();
            let subject = Subject { record, chunks };
            async move {
                let stopped = self.gate.is_stopped();
                let fetched =
                    if stopped { None } else { Some(fetch(self.core, &self.trouble, &subject, &needs.mends).await) };
                (subject, needs, fetched)
            }
        });
        let mut fetches = stream::iter(fetches).buffer_unordered(self.gate.parallel());
        let (mut ready, mut damaged, mut wrong, mut good) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        while let Some((subject, needs, fetched)) = fetches.next().await {
            let Some(Fetched { bytes, wrong: found_wrong, good: found_good, failed }) = fetched else { continue };
            let mended = |backend: &BackendId| found_good.iter().any(|copy| copy.backend == *backend);
            let targets = needs.copies.iter().chain(&needs.mends).copied().filter(|backend| !mended(backend));
            let targets: Vec<_> = targets.filter(|id| !self.trouble.is_left_alone(self.core, *id)).collect();
            match (bytes, failed) {
                (Some(bytes), _) => {
                    self.core.unreadable.is_read(subject.record.segment);
                    ready.push(Ready { subject, bytes, targets });
                }
                (None, Some(why)) => done.fail(targets.len(), why),
                (None, None) => damaged.push(subject.record),
            }
            wrong.extend(found_wrong);
            good.extend(found_good);
        }
        // Before the intents: what is trusted now counts when they are weighed.
        if !good.is_empty() {
            done.kept += u64::from(self.core.ledger.trust(&good, self.core.world.now()).await?);
        }
        for copy in wrong {
            tracing::warn!(segment.id = %copy.segment, backend.id = %copy.backend, "a replica is damaged");
            self.core.ledger.doubt(copy, self.core.world.now()).await?;
        }
        Ok((ready, damaged))
    }
}

/// What the mover failed to move, or found unreadable, shows in the segments it is left in.
fn take_in(done: &mut Converged, moved: Moved) {
    done.written += moved.objects;
    done.repacked_bytes += moved.bytes;
    if let Some(why) = moved.last_error {
        done.fail(usize::try_from(moved.failed).unwrap_or(usize::MAX), why);
    }
}

enum Put {
    Made(Copy),
    Failed(String),
    Stopped,
}

fn replica_as_copy(record: &SegmentRecord, backend: BackendId) -> Option<Copy> {
    record.on(backend).map(|Replica { name, .. }| Copy { segment: record.segment, backend, name: *name })
}

/// Chunks, apart by their segments.
pub(crate) fn by_segment(chunks: Vec<ChunkRecord>) -> BTreeMap<SegmentId, Vec<ChunkRecord>> {
    let mut apart: BTreeMap<SegmentId, Vec<ChunkRecord>> = BTreeMap::new();
    for chunk in chunks {
        apart.entry(chunk.place.segment).or_default().push(chunk);
    }
    apart
}
