//! The engines behind one face: SQLite in a file, or PostgreSQL (and what speaks like it) over the network.

mod sqlite;
mod thread;

use crate::command::Queued;
use crate::postgres::{self, Postgres};
use crate::{Error, ErrorKind, Tx};
use entente_world::World;
use sqlite::Sqlite;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
pub(crate) use thread::spawn;
use tokio::sync::Semaphore;

/// How to open a database in a file.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file; its `-wal` and `-shm` companions stand beside it.
    pub path: PathBuf,
    /// Reader connections. Each may use up to 4 MiB for pages.
    pub readers: usize,
    /// How long a command line next to a running server waits for the other's write, at most.
    pub busy_timeout: Duration,
}

impl Options {
    /// The defaults for a file.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), readers: 4, busy_timeout: Duration::from_secs(10) }
    }
}

/// An open database. Cheap to clone; its writers stop when the last clone is gone.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    engine: Engine,
    /// Places for longer reads: one fewer than there are connections, so that short ones need not wait for them.
    long_reads: Arc<Semaphore>,
}

enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    /// Opens a file, creating and migrating it as needed.
    ///
    /// `Schema` when the file is of a newer version of this program, of another program, or has been moved to another
    /// database; `Damaged` when it is not a database; `Failed` when it cannot be opened. Blocks for some milliseconds:
    /// call it at start-up.
    pub fn open(world: World, options: &Options) -> Result<Self, Error> {
        let sqlite = Sqlite::open(&world, options)?;
        let readers = sqlite.readers();
        Ok(Self::new(world, Engine::Sqlite(sqlite), readers))
    }

    /// Connects to a database on a server that speaks as PostgreSQL does, migrating it as needed, and joins the nodes
    /// that share it.
    ///
    /// `Schema` when it is of a newer version of this program, of another program, or on a server that is too old;
    /// `Busy` when the server cannot be reached or has no room for another node; `Failed` when it refuses, for a reason
    /// that the message tells. Blocks for some tens of milliseconds, or until the time to connect is over.
    pub fn connect(world: World, options: &postgres::Options) -> Result<Self, Error> {
        let postgres = Postgres::connect(&world, options)?;
        let readers = postgres.readers();
        Ok(Self::new(world, Engine::Postgres(postgres), readers))
    }

    fn new(world: World, engine: Engine, readers: usize) -> Self {
        let long_reads = Arc::new(Semaphore::new(readers.saturating_sub(1).max(1)));
        Self { inner: Arc::new(Inner { world, engine, long_reads }) }
    }

    /// Runs a named command and answers once it is durable.
    ///
    /// The function may run more than once (after a serialization failure, or when a connection was lost), so it is
    /// a plain function of its arguments. When it answers `Err`, or a statement of it failed, nothing of it is kept.
    /// Dropping the future does not stop a command that is already queued.
    ///
    /// `Unknown` when the connection was lost at the commit and its outcome could not be found out: the command may
    /// have been done, wholly, or not at all. After every other error it has not been done.
    pub async fn transact<T, E, F>(&self, name: &'static str, function: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (command, answer) = Queued::new(name, function);
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.enqueue(Box::new(command)).await?,
            Engine::Postgres(postgres) => postgres.enqueue(Box::new(command)).await?,
        }
        answer.await.map_err(|_| stopped())?
    }

    /// Runs a short read where it stands: a few lookups by key, some microseconds each. Sees one consistent state.
    pub fn read<T, E, F>(&self, function: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        self.inner.read(function)
    }

    /// Runs a longer read (a listing, a walk) on another thread. Sees one consistent state. Waits while as many run as
    /// there are connections, less one.
    pub async fn read_long<T, E, F>(&self, function: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let stopping = || Error::new(ErrorKind::Stopping, "the process is stopping; try again");
        let place = Arc::clone(&self.inner.long_reads).acquire_owned().await.map_err(|_| stopping())?;
        let inner = Arc::clone(&self.inner);
        // The place goes along, so that a read whose caller went away still counts until it ends.
        let read = move || {
            let _place = place;
            inner.read(function)
        };
        self.inner.world.blocking(read).await.map_err(|_| stopping())?
    }

    /// The world that its ids and times come from.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.inner.world
    }
}

impl Inner {
    fn read<T, E, F>(&self, function: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(function),
            Engine::Postgres(postgres) => postgres.read(function),
        }
    }
}

pub(crate) fn stopped() -> Error {
    Error::new(ErrorKind::Stopping, "the database is closing; try again")
}
