//! Backends by name: every node calls them by the same id. And what each of them holds.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{BackendId, Timestamp, ZoneId};

/// Rows that are answered at most.
const ROWS_MAX: u32 = 10_000;

/// Whether the configuration still names something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Configured,
    /// It does no longer.
    Removed,
}

/// A backend as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Its id.
    pub id: BackendId,
    /// What the configuration calls it.
    pub name: String,
    /// The zone that it is in, or was in last.
    pub zone: ZoneId,
    /// Whether the configuration still names it.
    pub standing: Standing,
}

/// What a backend holds of segments that contents have been committed to, counted by the states of its replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Durable replicas.
    pub durable: u64,
    /// Their bytes.
    pub durable_bytes: u64,
    /// Replicas that are yet to be made or being made, of segments that have been written.
    pub intended: u64,
    /// Replicas that wait for repair.
    pub damaged: u64,
    /// Good replicas that go after a grace period.
    pub leaving: u64,
    /// Replicas that are being deleted.
    pub condemned: u64,
}

/// Segments in use and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// How many segments.
    pub segments: u64,
    /// Their bytes, one copy of each.
    pub bytes: u64,
}

impl Standing {
    pub(crate) fn read(number: i64) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::Configured),
            1 => Ok(Self::Removed),
            _ => Err(Error::damaged("a standing")),
        }
    }

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Configured => 0,
            Self::Removed => 1,
        }
    }
}

/// Every backend that there ever was, in order of ids, at most ten thousand.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Backend>, Error> {
    let sql = "SELECT id, name, zone_id, state FROM backends ORDER BY id LIMIT ?1";
    tx.query(sql, &[ROWS_MAX.into()], read_backend)
}

/// The backend of that name.
pub fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<Backend>, Error> {
    tx.query_one("SELECT id, name, zone_id, state FROM backends WHERE name = ?1", &[name.into()], read_backend)
}

/// Stores a backend, or what has changed of it: its zone and standing.
pub fn put(tx: &mut Tx<'_>, backend: &Backend, now: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO backends (id, name, zone_id, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET zone_id = excluded.zone_id, state = excluded.state",
        &[
            backend.id.into(),
            backend.name.as_str().into(),
            backend.zone.into(),
            backend.standing.number().into(),
            now.into(),
        ],
    )
}

/// What a backend holds. Reads all its rows: give it to [`crate::Database::read_long`].
pub fn holdings(tx: &mut Tx<'_>, backend: BackendId) -> Result<Holdings, Error> {
    let counts = tx.query(
        "SELECT r.state, count(*), coalesce(sum(s.size), 0) FROM replicas r JOIN segments s ON s.id = r.segment_id
         WHERE r.backend_id = ?1 AND s.state = 1 GROUP BY r.state",
        &[backend.into()],
        |row| Ok((row.int(0)?, row.size(1)?, row.size(2)?)),
    )?;
    let mut holdings = Holdings::default();
    for (state, count, bytes) in counts {
        match state {
            0 => holdings.intended = count,
            1 => (holdings.durable, holdings.durable_bytes) = (count, bytes),
            2 => holdings.damaged = count,
            3 => holdings.leaving = count,
            4 => holdings.condemned = count,
            _ => return Err(Error::damaged("a replica's state")),
        }
    }
    Ok(holdings)
}

/// Whether a backend has any replica of a segment that contents have been committed to.
pub fn is_used(tx: &mut Tx<'_>, backend: BackendId) -> Result<bool, Error> {
    let found = tx.query_one(
        "SELECT 1 FROM replicas r JOIN segments s ON s.id = r.segment_id
         WHERE r.backend_id = ?1 AND s.state <> 0 LIMIT 1",
        &[backend.into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Segments in use of which a backend has a replica, be it a damaged one, and no configured backend has a durable one: what
/// would be lost with it once it is [`Standing::Removed`].
pub fn sole(tx: &mut Tx<'_>, backend: BackendId) -> Result<Amount, Error> {
    let amount = tx.query_one(
        "SELECT count(*), coalesce(sum(s.size), 0) FROM replicas r JOIN segments s ON s.id = r.segment_id
         WHERE r.backend_id = ?1 AND r.state IN (1, 2, 3) AND s.state = 1 AND s.live > 0
           AND NOT EXISTS (SELECT 1 FROM replicas o JOIN backends b ON b.id = o.backend_id
                           WHERE o.segment_id = r.segment_id AND o.state = 1 AND b.state = 0)",
        &[backend.into()],
        |row| Ok(Amount { segments: row.size(0)?, bytes: row.size(1)? }),
    )?;
    Ok(amount.unwrap_or_default())
}

/// Forgets up to `limit` replicas on a removed backend, of segments that have a durable one on a configured backend or are
/// condemned. Their objects stay where they are: nobody goes there any more. Answers how many were forgotten.
pub fn forget_replicas(tx: &mut Tx<'_>, backend: BackendId, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM replicas WHERE backend_id = ?1 AND segment_id IN (
           SELECT r.segment_id FROM replicas r JOIN segments s ON s.id = r.segment_id
           JOIN backends g ON g.id = r.backend_id
           WHERE r.backend_id = ?1 AND g.state = 1 AND s.state <> 0 AND (s.state = 2 OR r.state IN (0, 4) OR EXISTS (
             SELECT 1 FROM replicas o JOIN backends b ON b.id = o.backend_id
             WHERE o.segment_id = r.segment_id AND o.state = 1 AND b.state = 0)) LIMIT ?2)",
        &[backend.into(), limit.into()],
    )
}

fn read_backend(row: &Row<'_>) -> Result<Backend, Error> {
    Ok(Backend {
        id: BackendId::new(row.int(0)?),
        name: row.text(1)?,
        zone: ZoneId::new(row.int(2)?),
        standing: Standing::read(row.int(3)?)?,
    })
}
