//! The end of what is in nobody's sight for long: items in the trash, and versions that were overwritten where none are kept.

use super::act::Outcome;
use crate::files::remove_for_good;
use crate::limits::BATCH_ROWS_MAX;
use crate::{Caller, Error, Scopes, Tree, UserRole};
use entente_database::lifecycle::{self as rows, Trashed};
use entente_model::{ItemId, Timestamp};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Items that are purged at a time: they share a commit.
const AT_A_TIME: usize = 8;

/// A place in what is in the trash, in the order in which it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrashPosition {
    at: Timestamp,
    item: ItemId,
}

impl Tree {
    /// Removes for good up to `rows` items that were put into the trash before `before`, in the order in which they went,
    /// after a place. Answers where to go on; `None` at the end. Harmless to run twice.
    ///
    /// What is shown among the versions of its path in a bucket that keeps versions stays, and so does what may not be
    /// removed. A delete marker without anything else goes: what it stood for is in nobody's sight.
    pub async fn expire_trash(
        &self,
        before: Timestamp,
        after: Option<TrashPosition>,
        rows: u32,
    ) -> Result<Option<TrashPosition>, Error> {
        let rows = rows.clamp(1, BATCH_ROWS_MAX);
        let after = after.map_or((Timestamp::from_millis(i64::MIN), ItemId::new(0)), |after| (after.at, after.item));
        let found = self.database.read_long(move |tx| rows::trashed_before(tx, before, after, rows)).await?;
        let is_full = u32::try_from(found.len()).is_ok_and(|found| found >= rows);
        let last = found.last().map(|last| TrashPosition { at: last.at, item: last.item });
        let purges = found.into_iter().map(|trashed| self.expire_trashed(trashed));
        stream::iter(purges).buffer_unordered(AT_A_TIME).try_collect::<Vec<_>>().await?;
        Ok(last.filter(|_| is_full))
    }

    /// In the name of whose trash it is.
    async fn expire_trashed(&self, trashed: Trashed) -> Result<(), Error> {
        let caller = Caller {
            user: trashed.owner,
            enterprise: trashed.enterprise,
            role: UserRole::User,
            app: None,
            scopes: Scopes::ALL,
            through: None,
        };
        // What may not be removed is looked at again next time.
        Outcome::of(self.purge(&caller, trashed.item, trashed.kind).await).map(drop)
    }

    /// Removes for good up to `rows` versions that were overwritten before `before` in buckets that kept no versions then:
    /// only other doors still show them. `true` when none is left. Harmless to run twice.
    pub async fn purge_overwritten(&self, before: Timestamp, rows: u32) -> Result<bool, Error> {
        let (rows, now) = (rows.clamp(1, BATCH_ROWS_MAX), self.world.now());
        self.database
            .transact("purge overwritten versions", move |tx| {
                let replaced = rows::replaced_before(tx, before, now, rows)?;
                for version in &replaced {
                    remove_for_good(tx, version)?;
                }
                Ok(u32::try_from(replaced.len()).is_ok_and(|replaced| replaced < rows))
            })
            .await
    }
}
