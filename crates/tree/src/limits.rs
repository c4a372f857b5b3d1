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
/// Favorites of a user.
pub const FAVORITES_MAX: u64 = 10_000;
/// Items of which is known that a user had to do with them lately.
pub const RECENTS_MAX: u32 = 1_000;
/// How long that is known.
pub const RECENT_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Notes of that which wait in memory to be written; what comes when there are more is not noted.
pub const RECENTS_WAITING_MAX: usize = 10_000;
/// Such notes that are written in one transaction.
pub const RECENTS_WRITTEN_MAX: usize = 200;
/// Bytes of where a web link leads.
pub const URL_BYTES_MAX: usize = 2_048;
/// Tags of an item.
pub const TAGS_MAX: usize = 100;
/// Characters of a tag.
pub const TAG_CHARS_MAX: usize = 256;
/// Characters of a user's name, login, phone and the like.
pub const USER_TEXT_CHARS_MAX: usize = 256;
/// Characters of a user's postal address.
pub const USER_ADDRESS_CHARS_MAX: usize = 1_000;
/// Bytes that a user with a frontline seat may store, unless somebody says otherwise: 2 GiB.
pub const FRONTLINE_SPACE_BYTES: u64 = 2 << 30;
/// Characters of a group's name, description and the like.
pub const GROUP_TEXT_CHARS_MAX: usize = 255;
/// Groups, or memberships, in a page of a listing.
pub const GROUPS_PAGE_MAX: u32 = 1_000;
/// Groups that one user is in.
pub const MEMBERSHIPS_OF_USER_MAX: u64 = 10_000;
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
/// How long an item on its way to another owner waits for whoever began that, before a job goes on with it.
pub const HAND_OVER_PATIENCE: Duration = Duration::from_secs(60);
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
/// Collaborations on one item itself.
pub const COLLABORATIONS_MAX: u64 = 20_000;
/// Items of others that stand in one user's root: those that were shared last.
pub const SHARED_ITEMS_MAX: u32 = 1_000;
/// Collaborations in a page.
pub const COLLABORATIONS_PAGE_MAX: u32 = 1_000;
/// Metadata templates of an enterprise.
pub const METADATA_TEMPLATES_MAX: u64 = 300;
/// Fields of a template.
pub const METADATA_FIELDS_MAX: usize = 500;
/// Options of all fields of a template.
pub const METADATA_OPTIONS_MAX: usize = 5_000;
/// Characters of the names and descriptions of templates, fields and options.
pub const METADATA_NAME_CHARS_MAX: usize = 4_096;
/// Bytes of what programs keep with an option.
pub const METADATA_STATIC_BYTES_MAX: usize = 4 * 1024;
/// Templates, taxonomies or nodes in a page.
pub const METADATA_PAGE_MAX: u32 = 1_000;
/// Instances of metadata on one item.
pub const METADATA_INSTANCES_MAX: u32 = 100;
/// Bytes of the values of an instance, written as JSON.
pub const METADATA_INSTANCE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a text among the values.
pub const METADATA_TEXT_BYTES_MAX: usize = 10_000;
/// Options, or values of a taxonomy, that one field has at a time.
pub const METADATA_SELECTED_MAX: usize = 250;
/// Values of all fields of an instance.
pub const METADATA_VALUES_MAX: usize = 500;
/// Operations of a patch of an instance.
pub const METADATA_PATCH_MAX: usize = 1_000;
/// Skill cards of a file.
pub const METADATA_CARDS_MAX: usize = 100;
/// How deep a skill card may be nested.
pub const METADATA_DEPTH_MAX: usize = 16;
/// Items that one transaction brings metadata to, or takes it from.
pub const METADATA_BATCH_MAX: u32 = 100;
/// Taxonomies of an enterprise.
pub const TAXONOMIES_MAX: u64 = 100;
/// Levels of a taxonomy.
pub const TAXONOMY_LEVELS_MAX: usize = 20;
/// Nodes of a taxonomy.
pub const TAXONOMY_NODES_MAX: u64 = 100_000;
/// Nodes that one page of them looks at, whether it shows them or not.
pub const TAXONOMY_NODES_LOOKED_AT_MAX: u32 = 5_000;
/// Bytes of the text of a query of metadata.
pub const QUERY_BYTES_MAX: usize = 8 * 1024;
/// How deep it may be nested.
pub const QUERY_DEPTH_MAX: usize = 32;
/// Comparisons in it.
pub const QUERY_TESTS_MAX: usize = 100;
/// Values in one list of it.
pub const QUERY_VALUES_MAX: usize = 250;
/// Fields that it is ordered by.
pub const QUERY_SORTS_MAX: usize = 5;
/// Items in a page of what it finds.
pub const QUERY_PAGE_MAX: u32 = 100;
/// Instances that one page of it looks at.
pub const QUERY_LOOKED_AT_MAX: u32 = 2_000;
/// Templates of which it shows what is said of each item.
pub const QUERY_SHOWN_MAX: usize = 20;
/// Entries of the list of allowed domains, or of exemptions from it, on a page.
pub const ALLOWLIST_PAGE_MAX: u32 = 1_000;
/// Characters of terms of service.
pub const TERMS_CHARS_MAX: usize = 100_000;
/// Events that get their positions at a time.
pub const EVENTS_PLACED_MAX: u32 = 500;
/// Events in a page.
pub const EVENTS_PAGE_MAX: u32 = 500;
/// Items, or events of an enterprise, that are looked at for a page of events.
pub const EVENTS_LOOKED_AT_MAX: usize = 1_000;
/// Others whose content a user hears of because they share some of it.
pub const EVENT_OWNERS_MAX: usize = 32;
/// Items that are looked at to find who those are.
pub const EVENT_SHARED_ITEMS_MAX: u32 = 200;
/// Characters of the name of a shared link: what is shorter is guessed.
pub const VANITY_CHARS: std::ops::RangeInclusive<usize> = 12..=64;
/// Characters of a comment, or of a message about a task.
pub const COMMENT_CHARS_MAX: usize = 10_000;
/// Comments on a file.
pub const COMMENTS_MAX: u64 = 10_000;
/// Users whom a comment mentions.
pub const MENTIONS_MAX: usize = 100;
/// Tasks about a file.
pub const TASKS_MAX: u32 = 100;
/// Users who are asked to do a task.
pub const TASK_ASSIGNMENTS_MAX: u32 = 100;
/// Folders of an owner that are locked.
pub const FOLDER_LOCKS_MAX: u32 = 1_000;
/// Items that are asked for in one archive.
pub const ARCHIVE_ITEMS_MAX: usize = 10_000;
/// Files of an archive.
pub const ARCHIVE_FILES_MAX: u32 = 10_000;
/// Bytes of all files of an archive: 32 GiB.
pub const ARCHIVE_BYTES_MAX: u64 = 32 << 30;
/// Items, folders and what is never in an archive too, that are looked at for one.
pub const ARCHIVE_LOOKED_AT_MAX: u32 = 50_000;
/// Bytes of the path of a file in an archive: as many as systems open, and few enough to keep all of them until its end.
pub const ARCHIVE_PATH_BYTES_MAX: usize = 4_096;
/// Characters of the name of an archive.
pub const ARCHIVE_NAME_CHARS_MAX: usize = 200;
/// Archives that one user fetches at a time.
pub const ARCHIVES_AT_ONCE_MAX: u64 = 5;
/// How long somebody may wait before they begin to fetch an archive.
pub const ARCHIVE_PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How long it is remembered, from then on, how far one has come.
pub const ARCHIVE_REMEMBERED: Duration = Duration::from_secs(12 * 60 * 60);
/// An archive on its way that has given no sign of life for so long has broken off.
pub const ARCHIVE_SILENCE_MAX: Duration = Duration::from_secs(5 * 60);
/// People from outside who are removed by one request.
pub const OUTSIDERS_MAX: usize = 1_000;
/// Webhooks that a user has with one application.
pub const WEBHOOKS_MAX: u64 = 1_000;
/// Webhooks of one item, whoever made them.
pub const WEBHOOKS_OF_ITEM_MAX: u32 = 50;
/// Webhooks that one page has at most.
pub const WEBHOOKS_PAGE_MAX: u32 = 200;
/// The longest address of a webhook, in bytes.
pub const WEBHOOK_ADDRESS_BYTES_MAX: usize = 2_000;
/// File requests of one folder.
pub const FILE_REQUESTS_OF_FOLDER_MAX: u32 = 100;
/// Characters of the title of a file request.
pub const FILE_REQUEST_TITLE_CHARS_MAX: usize = 256;
/// Characters of what it says.
pub const FILE_REQUEST_TEXT_CHARS_MAX: usize = 4_000;
/// The longest address that somebody who sends files may give, in bytes (RFC 5321, 4.5.3.1).
pub const SENDER_BYTES_MAX: usize = 254;
/// Events that are looked through for webhooks in one turn.
pub const WEBHOOK_EVENTS_AT_ONCE: u32 = 100;
/// Results in a page of a search.
pub const SEARCH_PAGE_MAX: u32 = 200;
/// Candidates that are looked at for a page of a search.
pub const SEARCH_LOOKED_AT_MAX: usize = 20_000;
/// Candidates that are looked at to count results beyond the page.
pub const SEARCH_COUNTED_MAX: usize = 1_000;
/// Ids, extensions and the like in one list of a search.
pub const SEARCH_LIST_MAX: usize = 1_000;
/// Items whose metadata fit a search's filter that are considered.
pub const SEARCH_METADATA_MAX: usize = 10_000;
/// Instances of a template that are looked at for a search's filter.
pub const SEARCH_INSTANCES_MAX: usize = 100_000;
/// Items that are indexed at a time.
pub const INDEXED_MAX: u32 = 2_000;
/// Comments of an item that are indexed.
pub const INDEXED_COMMENTS_MAX: u32 = 100;
/// Versions of a file of which is indexed who made them.
pub const INDEXED_VERSIONS_MAX: u32 = 10;
