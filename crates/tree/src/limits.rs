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
/// Bytes of the path of an upload of parts, with a slash between two names.
pub const MULTIPART_KEY_BYTES_MAX: usize = 1_024;
/// Parts of an upload.
pub const MULTIPART_PARTS_MAX: u32 = 10_000;
/// Bytes of each part of an upload but the last: 5 MiB.
pub const MULTIPART_PART_BYTES_MIN: u64 = 5 << 20;
/// Bytes of a part of an upload: 5 GiB.
pub const MULTIPART_PART_BYTES_MAX: u64 = 5 << 30;
/// Bytes of what the parts of an upload become: 5 TiB.
pub const MULTIPART_BYTES_MAX: u64 = 5 << 40;
/// Open uploads of parts into the folders of one owner.
pub const MULTIPARTS_MAX: u32 = 10_000;
/// How long an upload of parts is kept that is not completed.
pub const MULTIPART_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long an upload that was completed is remembered, for a client that did not hear the answer.
pub const MULTIPART_REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// Pieces of other contents that a copied part is made of: as many as 5 GiB in parts of 5 MiB have, and some. What has more
/// is copied byte by byte.
pub const PART_PIECES_MAX: u32 = 1_100;
/// Such pieces of all the parts of an upload.
pub const PIECES_MAX: u32 = 20_000;
/// Open uploads that a page of them looks at, whether it shows them or not.
pub const MULTIPARTS_LOOKED_AT_MAX: u32 = 2_000;
/// Rows of items, versions or parts that one transaction of a copy, a purge or an expiry touches.
pub const BATCH_ROWS_MAX: u32 = 500;
/// Such batches of empty folders that are removed with a bucket in one request, or of items in which something was retained
/// that are looked at before one purge.
pub const CLEAR_TURNS_MAX: u32 = 1_000;
/// How long a folder may be in the making as a copy before what there is of it is removed.
pub const COPY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How long what was put into the trash can be restored, and a version that was removed from its list or overwritten where
/// none are kept, if nobody says otherwise.
pub const TRASH_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Locks below one user's root at a time.
pub const LOCKS_MAX: u64 = 10_000;
/// Locks that may cover one item, its own and those that reach it from above: each is told of each item that it covers.
pub const LOCKS_COVERING_MAX: usize = 32;
/// Bytes of what a client says of a lock's holder.
pub const LOCK_ABOUT_BYTES_MAX: usize = 1024;
/// How long a lock lives at most without being asked for again: whoever died holding one is in nobody's way tomorrow.
pub const LOCK_TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Properties of one item that clients set and understand alone.
pub const PROPERTIES_MAX: usize = 1_000;
/// Bytes of an item's properties, names included.
pub const PROPERTIES_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a property's name.
pub const PROPERTY_NAME_BYTES_MAX: usize = 1_024;
/// Rows that one page of a walk along keys looks at, about: a page may be short where there is much that is not shown.
pub const WALK_ROWS_MAX: u32 = 20_000;
/// Buckets in a listing of them.
pub const BUCKETS_MAX: usize = 10_000;
/// Wishes to be told of changes below a bucket.
pub const SUBSCRIPTIONS_MAX: u32 = 100;
/// Bytes of all that is said of who else may use a bucket.
pub const SHARING_BYTES_MAX: usize = 512 * 1024;
/// Users whom that names.
pub const SHARING_USERS_MAX: usize = 1_000;
/// Grants of a bucket, or of an object.
pub const GRANTS_MAX: usize = 100;
/// Bytes of a setting of a bucket.
pub const BUCKET_SETTING_BYTES_MAX: usize = 64 * 1024;
/// Rules of a bucket by which keys go.
pub const LIFECYCLE_RULES_MAX: usize = 1_000;
/// Bytes of those rules, and of what they were given as.
pub const LIFECYCLE_BYTES_MAX: usize = 1024 * 1024;
