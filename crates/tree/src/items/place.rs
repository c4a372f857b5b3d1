//! Putting an item into a folder: what is checked first, and what is counted afterwards. Always inside the transaction
//! that writes the item.

use super::Stamp;
use super::trash::into_trash;
use crate::grant::{Delete, Grant, Inside, Upload};
use crate::limits::DEPTH_MAX;
use crate::view::{row, view_inside};
use crate::{Caller, Error, Overwrite, allow, metadata};
use entente_database::items::{self, Item, Kind};
use entente_database::{Tx, counts};
use entente_model::{ItemId, ItemName};
use entente_world::World;

/// Which names may stand side by side in a folder: a door's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// No two items of a folder, of whatever kinds, have names that fold to the same text (Box).
    CaseInsensitive,
    /// No two items of a folder, of whatever kinds, have the same name, byte by byte (WebDAV).
    CaseSensitive,
    /// No two items of a folder and of the same kind have the same name, byte by byte (S3).
    Exact,
}

/// How many levels of folders an item adds below the folder that it goes into.
pub(crate) fn levels(item: &Item) -> u32 {
    match item.kind {
        Kind::Folder => item.height.saturating_add(1),
        Kind::File | Kind::WebLink => 0,
    }
}

/// Checks that no other item of the folder than `except` is in the way of one with this kind and name. `NameInUse` with the one that has it.
pub(crate) fn check_name(
    tx: &mut Tx<'_>,
    inside: Inside<'_>,
    (kind, name): (Kind, &ItemName),
    rule: NameRule,
    except: Option<ItemId>,
) -> Result<(), Error> {
    let folder = inside.folder.id;
    let found = match rule {
        NameRule::CaseInsensitive => items::named(tx, folder, &name.folded(), except)?,
        NameRule::CaseSensitive => items::named_exactly(tx, folder, name, &Kind::ALL, except)?,
        NameRule::Exact => items::named_exactly(tx, folder, name, &[kind], except)?,
    };
    let Some(winner) = found else { return Ok(()) };
    let winner = items::by_id(tx, winner)?.ok_or(Error::internal("an item is in the index and not in the table"))?;
    Err(Error::NameInUse { winner: Box::new(view_inside(tx, inside, winner)?) })
}

/// Names that are tried for an item whose own is taken.
const NAMES_TRIED: u32 = 100;

/// The name, or one like it that is not taken in the folder but by the item itself.
pub(crate) fn free_name(
    tx: &mut Tx<'_>,
    inside: Inside<'_>,
    (kind, wanted): (Kind, &ItemName),
    item: ItemId,
) -> Result<ItemName, Error> {
    let mut name = wanted.clone();
    for number in 1..=NAMES_TRIED {
        match check_name(tx, inside, (kind, &name), NameRule::CaseInsensitive, Some(item)) {
            Ok(()) => return Ok(name),
            Err(Error::NameInUse { .. }) => {}
            Err(error) => return Err(error),
        }
        name = numbered(kind, wanted, number).unwrap_or_else(|| wanted.clone());
    }
    // Nobody else has its id.
    numbered(kind, wanted, item).ok_or(Error::Invalid("the name is taken"))
}

/// A file `report.pdf` becomes `report (2).pdf`.
pub(crate) fn numbered(kind: Kind, name: &ItemName, number: impl std::fmt::Display) -> Option<ItemName> {
    let (stem, extension) = match name.as_str().rsplit_once('.') {
        Some((stem, extension)) if kind == Kind::File && !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (name.as_str(), String::new()),
    };
    ItemName::new(format!("{stem} ({number}){extension}")).ok()
}

/// Sees to it that nothing is in the way of an item in the folder: what is goes to the trash, or is refused.
/// `FolderIntoItself` when it is what the item comes from, or a folder above that. `source` is what the item comes from.
pub(crate) fn make_room(
    tx: &mut Tx<'_>,
    (world, caller, stamp): (&World, &Caller, Stamp),
    folder: &Grant<Upload>,
    (item, source): (&Item, ItemId),
    (rule, overwrite): (NameRule, Overwrite),
) -> Result<Vec<ItemId>, Error> {
    let mut replaced = Vec::new();
    // At most one of each kind can be.
    for _ in 0..=Kind::ALL.len() {
        match check_name(tx, folder.inside(), (item.kind, &item.name), rule, Some(item.id)) {
            // Whoever overwrites by path does not see web links, and means none of them.
            Err(Error::NameInUse { winner })
                if overwrite == Overwrite::Replace && winner.item.kind != Kind::WebLink =>
            {
                let winner = winner.item.id;
                let source = items::ancestors(tx, source)?;
                if source.iter().any(|step| step.id == winner) {
                    return Err(Error::FolderIntoItself);
                }
                let grant = allow::<Delete>(tx, caller, winner)?;
                let row = row(tx, &grant)?;
                into_trash(tx, &grant, row, caller, stamp.again(world))?;
                replaced.push(winner);
            }
            outcome => return outcome.map(|()| replaced),
        }
    }
    Err(Error::internal("a name is taken again and again"))
}

/// Checks that so many levels of folders fit below the folder. `TooDeep` if not.
pub(crate) fn check_depth<A>(folder: &Grant<A>, levels: u32) -> Result<(), Error> {
    let depth = u32::try_from(folder.depth_below()).unwrap_or(u32::MAX);
    // A folder without folders below it is one level, at the depth itself.
    if levels > 0 && depth.saturating_add(levels - 1) > DEPTH_MAX { Err(Error::TooDeep) } else { Ok(()) }
}

/// Counts that the folder has gained the child, brings it the metadata that goes from there, and keeps the bounds on the
/// levels below it and above it true.
pub(crate) fn settle(tx: &mut Tx<'_>, folder: &Grant<Upload>, child: ItemId, levels: u32) -> Result<(), Error> {
    counts::gained(tx, folder.item().id, child)?;
    metadata::settled(tx, folder, child)?;
    if levels > 0 {
        for (above, height) in std::iter::once(folder.item()).chain(folder.above()).zip(levels..) {
            if above.height >= height {
                // Whatever is further up has a bound that is high enough for this folder's, so for the child's too.
                break;
            }
            items::raise_height(tx, above.id, height)?;
        }
    }
    Ok(())
}
