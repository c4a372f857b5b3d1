//! Slows down whoever guesses passwords.

use entente_model::fold;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Pairs of login and address that are remembered; when there are more, those that failed longest ago are forgotten.
const REMEMBERED_MAX: usize = 4_096;
/// Failures that cost nothing: people mistype.
const FREE_FAILURES: u32 = 3;
/// What the first failure after those costs; each further one twice as much.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// What a failure costs at most.
const PAUSE_MAX: Duration = Duration::from_secs(4);
/// After so long without a failure, all is forgiven.
const FORGIVEN: Duration = Duration::from_secs(10 * 60);

/// Remembers who failed lately. A few hundred KiB at most.
pub(crate) struct Slowdown {
    hasher: RandomState,
    /// By a keyed hash of login and address, so that neither is kept.
    failures: Mutex<HashMap<u64, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Slowdown {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), failures: Mutex::new(HashMap::new()) }
    }

    /// Notes a failure; answers how long its answer is to wait.
    pub(crate) fn failed(&self, login: &str, address: IpAddr, now: Instant) -> Duration {
        let key = self.hasher.hash_one((fold(login), network(address)));
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |found: &Failures| now.duration_since(found.last) < FORGIVEN;
        let count = failures.get(&key).filter(|found| is_recent(found)).map_or(0, |found| found.count) + 1;
        failures.insert(key, Failures { count, last: now });
        if failures.len() > REMEMBERED_MAX {
            let mut times: Vec<Instant> = failures.values().map(|found| found.last).collect();
            let middle = times.len() / 2;
            let (_, median, _) = times.select_nth_unstable(middle);
            let median = *median;
            failures.retain(|other, found| found.last > median || *other == key);
        }
        let doublings = count.saturating_sub(FREE_FAILURES);
        if doublings == 0 {
            Duration::ZERO
        } else {
            PAUSE_MIN.saturating_mul(1 << (doublings - 1).min(8)).min(PAUSE_MAX)
        }
    }
}

/// The address, as far as somebody cannot choose it: who has one of IPv6 has the 64 bits behind the network.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn now() -> Instant {
        entente_world::World::real().instant()
    }

    #[test]
    fn pauses_grow_and_end() {
        let (slowdown, start) = (Slowdown::new(), now());
        let pauses: Vec<_> = (0..9).map(|_| slowdown.failed("anna", HERE, start).as_millis()).collect();
        assert_eq!(pauses, [0, 0, 0, 250, 500, 1_000, 2_000, 4_000, 4_000]);
        assert_eq!(slowdown.failed("ben", HERE, start), Duration::ZERO);
        let there = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(slowdown.failed("anna", there, start), Duration::ZERO);
        assert_eq!(slowdown.failed("anna", HERE, start + FORGIVEN), Duration::ZERO);
    }

    #[test]
    fn neither_spelling_nor_a_neighbouring_address_helps() {
        let (slowdown, start) = (Slowdown::new(), now());
        let tries =
            [("anna", "2001:db8::1"), ("ANNA", "2001:db8::2"), ("Anna", "2001:db8::ffff:1"), ("anna", "2001:db8::3")];
        let pauses = tries.map(|(login, address)| slowdown.failed(login, address.parse().unwrap(), start).as_millis());
        assert_eq!(pauses, [0, 0, 0, 250]);
        assert_eq!(slowdown.failed("anna", "2001:db8:0:1::1".parse().unwrap(), start), Duration::ZERO);
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), network("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn memory_is_bounded() {
        let (slowdown, start) = (Slowdown::new(), now());
        for number in 0..20_000_u32 {
            slowdown.failed(&number.to_string(), HERE, start + Duration::from_micros(number.into()));
        }
        assert!(slowdown.failures.lock().unwrap().len() <= REMEMBERED_MAX + 1);
    }
}
