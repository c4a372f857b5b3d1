//! Scrubs: walks over backends that compare what is there with the ledger. The last ones are kept, for auditors.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{BackendId, Timestamp};

/// How many scrubs of a backend are kept.
pub const KEPT: u32 = 100;
/// How much of an error's text is kept, in bytes.
const ERROR_BYTES_MAX: usize = 1_000;

/// One walk over a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrub {
    /// Its number, from `world::Ids`.
    pub number: i64,
    /// The backend.
    pub backend: BackendId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last went on.
    pub modified_at: Timestamp,
    /// When it ended; `None` while it goes on.
    pub ended_at: Option<Timestamp>,
    /// The name after which it goes on.
    pub position: Option<Vec<u8>>,
    /// What it has found so far.
    pub found: Found,
}

/// What a scrub has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Replicas that were compared with the ledger.
    pub replicas: u64,
    /// The chunks in them that were compared.
    pub chunks: u64,
    /// The bytes of theirs that were read.
    pub bytes: u64,
    /// Objects that were listed.
    pub objects: u64,
    /// Replicas without an object.
    pub missing: u64,
    /// Replicas whose objects have another size.
    pub wrong_size: u64,
    /// Replicas whose objects have other bytes.
    pub wrong_bytes: u64,
    /// Replicas whose objects are there, and cannot be read.
    pub unreadable: u64,
    /// Objects without a replica.
    pub unknown: u64,
    /// Their bytes.
    pub unknown_bytes: u64,
    /// The first findings, as a JSON array.
    pub findings: String,
    /// What could not be looked at.
    pub failures: u64,
    /// How the last failure was explained; empty if there was none.
    pub last_error: String,
}

macro_rules! columns {
    () => {
        "id, backend_id, started_at, modified_at, ended_at, position, replicas, chunks, bytes, objects, missing,
         wrong_size, wrong_bytes, unreadable, unknown, unknown_bytes, findings, failures, last_error"
    };
}

/// Begins a scrub of a backend; forgets those of it that are too many. Answers the one that goes on, if there is one
/// already.
pub fn begin(tx: &mut Tx<'_>, number: i64, backend: BackendId, now: Timestamp) -> Result<Scrub, Error> {
    if let Some(going) = going_on(tx, backend)? {
        return Ok(going);
    }
    tx.execute(
        concat!(
            "INSERT INTO scrubs (",
            columns!(),
            ") VALUES (?1, ?2, ?3, ?3, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '[]', 0, '')"
        ),
        &[number.into(), backend.into(), now.into()],
    )?;
    let too_old = tx.query_one(
        "SELECT id FROM scrubs WHERE backend_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2",
        &[backend.into(), KEPT.into()],
        |row| row.int(0),
    )?;
    if let Some(too_old) = too_old {
        tx.execute("DELETE FROM scrubs WHERE backend_id = ?1 AND id <= ?2", &[backend.into(), too_old.into()])?;
    }
    Ok(Scrub {
        number,
        backend,
        started_at: now,
        modified_at: now,
        ended_at: None,
        position: None,
        found: Found { findings: "[]".to_owned(), ..Found::default() },
    })
}

/// The scrub of a backend that goes on, if one does.
pub fn going_on(tx: &mut Tx<'_>, backend: BackendId) -> Result<Option<Scrub>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM scrubs WHERE backend_id = ?1 AND ended_at IS NULL ORDER BY id DESC LIMIT 1"
    );
    tx.query_one(sql, &[backend.into()], read)
}

/// Up to `limit` scrubs of a backend, the newest first.
pub fn of(tx: &mut Tx<'_>, backend: BackendId, limit: u32) -> Result<Vec<Scrub>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM scrubs WHERE backend_id = ?1 ORDER BY id DESC LIMIT ?2");
    tx.query(sql, &[backend.into(), limit.into()], read)
}

/// Stores how far a scrub is, or that it has ended. `false` when it had ended already.
pub fn save(tx: &mut Tx<'_>, scrub: &Scrub) -> Result<bool, Error> {
    let found = &scrub.found;
    let error = found.last_error.get(..found.last_error.floor_char_boundary(ERROR_BYTES_MAX)).unwrap_or_default();
    let changed = tx.execute(
        "UPDATE scrubs SET modified_at = ?2, ended_at = ?3, position = ?4, replicas = ?5, chunks = ?6, bytes = ?7,
           objects = ?8, missing = ?9, wrong_size = ?10, wrong_bytes = ?11, unreadable = ?12, unknown = ?13,
           unknown_bytes = ?14, findings = ?15, failures = ?16, last_error = ?17
         WHERE id = ?1 AND ended_at IS NULL",
        &[
            scrub.number.into(),
            scrub.modified_at.into(),
            scrub.ended_at.into(),
            scrub.position.as_deref().into(),
            found.replicas.into(),
            found.chunks.into(),
            found.bytes.into(),
            found.objects.into(),
            found.missing.into(),
            found.wrong_size.into(),
            found.wrong_bytes.into(),
            found.unreadable.into(),
            found.unknown.into(),
            found.unknown_bytes.into(),
            found.findings.as_str().into(),
            found.failures.into(),
            error.into(),
        ],
    )?;
    Ok(changed > 0)
}

/// What waits for repair now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unrepaired {
    /// Replicas of live segments that were found missing or wrong.
    pub damaged: u64,
    /// Those of them whose segment has no good replica anywhere: only a backup can bring them back.
    pub lost: u64,
}

/// What of a backend waits for repair now. Looks only at what is not in order.
pub fn unrepaired(tx: &mut Tx<'_>, backend: BackendId) -> Result<Unrepaired, Error> {
    let found = tx.query_one(
        "SELECT count(*), coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM replicas o
             WHERE o.segment_id = r.segment_id AND o.state IN (1, 3)) THEN 0 ELSE 1 END), 0)
         FROM replicas r JOIN segments s ON s.id = r.segment_id
         WHERE r.state <> 1 AND r.state = 2 AND r.backend_id = ?1 AND s.state = 1",
        &[backend.into()],
        |row| Ok(Unrepaired { damaged: row.size(0)?, lost: row.size(1)? }),
    )?;
    Ok(found.unwrap_or_default())
}

fn read(row: &Row<'_>) -> Result<Scrub, Error> {
    Ok(Scrub {
        number: row.int(0)?,
        backend: BackendId::new(row.int(1)?),
        started_at: Timestamp::from_millis(row.int(2)?),
        modified_at: Timestamp::from_millis(row.int(3)?),
        ended_at: row.int_or_null(4)?.map(Timestamp::from_millis),
        position: row.blob_or_null(5)?,
        found: Found {
            replicas: row.size(6)?,
            chunks: row.size(7)?,
            bytes: row.size(8)?,
            objects: row.size(9)?,
            missing: row.size(10)?,
            wrong_size: row.size(11)?,
            wrong_bytes: row.size(12)?,
            unreadable: row.size(13)?,
            unknown: row.size(14)?,
            unknown_bytes: row.size(15)?,
            findings: row.text(16)?,
            failures: row.size(17)?,
            last_error: row.text(18)?,
        },
    })
}
