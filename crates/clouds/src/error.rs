use std::fmt;

/// What went wrong, as far as callers need to sort it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such object.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// The object is shorter than what was asked of it.
    OutOfRange,
    /// The backend has no room left (full disk, quota).
    Full,
    /// The backend refuses our credential.
    Denied,
    /// There is no such bucket, container or folder: the configuration is wrong, or somebody removed it.
    NoBucket,
    /// The backend cannot be reached, is too slow, or asks us to slow down.
    Unavailable,
    /// Anything else, such as an I/O error.
    Failed,
}

/// An error of a backend.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// Its kind.
    pub kind: ErrorKind,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// What was being done: `open`, `create`, `write`, `commit`, `read`, `stat`, `list`,
    /// `delete`, `marker`, `mark` or `foreign`.
    pub operation: &'static str,
    /// The cause, for the log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error without a cause; `Unavailable` is retryable, the others are not.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: &'static str) -> Self {
        Self { kind, retryable: kind == ErrorKind::Unavailable, operation, source: None }
    }

    /// The marker is larger than a marker can be.
    pub(crate) fn marker_too_large(operation: &'static str) -> Self {
        let limit = crate::MARKER_BYTES_MAX;
        Self::new(ErrorKind::Failed, operation).because(format!("a marker has at most {limit} bytes"))
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
        let what = match self.kind {
            ErrorKind::NotFound => "there is no such object",
            ErrorKind::AlreadyExists => "the object's name is taken",
            ErrorKind::OutOfRange => "the object ends before the range does",
            ErrorKind::Full => "the backend is full; free space or add a backend",
            ErrorKind::Denied => "the backend refuses the credential; check its configuration",
            ErrorKind::NoBucket => "there is no such bucket; create it or correct its name in the configuration",
            ErrorKind::Unavailable => "the backend cannot be reached or is overloaded",
            ErrorKind::Failed => "the backend failed",
        };
        write!(f, "{}: {what}", self.operation)?;
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        Ok(())
    }
}
