//! Seeded histories of the vault and its upkeep against failing backends, with a crash between any two steps.
//!
//! A **history** is a few lives over one durable state (objects and ledger). In each life some clients write, copy,
//! read and delete at random, upkeep runs among them, backends fail now and then, and at a random step everything stops:
//! what was not yet durable is gone. Afterwards, and at the end, the state is compared with a simple model:
//!
//! * what was acknowledged reads back equal, what was not is there whole or not at all (P1);
//! * no object holds a stretch of plaintext (P2);
//! * open creations, and the pages asked of the ledger, stay within their limits (P7);
//! * `verify` finds nothing, and after `collect` there is no garbage.
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
