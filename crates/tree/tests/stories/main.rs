//! Stories of the tree, on a real database and a vault over memory.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod access;
mod buckets;
mod copies;
mod customers;
mod desk;
mod files;
mod folders;
mod followed;
mod keys;
mod lifecycle;
mod listings;
mod model;
mod multipart;
mod paths;
mod people;
mod pieces;
mod races;
mod retention;
mod sessions;
mod sharing;
mod storage;
mod subscriptions;
mod trash;
mod versions;
