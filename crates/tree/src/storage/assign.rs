//! Who is assigned which storage policy.

use super::follow::enqueue;
use super::policies::check_administers;
use crate::{Assignee, Caller, Error, Tree};
use entente_database::assignments::{self, Assignment};
use entente_database::backends::Standing;
use entente_database::{ErrorKind, Tx, policies, users};
use entente_model::{AssignmentId, JobId, PolicyId, Timestamp};

/// That a policy is assigned to somebody, or holds for an enterprise because the configuration says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyAssignment {
    /// The policy.
    pub policy: PolicyId,
    /// To whom. No two assignments are to the same, so this is also which one it is.
    pub assignee: Assignee,
}

/// What a change of assignments is made with: drawn before its transaction.
#[derive(Debug, Clone, Copy)]
struct Draft {
    assignment: AssignmentId,
    job: JobId,
    at: Timestamp,
}

impl Tree {
    /// The assignment that decides for a user or an enterprise: a user's own, else the enterprise's, else what the
    /// configuration says for every enterprise.
    ///
    /// `Forbidden` for who does not administer; `NotFound` for anybody who is not of the caller's enterprise.
    pub async fn resolve_policy(&self, caller: &Caller, assignee: Assignee) -> Result<PolicyAssignment, Error> {
        check_administers(caller)?;
        self.database.read(|tx| {
            check_ours(tx, caller, assignee)?;
            match assignments::of(tx, assignee)? {
                Some(own) => Ok(shown(&own)),
                None => of_enterprise(tx, caller),
            }
        })
    }

    /// The assignment to precisely this user or enterprise. An enterprise always has one; a user may have none:
    /// `NotFound`. Otherwise the errors of [`Tree::resolve_policy`].
    pub async fn policy_assignment(&self, caller: &Caller, assignee: Assignee) -> Result<PolicyAssignment, Error> {
        check_administers(caller)?;
        self.database.read(|tx| found(tx, caller, assignee))
    }

    /// Assigns a policy to a user or an enterprise that has none of its own. What they own follows, soon after.
    ///
    /// `PolicyAssigned` when there is an assignment to change instead; `NotFound` also when the policy is not
    /// configured. Otherwise the errors of [`Tree::resolve_policy`].
    pub async fn assign_policy(
        &self,
        caller: &Caller,
        assignee: Assignee,
        policy: PolicyId,
    ) -> Result<PolicyAssignment, Error> {
        check_administers(caller)?;
        let (caller, draft) = (caller.clone(), self.draft());
        self.database
            .transact("assign storage policy", move |tx| {
                check_ours(tx, &caller, assignee)?;
                check_configured(tx, policy)?;
                if assignments::of(tx, assignee)?.is_some() {
                    return Err(Error::PolicyAssigned);
                }
                add(tx, &caller, assignee, policy, draft)
            })
            .await
    }

    /// Gives the assignee another policy instead of the assigned one. What they own follows, soon after; also when it
    /// is the same policy again. For an enterprise with the configuration's policy this assigns one.
    ///
    /// `NotFound` as for [`Tree::policy_assignment`], and when the policy is not configured.
    pub async fn reassign_policy(
        &self,
        caller: &Caller,
        assignee: Assignee,
        policy: PolicyId,
    ) -> Result<PolicyAssignment, Error> {
        check_administers(caller)?;
        let (caller, draft) = (caller.clone(), self.draft());
        self.database
            .transact("reassign storage policy", move |tx| {
                found(tx, &caller, assignee)?;
                check_configured(tx, policy)?;
                if !assignments::change(tx, assignee, policy)? {
                    return add(tx, &caller, assignee, policy, draft);
                }
                enqueue(tx, assignee, draft.job, draft.at)?;
                Ok(PolicyAssignment { policy, assignee })
            })
            .await
    }

    /// Removes an assignment: a user has the enterprise's policy then, and an enterprise the configuration's. What they
    /// own follows, soon after.
    ///
    /// `NotFound` as for [`Tree::policy_assignment`]; `Forbidden` also for an enterprise that has the configuration's
    /// policy already: that one cannot be removed.
    pub async fn unassign_policy(&self, caller: &Caller, assignee: Assignee) -> Result<(), Error> {
        check_administers(caller)?;
        let (caller, draft) = (caller.clone(), self.draft());
        self.database
            .transact("unassign storage policy", move |tx| {
                found(tx, &caller, assignee)?;
                if !assignments::remove(tx, assignee)? {
                    return Err(Error::Forbidden);
                }
                enqueue(tx, assignee, draft.job, draft.at)
            })
            .await
    }

    fn draft(&self) -> Draft {
        Draft {
            assignment: AssignmentId::new(self.world.next_id()),
            job: JobId::new(self.world.next_id()),
            at: self.world.now(),
        }
    }
}

fn add(
    tx: &mut Tx<'_>,
    caller: &Caller,
    assignee: Assignee,
    policy: PolicyId,
    Draft { assignment, job, at }: Draft,
) -> Result<PolicyAssignment, Error> {
    let enterprise = caller.enterprise;
    let new = Assignment { id: assignment, policy, enterprise, assignee, created_at: at };
    assignments::insert(tx, &new).map_err(|error| match error.kind {
        // Another node was quicker.
        ErrorKind::Duplicate => Error::PolicyAssigned,
        _ => error.into(),
    })?;
    enqueue(tx, assignee, job, at)?;
    Ok(PolicyAssignment { policy, assignee })
}

fn found(tx: &mut Tx<'_>, caller: &Caller, assignee: Assignee) -> Result<PolicyAssignment, Error> {
    check_ours(tx, caller, assignee)?;
    match (assignments::of(tx, assignee)?, assignee) {
        (Some(own), _) => Ok(shown(&own)),
        (None, Assignee::Enterprise(_)) => of_enterprise(tx, caller),
        (None, Assignee::User(_)) => Err(Error::NotFound),
    }
}

/// What holds for the caller's enterprise, assigned or not.
fn of_enterprise(tx: &mut Tx<'_>, caller: &Caller) -> Result<PolicyAssignment, Error> {
    let assignee = Assignee::Enterprise(caller.enterprise);
    if let Some(own) = assignments::of(tx, assignee)? {
        return Ok(shown(&own));
    }
    let policy = assignments::default_policy(tx)?.ok_or(Error::internal("no storage policy is the default"))?;
    Ok(PolicyAssignment { policy, assignee })
}

/// `NotFound` for what is not of the caller's enterprise.
fn check_ours(tx: &mut Tx<'_>, caller: &Caller, assignee: Assignee) -> Result<(), Error> {
    let enterprise = match assignee {
        Assignee::Enterprise(enterprise) => Some(enterprise),
        Assignee::User(user) => users::by_id(tx, user)?.map(|user| user.enterprise),
    };
    if enterprise == Some(caller.enterprise) { Ok(()) } else { Err(Error::NotFound) }
}

/// `NotFound` unless the policy can be assigned.
fn check_configured(tx: &mut Tx<'_>, policy: PolicyId) -> Result<(), Error> {
    let found = policies::by_id(tx, policy)?.filter(|found| found.standing == Standing::Configured);
    found.map(|_| ()).ok_or(Error::NotFound)
}

fn shown(assignment: &Assignment) -> PolicyAssignment {
    PolicyAssignment { policy: assignment.policy, assignee: assignment.assignee }
}
