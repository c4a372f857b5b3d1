//! Moving by path: one row, however much is below it.

use super::at::object;
use super::folders::imply;
use super::way::{Reached, descend, find};
use super::{Expect, Folders, Overwrite, Path, Put, Want};
use crate::grant::{Change, See, Upload, allow_way};
use crate::items::change::apply;
use crate::items::place::{NameRule, make_room};
use crate::{Caller, Error, ItemChange, Tree, allow};
use entente_database::paths;

/// How something is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveAt {
    /// What is moved.
    pub want: Want,
    /// What must be where it comes from.
    pub expect: Expect,
    /// What becomes of folders on the way that are not there.
    pub folders: Folders,
    /// Which names may stand side by side.
    pub rule: NameRule,
    /// What becomes of what is where it goes.
    pub overwrite: Overwrite,
}

impl Tree {
    /// Moves what is at a path to another, with all that is below it. What was there goes to the trash, if that is wanted.
    ///
    /// `NotFound` speaks of what is moved, `FolderMissing` of the folder that it goes into; `FolderIntoItself` also when
    /// it goes where it is, or where a folder is that it is in; `NameInUse`, `PreconditionFailed`, `TooDeep`; `Forbidden`
    /// also for a path without names.
    pub async fn move_at(&self, caller: &Caller, from: Path<'_>, to: Path<'_>, how: MoveAt) -> Result<Put, Error> {
        let (world, caller, stamp) = (self.world.clone(), caller.clone(), self.stamp());
        let (source, names) = (from.base, from.names.to_vec());
        let (target, to_names) = (to.base, to.names.to_vec());
        self.database
            .transact("move to path", move |tx| {
                let (grant, found) =
                    find::<Change>(tx, &caller, Path { base: source, names: &names }, how.want.kind())?;
                let item = found.item;
                how.expect.check(Some(&item))?;
                let (name, above) = to_names.split_last().ok_or(Error::Forbidden)?;
                let Reached { way, missing } = descend(tx, target, above)?;
                let folder = allow_way::<Upload>(&caller, way)?;
                if folder.is_within(item.id) {
                    return Err(Error::FolderIntoItself);
                }
                if item.parent == Some(folder.item().id) && missing.is_empty() && item.name == *name {
                    return Err(Error::FolderIntoItself);
                }
                let folder = imply(tx, (&world, &caller, stamp), folder, missing, how.folders)?;
                let mut moved = item.clone();
                moved.name = name.clone();
                let by = (&world, &caller, stamp);
                let replaced = make_room(tx, by, &folder, (&moved, item.id), (how.rule, how.overwrite))?;
                debug_assert!(grant.item().id == item.id, "the grant is of what is moved");
                let parent = Some(folder.item().id);
                let change = ItemChange { name: Some(name.clone()), parent, ..ItemChange::default() };
                apply(tx, &caller, stamp.again(&world), (item.id, item.kind), &change, how.rule)?;
                let grant = allow::<See>(tx, &caller, item.id)?;
                let found = paths::by_id(tx, item.id)?.ok_or(Error::internal("what was moved is not there"))?;
                Ok(Put { object: object(tx, &grant, found)?, created: replaced.is_empty() })
            })
            .await
    }
}
