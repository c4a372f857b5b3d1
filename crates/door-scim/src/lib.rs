//! Users and groups, brought here by a directory: SCIM 2.0 (RFC 7643, RFC 7644).
//!
//! | Path below `/scim/v2` | What |
//! |---|---|
//! | `ServiceProviderConfig`, `ResourceTypes`, `Schemas` | what is served |
//! | `Users`, `Users/{id}` | people of the enterprise |
//! | `Groups`, `Groups/{id}` | groups, and who is in them |
//! | `Bulk` | many of those at once |
//!
//! Whoever asks needs a credential that administers users. A user's `userName` is the login, and `displayName` the name; what
//! is not in the schemas is read over. Rules are the tree's.

mod door;
mod error;
mod filter;
mod handlers;
mod patch;
mod wire;

pub use door::{Options, ScimDoor};
