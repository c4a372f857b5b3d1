//! Zones by name: every node calls them by the same id.

use crate::backends::Standing;
use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, Timestamp, ZoneId};

/// Rows that are answered at most.
const ROWS_MAX: u32 = 10_000;
/// Contents that are counted at most.
const CONTENTS_COUNTED_MAX: u32 = 1_000_000;

/// A zone as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its id.
    pub id: ZoneId,
    /// What the configuration calls it.
    pub name: String,
    /// Whether the configuration still names it.
    pub standing: Standing,
}

/// Every zone that there ever was, in order of ids, at most ten thousand.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Zone>, Error> {
    tx.query("SELECT id, name, state FROM zones ORDER BY id LIMIT ?1", &[ROWS_MAX.into()], read_zone)
}

/// Stores a zone, or its new standing.
pub fn put(tx: &mut Tx<'_>, zone: &Zone, now: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO zones (id, name, state, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state",
        &[zone.id.into(), zone.name.as_str().into(), zone.standing.number().into(), now.into()],
    )
}

/// How many contents are in a zone, counted up to a million. Reads all contents when there are few: not for requests.
pub fn contents(tx: &mut Tx<'_>, zone: ZoneId) -> Result<u64, Error> {
    let count = tx.query_one(
        "SELECT count(*) FROM (SELECT id FROM contents WHERE zone_id = ?1 LIMIT ?2) AS c",
        &[zone.into(), CONTENTS_COUNTED_MAX.into()],
        |row| row.size(0),
    )?;
    Ok(count.unwrap_or_default())
}

/// The enterprises that have an epoch key in a zone, at most ten thousand.
pub fn enterprises_with_keys(tx: &mut Tx<'_>, zone: ZoneId) -> Result<Vec<EnterpriseId>, Error> {
    tx.query(
        "SELECT DISTINCT enterprise_id FROM epochs WHERE zone_id = ?1 LIMIT ?2",
        &[zone.into(), ROWS_MAX.into()],
        |row| Ok(EnterpriseId::new(row.int(0)?)),
    )
}

fn read_zone(row: &Row<'_>) -> Result<Zone, Error> {
    Ok(Zone { id: ZoneId::new(row.int(0)?), name: row.text(1)?, standing: Standing::read(row.int(2)?)? })
}
