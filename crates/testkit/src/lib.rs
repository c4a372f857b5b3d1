//! What tests of several rooms share. Only ever a dev-dependency.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]

mod device;
mod policies;
mod scratch;
mod stage;

pub use device::Device;
pub use scratch::{Scratch, is_on_server};
pub use stage::Stage;

/// The database, for tests of rooms that may not lean on it.
pub use entente_database as database;
