//! Where orders go: to the server that runs on the data directory, or, without one, here; and the work that is done here.

use crate::asking::Running;
use crate::exit::{Exit, Failure};
use crate::post::post;
use crate::store::{Opened, Store};
use crate::upkeep::{Rooms, Upkeep};
use entente_door_admin::Refused;
use entente_jobs::{Runner, Settings};
use entente_tree::Tree;
use entente_vault::Limits;
use entente_world::{Shutdown, ShutdownTrigger};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Who takes orders.
pub(crate) enum Desk {
    /// The server.
    Server(Running),
    /// This process.
    Here(Box<Upkeep>),
}

impl Desk {
    /// The server that accepts requests, if one does; else this process, with keys and backends opened.
    pub(crate) async fn at(store: &Store) -> Result<Self, Failure> {
        if let Some(server) = Running::on(&store.data) {
            return Ok(Self::Server(server));
        }
        let Opened { vault, storage, .. } = store.vault(Limits::default()).await?;
        let tree = Tree::new(store.world.clone(), store.database.clone(), vault.clone());
        Ok(Self::Here(Box::new(Upkeep::new(Rooms {
            world: store.world.clone(),
            database: store.database.clone(),
            tree,
            identity: store.identity(),
            vault,
            storage,
            targets: store.config.targets.iter().map(|target| target.name.clone()).collect(),
            post: post(&store.world, &store.config, store.config.public_url.as_ref())?,
            config: store.config.upkeep.clone(),
        }))))
    }
}

/// What the jobs that an order made need done, if no server does it.
pub(crate) struct Foreground(Option<(ShutdownTrigger, JoinHandle<()>)>);

impl Foreground {
    /// Runs jobs here, under leases: should a server start meanwhile, they share the work.
    pub(crate) fn begin(store: &Store, desk: Desk) -> Self {
        let Desk::Here(upkeep) = desk else { return Self(None) };
        let settings = Settings { concurrency: 2, poll: Duration::from_millis(200), ..Settings::default() };
        let runner = Runner::new(store.world.clone(), store.database.clone(), upkeep.handlers(), settings);
        let (trigger, stop) = Shutdown::new();
        Self(Some((trigger, store.world.spawn(async move { runner.run(stop).await }))))
    }

    /// Whether it is done here.
    pub(crate) fn is_here(&self) -> bool {
        self.0.is_some()
    }

    /// Ends what is under way here, and gives the rest back.
    pub(crate) async fn end(self) {
        if let Some((trigger, task)) = self.0 {
            trigger.request();
            // A panic in the runner has been logged; there is nothing to wait for then.
            let _ = task.await;
        }
    }
}

/// As the command line tells it.
pub(crate) fn refused(refused: Refused) -> Failure {
    match refused {
        Refused::Failed(cause) => anyhow::Error::from_boxed(cause).into(),
        refused => Failure::new(Exit::Failed, refused),
    }
}
