//! Copies by path. No byte moves.

use super::folders::shown;
use super::removed::{Placed, find_version};
use super::way::{Reached, descend, find};
use super::{Expect, Folders, Landing, Object, Overwrite, Path, Put, Versioning, Want, WantedVersion, land};
use crate::files::{Added, Target};
use crate::grant::{Download, Upload, allow_way};
use crate::guards::check_unlocked_to_read;
use crate::items::copy::{check_owner, share};
use crate::items::place::{NameRule, check_depth, make_room, settle};
use crate::retention::{Keeping, check_wish};
use crate::view::Minis;
use crate::{Caller, CopyTo, Error, Item, Kind, Tree, metadata};
use entente_database::Tx;
use entente_database::events::EventKind;
use entente_database::facts::Facts;
use entente_database::items;
use entente_database::paths::{self, Found};
use entente_database::properties;
use entente_model::{ItemId, VersionId};
use entente_world::World;

/// How a file is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyAt {
    /// What becomes of folders on the way to the copy that are not there.
    pub folders: Folders,
    /// Which names may stand side by side.
    pub rule: NameRule,
    /// What must be where the copy goes.
    pub expect: Expect,
    /// What becomes of what the rule does not let stand beside the copy, if it is no file of that name: a file is given a
    /// version.
    pub overwrite: Overwrite,
    /// What must be where it comes from, if no version is named.
    pub expect_from: Expect,
    /// Whether what is overwritten is to be told apart.
    pub versioning: Versioning,
    /// What is remembered of the copy; the same as of the original, if not given.
    pub facts: Option<Facts>,
}

/// How a folder is copied with all that is below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyTreeAt {
    /// Which names may stand side by side.
    pub rule: NameRule,
    /// What becomes of what is where the copy goes.
    pub overwrite: Overwrite,
}

impl Tree {
    /// Makes a version of a file (the current one, if none is named) the file at another path, or the next version of
    /// the file there. The two share their bytes.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of either end; `Deleted` of a version that is a delete marker;
    /// otherwise the errors of [`Tree::put_at`] that need no body.
    pub async fn copy_at(
        &self,
        caller: &Caller,
        (from, version): (Path<'_>, Option<WantedVersion>),
        to: Path<'_>,
        copy: CopyAt,
    ) -> Result<Put, Error> {
        let CopyAt { folders, rule, expect, overwrite, expect_from, versioning, facts } = copy;
        facts.as_ref().map_or(Ok(()), |facts| check_wish(facts, self.world.now()))?;
        let to_names = to.names.to_vec();
        let to_base = to.base;
        let landing = Landing::new(to, (folders, rule), (expect, versioning));
        let target = Target { caller: caller.clone(), stamp: self.stamp(), rule, event: EventKind::Copied };
        let (base, names) = (from.base, from.names.to_vec());
        let (item, id) = (ItemId::new(self.world.next_id()), VersionId::new(self.world.next_id()));
        let world = self.world.clone();
        self.database
            .transact("copy to path", move |tx| {
                let from = Path { base, names: &names };
                let (grant, found) = match version {
                    None => find::<Download>(tx, &target.caller, from, Want::File.kind())?,
                    Some(version) => {
                        let Placed { grant, found } = find_version::<Download>(tx, &target.caller, from, version)?;
                        (grant, found)
                    }
                };
                let Found { item: source, version: old, md5, facts: kept } = found;
                expect_from.check(Some(&source))?;
                check_unlocked_to_read(tx, &target.caller, &source)?;
                let old = old.ok_or(Error::internal("a file has no current version"))?;
                let added = Added {
                    version: id,
                    content: old.content,
                    size: old.size,
                    sha1: old.sha1,
                    content_created_at: Some(source.content_created_at),
                    content_modified_at: Some(source.content_modified_at),
                    plain: false,
                    keeping: Keeping::AsBucket,
                };
                let facts = facts.clone().or(kept).unwrap_or_default();
                if overwrite == Overwrite::Replace {
                    let to = Path { base: to_base, names: &to_names };
                    clear(tx, (&world, &target), to, &source)?;
                }
                let (owner, mut minis) = (grant.owner(), Minis::default());
                let how = (item, &added);
                let mut put = land(tx, (&world, &target), &landing, how, (md5, &facts), &mut minis, |tx, to| {
                    check_owner(owner, to)?;
                    share(tx, &old)
                })?;
                let copied = put.object.view.item.id;
                if copied != source.id {
                    properties::remove_of_item(tx, copied)?;
                    properties::copy(tx, source.id, copied)?;
                    metadata::copied(tx, source.id, copied)?;
                }
                if put.created && !(source.description.is_empty() && source.tags.is_empty()) {
                    let copy = &mut put.object.view.item;
                    copy.description.clone_from(&source.description);
                    copy.tags.clone_from(&source.tags);
                    items::save(tx, copy)?;
                }
                Ok(put)
            })
            .await
    }

    /// Makes a folder at another path that has a folder's properties, and nothing in it.
    ///
    /// `FolderMissing` when the folder that it goes into is not there; otherwise the errors of [`Tree::copy`].
    pub async fn copy_folder_alone_at(
        &self,
        caller: &Caller,
        from: Path<'_>,
        to: Path<'_>,
        copy: CopyTreeAt,
    ) -> Result<Put, Error> {
        let (world, caller, stamp) = (self.world.clone(), caller.clone(), self.stamp());
        let (from, to) = ((from.base, from.names.to_vec()), (to.base, to.names.to_vec()));
        let CopyTreeAt { rule, overwrite } = copy;
        self.database
            .transact("copy folder alone to path", move |tx| {
                let path = Path { base: from.0, names: &from.1 };
                let (_, Found { item: source, .. }) = find::<Download>(tx, &caller, path, Want::Folder.kind())?;
                let (name, above) = to.1.split_last().ok_or(Error::Forbidden)?;
                let Reached { way, missing } = descend(tx, to.0, above)?;
                let folder = allow_way::<Upload>(&caller, way)?;
                if !missing.is_empty() {
                    return Err(Error::FolderMissing);
                }
                check_depth(&folder, 1)?;
                let id = ItemId::new(world.next_id());
                let mut item = Item::new(id, Kind::Folder, name.clone(), caller.user, stamp.at);
                item.parent = Some(folder.item().id);
                let replaced = make_room(tx, (&world, &caller, stamp), &folder, (&item, source.id), (rule, overwrite))?;
                items::insert(tx, &item)?;
                settle(tx, &folder, id, 1)?;
                properties::copy(tx, source.id, id)?;
                metadata::copied(tx, source.id, id)?;
                stamp.again(&world).record(tx, &caller, EventKind::Created, id, None)?;
                let object = shown(tx, &caller, &folder, item)?;
                Ok(Put { object, created: replaced.is_empty() })
            })
            .await
    }

    /// Copies a folder with everything below it to another path, where it appears when it is whole.
    ///
    /// `FolderMissing` when the folder that it goes into is not there; otherwise the errors of [`Tree::copy`].
    pub async fn copy_tree_at(
        &self,
        caller: &Caller,
        from: Path<'_>,
        to: Path<'_>,
        copy: CopyTreeAt,
    ) -> Result<Put, Error> {
        let CopyTreeAt { rule, overwrite } = copy;
        let (name, above) = to.names.split_last().ok_or(Error::Forbidden)?;
        let (source, parent, created) = self.database.read(|tx| {
            let (_, source) = find::<Download>(tx, caller, from, Want::Folder.kind())?;
            let Reached { way, missing } = descend(tx, to.base, above)?;
            let folder = allow_way::<Upload>(caller, way)?;
            if !missing.is_empty() {
                return Err(Error::FolderMissing);
            }
            let parent = folder.item().id;
            let there = paths::child(tx, parent, name, None)?;
            Ok((source.item.id, parent, there.is_none()))
        })?;
        let to = CopyTo { parent, name: Some(name.clone()), version: None };
        let view = self.copy_folder_over(caller, source, to, (rule, overwrite)).await?;
        debug_assert!(view.item.kind == Kind::Folder, "a folder's copy is a folder");
        Ok(Put { object: Object { view, md5: None, facts: None }, created })
    }
}

/// Puts what would be in the way of a copy of a file into the trash; a file of that name stays, to be given a version.
fn clear(tx: &mut Tx<'_>, (world, target): (&World, &Target), to: Path<'_>, source: &Item) -> Result<(), Error> {
    let (name, above) = to.names.split_last().ok_or(Error::Forbidden)?;
    let Reached { way, missing } = descend(tx, to.base, above)?;
    let folder = allow_way::<Upload>(&target.caller, way)?;
    if !missing.is_empty() || paths::child(tx, folder.item().id, name, Some(Kind::File))?.is_some() {
        return Ok(());
    }
    let mut copied = source.clone();
    copied.name = name.clone();
    let by = (world, &target.caller, target.stamp);
    make_room(tx, by, &folder, (&copied, source.id), (target.rule, Overwrite::Replace))?;
    Ok(())
}
