//! The transaction at the end of every upload, of whatever kind: the busiest of all, so it reads nothing twice.

use crate::grant::{Grant, Upload};
use crate::guards::check_unlocked;
use crate::items::place::{NameRule, check_name, settle};
use crate::items::{Stamp, check_sequence};
use crate::retention::{self, Keeping};
use crate::shared_links;
use crate::view::{Minis, Surroundings, current, row};
use crate::{Caller, Error, ItemView, Kind, allow, subscriptions};
use entente_database::events::EventKind;
use entente_database::items::{self, Ancestor, Item};
use entente_database::versions::{self, Version};
use entente_database::{Tx, users};
use entente_model::{ContentId, ItemId, ItemName, Sha1, Timestamp, UserId, VersionId};

/// What has been stored and is now to be a version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Added {
    pub(crate) version: VersionId,
    pub(crate) content: ContentId,
    pub(crate) size: u64,
    /// `None` of a content of pieces that nobody has read.
    pub(crate) sha1: Option<Sha1>,
    pub(crate) content_created_at: Option<Timestamp>,
    pub(crate) content_modified_at: Option<Timestamp>,
    /// Whether its bucket keeps no versions.
    pub(crate) plain: bool,
    /// What keeps it from being removed.
    pub(crate) keeping: Keeping,
}

/// Who adds it, when, and under which rule for names.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) caller: Caller,
    pub(crate) stamp: Stamp,
    pub(crate) rule: NameRule,
    /// How a file that is made is to be told of.
    pub(crate) event: EventKind,
}

/// Makes a file of what was stored. `commit` commits or shares the content for its owner, with one reference for this
/// version.
pub(crate) fn add_file(
    tx: &mut Tx<'_>,
    target: &Target,
    (id, parent, name): (ItemId, ItemId, &ItemName),
    added: &Added,
    minis: &mut Minis,
    commit: impl FnOnce(&mut Tx<'_>, UserId) -> Result<(), Error>,
) -> Result<ItemView, Error> {
    let folder = allow::<Upload>(tx, &target.caller, parent)?.of(Kind::Folder)?;
    check_name(tx, folder.inside(), (Kind::File, name), target.rule, None)?;
    let view = add_file_to(tx, target, (id, &folder, name), added, minis, commit)?;
    let by = (&target.caller, target.stamp);
    subscriptions::put(tx, by, folder.inside(), added.version, target.event)?;
    Ok(view)
}

/// The same in a folder where that may be, under a name that nothing has.
pub(crate) fn add_file_to(
    tx: &mut Tx<'_>,
    Target { caller, stamp, event, .. }: &Target,
    (id, folder, name): (ItemId, &Grant<Upload>, &ItemName),
    added: &Added,
    minis: &mut Minis,
    commit: impl FnOnce(&mut Tx<'_>, UserId) -> Result<(), Error>,
) -> Result<ItemView, Error> {
    take_space(tx, folder, added.size)?;
    commit(tx, folder.owner())?;
    let mut item = Item::new(id, Kind::File, name.clone(), caller.user, stamp.at);
    item.parent = Some(folder.item().id);
    item.version = Some(added.version);
    item.content_created_at = added.content_created_at.unwrap_or(stamp.at);
    item.content_modified_at = added.content_modified_at.unwrap_or(stamp.at);
    items::insert(tx, &item)?;
    let version = insert_version(tx, caller, *stamp, &item, 1, added)?;
    retention::begin(tx, (&version, added.keeping), folder.bucket(), || folder.way_from(Ancestor::of(&item)))?;
    settle(tx, folder, id, 0)?;
    stamp.record(tx, caller, *event, id, Some(added.version))?;
    Surroundings::inside(folder.inside()).view(tx, minis, item, Some(version))
}

/// Makes a new current version of what was stored, and perhaps gives the file another name.
pub(crate) fn add_version(
    tx: &mut Tx<'_>,
    target: &Target,
    (file, name, if_match): (ItemId, Option<&ItemName>, Option<u64>),
    added: &Added,
    minis: &mut Minis,
    commit: impl FnOnce(&mut Tx<'_>, UserId) -> Result<(), Error>,
) -> Result<ItemView, Error> {
    let grant = allow::<Upload>(tx, &target.caller, file)?.of(Kind::File)?;
    let mut item = row(tx, &grant)?;
    check_sequence(&item, if_match)?;
    if let Some(name) = name.filter(|name| **name != item.name) {
        grant.check_may_rename(&target.caller)?;
        check_name(tx, grant.beside()?, (Kind::File, name), target.rule, Some(file))?;
        item.name = name.clone();
    }
    let before = current(tx, &item)?.map_or(0, |version| version.number);
    let is_renamed = grant.item().name != item.name;
    let view = add_version_to(tx, target, (&grant, item, before), added, minis, commit)?;
    let (by, beside) = ((&target.caller, target.stamp), grant.beside()?);
    if is_renamed {
        subscriptions::moved(tx, by, (beside, &grant.item().name), beside, &view.item)?;
    } else {
        subscriptions::put(tx, by, beside, added.version, target.event)?;
    }
    Ok(view)
}

/// The same of a file whose row has been read, with the number of its current version.
pub(crate) fn add_version_to(
    tx: &mut Tx<'_>,
    Target { caller, stamp, .. }: &Target,
    (grant, mut item, before): (&Grant<Upload>, Item, u64),
    added: &Added,
    minis: &mut Minis,
    commit: impl FnOnce(&mut Tx<'_>, UserId) -> Result<(), Error>,
) -> Result<ItemView, Error> {
    check_unlocked(tx, caller, &item)?;
    take_space(tx, grant, added.size)?;
    commit(tx, grant.owner())?;
    item.touch(caller.user, stamp.at);
    item.version = Some(added.version);
    item.content_created_at = added.content_created_at.unwrap_or(item.content_created_at);
    item.content_modified_at = added.content_modified_at.unwrap_or(stamp.at);
    items::save(tx, &item)?;
    let version = insert_version(tx, caller, *stamp, &item, before + 1, added)?;
    retention::begin(tx, (&version, added.keeping), grant.bucket(), || grant.way())?;
    stamp.record(tx, caller, EventKind::VersionAdded, item.id, Some(added.version))?;
    let view = Surroundings::of(grant).view(tx, minis, item, Some(version))?;
    shared_links::with_link(tx, view)
}

/// Counts bytes towards the owner's limit. `QuotaExceeded` when they would pass it.
pub(crate) fn take_space(tx: &mut Tx<'_>, grant: &Grant<Upload>, size: u64) -> Result<(), Error> {
    if users::take_space(tx, grant.owner(), size)? { Ok(()) } else { Err(Error::QuotaExceeded) }
}

fn insert_version(
    tx: &mut Tx<'_>,
    caller: &Caller,
    stamp: Stamp,
    item: &Item,
    number: u64,
    added: &Added,
) -> Result<Version, Error> {
    let version = Version {
        id: added.version,
        item: item.id,
        number,
        content: added.content,
        size: added.size,
        sha1: added.sha1,
        name: item.name.clone(),
        created_at: stamp.at,
        created_by: caller.user,
        trashed_at: None,
        trashed_by: None,
        plain: added.plain,
        sender: None,
    };
    versions::insert(tx, &version)?;
    Ok(version)
}
