//! Delete markers where no file was deleted: of S3's DELETE of a key that has none.
//!
//! Such a marker is a file without a version that stands in limbo: no folder has it, no door but S3 comes to it, and it is
//! found among what was put into the trash from the folder of its path. It goes when it is taken out of the path's history,
//! with that folder, or when there are very many newer ones of the path: they would be in the way of what is behind them.

use super::at::marker_of;
use super::folders::imply;
use super::remove::{RemoveAt, Removed, remove_from};
use super::removed::{OF_ONE_PATH_MAX, hide_plain, newest_shown};
use super::way::{Reached, descend};
use super::{Folders, Path, Want};
use crate::grant::{Delete, Upload, allow_way};
use crate::items::Stamp;
use crate::{Caller, Error, Item, Kind, Scopes, Top, Tree, subscriptions};
use entente_database::Tx;
use entente_database::buckets::{self, BucketVersioning};
use entente_database::events::EventKind;
use entente_database::items::{self, Mark};
use entente_database::paths;
use entente_model::ItemId;
use entente_world::World;

/// Such markers of one path that are kept: the newest of them.
const MARKERS_OF_NOTHING_MAX: u32 = 100;
/// How many of those behind them go with each new one.
const MARKERS_AT_A_TIME: u32 = 10;

impl Tree {
    /// Puts the file at a path into the trash as [`Tree::remove_at`] does. Where there is none, leaves a delete marker all the
    /// same if the bucket keeps versions; while that is suspended, one that bears no id does for any number of calls.
    ///
    /// Errors are those of [`Tree::remove_at`]; `NotFound` also when there is nothing, and the bucket has never kept versions;
    /// `TooDeep` when there is nothing, nor could be.
    pub async fn remove_or_mark_at(&self, caller: &Caller, path: Path<'_>, how: RemoveAt) -> Result<Removed, Error> {
        let (world, caller, stamp) = (self.world.clone(), caller.clone(), self.stamp());
        let (base, names, id) = (path.base, path.names.to_vec(), ItemId::new(self.world.next_id()));
        self.database
            .transact("remove or mark at path", move |tx| {
                let path = Path { base, names: &names };
                match remove_from(tx, (&caller, stamp), path, (Want::File, how)) {
                    Err(Error::NotFound) => mark(tx, (&world, &caller, stamp), path, id),
                    outcome => outcome,
                }
            })
            .await
    }
}

fn mark(
    tx: &mut Tx<'_>,
    (world, caller, stamp): (&World, &Caller, Stamp),
    path: Path<'_>,
    id: ItemId,
) -> Result<Removed, Error> {
    let (name, above) = path.names.split_last().ok_or(Error::NotFound)?;
    let Reached { way, missing } = descend(tx, path.base, above)?;
    let folder = allow_way::<Delete>(caller, way.clone())?;
    let bucket = folder.bucket().ok_or(Error::NotFound)?;
    let mark = match buckets::versioning(tx, bucket)? {
        BucketVersioning::Never => return Err(Error::NotFound),
        BucketVersioning::On => Mark { marker: true, ..Mark::HIDDEN },
        BucketVersioning::Suspended => Mark { marker: true, plain: true, ..Mark::HIDDEN },
    };
    if mark.plain
        && missing.is_empty()
        && let Some(newest) = newest_shown(tx, folder.item().id, name)?
        && newest.item.mark.marker
        && newest.item.mark.plain
    {
        return Ok(Removed { item: newest.item.id, marker: Some(marker_of(&newest.item)) });
    }
    if mark.plain && missing.is_empty() {
        hide_plain(tx, bucket, (folder.item().id, name), stamp.at)?;
    }
    // Who may delete may have the folders made that the marker is found by.
    let maker = Caller { scopes: caller.scopes.with(Scopes::UPLOAD), ..caller.clone() };
    let folder = allow_way::<Upload>(&maker, way)?;
    let folder = imply(tx, (world, &maker, stamp), folder, missing, Folders::Imply)?;
    let mut item = Item::new(id, Kind::File, name.clone(), caller.user, stamp.at);
    item.top = Top::Limbo;
    item.top_user = Some(folder.owner());
    item.trashed_from = Some(folder.item().id);
    item.trashed_at = Some(stamp.at);
    item.trashed_by = Some(caller.user);
    item.mark = mark;
    items::insert(tx, &item)?;
    let bounds = (MARKERS_OF_NOTHING_MAX, MARKERS_AT_A_TIME, OF_ONE_PATH_MAX);
    paths::remove_markers_behind(tx, (folder.item().id, &item.sort_name()), bounds)?;
    stamp.record(tx, caller, EventKind::Trashed, id, None)?;
    subscriptions::gone(tx, (caller, stamp), folder.inside(), &item)?;
    Ok(Removed { item: id, marker: Some(marker_of(&item)) })
}

/// Takes the marker from an item that is one; one that is nothing else goes.
pub(super) fn unmark(tx: &mut Tx<'_>, item: &mut Item) -> Result<(), Error> {
    item.mark = Mark { marker: false, plain: false, ..item.mark };
    if item.top == Top::Limbo { Ok(items::remove(tx, item.id)?) } else { Ok(items::save(tx, item)?) }
}
