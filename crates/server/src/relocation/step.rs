//! A move between backends, a slice at a time: passes over what the source holds, until nothing is left there.

use super::{Next, Relocations, SLICE_PAUSE};
use entente_database::relocations::{self, Held, Moved, Progress, Relocation, State};
use entente_database::{Error as DatabaseError, Tx};
use entente_model::{BackendId, PolicyId, Timestamp, with_causes};
use entente_vault::upkeep::{Converged, Cursor, Pace, Selection, Watch};
use std::time::Duration;

/// Every node has heard of a redirect after this: it asks for them more often.
const HEARD_EVERYWHERE: Duration = Duration::from_secs(5);
/// Between two passes that found nothing to do while something is still there: at least, and at most.
const WAIT_LEAST: Duration = Duration::from_millis(250);
const WAIT_MOST: Duration = Duration::from_secs(15);
/// After something failed.
const FAILURE_WAIT: Duration = Duration::from_secs(5);
/// After passes that found nothing but what cannot be read: doubles up to the second. Only somebody who brings bytes back
/// can change that, and a backend that does not answer is a failure and no such thing.
const UNREADABLE_WAIT: Duration = Duration::from_secs(5);
const UNREADABLE_WAIT_MAX: Duration = Duration::from_secs(10 * 60);
/// What is in use no more stays at the source for this long at least: others may be about to commit into the same segment.
const GARBAGE_GRACE: Duration = Duration::from_secs(5);
/// Objects listed at a time, and pages of them, to see whether the source is empty. It nearly is by then.
const LISTED: usize = 1_000;
const LISTED_PAGES_MAX: usize = 100;

/// What a slice works on.
struct Slice {
    relocation: Relocation,
    /// Where segments are to leave.
    source: BackendId,
    policy: Option<PolicyId>,
}

impl Relocations {
    /// One slice of a move between backends, be it there or, once cancelled, back.
    pub(super) async fn step_backend(
        &self,
        relocation: Relocation,
        watch: &mut dyn Watch,
    ) -> Result<Next, DatabaseError> {
        let Moved::Backend { from, to, policy } = relocation.moved else { return Ok(Next::Standing) };
        let source = if relocation.state == State::Cancelled { to } else { from };
        let mut slice = Slice { relocation, source, policy };
        if slice.relocation.progress.position.is_none() {
            let held = self.held(&slice).await?;
            count_anew(&mut slice.relocation.progress, held);
            slice.relocation.progress.unreadable = 0;
        }
        let pace = Pace { bytes_per_second: slice.relocation.rate.or(self.pace.bytes_per_second), ..self.pace };
        // A position of another release is no position.
        let position = slice.relocation.progress.position.as_deref();
        let cursor = position.and_then(|position| Cursor::from_bytes(position).ok());
        let converged = match self.vault.converge(Selection::On(source), cursor, &pace, watch).await {
            Ok(converged) => converged,
            Err(error) => return self.failed(slice, &error).await,
        };
        let is_pass_over = converged.cursor.is_none() && !converged.stopped;
        let has_failed = converged.failed > 0;
        take_in(&mut slice.relocation.progress, converged);
        let wait = if has_failed { FAILURE_WAIT } else { SLICE_PAUSE };
        if is_pass_over {
            return self.end_pass(slice, wait, watch).await;
        }
        self.save(&slice.relocation, Next::After(wait)).await
    }

    /// What is done after each pass: what has been away long enough is removed, and if nothing is left the move has ended.
    async fn end_pass(&self, mut slice: Slice, wait: Duration, watch: &mut dyn Watch) -> Result<Next, DatabaseError> {
        let progress = &mut slice.relocation.progress;
        progress.passes += 1;
        progress.position = None;
        let found = std::mem::take(&mut progress.found);
        match self.vault.remove_left(slice.source, slice.relocation.grace, watch).await {
            Ok(removed) => {
                let progress = &mut slice.relocation.progress;
                progress.removed += removed.replicas;
                progress.failures += removed.failed;
                progress.last_error = removed.last_error.unwrap_or_else(|| std::mem::take(&mut progress.last_error));
            }
            Err(error) => return self.failed(slice, &error).await,
        }
        if slice.relocation.state == State::Running {
            let grace = slice.relocation.grace.max(GARBAGE_GRACE);
            match self.vault.collect_on(slice.source, grace, watch).await {
                Ok(collected) => slice.relocation.progress.removed += collected.segments,
                Err(error) => return self.failed(slice, &error).await,
            }
        }
        let held = self.held(&slice).await?;
        let progress = &mut slice.relocation.progress;
        count_anew(progress, held);
        // The pass met all that is on the source. What others, of another policy, write there is no work of this move.
        let found = if held.segments > held.leaving { found } else { 0 };
        let barren_wait = end_barren(progress, found);
        if found > 0 {
            return self.save(&slice.relocation, Next::After(barren_wait.unwrap_or(wait))).await;
        }
        if self.is_over(&slice, held).await? {
            return self.end(&slice.relocation).await;
        }
        let wait = (slice.relocation.grace / 10).clamp(WAIT_LEAST, WAIT_MOST);
        self.save(&slice.relocation, Next::After(wait)).await
    }

    /// Whether a pass that found nothing to do was the last.
    async fn is_over(&self, slice: &Slice, held: Held) -> Result<bool, DatabaseError> {
        if slice.relocation.state == State::Cancelled {
            // Others may want to have the rest there.
            return Ok(held.leaving == 0);
        }
        let now = self.world.now();
        let created_at = slice.relocation.created_at;
        // An order of a moment yet to come was given by a clock that was wrong.
        let is_heard = created_at.after(HEARD_EVERYWHERE) <= now || created_at > now.after(HEARD_EVERYWHERE);
        Ok(is_heard && held.segments + held.garbage == 0 && self.expected(slice, now).await? == 0)
    }

    /// Objects at the source that an upload may still commit: one that began before it heard of the move, and not longer
    /// ago than the grace.
    async fn expected(&self, slice: &Slice, now: Timestamp) -> Result<u64, DatabaseError> {
        let Slice { source, policy, relocation } = slice;
        let (source, policy) = (*source, *policy);
        let within = now.before(relocation.grace)..=now.after(relocation.grace.saturating_add(HEARD_EVERYWHERE));
        let topology = self.vault.topology();
        let Some(member) = topology.member(source) else { return Ok(0) };
        let (mut after, mut expected) = (None, 0);
        for _ in 0..LISTED_PAGES_MAX {
            let page = match member.cloud.list(after, LISTED).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(backend.id = %source, %error, "it cannot be seen whether the source is empty");
                    return Ok(1);
                }
            };
            let Some(last) = page.last() else { break };
            after = Some(last.name);
            let names: Vec<_> = page.iter().map(|object| object.name).collect();
            let within = within.clone();
            let read = move |tx: &mut Tx<'_>| relocations::expected(tx, (source, policy), &names, within);
            expected += self.database.read_long(read).await?;
        }
        Ok(expected)
    }

    async fn held(&self, slice: &Slice) -> Result<Held, DatabaseError> {
        let (source, policy) = (slice.source, slice.policy);
        self.database.read_long(move |tx| relocations::held(tx, source, policy)).await
    }

    async fn failed(&self, mut slice: Slice, error: &entente_vault::Error) -> Result<Next, DatabaseError> {
        let id = slice.relocation.id;
        tracing::warn!(relocation.id = %id, %error, "a relocation cannot go on now; trying again soon");
        let progress = &mut slice.relocation.progress;
        progress.failures += 1;
        progress.last_error = with_causes(error);
        self.save(&slice.relocation, Next::After(FAILURE_WAIT)).await
    }
}

/// Counts what is left to be moved, and with it the total: that grows while others write.
fn count_anew(progress: &mut Progress, held: Held) {
    progress.pieces_total = progress.pieces_done + held.segments.saturating_sub(held.leaving);
    progress.bytes_total = progress.bytes_done + held.bytes.saturating_sub(held.leaving_bytes);
}

/// Notes whether a pass that found so much found nothing but what cannot be read. Answers how long to wait then: there is no
/// use in looking again at once.
pub(super) fn end_barren(progress: &mut Progress, found: u64) -> Option<Duration> {
    if found == 0 || found > progress.unreadable {
        progress.barren = 0;
        return None;
    }
    let doublings = u32::try_from(progress.barren).unwrap_or(u32::MAX).min(16);
    progress.barren += 1;
    Some(UNREADABLE_WAIT.saturating_mul(1 << doublings).min(UNREADABLE_WAIT_MAX))
}

fn take_in(progress: &mut Progress, converged: Converged) {
    progress.position = converged.cursor.map(|cursor| cursor.to_bytes());
    // What is awaited comes by itself, and what is untended stays: neither keeps a pass from being the last.
    progress.found += converged.copied + converged.kept + converged.left + converged.repacked;
    progress.found += converged.failed + converged.unreadable;
    progress.pieces_done += converged.left + converged.repacked;
    progress.bytes_done += converged.copied_bytes + converged.repacked_bytes;
    progress.unreadable += converged.unreadable;
    progress.failures += converged.failed + converged.unreadable;
    if let Some(error) = converged.last_error {
        progress.last_error = error;
    }
}

#[cfg(test)]
mod tests {
    use super::{UNREADABLE_WAIT, UNREADABLE_WAIT_MAX, end_barren};
    use entente_database::relocations::Progress;

    #[test]
    fn what_cannot_be_read_is_looked_at_less_and_less_often() {
        let mut progress = Progress { unreadable: 2, ..Progress::default() };
        let waits: Vec<_> = (0..20).filter_map(|_| end_barren(&mut progress, 2)).collect();
        assert_eq!((waits.len(), waits[0], waits[1]), (20, UNREADABLE_WAIT, UNREADABLE_WAIT * 2));
        assert!(waits.is_sorted() && waits.last() == Some(&UNREADABLE_WAIT_MAX), "{waits:?}");
        assert_eq!(end_barren(&mut progress, 3), None, "something was done besides");
        assert_eq!(progress.barren, 0);
        assert_eq!(end_barren(&mut progress, 2), Some(UNREADABLE_WAIT));
        assert_eq!((end_barren(&mut progress, 0), progress.barren), (None, 0), "nothing is left");
    }
}
