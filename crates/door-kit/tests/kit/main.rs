//! The frame of every door, over real sockets.

#![allow(clippy::unwrap_used, reason = "the lint's exemption for tests does not reach what they share")]

mod bodies;
mod fixture;
mod heads;
mod lifetimes;
mod measuring;
mod tls;
