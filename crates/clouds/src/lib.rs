//! Immutable objects in rival clouds.
//!
//! A [`Backend`] is one configured bucket, container or folder. It stores objects under random names,
//! never overwrites one, and learns nothing but sizes and timing. This crate does not know what is in
//! an object, whose it is, or why it is placed where it is.

mod backend;
pub mod conformance;
mod error;
pub mod fs;
pub mod guard;
pub mod memory;
pub mod registry;

pub use backend::{Backend, Creation, Listed, ObjectName, ObjectNameError, Stat};
pub use error::{Error, ErrorKind};
