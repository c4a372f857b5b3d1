//! Wrappers with the same trait: each adds one care to whatever backend is inside.
//!
//! A usual stack, from the outside in: [`Meter`], [`Retry`], [`Limit`], [`Timeout`], the cloud. So a try that
//! waits before it is repeated holds no place of [`Limit`], and each try has its own time. [`Faulty`] goes
//! innermost, in tests and simulations only.

mod fault;
mod limit;
mod meter;
mod retry;
mod timeout;

pub use fault::{Fault, Faulty};
pub use limit::Limit;
pub use meter::Meter;
pub use retry::{Retry, RetrySettings};
pub use timeout::{Timeout, TimeoutSettings};

#[cfg(test)]
mod tests;
