use entente_model::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2024-01-01T00:00:00Z, from which the time in an id counts.
const START_MILLIS: i64 = 1_704_067_200_000;
/// Low bits: ten for the process, twelve for the count within a millisecond.
const PROCESS_BITS: u32 = 10;
const COUNT_BITS: u32 = 12;
/// The latest time in an id, some weeks before its bits end: a clock that shows nonsense must not make negative ids.
const MILLIS_MAX: i64 = (1 << 41) - (1 << 32);

/// Makes 63-bit ids: 41 bits of milliseconds (until 2093), then the count, then the process.
///
/// Processes on one machine that share a database draw their ten bits at random; should they draw the same, the
/// primary key refuses the second row and the command is run again with a fresh id. Nodes that share a database server
/// are given a number each, which takes the place of the random one.
pub struct Ids {
    /// The greatest `milliseconds << COUNT_BITS | count` handed out.
    last: AtomicI64,
    process: AtomicI64,
}

impl Ids {
    pub(crate) fn new(random: u64) -> Self {
        let process = random & ((1 << PROCESS_BITS) - 1);
        Self { last: AtomicI64::new(0), process: AtomicI64::new(i64::try_from(process).unwrap_or(0)) }
    }

    pub(crate) fn next(&self, now: Timestamp) -> i64 {
        let earliest = now.millis().saturating_sub(START_MILLIS).clamp(1, MILLIS_MAX) << COUNT_BITS;
        let step = |last: i64| Some(earliest.max(last + 1));
        // A full millisecond borrows from the next one; a clock set back goes on where it was.
        let before = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or(0);
        (earliest.max(before + 1) << PROCESS_BITS) | self.process.load(Ordering::Relaxed)
    }

    /// Takes the low bits of the number as the process's own.
    pub(crate) fn use_process(&self, number: i64) {
        self.process.store(number & ((1 << PROCESS_BITS) - 1), Ordering::Relaxed);
    }

    pub(crate) fn after(&self, id: i64) {
        self.last.fetch_max(id >> PROCESS_BITS, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_goes_back() {
        let ids = Ids::new(7);
        let noon = Timestamp::from_millis(START_MILLIS + 1_000_000);
        let mut last = 0;
        for step in 0..20_000_i64 {
            let id = ids.next(Timestamp::from_millis(noon.millis() - step));
            assert!(id > last);
            last = id;
        }
        ids.after(last + (1 << 40));
        assert!(ids.next(noon) > last + (1 << 40));
    }

    #[test]
    fn ids_of_two_processes_never_meet() {
        let (one, two) = (Ids::new(7), Ids::new(7));
        one.use_process(3);
        two.use_process(1_023);
        let now = Timestamp::from_millis(START_MILLIS + 1_000_000);
        let of_one: Vec<_> = (0..5_000).map(|_| one.next(now)).collect();
        assert!((0..5_000).map(|_| two.next(now)).all(|id| !of_one.contains(&id)));
    }

    #[test]
    fn ids_fit_in_63_bits_until_2093() {
        let ids = Ids::new(u64::MAX);
        assert!(ids.next(Timestamp::from_millis(3_881_520_000_000)) > 0);
    }

    #[test]
    fn a_clock_that_shows_nonsense_makes_no_nonsense() {
        let ids = Ids::new(u64::MAX);
        let mut last = 0;
        for millis in [i64::MAX, 0, i64::MIN, 10_000_000_000_000] {
            let id = ids.next(Timestamp::from_millis(millis));
            assert!(id > last);
            last = id;
        }
    }
}
