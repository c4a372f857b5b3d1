//! Copies the write-ahead log back into the database file, aside, so that no commit waits for it.
//!
//! A thread runs passive checkpoints while the writer goes on; it never blocks anybody. A log that is nearly copied and
//! has grown long is started over by the writer itself between two batches, which then has little left to copy.

use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The least time between two passive checkpoints.
const PAUSE: Duration = Duration::from_millis(250);
/// A log of this many pages (32 MiB) is started over.
const LOG_PAGES_LONG: i64 = 8_192;

/// The writer's side.
pub(crate) struct Checkpointer {
    wake: Option<Sender<()>>,
    log_is_long: Arc<AtomicBool>,
    awake: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread on a connection of its own.
    pub(crate) fn start(connection: Connection) -> Result<Self, crate::Error> {
        let (wake, woken) = channel();
        let (log_is_long, awake) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (long, up) = (Arc::clone(&log_is_long), Arc::clone(&awake));
        let thread = crate::engine::spawn("database-checkpoint", move || run(&connection, &woken, &long, &up))?;
        Ok(Self { wake: Some(wake), log_is_long, awake, thread: Some(thread) })
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
            // Readers that are in the way are not waited for: there will be another time.
            let _ = checkpoint(writer, "PRAGMA wal_checkpoint(RESTART)");
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

/// Runs a checkpoint; answers how many pages the log has.
fn checkpoint(connection: &Connection, sql: &'static str) -> Result<i64, rusqlite::Error> {
    connection.query_row(sql, [], |row| row.get(1))
}
