//! From a folder down along names, one lookup each.

use super::Path;
use crate::access::Action;
use crate::grant::{Act, Grant, See, allow_way};
use crate::{Caller, Error, Kind};
use entente_database::Tx;
use entente_database::items::{self, Ancestor};
use entente_database::paths::{self, Found};
use entente_model::{ItemId, ItemName};

/// A folder on the way, and the names after it that there are no folders for (yet).
pub(super) struct Reached<'n> {
    /// From the folder to its top.
    pub(super) way: Vec<Ancestor>,
    pub(super) missing: &'n [ItemName],
}

/// Goes down from a folder along names, as far as there are folders. `NotFound` when there is no such folder to begin in.
pub(super) fn descend<'n>(tx: &mut Tx<'_>, base: ItemId, names: &'n [ItemName]) -> Result<Reached<'n>, Error> {
    let mut way = items::ancestors(tx, base)?;
    // The top first, as long as it grows.
    way.reverse();
    let mut missing = names;
    while let Some((name, rest)) = missing.split_first() {
        let last = way.last().filter(|last| last.kind == Kind::Folder).ok_or(Error::NotFound)?;
        let Some(folder) = paths::folder_named(tx, last.id, name)? else { break };
        way.push(folder);
        missing = rest;
    }
    way.reverse();
    if way.first().is_none_or(|folder| folder.kind != Kind::Folder) {
        return Err(Error::NotFound);
    }
    Ok(Reached { way, missing })
}

/// The same for who has been there a moment ago and found `hint` at the end of the names: one lookup in all, if it still
/// is there.
pub(super) fn descend_again<'n>(
    tx: &mut Tx<'_>,
    (base, names): (ItemId, &'n [ItemName]),
    hint: Option<ItemId>,
) -> Result<Reached<'n>, Error> {
    if let Some(hint) = hint {
        let way = items::ancestors(tx, hint)?;
        let folders = way.iter().take(names.len());
        let same = way.get(names.len()).is_some_and(|found| found.id == base)
            && way.first().is_some_and(|folder| folder.kind == Kind::Folder)
            && folders.zip(names.iter().rev()).all(|(folder, name)| folder.name == *name);
        if same {
            return Ok(Reached { way, missing: &[] });
        }
    }
    descend(tx, base, names)
}

/// The folder that a path's item is in, for `A`, and the item's name. `NotFound` when there is no such folder;
/// `Forbidden` for a path without names, whose item is in no folder of the path.
pub(super) fn folder_of<'n, A: Act>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    path: Path<'n>,
) -> Result<(Grant<A>, &'n ItemName), Error> {
    let (name, above) = path.names.split_last().ok_or(Error::Forbidden)?;
    let Reached { way, missing } = descend(tx, path.base, above)?;
    let grant = allow_way::<A>(caller, way)?;
    if missing.is_empty() { Ok((grant, name)) } else { Err(Error::NotFound) }
}

/// The item at a path, for `A`.
pub(super) fn find<A: Act>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    path: Path<'_>,
    kind: Option<Kind>,
) -> Result<(Grant<A>, Found), Error> {
    let Some((name, above)) = path.names.split_last() else {
        let grant = crate::allow::<A>(tx, caller, path.base)?;
        let found = paths::by_id(tx, path.base)?.filter(|found| kind.is_none_or(|kind| kind == found.item.kind));
        return Ok((grant, found.ok_or(Error::NotFound)?));
    };
    let Reached { way, missing } = descend(tx, path.base, above)?;
    // Whoever may not know of the folder learns nothing of what is in it.
    if missing.is_empty()
        && let Some(folder) = way.first()
        && let Some(found) = paths::child(tx, folder.id, name, kind)?
    {
        let way = [Ancestor::of(&found.item)].into_iter().chain(way).collect();
        return Ok((allow_way::<A>(caller, way)?, found));
    }
    // A folder in the trash is told from one that is not there.
    allow_way::<See>(caller, way)?;
    debug_assert!(A::ACTION != Action::SeeTrashed, "what is in the trash has no path");
    Err(Error::NotFound)
}
