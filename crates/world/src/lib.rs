//! Time, randomness, ids and spawning, so that a seeded simulator can stand in for the real ones.
//!
//! Everything that would make two runs of the same history differ is asked of a [`World`]. The real
//! world uses the system's clock, the system's random source and tokio's threads. A simulated one
//! uses tokio's paused clock and a seeded generator, and runs blocking work where it stands, so that a
//! run on a single-threaded runtime is repeatable from its seed.

mod ids;
mod random;
mod shutdown;

use entente_model::Timestamp;
use std::{future::Future, sync::Arc, time::Duration};

pub use ids::Ids;
pub use random::Random;
pub use shutdown::{Shutdown, ShutdownTrigger};

/// The outside, as far as it varies from run to run. Cheap to clone.
#[derive(Clone)]
pub struct World {
    inner: Arc<Inner>,
}

struct Inner {
    random: Random,
    ids: Ids,
    /// In a simulation, the moment that its paused clock started from.
    simulated_start: Option<(Timestamp, tokio::time::Instant)>,
}

impl World {
    /// The real world.
    #[must_use]
    pub fn real() -> Self {
        let random = Random::system();
        let ids = Ids::new(random.number());
        Self { inner: Arc::new(Inner { random, ids, simulated_start: None }) }
    }

    /// A world in which everything follows from `seed`. Call it inside a single-threaded tokio runtime
    /// whose clock is paused.
    #[must_use]
    pub fn simulated(seed: u64, start: Timestamp) -> Self {
        let random = Random::seeded(seed);
        let ids = Ids::new(random.number());
        Self { inner: Arc::new(Inner { random, ids, simulated_start: Some((start, tokio::time::Instant::now())) }) }
    }

    /// What the clock on the wall shows. It may jump either way: never measure a span with it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self.inner.simulated_start {
            Some((start, since)) => start.after(since.elapsed()),
            None => system_now(),
        }
    }

    /// A clock that only goes forward, for spans.
    #[must_use]
    pub fn instant(&self) -> tokio::time::Instant {
        tokio::time::Instant::now()
    }

    /// Waits.
    pub async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }

    /// Random bytes and numbers.
    #[must_use]
    pub fn random(&self) -> &Random {
        &self.inner.random
    }

    /// A new id: 63-bit, later ones greater within this process.
    #[must_use]
    pub fn next_id(&self) -> i64 {
        self.inner.ids.next(self.now())
    }

    /// Makes every later id greater than `id`, so that a clock set back cannot repeat one.
    pub fn ids_after(&self, id: i64) {
        self.inner.ids.after(id);
    }

    /// Gives this process a number among those that share a database, up to 1023: ids of different numbers never meet.
    pub fn use_process_number(&self, number: i64) {
        self.inner.ids.use_process(number);
    }

    /// Starts a task. It ends with the runtime; nobody is told when it panics, so it must not.
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns tasks")]
    pub fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(task)
    }

    /// Runs slow, synchronous work off the async threads (where it stands, in a simulation).
    ///
    /// Dropping the future does not stop work that has begun.
    #[expect(clippy::disallowed_methods, reason = "the one place that leaves the async threads")]
    pub async fn blocking<T, F>(&self, work: F) -> Result<T, Interrupted>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if self.inner.simulated_start.is_some() {
            return Ok(work());
        }
        tokio::task::spawn_blocking(work).await.map_err(|_| Interrupted)
    }
}

/// The work did not finish: the process is stopping, or it panicked. May be retried.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the work was interrupted because the process is stopping")]
pub struct Interrupted;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
fn system_now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_millis(since.map_or(0, |span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
}
