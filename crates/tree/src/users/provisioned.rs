//! What a directory needs that keeps users and groups here as they are there.

use super::administers;
use crate::groups::{ALREADY_FULL, managed};
use crate::limits::{BATCH_ROWS_MAX, GROUPS_PAGE_MAX, MEMBERSHIPS_OF_USER_MAX};
use crate::{Caller, Error, Tree, User, UserKind};
use entente_database::events::EventKind;
use entente_database::groups::{self, Group};
use entente_database::memberships::{self, Membership, MembershipRole};
use entente_database::{Tx, users};
use entente_model::{GroupId, MembershipId, UserId};

/// Who is in a group, and after which membership there is more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberIds {
    /// In the order in which they came into it.
    pub users: Vec<UserId>,
    /// After which membership the next page begins, if there is more.
    pub next: Option<MembershipId>,
}

impl Tree {
    /// The person of the enterprise with exactly that login, without regard to case. `Forbidden` for who does not
    /// administer users.
    pub async fn person_by_login(&self, caller: &Caller, login: &str) -> Result<Option<User>, Error> {
        if !administers(caller) {
            return Err(Error::Forbidden);
        }
        let found = self.database.read(|tx| users::by_login(tx, login))?;
        // By another address of somebody's they are found, too.
        let is_it = |user: &User| entente_model::fold(&user.login) == entente_model::fold(login);
        Ok(found.filter(|user| user.enterprise == caller.enterprise && user.kind == UserKind::Person && is_it(user)))
    }

    /// The group of the enterprise with exactly that name, without regard to case. `Forbidden` for who does not
    /// administer users.
    pub async fn group_by_name(&self, caller: &Caller, name: &str) -> Result<Option<Group>, Error> {
        if !administers(caller) {
            return Err(Error::Forbidden);
        }
        Ok(self.database.read(|tx| groups::by_name(tx, caller.enterprise, name))?)
    }

    /// Who is in a group: at most `limits::GROUPS_PAGE_MAX`, after a membership. As [`Tree::add_members`].
    pub async fn member_ids(
        &self,
        caller: &Caller,
        group: GroupId,
        after: Option<MembershipId>,
    ) -> Result<MemberIds, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                managed(tx, &caller, group)?;
                let found = memberships::users_of(tx, group, after, GROUPS_PAGE_MAX)?;
                let next = (found.len() >= GROUPS_PAGE_MAX as usize).then(|| found.last().map(|last| last.0)).flatten();
                Ok(MemberIds { users: found.into_iter().map(|(_, user)| user).collect(), next })
            })
            .await
    }

    /// Puts people of the enterprise into a group; who is in it stays as they are. Some hundreds in one transaction: when
    /// this fails, those before may be in it, and the same call may be made again.
    ///
    /// `NotFound` and `Forbidden` as for [`Tree::update_group`]; `Invalid` for somebody who is not a user of the
    /// enterprise, or is in as many groups as there may be.
    pub async fn add_members(&self, caller: &Caller, group: GroupId, members: &[UserId]) -> Result<(), Error> {
        for some in members.chunks(BATCH_ROWS_MAX as usize) {
            let (caller, now) = (caller.clone(), self.world.now());
            let some = some.iter().map(|user| (MembershipId::new(self.world.next_id()), self.stamp(), *user));
            let some: Vec<_> = some.collect();
            let add = move |tx: &mut Tx<'_>| {
                let known = managed(tx, &caller, group)?;
                for (id, stamp, user) in &some {
                    let found = users::by_id(tx, *user)?.filter(|found| found.enterprise == caller.enterprise);
                    let found = found.filter(|found| found.kind != UserKind::External);
                    let found = found.ok_or(Error::Invalid("only users of the enterprise can be in groups"))?;
                    if memberships::role_of(tx, group, *user)?.is_some() {
                        continue;
                    }
                    if memberships::count_of_user(tx, *user)? >= MEMBERSHIPS_OF_USER_MAX {
                        return Err(ALREADY_FULL);
                    }
                    let row = Membership {
                        id: *id,
                        group,
                        user: *user,
                        role: MembershipRole::Member,
                        permissions: None,
                        created_at: now,
                        modified_at: now,
                    };
                    memberships::insert(tx, &row)?;
                    let member = Some((found.id, found.login.as_str()));
                    stamp.record_group(tx, &caller, EventKind::MemberAdded, (&known, member))?;
                }
                Ok(())
            };
            self.database.transact("add members", add).await?;
        }
        Ok(())
    }

    /// Takes people out of a group; who is not in it is no error. Otherwise as [`Tree::add_members`].
    pub async fn remove_members(&self, caller: &Caller, group: GroupId, members: &[UserId]) -> Result<(), Error> {
        for some in members.chunks(BATCH_ROWS_MAX as usize) {
            let caller = caller.clone();
            let some: Vec<_> = some.iter().map(|user| (self.stamp(), *user)).collect();
            let remove = move |tx: &mut Tx<'_>| {
                let known = managed(tx, &caller, group)?;
                for (stamp, user) in &some {
                    if let Some(member) = memberships::of(tx, group, *user)? {
                        memberships::remove(tx, member.membership.id)?;
                        let member = Some((*user, member.user.login.as_str()));
                        stamp.record_group(tx, &caller, EventKind::MemberRemoved, (&known, member))?;
                    }
                }
                Ok::<_, Error>(())
            };
            self.database.transact("remove members", remove).await?;
        }
        Ok(())
    }
}
