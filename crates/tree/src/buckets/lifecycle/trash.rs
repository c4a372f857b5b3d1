//! The end of what is in nobody's sight for long: items in the trash, and versions that were overwritten where none are kept.

use super::act::{Failed, Outcome};
use crate::files::remove_for_good;
use crate::limits::BATCH_ROWS_MAX;
use crate::paths::shows_plain;
use crate::{Caller, Error, Item, Scopes, Tree, UserRole, Version};
use entente_database::lifecycle::{self as rows, Trashed};
use entente_database::{Tx, items, paths};
use entente_model::{ItemId, Timestamp};
use futures_util::{StreamExt, stream};

/// Items that are purged at a time: they share a commit.
const AT_A_TIME: usize = 8;

/// A place in what is in the trash, in the order in which it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrashPosition {
    at: Timestamp,
    item: ItemId,
}

/// What has become of a page of the trash.
#[derive(Debug)]
pub struct Expired {
    /// Where to go on; `None` at the end.
    pub next: Option<TrashPosition>,
    /// What could not be removed, other than what may not be. The rest was, all the same.
    pub failed: Vec<Failed>,
}

impl Tree {
    /// Removes for good up to `rows` items that were put into the trash before `before`, in the order in which they went,
    /// after a place. Harmless to run twice.
    ///
    /// What is shown among the versions of its path in a bucket that keeps versions stays, and so does what may not be
    /// removed, and what has been taken out of the trash meanwhile. Delete markers without anything else go: what they stood
    /// for is in nobody's sight.
    pub async fn expire_trash(
        &self,
        before: Timestamp,
        after: Option<TrashPosition>,
        rows: u32,
    ) -> Result<Expired, Error> {
        let rows = rows.clamp(1, BATCH_ROWS_MAX);
        let after = after.map_or((Timestamp::from_millis(i64::MIN), ItemId::new(0)), |after| (after.at, after.item));
        let found = self.database.read_long(move |tx| rows::trashed_before(tx, before, after, rows)).await?;
        let is_full = u32::try_from(found.len()).is_ok_and(|found| found >= rows);
        let last = found.last().map(|last| TrashPosition { at: last.at, item: last.item });
        let purges = found.into_iter().map(|trashed| self.expire_trashed(trashed, before));
        let failed = stream::iter(purges).buffer_unordered(AT_A_TIME).filter_map(async |failed| failed).collect().await;
        Ok(Expired { next: last.filter(|_| is_full), failed })
    }

    /// In the name of whose trash it is.
    async fn expire_trashed(&self, trashed: Trashed, before: Timestamp) -> Option<Failed> {
        let caller = Caller {
            user: trashed.owner,
            enterprise: trashed.enterprise,
            role: UserRole::User,
            app: None,
            scopes: Scopes::ALL,
            confined: None,
            through: None,
            link: None,
        };
        // What may not be removed is looked at again next time.
        let purged = self.purge_trashed(&caller, (trashed.item, trashed.kind), Some(before)).await;
        Outcome::of(purged).err().map(|error| Failed { item: trashed.item, version: None, error })
    }

    /// Removes for good up to `rows` versions that were overwritten before `before` in buckets that kept no versions then, or
    /// hidden by a delete marker: only other doors still show them. `true` when none is left. Harmless to run twice.
    pub async fn purge_overwritten(&self, before: Timestamp, rows: u32) -> Result<bool, Error> {
        let (rows, now) = (rows.clamp(1, BATCH_ROWS_MAX), self.world.now());
        self.database
            .transact("purge overwritten versions", move |tx| {
                let replaced = rows::replaced_before(tx, before, now, rows)?;
                for version in &replaced {
                    end_replaced(tx, version)?;
                }
                Ok(u32::try_from(replaced.len()).is_ok_and(|replaced| replaced < rows))
            })
            .await
    }
}

/// Removes a version that was overwritten or hidden, unless it is shown again.
fn end_replaced(tx: &mut Tx<'_>, version: &Version) -> Result<(), Error> {
    let item = items::by_id(tx, version.item)?.ok_or(Error::internal("a version is of no file"))?;
    let is_current = item.version == Some(version.id);
    let is_behind_marker = item.trashed_at.is_some() && item.mark.versions;
    if is_current && !is_behind_marker || shows_plain(tx, &item, version.id)? {
        return Ok(rows::note_shown(tx, version.id)?);
    }
    if is_current && !give_way(tx, item, version)? {
        // It is all that there is of its file, and goes with that.
        return Ok(rows::note_shown(tx, version.id)?);
    }
    remove_for_good(tx, version)
}

/// Puts the version before the current one of a file in its place. Where there is none, shows the file no more among the
/// versions of its path: then it goes with the trash. `true` when there is one.
fn give_way(tx: &mut Tx<'_>, mut item: Item, current: &Version) -> Result<bool, Error> {
    let listed = paths::versions_before(tx, item.id, u64::MAX, 2)?;
    let before = listed.into_iter().filter_map(|found| found.version).find(|version| version.id != current.id);
    if let Some(before) = &before {
        item.version = Some(before.id);
        item.content_modified_at = before.created_at;
    } else {
        item.mark.versions = false;
    }
    items::save(tx, &item)?;
    Ok(before.is_some())
}
