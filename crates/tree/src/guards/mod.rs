//! What stands in the way of changes that somebody otherwise might make: locks of folders, locks of files, watermarks.
//! All of it is looked at in the transaction of the change, whatever door it came through. These locks are apart from those
//! that WebDAV's clients hold ([`crate::locks`]), which only clients know of that name tokens.

mod file_locks;
mod folder_locks;
mod watermarks;

pub use entente_database::guards::{FileLock, FolderLock, Guard, Watermark};
pub use file_locks::{EXPIRE_FILE_LOCKS_JOB, FileLockView, FileLockWish};
pub(crate) use file_locks::{apply_wish, check_unlocked, check_unlocked_to_read, shown};
pub use folder_locks::FolderLockView;
pub(crate) use folder_locks::{check_may_go, take_locks_along};
pub use watermarks::WatermarkMade;
