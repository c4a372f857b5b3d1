//! Storage policies by name: every node calls them by the same id.

use crate::backends::{Amount, Standing};
use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{PolicyId, Timestamp, ZoneId};

/// Rows that are answered at most.
const ROWS_MAX: u32 = 10_000;

/// Whether a policy holds where none is assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It does.
    Default,
    /// It holds only for those to whom it is assigned.
    Assigned,
}

/// A storage policy as stored. How many copies it wants, and where, the configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoragePolicy {
    /// Its id.
    pub id: PolicyId,
    /// What the configuration calls it.
    pub name: String,
    /// Its zone.
    pub zone: ZoneId,
    /// Whether it is the default.
    pub reach: Reach,
    /// Whether the configuration still names it.
    pub standing: Standing,
}

/// Every storage policy that there ever was, in order of ids, at most ten thousand.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<StoragePolicy>, Error> {
    tx.query(
        "SELECT id, name, zone_id, is_default, state FROM storage_policies ORDER BY id LIMIT ?1",
        &[ROWS_MAX.into()],
        read_policy,
    )
}

/// The storage policy of that name.
pub fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<StoragePolicy>, Error> {
    tx.query_one(
        "SELECT id, name, zone_id, is_default, state FROM storage_policies WHERE name = ?1",
        &[name.into()],
        read_policy,
    )
}

/// The storage policy with that id, configured or not.
pub fn by_id(tx: &mut Tx<'_>, policy: PolicyId) -> Result<Option<StoragePolicy>, Error> {
    tx.query_one(
        "SELECT id, name, zone_id, is_default, state FROM storage_policies WHERE id = ?1",
        &[policy.into()],
        read_policy,
    )
}

/// Up to `limit` configured policies after `after`, in order of ids.
pub fn configured(tx: &mut Tx<'_>, after: Option<PolicyId>, limit: u32) -> Result<Vec<StoragePolicy>, Error> {
    tx.query(
        "SELECT id, name, zone_id, is_default, state FROM storage_policies
         WHERE id > ?1 AND state = 0 ORDER BY id LIMIT ?2",
        &[after.map_or(0, PolicyId::number).into(), limit.into()],
        read_policy,
    )
}

/// Stores a storage policy, or what has changed of it.
pub fn put(tx: &mut Tx<'_>, policy: &StoragePolicy, now: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO storage_policies (id, name, zone_id, is_default, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET zone_id = excluded.zone_id, is_default = excluded.is_default,
           state = excluded.state",
        &[
            policy.id.into(),
            policy.name.as_str().into(),
            policy.zone.into(),
            i64::from(policy.reach == Reach::Default).into(),
            policy.standing.number().into(),
            now.into(),
        ],
    )
}

/// The segments in use that belong to a policy. Reads all of them: not for requests.
pub fn holds(tx: &mut Tx<'_>, policy: PolicyId) -> Result<Amount, Error> {
    let amount = tx.query_one(
        "SELECT count(*), coalesce(sum(size), 0) FROM segments WHERE policy_id = ?1 AND state = 1 AND live > 0",
        &[policy.into()],
        |row| Ok(Amount { segments: row.size(0)?, bytes: row.size(1)? }),
    )?;
    Ok(amount.unwrap_or_default())
}

/// How often a policy is assigned.
pub fn assigned(tx: &mut Tx<'_>, policy: PolicyId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM storage_policy_assignments WHERE policy_id = ?1";
    Ok(tx.query_one(sql, &[policy.into()], |row| row.size(0))?.unwrap_or_default())
}

fn read_policy(row: &Row<'_>) -> Result<StoragePolicy, Error> {
    Ok(StoragePolicy {
        id: PolicyId::new(row.int(0)?),
        name: row.text(1)?,
        zone: ZoneId::new(row.int(2)?),
        reach: if row.int(3)? == 1 { Reach::Default } else { Reach::Assigned },
        standing: Standing::read(row.int(4)?)?,
    })
}
