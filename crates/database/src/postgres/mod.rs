//! PostgreSQL, and what speaks as it does: a few writers, each with batches of commands in serializable transactions,
//! and a pool of connections that read.
//!
//! The client is our own, blocking and small: a command is a plain function that runs on a thread, and its statements
//! go out in a row without waiting for one another wherever nobody asks for an answer. `postgres-protocol` encodes and
//! decodes the messages.

mod address;
mod connect;
mod connection;
mod failure;
mod node;
mod pace;
mod pool;
mod queue;
mod row;
mod schema;
mod socket;
mod target;
mod tls;
mod transaction;
mod wire;
mod write;

use crate::command::{Command, Queued};
use crate::engine::spawn;
use crate::{Error, ErrorKind, Tx, migrations};
pub use address::Address;
use connect::{Purpose, connect};
use entente_world::World;
use node::Node;
use pool::Pool;
use queue::Queue;
pub(crate) use row::Row;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
pub(crate) use target::Target;
pub(crate) use transaction::Transaction;
use write::Writer;
use zeroize::Zeroizing;

/// How often a node gives a sign of life. Its number is taken from it after six that failed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// How to reach a database on a server, and how much of the server to use. Does not print its password.
#[derive(Clone)]
pub struct Options {
    /// Where it is.
    pub address: Address,
    /// Connections that read, made as they are needed.
    pub readers: usize,
    /// Connections that write. Fewer work while they would meet in the same rows.
    pub writers: usize,
    /// How long a read waits for a connection.
    pub wait_max: Duration,
    /// How long the server may work on one statement.
    pub statement_timeout: Duration,
    /// The same when the schema is changed.
    pub maintenance_timeout: Duration,
    /// How long a command waits for a server that has gone away, as during a restart.
    pub patience: Duration,
    /// How long to ask what became of a commit whose answer was lost.
    pub doubt_max: Duration,
}

impl Options {
    /// The defaults for `postgres://user:password@host:port/database`.
    ///
    /// Several hosts, with commas between them, are tried in turn. Parameters: `sslmode` (`verify-full`, which is the
    /// default for other machines, or `disable`), `sslrootcert` (a file of certificates to trust in place of the
    /// system's), `connect_timeout` in seconds. `Failed` when the text is not such a URL, without repeating it.
    pub fn parse(url: &str) -> Result<Self, Error> {
        Ok(Self {
            address: Address::parse(url)?,
            readers: 16,
            writers: 4,
            wait_max: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            maintenance_timeout: Duration::from_secs(6 * 3600),
            patience: Duration::from_secs(15),
            doubt_max: Duration::from_secs(60),
        })
    }

    /// With a password that does not stand in the URL.
    #[must_use]
    pub fn with_password(mut self, password: Zeroizing<String>) -> Self {
        self.address.password = Some(password);
        self
    }
}

/// An open database on a server.
pub(crate) struct Postgres {
    options: Arc<Options>,
    readers: Pool,
    queue: Arc<Queue>,
    writers: Vec<JoinHandle<()>>,
    node: Arc<Mutex<Node>>,
    /// Dropped to end the signs of life.
    living: Option<Sender<()>>,
    heart: Option<JoinHandle<()>>,
}

impl Postgres {
    pub(crate) fn connect(world: &World, options: &Options) -> Result<Self, Error> {
        let options = Arc::new(options.clone());
        let mut first = connect(&options, Purpose::Maintain)?;
        schema::prepare(&mut first, world.now())?;
        let id = random_id(world);
        let mut tx = Tx::postgres(Transaction::write(&mut first, 0, false));
        world.ids_after(migrations::greatest_id(&mut tx)?);
        let node = node::join(&mut tx, id)?;
        node::clear(&mut tx)?;
        drop(tx);
        first.exchange(&mut |_| {}).map_err(|failure| failure.error)?;
        world.use_process_number(node.number);

        let queue = Arc::new(Queue::new(options.writers));
        let mut postgres = Self {
            readers: Pool::new(Arc::clone(&options)),
            options: Arc::clone(&options),
            queue: Arc::clone(&queue),
            writers: Vec::new(),
            node: Arc::new(Mutex::new(node)),
            living: None,
            heart: None,
        };
        for _ in 0..options.writers.max(1) {
            let writer = Writer {
                world: world.clone(),
                options: Arc::clone(&options),
                queue: Arc::clone(&queue),
                id: random_id(world),
                node: id,
                connection: None,
                batch: 0,
                is_reachable: true,
            };
            postgres.writers.push(spawn("database-writer", move || writer.run())?);
        }
        let (living, dead) = channel::<()>();
        let (world, node) = (world.clone(), Arc::clone(&postgres.node));
        let beat = move || {
            while let Err(RecvTimeoutError::Timeout) = dead.recv_timeout(SIGN_OF_LIFE) {
                if let Err(error) = queue.try_push(sign_of_life(&world, &node)) {
                    tracing::warn!(%error, "a sign of life could not be given");
                }
            }
        };
        postgres.living = Some(living);
        postgres.heart = Some(spawn("database-node", beat)?);
        Ok(postgres)
    }

    pub(crate) fn readers(&self) -> usize {
        self.options.readers.max(1)
    }

    pub(crate) async fn enqueue(&self, command: Box<dyn Command>) -> Result<(), Error> {
        self.queue.push(command).await
    }

    pub(crate) fn read<T, E, F>(&self, function: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        let read = || {
            let mut lent = self.readers.take()?;
            let gone = || Error::new(ErrorKind::Failed, "a connection that was lent is gone");
            let connection = lent.connection.as_mut().ok_or_else(gone)?;
            let mut tx = Tx::postgres(Transaction::read(connection, &self.options));
            let answer = function(&mut tx);
            if let Some(transaction) = tx.into_postgres() {
                transaction.end_read();
            }
            lent.give_back();
            answer
        };
        // Other tasks go on meanwhile, where there are other threads for them.
        match tokio::runtime::Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Ok(tokio::runtime::RuntimeFlavor::MultiThread) => tokio::task::block_in_place(read),
            _ => read(),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.living = None;
        if let Some(heart) = self.heart.take() {
            let _ = heart.join();
        }
        let node = *self.node.lock().unwrap_or_else(PoisonError::into_inner);
        // Without it, the number comes free a minute later.
        let (farewell, _) = Queued::new("leave", move |tx: &mut Tx<'_>| node::leave(tx, node));
        let _ = self.queue.try_push(Box::new(farewell));
        self.queue.close();
        let here = std::thread::current().id();
        // A command may have held the last clone: then this is a writer's own thread, which cannot wait for itself.
        for writer in self.writers.drain(..).filter(|writer| writer.thread().id() != here) {
            // A writer that panicked has already answered nobody; there is nothing left to do here.
            let _ = writer.join();
        }
    }
}

/// Keeps the node's number; takes another if it was lost, as after the process stood still for a while.
fn sign_of_life(world: &World, node: &Arc<Mutex<Node>>) -> Box<dyn Command> {
    let (world, node) = (world.clone(), Arc::clone(node));
    let (command, _) = Queued::new("sign of life", move |tx: &mut Tx<'_>| -> Result<(), Error> {
        let held = *node.lock().unwrap_or_else(PoisonError::into_inner);
        if !node::renew(tx, held)? {
            let new = node::join(tx, held.id)?;
            tracing::warn!(old = held.number, new = new.number, "the node's number had been given up; it has another");
            world.use_process_number(new.number);
            *node.lock().unwrap_or_else(PoisonError::into_inner) = new;
        }
        Ok(())
    });
    Box::new(command)
}

fn random_id(world: &World) -> i64 {
    i64::try_from(world.random().number() >> 1).unwrap_or(0)
}
