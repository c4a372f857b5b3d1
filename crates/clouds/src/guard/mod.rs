//! Wrappers with the same trait: each adds one care to whatever backend is inside.
//!
//! The usual [`stack()`], from the outside in: [`Meter`], [`Breaker`], [`Retry`], [`Limit`], [`Timeout`], the cloud. So
//! a try that waits before it is repeated holds no place of [`Limit`], each try has its own time, and a backend counts
//! as failing when its tries have been used up. [`Faulty`] and [`Troubled`] go innermost, in tests and simulations only.

mod breaker;
mod fault;
mod health;
mod limit;
mod meter;
mod retry;
mod stack;
mod timeout;
mod trouble;

pub use breaker::{Breaker, probe};
pub use fault::{Fault, Faulty};
pub use health::{BreakerSettings, Health, HealthReport, HealthState};
pub use limit::Limit;
pub use meter::Meter;
pub use retry::{Retry, RetrySettings};
pub use stack::{StackSettings, stack};
pub use timeout::{Timeout, TimeoutSettings};
pub use trouble::{Trouble, TroubleSwitch, Troubled};

#[cfg(test)]
mod breaker_tests;
#[cfg(test)]
mod tests;
