//! The S3 door: what clients of Amazon S3 ask over HTTP, asked of the tree, and answered as S3 answers.
//!
//! `s3s` knows the shapes of S3's requests and answers. What surrounds it is here: `front` finds out who asks (`sign`),
//! what a signed URL orders (`hoisted`), what the body must be and whether it is (`body`), and what an error looks like
//! (`render`); `cors` and `form` serve browsers; `handlers` decode, ask the tree, and encode; `error` says what a client
//! is told for each of the tree's errors. No handler comes into a bucket but through the `gate`, where the tree decides
//! by the bucket's rules; `policy` reads S3's documents of such rules.
//!
//! The door decides nothing about items, and does not know how access keys are kept, nor where bytes are. What it serves
//! is listed in `COVERAGE.md`; how it differs from S3, in `docs/doors/s3.md`.

mod asked;
mod body;
mod cors;
mod door;
mod error;
mod form;
mod front;
mod gate;
mod handlers;
mod hoisted;
mod host;
mod policy;
mod render;
mod sign;
mod sse;

pub use door::{Options, S3Door};
