//! The Box door: what Box's clients ask over HTTP, asked of the tree, and answered as Box answers.
//!
//! `wire` has Box's shapes and codecs and knows nothing else. `from_wire` and `to_wire` translate between them and the
//! tree's words, `error` says what a client is told for each of the tree's errors, `routes` is the table of what is
//! served, and `handlers` decode, ask and encode.
//!
//! The door decides nothing about items: who may do what, which names may stand side by side and what a version is,
//! is the tree's business. It does not know how tokens are kept, nor where bytes are. What it serves is listed in
//! `COVERAGE.md`; how it differs from Box, in `docs/doors/box.md`.

mod answer;
mod asked;
mod door;
mod error;
mod from_wire;
mod handlers;
mod routes;
mod to_wire;
pub mod wire;

pub use door::{BoxDoor, Options};
pub use routes::served;
pub use wire::date::Zone;
