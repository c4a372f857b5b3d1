//! Into the trash, by path.

use super::at::marker_of;
use super::folders::prune;
use super::way::find;
use super::{Expect, Path, Want, WantedVersion};
use crate::grant::Delete;
use crate::items::Stamp;
use crate::items::trash::into_trash;
use crate::{Bypass, Caller, Error, Kind, Recursive, Tree};
use entente_database::paths::Found;
use entente_database::{Tx, items};
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

/// How a version is taken out of a path's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoveVersionAt {
    /// What becomes of folders on the way.
    pub prune: Prune,
    /// Whether what is retained under governance is to go all the same.
    pub bypass: Bypass,
}

/// Nothing that is retained goes.
impl From<Prune> for RemoveVersionAt {
    fn from(prune: Prune) -> Self {
        Self { prune, bypass: Bypass::No }
    }
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
                remove_from(tx, (&caller, stamp), Path { base, names: &names }, (want, remove))
            })
            .await
    }
}

/// Puts what is at a path into the trash.
pub(super) fn remove_from(
    tx: &mut Tx<'_>,
    (caller, stamp): (&Caller, Stamp),
    path: Path<'_>,
    (want, how): (Want, RemoveAt),
) -> Result<Removed, Error> {
    let found = find::<Delete>(tx, caller, path, want.kind());
    if matches!(found, Err(Error::NotFound)) {
        how.expect.check(None)?;
    }
    let (grant, Found { item, .. }) = found?;
    how.expect.check(Some(&item))?;
    let is_folder = item.kind == Kind::Folder;
    if is_folder && how.recursive == Recursive::No && items::has_children(tx, item.id)? {
        return Err(Error::FolderNotEmpty);
    }
    let trashed = into_trash(tx, &grant, item, caller, stamp)?;
    if how.prune == Prune::Implied {
        prune(tx, grant.above())?;
    }
    let marker = trashed.mark.marker.then(|| marker_of(&trashed));
    Ok(Removed { item: trashed.id, marker })
}
