//! One module for methods that belong together.

pub(crate) mod collections;
pub(crate) mod content;
pub(crate) mod copies;
pub(crate) mod find;
pub(crate) mod locks;
pub(crate) mod options;
pub(crate) mod patch;
pub(crate) mod put;
