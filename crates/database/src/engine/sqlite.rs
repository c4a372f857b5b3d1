//! SQLite: one writer thread with group commit, a few reader connections, a checkpoint now and then.

use super::thread::spawn;
use super::{Options, stopped};
use crate::checkpoint::{self, Checkpointer};
use crate::command::Command;
use crate::{Error, ErrorKind, Tx, migrations};
use entente_world::World;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};
use tokio::sync::mpsc;

/// How many commands may share one commit.
const BATCH_COMMANDS_MAX: usize = 256;
/// How many commands may wait for the writer. More callers wait for a place in the queue.
const QUEUE_COMMANDS_MAX: usize = 1024;
/// How often a database that others are making is asked for its write-ahead log.
const MODE_TRIES_MAX: u32 = 100;
/// Prepared statements kept per connection: more than there are statements in this crate.
const STATEMENTS_MAX: usize = 512;

/// An open file.
pub(super) struct Sqlite {
    queue: Option<mpsc::Sender<Box<dyn Command>>>,
    writer: Option<std::thread::JoinHandle<()>>,
    readers: Vec<Mutex<Connection>>,
    next_reader: AtomicUsize,
}

impl Sqlite {
    /// Opens the file, creating and migrating it as needed. See [`super::Database::open`].
    pub(super) fn open(world: &World, options: &Options) -> Result<Self, Error> {
        let mut writer = connect(options, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        // Before anything of it is changed: it may be somebody else's.
        migrations::check(&writer)?;
        prepare_to_write(&writer)?;
        writer.pragma_update(None, "cache_size", -16_384)?;
        migrations::migrate(&mut writer, world.now())?;
        world.ids_after(migrations::greatest_id(&mut Tx::sqlite(&writer))?);
        let readers = (0..options.readers.max(1))
            .map(|_| {
                let reader = connect(options, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                reader.pragma_update(None, "cache_size", -4_096)?;
                reader.pragma_update(None, "query_only", true)?;
                Ok(Mutex::new(reader))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let (queue, commands) = mpsc::channel(QUEUE_COMMANDS_MAX);
        let path = options.path.clone();
        let copier = connect(options, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        prepare_to_write(&copier)?;
        let checkpointer = Checkpointer::start(copier, options.busy_timeout)?;
        let writer = Some(spawn("database-writer", move || write_all(&writer, &checkpointer, &path, commands))?);
        Ok(Self { queue: Some(queue), writer, readers, next_reader: AtomicUsize::new(0) })
    }

    /// How many reads may run at a time.
    pub(super) fn readers(&self) -> usize {
        self.readers.len()
    }

    /// Queues a command for the writer. Waits for a place.
    pub(super) async fn enqueue(&self, command: Box<dyn Command>) -> Result<(), Error> {
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(command).await.map_err(|_| stopped())
    }

    pub(super) fn read<T, E, F>(&self, function: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        let no_reader = || Error::new(ErrorKind::Failed, "no reader connection");
        let first = self.next_reader.fetch_add(1, Ordering::Relaxed) % self.readers.len();
        let (after, before) = self.readers.split_at_checked(first).map(|(a, b)| (b, a)).ok_or_else(no_reader)?;
        for reader in after.iter().chain(before) {
            match reader.try_lock() {
                Ok(connection) => return read_on(&connection, function),
                Err(TryLockError::Poisoned(poisoned)) => return read_on(&poisoned.into_inner(), function),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let reader = after.first().ok_or_else(no_reader)?;
        let connection = reader.lock().unwrap_or_else(PoisonError::into_inner);
        read_on(&connection, function)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.queue = None;
        // A command may have held the last clone: then this is the writer's own thread, which cannot wait for itself.
        if let Some(writer) = self.writer.take().filter(|writer| writer.thread().id() != std::thread::current().id()) {
            // A writer that panicked has already answered nobody; there is nothing left to do here.
            let _ = writer.join();
        }
    }
}

fn read_on<T, E: From<Error>>(
    connection: &Connection,
    function: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    run(connection, "BEGIN")?;
    // Ends the transaction even if `function` panics, so that the connection does not hold an old state for ever.
    struct End<'c>(&'c Connection);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            // Nothing was written; but a rollback would make SQLite compile every statement of the connection anew.
            let _ = run(self.0, "COMMIT");
        }
    }
    let _end = End(connection);
    function(&mut Tx::sqlite(connection))
}

fn run(connection: &Connection, sql: &'static str) -> Result<(), Error> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn connect(options: &Options, flags: OpenFlags) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(&options.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Plans follow from the statement alone; otherwise some statements are compiled anew with each new parameter.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

fn prepare_to_write(connection: &Connection) -> Result<(), Error> {
    let mode = write_ahead(connection)?;
    if !mode.eq_ignore_ascii_case("wal") {
        let message =
            "the file system of the database cannot hold a write-ahead log; put the data directory on another";
        return Err(Error::new(ErrorKind::Failed, message));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // `checkpoint` does it, aside.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(())
}

/// Asks for the write-ahead log. While another process does the same with a new database, this fails at once, whatever the
/// timeout; what waits is a transaction.
fn write_ahead(connection: &Connection) -> Result<String, Error> {
    let mut left = MODE_TRIES_MAX;
    loop {
        let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        match mode.map_err(Error::from) {
            Err(error) if error.kind == ErrorKind::Busy && left > 0 => {
                left -= 1;
                connection.execute_batch("BEGIN EXCLUSIVE; ROLLBACK")?;
            }
            mode => return mode,
        }
    }
}

fn write_all(
    connection: &Connection,
    checkpointer: &Checkpointer,
    path: &Path,
    mut commands: mpsc::Receiver<Box<dyn Command>>,
) {
    let mut batch = Vec::with_capacity(BATCH_COMMANDS_MAX);
    while let Some(first) = commands.blocking_recv() {
        batch.push(first);
        let committed = write_batch(connection, &mut batch, &mut commands);
        if let Err(error) = &committed {
            tracing::error!(database = %path.display(), %error, "a commit failed; its commands are refused");
        }
        metrics::histogram!("entente_database_batch_commands")
            .record(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
        for command in batch.drain(..) {
            command.answer(committed.as_ref().copied().map_err(Error::copy));
        }
        checkpointer.committed(connection);
    }
    // Leave a small log behind, so that the next start has nothing to replay.
    checkpoint::truncate(connection);
}

/// Runs what waits in one transaction. `Err` means that nothing of the batch is visible to anybody, or will be in this
/// life of the process: what comes next is written over it. Only if the disk failed at the very fsync, and the machine
/// stops before anything comes next, may the whole batch be there after all: refused and yet done, but never by halves.
fn write_batch(
    connection: &Connection,
    batch: &mut Vec<Box<dyn Command>>,
    commands: &mut mpsc::Receiver<Box<dyn Command>>,
) -> Result<(), Error> {
    run(connection, "BEGIN IMMEDIATE")?;
    let mut next = 0;
    loop {
        while let Some(command) = batch.get_mut(next) {
            if let Err(error) = write_one(connection, command.as_mut()) {
                // The savepoint could not be made or ended (the disk is full, say): give up the whole transaction.
                let _ = run(connection, "ROLLBACK");
                return Err(error);
            }
            next += 1;
        }
        if batch.len() >= BATCH_COMMANDS_MAX {
            break;
        }
        match commands.try_recv() {
            Ok(command) => batch.push(command),
            Err(_) => break,
        }
    }
    run(connection, "COMMIT").inspect_err(|_| {
        let _ = run(connection, "ROLLBACK");
    })
}

fn write_one(connection: &Connection, command: &mut dyn Command) -> Result<(), Error> {
    run(connection, "SAVEPOINT command")?;
    let mut tx = Tx::sqlite(connection);
    let outcome = catch_unwind(AssertUnwindSafe(|| command.run(&mut tx)));
    let keep = outcome.unwrap_or_else(|_| {
        tracing::error!(command = command.name(), "a command panicked");
        command.refuse(Error::panicked(command.name()));
        false
    });
    // A full disk makes SQLite roll the whole transaction back by itself; then there is no savepoint left, and what made
    // it do so is what everybody in the batch must hear.
    if let Some(error) = tx.into_lost() {
        return Err(error);
    }
    if !keep {
        run(connection, "ROLLBACK TO command")?;
    }
    run(connection, "RELEASE command")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Queued;
    use crate::{Database, settings};

    fn small_file(folder: &tempfile::TempDir) -> Connection {
        let options = Options::new(folder.path().join("t.sqlite"));
        drop(Database::open(World::real(), &options).unwrap());
        let connection = connect(&options, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        prepare_to_write(&connection).unwrap();
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        connection.pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(())).unwrap();
        connection
    }

    type Answer = tokio::sync::oneshot::Receiver<Result<(), Error>>;

    fn put(name: &'static str, bytes: usize) -> (Box<dyn Command>, Answer) {
        let (command, answer) = Queued::new("put", move |tx: &mut Tx<'_>| settings::set(tx, name, &vec![1; bytes]));
        (Box::new(command), answer)
    }

    /// Runs them in one batch, and answers them.
    fn write(connection: &Connection, commands: Vec<Box<dyn Command>>) {
        let (_queue, mut none) = mpsc::channel(1);
        let mut batch = commands;
        let committed = write_batch(connection, &mut batch, &mut none);
        batch.drain(..).for_each(|command| command.answer(committed.as_ref().copied().map_err(Error::copy)));
    }

    fn is_there(connection: &Connection, name: &str) -> bool {
        settings::value(&mut Tx::sqlite(connection), name).unwrap().is_some()
    }

    #[test]
    fn a_full_disk_is_told_to_everybody_whose_commit_it_took() {
        let folder = tempfile::tempdir().unwrap();
        let connection = small_file(&folder);
        let ((first, mut one), (large, mut two), (last, mut three)) = (put("a", 10), put("b", 1 << 20), put("c", 10));
        write(&connection, vec![first, large, last]);
        for answer in [&mut one, &mut two, &mut three] {
            assert_eq!(answer.try_recv().unwrap().unwrap_err().kind, ErrorKind::Full);
        }
        assert!(!is_there(&connection, "a") && !is_there(&connection, "b") && !is_there(&connection, "c"));
        // There is room for little ones still.
        let (again, mut four) = put("a", 10);
        write(&connection, vec![again]);
        four.try_recv().unwrap().unwrap();
        assert!(is_there(&connection, "a"));
    }

    #[test]
    fn a_command_that_goes_on_after_a_full_disk_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let connection = small_file(&folder);
        let (command, mut answer) = Queued::new("careless", |tx: &mut Tx<'_>| {
            let _ = settings::set(tx, "large", &vec![1; 1 << 20]);
            settings::set(tx, "after", b"1")
        });
        write(&connection, vec![Box::new(command)]);
        assert_eq!(answer.try_recv().unwrap().unwrap_err().kind, ErrorKind::Full);
        assert!(!is_there(&connection, "after"));
    }
}
