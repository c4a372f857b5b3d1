//! Whose database it is, and how far its schema has come.
//!
//! A row of the table `entente` says that the database is ours, and is the lock under which one process at a time
//! changes the schema: a row, because not every server has advisory locks.

use super::connection::Connection;
use super::transaction::Transaction;
use crate::dialect::postgres_schema;
use crate::migrations::{MIGRATIONS, newer};
use crate::tx::Value;
use crate::{Error, ErrorKind, Tx};
use entente_model::Timestamp;

/// The row's value while the database may be used.
pub(super) const HERE: &str = "here";
/// What its value begins with when all has been copied into it, and the file that it came from is still to be marked.
pub(super) const FILLED: &str = "it has been filled from a file; run `entente migrate-database` again to complete that";
const BEGIN: &str = "BEGIN";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";
/// How often somebody else may be quicker.
const TRIES_MAX: u32 = 10;

/// Refuses a database that is another program's or of a newer version of this one, and brings the schema of ours up to
/// date. Waits while another process does.
pub(super) fn prepare(connection: &mut Connection, now: Timestamp) -> Result<(), Error> {
    prepare_in(connection, now, |state| state == HERE)
}

/// The same for a database that is to be filled from a file: one that was filled before will do, too.
pub(super) fn prepare_to_fill(connection: &mut Connection, now: Timestamp) -> Result<(), Error> {
    prepare_in(connection, now, |state| state == HERE || state.starts_with(FILLED))
}

fn prepare_in(connection: &mut Connection, now: Timestamp, will_do: fn(&str) -> bool) -> Result<(), Error> {
    claim(connection)?;
    loop {
        connection.push(0, BEGIN, &[]).map_err(|failure| failure.error)?;
        let more = migrate_once(connection, now, will_do);
        let end = if more.is_ok() { COMMIT } else { ROLLBACK };
        let ended = connection.push(0, end, &[]).and_then(|()| connection.exchange(&mut |_| {}));
        let more = more?;
        ended.map_err(|failure| failure.error)?;
        if !more {
            return Ok(());
        }
    }
}

/// Makes the row in an empty database.
fn claim(connection: &mut Connection) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let tables = "SELECT table_name = 'entente' FROM information_schema.tables
                      WHERE table_schema = current_schema() ORDER BY 1 DESC LIMIT 1";
        match one(connection, tables, &[])? {
            Some(1) => {}
            Some(_) => {
                let message = "the database belongs to another program; give an empty one";
                return Err(Error::new(ErrorKind::Schema, message));
            }
            None => {
                // One transaction, so that nobody finds a table without its row.
                let script = "BEGIN; CREATE TABLE entente (id BIGINT PRIMARY KEY, state TEXT NOT NULL);
                              INSERT INTO entente (id, state) VALUES (1, 'here'); COMMIT";
                if let Err(failure) = connection.run_script(script) {
                    let _ = connection.run_script(ROLLBACK);
                    tries += 1;
                    // Another process may have been quicker: then it is there now.
                    if tries >= TRIES_MAX || connection.is_lost() {
                        return Err(failure.error);
                    }
                }
                continue;
            }
        }
        return Ok(());
    }
}

/// The value of the row, which stays locked until the transaction ends.
pub(super) fn lock(connection: &mut Connection) -> Result<String, Error> {
    let mut tx = Tx::postgres(Transaction::write(connection, 0, false));
    let state =
        tx.query_one("SELECT state FROM entente WHERE id = ?1 FOR UPDATE", &[Value::Int(1)], |row| row.text(0))?;
    state.ok_or_else(|| Error::new(ErrorKind::Schema, "the table `entente` of the database has lost its row"))
}

/// Runs the next migration, if there is one. Answers whether it did.
fn migrate_once(connection: &mut Connection, now: Timestamp, will_do: fn(&str) -> bool) -> Result<bool, Error> {
    // Others wait here until the transaction ends.
    let state = lock(connection)?;
    if !will_do(&state) {
        return Err(Error::new(ErrorKind::Schema, format!("the database is not to be used: {state}")));
    }
    let there = "SELECT 1 FROM information_schema.tables
                 WHERE table_schema = current_schema() AND table_name = 'migrations'";
    let done = match one(connection, there, &[])? {
        Some(_) => one(connection, "SELECT count(*) FROM migrations", &[])?.unwrap_or(0),
        None => 0,
    };
    let done = usize::try_from(done).map_err(|_| Error::damaged("a negative schema number"))?;
    if done > MIGRATIONS.len() {
        return Err(newer(done));
    }
    let Some((name, sql)) = MIGRATIONS.get(done) else { return Ok(false) };
    connection.run_script(&postgres_schema(sql)).map_err(|failure| failure.error)?;
    let mut tx = Tx::postgres(Transaction::write(connection, 0, false));
    tx.execute(
        "INSERT INTO migrations (number, name, run_at) VALUES (?1, ?2, ?3)",
        &[Value::from(u64::try_from(done + 1).unwrap_or(u64::MAX)), (*name).into(), now.into()],
    )?;
    Ok(true)
}

fn one(connection: &mut Connection, sql: &'static str, parameters: &[Value<'_>]) -> Result<Option<i64>, Error> {
    let mut tx = Tx::postgres(Transaction::write(connection, 0, false));
    tx.query_one(sql, parameters, |row| row.int(0))
}
