//! Older versions of a file.

use super::add::take_space;
use crate::grant::{Delete, Grant, See, Upload};
use crate::guards::check_unlocked;
use crate::items::place::{NameRule, check_name};
use crate::limits::{BATCH_ROWS_MAX, PAGE_ITEMS_MAX};
use crate::retention::{self, Keeping};
use crate::view::{Minis, VersionState, current, row};
use crate::{Bypass, Caller, Error, Item, Kind, Top, Tree, Version, VersionView, WantedVersion, allow, subscriptions};
use entente_database::events::EventKind;
use entente_database::handovers::{self, Handover};
use entente_database::items::Ancestor;
use entente_database::{Tx, contents, facts, items, lifecycle, users, versions};
use entente_model::{ContentId, ItemId, Rights, Timestamp, UserId, VersionId};

/// The kind of the job that calls [`Tree::purge_versions`] now and then.
pub const PURGE_VERSIONS_JOB: &str = "purge removed versions";

/// A page of versions.
#[derive(Debug, Clone)]
pub struct VersionPage {
    /// The newest first.
    pub entries: Vec<VersionView>,
    /// How many there are in all.
    pub total_count: u64,
}

impl Tree {
    /// A page of a file's older versions: neither the current one nor those that were removed.
    pub async fn versions(&self, caller: &Caller, file: ItemId, offset: u32, limit: u32) -> Result<VersionPage, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let item = seen::<See>(tx, &caller, file)?.1;
                let newest = item.version.ok_or(Error::internal("a file has no current version"))?;
                let total_count = versions::count_older(tx, file, newest)?;
                let rows = versions::older(tx, file, newest, offset, limit.min(PAGE_ITEMS_MAX))?;
                let mut minis = Minis::default();
                let entries = rows.into_iter().map(|row| view(tx, &mut minis, &item, row)).collect::<Result<_, _>>()?;
                Ok(VersionPage { entries, total_count })
            })
            .await
    }

    /// A version of a file: the current one, an older one, or one that was removed and may still be restored.
    pub async fn version(&self, caller: &Caller, file: ItemId, version: VersionId) -> Result<VersionView, Error> {
        self.database.read(|tx| {
            let item = seen::<See>(tx, caller, file)?.1;
            let row = of_file(tx, file, version)?;
            view(tx, &mut Minis::default(), &item, row)
        })
    }

    /// Makes a new version with the content of an older one, and gives the file the name that it had then, if no other
    /// item has it now. `NotFound` for a removed version; `QuotaExceeded`, since every version counts.
    pub async fn promote(
        &self,
        caller: &Caller,
        file: ItemId,
        version: VersionId,
        rule: NameRule,
    ) -> Result<VersionView, Error> {
        let (caller, stamp, id) = (caller.clone(), self.stamp(), VersionId::new(self.world.next_id()));
        self.database
            .transact("promote version", move |tx| {
                let (grant, mut item) = seen::<Upload>(tx, &caller, file)?;
                // Going back is a change of what others made, and not only one more version.
                if !grant.rights().contains(Rights::EDIT) {
                    return Err(Error::Forbidden);
                }
                check_unlocked(tx, &caller, &item)?;
                let old = of_file(tx, file, version)?;
                if old.trashed_at.is_some() {
                    return Err(Error::NotFound);
                }
                take_space(tx, &grant, old.size)?;
                if !contents::share(tx, old.content)? {
                    return Err(Error::internal("a version's content is not there"));
                }
                if old.name != item.name && grant.check_may_rename(&caller).is_ok() {
                    match check_name(tx, grant.beside()?, (Kind::File, &old.name), rule, Some(file)) {
                        Ok(()) => item.name = old.name.clone(),
                        Err(Error::NameInUse { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                let number = current(tx, &item)?.map_or(0, |version| version.number) + 1;
                item.touch(caller.user, stamp.at);
                item.version = Some(id);
                item.content_modified_at = stamp.at;
                let new = Version {
                    id,
                    number,
                    name: item.name.clone(),
                    created_at: stamp.at,
                    created_by: caller.user,
                    plain: false,
                    sender: None,
                    ..old
                };
                items::save(tx, &item)?;
                versions::insert(tx, &new)?;
                facts::copy(tx, version, id)?;
                retention::begin(tx, (&new, Keeping::AsBucket), grant.bucket(), || grant.way())?;
                stamp.record(tx, &caller, EventKind::VersionPromoted, file, Some(id))?;
                let (by, beside) = ((&caller, stamp), grant.beside()?);
                if grant.item().name == item.name {
                    subscriptions::put(tx, by, beside, id, EventKind::VersionPromoted)?;
                } else {
                    subscriptions::moved(tx, by, (beside, &grant.item().name), beside, &item)?;
                }
                view(tx, &mut Minis::default(), &item, new)
            })
            .await
    }

    /// Removes an older version from the list. It can be restored until it is removed for good.
    /// `Forbidden` for the current version; `Retained`; removed already is success.
    pub async fn remove_version(&self, caller: &Caller, file: ItemId, version: VersionId) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("remove version", move |tx| {
                let (grant, item) = seen::<Delete>(tx, &caller, file)?;
                check_unlocked(tx, &caller, &item)?;
                let gone = of_file(tx, file, version)?;
                if gone.trashed_at.is_some() {
                    return Ok(());
                }
                if item.version == Some(version) {
                    return Err(Error::Forbidden);
                }
                retention::release(tx, version, stamp.at, Bypass::No)?;
                versions::set_trashed(tx, version, Some((caller.user, stamp.at)))?;
                stamp.record(tx, &caller, EventKind::VersionRemoved, file, Some(version))?;
                let told = if gone.plain { WantedVersion::Plain } else { WantedVersion::Id(version) };
                subscriptions::version_gone(tx, (&caller, stamp), grant.beside()?, &item.name, told)
            })
            .await
    }

    /// Puts a removed version back into the list. One that was not removed is answered as it is.
    pub async fn restore_version(
        &self,
        caller: &Caller,
        file: ItemId,
        version: VersionId,
    ) -> Result<VersionView, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("restore version", move |tx| {
                let item = seen::<Delete>(tx, &caller, file)?.1;
                check_unlocked(tx, &caller, &item)?;
                let mut row = of_file(tx, file, version)?;
                if row.trashed_at.is_some() {
                    versions::set_trashed(tx, version, None)?;
                    if item.version != Some(version) {
                        // Where something plain of its path hides it, it has its time again.
                        lifecycle::note_hidden(tx, version, stamp.at)?;
                    }
                    stamp.record(tx, &caller, EventKind::VersionRestored, file, Some(version))?;
                    (row.trashed_at, row.trashed_by) = (None, None);
                }
                view(tx, &mut Minis::default(), &item, row)
            })
            .await
    }

    /// Removes for good up to `rows` versions that were removed from their lists before `before` and that nothing retains.
    /// `true` when none is left. Harmless to run twice.
    pub async fn purge_versions(&self, before: Timestamp, rows: u32) -> Result<bool, Error> {
        let (rows, now) = (rows.clamp(1, BATCH_ROWS_MAX), self.world.now());
        self.database
            .transact("purge versions", move |tx| {
                let removed = versions::trashed_before(tx, before, now, rows)?;
                for version in &removed {
                    remove_for_good(tx, version)?;
                }
                Ok(u32::try_from(removed.len()).is_ok_and(|removed| removed < rows))
            })
            .await
    }
}

/// Removes a version that nothing retains and that is not the current one of its file, and gives its owner the space back.
pub(crate) fn remove_for_good(tx: &mut Tx<'_>, version: &Version) -> Result<(), Error> {
    let way = items::ancestors(tx, version.item)?;
    if let Some(owner) = charged(tx, &way, version.content)? {
        users::give_space(tx, owner, version.size)?;
    }
    contents::release(tx, version.content)?;
    Ok(versions::remove(tx, version.id)?)
}

/// Towards whose space a version counts. On its way to another owner, what is below an item is the one's or the other's.
fn charged(tx: &mut Tx<'_>, way: &[Ancestor], content: ContentId) -> Result<Option<UserId>, Error> {
    let Some(top) = way.last() else { return Ok(None) };
    if top.top == Top::Limbo
        && let Some(Handover { to, .. }) = handovers::of(tx, top.id)?
        && handovers::owner_of(tx, content)? == Some(to)
    {
        return Ok(Some(to));
    }
    Ok(top.top_user)
}

fn seen<A: crate::grant::Act>(tx: &mut Tx<'_>, caller: &Caller, file: ItemId) -> Result<(Grant<A>, Item), Error> {
    let grant = allow::<A>(tx, caller, file)?.of(Kind::File)?;
    let item = row(tx, &grant)?;
    Ok((grant, item))
}

fn of_file(tx: &mut Tx<'_>, file: ItemId, version: VersionId) -> Result<Version, Error> {
    versions::by_id(tx, version)?.filter(|version| version.item == file).ok_or(Error::NotFound)
}

fn view(tx: &mut Tx<'_>, minis: &mut Minis, item: &Item, version: Version) -> Result<VersionView, Error> {
    let state = if item.version == Some(version.id) {
        VersionState::Current
    } else if version.trashed_at.is_some() {
        VersionState::Removed
    } else {
        VersionState::Older
    };
    Ok(VersionView {
        created_by: minis.find(tx, version.created_by)?,
        trashed_by: version.trashed_by.map(|user| minis.find(tx, user)).transpose()?,
        state,
        version,
    })
}
