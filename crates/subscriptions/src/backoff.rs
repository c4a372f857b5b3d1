//! How long a delivery waits that did not arrive.

use entente_world::Random;
use std::time::Duration;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// After many.
pub(crate) const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The wait after so many failures: it doubles from a second up to an hour, and a quarter of it is left to chance, so that
/// what failed together is not sent together.
pub(crate) fn wait(attempts: u32, random: &Random) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let quarter_ms = u64::try_from(full.as_millis() / 4).unwrap_or(0);
    full - Duration::from_millis(random.below(quarter_ms.max(1)))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, wait};
    use crate::ATTEMPTS_MAX;
    use crate::sender::AGE_MAX;
    use entente_world::World;
    use std::time::Duration;

    #[test]
    fn waits_grow_to_an_hour() {
        let world = World::real();
        let seconds = |attempts| wait(attempts, world.random()).as_secs_f64();
        assert!((0.75..=1.0).contains(&seconds(1)));
        assert!((3.0..=4.0).contains(&seconds(3)));
        for attempts in [20, u32::MAX] {
            let wait = wait(attempts, world.random());
            assert!(wait <= LONGEST && wait >= Duration::from_secs(45 * 60), "{wait:?}");
        }
    }

    #[test]
    fn attempts_last_for_as_long_as_a_delivery_may_be_old() {
        let world = World::real();
        let waits: Duration = (1..ATTEMPTS_MAX).map(|attempts| wait(attempts, world.random())).sum();
        assert!(waits > AGE_MAX, "{waits:?}");
    }
}
