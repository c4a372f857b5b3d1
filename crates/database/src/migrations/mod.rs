//! One schema change a migration, in order, each in its own transaction. A database that has run more migrations than
//! this program knows is refused: an older program must not write to a newer schema.

use crate::dialect::sqlite_schema;
use crate::{Error, ErrorKind};
use entente_model::Timestamp;
use rusqlite::Connection;

const MIGRATIONS: &[(&str, &str)] = &[("first schema", include_str!("0001_first.sql"))];

/// Marks the file as ours (`PRAGMA application_id`): "Ent1".
const APPLICATION_ID: i32 = 0x456e_7431;

/// Refuses a file that is another program's, or of a newer version of this one. Changes nothing.
pub(crate) fn check(connection: &Connection) -> Result<(), Error> {
    // In this order: another process that is just making the file marks it before it makes a table.
    let is_used = !is_empty(connection)?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if is_used && application != APPLICATION_ID {
        return Err(Error::new(
            ErrorKind::Schema,
            "the database file belongs to another program; give another data directory",
        ));
    }
    let (done, known) = (schema_number(connection)?, MIGRATIONS.len());
    if done > known {
        let message = format!(
            "the database has schema {done}, and this program knows schemas up to {known}; run a newer entente"
        );
        return Err(Error::new(ErrorKind::Schema, message));
    }
    Ok(())
}

/// Brings the schema of a file that `check` has passed up to date.
pub(crate) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), Error> {
    if is_empty(connection)? {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    let done = schema_number(connection)?;
    for (index, (name, sql)) in MIGRATIONS.iter().enumerate().skip(done) {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have been quicker.
        let already = schema_number(&transaction)?;
        if already > index {
            continue;
        }
        transaction.execute_batch(&sqlite_schema(sql))?;
        transaction.execute(
            "INSERT INTO migrations (number, name, run_at) VALUES (?1, ?2, ?3)",
            rusqlite::params![i64::try_from(index + 1).unwrap_or(0), name, now.millis()],
        )?;
        transaction.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(0))?;
        transaction.commit()?;
    }
    Ok(())
}

/// The greatest id in use, so that a clock set back does not repeat one. Index lookups only.
pub(crate) fn greatest_id(connection: &Connection) -> Result<i64, Error> {
    let sql = "SELECT max(
        coalesce((SELECT max(id) FROM items), 0), coalesce((SELECT max(id) FROM versions), 0),
        coalesce((SELECT max(id) FROM contents), 0), coalesce((SELECT max(id) FROM segments), 0),
        coalesce((SELECT max(id) FROM events), 0), coalesce((SELECT max(id) FROM upload_sessions), 0),
        coalesce((SELECT max(id) FROM jobs), 0), coalesce((SELECT max(id) FROM epochs), 0),
        coalesce((SELECT max(id) FROM users), 0), coalesce((SELECT max(id) FROM enterprises), 0),
        coalesce((SELECT max(id) FROM apps), 0), coalesce((SELECT max(id) FROM public_keys), 0))";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn is_empty(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?)
}

/// How many migrations the file has run.
fn schema_number(connection: &Connection) -> Result<usize, Error> {
    let number: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(number).map_err(|_| Error::damaged("a negative schema number"))
}
