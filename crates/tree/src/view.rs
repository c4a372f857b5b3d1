//! What the tree answers of an item: its row, its current version, and what belongs beside them.

use crate::Error;
use crate::grant::{Grant, Inside, under_watermark};
use crate::guards::{self, FileLockView};
use crate::shared_links::{self, SharedLinkView};
use entente_database::items::{Ancestor, Item, Top};
use entente_database::users::UserMini;
use entente_database::versions::Version;
use entente_database::{Tx, items, users, versions};
use entente_model::{ItemId, ItemName, Rights, UserId};
use std::sync::Arc;

/// A folder above an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathEntry {
    /// Its id.
    pub id: ItemId,
    /// Its name.
    pub name: ItemName,
    /// How often it has changed.
    pub sequence: u64,
}

/// Where an item is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemState {
    /// Below a root.
    Active,
    /// In the trash, or below what is.
    Trashed,
}

/// An item, and what is shown with it.
#[derive(Debug, Clone)]
pub struct ItemView {
    /// Its row.
    pub item: Item,
    /// The current version, of a file. Its `number` tells how many versions the file has had.
    pub version: Option<Version>,
    /// The folders above it that the caller may know of, the root or the trash first, the parent last. Empty for a root.
    pub path: Arc<[PathEntry]>,
    /// Whose content it is.
    pub owner: Arc<UserMini>,
    /// Who made it.
    pub created_by: Arc<UserMini>,
    /// Who last changed it.
    pub modified_by: Arc<UserMini>,
    /// Where it is in its life.
    pub state: ItemState,
    /// What the caller may do with it, whatever the credential is limited to.
    pub rights: Rights,
    /// Its shared link, which may have ended by itself.
    pub link: Option<SharedLinkView>,
    /// Who has locked it, of a file.
    pub lock: Option<FileLockView>,
    /// Whether something above it is watermarked.
    pub watermark_inherited: bool,
}

/// A version, and who made it.
#[derive(Debug, Clone)]
pub struct VersionView {
    /// Its row.
    pub version: Version,
    /// Who made it.
    pub created_by: Arc<UserMini>,
    /// Who removed it from the list, if somebody did.
    pub trashed_by: Option<Arc<UserMini>>,
    /// Whether it is the current one.
    pub state: VersionState,
}

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionState {
    /// What the file holds now.
    Current,
    /// What it held before.
    Older,
    /// Removed from the list, and soon for good.
    Removed,
}

/// Users that were looked up already: a page of items has few different ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Minis(Vec<Arc<UserMini>>);

impl Minis {
    pub(crate) fn find(&mut self, tx: &mut Tx<'_>, user: UserId) -> Result<Arc<UserMini>, Error> {
        if let Some(known) = self.0.iter().find(|mini| mini.id == user) {
            return Ok(Arc::clone(known));
        }
        // A user who is gone is still named by what they did.
        let gone = || UserMini { id: user, name: String::new(), login: String::new() };
        let found = Arc::new(users::mini(tx, user)?.unwrap_or_else(gone));
        self.0.push(Arc::clone(&found));
        Ok(found)
    }
}

/// What all children of one folder have in common.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) path: Arc<[PathEntry]>,
    pub(crate) owner: UserId,
    pub(crate) state: ItemState,
    pub(crate) rights: Rights,
    /// Whether any of what is above the children is watermarked.
    pub(crate) watermarked: bool,
}

impl Surroundings {
    /// Of the item of a grant.
    pub(crate) fn of<A>(grant: &Grant<A>) -> Self {
        let first = grant.above().last();
        let watermarked = grant.above().iter().any(|above| above.guard.watermarked);
        let top = (first, first.unwrap_or(grant.item()));
        Self::new(grant.seen_above(), top, (grant.owner(), grant.rights()), watermarked)
    }

    /// Of the children of a folder.
    pub(crate) fn inside(Inside { folder, above, seen, owner, rights }: Inside<'_>) -> Self {
        let top = above.last().unwrap_or(folder);
        let way = || std::iter::once(folder).chain(above);
        let watermarked = way().any(|above| above.guard.watermarked);
        Self::new(way().take(seen), (Some(top), top), (owner, rights), watermarked)
    }

    /// Of the children of a child of these surroundings.
    pub(crate) fn below(&self, folder: PathEntry, watermarked: bool) -> Self {
        let path = self.path.iter().cloned().chain([folder]).collect();
        Self { path, watermarked: self.watermarked || watermarked, ..*self }
    }

    /// `seen` leads upwards as far as the caller may know; `first` is what the path begins with for everybody.
    fn new<'a>(
        seen: impl IntoIterator<Item = &'a Ancestor>,
        (first, top): (Option<&'a Ancestor>, &Ancestor),
        (owner, rights): (UserId, Rights),
        watermarked: bool,
    ) -> Self {
        let mut upwards: Vec<&Ancestor> = seen.into_iter().collect();
        upwards.extend(first.filter(|first| upwards.last().is_none_or(|last| last.id != first.id)));
        let entry = |above: &Ancestor| PathEntry { id: above.id, name: above.name.clone(), sequence: above.sequence };
        Self {
            path: upwards.into_iter().rev().map(entry).collect(),
            owner,
            state: if top.top == Top::Trash { ItemState::Trashed } else { ItemState::Active },
            rights,
            watermarked,
        }
    }

    pub(crate) fn view(
        &self,
        tx: &mut Tx<'_>,
        minis: &mut Minis,
        item: Item,
        version: Option<Version>,
    ) -> Result<ItemView, Error> {
        Ok(ItemView {
            path: Arc::clone(&self.path),
            owner: minis.find(tx, self.owner)?,
            created_by: minis.find(tx, item.created_by)?,
            modified_by: minis.find(tx, item.modified_by)?,
            state: self.state,
            rights: if item.guard.watermarked { under_watermark(self.rights) } else { self.rights },
            link: None,
            lock: guards::shown(tx, minis, &item)?,
            watermark_inherited: self.watermarked,
            item,
            version,
        })
    }
}

/// The view of the item of a grant, whose row has been read already.
pub(crate) fn view_row<A>(tx: &mut Tx<'_>, grant: &Grant<A>, item: Item) -> Result<ItemView, Error> {
    let version = current(tx, &item)?;
    let view = Surroundings::of(grant).view(tx, &mut Minis::default(), item, version)?;
    shared_links::with_link(tx, view)
}

/// The view of a child of a folder.
pub(crate) fn view_inside(tx: &mut Tx<'_>, inside: Inside<'_>, item: Item) -> Result<ItemView, Error> {
    let version = current(tx, &item)?;
    let view = Surroundings::inside(inside).view(tx, &mut Minis::default(), item, version)?;
    shared_links::with_link(tx, view)
}

/// The row of the item of a grant.
pub(crate) fn row<A>(tx: &mut Tx<'_>, grant: &Grant<A>) -> Result<Item, Error> {
    items::by_id(tx, grant.item().id)?.ok_or(Error::NotFound)
}

/// The current version of a file.
pub(crate) fn current(tx: &mut Tx<'_>, item: &Item) -> Result<Option<Version>, Error> {
    match item.version {
        None => Ok(None),
        Some(version) => {
            let found = versions::by_id(tx, version)?;
            found.map(Some).ok_or(Error::internal("a file's current version is not there"))
        }
    }
}
