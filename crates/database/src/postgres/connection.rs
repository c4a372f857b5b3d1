//! A session: statements go out in a row, and their answers are waited for together, when one of them is needed.

use super::failure::{self, Failure, Sort};
use super::row::{self, Row};
use super::wire::Wire;
use crate::dialect::postgres_statement;
use crate::tx::Value;
use crate::{Error, ErrorKind};
use bytes::{BufMut, BytesMut};
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{DataRowBody, Message};
use postgres_protocol::message::frontend;
use postgres_protocol::{IsNull, Oid};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::ops::Range;

/// Prepared statements kept per session: more than there are in this crate, in all the ways they are used.
const STATEMENTS_MAX: usize = 600;
/// Statements that go out before anybody reads an answer: their answers fit into the buffers in between.
pub(super) const PENDING_MAX: usize = 64;
/// Parameters of a statement: two bits each say of what kind they are.
const PARAMETERS_MAX: usize = 60;
/// How much of a copy is prepared at a time.
const COPY_BYTES: usize = 64 * 1024;
/// The binary format, for everything in both directions.
const BINARY: i16 = 1;

/// A session with a server. Does not know what a transaction is.
pub(crate) struct Connection {
    locks_tables: bool,
    wire: Wire,
    statements: HashMap<Key, Statement>,
    /// How many statements have had a name.
    named: u64,
    /// What has been asked and not been answered, in order.
    pending: VecDeque<Pending>,
    /// Where the values of the row at hand are.
    places: Vec<Option<Range<usize>>>,
    is_lost: bool,
}

/// A statement, and which of its parameters are of what kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    sql: &'static str,
    kinds: u128,
}

struct Statement {
    number: u64,
    /// The types of its answer's columns, once it has been answered.
    columns: Vec<Oid>,
}

enum Pending {
    Statement {
        key: Key,
        owner: usize,
        /// It is being prepared too.
        is_new: bool,
    },
    /// The end of what a failure skips.
    Sync,
}

/// What the last of several statements did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Done {
    /// How many rows it changed or answered.
    pub(crate) rows: u64,
    /// It ended the transaction by taking it back.
    pub(crate) rolled_back: bool,
}

impl Connection {
    pub(super) fn new(wire: Wire, locks_tables: bool) -> Self {
        Self {
            wire,
            locks_tables,
            statements: HashMap::new(),
            named: 0,
            pending: VecDeque::new(),
            places: Vec::new(),
            is_lost: false,
        }
    }

    /// Whether the server knows locks of whole tables.
    pub(super) fn locks_tables(&self) -> bool {
        self.locks_tables
    }

    /// Whether it is of no use any more.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Whether a session that nobody uses at the moment still stands, as far as can be told without asking.
    pub(super) fn is_quiet(&self) -> bool {
        self.wire.is_quiet()
    }

    /// How many statements have not been answered.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Adds a statement to what is to be sent. Should it fail, the failure tells its `owner`.
    pub(super) fn push(&mut self, owner: usize, sql: &'static str, parameters: &[Value<'_>]) -> Result<(), Failure> {
        let (sent, named) = (self.wire.output.len(), self.named);
        self.push_now(owner, sql, parameters).map_err(|error| {
            self.wire.output.truncate(sent);
            self.statements.retain(|_, statement| statement.number <= named);
            let error = Error::new(ErrorKind::Failed, "a statement cannot be sent to the database").because(error);
            Failure { sort: Sort::Statement, owner, error }
        })
    }

    fn push_now(&mut self, owner: usize, sql: &'static str, parameters: &[Value<'_>]) -> io::Result<()> {
        if parameters.len() > PARAMETERS_MAX {
            return Err(io::Error::other("a statement with too many parameters"));
        }
        let kinds = parameters.iter().fold(1, |kinds: u128, value| kinds << 2 | kind(value));
        let key = Key { sql, kinds };
        let known = self.statements.get(&key).map(|statement| statement.number);
        let number = known.unwrap_or(self.named + 1);
        let (name, output) = (format!("s{number}"), &mut self.wire.output);
        if known.is_none() {
            self.named = number;
            frontend::parse(&name, &postgres_statement(sql), parameters.iter().map(oid), output)?;
            self.statements.insert(key, Statement { number, columns: Vec::new() });
        }
        frontend::bind("", &name, [BINARY], parameters, serialize, [BINARY], output).map_err(|error| match error {
            frontend::BindError::Conversion(error) => io::Error::other(error),
            frontend::BindError::Serialization(error) => error,
        })?;
        if known.is_none() {
            frontend::describe(b'P', "", output)?;
        }
        frontend::execute("", 0, output)?;
        self.pending.push_back(Pending::Statement { key, owner, is_new: known.is_none() });
        Ok(())
    }

    /// Sends what there is without waiting; the answers are read with those of the next exchange.
    pub(super) fn send(&mut self) -> Result<(), Failure> {
        frontend::sync(&mut self.wire.output);
        self.pending.push_back(Pending::Sync);
        self.wire.send().map_err(|error| self.lost(error, 0))
    }

    /// Sends what there is and reads all answers. `on_row` sees the rows of the last statement.
    ///
    /// The first failure is answered; what came after it in the row was not run. When the connection is lost, its
    /// owner is that of the first statement without an answer.
    pub(super) fn exchange(&mut self, on_row: &mut dyn FnMut(&Row<'_>)) -> Result<Done, Failure> {
        self.send()?;
        let (mut done, mut failure) = (Done::default(), None);
        while !self.pending.is_empty() {
            let owner = self.front().map_or(0, |(_, owner, _)| owner);
            let message = self.wire.receive().map_err(|error| self.lost(error, owner))?;
            match message {
                Message::RowDescription(body) => {
                    let columns = body.fields().map(|field| Ok(field.type_oid())).collect();
                    let columns = columns.map_err(|error| self.lost(error, owner))?;
                    if let Some((key, ..)) = self.front()
                        && let Some(statement) = self.statements.get_mut(&key)
                    {
                        statement.columns = columns;
                    }
                }
                // The last statement, and the sync after it.
                Message::DataRow(body) if self.pending.len() == 2 => {
                    self.row(&body, on_row).map_err(|error| self.lost(error, owner))?;
                }
                Message::CommandComplete(body) => {
                    let tag = body.tag().map_err(|error| self.lost(error, owner))?;
                    let rows = tag.rsplit(' ').next().and_then(|rows| rows.parse().ok()).unwrap_or(0);
                    done = Done { rows, rolled_back: tag == "ROLLBACK" };
                    self.pending.pop_front();
                }
                Message::EmptyQueryResponse => drop(self.pending.pop_front()),
                Message::ErrorResponse(body) => {
                    let found = failure::read(&body, owner);
                    self.is_lost |= found.sort == Sort::Lost;
                    self.skip();
                    failure.get_or_insert(found);
                }
                Message::ReadyForQuery(_) => {
                    let ended = self.pending.pop_front();
                    if !matches!(ended, Some(Pending::Sync)) {
                        let lost = Failure::malformed("the server answered out of order", owner);
                        self.is_lost = true;
                        return Err(lost);
                    }
                }
                _ => {}
            }
            if self.is_lost {
                break;
            }
        }
        self.forget_some();
        failure.map_or(Ok(done), Err)
    }

    fn front(&self) -> Option<(Key, usize, bool)> {
        match self.pending.front() {
            Some(Pending::Statement { key, owner, is_new }) => Some((*key, *owner, *is_new)),
            Some(Pending::Sync) | None => None,
        }
    }

    /// Takes out what the server skips after a failure. What was to be prepared on the way may not have been: it is
    /// prepared again, under another name.
    fn skip(&mut self) {
        while let Some((key, _, is_new)) = self.front() {
            if is_new {
                self.statements.remove(&key);
            }
            self.pending.pop_front();
        }
    }

    fn row(&mut self, body: &DataRowBody, on_row: &mut dyn FnMut(&Row<'_>)) -> io::Result<()> {
        self.places.clear();
        let mut ranges = body.ranges();
        while let Some(range) = ranges.next()? {
            self.places.push(range);
        }
        let statement = self.front().and_then(|(key, ..)| self.statements.get(&key));
        let columns = statement.map_or(&[][..], |statement| &statement.columns);
        on_row(&Row { columns, places: &self.places, bytes: body.buffer() });
        Ok(())
    }

    fn lost(&mut self, error: io::Error, owner: usize) -> Failure {
        self.is_lost = true;
        Failure::lost(error, owner)
    }

    /// Keeps the number of prepared statements within its limit.
    fn forget_some(&mut self) {
        if self.statements.len() > STATEMENTS_MAX && self.pending.is_empty() {
            for statement in self.statements.values() {
                // A name of ours holds no zero, which is all that could be wrong with it.
                let _ = frontend::close(b'S', &format!("s{}", statement.number), &mut self.wire.output);
            }
            self.statements.clear();
        }
    }

    /// Runs several statements of a fixed text, such as a migration, each a transaction of its own unless they say so.
    pub(super) fn run_script(&mut self, script: &str) -> Result<(), Failure> {
        self.converse(script, &mut |_, _| Ok(()))
    }

    /// Runs `COPY … FROM STDIN`. `fill` writes what comes next to its buffer, and nothing at the end.
    pub(super) fn copy_in(
        &mut self,
        script: &str,
        fill: &mut dyn FnMut(&mut BytesMut) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut trouble = Ok(());
        let copied = self.converse(script, &mut |message, wire| {
            if !matches!(message, Message::CopyInResponse(_)) {
                return Ok(());
            }
            let mut buffer = BytesMut::with_capacity(COPY_BYTES);
            loop {
                buffer.clear();
                trouble = fill(&mut buffer);
                if trouble.is_err() {
                    frontend::copy_fail("what is to be copied cannot be read", &mut wire.output)?;
                    break;
                }
                if buffer.is_empty() {
                    frontend::copy_done(&mut wire.output);
                    break;
                }
                frontend::CopyData::new(&buffer[..])?.write(&mut wire.output);
                wire.send()?;
            }
            wire.send()
        });
        trouble?;
        copied.map_err(|failure| failure.error)
    }

    /// Runs `COPY … TO STDOUT`. `take` sees the bytes in pieces of any length.
    pub(super) fn copy_out(
        &mut self,
        script: &str,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut trouble = Ok(());
        let copied = self.converse(script, &mut |message, _| {
            if let Message::CopyData(body) = message
                && trouble.is_ok()
            {
                trouble = take(body.data());
            }
            Ok(())
        });
        copied.map_err(|failure| failure.error)?;
        trouble
    }

    /// Sends a text and reads until the server is ready for the next. `on` sees each message, and may answer.
    fn converse(
        &mut self,
        script: &str,
        on: &mut dyn FnMut(&Message, &mut Wire) -> io::Result<()>,
    ) -> Result<(), Failure> {
        frontend::query(script, &mut self.wire.output).map_err(|error| self.lost(error, 0))?;
        self.wire.send().map_err(|error| self.lost(error, 0))?;
        let mut outcome = Ok(());
        loop {
            let message = self.wire.receive().map_err(|error| self.lost(error, 0))?;
            match &message {
                Message::ErrorResponse(body) => {
                    let found = failure::read(body, 0);
                    if found.sort == Sort::Lost {
                        self.is_lost = true;
                        return Err(found);
                    }
                    if outcome.is_ok() {
                        outcome = Err(found);
                    }
                }
                Message::ReadyForQuery(_) => return outcome,
                message => on(message, &mut self.wire).map_err(|error| self.lost(error, 0))?,
            }
        }
    }
}

fn kind(value: &Value<'_>) -> u128 {
    match value {
        Value::Null => 0,
        Value::Int(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    }
}

fn oid(value: &Value<'_>) -> Oid {
    match value {
        // The server finds out what it would be.
        Value::Null => 0,
        Value::Int(_) => row::INT8,
        Value::Text(_) => row::TEXT,
        Value::Blob(_) => row::BYTEA,
    }
}

fn serialize(value: &Value<'_>, buffer: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
    match *value {
        Value::Null => return Ok(IsNull::Yes),
        Value::Int(number) => buffer.put_i64(number),
        Value::Text(text) => buffer.put_slice(text.as_bytes()),
        Value::Blob(bytes) => buffer.put_slice(bytes),
    }
    Ok(IsNull::No)
}
