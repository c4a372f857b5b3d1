use std::fmt;

/// What went wrong, as far as callers need to sort it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A row with the same key is there already.
    Duplicate,
    /// A segment that a commit needs has been condemned. May be retried from the start.
    Condemned,
    /// The disk is full: nothing was written.
    Full,
    /// Another process holds the database, too much waits for it, or it cannot be reached. May be retried.
    Busy,
    /// The schema is newer than this program, or this is not a database of ours.
    Schema,
    /// The database is damaged.
    Damaged,
    /// The process is stopping, or the writer has stopped. May be retried.
    Stopping,
    /// The connection to the database was lost at the commit: it may have been done, wholly, or not at all.
    Unknown,
    /// Anything else, such as an I/O error.
    Failed,
}

/// An error of the metadata database.
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

    /// Whether the same command may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Condemned | ErrorKind::Busy | ErrorKind::Stopping)
    }

    /// The same for another of those whom it concerns.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::new(self.kind, self.to_string())
    }

    pub(crate) fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    pub(crate) fn panicked(command: &'static str) -> Self {
        Self::new(ErrorKind::Failed, format!("the command {command:?} panicked"))
    }

    pub(crate) fn damaged(what: &'static str) -> Self {
        Self::new(ErrorKind::Damaged, format!("the database holds an impossible value: {what}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        Ok(())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let (kind, message) = match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => (ErrorKind::Duplicate, "a row with the same key is there already"),
            Some(ErrorCode::DiskFull) => (ErrorKind::Full, "the disk that holds the database is full; free some space"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                (ErrorKind::Busy, "another process holds the database; try again")
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                (ErrorKind::Damaged, "the database file is damaged; restore it from a backup")
            }
            _ => (ErrorKind::Failed, "the database failed"),
        };
        Self { kind, message: message.to_owned(), source: Some(Box::new(error)) }
    }
}
