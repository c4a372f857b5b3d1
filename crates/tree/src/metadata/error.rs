//! What is wrong with metadata, beyond what is wrong with items.

/// Why metadata cannot be read or changed as asked. Nothing was changed, and the same call would fail again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// There is no such template, or it is another enterprise's.
    #[error("there is no such metadata template")]
    TemplateAbsent,
    /// The template has not been applied to the item.
    #[error("the metadata template is not applied to the item")]
    InstanceAbsent,
    /// What was to be made is there already. The text says what.
    #[error("{0}")]
    Exists(&'static str),
    /// Values do not fit the template. The text says which, and why.
    #[error("{0}")]
    Schema(String),
    /// One of several operations cannot be done, so none was.
    #[error("operation {index}: {what}")]
    Operation {
        /// Which, from 0.
        index: usize,
        /// Why.
        what: String,
    },
    /// A definition cannot be what it is. The text says why.
    #[error("{0}")]
    Definition(String),
    /// The query cannot be understood. The text says where and why.
    #[error("{0}")]
    Query(String),
    /// A parameter that the query names is missing, or not of its field's type.
    #[error("{0}")]
    Parameter(String),
}
