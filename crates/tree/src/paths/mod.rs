//! Items by their path: what doors ask for whose clients know names and no ids.
//!
//! A path is names below a folder. A key of S3 is one, cut at each `/`: names may be empty there, and a file and a folder
//! may have the same name. Folders that only keys need are implied: they come with the first item below them, and go with
//! the last. Whatever else is done with such a folder makes it one like others.
//!
//! Siblings are compared by the bytes of their names, a folder's as if it ended in `/`: that is the order of keys, and one
//! index has it, so that looking a name up and listing keys are walks along that index, however many there are.

mod at;
mod copy;
mod facts;
mod folders;
mod history;
mod land;
mod markers;
mod moves;
mod put;
mod remove;
mod removed;
mod seen;
mod walk;
mod walker;
mod wanted;
mod way;

pub(crate) use at::{Named, facts_at, marker_of, named, open};
pub use copy::{CopyAt, CopyTreeAt};
pub(crate) use folders::prune;
pub use history::{HistoryEntry, HistoryWalk, HistoryWalked};
pub(crate) use land::{Landing, land};
pub use moves::MoveAt;
pub use put::{Finish, Finished, PutAt};
pub use remove::{Prune, RemoveAt, RemoveVersionAt, Removed};
pub(crate) use removed::{hide_plain, shows_plain};
pub(crate) use seen::Seen;
pub use walk::{Entry, Walk, Walked};
pub use wanted::{MarkerId, WantedVersion, WantedVersionError};

use crate::{Error, ItemView, Kind, Version, VersionState};
use entente_database::facts::Facts;
use entente_database::items::Item;
use entente_model::{ItemId, ItemName, Md5, VersionId};

/// Where something is: names below a folder, from the folder's child on downwards. No names: the folder itself.
#[derive(Debug, Clone, Copy)]
pub struct Path<'p> {
    /// The folder that the path begins in.
    pub base: ItemId,
    /// The names on the way, the last one that of the item itself.
    pub names: &'p [ItemName],
}

/// What is looked for at a path, where a file and a folder may have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Want {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A file if there is one, else a folder.
    Either,
}

/// What becomes of folders on the way that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Folders {
    /// `FolderMissing`.
    Refuse,
    /// They are made, implied: they go again with the last item that is removed from them with [`Prune::Implied`].
    Imply,
}

/// What must be at a path for a change to happen; else `PreconditionFailed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expect {
    /// Whatever there is.
    Anything,
    /// Nothing of the wanted kind.
    Absent,
    /// Something of the wanted kind.
    Present,
    /// A file with this current version.
    Version(VersionId),
    /// This item, unchanged since it had that sequence number.
    State {
        /// Which item.
        item: ItemId,
        /// How often it had changed.
        sequence: u64,
    },
}

/// Whether what is overwritten is to be told apart from what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Versioning {
    /// Each version is one of its own, whatever the bucket says.
    Always,
    /// As the bucket says that the path leads through: while it keeps no versions, what is written is plain.
    ByBucket,
}

/// What becomes of an item that is where another is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Overwrite {
    /// It stays: `NameInUse`.
    Refuse,
    /// It goes to the trash.
    Replace,
}

/// A file or folder found by its path, with what doors show of it that know paths.
#[derive(Debug, Clone)]
pub struct Object {
    /// The item. Of a file that was asked for with a version, `version` is that one rather than the current one.
    pub view: ItemView,
    /// Of the version's bytes, if somebody had to compute it.
    pub md5: Option<Md5>,
    /// What is remembered of the version besides its bytes, if there is anything.
    pub facts: Option<Facts>,
}

/// What was put where it belongs.
#[derive(Debug, Clone)]
pub struct Put {
    /// As it is then.
    pub object: Object,
    /// Whether there was no such item at that path before.
    pub created: bool,
}

impl Object {
    /// A strong entity tag of the version's bytes, without quotes: the MD5 in hexadecimal where it is known, what the facts
    /// say instead, or 32 hexadecimal digits and `-1`, which no client takes for an MD5. Empty for a folder.
    #[must_use]
    pub fn etag(&self) -> String {
        etag_of(self.view.version.as_ref(), self.md5.as_ref(), self.facts.as_ref())
    }

    /// Whether the version was made while its bucket kept none.
    #[must_use]
    pub fn plain(&self) -> bool {
        self.view.version.as_ref().is_some_and(|version| version.plain)
    }

    /// Where it stands among its siblings: what [`crate::Tree::children`] goes on after.
    #[must_use]
    pub fn sort_name(&self) -> String {
        self.view.item.sort_name()
    }

    /// Whether the version shown is the file's current one.
    #[must_use]
    pub fn state(&self) -> VersionState {
        match &self.view.version {
            Some(version) if self.view.item.version != Some(version.id) => VersionState::Older,
            _ => VersionState::Current,
        }
    }
}

/// The entity tag of a version with those facts, as [`Object::etag`] says.
pub(crate) fn etag_of(version: Option<&Version>, md5: Option<&Md5>, facts: Option<&Facts>) -> String {
    if let Some(etag) = facts.and_then(|facts| facts.etag.as_ref()) {
        return etag.clone();
    }
    if let Some(md5) = md5 {
        return md5.to_string();
    }
    let Some(version) = version else { return String::new() };
    match &version.sha1 {
        Some(sha1) => {
            let mut text = sha1.to_string();
            text.truncate(32);
            text.push_str("-1");
            text
        }
        None => format!("{:032x}-1", version.content.number()),
    }
}

impl Want {
    /// The kind, if it is one.
    pub(crate) const fn kind(self) -> Option<Kind> {
        match self {
            Self::File => Some(Kind::File),
            Self::Folder => Some(Kind::Folder),
            Self::Either => None,
        }
    }
}

impl Expect {
    /// Compares with what there is.
    pub(crate) fn check(self, found: Option<&Item>) -> Result<(), Error> {
        let holds = match self {
            Self::Anything => true,
            Self::Absent => found.is_none(),
            Self::Present => found.is_some(),
            Self::Version(version) => found.is_some_and(|item| item.version == Some(version)),
            Self::State { item, sequence } => found.is_some_and(|found| found.id == item && found.sequence == sequence),
        };
        if holds { Ok(()) } else { Err(Error::PreconditionFailed) }
    }
}
