//! What an enterprise content platform does: folders, files, versions, the trash, uploads.
//!
//! A door asks the [`Tree`] on behalf of a [`Caller`]. The tree decides whether the caller may (`access`, purely), puts
//! the proof of it into a [`grant::Grant`], has the vault store or fetch bytes, and writes what has changed in one
//! transaction of the database, in which it decides again. What a caller may not know of is answered like what is not
//! there.
//!
//! The tree never sees an encryption key (a customer's passes through it unopened) or a backend, speaks no vendor's
//! protocol and no SQL. It is liberal about names; doors are strict in their own ways.

pub mod access;
mod allowlist;
mod archives;
mod buckets;
mod comments;
mod error;
mod events;
mod favorites;
mod file_requests;
mod files;
pub mod grant;
mod groups;
mod guards;
mod items;
pub mod limits;
mod locks;
mod marker;
pub mod metadata;
mod multipart;
mod paths;
mod properties;
mod recents;
mod retention;
mod search;
mod shared_links;
mod sharing;
mod storage;
mod subscriptions;
mod tasks;
mod terms;
mod uploads;
mod users;
mod view;
mod webhooks;

use entente_database::Database;
use entente_vault::Vault;
use entente_world::World;
use std::sync::Arc;

pub use allowlist::{AllowlistPage, ExemptionView};
pub use archives::{
    ArchiveEntry, ArchiveError, ArchiveFile, ArchiveReader, ArchiveStatus, MadeArchive, NewArchive, RenamedItem,
};
pub use buckets::lifecycle::{
    BEGIN_LIFECYCLES_JOB, EXPIRE_TRASH_JOB, Expired, Expires, Expiry, Failed, Followed, KeyFilter, LIFECYCLE_JOB,
    Lifecycle, LifecycleRule, LifecycleState, OlderVersions, PURGE_OVERWRITTEN_JOB, RunState, TrashPosition,
};
pub use buckets::{Bucket, Entered, OpenedKey, Question, Sight, is_bucket_name, rules};
pub use comments::{Comment, CommentOn, CommentPage, CommentView, Message};
pub use entente_database::acl;
pub use entente_database::aliases::Alias;
pub use entente_database::allowlist::{AllowedDomain, Direction as AllowedDirection, Exemption};
pub use entente_database::archives::{ArchiveCounts, ArchiveState};
pub use entente_database::avatars::{Avatar, AvatarBefore, AvatarKind};
pub use entente_database::buckets::BucketVersioning;
pub use entente_database::deliveries::{Happening, Wording};
pub use entente_database::events::{Event, EventKind};
pub use entente_database::facts::{Checksum, ChecksumKind, Facts};
pub use entente_database::file_requests::FileRequest;
pub use entente_database::groups::{Group, GroupAudience};
pub use entente_database::invites::{Invite, InviteStatus};
pub use entente_database::items::{Item, Kind, SortBy, SortOrder, Top};
pub use entente_database::memberships::{GroupPermissions, Member, Membership, MembershipRole};
pub use entente_database::recents::Act as RecentAct;
pub use entente_database::retention::{
    DefaultRetention, Retains, Retention, RetentionMode, RetentionSpan, RetentionTerm,
};
pub use entente_database::subscriptions::{Happenings, Subscription};
pub use entente_database::terms::{Terms, TermsKind, TermsStatus};
pub use entente_database::uploads::{Part, Session, UploadTarget};
pub use entente_database::users::{
    KindsWanted, Seat, TrackingCode, User, UserChange, UserKind, UserMini, UserSettings, UserStatus, UsersFrom,
};
pub use entente_database::versions::Version;
pub use entente_database::webhooks::{Trigger, Triggers, Webhook};
pub use entente_model::{Caller, Scopes, UserRole};
pub use entente_vault::{BoxError, CustomerKey, Located};
pub use error::Error;
pub use events::{
    EnterpriseEvent, EnterpriseEventPage, EnterpriseEventQuery, EventPage, EventQuery, EventView, Heads,
    REMOVE_EVENTS_JOB,
};
pub use favorites::{Favorite, FavoritePage};
pub use file_requests::{
    FileRequestChange, FileRequestPage, FileRequestView, NewFileRequest, OpenFileRequest, Submission,
};
pub use files::{Content, DIGEST_JOB, NewFile, NewVersion, Opened, PURGE_VERSIONS_JOB, Previewed, VersionPage};
pub use grant::allow;
pub use groups::{
    GroupChange, GroupMembersPage, GroupPage, GroupQuery, GroupView, MembershipChange, NewMembership, PURGE_GROUP_JOB,
};
pub use guards::{
    EXPIRE_FILE_LOCKS_JOB, FileLock, FileLockView, FileLockWish, FolderLock, FolderLockView, Guard, Watermark,
    WatermarkMade,
};
pub use items::{
    CopyTo, HAND_OVER_JOB, ItemChange, ListQuery, Listing, Manner, NameRule, NewFolder, NewWebLink, PURGE_JOB, Page,
    Recursive, RestoreTo, TRANSFER_JOB,
};
pub use locks::{Lock, LockDepth, Locking, NewLock, Sharing, Touch};
pub use marker::Marker;
pub use multipart::{
    CompleteMultipart, EXPIRE_MULTIPARTS_JOB, FinishMultipart, ListMultiparts, Multipart, MultipartEntry,
    MultipartInto, MultipartPage, MultipartPart, MultipartPartPage, NamedMultipartPart, TAKE_APART_JOB,
};
pub use paths::{
    CopyAt, CopyTreeAt, Entry, Expect, Finish, Finished, Folders, HistoryEntry, HistoryWalk, HistoryWalked, MarkerId,
    MoveAt, Object, Overwrite, Path, Prune, Put, PutAt, RemoveAt, RemoveVersionAt, Removed, Versioning, Walk, Walked,
    Want, WantedVersion, WantedVersionError,
};
pub use properties::{ChangeProperties, Property, PropertyChange};
pub use recents::{Reading, RecentItem, RecentPage, RecentPlace};
pub use retention::{Bypass, RetentionChange};
pub use search::{Indexing, MetadataFilter, Search, SearchOrder, SearchPage, SearchPlace, SearchTrash, Within};
pub use shared_links::{
    FoundLink, LinkAccess, LinkName, LinkPasswordHash, LinkRules, LinkWish, SharedLink, SharedLinkChange,
    SharedLinkView,
};
pub use sharing::{
    Collaboration, CollaborationChange, CollaborationPage, CollaborationStatus, CollaborationView, Collaborator,
    CollaboratorView, EXPIRE_COLLABORATIONS_JOB, FolderSettings, FolderSettingsChange, INVITATION_LETTER_JOB,
    InvitationLetter, Invitee, ItemSharing, NewCollaboration,
};
pub use storage::{
    Assignee, BackendCopy, Below, BelowPosition, Elsewhere, ElsewherePosition, FOLLOW_POLICY_JOB, PolicyAssignment,
    PolicyPage, StoragePolicy, Stored, Whereabouts, assignee_of_key, key_of_assignee,
};
pub use subscriptions::{TELL_BELOW_JOB, Telling, Wish, Wishes};
pub use tasks::{
    AssignTo, AssignmentChange, NewTask, Task, TaskAction, TaskAssignment, TaskAssignmentView, TaskChange, TaskRule,
    TaskState, TaskView,
};
pub use terms::{TermsAnswer, TermsStatusView, TermsText, TermsView};
pub use uploads::{CommitSession, EXPIRE_SESSIONS_JOB, NamedPart, NewPart, PartPage, SessionView, UploadInto};
pub use users::{
    AVATAR_BYTES_MAX, AVATAR_PIXELS_MAX, InviteView, MemberIds, NewPerson, OwnedContent, PURGE_USER_JOB,
    REMOVE_OUTSIDER_JOB, UserPage, UserQuery,
};
pub use view::{ItemState, ItemView, PathEntry, VersionState, VersionView};
pub use webhooks::{NewWebhook, Notice, NoticeItem, WebhookChange, WebhookPage, WebhookView};

/// The tree. Cheap to clone.
#[derive(Clone)]
pub struct Tree {
    world: World,
    database: Database,
    vault: Vault,
    followed: Arc<uploads::Followed>,
    heads: Heads,
    manner: Manner,
    noted: Arc<recents::Noted>,
    words: search::Words,
}

impl Tree {
    /// A tree over a database and a vault that use the same ledger.
    #[must_use]
    pub fn new(world: World, database: Database, vault: Vault) -> Self {
        let (followed, heads, noted) = (Arc::default(), Heads::default(), Arc::default());
        Self { world, database, vault, followed, heads, manner: Manner::Usual, noted, words: search::Words::default() }
    }
}
