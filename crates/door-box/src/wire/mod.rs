//! Box's shapes and codecs: values to bytes and back. No sockets, no clock, no tree.
//!
//! Sources: Box's OpenAPI description (2024.0) for the shapes; the observations in `docs/doors/box.md` where clients
//! need something else than it says.

pub mod collaboration;
pub mod collection;
pub mod comment;
pub mod company;
pub mod content_range;
pub mod date;
pub mod digest;
pub mod disposition;
pub mod error;
pub mod event;
pub mod favorites;
pub mod fields;
pub mod file_request;
pub mod group;
pub mod id;
pub mod item;
pub mod lock;
pub mod metadata;
pub mod name;
pub mod oauth;
pub mod people_request;
pub mod permissions;
pub mod person;
pub mod query;
pub mod recent;
pub mod representation;
pub mod request;
pub mod search;
pub mod session;
pub mod shared_link;
pub mod storage_policy;
pub mod strict;
pub mod task;
pub mod taxonomy;
pub mod thumbnail;
pub mod user;
pub mod version;
pub mod webhook;
pub mod zip;
pub mod zip_download;
