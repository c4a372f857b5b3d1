//! The drivers against real servers, and against servers that misbehave.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]
#![allow(clippy::disallowed_methods, reason = "the other side of a connection has a thread of its own")]

mod claims;
mod conforms;
mod kit;
mod misbehaves;
mod refuses;
mod scripted;
mod secrets;
mod throughput;
mod tls;
mod wire;
