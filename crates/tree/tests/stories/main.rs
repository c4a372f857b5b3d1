//! Stories of the tree, on a real database and a vault over memory.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod access;
mod buckets;
mod company;
mod copies;
mod customers;
mod desk;
mod events;
mod expiring;
mod files;
mod folders;
mod followed;
mod groups;
mod handovers;
mod keys;
mod leavers;
mod lifecycle;
mod listings;
mod metadata;
mod model;
mod multipart;
mod paths;
mod people;
mod pieces;
mod races;
mod retention;
mod roles;
mod sessions;
mod shared_links;
mod shares;
mod sharing;
mod storage;
mod subscriptions;
mod trash;
mod versions;
