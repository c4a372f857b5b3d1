//! Files: uploading them, their versions, and opening them for reading.

mod add;
mod open;
mod upload;
mod versions;

pub(crate) use add::{Added, Target, add_file, add_version};
pub use open::Opened;
pub(crate) use upload::announced;
pub use upload::{NewFile, NewVersion};
pub use versions::{PURGE_VERSIONS_JOB, VersionPage};
