//! The words that every room shares: ids, names, times, digests and manifests.
//!
//! Everything here is a plain value that is valid once it exists: a door parses, the rooms behind it
//! trust. This crate does no I/O, reads no clock and knows neither SQL nor HTTP.

mod caller;
mod causes;
mod digest;
mod id;
mod manifest;
mod name;
mod role;
mod timestamp;

pub use caller::{Caller, FollowedLink, ScopeError, Scopes, Through, UserRole};
pub use causes::with_causes;
pub use digest::{Md5, Sha1, Sha256};
pub use id::{
    AliasId, AllowedDomainId, AppId, AssignmentId, AuthorizationId, BackendId, CascadeId, CollaborationId, CommentId,
    ContentId, EnterpriseId, EpochId, EventId, ExemptionId, FileLockId, FileRequestId, FolderLockId, GroupId,
    IdParseError, InviteId, ItemId, JobId, MembershipId, MultipartId, PasskeyId, PolicyId, PublicKeyId, RelocationId,
    SegmentId, SharedLinkId, SubscriptionId, TaskAssignmentId, TaskId, TaxonomyId, TaxonomyNodeId, TemplateId, TermsId,
    TermsStatusId, TokenId, UploadSessionId, UserId, VersionId, WebSessionId, WebhookId, ZoneId,
};
pub use manifest::{CHUNK_SIZE_BYTES, Checksum, CustomerCheck, Manifest, Place, WrappedDataKey};
pub use name::{ItemName, NAME_BYTES_MAX, NameError, fold};
pub use role::{Rights, Role};
pub use timestamp::Timestamp;
