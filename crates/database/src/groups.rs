//! Groups: sets of users of an enterprise.

use crate::tx::{Row, Value};
use crate::users::above;
use crate::{Error, ErrorKind, Tx};
use entente_model::{EnterpriseId, GroupId, Timestamp, fold};

/// How far [`count`] counts.
pub const GROUPS_COUNTED_MAX: u32 = 100_000;

/// Who may do something with a group besides its enterprise's administrators and its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GroupAudience {
    /// Nobody.
    #[default]
    AdminsOnly,
    /// Its members.
    Members,
    /// Every user of the enterprise.
    Everybody,
}

/// A group as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Where it belongs.
    pub enterprise: EnterpriseId,
    /// Its name; unique within the enterprise without regard to case.
    pub name: String,
    /// May be empty.
    pub description: String,
    /// From where it was brought here. May be empty.
    pub provenance: String,
    /// What it is called there. May be empty.
    pub external_id: String,
    /// Who may give it a role on an item.
    pub invitability: GroupAudience,
    /// Who may see its members.
    pub viewability: GroupAudience,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

/// Which groups of an enterprise to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFilter {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// Only those whose name begins with this text, without regard to case; empty for all.
    pub prefix: String,
    /// Only those that are called so elsewhere; empty for all.
    pub external_id: String,
}

macro_rules! columns {
    () => {
        "g.id, g.enterprise_id, g.name, g.description, g.provenance, g.external_id, g.invitability,
         g.member_viewability, g.created_at, g.modified_at"
    };
}
pub(crate) use columns;

/// Stores a group. `Duplicate` when its enterprise has one of that name.
pub fn insert(tx: &mut Tx<'_>, group: &Group) -> Result<(), Error> {
    tx.put(
        "INSERT INTO groups (id, enterprise_id, name, name_folded, description, provenance, external_id, invitability,
           member_viewability, created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &[
            group.id.into(),
            group.enterprise.into(),
            group.name.as_str().into(),
            fold(&group.name).as_str().into(),
            group.description.as_str().into(),
            group.provenance.as_str().into(),
            group.external_id.as_str().into(),
            audience_number(group.invitability).into(),
            audience_number(group.viewability).into(),
            group.created_at.into(),
            group.modified_at.into(),
        ],
    )
}

/// Stores what may change of a group. `Duplicate` when its enterprise has another of that name.
pub fn update(tx: &mut Tx<'_>, group: &Group) -> Result<(), Error> {
    tx.put(
        "UPDATE groups SET name = ?2, name_folded = ?3, description = ?4, provenance = ?5, external_id = ?6,
           invitability = ?7, member_viewability = ?8, modified_at = ?9 WHERE id = ?1",
        &[
            group.id.into(),
            group.name.as_str().into(),
            fold(&group.name).as_str().into(),
            group.description.as_str().into(),
            group.provenance.as_str().into(),
            group.external_id.as_str().into(),
            audience_number(group.invitability).into(),
            audience_number(group.viewability).into(),
            group.modified_at.into(),
        ],
    )
}

/// The group with that id. `None` for one that is being removed.
pub fn by_id(tx: &mut Tx<'_>, group: GroupId) -> Result<Option<Group>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM groups g WHERE g.id = ?1 AND g.deleted_at IS NULL");
    tx.query_one(sql, &[group.into()], read)
}

/// The group of that name, without regard to case.
pub fn by_name(tx: &mut Tx<'_>, enterprise: EnterpriseId, name: &str) -> Result<Option<Group>, Error> {
    let folded = fold(name);
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM groups g WHERE g.enterprise_id = ?1 AND g.name_folded = ?2 AND g.deleted_at IS NULL"
    );
    tx.query_one(sql, &[enterprise.into(), folded.as_str().into()], read)
}

/// Groups of an enterprise in order of their names.
pub fn list(tx: &mut Tx<'_>, filter: &GroupFilter, offset: u32, limit: u32) -> Result<Vec<Group>, Error> {
    let enterprise = filter.enterprise.into();
    if !filter.external_id.is_empty() {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM groups g WHERE g.enterprise_id = ?1 AND g.external_id = ?2 AND g.external_id <> ''
               AND g.deleted_at IS NULL ORDER BY g.id LIMIT ?3 OFFSET ?4"
        );
        return tx.query(sql, &[enterprise, filter.external_id.as_str().into(), limit.into(), offset.into()], read);
    }
    let low = fold(&filter.prefix);
    let high = above(&low);
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM groups g WHERE g.enterprise_id = ?1 AND g.name_folded >= ?2 AND g.name_folded < ?3
           AND g.deleted_at IS NULL ORDER BY g.name_folded LIMIT ?4 OFFSET ?5"
    );
    let parameters = [enterprise, low.as_str().into(), high.as_str().into(), limit.into(), offset.into()];
    tx.query(sql, &parameters, read)
}

/// How many groups [`list`] finds in all, counted up to [`GROUPS_COUNTED_MAX`].
pub fn count(tx: &mut Tx<'_>, filter: &GroupFilter) -> Result<u64, Error> {
    let enterprise: Value<'_> = filter.enterprise.into();
    let found = if filter.external_id.is_empty() {
        let low = fold(&filter.prefix);
        let high = above(&low);
        let sql = "SELECT count(*) FROM (SELECT g.id FROM groups g WHERE g.enterprise_id = ?1 AND g.name_folded >= ?2
             AND g.name_folded < ?3 AND g.deleted_at IS NULL LIMIT ?4) counted";
        let parameters = [enterprise, low.as_str().into(), high.as_str().into(), GROUPS_COUNTED_MAX.into()];
        tx.query_one(sql, &parameters, |row| row.size(0))?
    } else {
        let sql = "SELECT count(*) FROM (SELECT g.id FROM groups g WHERE g.enterprise_id = ?1 AND g.external_id = ?2
             AND g.external_id <> '' AND g.deleted_at IS NULL LIMIT ?3) counted";
        let parameters = [enterprise, filter.external_id.as_str().into(), GROUPS_COUNTED_MAX.into()];
        tx.query_one(sql, &parameters, |row| row.size(0))?
    };
    Ok(found.unwrap_or(0))
}

/// Removes a group from sight: its name is free, and nothing finds it. Its memberships are still there. `false` when
/// there is no such group (any more).
pub fn condemn(tx: &mut Tx<'_>, group: GroupId, at: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE groups SET deleted_at = ?2, external_id = '' WHERE id = ?1 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &[group.into(), at.into()])? > 0)
}

/// Removes up to `limit` collaborations of a group that was removed; how many. Fewer than `limit` are all that were left.
pub fn forget_collaborations(tx: &mut Tx<'_>, group: GroupId, limit: u32) -> Result<u32, Error> {
    let sql = "DELETE FROM collaborations WHERE id IN
         (SELECT c.id FROM collaborations c JOIN groups g ON g.id = c.group_id
          WHERE c.group_id = ?1 AND g.deleted_at IS NOT NULL ORDER BY c.id LIMIT ?2)";
    let removed = tx.execute(sql, &[group.into(), limit.into()])?;
    u32::try_from(removed).map_err(|_| Error::new(ErrorKind::Failed, "more rows were removed than were asked for"))
}

/// Removes up to `limit` memberships of a group that was removed, and with the last of them the group. `true` when
/// nothing is left; also when the group is not there, or was not removed.
pub fn forget(tx: &mut Tx<'_>, group: GroupId, limit: u32) -> Result<bool, Error> {
    let condemned = "SELECT 1 FROM groups WHERE id = ?1 AND deleted_at IS NOT NULL";
    if tx.query_one(condemned, &[group.into()], |_| Ok(()))?.is_none() {
        return Ok(true);
    }
    let removed = tx.execute(
        "DELETE FROM group_memberships WHERE id IN
           (SELECT id FROM group_memberships WHERE group_id = ?1 ORDER BY id LIMIT ?2)",
        &[group.into(), limit.into()],
    )?;
    if u32::try_from(removed).is_ok_and(|removed| removed >= limit) {
        return Ok(false);
    }
    tx.put("DELETE FROM groups WHERE id = ?1", &[group.into()])?;
    Ok(true)
}

pub(crate) fn read(row: &Row<'_>) -> Result<Group, Error> {
    read_at(row, 0)
}

/// Reads a group whose columns begin at `first`.
pub(crate) fn read_at(row: &Row<'_>, first: usize) -> Result<Group, Error> {
    Ok(Group {
        id: GroupId::new(row.int(first)?),
        enterprise: EnterpriseId::new(row.int(first + 1)?),
        name: row.text(first + 2)?,
        description: row.text(first + 3)?,
        provenance: row.text(first + 4)?,
        external_id: row.text(first + 5)?,
        invitability: audience(row.int(first + 6)?)?,
        viewability: audience(row.int(first + 7)?)?,
        created_at: Timestamp::from_millis(row.int(first + 8)?),
        modified_at: Timestamp::from_millis(row.int(first + 9)?),
    })
}

fn audience(number: i64) -> Result<GroupAudience, Error> {
    match number {
        0 => Ok(GroupAudience::AdminsOnly),
        1 => Ok(GroupAudience::Members),
        2 => Ok(GroupAudience::Everybody),
        _ => Err(Error::damaged("who may use a group")),
    }
}

const fn audience_number(audience: GroupAudience) -> i64 {
    match audience {
        GroupAudience::AdminsOnly => 0,
        GroupAudience::Members => 1,
        GroupAudience::Everybody => 2,
    }
}
