//! Moves chunks, still sealed, into new segments: what repacking, rehousing and salvaging share.
//!
//! The new segment is durable, and has been read back, before the ledger points a chunk at it; a chunk is pointed anew
//! only if it is still where it was, and only if its bytes are still those that were written. The old segment, when nothing
//! is live in it any more, is left to `collect`. No key is needed.

use super::copying::read_back;
use super::inspect::Subject;
use super::needs::tending;
use super::trouble::{Trouble, left_alone, says_what_is};
use crate::copies::Copies;
use crate::core::Core;
use crate::pack::Pack;
use crate::{ChunkRecord, Copy, Error, Replica, SegmentRecord, Vault, seal};
use bytes::{Bytes, BytesMut};
use entente_model::{Place, PolicyId, ZoneId};
use futures_util::StreamExt;
use futures_util::stream;
use std::collections::BTreeMap;

const CHUNKS_PAGE: u32 = 256;
/// Chunks (of at most 8 MiB and a little) that are read at a time.
const READS: usize = 4;

/// What was moved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moved {
    pub chunks: u64,
    pub bytes: u64,
    /// Objects that were written for them, each copy of a new segment.
    pub objects: u64,
    /// Chunks that no replica has as they were written.
    pub unreadable: u64,
    /// Chunks that were not moved because a backend failed.
    pub failed: u64,
    pub last_error: Option<String>,
}

/// Where chunks go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Home {
    pub zone: ZoneId,
    pub policy: PolicyId,
}

/// How many copies of a new segment must be durable before chunks are pointed at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safety {
    /// As many as of content that is uploaded. The others follow.
    Acknowledged,
    /// All that its policy wants: what was safe stays as safe.
    Complete,
}

pub(crate) struct Mover<'a> {
    safety: Safety,
    vault: &'a Vault,
    core: &'a Core,
    trouble: &'a Trouble,
    /// By the policy, and the zone that was its zone when they were begun: should it be another one when they are written,
    /// they are not.
    packs: BTreeMap<Home, Pack<ChunkRecord>>,
    moved: Moved,
}

impl<'a> Mover<'a> {
    pub(crate) fn new(vault: &'a Vault, trouble: &'a Trouble) -> Self {
        Self::with(vault, trouble, Safety::Acknowledged)
    }

    pub(crate) fn with(vault: &'a Vault, trouble: &'a Trouble, safety: Safety) -> Self {
        Self { safety, vault, core: &vault.inner.core, trouble, packs: BTreeMap::new(), moved: Moved::default() }
    }

    /// Takes every live chunk of a segment along, to a new one of the same policy, and of the zone in which it is. Answers
    /// whether it did: not when the policy is not configured, or of another zone by now. Only the ledger's errors end it.
    pub(crate) async fn take_segment(&mut self, record: &SegmentRecord) -> Result<bool, Error> {
        let Some(home) = self.home(record) else { return Ok(false) };
        let mut offset = 0;
        loop {
            let chunks = self.core.ledger.chunks_in(record.segment, offset, CHUNKS_PAGE).await?;
            let Some(last) = chunks.last() else { return Ok(true) };
            offset = last.place.offset + 1;
            self.take(chunks.into_iter().map(|chunk| (chunk, record.replicas.clone())).collect(), home).await?;
        }
    }

    /// Where the chunks of a segment may go when they stay under its policy.
    fn home(&self, record: &SegmentRecord) -> Option<Home> {
        let topology = self.core.topology();
        let zone = tending(&topology, record).ok()?.zone;
        Some(Home { zone, policy: record.policy })
    }

    /// Takes every live chunk of a segment along whose bytes have been fetched and found good.
    pub(crate) async fn take_fetched(&mut self, subject: &Subject, bytes: &Bytes) -> Result<(), Error> {
        let Some(home) = self.home(&subject.record) else { return Ok(()) };
        for chunk in subject.chunks.iter() {
            let from = usize::try_from(chunk.place.offset).unwrap_or(usize::MAX);
            let to = from.saturating_add(usize::try_from(chunk.place.length).unwrap_or(usize::MAX));
            if to > bytes.len() {
                self.moved.unreadable += 1;
                continue;
            }
            self.push(home, chunk.clone(), bytes.slice(from..to)).await?;
        }
        Ok(())
    }

    /// Takes chunks along, each with the replicas of its segment, to segments of a policy.
    pub(crate) async fn take(&mut self, chunks: Vec<(ChunkRecord, Vec<Replica>)>, home: Home) -> Result<(), Error> {
        let (core, trouble) = (self.core, self.trouble);
        let reads = chunks.into_iter().map(|(chunk, replicas)| async move {
            let sealed = sealed_chunk(core, trouble, &replicas, &chunk.place).await;
            (chunk, sealed)
        });
        let mut reads = stream::iter(reads).buffered(READS);
        while let Some((chunk, sealed)) = reads.next().await {
            match sealed {
                Ok(Some(sealed)) => self.push(home, chunk, sealed).await?,
                Ok(None) => self.moved.unreadable += 1,
                Err(why) => self.fail(1, why),
            }
        }
        Ok(())
    }

    async fn push(&mut self, home: Home, chunk: ChunkRecord, sealed: Bytes) -> Result<(), Error> {
        let pack = self.packs.entry(home).or_default();
        if !pack.has_room(chunk.place.length) {
            let full = std::mem::take(pack);
            self.flush(home, full).await?;
        }
        self.packs.entry(home).or_default().push(chunk, sealed);
        Ok(())
    }

    /// Writes what waits in segments that are not full.
    pub(crate) async fn flush_all(&mut self) -> Result<(), Error> {
        for (home, pack) in std::mem::take(&mut self.packs) {
            self.flush(home, pack).await?;
        }
        Ok(())
    }

    /// The same, and the end.
    pub(crate) async fn finish(mut self) -> Result<Moved, Error> {
        self.flush_all().await?;
        Ok(self.moved)
    }

    async fn flush(&mut self, home: Home, pack: Pack<ChunkRecord>) -> Result<(), Error> {
        let size = pack.size();
        if size == 0 {
            return Ok(());
        }
        let entries = pack.into_entries();
        let count = entries.len() as u64;
        match self.write(home, entries).await {
            Ok((moved, objects)) => {
                self.moved.chunks += u64::from(moved);
                self.moved.objects += objects;
                self.moved.bytes += size;
                Ok(())
            }
            // These are of the backends and of the topology; the ledger's are not for one pack alone.
            Err(error @ (Error::Cloud(_) | Error::Unmet { .. } | Error::Condemned(_))) => {
                self.fail(count, error.to_string());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Answers how many chunks moved, and into how many objects.
    async fn write(&self, home: Home, entries: Vec<(ChunkRecord, u64, Bytes)>) -> Result<(u32, u64), Error> {
        let core = &self.vault.inner.core;
        let mut copies = match self.safety {
            Safety::Acknowledged => Copies::begin(core, home.zone, home.policy).await?,
            Safety::Complete => Copies::begin_everywhere(core, home.zone, home.policy).await?,
        };
        let (mut moves, mut written) = (Vec::new(), BytesMut::new());
        for (chunk, offset, sealed) in entries {
            let place = Place { segment: copies.segment(), offset, ..chunk.place };
            moves.push((chunk, place));
            written.extend_from_slice(&sealed);
            copies.write(sealed).await?;
        }
        let target = copies.commit().await?;
        let (written, records) = (written.freeze(), self.core.ledger.segments(&[target.segment]).await?);
        for backend in target.holders.iter() {
            let replica = records.first().and_then(|record| record.on(backend));
            let name = replica.ok_or(Error::Condemned(target.segment))?.name;
            let copy = Copy { segment: target.segment, backend, name };
            if let Err(why) = read_back(self.core, self.trouble, &copy, &written).await {
                let error = entente_clouds::Error::new(entente_clouds::ErrorKind::Failed, "read");
                return Err(error.because(why).into());
            }
        }
        let moved = self.core.ledger.rehome(target, &moves).await?;
        Ok((moved, target.holders.iter().count() as u64))
    }

    fn fail(&mut self, chunks: u64, why: String) {
        self.moved.failed += chunks;
        self.moved.last_error = Some(why);
    }
}

/// The sealed bytes of a chunk, from the best replica that has them as they were written. `None` when none has; an error
/// when one could not be asked, and no other has them.
async fn sealed_chunk(
    core: &Core,
    trouble: &Trouble,
    replicas: &[Replica],
    place: &Place,
) -> Result<Option<Bytes>, String> {
    let mut failed = None;
    for source in core.topology().sources(replicas, |backend| trouble.is_left_alone(core, backend)) {
        if trouble.is_left_alone(core, source.backend) {
            failed = Some(left_alone(source.backend));
            continue;
        }
        let cloud = core.cloud(source.backend).map_err(|error| error.to_string())?;
        let read = cloud.read(source.name, place.offset..place.offset + place.length).await;
        match trouble.note(source.backend, read) {
            // Bytes that are not what was written must not become the only copy.
            Ok(sealed) if seal::checksum(&sealed) != place.checksum => {}
            Ok(sealed) => return Ok(Some(sealed.freeze())),
            Err(error) if says_what_is(error.kind) => {}
            Err(error) => failed = Some(error.to_string()),
        }
    }
    failed.map_or(Ok(None), Err)
}
