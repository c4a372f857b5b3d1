//! Stories of the tree, on a real database and a vault over memory.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod access;
mod buckets;
mod copies;
mod desk;
mod files;
mod folders;
mod followed;
mod keys;
mod listings;
mod model;
mod multipart;
mod paths;
mod people;
mod pieces;
mod races;
mod sessions;
mod storage;
mod trash;
mod versions;
