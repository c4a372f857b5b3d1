//! What tests of several rooms share. Only ever a dev-dependency.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]

mod stage;

pub use stage::Stage;
