use crate::{Error, ErrorKind};
use rustix::io::Errno;

/// What an error of the system means to the caller of a backend. Its text names no path.
pub(super) fn error(errno: Errno, operation: &'static str) -> Error {
    let kind = match errno {
        Errno::NOENT => ErrorKind::NotFound,
        Errno::EXIST => ErrorKind::AlreadyExists,
        // `read` says it of a range that the file does not hold.
        Errno::RANGE => ErrorKind::OutOfRange,
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => ErrorKind::Full,
        Errno::ACCESS | Errno::PERM => ErrorKind::Denied,
        // Out of file descriptors or memory, or a network file system that is away: may pass.
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN | Errno::BUSY | Errno::TIMEDOUT | Errno::STALE => {
            ErrorKind::Unavailable
        }
        _ => ErrorKind::Failed,
    };
    let error = Error::new(kind, operation);
    match kind {
        ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::OutOfRange => error,
        _ => error.because(std::io::Error::from(errno)),
    }
}

/// The same while an object is being made, where a missing folder is damage and not a missing object.
pub(super) fn error_of_making(errno: Errno, operation: &'static str) -> Error {
    match errno {
        Errno::NOENT => Error::new(ErrorKind::Failed, operation).because(std::io::Error::from(errno)),
        other => error(other, operation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_full_and_not_retryable() {
        for errno in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG] {
            let error = error(errno, "commit");
            assert_eq!((error.kind, error.retryable), (ErrorKind::Full, false));
        }
    }

    #[test]
    fn a_broken_disk_has_failed_and_the_message_says_how() {
        let error = error(Errno::IO, "read");
        assert_eq!((error.kind, error.retryable), (ErrorKind::Failed, false));
        assert!(error.to_string().contains("os error 5"), "{error}");
    }

    #[test]
    fn a_lack_of_descriptors_may_pass() {
        assert!(error(Errno::MFILE, "read").retryable);
    }

    #[test]
    fn a_missing_folder_is_not_a_missing_object() {
        assert_eq!(error(Errno::NOENT, "read").kind, ErrorKind::NotFound);
        assert_eq!(error_of_making(Errno::NOENT, "commit").kind, ErrorKind::Failed);
    }
}
