//! Copies. No byte moves, unless it is to another owner: a copy's versions share the contents of what was copied.

use super::copy_folder;
use super::place::NameRule;
use crate::files::{Added, Target, add_file};
use crate::grant::{Download, Upload};
use crate::guards::check_unlocked_to_read;
use crate::retention::Keeping;
use crate::view::{Minis, row};
use crate::{Caller, Error, Item, ItemView, Kind, Overwrite, Tree, Version, allow, metadata};
use entente_database::events::EventKind;
use entente_database::{Tx, contents, facts, items, properties, versions};
use entente_model::{ItemId, ItemName, UserId, VersionId};

/// Where a copy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyTo {
    /// Into which folder.
    pub parent: ItemId,
    /// Under which name; the same, if not given.
    pub name: Option<ItemName>,
    /// Which version of a file; the current one, if not given. Not for folders.
    pub version: Option<VersionId>,
}

impl Tree {
    /// Copies an item, a folder with everything below it. Of files the copy has one version.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the item or the new parent. `NameInUse`, `FolderIntoItself`,
    /// `TooDeep`, `QuotaExceeded`. A folder's copy appears when it is whole; one that fails or is dropped half way
    /// leaves nothing that anybody sees, and what there is of it is removed later.
    pub async fn copy(
        &self,
        caller: &Caller,
        item: ItemId,
        kind: Kind,
        to: CopyTo,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        match kind {
            Kind::File => self.copy_file(caller, item, to, rule).await,
            Kind::Folder if to.version.is_some() => Err(Error::Invalid("a folder has no versions")),
            Kind::Folder => self.copy_folder(caller, item, to, rule).await,
            Kind::WebLink => Err(Error::NotFound),
        }
    }

    async fn copy_file(&self, caller: &Caller, file: ItemId, to: CopyTo, rule: NameRule) -> Result<ItemView, Error> {
        let between = self.database.read(|tx| {
            let source = Source::find(tx, caller, (file, to.version))?;
            let folder = allow::<Upload>(tx, caller, to.parent)?.of(Kind::Folder)?;
            Ok::<_, Error>(source.owner != folder.owner())
        })?;
        if between {
            return self.copy_file_between(caller, file, to, rule).await;
        }
        let target = Target { caller: caller.clone(), stamp: self.stamp(), rule, event: EventKind::Copied };
        let (id, version) = (ItemId::new(self.world.next_id()), VersionId::new(self.world.next_id()));
        self.database
            .transact("copy file", move |tx| {
                let Source { item: source, version: old, owner } =
                    Source::find(tx, &target.caller, (file, to.version))?;
                let added = Added {
                    version,
                    content: old.content,
                    size: old.size,
                    sha1: old.sha1,
                    content_created_at: Some(source.content_created_at),
                    content_modified_at: Some(source.content_modified_at),
                    plain: false,
                    keeping: Keeping::AsBucket,
                };
                let name = to.name.as_ref().unwrap_or(&source.name);
                let mut view =
                    add_file(tx, &target, (id, to.parent, name), &added, &mut Minis::default(), |tx, new_owner| {
                        check_owner(owner, new_owner)?;
                        facts::copy(tx, old.id, version)?;
                        share(tx, &old)
                    })?;
                describe(tx, &source, &mut view)?;
                Ok(view)
            })
            .await
    }

    async fn copy_folder(
        &self,
        caller: &Caller,
        folder: ItemId,
        to: CopyTo,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        self.copy_folder_over(caller, folder, to, (rule, Overwrite::Refuse)).await
    }

    /// Copies a folder, perhaps to where another item is.
    pub(crate) async fn copy_folder_over(
        &self,
        caller: &Caller,
        folder: ItemId,
        to: CopyTo,
        how: (NameRule, Overwrite),
    ) -> Result<ItemView, Error> {
        let copying = copy_folder::Copying::begin(self, caller, (folder, &to), how).await?;
        let copied = copying.run(self, caller, &to).await;
        if copied.is_err() {
            // Its own job would remove it a day later; a failure to hurry that job changes no more than when.
            let _ = copying.give_up(self).await;
        }
        copied
    }
}

/// A version that is to be copied.
pub(super) struct Source {
    pub(super) item: Item,
    pub(super) version: Version,
    pub(super) owner: UserId,
}

impl Source {
    /// A version of a file that the caller may read; the current one, if none is named. `NotFound` when it was removed.
    pub(super) fn find(
        tx: &mut Tx<'_>,
        caller: &Caller,
        (file, version): (ItemId, Option<VersionId>),
    ) -> Result<Self, Error> {
        let grant = allow::<Download>(tx, caller, file)?.of(Kind::File)?;
        let item = row(tx, &grant)?;
        check_unlocked_to_read(tx, caller, &item)?;
        let of = version.or(item.version).ok_or(Error::internal("a file has no current version"))?;
        let version = versions::by_id(tx, of)?.filter(|old| old.item == file && old.trashed_at.is_none());
        Ok(Self { item, version: version.ok_or(Error::NotFound)?, owner: grant.owner() })
    }
}

/// Gives a copy what stands beside the content of what it is a copy of.
pub(super) fn describe(tx: &mut Tx<'_>, source: &Item, view: &mut ItemView) -> Result<(), Error> {
    properties::copy(tx, source.id, view.item.id)?;
    metadata::copied(tx, source.id, view.item.id)?;
    if !(source.description.is_empty() && source.tags.is_empty()) {
        view.item.description.clone_from(&source.description);
        view.item.tags.clone_from(&source.tags);
        items::save(tx, &view.item)?;
    }
    Ok(())
}

/// `Forbidden` between owners: contents are shared, and have one owner's space, zone and policy.
pub(crate) fn check_owner(from: UserId, to: UserId) -> Result<(), Error> {
    if from == to { Ok(()) } else { Err(Error::Forbidden) }
}

pub(crate) fn share(tx: &mut Tx<'_>, old: &versions::Version) -> Result<(), Error> {
    if contents::share(tx, old.content)? { Ok(()) } else { Err(Error::internal("a version's content is not there")) }
}
