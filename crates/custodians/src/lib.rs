//! Who holds key encryption keys.
//!
//! A [`Custodian`] wraps and unwraps epoch keys with a key that never leaves it. It is asked once per
//! epoch key and lease, never once per file. This crate does not know what an epoch key seals.

pub mod conformance;
mod custodian;
mod error;
pub mod local;
mod secret;

pub use custodian::{Custodian, KeyContext, WrappedKey};
pub use error::{Error, ErrorKind};
pub use secret::SecretKey;
