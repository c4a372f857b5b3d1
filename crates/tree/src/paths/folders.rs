//! Folders that are made because a path leads through them, and that go when none does any more.

use super::way::{Reached, descend};
use super::{Folders, Object, Path};
use crate::grant::{Grant, Upload, allow_way};
use crate::items::Stamp;
use crate::items::place::{NameRule, check_depth, check_name, settle};
use crate::paths::at::object;
use crate::{Caller, Error, Item, Kind, Tree};
use entente_database::events::EventKind;
use entente_database::items::{self, Ancestor, Top};
use entente_database::paths::{self, Found};
use entente_database::{Tx, counts};
use entente_model::{ItemId, ItemName};
use entente_world::World;

impl Tree {
    /// Makes a folder at a path. One that is there and that only paths needed is from then on one like others, and counts as
    /// made.
    ///
    /// `FolderMissing` when a folder on the way is not there and `folders` is [`Folders::Refuse`]; `NameInUse`;
    /// `TooDeep`; `Forbidden` for a path without names.
    pub async fn make_folder_at(
        &self,
        caller: &Caller,
        path: Path<'_>,
        rule: NameRule,
        folders: Folders,
    ) -> Result<Object, Error> {
        let (world, caller, stamp) = (self.world.clone(), caller.clone(), self.stamp());
        let (base, names) = (path.base, path.names.to_vec());
        self.database
            .transact("make folder at path", move |tx| {
                let (name, above) = names.split_last().ok_or(Error::Forbidden)?;
                let Reached { way, missing } = descend(tx, base, above)?;
                let folder = allow_way::<Upload>(&caller, way)?;
                let folder = imply(tx, (&world, &caller, stamp), folder, missing, folders)?;
                let parent = folder.item().id;
                if let Some(mut found) = paths::child(tx, parent, name, Some(Kind::Folder))?
                    && found.item.implied
                {
                    found.item.touch(caller.user, stamp.at);
                    items::save(tx, &found.item)?;
                    stamp.record(tx, &caller, EventKind::Created, found.item.id, None)?;
                    return shown(tx, &caller, &folder, found.item);
                }
                check_depth(&folder, 1)?;
                check_name(tx, folder.inside(), (Kind::Folder, name), rule, None)?;
                let mut item =
                    Item::new(ItemId::new(world.next_id()), Kind::Folder, name.clone(), caller.user, stamp.at);
                item.parent = Some(parent);
                items::insert(tx, &item)?;
                settle(tx, &folder, item.id, 1)?;
                stamp.record(tx, &caller, EventKind::Created, item.id, None)?;
                shown(tx, &caller, &folder, item)
            })
            .await
    }
}

pub(super) fn shown(tx: &mut Tx<'_>, caller: &Caller, folder: &Grant<Upload>, item: Item) -> Result<Object, Error> {
    let grant = allow_way::<Upload>(caller, folder.way_from(Ancestor::of(&item)))?;
    object(tx, &grant, Found { item, version: None, md5: None, facts: None })
}

/// Makes the folders that a path leads through and that are missing below `folder`. Answers the last one.
/// `FolderMissing` if that is not wanted; `TooDeep`.
pub(super) fn imply(
    tx: &mut Tx<'_>,
    (world, caller, stamp): (&World, &Caller, Stamp),
    folder: Grant<Upload>,
    missing: &[ItemName],
    folders: Folders,
) -> Result<Grant<Upload>, Error> {
    if missing.is_empty() {
        return Ok(folder);
    }
    if folders == Folders::Refuse {
        return Err(Error::FolderMissing);
    }
    let mut levels = u32::try_from(missing.len()).unwrap_or(u32::MAX);
    check_depth(&folder, levels)?;
    let mut folder = folder;
    for name in missing {
        let mut item = Item::new(ItemId::new(world.next_id()), Kind::Folder, name.clone(), caller.user, stamp.at);
        item.parent = Some(folder.item().id);
        item.implied = true;
        item.height = levels.saturating_sub(1);
        items::insert(tx, &item)?;
        settle(tx, &folder, item.id, levels)?;
        stamp.again(world).record(tx, caller, EventKind::Created, item.id, None)?;
        levels = item.height;
        folder = allow_way::<Upload>(caller, folder.way_from(Ancestor::of(&item)))?;
    }
    Ok(folder)
}

/// Removes folders that only paths needed, from the first of a way upwards, as long as they are empty. What is in the
/// trash needs them only while it is shown among the versions of its path.
pub(crate) fn prune(tx: &mut Tx<'_>, way: &[Ancestor]) -> Result<(), Error> {
    for folder in way {
        if !folder.implied || folder.top != Top::Ordinary || !remove_if_empty(tx, folder.id, folder.parent)? {
            break;
        }
    }
    Ok(())
}

fn remove_if_empty(tx: &mut Tx<'_>, folder: ItemId, parent: Option<ItemId>) -> Result<bool, Error> {
    if items::has_children(tx, folder)? || paths::has_shown_in_trash(tx, folder)? {
        return Ok(false);
    }
    counts::remove(tx, folder)?;
    items::remove(tx, folder)?;
    if let Some(parent) = parent {
        counts::lost(tx, parent, folder)?;
    }
    Ok(true)
}
