//! How fast upkeep may go.

use entente_world::World;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often one who waits for his turn looks whether to stop.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A rate of less than this is taken for this one, so that a job ends some day.
const RATE_MIN: u64 = 1024;

/// How fast a job of upkeep may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Bytes a second that are copied, or read where none are written; `None`: as fast as it goes. At least 1 KiB.
    pub bytes_per_second: Option<u64>,
    /// Objects that are under way at a time; at least 1.
    pub parallel: usize,
}

impl Default for Pace {
    /// As fast as it goes, eight objects at a time.
    fn default() -> Self {
        Self { bytes_per_second: None, parallel: 8 }
    }
}

impl Pace {
    /// How many bytes may go in so much time, if that is limited.
    pub(crate) fn bytes_in(&self, span: Duration) -> Option<u64> {
        self.rate().map(|rate| rate.saturating_mul(span.as_secs().max(1)))
    }

    fn rate(&self) -> Option<u64> {
        self.bytes_per_second.map(|rate| rate.max(RATE_MIN))
    }
}

/// Lets bytes pass at a pace, and nothing once it is stopped.
pub(crate) struct Gate {
    world: World,
    pace: Pace,
    /// When the next bytes may pass.
    next: Mutex<Instant>,
    stopped: AtomicBool,
}

impl Gate {
    pub(crate) fn new(world: World, pace: &Pace) -> Self {
        let next = Mutex::new(world.instant());
        Self { world, pace: *pace, next, stopped: AtomicBool::new(false) }
    }

    /// How many may be under way at a time.
    pub(crate) fn parallel(&self) -> usize {
        self.pace.parallel.max(1)
    }

    /// Waits until so many bytes may pass; `false` when it was stopped.
    pub(crate) async fn pass(&self, bytes: u64) -> bool {
        let Some(rate) = self.pace.rate() else { return !self.is_stopped() };
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(self.world.instant());
            let takes = bytes.saturating_mul(1_000_000) / rate;
            *next = turn.checked_add(Duration::from_micros(takes)).unwrap_or(turn);
            turn
        };
        loop {
            if self.is_stopped() {
                return false;
            }
            let wait = turn.saturating_duration_since(self.world.instant());
            if wait.is_zero() {
                return true;
            }
            self.world.sleep(wait.min(LOOK_EVERY)).await;
        }
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// A while after which one looks again whether to stop.
    pub(crate) async fn while_looking_away(&self) {
        self.world.sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_model::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn bytes_pass_at_their_pace_and_not_after_a_stop() {
        let world = World::simulated(1, Timestamp::from_millis(0));
        let gate = Gate::new(world.clone(), &Pace { bytes_per_second: Some(10_000), parallel: 2 });
        let begun = world.instant();
        for _ in 0..5 {
            assert!(gate.pass(20_000).await);
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(8));
        gate.stop();
        assert!(!gate.pass(1).await);
    }
}
