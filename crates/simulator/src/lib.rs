//! Seeded histories of the vault and its upkeep against failing backends, with a crash between any two steps.
//!
//! A **history** is a few lives over one durable state (objects and ledger). In each life some clients write, copy,
//! read and delete at random, and some go away half way; upkeep runs among them, also in a second process; backends,
//! ledger and custodian fail now and then; and at a random step everything stops: what was not yet durable is gone.
//! Afterwards, and at the end, the state is compared with a simple model:
//!
//! * what was acknowledged reads back equal, what was not is there whole or not at all (P1);
//! * no object holds a stretch of plaintext, and no two chunks have one salt (P2);
//! * open creations, and the pages asked of the ledger, stay within their limits (P7);
//! * nothing is read or written with a key that was withdrawn;
//! * `verify` finds nothing, and after `collect` there is no garbage;
//! * what fails has a reason to.
//!
//! docs/decisions/0012-how-far-simulation-reaches.md tells which mistakes it notices.
//!
//! Everything follows from the seed. It does not reach the tree, the doors or SQL: those are tested on real parts.

mod backend;
mod clients;
mod custodian;
mod history;
mod ledger;
mod model;
mod steps;

pub use history::{Outcome, run};
