//! Puts the rooms together: from an open store to a router that answers, and jobs that run.

use crate::config::UpkeepConfig;
use crate::metering::Meter;
use crate::status::Status;
use crate::store::{Opened, Store};
use crate::{front, upkeep};
use async_trait::async_trait;
use axum::Router;
use entente_clouds::fs::FsBackend;
use entente_clouds::{Backend, ErrorKind, ObjectName};
use entente_database::{Database, enterprises};
use entente_door_admin::Operations;
use entente_door_box::BoxDoor;
use entente_door_kit::host::{HostRoute, HostTable};
use entente_door_kit::metrics::Measure;
use entente_door_kit::origin::Origin;
use entente_door_kit::{Auth, Limits};
use entente_jobs::{Runner, Settings};
use entente_tree::Tree;
use entente_world::World;
use std::sync::Arc;

/// What the composition is told.
pub(crate) struct Plan {
    pub(crate) origin: Origin,
    pub(crate) limits: Limits,
    pub(crate) file_bytes_max: Option<u64>,
    pub(crate) upkeep: UpkeepConfig,
    pub(crate) meter: Meter,
}

/// Everything that serves.
pub(crate) struct Site {
    pub(crate) router: Router,
    pub(crate) runner: Runner,
}

/// Puts everything together. Call it inside a runtime.
pub(crate) fn compose(store: &Store, opened: Opened, plan: Plan) -> Site {
    let (world, database) = (store.world.clone(), store.database.clone());
    let Opened { vault, backend, signer } = opened;
    let identity = store.identity();
    let tree = Tree::new(world.clone(), database.clone(), vault.clone());
    let handlers = upkeep::handlers(&tree, &identity, &vault, &plan.upkeep);
    let runner = Runner::new(world.clone(), database.clone(), handlers, Settings::default());
    let auth = Auth::new(world.clone(), identity.clone(), signer);
    let mut options = entente_door_box::Options { origin: plan.origin, limits: plan.limits, ..Default::default() };
    options.file_bytes_max = plan.file_bytes_max.unwrap_or(options.file_bytes_max);
    let operations = Arc::new(Running { world, database, backend, meter: plan.meter });
    let admin = entente_door_admin::State { identity, operations, limits: plan.limits };
    let router = Router::new()
        .merge(front::router())
        .merge(entente_door_admin::router(admin))
        .merge(BoxDoor::new(tree, auth, options).router().layer(Measure::door("box")));
    Site { router, runner }
}

/// The vendors' host names that stand for our doors, when an internal DNS or a proxy brings them here.
pub(crate) fn hosts() -> HostTable {
    HostTable::new(vec![
        HostRoute::new("api.box.com", "/2.0", "/box/2.0"),
        HostRoute::new("api.box.com", "/oauth2", "/box/oauth2"),
        HostRoute::new("api.box.com", "/download", "/box/download"),
        HostRoute::new("upload.box.com", "/api/2.0", "/box/upload/2.0"),
        HostRoute::new("account.box.com", "/api/oauth2", "/box/oauth2"),
        HostRoute::new("dl.boxcloud.com", "/box/download", "/box/download"),
    ])
}

/// What the operator interface asks of a running server.
struct Running {
    world: World,
    database: Database,
    backend: FsBackend,
    meter: Meter,
}

#[async_trait]
impl Operations for Running {
    async fn ready(&self) -> Result<(), String> {
        self.database.read_long(enterprises::first).await.map_err(|error| {
            tracing::warn!(%error, "the database does not answer");
            "the database does not answer".to_owned()
        })?;
        // No object has this name; that the backend says so shows that it answers.
        match self.backend.stat(ObjectName::new([0; 16])).await {
            Err(error) if error.kind != ErrorKind::NotFound => {
                tracing::warn!(%error, "the backend does not answer");
                Err("the backend does not answer".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn metrics(&self) -> String {
        self.meter.render()
    }

    async fn status(&self) -> Result<serde_json::Value, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Status::of(&self.world, &self.database).await?.to_json())
    }
}
