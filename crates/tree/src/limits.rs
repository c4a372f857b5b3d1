//! Every limit of the tree. Doors may be stricter.

use entente_model::CHUNK_SIZE_BYTES;
use std::time::Duration;

/// How many levels of folders may be below a root.
pub const DEPTH_MAX: u32 = 1_000;
/// Items in a page of a listing.
pub const PAGE_ITEMS_MAX: u32 = 1_000;
/// How far into a folder a listing by offset reaches. Doors refuse more; the tree answers an empty page.
pub const OFFSET_MAX: u32 = 10_000;
/// A folder with more children than this is listed by name, whatever order was asked for.
pub const SORTED_ITEMS_MAX: u64 = 10_000;
/// Characters of a description.
pub const DESCRIPTION_CHARS_MAX: usize = 256;
/// Tags of an item.
pub const TAGS_MAX: usize = 100;
/// Characters of a tag.
pub const TAG_CHARS_MAX: usize = 256;
/// Characters of a user's name, login, phone and the like.
pub const USER_TEXT_CHARS_MAX: usize = 256;
/// Users in a page of a listing.
pub const USERS_PAGE_MAX: u32 = 1_000;
/// Storage policies in a page of a listing.
pub const POLICIES_PAGE_MAX: u32 = 1_000;
/// Parts of an upload session.
pub const PARTS_MAX: u32 = 32_768;
/// Bytes of a file that is uploaded in a session: 256 GiB.
pub const SESSION_BYTES_MAX: u64 = CHUNK_SIZE_BYTES * PARTS_MAX as u64;
/// How long an upload session is kept, committed or not.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Tasks that read parts back to hash the whole while more of it arrives.
pub const FOLLOWERS_MAX: usize = 4;
/// Upload sessions whose digest so far is remembered, a few hundred bytes each; the least recently used one goes first.
pub const FOLLOWED_SESSIONS_MAX: usize = 256;
/// Rows of items, versions or parts that one transaction of a copy, a purge or an expiry touches.
pub const BATCH_ROWS_MAX: u32 = 500;
/// How long a folder may be in the making as a copy before what there is of it is removed.
pub const COPY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a version that was removed from its list can be restored.
pub const REMOVED_VERSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
