//! A database that is being filled from a file. See [`crate::transfer`].

use super::Options;
use super::connect::{Purpose, connect};
use super::connection::Connection;
use super::schema::{self, FILLED, HERE};
use super::transaction::Transaction;
use crate::{Error, ErrorKind, Tx};
use bytes::BytesMut;
use entente_model::Timestamp;

/// Tables of which a database that has been used has rows.
const SIGNS_OF_USE: [&str; 6] = [
    "SELECT count(*) FROM (SELECT id FROM enterprises LIMIT 1) AS t",
    "SELECT count(*) FROM (SELECT id FROM users LIMIT 1) AS t",
    "SELECT count(*) FROM (SELECT id FROM items LIMIT 1) AS t",
    "SELECT count(*) FROM (SELECT id FROM segments LIMIT 1) AS t",
    "SELECT count(*) FROM (SELECT id FROM nodes LIMIT 1) AS t",
    "SELECT count(*) FROM (SELECT name FROM settings LIMIT 1) AS t",
];

pub(crate) struct Target {
    connection: Connection,
}

impl Target {
    /// Connects, and makes the schema.
    pub(crate) fn connect(options: &Options, now: Timestamp) -> Result<Self, Error> {
        let mut connection = connect(options, Purpose::Maintain)?;
        schema::prepare_to_fill(&mut connection, now)?;
        Ok(Self { connection })
    }

    /// Begins the transaction that fills it, once it is certain that nothing of anybody's is in it. Servers that start
    /// meanwhile wait.
    pub(crate) fn begin<'n>(&mut self, tables: impl DoubleEndedIterator<Item = &'n str>) -> Result<(), Error> {
        self.connection.run_script("BEGIN").map_err(|failure| failure.error)?;
        let state = schema::lock(&mut self.connection)?;
        // What was filled and never opened for use is nobody's yet.
        if !state.starts_with(FILLED) {
            let mut tx = Tx::postgres(Transaction::write(&mut self.connection, 0, false));
            for sql in SIGNS_OF_USE {
                if tx.query_one(sql, &[], |row| row.int(0))? != Some(0) {
                    let message = "the database on the server is in use, or has been: give an empty one";
                    return Err(Error::new(ErrorKind::Schema, message));
                }
            }
        }
        // Some tables have rows from the start. Those that refer to others go first.
        let deletes: Vec<_> = tables.rev().map(|name| format!("DELETE FROM {name};")).collect();
        self.connection.run_script(&deletes.concat()).map_err(|failure| failure.error)
    }

    pub(crate) fn copy_in(
        &mut self,
        table: &str,
        columns: &[String],
        fill: &mut dyn FnMut(&mut BytesMut) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let script = format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", columns.join(", "));
        self.connection.copy_in(&script, fill)
    }

    pub(crate) fn copy_out(
        &mut self,
        table: &str,
        columns: &[String],
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let script = format!("COPY {table} ({}) TO STDOUT (FORMAT binary)", columns.join(", "));
        self.connection.copy_out(&script, take)
    }

    /// Commits what was copied. It is not for use yet.
    pub(crate) fn commit_filled(&mut self, token: &str) -> Result<(), Error> {
        self.set_state(&format!("{FILLED} {token}"))?;
        self.connection.run_script("COMMIT; ANALYZE").map_err(|failure| failure.error)
    }

    /// Opens what was filled with this token for use. `false` when it was open already.
    ///
    /// `Schema` when it was filled from another file.
    pub(crate) fn open_for_use(&mut self, token: &str) -> Result<bool, Error> {
        self.connection.run_script("BEGIN").map_err(|failure| failure.error)?;
        let state = schema::lock(&mut self.connection)?;
        let is_filled = state.strip_prefix(FILLED).map(|rest| rest.trim_start() == token);
        let changed = match is_filled {
            Some(true) => {
                self.set_state(HERE)?;
                true
            }
            Some(false) => {
                let message = "the file was moved to another database than this one; name that";
                return Err(Error::new(ErrorKind::Schema, message));
            }
            None => false,
        };
        self.connection.run_script("COMMIT").map_err(|failure| failure.error)?;
        Ok(changed)
    }

    fn set_state(&mut self, state: &str) -> Result<(), Error> {
        let mut tx = Tx::postgres(Transaction::write(&mut self.connection, 0, false));
        tx.execute("UPDATE entente SET state = ?1 WHERE id = 1", &[state.into()]).map(drop)
    }
}
