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
mod forms;
mod harness;
mod listing;
mod multipart;
mod objects;
mod settings;
mod signatures;
mod versions;
