//! Ending what people are signed in by, before it ends by itself.

use crate::{Error, Identity};
use entente_database::jobs::{self, NewJob};
use entente_database::{Tx, credentials, groups, memberships, users};
use entente_model::{Caller, GroupId, JobId, MembershipId, Scopes, UserId, UserRole};
use entente_world::World;

/// The kind of the jobs that call [`Identity::end_sessions_batch`] until it is done.
pub const END_SESSIONS_JOB: &str = "end sessions";

/// Users, or groups, that one request names at most.
pub const SESSIONS_ENDED_MAX: usize = 1_000;
/// Rows that one transaction removes.
const ROWS_MAX: u32 = 500;
/// Members that one transaction looks at.
const MEMBERS_MAX: u32 = 100;

const GROUP: &str = "group:";

/// Whose sessions are to end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionsOf {
    /// Of these users.
    pub users: Vec<UserId>,
    /// Of those with these logins.
    pub logins: Vec<String>,
    /// Of the members of these groups.
    pub groups: Vec<GroupId>,
}

impl Identity {
    /// Ends every session of those who are named: what they are signed in by at this moment is worth nothing when this
    /// returns, or soon after where there is much of it. Passwords stay, and what was given to programs.
    ///
    /// `Forbidden` for who does not administer users, or when somebody is above them; `UnknownUser` when anybody or any
    /// group is not of the caller's enterprise, or more than [`SESSIONS_ENDED_MAX`] are named: then nothing ends.
    pub async fn end_sessions(&self, caller: &Caller, of: SessionsOf) -> Result<(), Error> {
        if !(caller.role.administers() && caller.scopes.contains(Scopes::ADMINISTER)) {
            return Err(Error::Forbidden);
        }
        let SessionsOf { users: named, logins, groups: sets } = of;
        if named.len() + logins.len() + sets.len() > SESSIONS_ENDED_MAX {
            return Err(Error::UnknownUser("more than can be named at once".to_owned()));
        }
        let (caller, world) = (caller.clone(), self.world.clone());
        self.database
            .transact("end sessions", move |tx| {
                let mut found = Vec::with_capacity(named.len() + logins.len());
                for user in &named {
                    found.push(checked(&caller, users::by_id(tx, *user)?, || user.to_string())?);
                }
                for login in &logins {
                    found.push(checked(&caller, users::by_login(tx, login)?, || login.clone())?);
                }
                for group in &sets {
                    let found = groups::by_id(tx, *group)?.filter(|found| found.enterprise == caller.enterprise);
                    found.ok_or_else(|| Error::UnknownUser(group.to_string()))?;
                }
                let mut left = ROWS_MAX;
                for user in found {
                    left = left.saturating_sub(credentials::sign_out(tx, user, left)?);
                    if left == 0 {
                        enqueue(tx, &world, &user.to_string())?;
                    }
                }
                sets.iter().try_for_each(|group| Ok(enqueue(tx, &world, &format!("{GROUP}{group}"))?))
            })
            .await
    }

    /// Goes on ending sessions of a user, or of the members of a group after one of them. `None` when it is done; otherwise
    /// after whom the next batch goes on.
    pub async fn end_sessions_batch(
        &self,
        key: &str,
        after: Option<MembershipId>,
    ) -> Result<Option<Option<MembershipId>>, Error> {
        let key = key.to_owned();
        self.database
            .transact("end sessions batch", move |tx| {
                let Some(group) = key.strip_prefix(GROUP) else {
                    let Ok(user) = key.parse() else { return Ok(None) };
                    return Ok((credentials::sign_out(tx, user, ROWS_MAX)? >= ROWS_MAX).then_some(None));
                };
                let Ok(group) = group.parse() else { return Ok(None) };
                let (mut reached, mut left) = (after, ROWS_MAX);
                let members = memberships::users_of(tx, group, after, MEMBERS_MAX)?;
                for (membership, user) in &members {
                    left = left.saturating_sub(credentials::sign_out(tx, *user, left)?);
                    if left == 0 {
                        // This one may have more.
                        return Ok(Some(reached));
                    }
                    reached = Some(*membership);
                }
                Ok((members.len() >= MEMBERS_MAX as usize).then_some(reached))
            })
            .await
    }
}

fn checked(caller: &Caller, user: Option<users::User>, called: impl Fn() -> String) -> Result<UserId, Error> {
    let user = user.filter(|user| user.enterprise == caller.enterprise).ok_or_else(|| Error::UnknownUser(called()))?;
    let rises = user.role == UserRole::Admin && caller.role != UserRole::Admin;
    if rises { Err(Error::Forbidden) } else { Ok(user.id) }
}

fn enqueue(tx: &mut Tx<'_>, world: &World, key: &str) -> Result<(), entente_database::Error> {
    let (job, now) = (JobId::new(world.next_id()), world.now());
    jobs::enqueue(tx, &NewJob { job, kind: END_SESSIONS_JOB, key, payload: "", run_at: now }, now)
}
