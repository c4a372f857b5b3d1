//! A move of what a user owns, or of what is in a folder, to another policy: content by content, a slice at a time.

use super::step::end_barren;
use super::{Next, Relocations, SLICE_PAUSE};
use entente_database::Error as DatabaseError;
use entente_database::relocations::{Moved, Relocation};
use entente_model::{ItemId, PolicyId, UserId, with_causes};
use entente_tree::{BelowPosition, ElsewherePosition, Stored};
use entente_vault::Scope;
use entente_vault::upkeep::Watch;
use std::time::Duration;

/// Contents looked up at a time.
const PAGE: u32 = 500;
/// Bytes moved at a time: about a second's work of a cloud.
const BATCH_BYTES: u64 = 64 << 20;
/// How long a slice goes on.
const SLICE: Duration = Duration::from_secs(5);
/// After something failed.
const FAILURE_WAIT: Duration = Duration::from_secs(5);

/// A page of what is not where it should be.
struct Page {
    to: Scope,
    contents: Vec<Stored>,
    next: Option<Vec<u8>>,
}

/// What became of one batch.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) moved: u64,
    pub(crate) moved_bytes: u64,
    pub(crate) failed: u64,
    /// Contents of which something cannot be read.
    pub(crate) unreadable: u64,
    pub(crate) last_error: Option<String>,
}

impl Relocations {
    /// One slice of a move of what a user owns or a folder has.
    pub(super) async fn step_contents(
        &self,
        mut relocation: Relocation,
        watch: &mut dyn Watch,
    ) -> Result<Next, DatabaseError> {
        let begun = self.world.instant();
        if relocation.progress.position.is_none() {
            relocation.progress.unreadable = 0;
        }
        if let (Moved::User { user, policy }, None) = (relocation.moved, &relocation.progress.position) {
            let (contents, bytes) = self.owned_elsewhere(user, policy).await?;
            relocation.progress.pieces_total = relocation.progress.pieces_done + contents;
            relocation.progress.bytes_total = relocation.progress.bytes_done + bytes;
        }
        loop {
            let page = match self.page(&relocation).await {
                Ok(Some(page)) => page,
                // Nobody, or nothing, is left whose it could be.
                Ok(None) => return self.end(&relocation).await,
                Err(error) => {
                    relocation.progress.failures += 1;
                    relocation.progress.last_error = with_causes(&error);
                    return self.save(&relocation, Next::After(FAILURE_WAIT)).await;
                }
            };
            let batch = self.rehouse(&page.contents, page.to, relocation.rate, watch).await;
            let progress = &mut relocation.progress;
            progress.found += page.contents.len() as u64;
            progress.pieces_done += batch.moved;
            progress.bytes_done += batch.moved_bytes;
            progress.pieces_total = progress.pieces_total.max(progress.pieces_done);
            progress.bytes_total = progress.bytes_total.max(progress.bytes_done);
            progress.failures += batch.failed + batch.unreadable;
            progress.unreadable += batch.unreadable;
            let has_failed = batch.failed > 0;
            if let Some(error) = batch.last_error {
                progress.last_error = error;
            }
            progress.position = page.next;
            if progress.position.is_none() {
                progress.passes += 1;
                let found = std::mem::take(&mut progress.found);
                if found == 0 {
                    return self.end(&relocation).await;
                }
                if let Some(wait) = end_barren(progress, found) {
                    return self.save(&relocation, Next::After(wait)).await;
                }
            }
            if has_failed {
                return self.save(&relocation, Next::After(FAILURE_WAIT)).await;
            }
            if watch.stop() || begun.elapsed() >= SLICE {
                return self.save(&relocation, Next::After(SLICE_PAUSE)).await;
            }
            if let Next::Standing = self.save(&relocation, Next::After(SLICE_PAUSE)).await? {
                return Ok(Next::Standing);
            }
        }
    }

    async fn page(&self, relocation: &Relocation) -> Result<Option<Page>, entente_tree::Error> {
        let position = relocation.progress.position.as_deref();
        match relocation.moved {
            Moved::User { user, .. } => self.page_of_user(user, position).await,
            Moved::Folder { folder, policy } => self.page_of_folder(folder, policy, position).await,
            Moved::Backend { .. } => Ok(None),
        }
    }

    async fn page_of_user(&self, user: UserId, position: Option<&[u8]>) -> Result<Option<Page>, entente_tree::Error> {
        let after = position.and_then(ElsewherePosition::from_bytes);
        let page = self.tree.elsewhere(user, after, PAGE).await?;
        Ok(page.map(|page| Page {
            to: page.to,
            contents: page.contents,
            next: page.next.map(ElsewherePosition::to_bytes),
        }))
    }

    async fn page_of_folder(
        &self,
        folder: ItemId,
        policy: PolicyId,
        position: Option<&[u8]>,
    ) -> Result<Option<Page>, entente_tree::Error> {
        let after = position.and_then(BelowPosition::from_bytes);
        let page = self.tree.contents_below(folder, policy, after, PAGE).await?;
        Ok(page.map(|page| Page { to: page.to, contents: page.contents, next: page.next.map(|next| next.to_bytes()) }))
    }

    /// Moves contents to a policy, some bytes at a time and no faster than `rate`. Failures are counted, not answered:
    /// the next pass meets what they left.
    pub(crate) async fn rehouse(
        &self,
        contents: &[Stored],
        to: Scope,
        rate: Option<u64>,
        watch: &mut dyn Watch,
    ) -> Batch {
        let mut batch = Batch::default();
        let rate = rate.or(self.pace.bytes_per_second);
        for some in batches(contents, rate.map_or(BATCH_BYTES, |rate| rate.clamp(1, BATCH_BYTES))) {
            if watch.stop() {
                break;
            }
            let begun = self.world.instant();
            let ids: Vec<_> = some.iter().map(|stored| stored.content).collect();
            match self.vault.rehouse(&ids, to, watch).await {
                Ok(rehoused) => {
                    batch.moved += rehoused.contents;
                    batch.moved_bytes += rehoused.bytes;
                    batch.failed += rehoused.failed;
                    // Chunks, of contents that are not done.
                    batch.unreadable += rehoused.unreadable.min(rehoused.unfinished);
                    batch.last_error = rehoused.last_error.or(batch.last_error);
                    let due =
                        rate.map(|rate| Duration::from_millis(rehoused.bytes.saturating_mul(1_000) / rate.max(1)));
                    if let Some(left) = due.and_then(|due| due.checked_sub(begun.elapsed())) {
                        self.world.sleep(left).await;
                    }
                }
                Err(error) => {
                    batch.failed += ids.len() as u64;
                    batch.last_error = Some(with_causes(&error));
                    break;
                }
            }
        }
        batch
    }
}

/// Contents in runs of at most so many bytes, or one.
fn batches(contents: &[Stored], bytes_max: u64) -> Vec<&[Stored]> {
    let (mut runs, mut rest) = (Vec::new(), contents);
    while !rest.is_empty() {
        let mut bytes = 0_u64;
        let fitting = rest.iter().take_while(|stored| {
            bytes = bytes.saturating_add(stored.size);
            bytes <= bytes_max
        });
        let (run, more) = rest.split_at(fitting.count().max(1).min(rest.len()));
        runs.push(run);
        rest = more;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::batches;
    use entente_model::ContentId;
    use entente_tree::Stored;

    #[test]
    fn batches_are_bounded_by_bytes() {
        let stored: Vec<_> =
            [5, 5, 20, 1, 1].into_iter().map(|size| Stored { content: ContentId::new(1), size }).collect();
        let lengths: Vec<_> = batches(&stored, 10).iter().map(|run| run.len()).collect();
        assert_eq!(lengths, [2, 1, 2]);
        assert!(batches(&[], 10).is_empty());
    }
}
