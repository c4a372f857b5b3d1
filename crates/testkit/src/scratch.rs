//! A place for a throwaway database.

use entente_database::{Database, Options, postgres};
use entente_world::World;
use tempfile::TempDir;

/// Which engine tests use: `postgres`, or else a file.
const ENGINE: &str = "ENTENTE_TEST_DATABASE";

/// A place for one database, empty at first: a file, or on the test server when `ENTENTE_TEST_DATABASE=postgres`. What
/// is in it goes with the value; keep it as long as the database is used.
pub enum Scratch {
    /// A folder with a file.
    File(TempDir),
    /// A database on the test server.
    Server(entente_emulators::Database),
}

impl Scratch {
    /// A new place.
    ///
    /// # Panics
    /// When the machine cannot give a temporary folder, or a test server.
    #[must_use]
    pub fn new() -> Self {
        if is_on_server() {
            let database = entente_emulators::postgres().fresh_database();
            // Tests here do not pull the plug; those of the database itself do.
            database.execute(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name()));
            Self::Server(database)
        } else {
            Self::File(tempfile::tempdir().expect("a temporary folder"))
        }
    }

    /// Opens what is there, making it at first. May be opened several times at once, as by several nodes.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[must_use]
    pub fn open(&self, world: &World) -> Database {
        let opened = match self {
            Self::File(folder) => Database::open(world.clone(), &Options::new(folder.path().join("metadata.db"))),
            Self::Server(server) => {
                postgres::Options::parse(server.url()).and_then(|options| Database::connect(world.clone(), &options))
            }
        };
        opened.expect("a database")
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether tests use a database on a server.
#[expect(clippy::disallowed_methods, reason = "tests are told of the engine by their environment alone")]
#[must_use]
pub fn is_on_server() -> bool {
    std::env::var(ENGINE).is_ok_and(|engine| engine == "postgres")
}
