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
mod timestamp;

pub use caller::{Caller, ScopeError, Scopes, Through, UserRole};
pub use causes::with_causes;
pub use digest::{Md5, Sha1, Sha256};
pub use id::{
    AppId, AssignmentId, BackendId, ContentId, EnterpriseId, EpochId, EventId, IdParseError, ItemId, JobId,
    MultipartId, PolicyId, PublicKeyId, RelocationId, SegmentId, SubscriptionId, TokenId, UploadSessionId, UserId,
    VersionId, ZoneId,
};
pub use manifest::{CHUNK_SIZE_BYTES, Checksum, CustomerCheck, Manifest, Place, WrappedDataKey};
pub use name::{ItemName, NAME_BYTES_MAX, NameError, fold};
pub use timestamp::Timestamp;
