//! From what the library says to what a caller of a backend is told. Its texts are never passed on: they hold
//! addresses, headers and parts of answers.

use super::wire::{Meaning, Refusal, WireError};
use crate::{Error, ErrorKind};
use std::error::Error as _;

/// The error that a caller is told.
pub(super) fn explain(
    error: &opendal::Error,
    operation: &'static str,
    meaning: fn(&Refusal) -> Option<Meaning>,
) -> Error {
    let Some(wire) = wire_error(error) else {
        return unexplained(error, operation);
    };
    match wire {
        WireError::Refused(refusal) => {
            let meaning = meaning(refusal).unwrap_or_else(|| refusal.meaning());
            refused(refusal, meaning, operation)
        }
        WireError::Short => Error::new(ErrorKind::OutOfRange, operation),
        WireError::Unreachable(_) => Error::new(ErrorKind::Unavailable, operation).because(wire.to_string()),
        WireError::OtherRange | WireError::OtherPage | WireError::Unsendable => {
            Error::new(ErrorKind::Failed, operation).because(wire.to_string())
        }
    }
}

fn refused(refusal: &Refusal, meaning: Meaning, operation: &'static str) -> Error {
    let creates = matches!(operation, "commit" | "mark");
    let kind = match meaning.kind {
        // Only a creation has the condition; what else may conflict is told as it is.
        ErrorKind::AlreadyExists if !creates => ErrorKind::Failed,
        // No object is looked for when one is made or when all are listed: it is the bucket that is missing.
        ErrorKind::NotFound if creates || matches!(operation, "list" | "foreign") => ErrorKind::NoBucket,
        kind => kind,
    };
    let error = Error::new(kind, operation);
    match kind {
        ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::OutOfRange => error,
        _ => error.because(match meaning.advice {
            Some(advice) => format!("{refusal}: {advice}"),
            None => refusal.to_string(),
        }),
    }
}

/// The name may be taken or not: what a service said that is busy with it.
pub(crate) const UNDECIDED: &str = "another creation of this name has not ended";

/// Whether the service could not say if the name is taken.
pub(super) fn is_undecided(error: &Error) -> bool {
    error.kind == ErrorKind::Unavailable
        && error.source.as_ref().is_some_and(|source| source.to_string().ends_with(UNDECIDED))
}

/// Our own error, if it is somewhere among the causes.
fn wire_error(error: &opendal::Error) -> Option<&WireError> {
    let mut cause = error.source()?;
    loop {
        if let Some(wire) = cause.downcast_ref::<WireError>() {
            return Some(wire);
        }
        cause = cause.source()?;
    }
}

/// Something went wrong before a request was sent, or in the reading of its answer.
fn unexplained(error: &opendal::Error, operation: &'static str) -> Error {
    let message = error.message();
    // "signing http request", "loading credential to sign http request"
    if message.contains("sign") {
        let advice = "no usable credential was found, or none could be made from what was found";
        return Error::new(ErrorKind::Denied, operation).because(advice);
    }
    // "reader got too little data", "http response got too little data": cut short on the way.
    if message.contains("too little data") || error.is_temporary() {
        return Error::new(ErrorKind::Unavailable, operation).because("the answer ended early or could not be read");
    }
    Error::new(ErrorKind::Failed, operation).because("the service's answer cannot be understood")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUSH: &str = "https://me:hush@host/?sig=hush";

    fn explained(error: &opendal::Error, operation: &'static str) -> Error {
        explain(error, operation, |_| None)
    }

    fn opendal_error(message: &str) -> opendal::Error {
        opendal::Error::new(opendal::ErrorKind::Unexpected, message)
            .with_context("uri", HUSH)
            .set_source(std::io::Error::other(HUSH))
    }

    fn refusal(status: u16) -> opendal::Error {
        opendal::Error::new(opendal::ErrorKind::Unsupported, HUSH)
            .set_source(WireError::Refused(Refusal { status, code: Some("Word".to_owned()) }))
    }

    #[test]
    fn nothing_that_the_library_says_is_passed_on() {
        let messages = ["signing http request", "too little data", HUSH];
        for error in messages.map(opendal_error).into_iter().chain([200, 403, 404, 500].map(refusal)) {
            let explained = explained(&error, "read");
            let shown = format!("{explained} {explained:?}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn a_status_means_the_same_with_every_service() {
        for (status, operation, kind, retryable) in [
            (301, "read", ErrorKind::Failed, false),
            (401, "read", ErrorKind::Denied, false),
            (403, "commit", ErrorKind::Denied, false),
            (404, "read", ErrorKind::NotFound, false),
            (404, "commit", ErrorKind::NoBucket, false),
            (404, "list", ErrorKind::NoBucket, false),
            (409, "commit", ErrorKind::AlreadyExists, false),
            (412, "mark", ErrorKind::AlreadyExists, false),
            (412, "read", ErrorKind::Failed, false),
            (416, "read", ErrorKind::OutOfRange, false),
            (429, "commit", ErrorKind::Unavailable, true),
            (500, "stat", ErrorKind::Unavailable, true),
            (503, "list", ErrorKind::Unavailable, true),
            (507, "commit", ErrorKind::Full, false),
            (400, "list", ErrorKind::Failed, false),
        ] {
            let error = explained(&refusal(status), operation);
            assert_eq!((error.kind, error.retryable), (kind, retryable), "{status} {operation}");
        }
    }

    #[test]
    fn an_error_of_the_wire_is_found_below_others() {
        let below = opendal::Error::new(opendal::ErrorKind::Unexpected, "token")
            .set_source(WireError::Unreachable("no connection".to_owned()));
        let above = opendal::Error::new(opendal::ErrorKind::Unexpected, "signing http request").set_source(below);
        let error = explained(&above, "read");
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.to_string().ends_with("(no connection)"), "{error}");
    }
}
