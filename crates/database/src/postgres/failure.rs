//! What a server answers instead of what it was asked for, sorted.

use crate::{Error, ErrorKind};
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::ErrorResponseBody;
use std::io;

/// How a transaction has to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The statement cannot be done; without it the transaction could.
    Statement,
    /// The transaction met another and has to run again from its start.
    Conflict,
    /// There is no connection any more. What was not asked to be committed is not.
    Lost,
}

/// A failure, and of which command's statement.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) sort: Sort,
    /// As it was given with the statement.
    pub(crate) owner: usize,
    pub(crate) error: Error,
}

impl Failure {
    pub(crate) fn lost(error: io::Error, owner: usize) -> Self {
        let message = match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                "the database server did not answer in time; see whether it is overloaded, and try again"
            }
            _ => "the connection to the database server was lost; try again",
        };
        Self { sort: Sort::Lost, owner, error: Error::new(ErrorKind::Busy, message).because(error) }
    }

    pub(crate) fn malformed(what: &'static str, owner: usize) -> Self {
        Self::lost(io::Error::new(io::ErrorKind::InvalidData, what), owner)
    }
}

/// What a server says of an error.
#[derive(Debug, thiserror::Error)]
#[error("{message}, {code}{detail}")]
struct Said {
    code: String,
    message: String,
    detail: String,
}

/// Sorts by SQLSTATE (PostgreSQL's manual, appendix A).
pub(super) fn read(body: &ErrorResponseBody, owner: usize) -> Failure {
    let mut said = Said { code: String::new(), message: String::new(), detail: String::new() };
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => said.code = value(),
            b'M' => said.message = value(),
            // The detail may hold values of a row, and those of a constraint are for nobody's log.
            b'n' => said.detail = format!(", {}", value()),
            _ => {}
        }
    }
    let (sort, kind, message) = sorted(&said.code);
    Failure { sort, owner, error: Error::new(kind, message).because(said) }
}

fn sorted(code: &str) -> (Sort, ErrorKind, &'static str) {
    use ErrorKind::{Busy, Damaged, Duplicate, Failed, Full, Schema};
    let statement = |kind, message| (Sort::Statement, kind, message);
    match code {
        "40001" | "40P01" | "40003" => {
            (Sort::Conflict, Busy, "others keep changing the same rows of the database; try again")
        }
        code if code.starts_with("23") => statement(Duplicate, "a row with the same key is there already"),
        "53100" => statement(Full, "the disk of the database server is full; free some space there"),
        "53300" => (Sort::Lost, Busy, "the database server has no connection left; raise its max_connections"),
        code if code.starts_with("53") => statement(Busy, "the database server lacks resources; try again"),
        "57014" => statement(Busy, "a statement took longer than it may; try again"),
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => {
            (Sort::Lost, Busy, "the database server is stopping or starting; try again")
        }
        code if code.starts_with("08") => {
            (Sort::Lost, Busy, "the connection to the database server was lost; try again")
        }
        "55P03" => statement(Busy, "another process holds a lock on the database; try again"),
        "25006" => (Sort::Lost, Busy, "the database server is a read-only replica; name the primary, or both"),
        "28P01" | "28000" => {
            statement(Failed, "the database server refuses the user: see to the user's name, password and pg_hba.conf")
        }
        "3D000" => statement(Failed, "there is no such database on the server; make it with CREATE DATABASE"),
        "42501" => statement(Failed, "the database's user may not do this; it needs to own the database"),
        "42P01" | "42703" => statement(Schema, "the database's schema is not what this program expects"),
        "XX001" | "XX002" => statement(Damaged, "the database is damaged; restore it from a backup"),
        _ => statement(Failed, "the database failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_run_again_is_told_from_what_may_not() {
        for (code, sort, kind) in [
            ("40001", Sort::Conflict, ErrorKind::Busy),
            ("40P01", Sort::Conflict, ErrorKind::Busy),
            ("23505", Sort::Statement, ErrorKind::Duplicate),
            ("57P01", Sort::Lost, ErrorKind::Busy),
            ("53100", Sort::Statement, ErrorKind::Full),
            ("42601", Sort::Statement, ErrorKind::Failed),
        ] {
            let (found, as_kind, _) = sorted(code);
            assert_eq!((found, as_kind), (sort, kind), "{code}");
        }
    }
}
