//! The engine, through its public face: one file, real threads, real fsync.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "some tests need threads that block one another")]

mod commits;
mod files;
mod ids;
mod kit;
mod log;
mod neighbours;
mod reads;
