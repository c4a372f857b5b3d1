//! Repacks segments that are mostly dead: their live chunks, still sealed, move together into new segments.
//!
//! The new segment is durable before the ledger points a chunk at it, and a chunk is pointed anew only if it is still where
//! it was, and only if its bytes are still those that were written. The old segment, with nothing live in it, is left to `collect`. No key is needed.

use super::Watch;
use super::safety::{REPACK_AGE_MIN, REPACK_LIVE_SHARE_MAX};
use crate::pack::Pack;
use crate::seal;
use crate::{ChunkRecord, Error, SegmentRecord, SegmentState, Vault, WrittenSegment};
use entente_clouds::ErrorKind;
use entente_model::{BackendId, Place};
use std::collections::BTreeMap;
use std::time::Duration;

const SEGMENTS_PAGE: u32 = 1000;
const CHUNKS_PAGE: u32 = 256;

/// Which segments to repack.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Those of which at most this share is live.
    pub live_share_max: f64,
    /// Those at least this old.
    pub age_min: Duration,
}

impl Default for Choice {
    fn default() -> Self {
        Self { live_share_max: REPACK_LIVE_SHARE_MAX, age_min: REPACK_AGE_MIN }
    }
}

/// What a repacking did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repacked {
    /// Segments whose live chunks were moved.
    pub segments: u64,
    /// Chunks that were moved.
    pub chunks: u64,
    /// Sealed bytes that were moved.
    pub moved_bytes: u64,
    /// Chunks that could not be read, and stay where they are: `verify` tells more.
    pub unreadable: u64,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl Vault {
    /// Repacks. Errors of the ledger and of backends (but not of single unreadable chunks) end it; what was moved stays moved.
    pub async fn repack(&self, choice: Choice, watch: &mut dyn Watch) -> Result<Repacked, Error> {
        let mut repacked = Repacked::default();
        let mut packs: BTreeMap<BackendId, Pack<ChunkRecord>> = BTreeMap::new();
        let before = self.inner.world.now().before(choice.age_min);
        let (mut after, mut seen) = (None, 0);
        loop {
            if watch.stop() {
                repacked.stopped = true;
                break;
            }
            let page = self.inner.ledger.segments_after(after, SEGMENTS_PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.segment);
            seen += page.len() as u64;
            for record in page.iter().filter(|record| chosen(record, choice, before)) {
                self.gather(record, packs.entry(record.backend).or_default(), &mut repacked).await?;
            }
            watch.progress("segments", seen);
        }
        for (backend, pack) in packs {
            self.flush(backend, pack, &mut repacked).await?;
        }
        Ok(repacked)
    }

    async fn gather(
        &self,
        record: &SegmentRecord,
        pack: &mut Pack<ChunkRecord>,
        repacked: &mut Repacked,
    ) -> Result<(), Error> {
        let mut offset = 0;
        repacked.segments += 1;
        loop {
            let chunks = self.inner.ledger.chunks_in(record.segment, offset, CHUNKS_PAGE).await?;
            let Some(last) = chunks.last() else { return Ok(()) };
            offset = last.place.offset + 1;
            for chunk in chunks {
                let place = chunk.place;
                let read =
                    self.backend(record.backend)?.read(record.name, place.offset..place.offset + place.length).await;
                let sealed = match read {
                    // Bytes that are not what was written must not become the only copy.
                    Ok(sealed) if seal::checksum(&sealed) != place.checksum => {
                        repacked.unreadable += 1;
                        continue;
                    }
                    Ok(sealed) => sealed.freeze(),
                    Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::OutOfRange) => {
                        repacked.unreadable += 1;
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                if !pack.has_room(place.length) {
                    self.flush(record.backend, std::mem::take(pack), repacked).await?;
                }
                pack.push(chunk, sealed);
            }
        }
    }

    async fn flush(&self, backend: BackendId, pack: Pack<ChunkRecord>, repacked: &mut Repacked) -> Result<(), Error> {
        let size = pack.size();
        if size == 0 {
            return Ok(());
        }
        let reservation = self.inner.reservations.take(backend).await?;
        let mut creation = self.backend(backend)?.create(reservation.name).await?;
        let mut moves = Vec::new();
        for (chunk, offset, sealed) in pack.into_entries() {
            let place = Place { segment: reservation.segment, offset, ..chunk.place };
            moves.push((chunk, place));
            creation.write(sealed).await?;
        }
        creation.commit().await?;
        let target = WrittenSegment { segment: reservation.segment, size };
        repacked.chunks += u64::from(self.inner.ledger.rehome(target, &moves).await?);
        repacked.moved_bytes += size;
        Ok(())
    }
}

fn chosen(record: &SegmentRecord, choice: Choice, before: entente_model::Timestamp) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more precision than a float has")]
    let share = record.live as f64 / record.size.max(1) as f64;
    record.state == SegmentState::Live
        && record.live > 0
        && record.live < record.size
        && record.created_at < before
        && share <= choice.live_share_max
}
