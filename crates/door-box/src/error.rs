//! What a Box client is told instead of an answer: every [`tree::Error`](entente_tree::Error) as Box's status, code and
//! body.
//!
//! Official clients send a request again after a 5xx, a 429 and a 202 with `Retry-After`. So 5xx is only for what is
//! wrong with us, and what we do not serve is a 404 or 405.

use crate::answer;
use crate::to_wire::Look;
use crate::wire::error::{Context, ErrorBody, ParameterError};
use crate::wire::id::MalformedId;
use crate::wire::item::{Conflicts, ITEM_MINI};
use crate::wire::name::NameError;
use crate::wire::query::QueryError;
use crate::wire::request::MalformedBody;
use axum::response::Response;
use entente_door_kit::{BodyError, RequestId};
use entente_identity::{Error as IdentityError, TicketError, Unauthenticated};
use entente_model::{NameError as TreeNameError, with_causes};
use entente_tree::{Error as TreeError, ItemView};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::borrow::Cow;
use std::error::Error as StdError;

/// Where clients look for the name of a failed request.
const BOX_REQUEST_ID: HeaderName = HeaderName::from_static("box-request-id");
/// How long a client should wait when something was in the way.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// A request that is not answered as it wished.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    detail: Detail,
    /// For the log, when it is our fault.
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Debug)]
enum Detail {
    None,
    Parameter {
        reason: &'static str,
        name: &'static str,
    },
    /// What has the name; whether a file or a folder was to have it.
    Conflict(Box<ItemView>, Wanted),
    Challenge(&'static str),
}

/// What somebody wanted a name for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    File,
    Folder,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), detail: Detail::None, cause: None }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not Found")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method Not Allowed")
    }

    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// A member or parameter that should be there.
    pub(crate) fn missing(name: &'static str) -> Self {
        let detail = Detail::Parameter { reason: "missing_parameter", name };
        Self { detail, ..Self::bad_request(format!("Bad Request: '{name}' is required")) }
    }

    /// A member or parameter that cannot be what it is.
    pub(crate) fn invalid(name: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Detail::Parameter { reason: "invalid_parameter", name }, ..Self::bad_request(message) }
    }

    /// The same with another code.
    pub(crate) fn coded(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// Another status and code for the same.
    pub(crate) fn with_status(self, status: StatusCode, code: &'static str) -> Self {
        Self { status, code, ..self }
    }

    /// Whether it says that the caller may not.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
    }

    /// A tree's error where a folder was to be made, moved or restored.
    pub(crate) fn of_folder(error: TreeError) -> Self {
        let mut problem = Self::from(error);
        if let Detail::Conflict(_, wanted) = &mut problem.detail {
            *wanted = Wanted::Folder;
        }
        problem
    }

    /// A tree's error where a digest was a condition rather than a checksum: parts and commits.
    pub(crate) fn of_part(error: TreeError) -> Self {
        let digest = matches!(error, TreeError::DigestMismatch { .. });
        let problem = Self::from(error);
        if digest { problem.with_status(StatusCode::PRECONDITION_FAILED, "precondition_failed") } else { problem }
    }

    fn because(self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// What goes wrong with users and credentials, apart from a caller's own.
    pub(crate) fn of_identity(error: IdentityError) -> Self {
        match error {
            IdentityError::UnknownUser(_) | IdentityError::UnknownApp(_) => Self::not_found(),
            IdentityError::Forbidden | IdentityError::SecondFactor => TreeError::Forbidden.into(),
            IdentityError::Login(_) => Self::invalid("login", error.to_string()),
            IdentityError::LoginTaken(_) => TreeError::LoginInUse.into(),
            IdentityError::Name(_) => Self::invalid("name", error.to_string()),
            IdentityError::Password(_) => Self::invalid("password", error.to_string()),
            IdentityError::App(_) | IdentityError::RedirectUri(_) => Self::bad_request(error.to_string()),
            IdentityError::PublicKey(_) | IdentityError::Setting(_) => Self::internal().because(error),
            IdentityError::Custodian(_) | IdentityError::Interrupted => Self::unavailable().because(error),
            IdentityError::Database(error) => TreeError::from(error).into(),
        }
    }

    fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_server_error", "Internal Server Error")
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Service unavailable, try again later")
    }

    /// The answer; logs what is our fault.
    pub(crate) fn into_response(self, request_id: RequestId, look: &Look<'_>) -> Response {
        if let Some(cause) = &self.cause {
            let (status, error) = (self.status.as_u16(), with_causes(cause.as_ref()));
            if self.status == StatusCode::SERVICE_UNAVAILABLE {
                tracing::warn!(request.id = %request_id, status, error, "a request must be sent again");
            } else {
                tracing::error!(request.id = %request_id, status, error, "a request failed");
            }
        }
        let id = request_id.to_string();
        let body = ErrorBody::new(self.status.as_u16(), self.code, &self.message, &id);
        let mut response = match &self.detail {
            Detail::None | Detail::Challenge(_) => answer::json(self.status, &body),
            Detail::Parameter { reason, name } => {
                let context = Context::Errors([ParameterError { reason, name, message: &self.message }]);
                answer::json(self.status, &body.with(Some(&context)))
            }
            Detail::Conflict(winner, wanted) => look.item(winner, ITEM_MINI, |item| {
                let item = Box::new(*item);
                let context = Context::Conflicts(match wanted {
                    Wanted::File => Conflicts::File(item),
                    Wanted::Folder => Conflicts::Folder(item),
                });
                answer::json(self.status, &body.with(Some(&context)))
            }),
        };
        let headers = response.headers_mut();
        headers.insert(BOX_REQUEST_ID, request_id.header_value());
        if let Detail::Challenge(challenge) = self.detail {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}

impl From<TreeError> for Problem {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::NotFound => Self::not_found(),
            TreeError::Trashed => Self::new(StatusCode::NOT_FOUND, "trashed", "Item is trashed"),
            TreeError::ParentGone => Self::invalid("parent", "The item's folder is gone; name another as 'parent'")
                .with_status(StatusCode::NOT_FOUND, "not_found"),
            TreeError::NameInUse { winner } => {
                let message = "Item with the same name already exists";
                let problem = Self::new(StatusCode::CONFLICT, "item_name_in_use", message);
                Self { detail: Detail::Conflict(winner, Wanted::File), ..problem }
            }
            // Of paths and buckets, which this door does not know.
            TreeError::FolderMissing | TreeError::Deleted => Self::not_found(),
            TreeError::BucketTaken | TreeError::BucketYours => {
                Self::new(StatusCode::CONFLICT, "item_name_in_use", "Item with the same name already exists")
            }
            TreeError::NameInvalid(TreeNameError::TooLong) => NameError::TooLong.into(),
            TreeError::NameInvalid(TreeNameError::Slash | TreeNameError::Nul) => NameError::Invalid.into(),
            TreeError::Invalid(what) => Self::bad_request(what),
            TreeError::FolderNotEmpty => {
                Self::bad_request("Cannot delete folder because it is not empty").coded("folder_not_empty")
            }
            TreeError::FolderIntoItself => {
                let message = "Cannot move or copy a folder into itself or a folder below it";
                Self::bad_request(message).coded("cyclical_folder_structure")
            }
            TreeError::TooDeep => Self::bad_request("Folders would be nested too deep"),
            TreeError::PreconditionFailed => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                "The resource has been modified. Please retrieve the resource again and retry",
            ),
            TreeError::DigestMismatch { .. } => {
                Self::bad_request("The specified SHA-1 did not match what we received").coded("bad_digest")
            }
            TreeError::SizeMismatch { .. } => {
                Self::bad_request("The size of what we received is not the size that was announced")
            }
            TreeError::TooLarge { limit } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "file_size_limit_exceeded",
                format!("The file is larger than {limit} bytes"),
            ),
            TreeError::QuotaExceeded => {
                Self::new(StatusCode::FORBIDDEN, "storage_limit_exceeded", "Account storage limit reached")
            }
            TreeError::Forbidden => Self::new(
                StatusCode::FORBIDDEN,
                "access_denied_insufficient_permissions",
                "Access denied - insufficient permission",
            ),
            TreeError::Locked => Self::new(
                StatusCode::FORBIDDEN,
                "access_denied_item_locked",
                "Access denied - the item, or one below it, is locked",
            ),
            TreeError::Metadata(error) => error.into(),
            TreeError::AlreadyCollaborator => {
                Self::bad_request("User is already a collaborator").coded("user_already_collaborator")
            }
            TreeError::TermsRequired => {
                Self::bad_request("Terms of service must be accepted before this").coded("terms_of_service_required")
            }
            TreeError::Retained { .. } => Self::new(
                StatusCode::FORBIDDEN,
                "forbidden_by_policy",
                "A retention policy or a legal hold keeps this from being removed for good",
            ),
            TreeError::KeyNeeded | TreeError::WrongKey | TreeError::KeyUnused => Self::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "The content is sealed with a key that only its customer has; it can be read through S3 with that key",
            ),
            TreeError::SessionGone => Self::new(StatusCode::NOT_FOUND, "not_found", "The upload session has ended"),
            TreeError::PartOutOfPlace => Self::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                "The part does not begin at a multiple of the part size, or is not as long",
            ),
            TreeError::PartConflict => {
                Self::new(StatusCode::CONFLICT, "conflict", "A part with other bytes is in this place already")
            }
            TreeError::PartsMismatch => {
                Self::bad_request("The parts do not make up the file, or are not those received")
                    .coded("parts_mismatch")
            }
            // Of uploads that this door does not have.
            TreeError::PartTooSmall | TreeError::PartOrder | TreeError::PartMissing { .. } => {
                Self::bad_request("The parts do not make up the file").coded("parts_mismatch")
            }
            TreeError::LoginInUse => {
                Self::new(StatusCode::CONFLICT, "user_login_already_used", "User with the same login already exists")
            }
            TreeError::AlreadyExists(what) => Self::new(StatusCode::CONFLICT, "conflict", what),
            TreeError::OwnsContent => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "The user still owns content; move or remove it first, or ask with force=true",
            ),
            TreeError::PolicyAssigned => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "A storage policy is assigned to this user or enterprise already; change that assignment",
            ),
            TreeError::BodyFailed(source) => Self::of_body(source),
            TreeError::BusyRetry(cause) => Self::unavailable().because(cause),
            TreeError::Full(cause) => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "insufficient_storage",
                "There is no room left to store this; an operator has to make some",
            )
            .because(cause),
            TreeError::PolicyUnmet(cause) => {
                let message = "The storage policy cannot be met at the moment, so nothing was stored; try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).because(cause)
            }
            TreeError::Unavailable(cause) => Self::unavailable().because(cause),
            TreeError::Damaged(cause) | TreeError::Internal(cause) => Self::internal().because(cause),
        }
    }
}

impl Problem {
    /// Why the bytes of a file did not come: whatever the upload's body said.
    pub(crate) fn of_body(source: Box<dyn StdError + Send + Sync>) -> Self {
        match source.downcast::<BodyError>() {
            Ok(error) => (*error).into(),
            // The upload's own complaint about the form, or a body that broke off.
            Err(source) => Self::bad_request(format!("Bad Request: {source}")),
        }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request_entity_too_large", error.to_string())
            }
            BodyError::Stalled => Self::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", error.to_string()),
            BodyError::Disconnected | BodyError::Malformed => Self::bad_request(error.to_string()),
        }
    }
}

impl From<Unauthenticated> for Problem {
    fn from(error: Unauthenticated) -> Self {
        let challenge = match error {
            Unauthenticated::Missing => "Bearer realm=\"Service\"",
            Unauthenticated::Malformed | Unauthenticated::Unknown => {
                "Bearer realm=\"Service\", error=\"invalid_token\", error_description=\"The access token provided is invalid.\""
            }
            // Clients look for this word before they fetch another token.
            Unauthenticated::Expired => {
                "Bearer realm=\"Service\", error=\"expired_token\", error_description=\"The access token provided has expired.\""
            }
            Unauthenticated::Failed(cause) => return Self::unavailable().because(cause),
        };
        let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized");
        Self { detail: Detail::Challenge(challenge), ..problem }
    }
}

/// As at Box, where a download's URL is no place that one knows of without a good ticket.
impl From<TicketError> for Problem {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::Forged => Self::not_found(),
            TicketError::Expired => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", "The download has expired; ask again")
            }
        }
    }
}

impl From<MalformedId> for Problem {
    fn from(_: MalformedId) -> Self {
        Self::method_not_allowed()
    }
}

impl From<MalformedBody> for Problem {
    fn from(error: MalformedBody) -> Self {
        Self::invalid("entity-body", format!("Bad Request: {error}"))
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        let (code, message) = match error {
            NameError::Invalid => ("item_name_invalid", "Item name invalid"),
            NameError::TooLong => ("item_name_too_long", "Item name too long"),
        };
        Self::invalid("name", message).coded(code)
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Limit => Self::invalid("limit", error.to_string()).coded("invalid_limit"),
            QueryError::Offset => Self::invalid("offset", error.to_string()).coded("invalid_offset"),
            QueryError::Marker => Self::invalid("marker", error.to_string()).coded("invalid_parameter"),
        }
    }
}
