//! Stories told to the router of directories, in-process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests know their answers"
)]

mod bulk;
mod groups;
mod harness;
mod users;
