//! Into the trash, by path.

use super::at::marker_of;
use super::folders::prune;
use super::way::find;
use super::{Expect, Path, Want, WantedVersion};
use crate::grant::Delete;
use crate::items::trash::into_trash;
use crate::{Caller, Error, Kind, Recursive, Tree};
use entente_database::items;
use entente_database::paths::Found;
use entente_model::ItemId;

/// What becomes of folders that nothing needs any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prune {
    /// They stay.
    Keep,
    /// Those that only paths needed go, upwards, as far as they are empty.
    Implied,
}

/// How something is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoveAt {
    /// What must be there.
    pub expect: Expect,
    /// Whether a folder may go with what is in it.
    pub recursive: Recursive,
    /// What becomes of folders on the way.
    pub prune: Prune,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The item.
    pub item: ItemId,
    /// The delete marker that stands in its place, or that was taken away.
    pub marker: Option<WantedVersion>,
}

impl Tree {
    /// Puts what is at a path into its owner's trash. In a bucket that keeps versions, a file is a delete marker there.
    ///
    /// `NotFound`; `Forbidden` for a root; `FolderNotEmpty`; `PreconditionFailed`.
    pub async fn remove_at(
        &self,
        caller: &Caller,
        path: Path<'_>,
        want: Want,
        remove: RemoveAt,
    ) -> Result<Removed, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        let (base, names) = (path.base, path.names.to_vec());
        self.database
            .transact("remove at path", move |tx| {
                let path = Path { base, names: &names };
                let found = find::<Delete>(tx, &caller, path, want.kind());
                if matches!(found, Err(Error::NotFound)) {
                    remove.expect.check(None)?;
                }
                let (grant, Found { item, .. }) = found?;
                remove.expect.check(Some(&item))?;
                let is_folder = item.kind == Kind::Folder;
                if is_folder && remove.recursive == Recursive::No && items::has_children(tx, item.id)? {
                    return Err(Error::FolderNotEmpty);
                }
                let trashed = into_trash(tx, &grant, item, &caller, stamp)?;
                if remove.prune == Prune::Implied {
                    prune(tx, grant.above())?;
                }
                let marker = trashed.mark.marker.then(|| marker_of(&trashed));
                Ok(Removed { item: trashed.id, marker })
            })
            .await
    }
}
