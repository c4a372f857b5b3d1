//! What a WebDAV client is told instead of an answer: every [`tree::Error`](entente_tree::Error) as a status, and as the
//! precondition of RFC 4918 or RFC 4331 that was not met, if there is one.

use crate::answer::{self, XML_HEAD};
use crate::routes::allow;
use crate::wire::bodies::BodyError as XmlBodyError;
use crate::wire::checksum::ChecksumError;
use crate::wire::if_header::IfError;
use crate::wire::path::PathError;
use crate::wire::xml::{XmlError, escape};
use axum::response::Response;
use entente_door_kit::{BodyError, RequestId};
use entente_identity::Unauthenticated;
use entente_model::with_causes;
use entente_tree::Error as TreeError;
use http::{HeaderValue, StatusCode, header};
use std::borrow::Cow;
use std::error::Error as StdError;

/// How long a client should wait when something was in the way.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");
/// Clients that know only the first of several challenges know Basic.
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"Entente\", charset=\"UTF-8\"");
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"Entente\"");

/// A request that is not answered as it wished.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    message: Cow<'static, str>,
    condition: Condition,
    /// For the log, when it is our fault.
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// What was to be so, by its name in `DAV:`.
#[derive(Debug)]
enum Condition {
    None,
    Named(&'static str),
    /// The URL of what is locked.
    TokenSubmitted(String),
    /// The URLs of what is locked.
    NoConflict(Vec<String>),
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), condition: Condition::None, cause: None }
    }

    fn named(self, condition: &'static str) -> Self {
        Self { condition: Condition::Named(condition), ..self }
    }

    fn because(self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing at this URL")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "the method cannot be used here")
    }

    pub(crate) fn unsupported_body() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the method takes no body")
    }

    /// What would hold the item is not there.
    pub(crate) fn no_parent() -> Self {
        Self::new(StatusCode::CONFLICT, "the collection that it would be in is not there")
    }

    pub(crate) fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn elsewhere() -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "the destination is on another server")
    }

    pub(crate) fn precondition_failed() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "what the request depends on is not so")
    }

    /// A `PROPFIND` without end, of too much.
    pub(crate) fn too_deep_a_search() -> Self {
        let message = "there is too much below this collection; ask with a depth of 0 or 1";
        Self::new(StatusCode::FORBIDDEN, message).named("propfind-finite-depth")
    }

    /// Something at that URL is locked.
    pub(crate) fn locked(href: String) -> Self {
        let problem = Self::new(StatusCode::LOCKED, "it is locked");
        Self { condition: Condition::TokenSubmitted(href), ..problem }
    }

    /// What is at these URLs is locked in a way that leaves no room for another lock.
    pub(crate) fn lock_conflict(hrefs: Vec<String>) -> Self {
        let problem = Self::new(StatusCode::LOCKED, "another lock is in the way");
        Self { condition: Condition::NoConflict(hrefs), ..problem }
    }

    /// An `UNLOCK` with a token that is not of a lock here.
    pub(crate) fn no_such_lock() -> Self {
        let problem = Self::new(StatusCode::CONFLICT, "no lock of yours with this token covers this URL");
        problem.named("lock-token-matches-request-uri")
    }

    /// The same where something is to be put: what is not found is the collection that it would be in.
    pub(crate) fn of_put(error: TreeError) -> Self {
        match error {
            TreeError::NotFound | TreeError::Trashed | TreeError::FolderMissing => Self::no_parent(),
            error => error.into(),
        }
    }

    /// The same where something may be overwritten, and was not to be.
    pub(crate) fn of_copy(error: TreeError) -> Self {
        match error {
            TreeError::NameInUse { .. } => Self::precondition_failed(),
            TreeError::FolderMissing => Self::no_parent(),
            error => error.into(),
        }
    }

    /// Why the bytes of a file did not come.
    fn of_body(source: Box<dyn StdError + Send + Sync>) -> Self {
        match source.downcast::<BodyError>() {
            Ok(error) => (*error).into(),
            Err(source) => match source.downcast::<Self>() {
                Ok(problem) => *problem,
                Err(source) => Self::bad_request(source.to_string()),
            },
        }
    }

    fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "something is wrong with the server")
    }

    fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "try again later")
    }

    /// The answer; logs what is our fault.
    pub(crate) fn into_response(self, request_id: RequestId) -> Response {
        if let Some(cause) = &self.cause {
            let (status, error) = (self.status.as_u16(), with_causes(cause.as_ref()));
            if self.status == StatusCode::SERVICE_UNAVAILABLE {
                tracing::warn!(request.id = %request_id, status, error, "a request must be sent again");
            } else {
                tracing::error!(request.id = %request_id, status, error, "a request failed");
            }
        }
        let mut response = answer::xml(self.status, self.document());
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.append(header::WWW_AUTHENTICATE, BASIC);
            headers.append(header::WWW_AUTHENTICATE, BEARER);
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, allow());
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }

    /// The preconditions, and a text for people where some clients look for one.
    fn document(&self) -> String {
        let mut out = [XML_HEAD, "<D:error xmlns:D=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">"].concat();
        let href = |out: &mut String, href: &String| {
            out.push_str("<D:href>");
            escape(out, href);
            out.push_str("</D:href>");
        };
        match &self.condition {
            Condition::None => {}
            Condition::Named(name) => out.push_str(&["<D:", name, "/>"].concat()),
            Condition::TokenSubmitted(of) => {
                out.push_str("<D:lock-token-submitted>");
                href(&mut out, of);
                out.push_str("</D:lock-token-submitted>");
            }
            Condition::NoConflict(of) => {
                out.push_str("<D:no-conflicting-lock>");
                of.iter().for_each(|of| href(&mut out, of));
                out.push_str("</D:no-conflicting-lock>");
            }
        }
        out.push_str("<s:message>");
        escape(&mut out, &self.message);
        out.push_str("</s:message></D:error>\n");
        out
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Problem {}

impl From<TreeError> for Problem {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::NotFound | TreeError::Trashed | TreeError::Deleted => Self::not_found(),
            TreeError::FolderMissing | TreeError::ParentGone => Self::no_parent(),
            TreeError::NameInUse { .. } => {
                Self::new(StatusCode::METHOD_NOT_ALLOWED, "something else of this name is there already")
            }
            TreeError::NameInvalid(error) => Self::bad_request(error.to_string()),
            TreeError::Invalid(what) => Self::bad_request(what),
            TreeError::FolderNotEmpty => Self::new(StatusCode::CONFLICT, "the collection is not empty"),
            TreeError::FolderIntoItself => Self::forbidden("a collection cannot go into itself"),
            TreeError::TooDeep => Self::new(StatusCode::CONFLICT, "collections would be nested too deep"),
            TreeError::PreconditionFailed => Self::precondition_failed(),
            TreeError::DigestMismatch { .. } => Self::bad_request("the checksum is not that of the bytes that arrived"),
            TreeError::SizeMismatch { .. } => Self::bad_request("more or fewer bytes arrived than were announced"),
            TreeError::TooLarge { limit } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a file can have {limit} bytes at most"))
            }
            TreeError::QuotaExceeded => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "the space is used up").named("quota-not-exceeded")
            }
            TreeError::Forbidden => Self::forbidden("you may not do this").named("need-privileges"),
            // No token opens this lock.
            TreeError::Locked => Self::new(StatusCode::LOCKED, "it, or something in it, is locked by somebody else"),
            TreeError::Retained { .. } => Self::forbidden("it is retained or held, and cannot be removed for good"),
            TreeError::KeyNeeded | TreeError::WrongKey | TreeError::KeyUnused => Self::forbidden(
                "it is sealed with a key that only its customer has, and can be read through S3 with that",
            ),
            // These are answers to what only other doors ask.
            TreeError::SessionGone
            | TreeError::PartOutOfPlace
            | TreeError::PartConflict
            | TreeError::PartsMismatch
            | TreeError::PartTooSmall
            | TreeError::PartOrder
            | TreeError::PartMissing { .. }
            | TreeError::BucketTaken
            | TreeError::BucketYours
            | TreeError::AlreadyCollaborator
            | TreeError::LoginInUse
            | TreeError::TermsRequired
            | TreeError::AlreadyExists(_)
            | TreeError::Metadata(_)
            | TreeError::OwnsContent
            | TreeError::PolicyAssigned => Self::new(StatusCode::CONFLICT, error.to_string()),
            TreeError::BodyFailed(source) => Self::of_body(source),
            TreeError::BusyRetry(cause) | TreeError::Unavailable(cause) => Self::unavailable().because(cause),
            TreeError::Full(cause) => {
                let message = "there is no room left to store this; an operator has to make some";
                let problem = Self::new(StatusCode::INSUFFICIENT_STORAGE, message).because(cause);
                problem.named("sufficient-disk-space")
            }
            TreeError::PolicyUnmet(cause) => {
                let message = "the storage policy cannot be met at the moment, so nothing was stored; try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, message).because(cause)
            }
            TreeError::Damaged(cause) | TreeError::Internal(cause) => Self::internal().because(cause),
        }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let status = match error {
            BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::Stalled => StatusCode::REQUEST_TIMEOUT,
            BodyError::Disconnected | BodyError::Malformed => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

impl From<Unauthenticated> for Problem {
    fn from(error: Unauthenticated) -> Self {
        match error {
            Unauthenticated::Missing
            | Unauthenticated::Malformed
            | Unauthenticated::Unknown
            | Unauthenticated::Expired => {
                Self::new(StatusCode::UNAUTHORIZED, "sign in with your login and an app password, or with a token")
            }
            Unauthenticated::Failed(cause) => Self::unavailable().because(cause),
        }
    }
}

impl From<PathError> for Problem {
    fn from(error: PathError) -> Self {
        match error {
            PathError::Elsewhere => Self::elsewhere(),
            PathError::TooLong => Self::new(StatusCode::URI_TOO_LONG, error.to_string()),
            PathError::Encoding | PathError::Dots | PathError::Name(_) => Self::bad_request(error.to_string()),
        }
    }
}

impl From<IfError> for Problem {
    fn from(error: IfError) -> Self {
        let status = match error {
            IfError::Malformed => StatusCode::BAD_REQUEST,
            IfError::TooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<XmlBodyError> for Problem {
    fn from(error: XmlBodyError) -> Self {
        let status = match error {
            XmlBodyError::Xml(XmlError::Encoding) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            XmlBodyError::Xml(XmlError::DocumentType | XmlError::Malformed | XmlError::NameTooLong)
            | XmlBodyError::Unexpected
            | XmlBodyError::NamesTooLong => StatusCode::BAD_REQUEST,
            XmlBodyError::Xml(XmlError::TooMuch) | XmlBodyError::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
        };
        let problem = Self::new(status, error.to_string());
        if error == XmlBodyError::Xml(XmlError::DocumentType) { problem.named("no-external-entities") } else { problem }
    }
}

impl From<ChecksumError> for Problem {
    fn from(error: ChecksumError) -> Self {
        Self::bad_request(error.to_string())
    }
}
