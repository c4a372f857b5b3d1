//! Stories told to the S3 door's router, in-process: what a client sends, and what it gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests know their answers"
)]

mod bodies;
mod browsers;
mod buckets;
mod copies;
mod customer_keys;
mod forms;
mod harness;
mod listing;
mod lock;
mod multipart;
mod objects;
mod settings;
mod sharing;
mod signatures;
mod versions;
