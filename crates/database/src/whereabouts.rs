//! Where a content is stored, in the configuration's words; and what a backend is noted to have.

use crate::{Error, Tx};
use entente_model::{BackendId, ContentId, PolicyId, Timestamp};
use std::collections::BTreeSet;

/// Where a content is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// The name of its zone.
    pub zone: String,
    /// The name of the policy under which it is stored.
    pub policy: String,
    /// How many chunks it has, or the contents have of whose pieces it is made.
    pub chunks: u64,
    /// The backends that have some of it, by name.
    pub copies: Vec<Copy>,
}

/// What one backend has of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The backend's name.
    pub backend: String,
    /// How many chunks are whole there: durable, or still good while they are leaving.
    pub good: u64,
    /// How many chunks are known to be missing or damaged there, or are on their way to it.
    pub wanting: u64,
}

/// A query over the contents that have a content's chunks, as `held`: it itself, or those of whose pieces it is made.
macro_rules! held {
    ($rest:literal) => {
        concat!(
            "WITH held (id) AS (SELECT id FROM contents WHERE id = ?1 AND pieces = 0
               UNION SELECT source_id FROM pieces WHERE content_id = ?1) ",
            $rest
        )
    };
}

/// Where a content is stored. `None` when there is no such content, or the configuration never had its zone or policy. What
/// is made of pieces of contents in more than one zone, or under more than one policy, has them all named.
pub fn of(tx: &mut Tx<'_>, content: ContentId) -> Result<Option<Whereabouts>, Error> {
    let homes = tx.query(
        held!(
            "SELECT DISTINCT z.name, p.name FROM held h JOIN contents c ON c.id = h.id JOIN zones z ON z.id = c.zone_id
             JOIN storage_policies p ON p.id = c.policy_id ORDER BY 1, 2"
        ),
        &[content.into()],
        |row| Ok((row.text(0)?, row.text(1)?)),
    )?;
    if homes.is_empty() {
        return Ok(None);
    }
    let (zones, policies): (BTreeSet<_>, BTreeSet<_>) = homes.into_iter().unzip();
    let chunks = tx.query_one(
        held!("SELECT count(*) FROM held h JOIN chunks c ON c.content_id = h.id"),
        &[content.into()],
        |row| row.size(0),
    )?;
    // States as in the table: 1 durable, 3 leaving; 0 intended, 2 damaged. What is condemned counts as gone.
    let copies = tx.query(
        held!(
            "SELECT b.name, sum(CASE WHEN r.state IN (1, 3) THEN 1 ELSE 0 END),
               sum(CASE WHEN r.state IN (0, 2) THEN 1 ELSE 0 END)
             FROM held h JOIN chunks c ON c.content_id = h.id JOIN replicas r ON r.segment_id = c.segment_id
             JOIN backends b ON b.id = r.backend_id WHERE r.state <> 4 GROUP BY b.name ORDER BY b.name"
        ),
        &[content.into()],
        |row| Ok(Copy { backend: row.text(0)?, good: row.size(1)?, wanting: row.size(2)? }),
    )?;
    Ok(Some(Whereabouts { zone: named(zones), policy: named(policies), chunks: chunks.unwrap_or(0), copies }))
}

fn named(names: BTreeSet<String>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// What is noted of one backend: replicas in any state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Noted {
    /// Replicas of segments in use.
    pub in_use: u64,
    /// Replicas of segments that nothing refers to any more, or that are condemned.
    pub garbage: u64,
    /// Replicas of segments that are reserved: somebody may be writing them there, or be about to, or have given up.
    pub reserved: u64,
    /// When the newest of those was reserved.
    pub reserved_at: Option<Timestamp>,
}

/// What is noted of a backend, for one policy or for all. Only when nothing is, nobody can come to have content there any
/// more. Walks all replicas there: for long reads.
pub fn on_backend(tx: &mut Tx<'_>, backend: BackendId, policy: Option<PolicyId>) -> Result<Noted, Error> {
    let noted = tx.query_one(
        "SELECT coalesce(sum(CASE WHEN s.state = 1 AND s.live > 0 THEN 1 ELSE 0 END), 0),
           coalesce(sum(CASE WHEN s.state = 2 OR (s.state = 1 AND s.live <= 0) THEN 1 ELSE 0 END), 0),
           coalesce(sum(CASE WHEN s.state = 0 THEN 1 ELSE 0 END), 0),
           max(CASE WHEN s.state = 0 THEN s.created_at END)
         FROM replicas r JOIN segments s ON s.id = r.segment_id
         WHERE r.backend_id = ?1 AND (s.policy_id = ?2 OR ?2 = 0)",
        &[backend.into(), policy.map_or(0, PolicyId::number).into()],
        |row| {
            Ok(Noted {
                in_use: row.size(0)?,
                garbage: row.size(1)?,
                reserved: row.size(2)?,
                reserved_at: row.int_or_null(3)?.map(Timestamp::from_millis),
            })
        },
    )?;
    Ok(noted.unwrap_or_default())
}
