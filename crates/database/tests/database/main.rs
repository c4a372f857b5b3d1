//! The engine, through its public face: one file, real threads, real fsync.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod commits;
mod files;
mod ids;
mod kit;
mod log;
mod neighbours;
mod reads;
