//! Stories told to the Box door's router, in-process: what a client sends, and what it gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests know their answers, and read the environment"
)]

mod collaborations;
mod comments;
mod company;
mod contract;
mod coverage;
mod downloads;
mod errors;
mod events;
mod favorites;
mod file_requests;
mod file_versions;
mod files;
mod folders;
mod groups;
mod harness;
mod locks;
mod metadata;
mod metadata_reach;
mod oauth;
mod people;
mod representations;
mod search;
mod shared_links;
mod storage_policies;
mod thumbnails;
mod trash;
mod upload_sessions;
mod uploads;
mod users;
mod web_links;
mod webhooks;
mod zip_downloads;
