//! Copies the write-ahead log back into the database file, aside, so that no commit waits for it.
//!
//! A thread runs passive checkpoints while the writer goes on; it never blocks anybody. A log that is nearly copied and
//! has grown long is started over by the writer itself between two batches, which then has little left to copy. For that
//! all readers must have left the log: short reads are waited for, longer ones are not.

use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The least time between two passive checkpoints.
const PAUSE: Duration = Duration::from_millis(250);
/// A log of this many pages (32 MiB) is started over.
const LOG_PAGES_LONG: i64 = 8_192;

/// How long a checkpoint that starts the log over waits for those in the way: readers, or another process. While it
/// waits, nobody else can write. What reads on when the wait ends is left alone, and there will be another time.
const PATIENCE: Duration = Duration::from_millis(20);

/// The writer's side.
pub(crate) struct Checkpointer {
    /// How patient the writer is with everything else.
    busy_timeout: Duration,
    wake: Option<Sender<()>>,
    log_is_long: Arc<AtomicBool>,
    awake: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread on a connection of its own.
    pub(crate) fn start(connection: Connection, busy_timeout: Duration) -> Result<Self, crate::Error> {
        let (wake, woken) = channel();
        let (log_is_long, awake) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (long, up) = (Arc::clone(&log_is_long), Arc::clone(&awake));
        let thread = crate::engine::spawn("database-checkpoint", move || run(&connection, &woken, &long, &up))?;
        Ok(Self { busy_timeout, wake: Some(wake), log_is_long, awake, thread: Some(thread) })
    }

    /// Called by the writer after each commit.
    pub(crate) fn committed(&self, writer: &Connection) {
        if let Some(wake) = &self.wake
            && !self.awake.swap(true, Ordering::Relaxed)
        {
            // A thread that is gone copies nothing; the log then grows until the next start, and nothing is lost.
            let _ = wake.send(());
        }
        if self.log_is_long.swap(false, Ordering::Relaxed) {
            let _ = writer.busy_timeout(PATIENCE);
            let _ = checkpoint(writer, "PRAGMA wal_checkpoint(RESTART)");
            let _ = writer.busy_timeout(self.busy_timeout);
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, woken: &Receiver<()>, log_is_long: &AtomicBool, awake: &AtomicBool) {
    while woken.recv().is_ok() {
        match checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
            Ok(pages) => log_is_long.store(pages > LOG_PAGES_LONG, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "a checkpoint failed; it is tried again after a later commit"),
        }
        // Nobody wakes it now, so this ends early only when the writer closes.
        if let Err(RecvTimeoutError::Disconnected) = woken.recv_timeout(PAUSE) {
            return;
        }
        awake.store(false, Ordering::Relaxed);
    }
}

/// Copies all of the log and empties its file, if nobody is in the way: the last thing that a writer does.
pub(crate) fn truncate(writer: &Connection) {
    let _ = writer.busy_timeout(PATIENCE);
    let _ = checkpoint(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
}

/// Runs a checkpoint; answers how many pages the log has.
fn checkpoint(connection: &Connection, sql: &'static str) -> Result<i64, rusqlite::Error> {
    connection.query_row(sql, [], |row| row.get(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection that would wait for an hour.
    fn connect(folder: &tempfile::TempDir) -> Connection {
        let connection = Connection::open(folder.path().join("t.sqlite")).unwrap();
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
        connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        connection.busy_timeout(Duration::from_secs(3600)).unwrap();
        connection
    }

    #[test]
    fn a_reader_of_an_old_state_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, reader) = (connect(&folder), connect(&folder));
        let checkpointer = Checkpointer::start(connect(&folder), Duration::from_secs(3600)).unwrap();
        writer.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
        writer.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        checkpointer.log_is_long.store(true, Ordering::Relaxed);
        checkpointer.committed(&writer);
        writer.execute_batch("INSERT INTO t VALUES (3)").unwrap();
        truncate(&writer);
        let seen: i64 = reader.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(seen, 1, "it still reads what it began with");
    }
}
