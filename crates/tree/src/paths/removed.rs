//! Versions of a path that are not the current one of a file there: older ones, and what is in the trash behind a delete
//! marker. Looking them up, and taking them away one by one.

use super::at::marker_of;
use super::markers::unmark;
use super::remove::{Prune, RemoveVersionAt, Removed};
use super::seen::Seen;
use super::way::{Reached, descend, folder_of};
use super::{Path, WantedVersion};
use crate::grant::{Act, Delete, Grant, allow_way};
use crate::guards::check_unlocked;
use crate::items::Stamp;
use crate::items::trash::into_trash_untold;
use crate::view::row;
use crate::{Bypass, Caller, Error, Kind, Tree, retention, subscriptions};
use entente_database::buckets::{self, BucketVersioning};
use entente_database::events::EventKind;
use entente_database::items::{self, Ancestor, Item, Mark};
use entente_database::paths::{self, Found};
use entente_database::{Tx, counts, lifecycle, versions};
use entente_model::{ItemId, ItemName, Timestamp, VersionId};
use entente_world::World;

/// How many items of one path in the trash are looked at.
pub(super) const OF_ONE_PATH_MAX: u32 = 1_000;

/// A version of a path.
pub(super) struct Placed<A> {
    /// As if the file were where its path leads.
    pub(super) grant: Grant<A>,
    pub(super) found: Found,
}

/// A version of the file at a path, or of one that was there. `Deleted` for a delete marker.
pub(super) fn find_version<A: Act>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    path: Path<'_>,
    version: WantedVersion,
) -> Result<Placed<A>, Error> {
    let (name, above) = path.names.split_last().ok_or(Error::NotFound)?;
    let Reached { way, missing } = descend(tx, path.base, above)?;
    let folder = allow_way::<A>(caller, way)?;
    if !missing.is_empty() {
        return Err(Error::NotFound);
    }
    let bucket = folder.bucket();
    let found = match version {
        WantedVersion::Id(version) => Some(by_id(tx, folder.item().id, name, version)?),
        WantedVersion::Plain => plain(tx, bucket, folder.item().id, name)?,
        WantedVersion::Marker(_) => marker(tx, folder.item().id, name, version)?.map(|_| Shown::Marker),
    };
    match found {
        Some(Shown::Version(found)) => {
            let way = folder.way_from(Ancestor::of(&found.item));
            Ok(Placed { grant: allow_way::<A>(caller, way)?, found: *found })
        }
        Some(Shown::Marker) => Err(Error::Deleted),
        None => Err(Error::NotFound),
    }
}

/// What a version of a path is.
pub(super) enum Shown {
    Version(Box<Found>),
    Marker,
}

fn by_id(tx: &mut Tx<'_>, folder: ItemId, name: &ItemName, version: VersionId) -> Result<Shown, Error> {
    let found = paths::by_version(tx, version)?.ok_or(Error::NotFound)?;
    let is_there = found.item.parent == Some(folder)
        || (found.item.trashed_from == Some(folder) && found.item.trashed_at.is_some() && found.item.mark.versions);
    let is_listed = found.version.as_ref().is_some_and(|version| version.trashed_at.is_none());
    if is_there && is_listed && found.item.name == *name && found.item.kind == Kind::File {
        Ok(Shown::Version(Box::new(found)))
    } else {
        Err(Error::NotFound)
    }
}

/// The marker of that name.
fn marker(tx: &mut Tx<'_>, folder: ItemId, name: &ItemName, wanted: WantedVersion) -> Result<Option<Found>, Error> {
    let WantedVersion::Marker(id) = wanted else { return Ok(None) };
    let is_it = |item: &Item| {
        item.kind == Kind::File
            && item.mark.marker
            && item.trashed_at.is_some()
            && item.trashed_from == Some(folder)
            && item.name == *name
            && marker_of(item) == wanted
    };
    Ok(paths::by_id(tx, id.item)?.filter(|found| is_it(&found.item)))
}

/// What is called `null`: the newest that is plain. While a bucket has never kept versions, that is the file itself.
pub(super) fn plain(
    tx: &mut Tx<'_>,
    bucket: Option<ItemId>,
    folder: ItemId,
    name: &ItemName,
) -> Result<Option<Shown>, Error> {
    let found = |found: Found| Shown::Version(Box::new(found));
    if let Some(current) = paths::child(tx, folder, name, Some(Kind::File))? {
        let versioning = bucket.map(|bucket| buckets::versioning(tx, bucket)).transpose()?;
        if versioning.unwrap_or_default() == BucketVersioning::Never {
            return Ok(Some(found(current)));
        }
        if let Some(plain) = paths::newest_plain(tx, current.item.id)? {
            return Ok(Some(found(plain)));
        }
    }
    for trashed in trashed(tx, folder, name)? {
        let mark = trashed.item.mark;
        if mark.marker && mark.plain {
            return Ok(Some(Shown::Marker));
        }
        if mark.versions
            && let Some(plain) = paths::newest_plain(tx, trashed.item.id)?
        {
            return Ok(Some(found(plain)));
        }
    }
    Ok(None)
}

/// Notes that what is called `null` at a name in a folder of a bucket is about to be hidden by something newer.
pub(crate) fn hide_plain(
    tx: &mut Tx<'_>,
    bucket: ItemId,
    (folder, name): (ItemId, &ItemName),
    at: Timestamp,
) -> Result<(), Error> {
    let Some(Shown::Version(found)) = plain(tx, Some(bucket), folder, name)? else { return Ok(()) };
    found.version.map_or(Ok(()), |version| Ok(lifecycle::note_hidden(tx, version.id, at)?))
}

/// Whether a plain version of a file is what is called `null` at its path: where that is in the trash, at the path that it
/// had.
pub(crate) fn shows_plain(tx: &mut Tx<'_>, item: &Item, version: VersionId) -> Result<bool, Error> {
    let folder = match item.trashed_at {
        None => item.parent,
        Some(_) => item.trashed_from.filter(|_| item.mark.versions),
    };
    let Some(folder) = folder else { return Ok(false) };
    let way = items::ancestors(tx, folder)?;
    let bucket = way.iter().rev().nth(1).map(|bucket| bucket.id);
    let Some(Shown::Version(found)) = plain(tx, bucket, folder, &item.name)? else { return Ok(false) };
    Ok(found.version.is_some_and(|found| found.id == version))
}

/// What is in the trash and shown among the versions of a path, the newest first.
pub(super) fn trashed(tx: &mut Tx<'_>, folder: ItemId, name: &ItemName) -> Result<Vec<Found>, Error> {
    let mut trashed = paths::trashed_named(tx, folder, name.as_str(), OF_ONE_PATH_MAX)?;
    newest_first(&mut trashed);
    Ok(trashed)
}

/// Puts what was at one path into the order in which it went.
pub(super) fn newest_first(trashed: &mut [Found]) {
    trashed.sort_by_key(|found| std::cmp::Reverse((found.item.trashed_at, found.item.id)));
}

/// The newest of it.
pub(super) fn newest_shown(tx: &mut Tx<'_>, folder: ItemId, name: &ItemName) -> Result<Option<Found>, Error> {
    Ok(trashed(tx, folder, name)?.into_iter().next())
}

impl Tree {
    /// Takes one version out of a path's history, or a delete marker.
    ///
    /// A version can be restored through other doors for a while. When it was the file's current one, the one before it
    /// is from then on; when there is none, the file goes to the trash, unseen here. Taking away the marker that was the
    /// newest of the history brings back what was behind it. `NotFound`; `Retained`; otherwise the errors of
    /// [`Tree::remove_at`].
    pub async fn remove_version_at(
        &self,
        caller: &Caller,
        path: Path<'_>,
        version: WantedVersion,
        how: impl Into<RemoveVersionAt> + Send,
    ) -> Result<Removed, Error> {
        self.remove_version_as_seen(caller, (path, version), how.into(), Seen::Whatever).await
    }

    /// The same, if it is still what somebody has seen, and brings back nothing that is deleted; else
    /// `PreconditionFailed`.
    pub(crate) async fn remove_version_as_seen(
        &self,
        caller: &Caller,
        (path, version): (Path<'_>, WantedVersion),
        RemoveVersionAt { prune, bypass }: RemoveVersionAt,
        seen: Seen,
    ) -> Result<Removed, Error> {
        let (world, caller, stamp) = (self.world.clone(), caller.clone(), self.stamp());
        let (base, names) = (path.base, path.names.to_vec());
        self.database
            .transact("remove version at path", move |tx| {
                let path = Path { base, names: &names };
                let (folder, name) = folder_of::<Delete>(tx, &caller, path)?;
                seen.check(tx, &folder, name, version)?;
                let removed = take_out(tx, (&world, &caller, stamp), (&folder, name), (version, bypass))?;
                subscriptions::version_gone(tx, (&caller, stamp), folder.inside(), name, version)?;
                if let Some(item) = to_surface(tx, &folder, name)? {
                    seen.check_surfacing()?;
                    surface(tx, &caller, stamp.again(&world), &folder, item)?;
                }
                if prune == Prune::Implied {
                    let folders: Vec<Ancestor> = folder.way();
                    super::folders::prune(tx, &folders)?;
                }
                Ok(removed)
            })
            .await
    }
}

fn take_out(
    tx: &mut Tx<'_>,
    (world, caller, stamp): (&World, &Caller, Stamp),
    (folder, name): (&Grant<Delete>, &ItemName),
    (version, bypass): (WantedVersion, Bypass),
) -> Result<Removed, Error> {
    let id = folder.item().id;
    match version {
        WantedVersion::Plain => take_plain_out(tx, (world, caller, stamp), (folder, name), bypass),
        WantedVersion::Marker(_) => {
            let mut item = marker(tx, id, name, version)?.ok_or(Error::NotFound)?.item;
            unmark(tx, &mut item)?;
            Ok(Removed { item: item.id, marker: Some(version) })
        }
        WantedVersion::Id(version) => {
            let Shown::Version(found) = by_id(tx, id, name, version)? else { return Err(Error::NotFound) };
            let Found { item, version, .. } = *found;
            let version = version.ok_or(Error::internal("a version without a row"))?.id;
            let removed = Removed { item: item.id, marker: None };
            retention::release(tx, version, stamp.at, bypass)?;
            if item.version != Some(version) {
                versions::set_trashed(tx, version, Some((caller.user, stamp.at)))?;
                stamp.record(tx, caller, EventKind::VersionRemoved, item.id, Some(version))?;
            } else {
                take_current_out(tx, caller, stamp, folder, item)?;
            }
            Ok(removed)
        }
    }
}

/// Takes out whatever is plain of a path: what was overwritten by something plain was plain itself, and is not to be seen
/// in its place.
fn take_plain_out(
    tx: &mut Tx<'_>,
    (world, caller, stamp): (&World, &Caller, Stamp),
    (folder, name): (&Grant<Delete>, &ItemName),
    bypass: Bypass,
) -> Result<Removed, Error> {
    let (id, bucket) = (folder.item().id, folder.bucket());
    let shown = plain(tx, bucket, id, name)?.ok_or(Error::NotFound)?;
    let live = paths::child(tx, id, name, Some(Kind::File))?;
    let versioning = bucket.map(|bucket| buckets::versioning(tx, bucket)).transpose()?.unwrap_or_default();
    if let Some(Found { item, .. }) = &live
        && versioning == BucketVersioning::Never
    {
        let grant = allow_way::<Delete>(caller, folder.way_from(Ancestor::of(item)))?;
        into_trash_untold(tx, &grant, item.clone(), caller, stamp)?;
        return Ok(Removed { item: item.id, marker: None });
    }
    let mut removed = None;
    for Found { mut item, version, .. } in live.into_iter().chain(trashed(tx, id, name)?) {
        let marker = item.mark.marker && item.mark.plain;
        if marker {
            unmark(tx, &mut item)?;
        }
        if item.trashed_at.is_some() && !item.mark.versions {
            if marker && removed.is_none() {
                removed = Some(Removed { item: item.id, marker: Some(WantedVersion::Plain) });
            }
            continue;
        }
        let current = version.ok_or(Error::internal("a file has no current version"))?;
        retention::release_plain(tx, item.id, stamp.at, bypass)?;
        let some = versions::set_plain_trashed(tx, item.id, current.id, (caller.user, stamp.at))? > 0;
        if removed.is_none() && (marker || some || current.plain) {
            let marker = matches!(shown, Shown::Marker).then_some(WantedVersion::Plain);
            removed = Some(Removed { item: item.id, marker });
        }
        if current.plain {
            take_current_out(tx, caller, stamp.again(world), folder, item)?;
        } else if some {
            stamp.again(world).record(tx, caller, EventKind::VersionRemoved, item.id, None)?;
        }
    }
    removed.ok_or(Error::NotFound)
}

/// Takes the current version out of a file's list: the one before it takes its place, and its number, so that the next
/// one comes after both.
fn take_current_out(
    tx: &mut Tx<'_>,
    caller: &Caller,
    stamp: Stamp,
    folder: &Grant<Delete>,
    mut item: Item,
) -> Result<(), Error> {
    let listed = paths::versions_before(tx, item.id, u64::MAX, 2)?;
    let mut listed = listed.into_iter().filter_map(|found| found.version);
    let (current, before) = (listed.next(), listed.next());
    match (current, before) {
        (Some(current), Some(before)) if item.version == Some(current.id) => {
            check_unlocked(tx, caller, &item)?;
            versions::set_number(tx, before.id, current.number)?;
            versions::set_number(tx, current.id, before.number)?;
            versions::set_trashed(tx, current.id, Some((caller.user, stamp.at)))?;
            if item.trashed_at.is_none() {
                item.touch(caller.user, stamp.at);
            }
            // In the trash its sequence number is part of its delete marker's name, which is not to change.
            item.version = Some(before.id);
            item.content_modified_at = before.created_at;
            items::save(tx, &item)?;
            stamp.record(tx, caller, EventKind::VersionRemoved, item.id, Some(current.id))
        }
        _ if item.trashed_at.is_some() => {
            item.mark = Mark { versions: false, ..item.mark };
            // What has just been taken out can be had again for as long as anything in the trash.
            item.modified_at = stamp.at;
            items::save(tx, &item)?;
            Ok(())
        }
        _ => {
            let grant = allow_way::<Delete>(caller, folder.way_from(Ancestor::of(&item)))?;
            let item = row(tx, &grant)?;
            let mut trashed = into_trash_untold(tx, &grant, item, caller, stamp)?;
            trashed.mark = Mark::HIDDEN;
            Ok(items::save(tx, &trashed)?)
        }
    }
}

/// What is the newest of a path's history, if that is in the trash, and there is no file and no marker before it.
fn to_surface(tx: &mut Tx<'_>, folder: &Grant<Delete>, name: &ItemName) -> Result<Option<Item>, Error> {
    let id = folder.item().id;
    if paths::child(tx, id, name, Some(Kind::File))?.is_some() {
        return Ok(None);
    }
    Ok(newest_shown(tx, id, name)?.map(|found| found.item).filter(|item| !item.mark.marker))
}

/// Brings it back.
fn surface(
    tx: &mut Tx<'_>,
    caller: &Caller,
    stamp: Stamp,
    folder: &Grant<Delete>,
    mut item: Item,
) -> Result<(), Error> {
    let id = folder.item().id;
    let trash = item.parent.ok_or(Error::internal("something in the trash has no parent"))?;
    item.sequence += 1;
    item.parent = Some(id);
    (item.trashed_from, item.trashed_at, item.trashed_by) = (None, None, None);
    item.mark = Mark::HIDDEN;
    items::save(tx, &item)?;
    counts::lost(tx, trash, item.id)?;
    counts::gained(tx, id, item.id)?;
    retention::follow(tx, item.id)?;
    stamp.record(tx, caller, EventKind::Restored, item.id, item.version)
}
