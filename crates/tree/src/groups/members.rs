//! Who is in a group.

use super::{Standing, known, standing};
use crate::items::Stamp;
use crate::limits::{GROUPS_PAGE_MAX, MEMBERSHIPS_OF_USER_MAX};
use crate::users::administers;
use crate::{Caller, Error, Tree, UserKind};
use entente_database::events::EventKind;
use entente_database::memberships::{self, GroupPermissions, Member, Membership, MembershipRole};
use entente_database::{ErrorKind, Tx, users};
use entente_model::{GroupId, MembershipId, UserId};

/// A user to be put into a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMembership {
    /// Which group.
    pub group: GroupId,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: MembershipRole,
    /// What one who administers the group may do besides; `None` if nobody has said.
    pub permissions: Option<GroupPermissions>,
}

/// What of a membership is to change; `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MembershipChange {
    /// As what.
    pub role: Option<MembershipRole>,
    /// What one who administers the group may do besides.
    pub permissions: Option<GroupPermissions>,
}

/// A page of memberships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMembersPage {
    /// In the order in which they were made, of a group; in the order in which the groups were made, of a user.
    pub entries: Vec<Member>,
    /// How many there are in all, counted up to `entente_database::memberships::MEMBERSHIPS_COUNTED_MAX`.
    pub total_count: u64,
}

impl Tree {
    /// Puts a user of the enterprise into a group.
    ///
    /// `NotFound` as for [`Tree::group`], and for a user who is not of the enterprise; `Forbidden` for who administers
    /// neither users nor the group; `AlreadyExists` when they are in it; `Invalid` when they are from outside, or are in
    /// `limits::MEMBERSHIPS_OF_USER_MAX` groups.
    pub async fn add_member(&self, caller: &Caller, new: NewMembership) -> Result<Member, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        let (now, id) = (stamp.at, MembershipId::new(self.world.next_id()));
        self.database
            .transact("add member", move |tx| {
                let (group, standing) = known(tx, &caller, new.group)?;
                if !standing.manages() {
                    return Err(Error::Forbidden);
                }
                let user = users::by_id(tx, new.user)?.filter(|user| user.enterprise == caller.enterprise);
                let user = user.ok_or(Error::NotFound)?;
                if user.kind == UserKind::External {
                    return Err(Error::Invalid("only users of the enterprise can be in groups"));
                }
                if memberships::role_of(tx, group.id, user.id)?.is_some() {
                    return Err(ALREADY_IN);
                }
                if memberships::count_of_user(tx, user.id)? >= MEMBERSHIPS_OF_USER_MAX {
                    return Err(Error::Invalid("the user is in as many groups as there may be"));
                }
                let NewMembership { role, permissions, .. } = new;
                let row = Membership {
                    id,
                    group: group.id,
                    user: user.id,
                    role,
                    permissions,
                    created_at: now,
                    modified_at: now,
                };
                memberships::insert(tx, &row).map_err(|error| match error.kind {
                    // Another node was quicker.
                    ErrorKind::Duplicate => ALREADY_IN,
                    _ => error.into(),
                })?;
                let member = memberships::by_id(tx, id)?.ok_or(Error::NotFound)?;
                tell(tx, &caller, stamp, EventKind::MemberAdded, &member)?;
                Ok(member)
            })
            .await
    }

    /// A membership: one's own, or of a group whose members the caller may see. `NotFound` otherwise.
    pub async fn membership(&self, caller: &Caller, membership: MembershipId) -> Result<Member, Error> {
        self.database.read(|tx| Ok(found(tx, caller, membership)?.0))
    }

    /// Changes a membership. `NotFound` as for [`Tree::membership`]; `Forbidden` for who administers neither users nor the
    /// group.
    pub async fn update_membership(
        &self,
        caller: &Caller,
        membership: MembershipId,
        change: MembershipChange,
    ) -> Result<Member, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        let now = stamp.at;
        self.database
            .transact("change membership", move |tx| {
                let (mut member, standing) = found(tx, &caller, membership)?;
                if !standing.manages() {
                    return Err(Error::Forbidden);
                }
                let row = &mut member.membership;
                row.role = change.role.unwrap_or(row.role);
                row.permissions = change.permissions.or(row.permissions);
                row.modified_at = now;
                memberships::update(tx, row)?;
                tell(tx, &caller, stamp, EventKind::MemberChanged, &member)?;
                Ok(member)
            })
            .await
    }

    /// Ends a membership. As [`Tree::update_membership`].
    pub async fn remove_membership(&self, caller: &Caller, membership: MembershipId) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("end membership", move |tx| {
                let (member, standing) = found(tx, &caller, membership)?;
                if !standing.manages() {
                    return Err(Error::Forbidden);
                }
                if !memberships::remove(tx, membership)? {
                    return Err(Error::NotFound);
                }
                tell(tx, &caller, stamp, EventKind::MemberRemoved, &member)
            })
            .await
    }

    /// The membership of a user in a group. As [`Tree::membership`].
    pub async fn membership_of(&self, caller: &Caller, group: GroupId, user: UserId) -> Result<Member, Error> {
        self.database.read(|tx| {
            let member = memberships::of(tx, group, user)?.ok_or(Error::NotFound)?;
            Ok(found(tx, caller, member.membership.id)?.0)
        })
    }

    /// A page of a group's memberships: at most `limit`, and `limits::GROUPS_PAGE_MAX`. `NotFound` as for [`Tree::group`];
    /// `Forbidden` when the group does not show its members to the caller.
    pub async fn members_of_group(
        &self,
        caller: &Caller,
        group: GroupId,
        offset: u32,
        limit: u32,
    ) -> Result<GroupMembersPage, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let (found, standing) = known(tx, &caller, group)?;
                if !standing.suffices(found.viewability) {
                    return Err(Error::Forbidden);
                }
                let entries = memberships::of_group(tx, group, offset, limit.min(GROUPS_PAGE_MAX))?;
                Ok(GroupMembersPage { entries, total_count: memberships::count_of_group(tx, group)? })
            })
            .await
    }

    /// A page of a user's memberships: at most `limit`, and `limits::GROUPS_PAGE_MAX`. `NotFound` as for [`Tree::user`].
    pub async fn memberships_of_user(
        &self,
        caller: &Caller,
        user: UserId,
        offset: u32,
        limit: u32,
    ) -> Result<GroupMembersPage, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let found = users::by_id(tx, user)?;
                let sees =
                    |enterprise| user == caller.user || (administers(&caller) && enterprise == caller.enterprise);
                found.filter(|found| sees(found.enterprise)).ok_or(Error::NotFound)?;
                let entries = memberships::of_user(tx, user, offset, limit.min(GROUPS_PAGE_MAX))?;
                Ok(GroupMembersPage { entries, total_count: memberships::count_of_user(tx, user)? })
            })
            .await
    }
}

const ALREADY_IN: Error = Error::AlreadyExists("the user is in the group already");

fn tell(tx: &mut Tx<'_>, caller: &Caller, stamp: Stamp, kind: EventKind, member: &Member) -> Result<(), Error> {
    stamp.record_group(tx, caller, kind, (&member.group, Some((member.user.id, &member.user.login))))
}

/// A membership that the caller may see, and what they are to its group.
fn found(tx: &mut Tx<'_>, caller: &Caller, membership: MembershipId) -> Result<(Member, Standing), Error> {
    let member = memberships::by_id(tx, membership)?.ok_or(Error::NotFound)?;
    let standing = standing(tx, caller, &member.group)?;
    let own = member.membership.user == caller.user && standing >= Standing::Member;
    if own || standing.suffices(member.group.viewability) { Ok((member, standing)) } else { Err(Error::NotFound) }
}
