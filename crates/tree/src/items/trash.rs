//! Into the trash and back: one row, however much is below it.

use super::copy::check_owner;
use super::place::{NameRule, check_depth, check_name, levels, settle};
use super::{Stamp, check_sequence};
use crate::grant::{Delete, Grant, Restore, Upload};
use crate::guards::{check_may_go, check_unlocked};
use crate::view::{row, view_inside};
use crate::{Caller, Error, Item, ItemView, Kind, Tree, allow, paths, retention, subscriptions};
use entente_database::buckets::{self, BucketVersioning};
use entente_database::events::EventKind;
use entente_database::items::Mark;
use entente_database::retention::moved;
use entente_database::{Tx, counts, items, users};
use entente_model::{ItemId, ItemName};

/// Whether a folder may go with what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recursive {
    /// Only if it is empty.
    No,
    /// With everything below it.
    Yes,
}

/// Where a trashed item goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestoreTo {
    /// Another name; the old one, if not given.
    pub name: Option<ItemName>,
    /// A folder for the case that its old one is gone or in the trash; not looked at otherwise.
    pub parent: Option<ItemId>,
}

impl Tree {
    /// Puts an item into its owner's trash.
    ///
    /// `Forbidden` for a root; `FolderNotEmpty`; `PreconditionFailed`; `Trashed` if it is there already.
    pub async fn trash_item(
        &self,
        caller: &Caller,
        item: ItemId,
        kind: Kind,
        recursive: Recursive,
        if_match: Option<u64>,
    ) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("trash item", move |tx| {
                let grant = allow::<Delete>(tx, &caller, item)?.of(kind)?;
                let row = row(tx, &grant)?;
                check_sequence(&row, if_match)?;
                if kind == Kind::Folder && recursive == Recursive::No && items::has_children(tx, item)? {
                    return Err(Error::FolderNotEmpty);
                }
                into_trash(tx, &grant, row, &caller, stamp).map(drop)
            })
            .await
    }

    /// Takes an item out of the trash, back to where it was.
    ///
    /// `NotFound` unless it is in the trash itself; `ParentGone` when its old folder is gone or in the trash and no
    /// other was named. `NameInUse`; `TooDeep`.
    pub async fn restore(
        &self,
        caller: &Caller,
        item: ItemId,
        kind: Kind,
        to: RestoreTo,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("restore item", move |tx| {
                let grant = allow::<Restore>(tx, &caller, item)?.of(kind)?;
                let mut row = row(tx, &grant)?;
                let trash = row.parent.ok_or(Error::NotFound)?;
                let folder = destination(tx, &caller, row.trashed_from, to.parent)?;
                // The bytes stay where their owner has space for them.
                check_owner(grant.owner(), folder.owner())?;
                row.name = to.name.clone().unwrap_or(row.name);
                check_depth(&folder, levels(&row))?;
                check_name(tx, folder.inside(), (row.kind, &row.name), rule, None)?;
                row.sequence += 1;
                row.parent = Some(folder.item().id);
                row.trashed_from = None;
                row.trashed_at = None;
                row.trashed_by = None;
                row.implied = false;
                row.mark = Mark::HIDDEN;
                items::save(tx, &row)?;
                counts::lost(tx, trash, item)?;
                settle(tx, &folder, item, levels(&row))?;
                retention::follow(tx, item)?;
                stamp.record(tx, &caller, EventKind::Restored, item, row.version)?;
                subscriptions::restored(tx, (&caller, stamp), folder.inside(), &row, EventKind::Restored)?;
                view_inside(tx, folder.inside(), row)
            })
            .await
    }
}

/// Puts an item with that row into its owner's trash, and answers the row as it is then. In a bucket that keeps versions a
/// file stays there as a delete marker.
pub(crate) fn into_trash(
    tx: &mut Tx<'_>,
    grant: &Grant<Delete>,
    row: Item,
    caller: &Caller,
    stamp: Stamp,
) -> Result<Item, Error> {
    let trashed = into_trash_untold(tx, grant, row, caller, stamp)?;
    subscriptions::gone(tx, (caller, stamp), grant.beside()?, &trashed)?;
    Ok(trashed)
}

/// The same where the caller tells subscribers of it in other words.
pub(crate) fn into_trash_untold(
    tx: &mut Tx<'_>,
    grant: &Grant<Delete>,
    mut row: Item,
    caller: &Caller,
    stamp: Stamp,
) -> Result<Item, Error> {
    check_may_go(tx, grant.owner(), &row)?;
    check_unlocked(tx, caller, &row)?;
    let tops = users::tops(tx, grant.owner())?.ok_or(Error::internal("an owner is not there"))?;
    let parent = row.parent.ok_or(Error::NotFound)?;
    let bucket = grant.bucket().filter(|bucket| row.kind == Kind::File && *bucket != row.id);
    let versioning = bucket.map(|bucket| buckets::versioning(tx, bucket)).transpose()?.unwrap_or_default();
    row.mark = match versioning {
        BucketVersioning::Never => Mark::HIDDEN,
        BucketVersioning::On => Mark::MARKER,
        BucketVersioning::Suspended => Mark { plain: true, ..Mark::MARKER },
    };
    row.sequence += 1;
    row.parent = Some(tops.trash);
    row.trashed_from = Some(parent);
    row.trashed_at = Some(stamp.at);
    row.trashed_by = Some(caller.user);
    if let Some(bucket) = bucket.filter(|_| row.mark.plain) {
        // Its marker hides what is plain of the path.
        paths::hide_plain(tx, bucket, (parent, &row.name), stamp.at)?;
    }
    items::save(tx, &row)?;
    // Nobody who looks for notes in the old folder is to come by this one's.
    moved(tx, row.id, tops.trash)?;
    counts::lost(tx, parent, row.id)?;
    counts::gained(tx, tops.trash, row.id)?;
    stamp.record(tx, caller, EventKind::Trashed, row.id, row.version)?;
    Ok(row)
}

/// The old folder if it can be had, else the one that was named for that case.
fn destination(
    tx: &mut Tx<'_>,
    caller: &Caller,
    old: Option<ItemId>,
    named: Option<ItemId>,
) -> Result<Grant<Upload>, Error> {
    if let Some(old) = old {
        match allow::<Upload>(tx, caller, old) {
            Err(Error::NotFound | Error::Trashed) => {}
            outcome => return outcome?.of(Kind::Folder),
        }
    }
    allow::<Upload>(tx, caller, named.ok_or(Error::ParentGone)?)?.of(Kind::Folder)
}
