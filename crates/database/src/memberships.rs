//! Memberships: which users are in which groups, and who administers a group.

use crate::groups::{self, Group};
use crate::tx::Row;
use crate::users::UserMini;
use crate::{Error, Tx};
use entente_model::{GroupId, MembershipId, Timestamp, UserId};

/// How far the counts of this module count.
pub const MEMBERSHIPS_COUNTED_MAX: u32 = 100_000;

/// What a user is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MembershipRole {
    /// Has what the group has.
    #[default]
    Member,
    /// Says besides who else is in it.
    Admin,
}

/// What somebody who administers a group may do besides: a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupPermissions(i64);

impl GroupPermissions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Runs reports on the members.
    pub const RUN_REPORTS: Self = Self(1);
    /// Signs in as a member.
    pub const INSTANT_LOGIN: Self = Self(1 << 1);
    /// Makes users.
    pub const CREATE_ACCOUNTS: Self = Self(1 << 2);
    /// Changes members.
    pub const EDIT_ACCOUNTS: Self = Self(1 << 3);
    /// All of these.
    pub const ALL: Self = Self((1 << 4) - 1);

    /// Whether all of these are in it.
    #[must_use]
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }
}

/// A membership as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Its id.
    pub id: MembershipId,
    /// Of which group.
    pub group: GroupId,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: MembershipRole,
    /// What may be done besides; `None` if nobody has said.
    pub permissions: Option<GroupPermissions>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

/// A membership with both its sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The membership.
    pub membership: Membership,
    /// Who.
    pub user: UserMini,
    /// Of which group.
    pub group: Group,
}

macro_rules! select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT m.id, m.group_id, m.user_id, m.role, m.permissions, m.created_at, m.modified_at, u.name, u.login, ",
            groups::columns!(),
            " FROM group_memberships m JOIN groups g ON g.id = m.group_id JOIN users u ON u.id = m.user_id
              WHERE g.deleted_at IS NULL AND u.status <> 4 AND ",
            $($rest),+
        )
    };
}

/// Stores a membership. `Duplicate` when the user is in the group already.
pub fn insert(tx: &mut Tx<'_>, new: &Membership) -> Result<(), Error> {
    tx.put(
        "INSERT INTO group_memberships (id, group_id, user_id, role, permissions, created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            new.id.into(),
            new.group.into(),
            new.user.into(),
            role_number(new.role).into(),
            new.permissions.map(|permissions| permissions.0).into(),
            new.created_at.into(),
            new.modified_at.into(),
        ],
    )
}

/// Stores what may change of a membership: role and permissions.
pub fn update(tx: &mut Tx<'_>, row: &Membership) -> Result<(), Error> {
    tx.put(
        "UPDATE group_memberships SET role = ?2, permissions = ?3, modified_at = ?4 WHERE id = ?1",
        &[
            row.id.into(),
            role_number(row.role).into(),
            row.permissions.map(|permissions| permissions.0).into(),
            row.modified_at.into(),
        ],
    )
}

/// Ends a membership. `false` when there is none with that id.
pub fn remove(tx: &mut Tx<'_>, id: MembershipId) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM group_memberships WHERE id = ?1", &[id.into()])? > 0)
}

/// The membership with that id.
pub fn by_id(tx: &mut Tx<'_>, id: MembershipId) -> Result<Option<Member>, Error> {
    tx.query_one(select!("m.id = ?1"), &[id.into()], read)
}

/// The membership of a user in a group.
pub fn of(tx: &mut Tx<'_>, group: GroupId, user: UserId) -> Result<Option<Member>, Error> {
    tx.query_one(select!("m.user_id = ?2 AND m.group_id = ?1"), &[group.into(), user.into()], read)
}

/// What a user is in a group; `None` when they are not in it. One lookup.
pub fn role_of(tx: &mut Tx<'_>, group: GroupId, user: UserId) -> Result<Option<MembershipRole>, Error> {
    let sql = "SELECT role FROM group_memberships WHERE user_id = ?2 AND group_id = ?1";
    tx.query_one(sql, &[group.into(), user.into()], |row| row.int(0))?.map(role).transpose()
}

/// Up to `limit` memberships of a group in the order in which they were made, after `offset` others.
pub fn of_group(tx: &mut Tx<'_>, group: GroupId, offset: u32, limit: u32) -> Result<Vec<Member>, Error> {
    let sql = select!("m.group_id = ?1 ORDER BY m.id LIMIT ?2 OFFSET ?3");
    tx.query(sql, &[group.into(), limit.into(), offset.into()], read)
}

/// How many memberships a group has, counted up to [`MEMBERSHIPS_COUNTED_MAX`].
pub fn count_of_group(tx: &mut Tx<'_>, group: GroupId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM (SELECT id FROM group_memberships WHERE group_id = ?1 LIMIT ?2) counted";
    let found = tx.query_one(sql, &[group.into(), MEMBERSHIPS_COUNTED_MAX.into()], |row| row.size(0))?;
    Ok(found.unwrap_or(0))
}

/// Up to `limit` users of a group after one of them, in order of their memberships.
pub fn users_of(
    tx: &mut Tx<'_>,
    group: GroupId,
    after: Option<MembershipId>,
    limit: u32,
) -> Result<Vec<(MembershipId, UserId)>, Error> {
    let after = after.map_or(0, MembershipId::number);
    let sql = "SELECT id, user_id FROM group_memberships WHERE group_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    tx.query(sql, &[group.into(), after.into(), limit.into()], |row| {
        Ok((MembershipId::new(row.int(0)?), UserId::new(row.int(1)?)))
    })
}

/// Up to `limit` memberships of a user in order of the groups' ids, after `offset` others.
pub fn of_user(tx: &mut Tx<'_>, user: UserId, offset: u32, limit: u32) -> Result<Vec<Member>, Error> {
    let sql = select!("m.user_id = ?1 ORDER BY m.group_id LIMIT ?2 OFFSET ?3");
    tx.query(sql, &[user.into(), limit.into(), offset.into()], read)
}

/// How many memberships a user has, counted up to [`MEMBERSHIPS_COUNTED_MAX`].
pub fn count_of_user(tx: &mut Tx<'_>, user: UserId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM (SELECT m.id FROM group_memberships m JOIN groups g ON g.id = m.group_id
         WHERE m.user_id = ?1 AND g.deleted_at IS NULL LIMIT ?2) counted";
    let found = tx.query_one(sql, &[user.into(), MEMBERSHIPS_COUNTED_MAX.into()], |row| row.size(0))?;
    Ok(found.unwrap_or(0))
}

/// Ends up to `limit` memberships of a user; how many.
pub fn remove_of_user(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM group_memberships WHERE id IN
           (SELECT id FROM group_memberships WHERE user_id = ?1 ORDER BY group_id LIMIT ?2)",
        &[user.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<Member, Error> {
    let (group, user) = (GroupId::new(row.int(1)?), UserId::new(row.int(2)?));
    Ok(Member {
        membership: Membership {
            id: MembershipId::new(row.int(0)?),
            group,
            user,
            role: role(row.int(3)?)?,
            permissions: row.int_or_null(4)?.map(GroupPermissions),
            created_at: Timestamp::from_millis(row.int(5)?),
            modified_at: Timestamp::from_millis(row.int(6)?),
        },
        user: UserMini { id: user, name: row.text(7)?, login: row.text(8)? },
        group: groups::read_at(row, 9)?,
    })
}

fn role(number: i64) -> Result<MembershipRole, Error> {
    match number {
        0 => Ok(MembershipRole::Member),
        1 => Ok(MembershipRole::Admin),
        _ => Err(Error::damaged("a membership's role")),
    }
}

const fn role_number(role: MembershipRole) -> i64 {
    match role {
        MembershipRole::Member => 0,
        MembershipRole::Admin => 1,
    }
}
