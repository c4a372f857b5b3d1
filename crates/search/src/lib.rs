//! Finds items by words: an index on this machine, sealed like everything else.
//!
//! The index is a cache of what the database says, and may be lost at any time. It does not know who may see what: it names
//! candidates, and whoever asks it looks each of them up and leaves out what may not be seen.

mod directory;
mod fields;
pub mod grammar;
mod index;
mod keep;
mod question;
mod words;

pub use fields::Document;
pub use grammar::{Ask, TooMuch};
pub use index::{Index, Place, Results};
pub use question::{In, Order, Question};
pub use words::words;

/// Why the index does not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The index itself: it is to be made anew.
    #[error("the index of words failed")]
    Index(#[from] tantivy::TantivyError),
    /// Its folder.
    #[error("the folder of the index of words failed")]
    Io(#[from] std::io::Error),
    /// Its key: withdrawn, or its custodian does not answer.
    #[error("the key of the index of words")]
    Key(#[source] entente_vault::Error),
}
