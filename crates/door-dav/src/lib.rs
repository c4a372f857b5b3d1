//! The WebDAV door: a caller's tree as a folder below `/dav/`, for whatever mounts, syncs or edits over WebDAV (RFC 4918,
//! classes 1 and 2).
//!
//! `wire` has the protocol's shapes and codecs and knows nothing else. `to_wire` says what an item looks like in a
//! multi-status, `error` what a client is told for each of the tree's errors, `conditions` whether a request may go on,
//! `routes` which methods are served, and `handlers` decode, ask the tree, and encode.
//!
//! The door decides nothing about items: what a lock forbids, which names may stand side by side and what becomes of what
//! is overwritten is the tree's business. It keeps nothing between requests but the roots of callers that it has seen. What
//! it serves, and how clients' habits are met, is in `docs/doors/webdav.md`.

mod answer;
mod asked;
mod conditions;
mod door;
mod error;
mod handlers;
mod routes;
mod to_wire;
pub mod wire;

pub use door::{DavDoor, Options};
pub use handlers::options::options;
pub use routes::METHODS;
