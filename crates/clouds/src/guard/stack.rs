use super::{Breaker, BreakerSettings, Health, Limit, Meter, Retry, RetrySettings, Timeout, TimeoutSettings};
use crate::Backend;
use entente_world::World;
use std::{sync::Arc, time::Duration};

/// How a backend is guarded.
#[derive(Debug, Clone, Copy)]
pub struct StackSettings {
    /// When it counts as down or slow.
    pub breaker: BreakerSettings,
    /// How often a call is tried again.
    pub retry: RetrySettings,
    /// How many calls run at once.
    pub operations_max: usize,
    /// How long one try may take.
    pub timeout: TimeoutSettings,
}

impl StackSettings {
    /// For a cloud: one quick second try, since another replica is better than a long wait.
    #[must_use]
    pub const fn cloud() -> Self {
        Self {
            breaker: BreakerSettings {
                failures_max: 3,
                probe_after: Duration::from_secs(2),
                probe_after_max: Duration::from_secs(30),
                slow_from: Duration::from_millis(750),
            },
            retry: RetrySettings {
                tries_max: 2,
                wait_first: Duration::from_millis(50),
                wait_max: Duration::from_millis(500),
            },
            operations_max: 64,
            timeout: TimeoutSettings { operation: Duration::from_secs(5), bytes_per_second_min: 1024 * 1024 },
        }
    }

    /// For a disk: it fails for good or not at all, and may be busy for long.
    #[must_use]
    pub const fn disk() -> Self {
        Self {
            breaker: BreakerSettings {
                failures_max: 8,
                probe_after: Duration::from_secs(1),
                probe_after_max: Duration::from_secs(10),
                slow_from: Duration::from_millis(1000),
            },
            retry: RetrySettings {
                tries_max: 2,
                wait_first: Duration::from_millis(20),
                wait_max: Duration::from_millis(100),
            },
            operations_max: 512,
            timeout: TimeoutSettings { operation: Duration::from_secs(30), bytes_per_second_min: 1024 * 1024 },
        }
    }
}

/// The usual guards around a backend, in the order that this module's introduction gives, and how it is.
///
/// `name` is what the backend is called in the configuration.
#[must_use]
pub fn stack(
    backend: Arc<dyn Backend>,
    world: &World,
    name: &str,
    settings: StackSettings,
) -> (Arc<dyn Backend>, Health) {
    let health = Health::new(world.clone(), name, settings.breaker);
    let timeout = Timeout::new(backend, world.clone(), settings.timeout);
    let limit = Limit::new(Arc::new(timeout), settings.operations_max);
    let retry = Retry::new(Arc::new(limit), world.clone(), settings.retry);
    let breaker = Breaker::new(Arc::new(retry), world.clone(), health.clone());
    (Arc::new(Meter::new(Arc::new(breaker), world.clone(), name)), health)
}
