//! Storage policies as they are assigned: to an enterprise, or to one of its users. A user without an assignment has
//! the enterprise's policy, and an enterprise without one has the configuration's default.

use crate::jobs::NewJob;
use crate::tx::Value;
use crate::{Error, Tx};
use entente_model::{AssignmentId, EnterpriseId, PolicyId, Timestamp, UserId};

/// To whom a policy is assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Assignee {
    /// To everybody of the enterprise who has none of their own.
    Enterprise(EnterpriseId),
    /// To one user.
    User(UserId),
}

/// An assignment as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The policy.
    pub policy: PolicyId,
    /// The assignee's enterprise.
    pub enterprise: EnterpriseId,
    /// To whom.
    pub assignee: Assignee,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The policy that holds where none is assigned.
pub fn default_policy(tx: &mut Tx<'_>) -> Result<Option<PolicyId>, Error> {
    let found =
        tx.query_one("SELECT min(id) FROM storage_policies WHERE is_default = 1", &[], |row| row.int_or_null(0))?;
    Ok(found.flatten().map(PolicyId::new))
}

/// What is assigned to precisely this enterprise or user.
pub fn of(tx: &mut Tx<'_>, assignee: Assignee) -> Result<Option<Assignment>, Error> {
    let (kind, id) = assignee.columns();
    tx.query_one(
        "SELECT id, policy_id, enterprise_id, created_at FROM storage_policy_assignments
         WHERE target_kind = ?1 AND target_id = ?2",
        &[Value::Int(kind), Value::Int(id)],
        |row| {
            Ok(Assignment {
                id: AssignmentId::new(row.int(0)?),
                policy: PolicyId::new(row.int(1)?),
                enterprise: EnterpriseId::new(row.int(2)?),
                assignee,
                created_at: Timestamp::from_millis(row.int(3)?),
            })
        },
    )
}

/// Stores an assignment. `Duplicate` when the assignee has one.
pub fn insert(tx: &mut Tx<'_>, new: &Assignment) -> Result<(), Error> {
    let (kind, id) = new.assignee.columns();
    tx.execute(
        "INSERT INTO storage_policy_assignments (id, policy_id, enterprise_id, target_kind, target_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            new.id.into(),
            new.policy.into(),
            new.enterprise.into(),
            Value::Int(kind),
            Value::Int(id),
            new.created_at.into(),
        ],
    )?;
    Ok(())
}

/// Gives the assignee another policy. `false` when there is no assignment to change.
pub fn change(tx: &mut Tx<'_>, assignee: Assignee, policy: PolicyId) -> Result<bool, Error> {
    let (kind, id) = assignee.columns();
    let changed = tx.execute(
        "UPDATE storage_policy_assignments SET policy_id = ?3 WHERE target_kind = ?1 AND target_id = ?2",
        &[Value::Int(kind), Value::Int(id), policy.into()],
    )?;
    Ok(changed > 0)
}

/// Removes an assignment. `false` when there was none.
pub fn remove(tx: &mut Tx<'_>, assignee: Assignee) -> Result<bool, Error> {
    let (kind, id) = assignee.columns();
    let removed = tx.execute(
        "DELETE FROM storage_policy_assignments WHERE target_kind = ?1 AND target_id = ?2",
        &[Value::Int(kind), Value::Int(id)],
    )?;
    Ok(removed > 0)
}

/// Up to `limit` users of the enterprise after `after` without an assignment of their own, in order of ids.
pub fn users_without(
    tx: &mut Tx<'_>,
    enterprise: EnterpriseId,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<UserId>, Error> {
    tx.query(
        "SELECT u.id FROM users u
         LEFT JOIN storage_policy_assignments a ON a.target_kind = 1 AND a.target_id = u.id
         WHERE u.enterprise_id = ?1 AND u.id > ?2 AND a.id IS NULL ORDER BY u.id LIMIT ?3",
        &[enterprise.into(), Value::Int(after.map_or(0, UserId::number)), limit.into()],
        |row| Ok(UserId::new(row.int(0)?)),
    )
}

/// Up to `limit` enterprises after `after` without an assignment, in order of ids: those with the default policy.
pub fn enterprises_without(
    tx: &mut Tx<'_>,
    after: Option<EnterpriseId>,
    limit: u32,
) -> Result<Vec<EnterpriseId>, Error> {
    tx.query(
        "SELECT e.id FROM enterprises e
         LEFT JOIN storage_policy_assignments a ON a.target_kind = 0 AND a.target_id = e.id
         WHERE e.id > ?1 AND a.id IS NULL ORDER BY e.id LIMIT ?2",
        &[Value::Int(after.map_or(0, EnterpriseId::number)), limit.into()],
        |row| Ok(EnterpriseId::new(row.int(0)?)),
    )
}

/// Queues a job, as `jobs::enqueue` does, if the policy of `owner` is not `policy`: for what was stored while the
/// owner's policy changed. In one statement, since every upload asks.
pub fn enqueue_unless(
    tx: &mut Tx<'_>,
    (enterprise, owner, policy): (EnterpriseId, UserId, PolicyId),
    new: &NewJob<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    tx.put(
        "INSERT INTO jobs (id, kind, key, payload, run_at, lease_until, attempts, last_error, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5, 0, 0, '', ?6
         WHERE coalesce(
           (SELECT policy_id FROM storage_policy_assignments WHERE target_kind = 1 AND target_id = ?7),
           (SELECT policy_id FROM storage_policy_assignments WHERE target_kind = 0 AND target_id = ?8),
           (SELECT min(id) FROM storage_policies WHERE is_default = 1)) <> ?9
         ON CONFLICT (kind, key) DO UPDATE SET payload = excluded.payload,
           run_at = CASE WHEN jobs.lease_until > ?6 AND excluded.run_at >= jobs.lease_until THEN jobs.lease_until - 1
                         WHEN excluded.run_at < jobs.run_at THEN excluded.run_at
                         ELSE jobs.run_at END",
        &[
            new.job.into(),
            new.kind.into(),
            new.key.into(),
            new.payload.into(),
            new.run_at.into(),
            now.into(),
            owner.into(),
            enterprise.into(),
            policy.into(),
        ],
    )
}

impl Assignee {
    const fn columns(self) -> (i64, i64) {
        match self {
            Self::Enterprise(enterprise) => (0, enterprise.number()),
            Self::User(user) => (1, user.number()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::sqlite_schema;
    use rusqlite::Connection;

    #[test]
    fn contents_that_were_there_before_get_their_owners() {
        let database = Connection::open_in_memory().expect("a database");
        database.execute_batch(&sqlite_schema(include_str!("migrations/0001_first.sql"))).expect("the first schema");
        // A root with a file in a folder, a trash, and a folder in limbo; a content that two files share, and one that
        // nothing refers to.
        for (id, kind, parent, top, user) in [
            (100, 0, None, 1, Some(10)),
            (101, 0, None, 2, Some(10)),
            (102, 0, Some(100), 0, None),
            (103, 1, Some(102), 0, None),
            (104, 1, Some(101), 0, None),
            (105, 0, None, 3, Some(11)),
            (106, 1, Some(105), 0, None),
        ] {
            let sql = "INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5, 'n', 'n', 0, NULL, 0, '', '', 0, 0, 0, 0, 0, 0,
                         NULL, NULL, NULL)";
            database.execute(sql, (id, kind, parent, top, user)).expect("an item");
        }
        for (id, item, content) in [(200, 103, 300), (201, 103, 301), (202, 104, 300), (203, 106, 302)] {
            let sql = "INSERT INTO versions VALUES (?1, ?2, 1, ?3, 1, x'00', 'n', 0, 0, NULL, NULL)";
            database.execute(sql, (id, item, content)).expect("a version");
        }
        for id in 300..=303 {
            database.execute("INSERT INTO contents VALUES (?1, 1, 1, 1, x'00', 1, NULL, 1)", [id]).expect("a content");
        }
        for sql in [include_str!("migrations/0002_replicas.sql"), include_str!("migrations/0003_policies.sql")] {
            database.execute_batch(&sqlite_schema(sql)).expect("the next schema");
        }
        let mut statement = database.prepare("SELECT id, owner_id, policy_id FROM contents ORDER BY id").expect("SQL");
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("contents");
        let found: Vec<(i64, i64, i64)> = found.collect::<Result<_, _>>().expect("contents");
        assert_eq!(found, [(300, 10, 1), (301, 10, 1), (302, 11, 1), (303, 0, 1)]);
    }
}
