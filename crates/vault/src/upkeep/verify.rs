//! Verifies, both ways: every content against its segments (each chunk is read and opened, unless only the structure is
//! asked for), and every object on every backend against the ledger. What only its customer can open is compared as it is
//! sealed.
//!
//! It may run beside a server: a finding is looked at twice before it is reported, because a file may be purged or a
//! segment repacked between two looks.

mod customers;
mod pieces;

use super::Watch;
use crate::{Error, Located, Replica, ReplicaState, SegmentRecord, SegmentState, Vault, chunk};
use entente_clouds::{ErrorKind, Listed, ObjectName};
use entente_model::{BackendId, CHUNK_SIZE_BYTES, ContentId, Manifest, Place, SegmentId};
use std::collections::BTreeMap;

const PAGE: u32 = 500;
const OBJECTS_PAGE: usize = 1000;
const CHUNKS_PAGE: u32 = 1000;
/// Findings that are kept to be told; more are only counted.
const FINDINGS_KEPT: usize = 1000;

/// How thoroughly to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Rows against rows and objects' sizes; no object is read.
    Structure,
    /// Every byte as well.
    Bytes,
}

/// Something that is not as it must be. What it costs depends: of a replica's finding, whether another one is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A content's chunk cannot be read from any replica, or does not open. If a backend is down, perhaps only for now.
    Unreadable {
        /// The content.
        content: ContentId,
        /// The chunk.
        chunk: u32,
        /// Where it should be.
        segment: SegmentId,
    },
    /// A content lacks chunks in the ledger, or has too many.
    Incomplete {
        /// The content.
        content: ContentId,
        /// Chunks that it must have.
        expected: u64,
        /// Chunks that it has.
        found: u64,
    },
    /// The pieces of which a content is made do not make it up: from a byte on, one is missing, or refers to what is not
    /// there.
    Pieces {
        /// The content.
        content: ContentId,
        /// The byte.
        at: u64,
    },
    /// A content's data key does not unwrap, or its epoch key is not at hand.
    NoKey {
        /// The content.
        content: ContentId,
    },
    /// A live segment has no replica that is good.
    Nowhere {
        /// The segment.
        segment: SegmentId,
    },
    /// A replica of a live segment has no object.
    Missing {
        /// The segment.
        segment: SegmentId,
        /// The backend.
        backend: BackendId,
        /// Its object's name.
        name: ObjectName,
    },
    /// The object of a replica of a live segment has another size than it was written with.
    WrongSize {
        /// The segment.
        segment: SegmentId,
        /// The backend.
        backend: BackendId,
        /// The size it was written with, in bytes.
        expected: u64,
        /// The size it has, in bytes.
        found: u64,
    },
    /// A replica of a live segment was put in doubt before, and waits for repair.
    Doubted {
        /// The segment.
        segment: SegmentId,
        /// The backend.
        backend: BackendId,
        /// Its object's name.
        name: ObjectName,
    },
    /// The object of a replica of a live segment could not be asked for: its backend does not answer.
    Unanswered {
        /// The segment.
        segment: SegmentId,
        /// The backend.
        backend: BackendId,
    },
    /// What the ledger counts as live in a segment is not the sum of its chunks.
    Miscounted {
        /// The segment.
        segment: SegmentId,
        /// What is counted, in bytes.
        counted: u64,
        /// The sum, in bytes.
        sum: u64,
    },
    /// An object that the ledger does not know: garbage that `collect` removes.
    Orphan {
        /// The backend.
        backend: BackendId,
        /// The object's name.
        name: ObjectName,
        /// Its size in bytes.
        size: u64,
    },
}

/// What a verification found.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// Contents looked at.
    pub contents: u64,
    /// Chunks looked at.
    pub chunks: u64,
    /// Pieces looked at, of contents that are made of pieces of others.
    pub pieces: u64,
    /// Plaintext bytes that were opened.
    pub opened_bytes: u64,
    /// Contents that only their customers can open.
    pub customers: u64,
    /// Sealed bytes of these that are what was written.
    pub sealed_bytes: u64,
    /// Segments looked at.
    pub segments: u64,
    /// Objects listed on backends.
    pub objects: u64,
    /// Segments that are reserved and not yet, or never, used: not a finding.
    pub reserved: u64,
    /// The first findings.
    pub findings: Vec<Finding>,
    /// How many findings there are of damage: something is lost, or nobody could tell that it is not.
    pub damaged: u64,
    /// How many findings there are of replicas that are missing or wrong, or could not be asked for, while another one is
    /// good: nothing is lost, and `converge` repairs it.
    pub reduced: u64,
    /// How many orphans there are.
    pub orphans: u64,
    /// Backends that could not be listed.
    pub unlisted: Vec<BackendId>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// What a finding costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cost {
    Loss,
    Redundancy,
    Room,
}

impl Verified {
    fn report(&mut self, finding: Finding, cost: Cost) {
        match cost {
            Cost::Loss => self.damaged += 1,
            Cost::Redundancy => self.reduced += 1,
            Cost::Room => self.orphans += 1,
        }
        if self.findings.len() < FINDINGS_KEPT {
            self.findings.push(finding);
        }
    }

    /// Whether nothing is lost. Replicas may be missing while others are good, and orphans may be there: a write that
    /// outlives the collector's patience leaves one.
    #[must_use]
    pub fn is_undamaged(&self) -> bool {
        self.damaged == 0 && !self.stopped
    }

    /// Whether all that was looked at is as it must be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damaged + self.reduced + self.orphans == 0 && self.unlisted.is_empty() && !self.stopped
    }
}

impl Vault {
    /// Verifies everything. Damage is in the report; an `Err` means that looking itself failed.
    pub async fn verify(&self, depth: Depth, watch: &mut dyn Watch) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        self.verify_contents(depth, watch, &mut verified).await?;
        self.verify_segments(depth, watch, &mut verified).await?;
        for (backend, _) in self.inner.core.backends() {
            self.verify_objects(backend, watch, &mut verified).await?;
        }
        Ok(verified)
    }

    async fn verify_contents(&self, depth: Depth, watch: &mut dyn Watch, verified: &mut Verified) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self.inner.ledger.contents_after(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.content);
            for manifest in page {
                if watch.stop() {
                    verified.stopped = true;
                    return Ok(());
                }
                self.verify_content(manifest, depth, verified).await?;
                watch.progress("contents", verified.contents);
            }
        }
    }

    async fn verify_content(&self, manifest: Manifest, depth: Depth, verified: &mut Verified) -> Result<(), Error> {
        let content = manifest.content;
        verified.contents += 1;
        if manifest.is_of_pieces() {
            return self.verify_pieces(&manifest, verified).await;
        }
        let expected = chunk::count(manifest.size);
        let located = self.all_places(content).await?;
        let in_order = located.iter().zip(0_u64..).all(|(located, chunk)| u64::from(located.place.chunk) == chunk);
        if located.len() as u64 != expected || !in_order {
            if self.still_there(content).await? {
                verified.report(Finding::Incomplete { content, expected, found: located.len() as u64 }, Cost::Loss);
            }
            return Ok(());
        }
        let is_customers = manifest.customer.is_some();
        if is_customers {
            verified.customers += 1;
            if !self.verify_data_key(&manifest, verified).await? {
                return Ok(());
            }
        }
        for located in located {
            verified.chunks += 1;
            if depth == Depth::Structure {
                continue;
            }
            if is_customers {
                self.verify_sealed(content, located, verified).await?;
                continue;
            }
            let Place { chunk, segment, .. } = located.place;
            let start = u64::from(chunk) * CHUNK_SIZE_BYTES;
            let end = start + chunk::length(manifest.size, chunk);
            // `read` looks up the chunk's place again by itself when it does not find it there.
            match self.open_through(self.read(manifest.clone(), vec![located], start..end)).await {
                Ok(bytes) if bytes == end - start => verified.opened_bytes += bytes,
                Ok(_) | Err(Error::Damaged { .. } | Error::Internal(_) | Error::Cloud(_)) => {
                    if self.still_there(content).await? {
                        verified.report(Finding::Unreadable { content, chunk, segment }, Cost::Loss);
                    }
                }
                Err(Error::DataKey(_) | Error::UnknownEpoch(_)) => {
                    if self.still_there(content).await? {
                        verified.report(Finding::NoKey { content }, Cost::Loss);
                    }
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn open_through(&self, mut reading: crate::Reading) -> Result<u64, Error> {
        let mut bytes = 0;
        while let Some(piece) = reading.next().await? {
            bytes += piece.len() as u64;
        }
        Ok(bytes)
    }

    async fn all_places(&self, content: ContentId) -> Result<Vec<Located>, Error> {
        let mut all: Vec<Located> = Vec::new();
        loop {
            let Some(from) = all.last().map_or(Some(0), |last| last.place.chunk.checked_add(1)) else { return Ok(all) };
            let page = self.inner.ledger.places(content, from, PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    async fn still_there(&self, content: ContentId) -> Result<bool, Error> {
        Ok(self.inner.ledger.content(content).await?.is_some())
    }

    async fn verify_segments(&self, depth: Depth, watch: &mut dyn Watch, verified: &mut Verified) -> Result<(), Error> {
        let mut after = None;
        loop {
            if watch.stop() {
                verified.stopped = true;
                return Ok(());
            }
            let page = self.inner.ledger.segments_after(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.segment);
            for record in page {
                verified.segments += 1;
                match record.state {
                    SegmentState::Reserved => verified.reserved += 1,
                    SegmentState::Condemned => {}
                    SegmentState::Live => self.verify_segment(&record, depth, verified).await?,
                }
            }
            watch.progress("segments", verified.segments);
        }
    }

    async fn verify_segment(&self, record: &SegmentRecord, depth: Depth, verified: &mut Verified) -> Result<(), Error> {
        let segment = record.segment;
        let (mut of_replicas, mut some_good) = (Vec::new(), false);
        for replica in &record.replicas {
            let finding = self.verify_replica(record, replica).await;
            some_good |= match &finding {
                None => replica.is_good(),
                // It may be good after all: if its bytes were opened, that was told chunk by chunk.
                Some(Finding::Doubted { .. }) => depth == Depth::Bytes,
                Some(_) => false,
            };
            of_replicas.extend(finding);
        }
        let lost = !some_good && record.live > 0;
        if lost && of_replicas.is_empty() {
            of_replicas.push(Finding::Nowhere { segment });
        }
        let cost = if lost { Cost::Loss } else { Cost::Redundancy };
        let mut findings: Vec<_> = of_replicas.into_iter().map(|finding| (finding, cost)).collect();
        let sum = self.sum_of_chunks(segment).await?;
        if sum != record.live {
            findings.push((Finding::Miscounted { segment, counted: record.live, sum }, Cost::Loss));
        }
        if findings.is_empty() {
            return Ok(());
        }
        // Look again: it may have been changed, collected or repacked since the page was read.
        let again = self.inner.ledger.segments(&[segment]).await?;
        if again.first() == Some(record) && self.sum_of_chunks(segment).await? == sum {
            findings.into_iter().for_each(|(finding, cost)| verified.report(finding, cost));
        }
        Ok(())
    }

    /// What is wrong with a replica that counts, or counted.
    async fn verify_replica(&self, record: &SegmentRecord, replica: &Replica) -> Option<Finding> {
        let (segment, Replica { backend, name, state, .. }) = (record.segment, *replica);
        if matches!(state, ReplicaState::Intended | ReplicaState::Condemned) {
            return None;
        }
        let stat = match self.inner.cloud(backend) {
            Ok(cloud) => cloud.stat(name).await,
            Err(_) => return Some(Finding::Unanswered { segment, backend }),
        };
        match stat {
            Ok(stat) if stat.size != record.size => {
                Some(Finding::WrongSize { segment, backend, expected: record.size, found: stat.size })
            }
            Ok(_) if state == ReplicaState::Damaged => Some(Finding::Doubted { segment, backend, name }),
            Ok(_) => None,
            Err(error) if error.kind == ErrorKind::NotFound => Some(Finding::Missing { segment, backend, name }),
            Err(_) => Some(Finding::Unanswered { segment, backend }),
        }
    }

    async fn sum_of_chunks(&self, segment: SegmentId) -> Result<u64, Error> {
        let (mut sum, mut offset) = (0, 0);
        loop {
            let chunks = self.inner.ledger.chunks_in(segment, offset, CHUNKS_PAGE).await?;
            let Some(last) = chunks.last() else { return Ok(sum) };
            offset = last.place.offset + 1;
            sum += chunks.iter().map(|chunk| chunk.place.length).sum::<u64>();
        }
    }

    async fn verify_objects(
        &self,
        backend: BackendId,
        watch: &mut dyn Watch,
        verified: &mut Verified,
    ) -> Result<(), Error> {
        let mut after = None;
        loop {
            if watch.stop() {
                verified.stopped = true;
                return Ok(());
            }
            let Ok(page) = self.inner.cloud(backend)?.list(after, OBJECTS_PAGE).await else {
                verified.unlisted.push(backend);
                return Ok(());
            };
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.name);
            verified.objects += page.len() as u64;
            let unknown = self.unknown(backend, &page).await?;
            for Listed { name, size, .. } in self.still_listed(backend, unknown).await? {
                verified.report(Finding::Orphan { backend, name, size }, Cost::Room);
            }
            watch.progress("objects", verified.objects);
        }
    }

    /// Those that still exist: an object that was just collected is no orphan.
    async fn still_listed(&self, backend: BackendId, objects: Vec<Listed>) -> Result<Vec<Listed>, Error> {
        let mut there = Vec::new();
        for object in objects {
            match self.inner.cloud(backend)?.stat(object.name).await {
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Ok(_) | Err(_) => there.push(object),
            }
        }
        Ok(there)
    }
}

/// The findings, counted by kind, for a summary.
#[must_use]
pub fn summary(findings: &[Finding]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        let kind = match finding {
            Finding::Unreadable { .. } => "unreadable",
            Finding::Incomplete { .. } => "incomplete",
            Finding::Pieces { .. } => "pieces",
            Finding::NoKey { .. } => "no key",
            Finding::Nowhere { .. } => "nowhere",
            Finding::Missing { .. } => "missing",
            Finding::WrongSize { .. } => "wrong size",
            Finding::Doubted { .. } => "doubted",
            Finding::Unanswered { .. } => "unanswered",
            Finding::Miscounted { .. } => "miscounted",
            Finding::Orphan { .. } => "orphan",
        };
        *counts.entry(kind).or_insert(0) += 1;
    }
    counts
}
