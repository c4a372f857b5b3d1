use std::fmt;

/// What went wrong, as far as callers need to sort it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The custodian will not do it: the key is withdrawn or unknown, or the wrapped bytes are not what they should be.
    Refused,
    /// The custodian cannot be reached. May be retried.
    Unavailable,
    /// The configuration is wrong: a key file that is missing, malformed or readable by others.
    Misconfigured,
}

/// An error of a custodian. Its message names keys, files and services, never key material.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// Its kind.
    pub kind: ErrorKind,
    /// What was found, and what to do.
    pub message: String,
    /// The cause, for the log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error without a cause.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same, with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
