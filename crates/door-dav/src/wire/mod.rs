//! WebDAV's shapes and codecs (RFC 4918). No tokio, axum or tree: values in, values out.

pub mod bodies;
pub mod checksum;
pub mod date;
pub mod headers;
pub mod if_header;
pub mod path;
pub mod ranges;
pub mod xml;
