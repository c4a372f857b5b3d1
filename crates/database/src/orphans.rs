//! Objects that a listing showed and that the ledger does not know, and since when.
//!
//! The time counts from when this very database first saw them: after an older copy of it was restored, what the lost part
//! knew is unknown, and good.

use crate::{Error, Tx};
use entente_model::{BackendId, Timestamp};
use entente_vault::{ObjectName, Stretch};
use std::collections::{BTreeMap, BTreeSet};

const FIRST: &[u8] = &[];
const LAST: &[u8] = &[0xff; 16];

/// Whether nothing is noted of a stretch.
pub(crate) fn is_empty(tx: &mut Tx<'_>, backend: BackendId, stretch: Stretch) -> Result<bool, Error> {
    let (after, upto) = bounds(&stretch);
    let found = tx.query_one(
        "SELECT 1 FROM orphans WHERE backend_id = ?1 AND name > ?2 AND name <= ?3 LIMIT 1",
        &[backend.into(), after.into(), upto.into()],
        |_| Ok(()),
    )?;
    Ok(found.is_none())
}

pub(crate) fn note(
    tx: &mut Tx<'_>,
    backend: BackendId,
    stretch: Stretch,
    names: &[ObjectName],
    now: Timestamp,
) -> Result<Vec<(ObjectName, Timestamp)>, Error> {
    let noted = noted(tx, backend, stretch)?;
    let names: BTreeSet<_> = names.iter().copied().collect();
    for name in noted.keys().filter(|name| !names.contains(name)) {
        tx.put(
            "DELETE FROM orphans WHERE backend_id = ?1 AND name = ?2",
            &[backend.into(), name.as_bytes().as_slice().into()],
        )?;
    }
    let mut unknown = Vec::with_capacity(names.len());
    for name in names {
        let since = noted.get(&name).copied().filter(|since| *since <= now);
        if since.is_none() {
            tx.put(
                "INSERT INTO orphans (backend_id, name, first_seen) VALUES (?1, ?2, ?3)
                 ON CONFLICT (backend_id, name) DO UPDATE SET first_seen = excluded.first_seen",
                &[backend.into(), name.as_bytes().as_slice().into(), now.into()],
            )?;
        }
        unknown.push((name, since.unwrap_or(now)));
    }
    Ok(unknown)
}

fn noted(tx: &mut Tx<'_>, backend: BackendId, stretch: Stretch) -> Result<BTreeMap<ObjectName, Timestamp>, Error> {
    let (after, upto) = bounds(&stretch);
    let rows = tx.query(
        "SELECT name, first_seen FROM orphans WHERE backend_id = ?1 AND name > ?2 AND name <= ?3 ORDER BY name",
        &[backend.into(), after.into(), upto.into()],
        |row| Ok((ObjectName::new(row.array(0)?), Timestamp::from_millis(row.int(1)?))),
    )?;
    Ok(rows.into_iter().collect())
}

fn bounds(stretch: &Stretch) -> (&[u8], &[u8]) {
    let after = stretch.after.as_ref().map(|name| name.as_bytes().as_slice());
    let upto = stretch.upto.as_ref().map(|name| name.as_bytes().as_slice());
    (after.unwrap_or(FIRST), upto.unwrap_or(LAST))
}
