//! Real servers for tests: object stores that speak the protocols of S3, Azure and Google, and PostgreSQL; a proxy
//! that stands before any of them and fails on command; and an OpenID provider, which each test starts for itself.
//!
//! The servers are shared by all tests of a checkout. The first test that asks starts them with
//! `scripts/test-servers.sh`, and as long as its process lives nobody stops them politely. What a test gets is its own: a
//! bucket, a container or a database that is new and empty.
//!
//! Everything blocks for milliseconds (for seconds when the servers have to be started first), needs no runtime and
//! may be called within one. Everything panics with a text that says what to do: a test whose server is missing has failed.
//! This crate knows none of ours; it cannot tell what is stored.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]
#![allow(clippy::disallowed_methods, reason = "real servers answer in real time, on threads of their own")]

mod azure;
mod gcs;
mod http;
mod oidc;
mod postgres;
mod proxy;
mod s3;
mod servers;
mod sign;

pub use azure::{Azure, azure};
pub use gcs::{Gcs, gcs};
pub use oidc::{Oidc, oidc};
pub use postgres::{Database, Postgres, postgres};
pub use proxy::{Fault, Proxy};
pub use s3::{S3, s3};
