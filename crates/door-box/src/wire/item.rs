//! Folders, files and web links, in every form in which Box shows them: mini, standard, full, trashed.

use super::collection::Collection;
use super::date::{Date, Zone};
use super::digest::Digest;
use super::favorites::Favorites;
use super::fields::{Field, Fields, Members};
use super::id::{ItemRef, TRASH_NAME, Text};
use super::lock::FileLock;
use super::permissions::{Of, Permissions, Sharing};
use super::representation::Representation;
use super::shared_link::SharedLink;
use super::user::{UserMini, uploader};
use super::version::VersionMini;
use entente_model::{Rights, Timestamp, VersionId};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// What kind of item, with what only that kind has.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file, with its current version.
    File(Current),
    /// A link to somewhere else.
    WebLink,
}

/// The current version of a file.
#[derive(Debug, Clone, Copy)]
pub struct Current {
    /// Its id.
    pub version: VersionId,
    /// Its number, from 1.
    pub number: u64,
    /// Its SHA-1.
    pub sha1: Digest,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// Where an item is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In its place.
    Active,
    /// In the trash, itself or with a folder above it.
    Trashed,
    /// Purged.
    Deleted,
}

/// One folder on the way from "All Files" (or from the trash) down to an item.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The folder.
    pub id: ItemRef,
    /// Its sequence number; none for the root and the trash.
    pub sequence: Option<u64>,
    /// Its name.
    pub name: &'a str,
}

impl Step<'static> {
    /// The trash, which every trashed item's path begins with.
    pub const TRASH: Self = Self { id: ItemRef::Trash, sequence: None, name: TRASH_NAME };
}

/// An item, borrowed from wherever it is kept, and which of its members to write.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// What to write.
    pub fields: Fields,
    /// The kind.
    pub kind: Kind,
    /// The id.
    pub id: ItemRef,
    /// Grows with every change: `etag` and `sequence_id`. None for the root.
    pub sequence: Option<u64>,
    /// The name.
    pub name: &'a str,
    /// Where a web link leads, if the caller may know.
    pub url: Option<&'a str>,
    /// The description; empty if there is none.
    pub description: &'a str,
    /// The tags.
    pub tags: &'a [String],
    /// From "All Files" or the trash down to the parent; empty for the root.
    pub path: &'a [Step<'a>],
    /// The moments; none for the root, which has none at Box.
    pub times: Option<Times>,
    /// When it was trashed, if it is in the trash.
    pub trashed_at: Option<Timestamp>,
    /// When it will be purged, if it is in the trash and that is known.
    pub purged_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: UserMini<'a>,
    /// Who changed it last.
    pub modified_by: UserMini<'a>,
    /// Who sent it by a file request, if it came so: the address that they gave, empty if they gave none.
    pub sender: Option<&'a str>,
    /// Whose it is.
    pub owned_by: UserMini<'a>,
    /// Where it is in its life.
    pub status: Status,
    /// The size of a folder in bytes; a file's is its version's.
    pub folder_size_bytes: u64,
    /// Who has locked it, of a file.
    pub lock: Option<FileLock<'a>>,
    /// Whether it is watermarked.
    pub watermark: WatermarkInfo,
    /// The pictures of it that were asked for, of a file that is shown by itself.
    pub representations: &'a [Representation],
    /// How many comments it has.
    pub comments: u64,
    /// The first page of a folder's children, when a whole folder is shown.
    pub children: Option<&'a Collection<'a, Item<'a>>>,
    /// What the caller may do with it.
    pub rights: Rights,
    /// How it is shared.
    pub sharing: Sharing,
    /// Its shared link.
    pub link: Option<SharedLink<'a>>,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

/// The moments of an item.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// When it was made here.
    pub created_at: Timestamp,
    /// When it was changed here.
    pub modified_at: Timestamp,
    /// When its content was made, as the client says.
    pub content_created_at: Timestamp,
    /// When its content was changed, as the client says.
    pub content_modified_at: Timestamp,
}

const MINI: Fields = Fields::ALWAYS.and(Fields::of(&[Field::SequenceId, Field::Name]));
const STANDARD: Fields = MINI.and(Fields::of(&[
    Field::Description,
    Field::Size,
    Field::PathCollection,
    Field::CreatedAt,
    Field::ModifiedAt,
    Field::TrashedAt,
    Field::PurgedAt,
    Field::ContentCreatedAt,
    Field::ContentModifiedAt,
    Field::CreatedBy,
    Field::ModifiedBy,
    Field::OwnedBy,
    Field::SharedLink,
    Field::Parent,
    Field::ItemStatus,
]));
const LINK_ONLY: Fields = Fields::of(&[Field::Url]);
const FILE_ONLY: Fields = Fields::of(&[Field::Sha1, Field::FileVersion]);

/// `File--Mini`, `Folder--Mini`, `WebLink--Mini`: what listings have without `fields`. Each leaves out what only others
/// have.
pub const ITEM_MINI: Fields = MINI.and(FILE_ONLY).and(LINK_ONLY);
/// `File`.
pub const FILE: Fields = STANDARD.and(FILE_ONLY);
/// `WebLink`, `TrashWebLink`, `TrashWebLinkRestored`.
pub const WEB_LINK: Fields = STANDARD.and(LINK_ONLY);
/// `Folder`.
pub const FOLDER: Fields = STANDARD.and(Fields::of(&[Field::FolderUploadEmail, Field::ItemCollection]));
/// `TrashFolder`, `TrashFolderRestored`: a folder without its children.
pub const TRASH_FOLDER: Fields = FOLDER.without(Fields::of(&[Field::ItemCollection]));

impl Item<'_> {
    fn date(&self, at: Timestamp) -> Date<'_> {
        Date { at, zone: self.zone }
    }

    fn file(&self) -> Option<&Current> {
        match &self.kind {
            Kind::File(current) => Some(current),
            Kind::Folder | Kind::WebLink => None,
        }
    }

    fn is_folder(&self) -> bool {
        matches!(self.kind, Kind::Folder)
    }

    fn permissions(&self) -> Permissions {
        let of = match (self.id, self.kind) {
            (ItemRef::Root, _) => Of::Root,
            (_, Kind::File(_)) => Of::File,
            (_, Kind::WebLink) => Of::WebLink,
            (_, Kind::Folder) => Of::Folder,
        };
        Permissions { rights: self.rights, sharing: self.sharing, of }
    }

    /// The members that only `fields` brings.
    fn put_on_request<M: SerializeMap>(&self, members: &mut Members<M>) -> Result<(), M::Error> {
        members.put(Field::Tags, self.tags)?;
        members.put_with(Field::Permissions, || self.permissions())?;
        members.put(Field::HasCollaborations, &self.sharing.collaborated)?;
        members.put_with(Field::IsExternallyOwned, || false)?;
        members.put_with(Field::IsAccessibleViaSharedLink, || self.link.is_some())?;
        members.put_with(Field::IsAssociatedWithAppItem, || false)?;
        members.put(Field::WatermarkInfo, &self.watermark)?;
        members.put_with(Field::AllowedInviteeRoles, || self.permissions().roles())?;
        members.put_with(Field::Classification, || NULL)?;
        members.put_with(Field::Collections, || self.sharing.favorite_of.map(Favorites::of).as_slice().to_vec())?;
        if let Some(current) = self.file() {
            members.put_with(Field::VersionNumber, || Text(current.number))?;
            members.put(Field::CommentCount, &self.comments)?;
            members.put_with(Field::Lock, || self.lock.map(|lock| lock.shown(self.zone)))?;
            members.put_with(Field::Extension, || self.name.rsplit_once('.').map_or("", |(_, extension)| extension))?;
            members.put_with(Field::IsPackage, || false)?;
            members.put_with(Field::ExpiresAt, || NULL)?;
            members.put_with(Field::Representations, || Representations { entries: self.representations })?;
            members.put(Field::UploaderDisplayName, uploader(self.sender, &self.modified_by))?;
            members.put_with(Field::DispositionAt, || NULL)?;
            members.put_with(Field::SharedLinkPermissionOptions, || ["can_preview", "can_download", "can_edit"])?;
        } else if self.is_folder() {
            members.put_with(Field::SyncState, || "not_synced")?;
            members.put(Field::CanNonOwnersInvite, &self.sharing.others_invite)?;
            members.put(Field::IsCollaborationRestrictedToEnterprise, &self.sharing.enterprise_only)?;
            members.put_with(Field::AllowedSharedLinkAccessLevels, || ["open", "company", "collaborators"])?;
            members.put(Field::CanNonOwnersViewCollaborators, &self.sharing.others_see_each_other)?;
        }
        Ok(())
    }
}

const NULL: Option<()> = None;

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        let file = self.file();
        let kind = match self.kind {
            Kind::Folder => "folder",
            Kind::File(_) => "file",
            Kind::WebLink => "web_link",
        };
        members.put(Field::Type, kind)?;
        members.put(Field::Id, &self.id)?;
        let sequence = self.sequence.map(Text);
        members.put(Field::SequenceId, &sequence)?;
        members.put(Field::Etag, &sequence)?;
        members.put(Field::Name, self.name)?;
        if let Some(url) = self.url {
            members.put(Field::Url, url)?;
        }
        if let Some(current) = file {
            members.put_with(Field::FileVersion, || VersionMini { id: current.version, sha1: current.sha1 })?;
            members.put(Field::Sha1, &current.sha1)?;
        }
        members.put(Field::Description, self.description)?;
        if !matches!(self.kind, Kind::WebLink) {
            members.put(Field::Size, &file.map_or(self.folder_size_bytes, |current| current.size_bytes))?;
        }
        members.put_with(Field::PathCollection, || PathCollection(self.path))?;
        let times = self.times;
        members.put_with(Field::CreatedAt, || times.map(|times| self.date(times.created_at)))?;
        members.put_with(Field::ModifiedAt, || times.map(|times| self.date(times.modified_at)))?;
        members.put_with(Field::TrashedAt, || self.trashed_at.map(|at| self.date(at)))?;
        members.put_with(Field::PurgedAt, || self.purged_at.map(|at| self.date(at)))?;
        if !matches!(self.kind, Kind::WebLink) {
            members.put_with(Field::ContentCreatedAt, || times.map(|times| self.date(times.content_created_at)))?;
            members.put_with(Field::ContentModifiedAt, || times.map(|times| self.date(times.content_modified_at)))?;
        }
        members.put(Field::CreatedBy, &self.created_by)?;
        members.put(Field::ModifiedBy, &self.modified_by)?;
        members.put(Field::OwnedBy, &self.owned_by)?;
        members.put(Field::SharedLink, &self.link)?;
        if self.is_folder() {
            members.put(Field::FolderUploadEmail, &NULL)?;
        }
        members.put(Field::Parent, &self.path.last())?;
        members.put(Field::ItemStatus, &self.status)?;
        self.put_on_request(&mut members)?;
        if let Some(children) = self.children {
            members.put(Field::ItemCollection, children)?;
        }
        members.end()
    }
}

/// `Folder--Mini`.
impl Serialize for Step<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            #[serde(rename = "type")]
            kind: &'static str,
            id: ItemRef,
            sequence_id: Option<Text<u64>>,
            etag: Option<Text<u64>>,
            name: &'a str,
        }
        let sequence = self.sequence.map(Text);
        let shape = Shape { kind: "folder", id: self.id, sequence_id: sequence, etag: sequence, name: self.name };
        shape.serialize(serializer)
    }
}

struct PathCollection<'a>(&'a [Step<'a>]);

impl Serialize for PathCollection<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("total_count", &self.0.len())?;
        map.serialize_entry("entries", self.0)?;
        map.end()
    }
}

/// Whether an item is watermarked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WatermarkInfo {
    /// Itself, or by something above it.
    pub is_watermarked: bool,
    /// By something above it.
    pub is_watermark_inherited: bool,
    /// Nothing of that kind is there.
    pub is_watermarked_by_access_policy: bool,
}

#[derive(Serialize)]
struct Representations<'a> {
    entries: &'a [Representation],
}

/// `Files`: what an upload answers.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a>(pub Item<'a>);

impl Serialize for Files<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("total_count", &1)?;
        map.serialize_entry("entries", &[self.0])?;
        map.end()
    }
}

/// What holds a name that somebody wanted: an object where a file was to be, a list of one where a folder was.
///
/// Box's description has a list for both; clients depend on the object for files.
#[derive(Debug, Clone)]
pub enum Conflicts<'a> {
    /// A file was to have the name.
    File(Box<Item<'a>>),
    /// A folder was to have the name.
    Folder(Box<Item<'a>>),
}

impl Serialize for Conflicts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::File(item) => item.serialize(serializer),
            Self::Folder(item) => {
                let mut seq = serializer.serialize_seq(Some(1))?;
                seq.serialize_element(item)?;
                seq.end()
            }
        }
    }
}
