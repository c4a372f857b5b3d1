//! Collaborations: roles that users, groups, and people who are not users yet have on items.

use crate::tx::{Row, Value};
use crate::{Error, Tx};
use entente_model::{CollaborationId, GroupId, ItemId, Rights, Role, Timestamp, UserId, fold};

/// Items that one statement of [`standing`] asks about.
const ITEMS_AT_ONCE: usize = 16;
/// Items that one statement of [`any_on`] asks about.
const ROWS_AT_ONCE: usize = 8;
/// Roles to which one address was invited.
pub const INVITATIONS_MAX: u32 = 1_000;

/// To whom a role was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Collaborator {
    /// A user.
    User(UserId),
    /// Every member of a group.
    Group(GroupId),
    /// Whoever becomes a user with that login, which is folded.
    Invited(String),
}

/// Whether a role counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CollaborationStatus {
    /// Not yet: its user has not said.
    Pending,
    /// Yes.
    Accepted,
    /// No: its user does not want it.
    Rejected,
}

/// A collaboration as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collaboration {
    /// Its id.
    pub id: CollaborationId,
    /// On which item.
    pub item: ItemId,
    /// To whom.
    pub with: Collaborator,
    /// Which role.
    pub role: Role,
    /// Whether it counts.
    pub status: CollaborationStatus,
    /// Whether the collaborator sees what is above the item, by name.
    pub sees_path: bool,
    /// Whether the item stays out of the listing of the collaborator's root.
    pub access_only: bool,
    /// Who gave it.
    pub created_by: UserId,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// When its user said something to it.
    pub acknowledged_at: Option<Timestamp>,
    /// When it is to end by itself.
    pub expires_at: Option<Timestamp>,
}

/// What a user is at one item of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The item that was shared.
    pub item: ItemId,
    /// What may be done with it and with what is below it.
    pub rights: Rights,
    /// Whether what is above it may be seen, by name.
    pub sees_path: bool,
}

macro_rules! columns {
    () => {
        "c.id, c.item_id, c.user_id, c.group_id, c.email_folded, c.role, c.status, c.sees_path, c.access_only,
         c.created_by, c.created_at, c.modified_at, c.acknowledged_at, c.expires_at"
    };
}

macro_rules! select {
    ($($rest:literal),+) => { concat!("SELECT ", columns!(), " FROM collaborations c ", $($rest),+) };
}

/// Stores a collaboration, and marks its item as shared. `Duplicate` when the collaborator has one on the item already.
pub fn insert(tx: &mut Tx<'_>, new: &Collaboration) -> Result<(), Error> {
    let (user, group, email) = match &new.with {
        Collaborator::User(user) => (Value::Int(user.number()), Value::Null, Value::Null),
        Collaborator::Group(group) => (Value::Null, Value::Int(group.number()), Value::Null),
        Collaborator::Invited(email) => (Value::Null, Value::Null, Value::Text(email)),
    };
    tx.put(
        "INSERT INTO collaborations (id, item_id, user_id, group_id, email_folded, role, status, sees_path, access_only,
           created_by, created_at, modified_at, acknowledged_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        &[
            new.id.into(),
            new.item.into(),
            user,
            group,
            email,
            role_number(new.role).into(),
            status_number(new.status).into(),
            i64::from(new.sees_path).into(),
            i64::from(new.access_only).into(),
            new.created_by.into(),
            new.created_at.into(),
            new.modified_at.into(),
            new.acknowledged_at.into(),
            new.expires_at.into(),
        ],
    )?;
    tx.put("UPDATE items SET shared = 1 WHERE id = ?1 AND shared = 0", &[new.item.into()])
}

/// The collaboration with that id.
pub fn by_id(tx: &mut Tx<'_>, id: CollaborationId) -> Result<Option<Collaboration>, Error> {
    tx.query_one(select!("WHERE c.id = ?1"), &[id.into()], read)
}

/// The collaboration of that collaborator on that item.
pub fn of(tx: &mut Tx<'_>, item: ItemId, with: &Collaborator) -> Result<Option<Collaboration>, Error> {
    match with {
        Collaborator::User(user) => {
            tx.query_one(select!("WHERE c.item_id = ?1 AND c.user_id = ?2"), &[item.into(), (*user).into()], read)
        }
        Collaborator::Group(group) => {
            tx.query_one(select!("WHERE c.item_id = ?1 AND c.group_id = ?2"), &[item.into(), (*group).into()], read)
        }
        Collaborator::Invited(email) => {
            let sql = select!("WHERE c.item_id = ?1 AND c.email_folded = ?2");
            tx.query_one(sql, &[item.into(), email.as_str().into()], read)
        }
    }
}

/// Up to `limit` collaborations on an item itself after one of them, oldest first.
pub fn of_item(
    tx: &mut Tx<'_>,
    item: ItemId,
    after: Option<CollaborationId>,
    limit: u32,
) -> Result<Vec<Collaboration>, Error> {
    let after = after.map_or(0, CollaborationId::number);
    let sql = select!("WHERE c.item_id = ?1 AND c.id > ?2 ORDER BY c.id LIMIT ?3");
    tx.query(sql, &[item.into(), after.into(), limit.into()], read)
}

/// Up to `limit` collaborations of a user themselves in one status, oldest first, after `offset` others.
pub fn of_user(
    tx: &mut Tx<'_>,
    user: UserId,
    status: CollaborationStatus,
    offset: u32,
    limit: u32,
) -> Result<Vec<Collaboration>, Error> {
    let sql = select!("WHERE c.user_id = ?1 AND c.status = ?2 ORDER BY c.id LIMIT ?3 OFFSET ?4");
    tx.query(sql, &[user.into(), status_number(status).into(), limit.into(), offset.into()], read)
}

/// Up to `limit` collaborations of a user themselves, whatever their status, after one of them, oldest first.
pub fn of_user_after(
    tx: &mut Tx<'_>,
    user: UserId,
    after: Option<CollaborationId>,
    limit: u32,
) -> Result<Vec<Collaboration>, Error> {
    let after = after.map_or(0, CollaborationId::number);
    let sql = select!("WHERE c.user_id = ?1 AND c.id > ?2 ORDER BY c.id LIMIT ?3");
    tx.query(sql, &[user.into(), after.into(), limit.into()], read)
}

/// How many collaborations [`of_user`] finds in all.
pub fn count_of_user(tx: &mut Tx<'_>, user: UserId, status: CollaborationStatus) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM collaborations WHERE user_id = ?1 AND status = ?2";
    Ok(tx.query_one(sql, &[user.into(), status_number(status).into()], |row| row.size(0))?.unwrap_or(0))
}

/// Up to `limit` collaborations of a group, oldest first, after `offset` others.
pub fn of_group(tx: &mut Tx<'_>, group: GroupId, offset: u32, limit: u32) -> Result<Vec<Collaboration>, Error> {
    let sql = select!("WHERE c.group_id = ?1 ORDER BY c.id LIMIT ?2 OFFSET ?3");
    tx.query(sql, &[group.into(), limit.into(), offset.into()], read)
}

/// How many roles an address is invited to.
pub fn count_of_address(tx: &mut Tx<'_>, folded: &str) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM collaborations WHERE email_folded = ?1";
    Ok(tx.query_one(sql, &[folded.into()], |row| row.size(0))?.unwrap_or(0))
}

/// How many collaborations a group has.
pub fn count_of_group(tx: &mut Tx<'_>, group: GroupId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM collaborations WHERE group_id = ?1";
    Ok(tx.query_one(sql, &[group.into()], |row| row.size(0))?.unwrap_or(0))
}

/// How many collaborations there are on an item itself.
pub fn count_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM collaborations WHERE item_id = ?1";
    Ok(tx.query_one(sql, &[item.into()], |row| row.size(0))?.unwrap_or(0))
}

/// On which of these items there is any collaboration, in no order.
pub fn any_on(tx: &mut Tx<'_>, items: &[ItemId]) -> Result<Vec<ItemId>, Error> {
    let mut found = Vec::new();
    for some in items.chunks(ROWS_AT_ONCE) {
        let Some(first) = some.first() else { continue };
        let padded = some.iter().chain(std::iter::repeat(first)).take(ROWS_AT_ONCE);
        let parameters: Vec<Value<'_>> = padded.map(|item| Value::from(*item)).collect();
        found.extend(tx.query(
            "SELECT i.id FROM items i WHERE i.id IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) AND i.shared = 1
               AND EXISTS (SELECT 1 FROM collaborations c WHERE c.item_id = i.id)",
            &parameters,
            |row| Ok(ItemId::new(row.int(0)?)),
        )?);
    }
    Ok(found)
}

/// From each item to the one row of the user on it, and to the one of each of the user's groups: a role and whether it sees
/// the path, as one number. As joins, and with conditions that other indexes have too, PostgreSQL would turn them round, and
/// walk along all that is shared with the user, or with the group.
macro_rules! standing {
    ($explain:literal) => {
        concat!(
            $explain,
            "SELECT s.id, s.given FROM (
               SELECT i.id, (SELECT CASE c.status WHEN 1 THEN c.role * 2 + c.sees_path END
                 FROM collaborations c WHERE c.item_id = i.id AND c.user_id = ?1) AS given
               FROM items i
               WHERE i.id IN (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
               UNION ALL
               SELECT i.id, (SELECT CASE WHEN c.status = 1
                   AND (SELECT 1 FROM groups g WHERE g.id = c.group_id AND g.deleted_at IS NULL) = 1
                   THEN c.role * 2 + c.sees_path END
                 FROM collaborations c WHERE c.item_id = i.id AND c.group_id = m.group_id) AS given
               FROM items i CROSS JOIN group_memberships m
               WHERE i.id IN (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
                 AND m.user_id = ?1
             ) s WHERE s.given IS NOT NULL"
        )
    };
}

const STANDING: &str = standing!("");
const EXPLAIN_STANDING: &str = standing!("EXPLAIN QUERY PLAN ");
const EXPLAIN_STANDING_ON_SERVER: &str = standing!("EXPLAIN (COSTS OFF) ");

/// What a user is at each of these items, by collaborations of their own and of their groups, on the items themselves:
/// the items where they are nothing are not there. Two walks along indexes an item, and one more a group of the user's.
pub fn standing(tx: &mut Tx<'_>, user: UserId, items: &[ItemId]) -> Result<Vec<Standing>, Error> {
    let mut found: Vec<Standing> = Vec::new();
    for some in items.chunks(ITEMS_AT_ONCE) {
        let Some(first) = some.first() else { continue };
        let mut parameters = vec![Value::from(user)];
        parameters
            .extend(some.iter().chain(std::iter::repeat(first)).take(ITEMS_AT_ONCE).map(|item| Value::from(*item)));
        let rows = tx.query(STANDING, &parameters, |row| {
            Ok((ItemId::new(row.int(0)?), role(row.int(1)? / 2)?, row.int(1)? % 2 != 0))
        })?;
        for (item, role, sees_path) in rows {
            match found.iter_mut().find(|known| known.item == item) {
                Some(known) => {
                    known.rights = known.rights.with(role.rights());
                    known.sees_path |= sees_path;
                }
                None => found.push(Standing { item, rights: role.rights(), sees_path }),
            }
        }
    }
    Ok(found)
}

/// How SQLite means to answer [`standing`]: for tests, which see to it that it is by the indexes of items alone.
pub fn explain_standing(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    tx.query(EXPLAIN_STANDING, &[Value::Int(1); ITEMS_AT_ONCE + 1], |row| row.text(3))
}

/// The same of PostgreSQL.
pub fn explain_standing_on_server(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    tx.query(EXPLAIN_STANDING_ON_SERVER, &[Value::Int(1); ITEMS_AT_ONCE + 1], |row| row.text(0))
}

/// Up to `limit` items that stand in the root of a user because others share them with the user or with a group of the
/// user's: those that were shared last, the last one first. None that is in a trash itself. Looks at all collaborations of
/// the user and of the user's groups.
pub fn shared_with(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<Vec<ItemId>, Error> {
    tx.query(
        "SELECT s.item_id FROM (
           SELECT c.id, c.item_id FROM collaborations c CROSS JOIN items i
           WHERE c.user_id = ?1 AND c.status = 1 AND c.access_only = 0 AND i.id = c.item_id AND i.trashed_at IS NULL
           UNION ALL
           SELECT c.id, c.item_id FROM group_memberships m CROSS JOIN groups g CROSS JOIN collaborations c
           CROSS JOIN items i
           WHERE m.user_id = ?1 AND g.id = m.group_id AND g.deleted_at IS NULL AND c.group_id = g.id AND c.status = 1
             AND c.access_only = 0 AND i.id = c.item_id AND i.trashed_at IS NULL
         ) s GROUP BY s.item_id ORDER BY max(s.id) DESC LIMIT ?2",
        &[user.into(), limit.into()],
        |row| Ok(ItemId::new(row.int(0)?)),
    )
}

/// Whether anything at all is shared with a user.
pub fn any_with(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM collaborations WHERE user_id = ?1 AND status = 1
         UNION ALL SELECT 1 FROM group_memberships WHERE user_id = ?1 LIMIT 1";
    Ok(tx.query_one(sql, &[user.into()], |_| Ok(()))?.is_some())
}

/// Stores what may change of a collaboration: role, status, path, times.
pub fn update(tx: &mut Tx<'_>, row: &Collaboration) -> Result<(), Error> {
    tx.put(
        "UPDATE collaborations SET role = ?2, status = ?3, sees_path = ?4, modified_at = ?5, acknowledged_at = ?6,
           expires_at = ?7 WHERE id = ?1",
        &[
            row.id.into(),
            role_number(row.role).into(),
            status_number(row.status).into(),
            i64::from(row.sees_path).into(),
            row.modified_at.into(),
            row.acknowledged_at.into(),
            row.expires_at.into(),
        ],
    )
}

/// Removes a collaboration.
pub fn remove(tx: &mut Tx<'_>, id: CollaborationId) -> Result<(), Error> {
    tx.put("DELETE FROM collaborations WHERE id = ?1", &[id.into()])
}

/// Removes up to `limit` collaborations of a group; how many.
pub fn remove_of_group(tx: &mut Tx<'_>, group: GroupId, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM collaborations WHERE id IN
           (SELECT id FROM collaborations WHERE group_id = ?1 ORDER BY id LIMIT ?2)",
        &[group.into(), limit.into()],
    )
}

/// Removes up to `limit` collaborations of a user; how many.
pub fn remove_of_user(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM collaborations WHERE id IN
           (SELECT id FROM collaborations WHERE user_id = ?1 ORDER BY status, id LIMIT ?2)",
        &[user.into(), limit.into()],
    )
}

/// Removes up to `limit` collaborations on an item itself; how many.
pub fn remove_some_of_item(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<u32, Error> {
    let removed = tx.execute(
        "DELETE FROM collaborations WHERE id IN
           (SELECT id FROM collaborations WHERE item_id = ?1 ORDER BY id LIMIT ?2)",
        &[item.into(), limit.into()],
    )?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// Removes all collaborations on an item, and what is set for it. Whoever removes items that may have many removes those
/// before, some at a time: [`remove_some_of_item`].
pub(crate) fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM collaborations WHERE item_id = ?1", &[item.into()])?;
    tx.put("DELETE FROM folder_settings WHERE item_id = ?1", &[item.into()])
}

/// Up to `limit` collaborations that were to end before a moment, the earliest first.
pub fn expired(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<Vec<Collaboration>, Error> {
    let sql = select!("WHERE c.expires_at < ?1 ORDER BY c.expires_at LIMIT ?2");
    tx.query(sql, &[before.into(), limit.into()], read)
}

/// Gives what an invited address was given to the user who has it as login now, at most [`INVITATIONS_MAX`]. What that
/// user has on the same item already is left as it is, and the invitation goes. What another enterprise's users gave stays
/// as it is: nobody has proven that the address is theirs.
pub fn adopt(tx: &mut Tx<'_>, login: &str, user: UserId) -> Result<(), Error> {
    let folded = fold(login);
    let sql = select!(
        "WHERE c.email_folded = ?1 AND EXISTS (SELECT 1 FROM users b JOIN users u ON u.enterprise_id = b.enterprise_id
           WHERE b.id = c.created_by AND u.id = ?3) ORDER BY c.id LIMIT ?2"
    );
    let invited = tx.query(sql, &[folded.as_str().into(), INVITATIONS_MAX.into(), user.into()], read)?;
    for invitation in &invited {
        if of(tx, invitation.item, &Collaborator::User(user))?.is_some() {
            remove(tx, invitation.id)?;
            continue;
        }
        let sql = "UPDATE collaborations SET user_id = ?2, email_folded = NULL WHERE id = ?1";
        tx.put(sql, &[invitation.id.into(), user.into()])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Collaboration, Error> {
    let with = match (row.int_or_null(2)?, row.int_or_null(3)?) {
        (Some(user), _) => Collaborator::User(UserId::new(user)),
        (None, Some(group)) => Collaborator::Group(GroupId::new(group)),
        (None, None) => Collaborator::Invited(row.text(4)?),
    };
    Ok(Collaboration {
        id: CollaborationId::new(row.int(0)?),
        item: ItemId::new(row.int(1)?),
        with,
        role: role(row.int(5)?)?,
        status: match row.int(6)? {
            0 => CollaborationStatus::Pending,
            1 => CollaborationStatus::Accepted,
            2 => CollaborationStatus::Rejected,
            _ => return Err(Error::damaged("a collaboration's status")),
        },
        sees_path: row.int(7)? != 0,
        access_only: row.int(8)? != 0,
        created_by: UserId::new(row.int(9)?),
        created_at: Timestamp::from_millis(row.int(10)?),
        modified_at: Timestamp::from_millis(row.int(11)?),
        acknowledged_at: row.int_or_null(12)?.map(Timestamp::from_millis),
        expires_at: row.int_or_null(13)?.map(Timestamp::from_millis),
    })
}

fn role(number: i64) -> Result<Role, Error> {
    let found = Role::ALL.into_iter().find(|role| role_number(*role) == number);
    found.ok_or(Error::damaged("a collaboration's role"))
}

const fn role_number(role: Role) -> i64 {
    match role {
        Role::Uploader => 1,
        Role::Previewer => 2,
        Role::Viewer => 3,
        Role::PreviewerUploader => 4,
        Role::ViewerUploader => 5,
        Role::Editor => 6,
        Role::CoOwner => 7,
    }
}

const fn status_number(status: CollaborationStatus) -> i64 {
    match status {
        CollaborationStatus::Pending => 0,
        CollaborationStatus::Accepted => 1,
        CollaborationStatus::Rejected => 2,
    }
}
