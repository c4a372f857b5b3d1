//! Puts the rooms together: from an open store to a router that answers, and jobs that run.

use crate::config::UpkeepConfig;
use crate::exit::Failure;
use crate::front;
use crate::metering::Meter;
use crate::status::Status;
use crate::storage::{Reload, Storage};
use crate::store::{Opened, Store};
use crate::subscribers::StoredWebhooks;
use crate::upkeep::{Post, Rooms, Upkeep};
use async_trait::async_trait;
use axum::Router;
use axum::middleware::from_fn;
use entente_database::{Database, enterprises};
use entente_door_admin::OnEarlier;
use entente_door_admin::{BoxError, Operations};
use entente_door_box::BoxDoor;
use entente_door_dav::DavDoor;
use entente_door_kit::host::{HostRoute, HostTable};
use entente_door_kit::metrics::Measure;
use entente_door_kit::origin::Origin;
use entente_door_kit::{Auth, Limits};
use entente_door_oauth::OAuthDoor;
use entente_door_s3::S3Door;
use entente_door_scim::ScimDoor;
use entente_jobs::{Runner, Settings as JobSettings};
use entente_pictures::{Documents, Maker, Program};
use entente_subscriptions::{Reach, Sender, Settings};
use entente_tree::Tree;
use entente_world::World;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What the composition is told.
pub(crate) struct Plan {
    pub(crate) origin: Origin,
    pub(crate) limits: Limits,
    pub(crate) file_bytes_max: Option<u64>,
    /// The name below which each bucket has a host name of its own.
    pub(crate) s3_host: Option<String>,
    pub(crate) upkeep: UpkeepConfig,
    /// Who may be told of changes.
    pub(crate) subscribers: Settings,
    /// What sends letters.
    pub(crate) post: Post,
    /// Which addresses webhooks may have.
    pub(crate) webhooks: Reach,
    pub(crate) meter: Meter,
    /// The configuration file that was read, if one was.
    pub(crate) file: Option<PathBuf>,
}

/// Everything that serves.
pub(crate) struct Site {
    pub(crate) router: Router,
    /// The operator interface alone.
    pub(crate) admin: Router,
    /// The S3 door alone.
    pub(crate) s3: Router,
    pub(crate) reload: Reload,
    pub(crate) runner: Runner,
    pub(crate) upkeep: Upkeep,
    pub(crate) sender: Sender,
    pub(crate) door: BoxDoor,
}

/// Puts everything together. Call it inside a runtime.
pub(crate) fn compose(store: &Store, opened: Opened, plan: Plan) -> Result<Site, Failure> {
    let (world, database) = (store.world.clone(), store.database.clone());
    let Opened { vault, storage, signer, access_keys, factors, providers, signature_keys } = opened;
    let (identity, trash) = (store.identity(), plan.upkeep.trash.0);
    let tree = Tree::new(world.clone(), database.clone(), vault.clone());
    let webhooks = Arc::new(StoredWebhooks { database: database.clone(), keys: signature_keys });
    let settings = plan.subscribers.clone().with_webhooks(webhooks, plan.webhooks);
    let upkeep = Upkeep::new(Rooms {
        world: world.clone(),
        database: database.clone(),
        tree: tree.clone(),
        identity: identity.clone(),
        vault,
        storage: storage.clone(),
        targets: settings.names().map(str::to_owned).collect(),
        post: plan.post,
        config: plan.upkeep,
    });
    let sender = Sender::new(world.clone(), database.clone(), settings);
    let sender = sender.map_err(anyhow::Error::from)?;
    let runner = Runner::new(world.clone(), database.clone(), upkeep.handlers(), job_settings());
    let auth = Auth::new(world.clone(), identity.clone(), signer);
    let mut options = entente_door_box::Options { origin: plan.origin, limits: plan.limits, ..Default::default() };
    options.file_bytes_max = plan.file_bytes_max.unwrap_or(options.file_bytes_max);
    options.trash = Some(trash);
    options.plain_webhooks = plan.webhooks == Reach::Anywhere;
    options.pictures = Some(pictures(&world));
    let data = store.data.path().to_owned();
    let dav_options =
        entente_door_dav::Options { origin: options.origin.clone(), file_bytes_max: options.file_bytes_max };
    let dav = DavDoor::new(tree.clone(), auth.clone(), dav_options).router().layer(Measure::door("dav"));
    let oauth_options = entente_door_oauth::Options { origin: options.origin.clone(), limits: plan.limits };
    let oauth = OAuthDoor::new(identity.clone(), factors, providers, oauth_options).router();
    let oauth = oauth.layer(Measure::door("oauth"));
    let scim_options = entente_door_scim::Options { origin: options.origin.clone(), limits: plan.limits };
    let scim = ScimDoor::new(tree.clone(), auth.clone(), scim_options).router().layer(Measure::door("scim"));
    let s3_options = entente_door_s3::Options {
        domain: plan.s3_host,
        origin: options.origin.clone(),
        targets: plan.subscribers.names().map(str::to_owned).collect(),
        ..Default::default()
    };
    let s3 = S3Door::new(tree.clone(), auth.clone(), access_keys, s3_options);
    let s3 = s3.router().layer(Measure::door("s3"));
    let reload = Reload { world: world.clone(), storage: storage.clone(), file: plan.file, data };
    let operations = Arc::new(Running { world, database, storage, reload: reload.clone(), meter: plan.meter });
    let (movements, limits) = (Arc::new(upkeep.clone()), plan.limits);
    let admin = entente_door_admin::router(entente_door_admin::State {
        identity,
        tree: tree.clone(),
        operations,
        movements,
        limits,
    });
    let door = BoxDoor::new(tree, auth, options);
    let router = Router::new()
        .merge(front::router())
        .merge(entente_door_web::router())
        .merge(admin.clone())
        .merge(dav.layer(from_fn(front::never_run)))
        .merge(oauth)
        .merge(scim)
        .merge(door.router().layer(Measure::door("box")).layer(from_fn(front::never_run)));
    Ok(Site { router, admin, s3, reload, runner, upkeep, sender, door })
}

/// This very program, also when its file has been replaced since it was started.
/// Makes pictures with this very program.
fn pictures(world: &World) -> Maker {
    let program = |verb: &str, seconds| {
        let time = Duration::from_secs(seconds);
        Program { path: "/proc/self/exe".into(), arguments: vec![verb.to_owned()], time }
    };
    let documents = Documents::found(program("document-worker", 60));
    tracing::info!(pdf = documents.pdf, office = documents.office, "documents that pictures are made of");
    Maker::new(world.clone(), program("picture-worker", 20), Some(documents))
}

/// Some jobs take hours; the others must not wait for them.
fn job_settings() -> JobSettings {
    JobSettings { concurrency: 8, ..JobSettings::default() }
}

/// The vendors' host names that stand for our doors, when an internal DNS or a proxy brings them here.
pub(crate) fn hosts() -> HostTable {
    HostTable::new(vec![
        HostRoute::new("api.box.com", "/2.0", "/box/2.0"),
        HostRoute::new("api.box.com", "/oauth2", "/box/oauth2"),
        HostRoute::new("api.box.com", "/download", "/box/download"),
        HostRoute::new("api.box.com", "/realtime", "/box/realtime"),
        HostRoute::new("upload.box.com", "/api/2.0", "/box/upload/2.0"),
        HostRoute::new("account.box.com", "/api/oauth2", "/box/oauth2"),
        HostRoute::new("dl.boxcloud.com", "/box/download", "/box/download"),
    ])
}

/// What the operator interface asks of a running server.
struct Running {
    world: World,
    database: Database,
    storage: Storage,
    reload: Reload,
    meter: Meter,
}

#[async_trait]
impl Operations for Running {
    async fn ready(&self) -> Result<Vec<String>, String> {
        self.database.read_long(enterprises::first).await.map_err(|error| {
            tracing::warn!(%error, "the database does not answer");
            "the database does not answer".to_owned()
        })?;
        self.storage.readable().await
    }

    fn metrics(&self) -> String {
        self.meter.render()
    }

    async fn status(&self) -> Result<Value, BoxError> {
        Ok(Status::of(&self.world, &self.database).await?.to_json())
    }

    async fn backends(&self) -> Result<Value, BoxError> {
        Ok(self.storage.backends().await?)
    }

    async fn zones(&self) -> Result<Value, BoxError> {
        Ok(self.storage.zones())
    }

    async fn policies(&self) -> Result<Value, BoxError> {
        Ok(self.storage.policies().await?)
    }

    async fn reload(&self, on_earlier: OnEarlier) -> Result<Value, String> {
        self.reload.run(on_earlier).await
    }
}

#[cfg(test)]
mod tests {
    use super::job_settings;
    use std::time::Duration;

    #[test]
    fn another_node_takes_over_within_15_seconds() {
        assert!(job_settings().takeover() <= Duration::from_secs(15));
    }
}
