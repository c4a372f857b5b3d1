//! How often somebody who is not known may do something: so many times in a while, by network.

use crate::slowdown::network;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Counters that are kept; when there are more, the oldest are forgotten.
const KEPT_MAX: usize = 4_096;

/// Counts turns. A few hundred KiB at most.
pub struct Turns {
    most: u32,
    within: Duration,
    hasher: RandomState,
    /// By a keyed hash of what it is about and of the network, so that neither is kept: since when, and how many.
    taken: Mutex<HashMap<u64, (Instant, u32)>>,
}

impl Turns {
    /// Lets everybody have `most` turns `within` that time.
    #[must_use]
    pub fn new(most: u32, within: Duration) -> Self {
        Self { most, within, hasher: RandomState::new(), taken: Mutex::new(HashMap::new()) }
    }

    /// Takes a turn. When there is none left: after how long there is.
    pub fn take(&self, about: impl Hash, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let key = self.hasher.hash_one((about, network(address)));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() >= KEPT_MAX && !taken.contains_key(&key) {
            taken.retain(|_, (since, _)| now.duration_since(*since) < self.within);
        }
        if taken.len() >= KEPT_MAX && !taken.contains_key(&key) {
            let oldest = taken.iter().min_by_key(|(_, (since, _))| *since).map(|(key, _)| *key);
            oldest.and_then(|key| taken.remove(&key));
        }
        let (since, count) = taken.entry(key).or_insert((now, 0));
        if now.duration_since(*since) >= self.within {
            (*since, *count) = (now, 0);
        }
        if *count >= self.most {
            return Err(self.within.saturating_sub(now.duration_since(*since)));
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT_MAX, Turns};
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn turns_end_and_come_back() {
        let (turns, start) = (Turns::new(2, MINUTE), entente_world::World::real().instant());
        assert_eq!(turns.take("a", HERE, start), Ok(()));
        assert_eq!(turns.take("a", HERE, start + MINUTE / 2), Ok(()));
        assert_eq!(turns.take("a", HERE, start + MINUTE / 2), Err(MINUTE / 2));
        assert_eq!(turns.take("b", HERE, start), Ok(()));
        assert_eq!(turns.take("a", Ipv4Addr::new(10, 0, 0, 1).into(), start), Ok(()));
        assert_eq!(turns.take("a", HERE, start + MINUTE), Ok(()));
    }

    #[test]
    fn a_neighbouring_address_does_not_help_and_memory_is_bounded() {
        let (turns, start) = (Turns::new(1, MINUTE), entente_world::World::real().instant());
        assert_eq!(turns.take("a", "2001:db8::1".parse().unwrap(), start), Ok(()));
        assert!(turns.take("a", "2001:db8::2".parse().unwrap(), start).is_err());
        for number in 0..2 * KEPT_MAX {
            turns.take(number, HERE, start).unwrap();
        }
        assert!(turns.taken.lock().unwrap().len() <= KEPT_MAX);
    }
}
