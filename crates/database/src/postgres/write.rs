//! A writer: a thread with a connection, which runs commands in batches, each batch in one serializable transaction.
//!
//! A command that fails takes back only its own, by a savepoint. A batch that met another transaction runs again from
//! the start, in halves if it meets others again and again. Statements of which nobody needs the answer go out together
//! with the next one of which somebody does, or with the commit.
//!
//! With each commit goes a row that says which batch it was. When the connection is lost at that moment, the row tells
//! the outcome: the writer connects again, waits until the old session has let go of the row, and looks.

use super::Options;
use super::connect::{Purpose, connect};
use super::connection::Connection;
use super::failure::{Failure, Sort};
use super::queue::{Batch, Queue};
use super::transaction::{Left, Transaction};
use crate::command::Command;
use crate::tx::Value;
use crate::{Error, ErrorKind, Tx};
use entente_world::World;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
/// One node after the other, without a word of what they write. A lock, unlike a row, is waited for before the transaction
/// has seen anything, so what the one before has written is no conflict. Leases are still renewed, and nobody who reads waits.
const TURN: &str = "LOCK TABLE nodes IN SHARE UPDATE EXCLUSIVE MODE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";
const RELEASE: &str = "RELEASE SAVEPOINT command";
const ROLLBACK_TO: &str = "ROLLBACK TO SAVEPOINT command";
const MARK: &str = "INSERT INTO writers (id, node_id, batch) VALUES (?1, ?2, ?3)
                    ON CONFLICT (id) DO UPDATE SET batch = excluded.batch";
/// Waits for whoever holds the row, and answers what is in it then.
const LOOK: &str = "INSERT INTO writers (id, node_id, batch) VALUES (?1, ?2, 0)
                    ON CONFLICT (id) DO UPDATE SET node_id = excluded.node_id RETURNING batch";

/// How often a command is run again after it met others.
const CONFLICTS_MAX: u32 = 24;
/// From so many conflicts on, a batch is halved.
const CONFLICTS_OF_WHOLE: u32 = 2;
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_millis(250);

pub(super) struct Writer {
    pub(super) world: World,
    pub(super) options: Arc<Options>,
    pub(super) queue: Arc<Queue>,
    /// Drawn at random when the process started: no other writer has it.
    pub(super) id: i64,
    /// The same for the process.
    pub(super) node: i64,
    pub(super) connection: Option<Connection>,
    /// The number of the last batch.
    pub(super) batch: i64,
    /// Whether the server was there when last asked.
    pub(super) is_reachable: bool,
}

/// Why an attempt did not commit.
enum Abort {
    /// It met another transaction.
    Conflict(Error),
    /// The connection was lost, and it has not been committed.
    Lost(Error),
    /// The connection was lost at the commit.
    InDoubt(Error),
    /// It cannot be committed.
    Refused(Error),
}

/// How far a command of a batch has come.
#[derive(Clone, Copy, Default)]
struct Step {
    /// It has its answer, which is no: it is not run again.
    is_refused: bool,
    has_savepoint: bool,
}

impl Writer {
    /// Writes until the queue is closed.
    pub(super) fn run(mut self) {
        let queue = Arc::clone(&self.queue);
        while let Some(batch) = queue.take() {
            self.write(batch, 0);
            queue.done();
        }
    }

    /// Runs commands until each has its answer.
    fn write(&mut self, mut commands: Batch, mut conflicts: u32) {
        let began = self.world.instant();
        // While the server is known to be away, nobody is kept waiting for it.
        let patience = if self.is_reachable { self.options.patience } else { Duration::ZERO };
        let mut losses = 0;
        loop {
            let attempt = self.attempt(&mut commands);
            metrics::histogram!("entente_database_batch_commands")
                .record(f64::from(u32::try_from(commands.len()).unwrap_or(u32::MAX)));
            match attempt {
                Ok(()) => {
                    self.queue.went_well();
                    return answer(commands, &Ok(()));
                }
                Err(Abort::Conflict(error)) => {
                    conflicts += 1;
                    metrics::counter!("entente_database_conflicts_total").increment(1);
                    self.queue.met_another();
                    if conflicts > CONFLICTS_MAX {
                        return answer(commands, &Err(error));
                    }
                    self.pause(conflicts);
                    if conflicts >= CONFLICTS_OF_WHOLE && commands.len() > 1 {
                        let rest = commands.split_off(commands.len() / 2);
                        self.write(commands, conflicts);
                        return self.write(rest, conflicts);
                    }
                }
                Err(Abort::Lost(error)) => {
                    losses += 1;
                    if began.elapsed() >= patience {
                        tracing::error!(%error, "the database cannot be reached; commands are refused");
                        return answer(commands, &Err(error));
                    }
                    self.pause(losses);
                }
                Err(Abort::InDoubt(error)) => match self.has_committed() {
                    Ok(true) => return answer(commands, &Ok(())),
                    Ok(false) => losses += 1,
                    Err(second) => {
                        tracing::error!(%error, %second, "the outcome of a commit is not known");
                        let message = "the connection to the database was lost at the commit, and it is not known \
                                       whether it was done; look before trying again";
                        return answer(commands, &Err(Error::new(ErrorKind::Unknown, message).because(error)));
                    }
                },
                Err(Abort::Refused(error)) => {
                    tracing::error!(%error, "a commit failed; its commands are refused");
                    return answer(commands, &Err(error));
                }
            }
        }
    }

    /// Waits a little, at random, and longer each time.
    fn pause(&self, times: u32) {
        let most = Duration::from_millis(1 << times.min(8)).min(PAUSE_MAX);
        let micros = self.world.random().below(u64::try_from(most.as_micros()).unwrap_or(u64::MAX));
        std::thread::park_timeout(Duration::from_micros(micros));
    }

    /// Runs the batch in one transaction. What arrives while it is under way does not join it: the transaction has its
    /// snapshot, and who gives a command may have been told of a commit that is later.
    fn attempt(&mut self, commands: &mut Batch) -> Result<(), Abort> {
        // What is lost before it is used leaves no doubt about what became of a commit.
        let mut connection = match self.connection.take().filter(Connection::is_quiet) {
            Some(connection) => connection,
            None => {
                let connected = connect(&self.options, Purpose::Write);
                self.is_reachable = connected.is_ok();
                connected.map_err(|error| match error.kind {
                    ErrorKind::Busy => Abort::Lost(error),
                    _ => Abort::Refused(error),
                })?
            }
        };
        self.batch += 1;
        let takes_turns = self.queue.takes_turns() && connection.locks_tables();
        let mut attempt = Attempt {
            connection: &mut connection,
            steps: vec![Step::default(); commands.len()],
            begun_at: None,
            has_written: false,
            takes_turns,
            mark: [Value::Int(self.id), Value::Int(self.node), Value::Int(self.batch)],
        };
        let outcome = attempt.run(commands);
        // A conflict may be told by any statement, and leaves the transaction open; one that was ended by it does not
        // mind. After other failures nothing is known of the session: another is safer.
        let is_clean = match &outcome {
            Ok(()) => true,
            Err(Abort::Conflict(_)) => roll_back(&mut connection).is_ok(),
            Err(_) => false,
        };
        self.connection = Some(connection).filter(|connection| is_clean && !connection.is_lost());
        outcome
    }

    /// Whether the batch that was lost at its commit is there. Waits for the server, and for the old session's end.
    fn has_committed(&mut self) -> Result<bool, Error> {
        let began = self.world.instant();
        let mut tries = 0;
        loop {
            match self.look() {
                Ok(batch) => return Ok(batch == self.batch),
                Err(error) if error.kind != ErrorKind::Busy || began.elapsed() >= self.options.doubt_max => {
                    return Err(error);
                }
                Err(_) => {
                    tries += 1;
                    self.pause(tries);
                }
            }
        }
    }

    fn look(&self) -> Result<i64, Error> {
        let mut connection = connect(&self.options, Purpose::Write)?;
        let fail = |failure: Failure| failure.error;
        connection.push(0, LOOK, &[Value::Int(self.id), Value::Int(self.node)]).map_err(fail)?;
        let mut batch = Ok(None);
        connection.exchange(&mut |row| batch = row.int(0)).map_err(fail)?;
        batch?.ok_or_else(|| Error::damaged("a batch without a number"))
    }
}

fn roll_back(connection: &mut Connection) -> Result<(), Failure> {
    connection.push(0, ROLLBACK, &[])?;
    connection.exchange(&mut |_| {}).map(drop)
}

fn answer(commands: Batch, commit: &Result<(), Error>) {
    for command in commands {
        command.answer(commit.as_ref().copied().map_err(Error::copy));
    }
}

/// One try at a batch.
struct Attempt<'a> {
    connection: &'a mut Connection,
    /// One for each command.
    steps: Vec<Step>,
    /// With which command the transaction at hand began; `None` while there is none.
    begun_at: Option<usize>,
    /// Whether a command that is to be kept has written in it.
    has_written: bool,
    takes_turns: bool,
    mark: [Value<'static>; 3],
}

impl Attempt<'_> {
    fn run(&mut self, commands: &mut Batch) -> Result<(), Abort> {
        let mut next = 0;
        loop {
            while let Some(command) = commands.get_mut(next) {
                next = if self.steps.get(next).is_some_and(|step| step.is_refused) {
                    next + 1
                } else {
                    match self.command(command.as_mut(), next) {
                        Ok(next) => next,
                        Err(failure) => self.recover(commands, failure, next)?,
                    }
                };
            }
            if self.begun_at.is_none() {
                return Ok(());
            }
            match self.commit(commands.len()) {
                Ok(()) => return Ok(()),
                // The commit itself, and not what was sent along with it.
                Err(failure) if failure.owner >= commands.len() => {
                    return Err(match failure.sort {
                        Sort::Conflict => Abort::Conflict(failure.error),
                        Sort::Lost if self.has_written => Abort::InDoubt(failure.error),
                        Sort::Lost => Abort::Lost(failure.error),
                        Sort::Statement => Abort::Refused(failure.error),
                    });
                }
                // It had been sent, though the answer to something before it is what is missing.
                Err(failure) if failure.sort == Sort::Lost && self.has_written => {
                    return Err(Abort::InDoubt(failure.error));
                }
                Err(failure) => next = self.recover(commands, failure, commands.len())?,
            }
        }
    }

    /// Runs one command, up to what it leaves unanswered. Says with which to go on.
    fn command(&mut self, command: &mut dyn Command, number: usize) -> Result<usize, Failure> {
        if self.begun_at.is_none() {
            self.connection.push(number, BEGIN, &[])?;
            self.begun_at = Some(number);
            self.has_written = false;
            if self.takes_turns {
                self.take_turn(number)?;
            }
        }
        let with_savepoint = self.has_written;
        let mut tx = Tx::postgres(Transaction::write(self.connection, number, with_savepoint));
        let outcome = catch_unwind(AssertUnwindSafe(|| command.run(&mut tx)));
        let left = tx.into_postgres().map(Transaction::leave);
        let Left { failure, has_written } = left.unwrap_or(Left { failure: None, has_written: false });
        let keep = outcome.unwrap_or_else(|_| {
            tracing::error!(command = command.name(), "a command panicked");
            command.refuse(Error::panicked(command.name()));
            false
        });
        if let Some(step) = self.steps.get_mut(number) {
            step.has_savepoint = with_savepoint && has_written;
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        if !has_written {
            return Ok(number + 1);
        }
        if keep {
            if with_savepoint {
                self.connection.push(number, RELEASE, &[])?;
            }
            self.has_written = true;
            return Ok(number + 1);
        }
        if let Some(step) = self.steps.get_mut(number) {
            step.is_refused = true;
        }
        self.take_back(number, with_savepoint)
    }

    /// Waits until no other node that takes turns is at work. That another takes too long is no command's failure.
    fn take_turn(&mut self, number: usize) -> Result<(), Failure> {
        self.connection.push(number, TURN, &[])?;
        self.connection.exchange(&mut |_| {}).map(drop).map_err(|failure| match failure.sort {
            Sort::Statement => Failure { sort: Sort::Conflict, ..failure },
            Sort::Conflict | Sort::Lost => failure,
        })
    }

    /// Takes back what a command wrote, and waits until that is done. Says with which to go on: without a savepoint,
    /// those before it in the transaction, which only read, have to read again in another.
    fn take_back(&mut self, number: usize, has_savepoint: bool) -> Result<usize, Failure> {
        let mut next = number + 1;
        if has_savepoint {
            self.connection.push(number, ROLLBACK_TO, &[])?;
            self.connection.push(number, RELEASE, &[])?;
        } else {
            self.connection.push(number, ROLLBACK, &[])?;
            next = self.begun_at.take().unwrap_or(number);
        }
        self.connection.exchange(&mut |_| {})?;
        Ok(next)
    }

    fn commit(&mut self, owner: usize) -> Result<(), Failure> {
        if self.has_written {
            let mark = self.mark;
            self.connection.push(owner, MARK, &mark)?;
        }
        self.connection.push(owner, COMMIT, &[])?;
        let done = self.connection.exchange(&mut |_| {})?;
        if done.rolled_back {
            let error = Error::new(ErrorKind::Failed, "the database took a transaction back instead of committing it");
            return Err(Failure { sort: Sort::Statement, owner, error });
        }
        Ok(())
    }

    /// After a failed statement: takes back what its command did, gives that command its answer, and says with which
    /// command to go on. `at` is the one that was being run.
    fn recover(&mut self, commands: &mut Batch, failure: Failure, at: usize) -> Result<usize, Abort> {
        let Failure { sort, owner, error } = failure;
        match sort {
            Sort::Lost => return Err(Abort::Lost(error)),
            Sort::Conflict => return Err(Abort::Conflict(error)),
            Sort::Statement => {}
        }
        if let Some(command) = commands.get_mut(owner) {
            command.refuse(error);
        }
        let Some(step) = self.steps.get_mut(owner) else { return Ok(at) };
        step.is_refused = true;
        let has_savepoint = step.has_savepoint;
        self.take_back(owner, has_savepoint).map_err(|failure| match failure.sort {
            Sort::Conflict => Abort::Conflict(failure.error),
            Sort::Lost | Sort::Statement => Abort::Lost(failure.error),
        })
    }
}
