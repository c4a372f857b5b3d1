//! The engines, through their public face: real threads, real fsync. On a file, or on a server when
//! `ENTENTE_TEST_DATABASE=postgres`; what only one of them does is tested on that one in either case.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "some tests need threads that block one another")]

mod commits;
mod files;
mod ids;
mod kit;
mod log;
mod movements;
mod neighbours;
mod postgres;
mod reads;
mod storage;
