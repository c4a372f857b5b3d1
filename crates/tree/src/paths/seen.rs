//! Whether what is about to be taken away is still what somebody has seen, who decided by that.

use super::WantedVersion;
use super::removed::{Shown, plain, trashed};
use crate::grant::{Delete, Grant};
use crate::{Error, Kind};
use entente_database::{Tx, paths};
use entente_model::{ItemId, ItemName, VersionId};

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It does not matter.
    Whatever,
    /// This version, which was behind something newer.
    Older(VersionId),
    /// A delete marker, which is this item in the trash: one behind something newer, or with nothing behind it.
    Marker(ItemId),
}

impl Seen {
    /// `PreconditionFailed` when what is called `version` at that name in a folder is something else by now. What is called
    /// by an id of its own is never something else; a version may have become current.
    pub(super) fn check(
        self,
        tx: &mut Tx<'_>,
        folder: &Grant<Delete>,
        name: &ItemName,
        version: WantedVersion,
    ) -> Result<(), Error> {
        let id = folder.item().id;
        let holds = match self {
            Self::Whatever => true,
            Self::Older(older) => {
                let current = paths::child(tx, id, name, Some(Kind::File))?.and_then(|live| live.item.version);
                current != Some(older) && (version != WantedVersion::Plain || is_plain(tx, folder, name, older)?)
            }
            Self::Marker(item) => version != WantedVersion::Plain || is_plain_marker(tx, folder, name, item)?,
        };
        if holds { Ok(()) } else { Err(Error::PreconditionFailed) }
    }

    /// `PreconditionFailed` when what has just been taken away would bring back what was behind it, unless nobody has seen
    /// anything. What was seen had something newer before it, or nothing behind it: since then that has changed.
    pub(super) fn check_surfacing(self) -> Result<(), Error> {
        if self == Self::Whatever { Ok(()) } else { Err(Error::PreconditionFailed) }
    }
}

fn is_plain(tx: &mut Tx<'_>, folder: &Grant<Delete>, name: &ItemName, older: VersionId) -> Result<bool, Error> {
    let found = plain(tx, folder.bucket(), folder.item().id, name)?;
    let Some(Shown::Version(found)) = found else { return Ok(false) };
    Ok(found.version.is_some_and(|version| version.id == older))
}

fn is_plain_marker(tx: &mut Tx<'_>, folder: &Grant<Delete>, name: &ItemName, item: ItemId) -> Result<bool, Error> {
    let id = folder.item().id;
    if !matches!(plain(tx, folder.bucket(), id, name)?, Some(Shown::Marker)) {
        return Ok(false);
    }
    let trashed = trashed(tx, id, name)?;
    let marker = trashed.iter().map(|found| &found.item).find(|item| item.mark.marker && item.mark.plain);
    Ok(marker.is_some_and(|marker| marker.id == item))
}
