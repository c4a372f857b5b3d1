//! Putting an item into a folder: what is checked first, and what is counted afterwards. Always inside the transaction
//! that writes the item.

use crate::Error;
use crate::grant::{Grant, Inside, Upload};
use crate::limits::DEPTH_MAX;
use crate::view::view_inside;
use entente_database::items::{self, Item, Kind};
use entente_database::{Tx, counts};
use entente_model::{ItemId, ItemName};

/// Which names may stand side by side in a folder: a door's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// No two items of a folder, of whatever kinds, have names that fold to the same text (Box).
    CaseInsensitive,
}

/// How many levels of folders an item adds below the folder that it goes into.
pub(crate) fn levels(item: &Item) -> u32 {
    match item.kind {
        Kind::Folder => item.height.saturating_add(1),
        Kind::File | Kind::WebLink => 0,
    }
}

/// Checks that no other item of the folder than `except` has the name. `NameInUse` with the one that has it.
pub(crate) fn check_name(
    tx: &mut Tx<'_>,
    inside: Inside<'_>,
    name: &ItemName,
    rule: NameRule,
    except: Option<ItemId>,
) -> Result<(), Error> {
    let found = match rule {
        NameRule::CaseInsensitive => items::named(tx, inside.folder.id, &name.folded(), except)?,
    };
    let Some(winner) = found else { return Ok(()) };
    let winner = items::by_id(tx, winner)?.ok_or(Error::internal("an item is in the index and not in the table"))?;
    Err(Error::NameInUse { winner: Box::new(view_inside(tx, inside, winner)?) })
}

/// Checks that so many levels of folders fit below the folder. `TooDeep` if not.
pub(crate) fn check_depth<A>(folder: &Grant<A>, levels: u32) -> Result<(), Error> {
    let depth = u32::try_from(folder.depth_below()).unwrap_or(u32::MAX);
    // A folder without folders below it is one level, at the depth itself.
    if levels > 0 && depth.saturating_add(levels - 1) > DEPTH_MAX { Err(Error::TooDeep) } else { Ok(()) }
}

/// Counts that the folder has gained the child, and keeps the bounds on the levels below it and above it true.
pub(crate) fn settle(tx: &mut Tx<'_>, folder: &Grant<Upload>, child: ItemId, levels: u32) -> Result<(), Error> {
    counts::gained(tx, folder.item().id, child)?;
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
