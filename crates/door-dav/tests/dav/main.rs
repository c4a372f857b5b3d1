//! Stories told to the WebDAV door's router, in-process: what a client sends, and what it gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests know their answers"
)]

mod bad_input;
mod conditions;
mod copies;
mod credentials;
mod files;
mod habits;
mod harness;
mod listings;
mod locks;
mod properties;
