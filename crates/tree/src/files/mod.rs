//! Files: uploading them, their versions, and opening them for reading.

mod add;
mod customer;
mod digest;
pub(crate) mod open;
mod preview;
mod upload;
mod versions;

pub(crate) use add::{Added, Target, add_file, add_file_to, add_version, add_version_to};
pub(crate) use customer::check_mark;
pub use digest::DIGEST_JOB;
pub(crate) use digest::enqueue_digest;
pub use open::{Content, Opened};
pub use preview::Previewed;
pub use upload::{NewFile, NewVersion};
pub(crate) use upload::{Prepared, announced, prepare_file};
pub(crate) use versions::remove_for_good;
pub use versions::{PURGE_VERSIONS_JOB, VersionPage};
