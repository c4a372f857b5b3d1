//! How many writers are to work at a time: as many as do not get into each other's way.
//!
//! Commands that change the same rows (everything that one user stores counts towards one limit) gain nothing from
//! several transactions at a time: all but one run in vain. Commands of different users gain much.
//!
//! When one writer alone still meets others, they are those of other nodes. Then the nodes take turns.

/// Batches without a conflict after which another writer may try.
const CALM_MIN: u32 = 64;
const CALM_MAX: u32 = 8_192;

#[derive(Debug)]
pub(super) struct Pace {
    max: usize,
    allowed: usize,
    takes_turns: bool,
    /// Batches since the last conflict or change.
    calm: u32,
    /// How many it takes.
    wanted: u32,
}

impl Pace {
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        Self { max, allowed: max, takes_turns: false, calm: 0, wanted: CALM_MIN }
    }

    /// How many writers may work now: 1 or more.
    pub(super) fn allowed(&self) -> usize {
        self.allowed
    }

    /// Whether a batch is to wait until no other node that takes turns is at work.
    pub(super) fn takes_turns(&self) -> bool {
        self.takes_turns
    }

    pub(super) fn went_well(&mut self) {
        self.calm = self.calm.saturating_add(1);
        if self.calm < self.wanted {
            return;
        }
        self.calm = 0;
        if self.takes_turns {
            self.takes_turns = false;
        } else if self.allowed < self.max {
            self.allowed += 1;
        } else {
            // All have worked for long without a conflict: the times have changed.
            self.wanted = (self.wanted / 2).max(CALM_MIN);
        }
    }

    pub(super) fn met_another(&mut self) {
        self.calm = 0;
        if self.allowed > 1 {
            self.allowed = (self.allowed / 2).max(1);
        } else if !self.takes_turns {
            self.takes_turns = true;
        } else {
            // Others do not take turns yet.
            return;
        }
        self.wanted = (self.wanted * 2).min(CALM_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_leave_one_writer_and_calm_brings_the_others_back() {
        let mut pace = Pace::new(4);
        assert_eq!(pace.allowed(), 4);
        pace.met_another();
        pace.met_another();
        pace.met_another();
        assert_eq!(pace.allowed(), 1);
        (0..10_000).for_each(|_| pace.went_well());
        assert_eq!(pace.allowed(), 4);
    }

    #[test]
    fn a_lone_writer_that_still_meets_others_takes_turns_with_them() {
        let mut pace = Pace::new(2);
        pace.met_another();
        assert_eq!((pace.allowed(), pace.takes_turns()), (1, false));
        pace.met_another();
        assert_eq!((pace.allowed(), pace.takes_turns()), (1, true));
        (0..CALM_MIN * 4).for_each(|_| pace.went_well());
        assert_eq!((pace.allowed(), pace.takes_turns()), (1, false), "calm ends the turns first");
        (0..CALM_MIN * 4).for_each(|_| pace.went_well());
        assert_eq!((pace.allowed(), pace.takes_turns()), (2, false));
    }

    #[test]
    fn those_who_meet_whenever_they_try_try_ever_less() {
        let mut pace = Pace::new(2);
        let mut tries = 0;
        for _ in 0..100_000 {
            if pace.allowed() > 1 {
                tries += 1;
                pace.met_another();
            } else {
                pace.went_well();
            }
        }
        assert!(tries < 25, "{tries}");
    }
}
