//! Immutable objects in rival clouds.
//!
//! A [`Backend`] is one configured bucket, container or folder. It stores objects under random names,
//! never overwrites one, and learns nothing but sizes and timing. This crate does not know what is in
//! an object, whose it is, or why it is placed where it is.

pub mod azure;
mod backend;
pub mod claim;
mod cloud;
pub mod conformance;
mod error;
pub mod fs;
pub mod gcs;
pub mod guard;
pub mod memory;
mod prefix;
pub mod registry;
pub mod s3;
mod secret;

pub use backend::{
    Backend, Creation, FOREIGN_LOOKED_MAX, Listed, MARKER_BYTES_MAX, MARKER_NAME, ObjectName, ObjectNameError, Stat,
};
pub use cloud::{Connection, OBJECT_BYTES_MAX};
pub use error::{Error, ErrorKind};
pub use secret::SecretSource;
