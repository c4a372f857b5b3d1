//! What an S3 client is told instead of an answer: every [`tree::Error`](TreeError), everything that a body can be, and
//! every reason not to know somebody, as S3's code and status.
//!
//! Clients send a request again after a 5xx. So 5xx is only for what is wrong with us, and what is not served.

use crate::body::BodyProblem;
use entente_door_kit::{BodyError, RequestId};
use entente_identity::Unauthenticated;
use entente_model::{NameError, with_causes};
use entente_tree::Error as TreeError;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::{S3Error, S3ErrorCode};
use std::error::Error as StdError;

/// What a client was told that a request was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Bucket,
    Key,
    Version,
    Upload,
}

/// An error of S3's own with our words.
pub(crate) fn error(code: S3ErrorCode, message: &'static str) -> S3Error {
    S3Error::with_message(code, message)
}

/// An error whose code `s3s` has no status for.
pub(crate) fn custom(code: &'static str, status: StatusCode, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// What is not served, rather than pretended.
pub(crate) fn not_served(message: &'static str) -> S3Error {
    error(S3ErrorCode::NotImplemented, message)
}

impl About {
    pub(crate) fn missing(self) -> S3Error {
        match self {
            Self::Bucket => error(S3ErrorCode::NoSuchBucket, "The specified bucket does not exist"),
            Self::Key => error(S3ErrorCode::NoSuchKey, "The specified key does not exist."),
            Self::Version => error(S3ErrorCode::NoSuchVersion, "The specified version does not exist."),
            Self::Upload => error(
                S3ErrorCode::NoSuchUpload,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted \
                 or completed.",
            ),
        }
    }
}

/// The tree's answer in S3's words; logs what is our fault.
pub(crate) fn of_tree(failed: TreeError, about: About, request_id: RequestId) -> S3Error {
    let told = translate(&failed, about);
    if let (Some(status), Some(cause)) = (told.status_code(), cause(failed)) {
        let (status, error) = (status.as_u16(), with_causes(cause.as_ref()));
        match status {
            503 => tracing::warn!(request.id = %request_id, status, error, "a request must be sent again"),
            500..=599 => tracing::error!(request.id = %request_id, status, error, "a request failed"),
            _ => {}
        }
    }
    told
}

fn cause(error: TreeError) -> Option<Box<dyn StdError + Send + Sync>> {
    match error {
        TreeError::BusyRetry(cause)
        | TreeError::Full(cause)
        | TreeError::PolicyUnmet(cause)
        | TreeError::Unavailable(cause)
        | TreeError::Damaged(cause)
        | TreeError::Internal(cause) => Some(cause),
        _ => None,
    }
}

fn translate(failed: &TreeError, about: About) -> S3Error {
    use S3ErrorCode as Code;
    match failed {
        TreeError::NotFound | TreeError::Trashed | TreeError::ParentGone => about.missing(),
        TreeError::FolderMissing => About::Key.missing(),
        TreeError::Deleted => {
            let mut refused =
                error(Code::MethodNotAllowed, "The specified method is not allowed against this resource.");
            refused.set_headers(marker());
            refused
        }
        TreeError::BucketTaken => error(
            Code::BucketAlreadyExists,
            "The requested bucket name is not available. The bucket namespace is shared by all users of the enterprise.",
        ),
        TreeError::BucketYours => error(
            Code::BucketAlreadyOwnedByYou,
            "Your previous request to create the named bucket succeeded and you already own it.",
        ),
        TreeError::NameInUse { .. } => error(Code::OperationAborted, "Another item has this name. Please try again."),
        TreeError::TooDeep => of_name(NameError::TooLong),
        TreeError::NameInvalid(why) => of_name(*why),
        TreeError::Invalid(what) => error(Code::InvalidArgument, what),
        TreeError::FolderNotEmpty => error(
            Code::BucketNotEmpty,
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
        ),
        TreeError::FolderIntoItself
        | TreeError::PartConflict
        | TreeError::PartsMismatch
        | TreeError::PartOutOfPlace => error(Code::InvalidRequest, "The request cannot be carried out on this object"),
        TreeError::PreconditionFailed => {
            error(Code::PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
        }
        TreeError::DigestMismatch { .. } => {
            error(Code::BadDigest, "The digest you specified did not match what we received.")
        }
        TreeError::SizeMismatch { .. } | TreeError::BodyFailed(_) => of_body(BodyProblem::TooShort),
        TreeError::TooLarge { .. } => {
            error(Code::EntityTooLarge, "Your proposed upload exceeds the maximum allowed size")
        }
        TreeError::QuotaExceeded => custom("QuotaExceeded", StatusCode::FORBIDDEN, "The owner's space is used up"),
        TreeError::Forbidden => error(Code::AccessDenied, "Access Denied"),
        TreeError::Locked => error(Code::AccessDenied, "Access Denied because the object is locked."),
        TreeError::Retained { .. } => {
            error(Code::AccessDenied, "Access Denied because object protected by object lock.")
        }
        TreeError::KeyNeeded | TreeError::WrongKey | TreeError::KeyUnused => of_key(failed, about),
        TreeError::SessionGone => About::Upload.missing(),
        TreeError::PartTooSmall => {
            error(Code::EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size")
        }
        TreeError::PartOrder => error(
            Code::InvalidPartOrder,
            "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
        ),
        TreeError::PartMissing { .. } => error(
            Code::InvalidPart,
            "One or more of the specified parts could not be found. The part might not have been uploaded, or the specified \
             entity tag might not have matched the part's entity tag.",
        ),
        // What no operation of S3's can meet.
        TreeError::AlreadyCollaborator
        | TreeError::LoginInUse
        | TreeError::TermsRequired
        | TreeError::AlreadyExists(_)
        | TreeError::Metadata(_)
        | TreeError::OwnsContent
        | TreeError::PolicyAssigned => Code::InternalError.into(),
        TreeError::BusyRetry(_) => error(Code::SlowDown, "Please reduce your request rate."),
        TreeError::Full(_) => {
            let message = "There is no room left to store this";
            custom("InsufficientStorage", StatusCode::INSUFFICIENT_STORAGE, message)
        }
        TreeError::PolicyUnmet(_) | TreeError::Unavailable(_) => {
            error(Code::ServiceUnavailable, "Service is unable to handle request.")
        }
        TreeError::Damaged(_) | TreeError::Internal(_) => {
            error(Code::InternalError, "We encountered an internal error. Please try again.")
        }
    }
}

/// Why a customer's key does not do, or is missed.
fn of_key(failed: &TreeError, about: About) -> S3Error {
    let invalid = |message| error(S3ErrorCode::InvalidRequest, message);
    match (failed, about) {
        (TreeError::KeyNeeded, About::Upload) => invalid(
            "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate \
             encryption parameters.",
        ),
        (TreeError::KeyUnused, About::Upload) => invalid(
            "The multipart upload initiate did not request encryption with a customer's key. Part requests must not include \
             one.",
        ),
        (TreeError::KeyNeeded, _) => invalid(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
             retrieve the object.",
        ),
        (TreeError::KeyUnused, _) => invalid("The encryption parameters are not applicable to this object."),
        (_, About::Upload) => invalid("The provided encryption parameters did not match the ones used originally."),
        _ => error(S3ErrorCode::AccessDenied, "Access Denied"),
    }
}

/// Why a key cannot be one.
pub(crate) fn of_name(why: NameError) -> S3Error {
    match why {
        NameError::TooLong => error(S3ErrorCode::KeyTooLongError, "Your key is too long, or has too many slashes"),
        NameError::Slash | NameError::Nul => {
            error(S3ErrorCode::InvalidArgument, "A key cannot contain the character NUL")
        }
    }
}

fn marker() -> HeaderMap {
    [(HeaderName::from_static("x-amz-delete-marker"), HeaderValue::from_static("true"))].into_iter().collect()
}

/// Why a body did not do.
pub(crate) fn of_body(problem: BodyProblem) -> S3Error {
    use S3ErrorCode as Code;
    match problem {
        BodyProblem::Arrival(BodyError::Stalled) => error(
            Code::RequestTimeout,
            "Your socket connection to the server was not read from or written to within the timeout period.",
        ),
        BodyProblem::Arrival(BodyError::TooLarge { .. }) => {
            error(Code::EntityTooLarge, "Your proposed upload exceeds the maximum allowed size")
        }
        BodyProblem::Arrival(BodyError::Disconnected | BodyError::Malformed) | BodyProblem::TooShort => {
            let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
            error(Code::IncompleteBody, message)
        }
        BodyProblem::TooLong => error(Code::IncompleteBody, "You provided more bytes than were announced"),
        BodyProblem::Chunks => error(Code::InvalidRequest, "The body is not in the coding aws-chunked"),
        BodyProblem::ChunkSignature => {
            error(Code::SignatureDoesNotMatch, "The signature of a chunk does not match its content")
        }
        BodyProblem::Trailer => {
            let message =
                "The request contained trailing data that was not well-formed or did not conform to our schema.";
            custom("MalformedTrailerError", StatusCode::BAD_REQUEST, message)
        }
        BodyProblem::Sha256 => {
            let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
            custom("XAmzContentSHA256Mismatch", StatusCode::BAD_REQUEST, message)
        }
        BodyProblem::Md5 => error(Code::BadDigest, "The Content-MD5 you specified did not match what we received."),
        BodyProblem::Form => {
            error(Code::MalformedPOSTRequest, "The body of your POST request is not well-formed multipart/form-data.")
        }
        BodyProblem::TooLarge => error(Code::EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"),
        BodyProblem::TooSmall => {
            error(Code::EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size")
        }
        BodyProblem::Checksum(algorithm) => S3Error::with_message(
            Code::BadDigest,
            format!("The {} you specified did not match the calculated checksum.", algorithm.name()),
        ),
    }
}

/// Why an access key does not do.
pub(crate) fn of_credentials(reason: Unauthenticated, request_id: RequestId) -> S3Error {
    match reason {
        Unauthenticated::Missing | Unauthenticated::Malformed | Unauthenticated::Unknown | Unauthenticated::Expired => {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            error(S3ErrorCode::InvalidAccessKeyId, message)
        }
        Unauthenticated::Failed(cause) => of_tree(TreeError::from(cause), About::Bucket, request_id),
    }
}
