//! Small pictures of contents, made when somebody asks for them.
//!
//! A content is somebody's bytes, and programs that read pictures have been made to do anything by bytes that were meant
//! to. So none is read in the server's process: [`Maker`] starts a process a picture, hands it the content and takes the
//! picture from it. That process ([`worker`]) gives up what it could do harm with (`confine.rs`) before it
//! reads the first byte, and is killed when it takes too long. Documents are read by programs that others have written,
//! which need files, in a process with a sandbox around it ([`document`], `sandbox.rs`).
//!
//! What was made is kept in memory, up to a number of bytes, and nowhere else: no unsealed byte is written to a disk. The
//! room knows no item and no user; who may see a picture is decided by whoever asks, each time.

mod confine;
pub mod document;
mod kept;
mod kind;
mod maker;
mod process;
mod sandbox;
mod watermark;
pub mod worker;

pub use document::Documents;
pub use kind::{Format, Kind, What, Wish, placeholder};
pub use maker::{Known, Maker, Outcome, Source, SourceError};
pub use process::Program;

/// The largest content of which a picture is made, in bytes.
pub const SOURCE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// How many of a content's first bytes [`Kind::of`] needs.
pub const HEAD_BYTES: u64 = 16;
