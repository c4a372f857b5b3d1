//! Removing for good: out of everybody's sight at once, then bottom-up in batches, however much there is.

use super::Stamp;
use crate::grant::Purge;
use crate::limits::{BATCH_ROWS_MAX, CLEAR_TURNS_MAX};
use crate::paths::prune;
use crate::retention::{Cleared, clear};
use crate::view::row;
use crate::{Caller, Error, Kind, Top, Tree, allow};
use entente_database::deliveries::is_to_be_told;
use entente_database::events::EventKind;
use entente_database::items::{self, Item, Mark};
use entente_database::jobs::{self, NewJob};
use entente_database::{
    Tx, buckets, collaborations, contents, counts, favorites, lifecycle, paths, recents, users, versions,
};
use entente_model::{ItemId, JobId, Timestamp};
use std::time::Duration;

/// The kind of the jobs that call [`Tree::purge_batch`] until it is done. Their key is the item's id.
pub const PURGE_JOB: &str = "purge item";

impl Tree {
    /// Removes an item that is in the trash itself, with everything below it: it is gone from sight when this returns,
    /// and what it held is released then or soon after.
    ///
    /// `NotFound` unless it is in the trash itself; `Retained` when it is, or anything below it: then all of it stays.
    /// `BusyRetry` when there is more below it that was retained than `limits::CLEAR_TURNS_MAX` batches.
    pub async fn purge(&self, caller: &Caller, item: ItemId, kind: Kind) -> Result<(), Error> {
        self.purge_trashed(caller, (item, kind), None).await
    }

    /// The same, if the item still ends with the trash that was put there before a moment, if there is one; else
    /// `PreconditionFailed`.
    pub(crate) async fn purge_trashed(
        &self,
        caller: &Caller,
        (item, kind): (ItemId, Kind),
        before: Option<Timestamp>,
    ) -> Result<(), Error> {
        for _ in 0..CLEAR_TURNS_MAX {
            if self.purge_unless_retained(caller, (item, kind), before).await? == Cleared::Wholly {
                return Ok(());
            }
        }
        Err(Error::BusyRetry("very much below the item was retained".into()))
    }

    async fn purge_unless_retained(
        &self,
        caller: &Caller,
        (item, kind): (ItemId, Kind),
        before: Option<Timestamp>,
    ) -> Result<Cleared, Error> {
        let (caller, stamp, job) = (caller.clone(), self.stamp(), JobId::new(self.world.next_id()));
        self.database
            .transact("purge item", move |tx| {
                let grant = allow::<Purge>(tx, &caller, item)?.of(kind)?;
                if let Some(before) = before
                    && !lifecycle::is_trashed_before(tx, item, before)?
                {
                    // It was taken out since, and put there again perhaps.
                    return Err(Error::PreconditionFailed);
                }
                let mut row = row(tx, &grant)?;
                if row.parent.is_some() && clear(tx, (item, kind), stamp.at, BATCH_ROWS_MAX)? == Cleared::InPart {
                    return Ok(Cleared::InPart);
                }
                let trash = row.parent.take().ok_or(Error::NotFound)?;
                if row.kind == Kind::Folder {
                    buckets::remove(tx, item)?;
                }
                let shown_in = row.trashed_from.filter(|_| row.mark.is_shown());
                row.mark = Mark::HIDDEN;
                row.top = Top::Limbo;
                row.top_user = Some(grant.owner());
                items::save(tx, &row)?;
                counts::lost(tx, trash, item)?;
                stamp.record(tx, &caller, EventKind::Purged, item, None)?;
                if let Some(folder) = shown_in {
                    let way = items::ancestors(tx, folder)?;
                    prune(tx, &way)?;
                }
                if !remove_some(tx, &row, BATCH_ROWS_MAX)? {
                    enqueue(tx, job, item, stamp, Duration::ZERO)?;
                }
                Ok(Cleared::Wholly)
            })
            .await
    }

    /// Goes on removing an item that waits in limbo, at most `rows` rows of items, versions and roles at a time. `true` when
    /// nothing of it is left. Harmless to call for an item that is not there, or is not in limbo (any more).
    pub async fn purge_batch(&self, item: ItemId, rows: u32) -> Result<bool, Error> {
        let now = self.world.now();
        self.database
            .transact("purge batch", move |tx| {
                let Some(mut row) = items::by_id(tx, item)?.filter(|row| row.top == Top::Limbo) else {
                    return Ok(true);
                };
                if row.trashed_at.is_none() {
                    // A copy that was not finished in time: from now on it cannot be attached.
                    row.trashed_at = Some(now);
                    items::save(tx, &row)?;
                }
                remove_some(tx, &row, rows.clamp(1, BATCH_ROWS_MAX))
            })
            .await
    }
}

/// Asks for the rest of an item in limbo to be removed.
pub(crate) fn enqueue(tx: &mut Tx<'_>, job: JobId, item: ItemId, stamp: Stamp, delay: Duration) -> Result<(), Error> {
    let (key, run_at): (String, Timestamp) = (item.to_string(), stamp.at.after(delay));
    jobs::enqueue(tx, &NewJob { job, kind: PURGE_JOB, key: &key, payload: "", run_at }, stamp.at)?;
    Ok(())
}

/// Removes up to `rows` rows, from the bottom up. `true` when the item itself is gone. What is in limbo is retained by
/// nothing: that was decided when it went there, and nobody can come to it since; a copy that was never finished was
/// nobody's.
fn remove_some(tx: &mut Tx<'_>, top: &Item, rows: u32) -> Result<bool, Error> {
    let (mut left, mut freed) = (rows, 0);
    let mut way = vec![(top.id, top.kind)];
    // What a job is still to tell of stays until then, so that there is something to tell of.
    if top.kind == Kind::Folder && is_to_be_told(tx, top.id)? {
        return Ok(false);
    }
    while let Some(&(item, kind)) = way.last() {
        if left == 0 {
            break;
        }
        let gone = match kind {
            Kind::Folder => match items::some_children(tx, item, 1)?.first() {
                None => {
                    left -= paths::remove_markers(tx, item, left)?;
                    if left == 0 {
                        break;
                    }
                    left -= lifecycle::hide_trashed_from(tx, item, left)?;
                    if left == 0 {
                        break;
                    }
                    left -= remove_some_of_users(tx, item, left)?;
                    if left == 0 {
                        break;
                    }
                    counts::remove(tx, item)?;
                    items::remove(tx, item)?;
                    left -= 1;
                    true
                }
                Some(child @ (_, Kind::Folder)) => {
                    if is_to_be_told(tx, child.0)? {
                        break;
                    }
                    way.push(*child);
                    false
                }
                // Folders come first among children: the others are files and links.
                Some(_) => {
                    for (child, _) in items::some_children(tx, item, left)? {
                        if left > 0 {
                            remove_file(tx, child, &mut left, &mut freed)?;
                        }
                    }
                    false
                }
            },
            Kind::File | Kind::WebLink => remove_file(tx, item, &mut left, &mut freed)?,
        };
        if gone {
            way.pop();
        }
    }
    if let Some(owner) = top.top_user.filter(|_| freed > 0) {
        users::give_space(tx, owner, freed)?;
    }
    Ok(way.is_empty())
}

/// Removes up to `limit` rows that users have of an item: roles, favorites, and what they had to do with it. How many.
fn remove_some_of_users(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<u32, Error> {
    let mut left = limit;
    for remove in [collaborations::remove_some_of_item, favorites::remove_some_of_item, recents::remove_some_of_item] {
        if left > 0 {
            left -= remove(tx, item, left)?;
        }
    }
    Ok(limit - left)
}

/// Removes versions of a file, then the roles on it, and the file with the last of them. `true` when the file is gone.
fn remove_file(tx: &mut Tx<'_>, file: ItemId, left: &mut u32, freed: &mut u64) -> Result<bool, Error> {
    for version in versions::some(tx, file, *left)? {
        contents::release(tx, version.content)?;
        versions::remove(tx, version.id)?;
        *freed += version.size;
        *left -= 1;
    }
    if *left > 0 {
        *left -= remove_some_of_users(tx, file, *left)?;
    }
    if *left == 0 {
        return Ok(false);
    }
    items::remove(tx, file)?;
    *left -= 1;
    Ok(true)
}
