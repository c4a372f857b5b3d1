//! Seeded histories of the vault and its upkeep against failing backends, with a crash between any two steps.
//!
//! A **history** is a few lives over one durable state (objects and ledger), half of them on one backend, the others on up
//! to three zones of up to four backends each. In each life some clients write, copy, read and delete at random, and some
//! go away half way; upkeep runs among them, also in a second process; an operator changes redirects and policies; backends,
//! ledger and custodian fail now and then, and backends refuse, hang, are slow, flip bits or list what was long ago for a
//! while; and at a random step everything stops: what was not yet durable is gone. Some replicas rot. Afterwards, and at
//! the end, the state is compared with a simple model:
//!
//! * what was acknowledged reads back equal, what was not is there whole or not at all (P1);
//! * no object holds a stretch of plaintext, and no two chunks have one salt (P2);
//! * nothing is on a backend outside of its zone, ever;
//! * open creations, and the pages asked of the ledger, stay within their limits (P7);
//! * nothing is read or written with a key that was withdrawn;
//! * after some converging there is nothing left to do, each segment has the replicas that its policy means and no others,
//!   and after `collect` the backends have these objects and no others;
//! * a scrub finds what has rotted, nothing else, and converging repairs it;
//! * `verify` finds nothing;
//! * what fails has a reason to.
//!
//! docs/decisions/0012-how-far-simulation-reaches.md tells which mistakes it notices.
//!
//! Everything follows from the seed. It does not reach the tree, the doors or SQL: those are tested on real parts.

mod backend;
mod checks;
mod clients;
mod custodian;
mod drill;
mod history;
mod ledger;
mod model;
mod setting;
mod stage;
mod steps;
mod upkeep;

pub use history::{Outcome, run};
