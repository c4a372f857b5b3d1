//! The vault on real parts: SQLite, and a backend in memory whose objects can be damaged.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod backend;
mod damage;
mod kit;
mod ledger;
mod limits;
mod upkeep;
mod withdrawal;
