//! Segments from which not everything could be read from any replica. What wrote over them, or comes in the way of reading
//! them, may pass, so they are looked at again: after a few seconds first, then more and more seldom, and without holding up
//! the others. Kept in memory: a new process looks at each of them once more.

use entente_model::SegmentId;
use entente_world::World;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long one is left alone after it was first found so, and at most.
const REST_FIRST: Duration = Duration::from_secs(5);
const REST_MAX: Duration = Duration::from_secs(10 * 60);
/// More than these are not remembered; the others are looked at each time.
const REMEMBERED_MAX: usize = 10_000;

pub(crate) struct Unreadable {
    world: World,
    resting: Mutex<BTreeMap<SegmentId, Rest>>,
}

#[derive(Clone, Copy)]
struct Rest {
    until: Instant,
    span: Duration,
}

impl Unreadable {
    pub(crate) fn new(world: World) -> Self {
        Self { world, resting: Mutex::default() }
    }

    /// Whether it was found so a moment ago.
    pub(crate) fn rests(&self, segment: SegmentId) -> bool {
        self.resting().get(&segment).is_some_and(|rest| self.world.instant() < rest.until)
    }

    /// It has been found so, once more perhaps.
    pub(crate) fn found(&self, segment: SegmentId) {
        let mut resting = self.resting();
        let before = resting.get(&segment).map(|rest| rest.span);
        if before.is_none() && resting.len() >= REMEMBERED_MAX {
            return;
        }
        let span = before.map_or(REST_FIRST, |span| span.saturating_mul(2).min(REST_MAX));
        resting.insert(segment, Rest { until: self.world.instant() + span, span });
    }

    /// It has been read, or is no more.
    pub(crate) fn is_read(&self, segment: SegmentId) {
        self.resting().remove(&segment);
    }

    fn resting(&self) -> MutexGuard<'_, BTreeMap<SegmentId, Rest>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_model::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn each_rest_is_longer_until_it_is_read() {
        let unreadable = Unreadable::new(World::simulated(1, Timestamp::from_millis(0)));
        let segment = SegmentId::new(7);
        let rest = || async {
            unreadable.found(segment);
            let begun = tokio::time::Instant::now();
            while unreadable.rests(segment) {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            begun.elapsed().as_secs()
        };
        let mut spans = Vec::new();
        for _ in 0..9 {
            spans.push(rest().await);
        }
        assert_eq!(spans, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        unreadable.is_read(segment);
        assert!(!unreadable.rests(segment));
        assert_eq!(rest().await, 5);
    }

    #[test]
    fn only_so_many_are_remembered() {
        let unreadable = Unreadable::new(World::simulated(1, Timestamp::from_millis(0)));
        let most = i64::try_from(REMEMBERED_MAX).unwrap();
        (0..=most).for_each(|number| unreadable.found(SegmentId::new(number)));
        assert!(unreadable.rests(SegmentId::new(most - 1)) && !unreadable.rests(SegmentId::new(most)));
    }
}
