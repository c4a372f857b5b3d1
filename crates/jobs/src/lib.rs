//! Work to be done later: a queue with leases, a schedule, and retries.
//!
//! A job is a kind, a key and a payload; two jobs of a kind with the same key are one job. Whoever needs one queues it
//! inside a transaction of its own ([`entente_database::jobs::enqueue`]), so that it is there exactly if the
//! transaction is. A [`Runner`] takes jobs that are due, each under a lease, and hands them to the [`Handler`] of their
//! kind. A lease that is not renewed ends, and then another runner takes the job: **jobs are delivered at least once,
//! and every handler must bear to run twice**.
//!
//! What failed is tried again later and later, and never given up; the database keeps the last error.
//!
//! This crate knows no job by name.

mod backoff;
mod handler;
mod runner;

pub use handler::{BoxError, Handler, Handlers, Outcome, Run, handler};
pub use runner::{Runner, Settings};
