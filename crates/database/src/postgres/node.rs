//! The processes that share a database. Each leases a number of its own, which is in every id that it makes: so ids are
//! unique without asking anybody. Times are the server's, so that clocks of nodes need not agree.

use crate::{Error, ErrorKind, Tx};

/// Ids have ten bits for the number.
const NUMBERS: i64 = 1 << 10;
/// How long a number stays taken without a sign of life.
const LEASE_MS: i64 = 60_000;

/// A process among those that share the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// Its number.
    pub(super) number: i64,
    /// Drawn at random: no other process ever has it.
    pub(super) id: i64,
}

/// Takes a number that nobody has: one whose lease has ended, or else the least that is free. `Busy` when there is none.
/// Each statement is whole by itself: any isolation will do.
pub(super) fn join(tx: &mut Tx<'_>, id: i64) -> Result<Node, Error> {
    let now = now(tx)?;
    let until = now + LEASE_MS;
    let taken =
        tx.query("SELECT number, leased_until FROM nodes ORDER BY number LIMIT ?1", &[NUMBERS.into()], |row| {
            Ok((row.int(0)?, row.int(1)?))
        })?;
    for (number, leased_until) in &taken {
        if *leased_until >= now {
            continue;
        }
        let changed = tx.execute(
            "UPDATE nodes SET id = ?2, leased_until = ?3 WHERE number = ?1 AND leased_until = ?4",
            &[(*number).into(), id.into(), until.into(), (*leased_until).into()],
        )?;
        if changed > 0 {
            return Ok(Node { number: *number, id });
        }
    }
    let free = (0..NUMBERS).filter(|number| taken.binary_search_by_key(number, |(number, _)| *number).is_err());
    for number in free {
        let changed = tx.execute(
            "INSERT INTO nodes (number, id, leased_until) VALUES (?1, ?2, ?3) ON CONFLICT (number) DO NOTHING",
            &[number.into(), id.into(), until.into()],
        )?;
        if changed > 0 {
            return Ok(Node { number, id });
        }
    }
    Err(Error::new(ErrorKind::Busy, "1024 processes share the database already; stop one, or wait for a minute"))
}

/// Lets go of what processes that are gone have left.
pub(super) fn clear(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.put("DELETE FROM writers WHERE node_id NOT IN (SELECT id FROM nodes)", &[])
}

/// Gives a sign of life. `false` when the lease was lost: another process may have the number.
pub(super) fn renew(tx: &mut Tx<'_>, node: Node) -> Result<bool, Error> {
    let until = now(tx)? + LEASE_MS;
    let changed = tx.execute(
        "UPDATE nodes SET leased_until = ?3 WHERE number = ?1 AND id = ?2",
        &[node.number.into(), node.id.into(), until.into()],
    )?;
    Ok(changed > 0)
}

/// Gives the number back.
pub(super) fn leave(tx: &mut Tx<'_>, node: Node) -> Result<(), Error> {
    tx.put("DELETE FROM nodes WHERE number = ?1 AND id = ?2", &[node.number.into(), node.id.into()])
}

fn now(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let sql = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
    tx.query_one(sql, &[], |row| row.int(0))?.ok_or_else(|| Error::damaged("no time"))
}
