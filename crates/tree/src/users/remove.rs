//! Removing users: nobody comes in as them, or to what they owned, when it returns; that goes in batches afterwards.

use super::{is_above, seen};
use crate::items::purge;
use crate::limits::{BATCH_ROWS_MAX, CLEAR_TURNS_MAX};
use crate::retention::{Cleared, clear};
use crate::{Caller, Error, Kind, Top, Tree, UserKind};
use entente_database::events::EventKind;
use entente_database::items::{self, Mark};
use entente_database::jobs::{self, NewJob};
use entente_database::{Tx, buckets, counts, users};
use entente_model::{ItemId, JobId, UserId};
use std::time::Duration;

/// The kind of the jobs that call [`Tree::purge_user_batch`] until it is done. Their key is the user's id.
pub const PURGE_USER_JOB: &str = "purge user";

/// How many items one batch takes out of a removed user's root.
const ITEMS_AT_ONCE: u32 = 50;

/// What to do with a user who still owns something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnedContent {
    /// Leave them as they are.
    Refuse,
    /// Remove it for good.
    Purge,
}

impl Tree {
    /// Removes a user. When this returns nobody finds them any more, no credential of theirs is worth anything, and
    /// their login is free, and whatever they shared is out of everybody's sight; what belonged to them is removed soon
    /// after.
    ///
    /// `NotFound` as for [`Tree::user`]; `Forbidden` for who does not administer users, for a user whose role is above
    /// the caller's, for the caller's own, and for the service account of an app; `OwnsContent` when there is anything
    /// in their root or their trash, unless it is to be purged; `Retained` when something of that is retained.
    /// `BusyRetry` when there is more that was retained than `limits::CLEAR_TURNS_MAX` batches.
    pub async fn delete_user(&self, caller: &Caller, user: UserId, content: OwnedContent) -> Result<(), Error> {
        for _ in 0..CLEAR_TURNS_MAX {
            let (caller, stamp, job) = (caller.clone(), self.stamp(), JobId::new(self.world.next_id()));
            let now = stamp.at;
            let cleared = self.database.transact("remove user", move |tx| {
                let found = seen(tx, &caller, user)?;
                if !is_above(&caller, &found) || user == caller.user || found.kind == UserKind::Service {
                    return Err(Error::Forbidden);
                }
                if users::owns_content(tx, user)? {
                    if content == OwnedContent::Refuse {
                        return Err(Error::OwnsContent);
                    }
                    for top in [found.root, found.trash] {
                        if clear(tx, (top, Kind::Folder), now, BATCH_ROWS_MAX)? == Cleared::InPart {
                            return Ok(Cleared::InPart);
                        }
                    }
                }
                users::condemn(tx, user, now)?;
                stamp.record_user(tx, &caller, EventKind::UserRemoved, &found)?;
                let key = user.to_string();
                let new = NewJob { job, kind: PURGE_USER_JOB, key: &key, payload: "", run_at: now };
                jobs::enqueue(tx, &new, now)?;
                Ok(Cleared::Wholly)
            });
            if cleared.await? == Cleared::Wholly {
                return Ok(());
            }
        }
        Err(Error::BusyRetry("very much of the user's was retained".into()))
    }

    /// Goes on removing what belonged to a removed user: credentials and the like first, then what is in the root and in
    /// the trash, a few items at a time. `true` when nothing is left; also for a user who was not removed.
    ///
    /// `Retained` when somebody has had something retained in the meantime: it stays until that is over.
    pub async fn purge_user_batch(&self, user: UserId) -> Result<bool, Error> {
        let (world, stamp) = (self.world.clone(), self.stamp());
        self.database
            .transact("purge user batch", move |tx| {
                let Some((tops, removed)) = users::forget(tx, user, BATCH_ROWS_MAX)? else { return Ok(true) };
                if removed >= BATCH_ROWS_MAX {
                    return Ok(false);
                }
                for top in [tops.root, tops.trash] {
                    let children = items::some_children(tx, top, ITEMS_AT_ONCE)?;
                    for (child, kind) in &children {
                        if clear(tx, (*child, *kind), stamp.at, BATCH_ROWS_MAX)? == Cleared::InPart {
                            return Ok(false);
                        }
                        take_away(tx, user, top, *child)?;
                        purge::enqueue(tx, JobId::new(world.next_id()), *child, stamp, Duration::ZERO)?;
                    }
                    if !children.is_empty() {
                        return Ok(false);
                    }
                }
                for top in [tops.root, tops.trash] {
                    counts::remove(tx, top)?;
                    items::remove(tx, top)?;
                }
                Ok(true)
            })
            .await
    }
}

/// Puts an item into limbo.
fn take_away(tx: &mut Tx<'_>, owner: UserId, from: ItemId, item: ItemId) -> Result<(), Error> {
    let mut row = items::by_id(tx, item)?.ok_or(Error::internal("a child that was listed is not there"))?;
    if row.kind == Kind::Folder {
        buckets::remove(tx, item)?;
    }
    row.parent = None;
    row.mark = Mark::HIDDEN;
    row.top = Top::Limbo;
    row.top_user = Some(owner);
    items::save(tx, &row)?;
    Ok(counts::lost(tx, from, item)?)
}
