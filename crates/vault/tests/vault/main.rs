//! The vault on real parts: SQLite, and a backend in memory whose objects can be damaged. And, in simulated time, on several
//! backends that fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod backend;
mod company;
mod country;
mod customer;
mod damage;
mod failover;
mod kit;
mod ledger;
mod limits;
mod memory_ledger;
mod outage;
mod replicas;
mod residency;
mod spot;
mod upkeep;
mod upkeep_kit;
mod upkeep_moves;
mod upkeep_replicas;
mod upkeep_scrub;
mod withdrawal;
