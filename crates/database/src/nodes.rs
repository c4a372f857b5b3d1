//! What nodes say of themselves now and then: which there are, and by which storage configuration each of them goes.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::Timestamp;

/// Rows that are answered at most: more nodes do not share a database.
const ROWS_MAX: u32 = 10_000;

/// What a node said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Drawn when its process started.
    pub id: i64,
    /// How it is reached.
    pub name: String,
    /// Its release.
    pub version: String,
    /// Of the storage configuration that it has in force.
    pub generation: u64,
    /// When its process started.
    pub started_at: Timestamp,
    /// When it said so.
    pub seen_at: Timestamp,
}

/// Stores what a node says, in place of what it said before.
pub fn report(tx: &mut Tx<'_>, report: &Report) -> Result<(), Error> {
    tx.put(
        "INSERT INTO node_reports (id, name, version, generation, started_at, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, seen_at = excluded.seen_at",
        &[
            report.id.into(),
            report.name.as_str().into(),
            report.version.as_str().into(),
            report.generation.into(),
            report.started_at.into(),
            report.seen_at.into(),
        ],
    )
}

/// Forgets a node, which stops.
pub fn leave(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM node_reports WHERE id = ?1", &[id.into()])
}

/// Forgets nodes that were not seen between two moments: they are gone, or their clocks are wrong and they report anew.
pub fn forget(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp) -> Result<(), Error> {
    tx.put("DELETE FROM node_reports WHERE seen_at < ?1 OR seen_at > ?2", &[from.into(), to.into()])
}

/// Those that have reported and have not been forgotten, in the order in which they started.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Report>, Error> {
    tx.query(
        "SELECT id, name, version, generation, started_at, seen_at FROM node_reports ORDER BY started_at, id LIMIT ?1",
        &[ROWS_MAX.into()],
        read_report,
    )
}

fn read_report(row: &Row<'_>) -> Result<Report, Error> {
    Ok(Report {
        id: row.int(0)?,
        name: row.text(1)?,
        version: row.text(2)?,
        generation: row.size(3)?,
        started_at: Timestamp::from_millis(row.int(4)?),
        seen_at: Timestamp::from_millis(row.int(5)?),
    })
}
