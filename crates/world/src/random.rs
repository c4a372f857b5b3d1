use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::sync::{Mutex, PoisonError};

/// Random bytes: the system's, fit for keys, or a seeded sequence for simulations.
pub struct Random(Source);

enum Source {
    System(SystemRandom),
    Seeded(Mutex<fastrand::Rng>),
}

impl Random {
    pub(crate) fn system() -> Self {
        Self(Source::System(SystemRandom::new()))
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// Fills the buffer.
    ///
    /// A system without a working random source cannot run this program at all; the process stops
    /// rather than go on with a guessable key.
    pub fn fill(&self, buffer: &mut [u8]) {
        match &self.0 {
            Source::System(random) => {
                if random.fill(buffer).is_err() {
                    std::process::abort();
                }
            }
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill(buffer),
        }
    }

    /// That many random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A random number.
    #[must_use]
    pub fn number(&self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// A random number below `limit` (0 when `limit` is 0). The slight bias does not matter for jitter and picking.
    #[must_use]
    pub fn below(&self, limit: u64) -> u64 {
        self.number().checked_rem(limit).unwrap_or(0)
    }
}
