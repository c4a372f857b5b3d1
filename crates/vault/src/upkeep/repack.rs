//! Repacks segments that are mostly dead: their live chunks, still sealed, move together into new segments.

use super::Watch;
use super::moving::Mover;
use super::needs::is_live_at_most;
use super::safety::{REPACK_AGE_MIN, REPACK_LIVE_SHARE_MAX};
use super::trouble::Trouble;
use crate::{Error, SegmentRecord, Vault};
use entente_model::Timestamp;
use std::time::Duration;

const SEGMENTS_PAGE: u32 = 1000;

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repacked {
    /// Segments whose live chunks were looked at.
    pub segments: u64,
    /// Chunks that were moved.
    pub chunks: u64,
    /// Sealed bytes that were moved.
    pub moved_bytes: u64,
    /// Chunks that no replica has as they were written; they stay where they are: `verify` tells more.
    pub unreadable: u64,
    /// Chunks that were not moved because a backend failed: to be tried again later.
    pub failed: u64,
    /// Segments whose policy is not configured any more, or is one of another zone by now: left as they are.
    pub untended: u64,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl Vault {
    /// Repacks. Errors of the ledger end it (but not of backends, nor of single unreadable chunks); what was moved stays
    /// moved.
    pub async fn repack(&self, choice: Choice, watch: &mut dyn Watch) -> Result<Repacked, Error> {
        let (mut repacked, trouble) = (Repacked::default(), Trouble::default());
        let mut mover = Mover::new(self, &trouble);
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
                *if mover.take_segment(record).await? { &mut repacked.segments } else { &mut repacked.untended } += 1;
            }
            watch.progress("segments", seen);
        }
        let moved = mover.finish().await?;
        (repacked.chunks, repacked.moved_bytes) = (moved.chunks, moved.bytes);
        (repacked.unreadable, repacked.failed, repacked.last_error) =
            (moved.unreadable, moved.failed, moved.last_error);
        Ok(repacked)
    }
}

fn chosen(record: &SegmentRecord, choice: Choice, before: Timestamp) -> bool {
    record.created_at < before && is_live_at_most(record, choice.live_share_max)
}
