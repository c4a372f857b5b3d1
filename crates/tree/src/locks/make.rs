//! A lock on a path where there is nothing: an empty file is made, and locked before anybody else can see it.

use super::{Locking, NewLock, hold, in_the_way_in, token};
use crate::files::{Prepared, Target};
use crate::grant::{Grant, Upload};
use crate::items::place::NameRule;
use crate::limits::BATCH_ROWS_MAX;
use crate::paths::{Expect, Folders, Landing, Path, Versioning, land};
use crate::storage::follow_commit;
use crate::{BoxError, Caller, Error, Tree, allow};
use bytes::Bytes;
use entente_database::events::EventKind;
use entente_database::facts::Facts;
use entente_database::{contents, locks};
use entente_model::{ItemId, JobId};
use futures_util::stream;

impl Tree {
    /// Makes an empty file at a path where there is nothing, and locks it: both, or neither (RFC 4918 section 7.3).
    ///
    /// Errors are those of [`Tree::lock`] and of [`Tree::put_at`] for a path without an item: `PreconditionFailed` or
    /// `NameInUse` when there is one.
    pub async fn lock_at(&self, caller: &Caller, path: Path<'_>, new: NewLock) -> Result<Locking, Error> {
        new.check()?;
        let terms = ((Folders::Refuse, NameRule::CaseSensitive), (Expect::Absent, Versioning::Always));
        let mut landing = Landing::new(path, terms.0, terms.1);
        let now = self.world.now();
        let (prepared, hint, others) = self.database.read(|tx| {
            let (folder, hint) = landing.scout(tx, caller)?;
            let others = in_the_way_in(tx, &folder, &new, now)?;
            Ok::<_, Error>((Prepared::of(tx, caller, &folder)?, hint, others))
        })?;
        if !others.is_empty() {
            return Ok(Locking::Held(others));
        }
        landing.seen(hint);
        let nothing = stream::empty::<Result<Bytes, BoxError>>();
        let written = self.store(&prepared, 0, None, nothing).await?;
        let added = self.added(&written, None, None)?;
        let (stamp, token) = (self.stamp(), token(self.world.random()));
        let target = Target { caller: caller.clone(), stamp, rule: NameRule::CaseSensitive, event: EventKind::Created };
        let (item, job) = (ItemId::new(self.world.next_id()), JobId::new(self.world.next_id()));
        let world = self.world.clone();
        self.database
            .transact("lock at path", move |tx| {
                let (caller, mut minis) = (&target.caller, prepared.minis.clone());
                let (folder, _) = landing.scout(tx, caller)?;
                locks::remove_expired(tx, folder.owner(), stamp.at, BATCH_ROWS_MAX)?;
                let others = in_the_way_in(tx, &folder, &new, stamp.at)?;
                if !others.is_empty() {
                    return Ok(Locking::Held(others));
                }
                let facts = (None, &Facts::default());
                land(tx, (&world, &target), &landing, (item, &added), facts, &mut minis, |tx, owner| {
                    contents::commit_with_md5(tx, &written, owner, None)?;
                    follow_commit(tx, owner, prepared.scope, (job, stamp.at))
                })?;
                let grant: Grant<Upload> = allow(tx, caller, item)?;
                Ok(Locking::Granted(hold(tx, (caller.user, &grant), &new, (&token, stamp.at))?))
            })
            .await
    }
}
