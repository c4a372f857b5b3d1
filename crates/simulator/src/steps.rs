//! Steps: every call of the vault to the outside is one before and one after its effect. A step may take its time, and at a
//! chosen one the world ends.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The longest that one step takes, in milliseconds.
const PAUSE_MS_MAX: u64 = 4;

/// Counts steps, and stops everything when they are used up. Clones share the count.
#[derive(Clone)]
pub(crate) struct Steps {
    inner: Arc<Inner>,
}

struct Inner {
    left: AtomicI64,
    /// One step in so many takes some milliseconds; 0 is never.
    pauses: u32,
    crashed: AtomicBool,
    crash: Notify,
    rng: Mutex<fastrand::Rng>,
    /// A digest of the order of steps, to prove that a seed repeats itself.
    trace: AtomicU64,
}

impl Steps {
    /// Steps that end after `left` of them (never, if negative).
    pub(crate) fn new(seed: u64, left: i64, pauses: u32, trace: u64) -> Self {
        let rng = Mutex::new(fastrand::Rng::with_seed(seed));
        let inner = Inner {
            left: AtomicI64::new(if left < 0 { i64::MAX } else { left }),
            pauses,
            crashed: AtomicBool::new(false),
            crash: Notify::new(),
            rng,
            trace: AtomicU64::new(trace),
        };
        Self { inner: Arc::new(inner) }
    }

    /// One step: lets others run, or never returns.
    pub(crate) async fn step(&self, what: &'static str) {
        if self.inner.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            self.inner.crashed.store(true, Ordering::Relaxed);
            self.inner.crash.notify_one();
            std::future::pending::<()>().await;
        }
        for byte in what.bytes() {
            let trace = self.inner.trace.load(Ordering::Relaxed);
            self.inner.trace.store((trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3), Ordering::Relaxed);
        }
        if self.one_in(self.inner.pauses) {
            return self.pause(PAUSE_MS_MAX).await;
        }
        let yields = self.random(|rng| rng.u32(0..3));
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
    }

    /// Takes up to so many milliseconds.
    pub(crate) async fn pause(&self, most_ms: u64) {
        tokio::time::sleep(Duration::from_millis(self.random(|rng| rng.u64(0..=most_ms)))).await;
    }

    /// Waits for the end of the world.
    pub(crate) async fn crashed(&self) {
        self.inner.crash.notified().await;
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.inner.crashed.load(Ordering::Relaxed)
    }

    pub(crate) fn trace(&self) -> u64 {
        self.inner.trace.load(Ordering::Relaxed)
    }

    /// Whether something happens that happens once in so many times; 0 is never.
    pub(crate) fn one_in(&self, odds: u32) -> bool {
        odds > 0 && self.random(|rng| rng.u32(0..odds)) == 0
    }

    pub(crate) fn random<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.inner.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
