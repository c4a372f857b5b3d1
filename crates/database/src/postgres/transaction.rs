//! What stands behind a [`crate::Tx`] on PostgreSQL.

use super::Options;
use super::connect::{Purpose, connect};
use super::connection::{Connection, PENDING_MAX};
use super::failure::{Failure, Sort};
use super::row::Row;
use crate::Error;
use crate::tx::Value;

const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const COMMIT: &str = "COMMIT";
const SAVEPOINT: &str = "SAVEPOINT command";

/// One transaction that reads, or one command's part of a transaction that writes.
///
/// After a failed statement nothing more is run: the server would refuse it, and so is the rest of the command here.
pub(crate) struct Transaction<'c> {
    connection: &'c mut Connection,
    /// Which command of its batch.
    owner: usize,
    state: State<'c>,
    failure: Option<Failure>,
    has_written: bool,
}

enum State<'c> {
    /// Nothing has been sent. If the connection turns out to be gone, another may take its place.
    ReadBegins(&'c Options),
    ReadGoesOn,
    /// A savepoint is wanted before anything is written.
    WriteWithSavepoint,
    /// It is there, or none is wanted.
    WriteGoesOn,
}

/// How a command left the transaction.
pub(super) struct Left {
    pub(super) failure: Option<Failure>,
    pub(super) has_written: bool,
}

impl<'c> Transaction<'c> {
    /// A transaction that reads. It begins with its first statement.
    pub(super) fn read(connection: &'c mut Connection, options: &'c Options) -> Self {
        Self { connection, owner: 0, state: State::ReadBegins(options), failure: None, has_written: false }
    }

    /// The part of the command with that number of a transaction that has begun.
    pub(super) fn write(connection: &'c mut Connection, owner: usize, with_savepoint: bool) -> Self {
        let state = if with_savepoint { State::WriteWithSavepoint } else { State::WriteGoesOn };
        Self { connection, owner, state, failure: None, has_written: false }
    }

    /// Ends a transaction that reads. Waits for nothing.
    pub(super) fn end_read(self) {
        if matches!(self.state, State::ReadGoesOn) && !self.connection.is_lost() {
            let ended = self.connection.push(0, COMMIT, &[]).and_then(|()| self.connection.send());
            // The connection is lost then, and known to be.
            drop(ended);
        }
    }

    pub(super) fn leave(self) -> Left {
        Left { failure: self.failure, has_written: self.has_written }
    }

    pub(crate) fn execute(&mut self, sql: &'static str, parameters: &[Value<'_>]) -> Result<usize, Error> {
        let rows = self.run(true, sql, parameters, &mut |_| {})?;
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    pub(crate) fn put(&mut self, sql: &'static str, parameters: &[Value<'_>]) -> Result<(), Error> {
        if self.connection.pending() >= PENDING_MAX {
            return self.execute(sql, parameters).map(drop);
        }
        self.push(true, sql, parameters)
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        parameters: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let writes = !(sql.starts_with("SELECT") || sql.starts_with("WITH"));
        let mut mapped = Ok(());
        self.run(writes, sql, parameters, &mut |row| {
            if mapped.is_ok() {
                mapped = map(row);
            }
        })?;
        mapped
    }

    fn run(
        &mut self,
        writes: bool,
        sql: &'static str,
        parameters: &[Value<'_>],
        on_row: &mut dyn FnMut(&Row<'_>),
    ) -> Result<u64, Error> {
        let may_connect_again = match self.state {
            State::ReadBegins(options) => Some(options),
            _ => None,
        };
        self.push(writes, sql, parameters)?;
        let mut answer = self.connection.exchange(on_row);
        if let (Err(Failure { sort: Sort::Lost, .. }), Some(options)) = (&answer, may_connect_again) {
            // It was lost while nobody used it, as when the server was started again. Nothing has been answered yet.
            *self.connection = connect(options, Purpose::Read)?;
            self.state = State::ReadBegins(options);
            self.push(writes, sql, parameters)?;
            answer = self.connection.exchange(on_row);
        }
        answer.map(|done| done.rows).map_err(|failure| self.fail(failure))
    }

    fn push(&mut self, writes: bool, sql: &'static str, parameters: &[Value<'_>]) -> Result<(), Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.error.copy());
        }
        let begin = match self.state {
            State::ReadBegins(_) => Some(BEGIN_READ),
            State::WriteWithSavepoint if writes => Some(SAVEPOINT),
            _ => None,
        };
        if let Some(begin) = begin {
            self.connection.push(self.owner, begin, &[]).map_err(|failure| self.fail(failure))?;
            self.state = if begin == BEGIN_READ { State::ReadGoesOn } else { State::WriteGoesOn };
        }
        self.has_written |= writes;
        self.connection.push(self.owner, sql, parameters).map_err(|failure| self.fail(failure))
    }

    fn fail(&mut self, failure: Failure) -> Error {
        let error = failure.error.copy();
        self.failure = Some(failure);
        error
    }
}
