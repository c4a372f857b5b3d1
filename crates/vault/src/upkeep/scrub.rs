//! Scrubs one backend, both ways: each replica that the ledger has there against the object, byte for byte where something
//! refers to the bytes, and each object there against the ledger.
//!
//! The listing and the ledger are walked side by side in order of names. The listing is asked first, and a replica is in
//! the ledger before its object exists: so what the ledger does not know then was never ours, or is forgotten. Whatever
//! seems to be wrong is looked at again before it is said. What is damaged is put in doubt; converging repairs it.

use super::Watch;
use super::converge::by_segment;
use super::inspect::{Inspected, Subject, inspect};
use super::pace::{Gate, Pace};
use super::trouble::Trouble;
use crate::core::Core;
use crate::{CHUNKS_MAX, Copy, Error, ObjectName, Replica, ReplicaState, SegmentRecord, SegmentState, Vault};
use entente_clouds::{ErrorKind, Listed};
use entente_model::{BackendId, ContentId, SegmentId, Timestamp};
use entente_world::Interrupted;
use futures_util::stream::{self, StreamExt};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

const PAGE: usize = 1000;
/// Bytes, and chunks, of the segments that are looked at together.
const BATCH_BYTES: u64 = 16 * 1024 * 1024;
const BATCH_CHUNKS: u64 = 16 * 1024;
/// A sealed chunk has at least a header and a tag.
const CHUNK_BYTES_MIN: u64 = 36;
/// Batches that are under way at a time, each on a thread of its own if there is one.
const BATCHES: usize = 3;
/// After this time a call ends.
const SLICE_SPAN: Duration = Duration::from_secs(5);
/// Findings that are kept to be told; more are only counted.
const FINDINGS_KEPT: usize = 100;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A replica has no object.
    Missing {
        /// The segment.
        segment: SegmentId,
        /// The object's name.
        name: ObjectName,
    },
    /// A replica's object has another size than it was written with.
    WrongSize {
        /// The segment.
        segment: SegmentId,
        /// The object's name.
        name: ObjectName,
        /// The size it was written with, in bytes.
        expected: u64,
        /// The size it has, in bytes.
        found: u64,
    },
    /// A chunk in a replica is not what was written.
    WrongBytes {
        /// The segment.
        segment: SegmentId,
        /// The object's name.
        name: ObjectName,
        /// The content whose chunk it is, the first of them.
        content: ContentId,
        /// The chunk.
        chunk: u32,
    },
    /// A replica's object is there, and its bytes cannot be read.
    Unreadable {
        /// The segment.
        segment: SegmentId,
        /// The object's name.
        name: ObjectName,
        /// What the backend says.
        why: String,
    },
    /// An object that the ledger does not know: garbage that `collect` removes, or somebody else's.
    Unknown {
        /// Its name.
        name: ObjectName,
        /// Its size in bytes.
        size: u64,
        /// When it was created, by the backend's clock.
        created_at: Timestamp,
    },
}

/// What one call of [`Vault::scrub`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Objects listed.
    pub objects: u64,
    /// Replicas that were looked at: those that count.
    pub replicas: u64,
    /// Bytes of them that were read.
    pub bytes: u64,
    /// Chunks whose checksum was compared.
    pub chunks: u64,
    /// Replicas whose object is missing. They are damaged now.
    pub missing: u64,
    /// Replicas whose object has another size. They are damaged now.
    pub wrong_size: u64,
    /// Replicas with a chunk that is not what was written. They are damaged now.
    pub wrong_bytes: u64,
    /// Replicas whose object is there and cannot be read. They are damaged now.
    pub unreadable: u64,
    /// Replicas that were known to be damaged before, and wait for repair.
    pub damaged_before: u64,
    /// Replicas that are not written yet.
    pub awaited: u64,
    /// Objects that the ledger does not know.
    pub unknown: u64,
    /// Their bytes.
    pub unknown_bytes: u64,
    /// Replicas that could not be looked at because the backend failed.
    pub failed: u64,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// The first findings.
    pub findings: Vec<Found>,
    /// Where to go on; `None`: this pass has ended.
    pub cursor: Option<ObjectName>,
    /// Whether it was stopped before the end of its slice.
    pub stopped: bool,
}

impl Scrubbed {
    /// How many replicas were found damaged.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.missing + self.wrong_size + self.wrong_bytes + self.unreadable
    }

    /// Adds what another call found; the cursor and the last error are the later one's.
    pub fn add(&mut self, later: Self) {
        self.objects += later.objects;
        self.replicas += later.replicas;
        self.bytes += later.bytes;
        self.chunks += later.chunks;
        self.missing += later.missing;
        self.wrong_size += later.wrong_size;
        self.wrong_bytes += later.wrong_bytes;
        self.unreadable += later.unreadable;
        self.damaged_before += later.damaged_before;
        self.awaited += later.awaited;
        self.unknown += later.unknown;
        self.unknown_bytes += later.unknown_bytes;
        self.failed += later.failed;
        self.last_error = later.last_error.or_else(|| self.last_error.take());
        let room = FINDINGS_KEPT.saturating_sub(self.findings.len());
        self.findings.extend(later.findings.into_iter().take(room));
        self.cursor = later.cursor;
        self.stopped |= later.stopped;
    }

    fn found(&mut self, found: Found) {
        match &found {
            Found::Missing { .. } => self.missing += 1,
            Found::WrongSize { .. } => self.wrong_size += 1,
            Found::WrongBytes { .. } => self.wrong_bytes += 1,
            Found::Unreadable { .. } => self.unreadable += 1,
            Found::Unknown { size, .. } => {
                self.unknown += 1;
                self.unknown_bytes += size;
            }
        }
        if self.findings.len() < FINDINGS_KEPT {
            self.findings.push(found);
        }
    }

    fn fail(&mut self, why: String) {
        self.failed += 1;
        self.last_error = Some(why);
    }
}

impl Vault {
    /// Looks at what is on a backend behind `from`, for some seconds. Call it again with the cursor that it answers until
    /// there is none. The pace counts the bytes that are read.
    ///
    /// A backend that cannot be listed ends the slice where it is, and is counted as failed. Errors of the ledger end it;
    /// what was noted stays noted.
    pub async fn scrub(
        &self,
        backend: BackendId,
        from: Option<ObjectName>,
        pace: &Pace,
        watch: &mut dyn Watch,
    ) -> Result<Scrubbed, Error> {
        let core = Arc::clone(&self.inner.core);
        let (gate, trouble) = (Gate::new(core.world.clone(), pace), Trouble::default());
        let until = core.world.instant() + SLICE_SPAN;
        let slice = Arc::new(Slice { backend, gate, trouble, core });
        let mut total = Scrubbed { cursor: from, ..Scrubbed::default() };
        loop {
            if watch.stop() {
                total.stopped = true;
                return Ok(total);
            }
            let Some(step) = slice.step(total.cursor, &mut total).await? else { return Ok(total) };
            let upto = step.upto;
            slice.compare(step, watch, &mut total).await?;
            if slice.gate.is_stopped() {
                // Some of this step may not have been looked at: it is for the next time.
                total.stopped = true;
                return Ok(total);
            }
            total.cursor = upto;
            watch.progress("replicas", total.replicas);
            if upto.is_none() || slice.core.world.instant() >= until {
                return Ok(total);
            }
        }
    }
}

struct Slice {
    backend: BackendId,
    gate: Gate,
    trouble: Trouble,
    core: Arc<Core>,
}

/// What is on the backend, and what should be, up to a name.
struct Step {
    listed: Vec<Listed>,
    records: Vec<SegmentRecord>,
    /// `None`: up to the end.
    upto: Option<ObjectName>,
}

impl Slice {
    async fn step(&self, after: Option<ObjectName>, total: &mut Scrubbed) -> Result<Option<Step>, Error> {
        let cloud = self.core.cloud(self.backend)?;
        let mut listed = match cloud.list(after, PAGE).await {
            Ok(listed) => listed,
            Err(error) => {
                total.fail(error.to_string());
                return Ok(None);
            }
        };
        let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
        let mut records = self.core.ledger.segments_on(self.backend, after, limit).await?;
        let listed_to = listed.last().filter(|_| listed.len() == PAGE).map(|last| last.name);
        let name = |record: &SegmentRecord| record.on(self.backend).map(|replica| replica.name);
        let known_to = records.last().filter(|_| records.len() == PAGE).and_then(name);
        let upto = match (listed_to, known_to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        };
        if let Some(upto) = upto {
            listed.retain(|object| object.name <= upto);
            records.retain(|record| name(record).is_some_and(|name| name <= upto));
        }
        Ok(Some(Step { listed, records, upto }))
    }

    async fn compare(self: &Arc<Self>, step: Step, watch: &mut dyn Watch, total: &mut Scrubbed) -> Result<(), Error> {
        total.objects += step.listed.len() as u64;
        let mut listed: BTreeMap<_, _> = step.listed.into_iter().map(|object| (object.name, object)).collect();
        let (mut to_read, mut suspects) = (VecDeque::new(), Vec::new());
        for record in step.records {
            let Some(replica) = record.on(self.backend).copied() else { continue };
            let object = listed.remove(&replica.name);
            match (record.state, replica.state) {
                (SegmentState::Condemned, _) | (_, ReplicaState::Condemned) => {}
                (SegmentState::Reserved, _) | (_, ReplicaState::Intended) => total.awaited += 1,
                (_, ReplicaState::Damaged) => total.damaged_before += 1,
                (_, ReplicaState::Durable | ReplicaState::Leaving) => {
                    total.replicas += 1;
                    match object {
                        // Of what nothing refers to, no byte matters.
                        Some(object) if object.size == record.size && record.live == 0 => {}
                        Some(object) if object.size == record.size => to_read.push_back(record),
                        _ => suspects.push((record, replica)),
                    }
                }
            }
        }
        for (record, replica) in suspects {
            self.look_again(&record, &replica, total).await?;
        }
        self.unknown(listed.into_values().collect(), total).await?;
        let spawned = batches(to_read).into_iter().map(|batch| {
            let slice = Arc::clone(self);
            async move {
                let task = Arc::clone(&slice);
                slice.core.world.spawn(async move { task.read(batch).await }).await.map_err(|_| Interrupted)?
            }
        });
        let mut spawned = stream::iter(spawned).buffer_unordered(BATCHES.min(self.gate.parallel()));
        while let Some(read) = spawned.next().await {
            let cursor = total.cursor;
            total.add(Scrubbed { cursor, ..read? });
            if watch.stop() {
                self.gate.stop();
            }
        }
        Ok(())
    }

    /// One whose object is not in the listing, or not as long as it must be.
    async fn look_again(&self, record: &SegmentRecord, replica: &Replica, total: &mut Scrubbed) -> Result<(), Error> {
        let (segment, name) = (record.segment, replica.name);
        let found = match self.trouble.note(self.backend, self.core.cloud(self.backend)?.stat(name).await) {
            // A listing may be stale.
            Ok(stat) if stat.size == record.size => return Ok(()),
            Ok(stat) => Found::WrongSize { segment, name, expected: record.size, found: stat.size },
            Err(error) if error.kind == ErrorKind::NotFound => Found::Missing { segment, name },
            Err(error) => {
                total.fail(error.to_string());
                return Ok(());
            }
        };
        self.doubt(segment, name, found, total).await
    }

    /// Says what was found, if the replica still counts: it may have left or been collected meanwhile.
    async fn doubt(
        &self,
        segment: SegmentId,
        name: ObjectName,
        found: Found,
        total: &mut Scrubbed,
    ) -> Result<(), Error> {
        let again = self.core.ledger.segments(&[segment]).await?;
        let counts = |replica: &Replica| replica.name == name && replica.is_good();
        let live = again.first().filter(|record| record.state == SegmentState::Live);
        if live.and_then(|record| record.on(self.backend)).is_some_and(counts) {
            tracing::warn!(segment.id = %segment, backend.id = %self.backend, ?found, "a replica is damaged");
            self.core.ledger.doubt(Copy { segment, backend: self.backend, name }, self.core.world.now()).await?;
            total.found(found);
        }
        Ok(())
    }

    async fn unknown(&self, objects: Vec<Listed>, total: &mut Scrubbed) -> Result<(), Error> {
        let cloud = self.core.cloud(self.backend)?;
        let stats = objects.into_iter().map(|object| {
            let cloud = Arc::clone(&cloud);
            async move { (object, cloud.stat(object.name).await) }
        });
        let mut stats = stream::iter(stats).buffer_unordered(self.gate.parallel());
        while let Some((Listed { name, size, .. }, stat)) = stats.next().await {
            match stat {
                Ok(stat) => total.found(Found::Unknown { name, size, created_at: stat.created_at }),
                // Collected meanwhile.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => total.fail(error.to_string()),
            }
        }
        Ok(())
    }

    /// Reads replicas and compares their chunks.
    async fn read(self: Arc<Self>, batch: Vec<SegmentRecord>) -> Result<Scrubbed, Error> {
        let mut done = Scrubbed::default();
        let ids: Vec<_> = batch.iter().map(|record| record.segment).collect();
        let mut chunks = by_segment(self.core.ledger.chunks_of(&ids).await?);
        let slice = &self;
        let reads = batch.into_iter().map(|record| {
            let chunks = chunks.remove(&record.segment).unwrap_or_default().into();
            let subject = Subject { record, chunks };
            async move {
                let replica = subject.record.on(slice.backend).copied()?;
                let may = slice.gate.pass(subject.record.size).await;
                if may {
                    Some((inspect(&slice.core, &slice.trouble, &subject, &replica).await, subject, replica))
                } else {
                    None
                }
            }
        });
        let mut reads = stream::iter(reads).buffer_unordered(self.gate.parallel());
        while let Some(read) = reads.next().await {
            let Some((inspected, Subject { record, chunks }, Replica { name, .. })) = read else { continue };
            let segment = record.segment;
            let found = match inspected {
                Inspected::Good(bytes) => {
                    done.bytes += bytes.len() as u64;
                    done.chunks += chunks.len() as u64;
                    continue;
                }
                Inspected::Failed(why) => {
                    done.fail(why);
                    continue;
                }
                Inspected::Missing => Found::Missing { segment, name },
                Inspected::Unreadable(why) => Found::Unreadable { segment, name, why },
                Inspected::WrongSize(found) => Found::WrongSize { segment, name, expected: record.size, found },
                Inspected::WrongChunk(chunk) => {
                    Found::WrongBytes { segment, name, content: chunk.content, chunk: chunk.place.chunk }
                }
            };
            self.doubt(segment, name, found, &mut done).await?;
        }
        Ok(done)
    }
}

/// Apart, so that the chunks of a batch can be asked of the ledger together.
fn batches(records: VecDeque<SegmentRecord>) -> Vec<Vec<SegmentRecord>> {
    let mut batches: Vec<Vec<SegmentRecord>> = Vec::new();
    let (mut bytes, mut chunks) = (u64::MAX, 0);
    for record in records {
        let chunks_most = (record.size / CHUNK_BYTES_MIN + 1).min(CHUNKS_MAX as u64);
        bytes = bytes.saturating_add(record.size);
        chunks += chunks_most;
        match batches.last_mut() {
            Some(batch) if bytes <= BATCH_BYTES && chunks <= BATCH_CHUNKS => batch.push(record),
            _ => {
                (bytes, chunks) = (record.size, chunks_most);
                batches.push(vec![record]);
            }
        }
    }
    batches
}
