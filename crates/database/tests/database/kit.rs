use entente_database::{Database, Error, Options, Tx, postgres, settings};
use entente_world::World;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use tempfile::TempDir;

/// A place for one database, on the engine that `ENTENTE_TEST_DATABASE` names: a file, or on a server.
pub enum Kit {
    File(FileKit),
    Server(ServerKit),
}

impl Kit {
    pub fn new() -> Self {
        match std::env::var("ENTENTE_TEST_DATABASE") {
            Ok(engine) if engine == "postgres" => Self::Server(ServerKit::new()),
            _ => Self::File(FileKit::new()),
        }
    }

    pub fn open(&self) -> Database {
        self.open_in(World::real())
    }

    pub fn open_in(&self, world: World) -> Database {
        match self {
            Self::File(kit) => Database::open(world, &kit.options()).unwrap(),
            Self::Server(kit) => Database::connect(world, &kit.options()).unwrap(),
        }
    }

    pub fn open_with_readers(&self, readers: usize) -> Database {
        match self {
            Self::File(kit) => Database::open(World::real(), &Options { readers, ..kit.options() }).unwrap(),
            Self::Server(kit) => {
                Database::connect(World::real(), &postgres::Options { readers, ..kit.options() }).unwrap()
            }
        }
    }
}

/// A folder with one database file: for what only SQLite does.
pub struct FileKit {
    pub folder: TempDir,
}

impl FileKit {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("test.sqlite")
    }

    pub fn options(&self) -> Options {
        Options::new(self.path())
    }

    pub fn open(&self) -> Database {
        Database::open(World::real(), &self.options()).unwrap()
    }
}

/// An empty database on the test server: for what only PostgreSQL does.
pub struct ServerKit(entente_emulators::Database);

impl ServerKit {
    pub fn new() -> Self {
        Self(entente_emulators::postgres().fresh_database())
    }

    /// Runs a statement beside us; answers what it selects.
    pub fn execute(&self, statement: &str) -> String {
        self.0.execute(statement)
    }

    pub fn url(&self) -> &str {
        self.0.url()
    }

    /// One writer, so that tests can tell what shares a batch.
    pub fn options(&self) -> postgres::Options {
        postgres::Options { writers: 1, ..postgres::Options::parse(self.url()).unwrap() }
    }

    pub fn open(&self) -> Database {
        Database::connect(World::real(), &self.options()).unwrap()
    }
}

/// Sets a value, durably.
pub async fn set(database: &Database, name: &str, value: &[u8]) -> Result<(), Error> {
    let (name, value) = (name.to_owned(), value.to_vec());
    database.transact("set", move |tx| settings::set(tx, &name, &value)).await
}

pub fn value(database: &Database, name: &str) -> Option<Vec<u8>> {
    database.read(|tx| settings::value(tx, name)).unwrap()
}

/// A number that is kept as a setting; 0 when it is not there.
pub fn number(tx: &mut Tx<'_>, name: &str) -> Result<u64, Error> {
    Ok(settings::value(tx, name)?.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap())))
}

pub fn add_one(tx: &mut Tx<'_>, name: &str) -> Result<u64, Error> {
    let next = number(tx, name)? + 1;
    settings::set(tx, name, &next.to_be_bytes())?;
    Ok(next)
}

/// Two ends of a place in a test where one thread waits for another.
pub struct Gate {
    reached: Receiver<()>,
    open: Sender<()>,
}

pub struct AtGate {
    reached: Sender<()>,
    open: Receiver<()>,
}

impl Gate {
    pub fn new() -> (Self, AtGate) {
        let ((reached, is_reached), (open, is_open)) = (channel(), channel());
        (Self { reached: is_reached, open }, AtGate { reached, open: is_open })
    }

    /// Waits until somebody stands at the gate.
    pub fn reached(&self) {
        self.reached.recv().unwrap();
    }

    pub fn open(&self) {
        self.open.send(()).unwrap();
    }
}

impl AtGate {
    /// Says that it is reached, and waits until it is open.
    pub fn pass(&self) {
        self.reached.send(()).unwrap();
        self.open.recv().unwrap();
    }
}

/// Polls once, which starts it; it must not be done yet.
pub async fn start<F: Future>(mut future: Pin<&mut F>) {
    std::future::poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}
