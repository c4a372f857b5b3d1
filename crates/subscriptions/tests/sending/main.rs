//! What is told, to a receiver of our own on this machine, from a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod desk;
mod keeping;
mod receiver;
mod stories;
mod webhooks;
