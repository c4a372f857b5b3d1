//! Content follows its owner's policy: what a job needs that moves it.

use crate::limits::{BATCH_ROWS_MAX, USERS_PAGE_MAX};
use crate::{Assignee, Error, Stored, Tree};
use entente_database::contents::{self, OwnedPosition};
use entente_database::jobs::{self, NewJob};
use entente_database::users::{self, Storage};
use entente_database::{Tx, assignments};
use entente_model::{ContentId, EnterpriseId, JobId, PolicyId, Timestamp, UserId};
use entente_vault::Scope;

/// The kind of the jobs that move content to where its owner's policy wants it. Their key is the assignee's, as
/// [`assignee_of_key`] reads it: a user's id, or an enterprise for all who have no assignment of their own.
pub const FOLLOW_POLICY_JOB: &str = "follow policy";

const ENTERPRISE: &str = "enterprise:";

/// The key of the [`FOLLOW_POLICY_JOB`] for what an assignment to this assignee decides.
#[must_use]
pub fn key_of_assignee(assignee: Assignee) -> String {
    match assignee {
        Assignee::Enterprise(enterprise) => format!("{ENTERPRISE}{enterprise}"),
        Assignee::User(user) => user.to_string(),
    }
}

/// Reads what [`key_of_assignee`] wrote. `None` for anything else.
#[must_use]
pub fn assignee_of_key(key: &str) -> Option<Assignee> {
    match key.strip_prefix(ENTERPRISE) {
        Some(enterprise) => enterprise.parse().ok().map(Assignee::Enterprise),
        None => key.parse().ok().map(Assignee::User),
    }
}

/// A page of contents that are not stored under their owner's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Where they belong.
    pub to: Scope,
    /// At most as many as were asked for.
    pub contents: Vec<Stored>,
    /// Where the next page begins; `None` when there was no more when this one was read.
    pub next: Option<ElsewherePosition>,
}

/// A place among a user's contents. It stays good whatever becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElsewherePosition(OwnedPosition);

impl ElsewherePosition {
    /// A form to be stored: 16 bytes.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        [self.0.policy.number().to_be_bytes(), self.0.content.number().to_be_bytes()].concat()
    }

    /// Reads what [`ElsewherePosition::to_bytes`] gave. `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (policy, content) = bytes.split_first_chunk()?;
        let content = content.try_into().ok()?;
        let (policy, content) = (i64::from_be_bytes(*policy), i64::from_be_bytes(content));
        Some(Self(OwnedPosition { policy: PolicyId::new(policy), content: ContentId::new(content) }))
    }
}

impl Tree {
    /// Users whose content an assignment to this assignee decides on, after `after`, in order of ids: the user, or
    /// everybody of the enterprise without an assignment of their own. At most `limit`, and `limits::USERS_PAGE_MAX`;
    /// an empty page is the end.
    pub async fn users_decided_by(
        &self,
        assignee: Assignee,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserId>, Error> {
        match assignee {
            Assignee::User(user) if after.is_none_or(|after| after < user) => Ok(vec![user]),
            Assignee::User(_) => Ok(Vec::new()),
            Assignee::Enterprise(enterprise) => {
                let limit = limit.clamp(1, USERS_PAGE_MAX);
                let read = move |tx: &mut Tx<'_>| assignments::users_without(tx, enterprise, after, limit);
                Ok(self.database.read_long(read).await?)
            }
        }
    }

    /// A page of all that a user owns (every version of every file, in the trash too) and that is not stored under the
    /// policy that the user has now, after `after`: at most `limit`, and `limits::BATCH_ROWS_MAX`. `None` when there is
    /// no such user.
    ///
    /// What is committed while pages are read is in one of them, or its commit queues a [`FOLLOW_POLICY_JOB`] again.
    pub async fn elsewhere(
        &self,
        user: UserId,
        after: Option<ElsewherePosition>,
        limit: u32,
    ) -> Result<Option<Elsewhere>, Error> {
        let limit = limit.clamp(1, BATCH_ROWS_MAX);
        self.database
            .read_long(move |tx| {
                let Some(Storage { enterprise, zone, policy, .. }) = users::storage(tx, user)? else {
                    return Ok(None);
                };
                let found = contents::elsewhere(tx, user, policy, after.map(|after| after.0), limit)?;
                let full = u32::try_from(found.len()).is_ok_and(|found| found == limit);
                Ok(Some(Elsewhere {
                    to: Scope { enterprise, zone, policy },
                    next: found.last().filter(|_| full).map(|(position, _)| ElsewherePosition(*position)),
                    contents: found.into_iter().map(|(_, stored)| stored).collect(),
                }))
            })
            .await
    }

    /// Queues a [`FOLLOW_POLICY_JOB`] for up to `limit` enterprises after `after` that have the configuration's policy:
    /// to be called when another policy has become that one. Answers after which the next call goes on; `None` at the
    /// end.
    pub async fn follow_default(&self, after: Option<EnterpriseId>, limit: u32) -> Result<Option<EnterpriseId>, Error> {
        let (world, limit) = (self.world.clone(), limit.clamp(1, BATCH_ROWS_MAX));
        self.database
            .transact("follow default policy", move |tx| {
                let found = assignments::enterprises_without(tx, after, limit)?;
                for enterprise in &found {
                    enqueue(tx, Assignee::Enterprise(*enterprise), JobId::new(world.next_id()), world.now())?;
                }
                Ok(found.last().copied())
            })
            .await
    }
}

/// Asks for what an assignment to the assignee decides on to be moved to where it belongs.
pub(super) fn enqueue(tx: &mut Tx<'_>, assignee: Assignee, job: JobId, at: Timestamp) -> Result<(), Error> {
    let key = key_of_assignee(assignee);
    jobs::enqueue(tx, &NewJob { job, kind: FOLLOW_POLICY_JOB, key: &key, payload: "", run_at: at }, at)?;
    Ok(())
}

/// Asks for what a user owns to be moved to where it belongs: some of it was another's before.
pub(crate) fn follow_owner(tx: &mut Tx<'_>, owner: UserId, (job, at): (JobId, Timestamp)) -> Result<(), Error> {
    enqueue(tx, Assignee::User(owner), job, at)
}

/// Asks for what a user owns to be moved, if the user's policy is not the one of `scope` (any more): that of a content
/// that is committed in this transaction.
pub(crate) fn follow_commit(
    tx: &mut Tx<'_>,
    owner: UserId,
    scope: Scope,
    (job, at): (JobId, Timestamp),
) -> Result<(), Error> {
    let key = key_of_assignee(Assignee::User(owner));
    let new = NewJob { job, kind: FOLLOW_POLICY_JOB, key: &key, payload: "", run_at: at };
    assignments::enqueue_unless(tx, (scope.enterprise, owner, scope.policy), &new, at)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_positions_come_back() {
        for assignee in [Assignee::User(UserId::new(7)), Assignee::Enterprise(EnterpriseId::new(i64::MAX))] {
            assert_eq!(assignee_of_key(&key_of_assignee(assignee)), Some(assignee));
        }
        for bad in ["", "0", "x", "enterprise:", "enterprise:x", "enterprise:07"] {
            assert_eq!(assignee_of_key(bad), None, "{bad}");
        }
        let position = ElsewherePosition(OwnedPosition { policy: PolicyId::new(3), content: ContentId::new(1 << 60) });
        assert_eq!(ElsewherePosition::from_bytes(&position.to_bytes()), Some(position));
        assert_eq!(ElsewherePosition::from_bytes(&[0; 15]), None);
        assert_eq!(ElsewherePosition::from_bytes(&[0; 17]), None);
    }
}
