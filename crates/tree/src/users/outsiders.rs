//! People from outside lose every role that they have on what the enterprise's users own.

use super::administers;
use crate::limits::{BATCH_ROWS_MAX, OUTSIDERS_MAX};
use crate::{Caller, Error, Tree, UserKind};
use entente_database::events::EventKind;
use entente_database::jobs::{self, NewJob};
use entente_database::{Tx, collaborations, items, users};
use entente_model::{CollaborationId, EnterpriseId, ItemId, JobId, UserId};

/// The kind of the jobs that call [`Tree::remove_outsider_batch`] until it is done. Their key is who loses roles and whose
/// these are, with a space between; their payload who asked.
pub const REMOVE_OUTSIDER_JOB: &str = "remove outsider";

impl Tree {
    /// Takes every role on what the enterprise's users own from these users, soon after this returns. For each, in the same
    /// order, whether they are such people from outside; of the others nothing changes.
    ///
    /// `NotFound` for who does not administer, as at Box; `Invalid` for more than `limits::OUTSIDERS_MAX`.
    pub async fn remove_outsiders(&self, caller: &Caller, outsiders: Vec<UserId>) -> Result<Vec<bool>, Error> {
        if !administers(caller) {
            return Err(Error::NotFound);
        }
        if outsiders.len() > OUTSIDERS_MAX {
            return Err(Error::Invalid("too many users are named in one request"));
        }
        let (caller, now) = (caller.clone(), self.world.now());
        let ids: Vec<JobId> = outsiders.iter().map(|_| JobId::new(self.world.next_id())).collect();
        self.database
            .transact("remove outsiders", move |tx| {
                let mut found = Vec::with_capacity(outsiders.len());
                for (user, job) in outsiders.iter().zip(&ids) {
                    let is_one = is_outsider(tx, caller.enterprise, *user)?;
                    if is_one {
                        let (key, payload) = (format!("{user} {}", caller.enterprise), caller.user.to_string());
                        let kind = REMOVE_OUTSIDER_JOB;
                        jobs::enqueue(tx, &NewJob { job: *job, kind, key: &key, payload: &payload, run_at: now }, now)?;
                    }
                    found.push(is_one);
                }
                Ok(found)
            })
            .await
    }

    /// Takes some of the roles away. Answers after which collaboration there may be more; `None` when there are none.
    /// Harmless to run twice.
    pub async fn remove_outsider_batch(
        &self,
        (user, enterprise): (UserId, EnterpriseId),
        by: UserId,
        after: Option<CollaborationId>,
    ) -> Result<Option<CollaborationId>, Error> {
        let (world, stamp) = (self.world.clone(), self.stamp());
        self.database
            .transact("remove outsider", move |tx| {
                let page = collaborations::of_user_after(tx, user, after, BATCH_ROWS_MAX)?;
                for one in &page {
                    if !is_owned_by(tx, one.item, enterprise)? {
                        continue;
                    }
                    collaborations::remove(tx, one.id)?;
                    stamp.again(&world).record_for(tx, by, EventKind::CollaborationRemoved, one.item)?;
                }
                let more = page.len() >= BATCH_ROWS_MAX as usize;
                Ok(page.last().map(|last| last.id).filter(|_| more))
            })
            .await
    }
}

/// Whether the user is from outside and has anything to do with the enterprise: nobody learns of others.
fn is_outsider(tx: &mut Tx<'_>, enterprise: EnterpriseId, user: UserId) -> Result<bool, Error> {
    let Some(found) = users::by_id(tx, user)? else { return Ok(false) };
    if found.enterprise == enterprise {
        return Ok(found.kind == UserKind::External);
    }
    for one in collaborations::of_user_after(tx, user, None, BATCH_ROWS_MAX)? {
        if is_owned_by(tx, one.item, enterprise)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_owned_by(tx: &mut Tx<'_>, item: ItemId, enterprise: EnterpriseId) -> Result<bool, Error> {
    let owner = items::ancestors(tx, item)?.last().and_then(|top| top.top_user);
    let owner = owner.map(|owner| users::by_id(tx, owner)).transpose()?.flatten();
    Ok(owner.is_some_and(|owner| owner.enterprise == enterprise))
}
