//! The Box door.

pub mod wire;
