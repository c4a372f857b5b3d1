//! Where content is kept, as it is in force: the configuration's backends opened, its names given ids, and the vault's
//! topology made of both and of the relocations that are in force. All of it can be put in force anew while requests run.

mod claims;
mod custody;
mod gate;
mod generation;
mod names;
mod place;
mod reload;
mod reports;
mod view;

use crate::config::Config;
use crate::data::DataDirectory;
use crate::exit::{Exit, Failure};
use crate::relocation::redirects;
use claims::claim_all;
use custody::Custody;
use entente_clouds::claim::StoreId;
use entente_clouds::registry::Configuration;
use entente_custodians::Custodian;
use entente_database::relocations::{self, Redirect};
use entente_database::{Database, Tx, settings};
use entente_door_admin::OnEarlier;
use entente_model::BackendId;
use entente_vault::topology::{Member, Pace, Policy, Zone};
use entente_vault::{Topology, Vault};
use entente_world::{Shutdown, World};
pub(crate) use generation::Generations;
use generation::Judged;
pub(crate) use names::{Names, NamesError};
use place::Claimant;
pub(crate) use place::OpenBackend;
pub(crate) use reload::Reload;
pub(crate) use reports::Followed;
use reports::Reporter;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
pub(crate) use view::{cell, table};

/// The setting that says which installation this is.
const STORE_SETTING: &str = "store id";
/// How often each node looks whether relocations have been ordered or ended elsewhere, and how its backends are.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Where content is kept. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Storage {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    database: Database,
    store: StoreId,
    data: PathBuf,
    in_force: RwLock<Arc<InForce>>,
    /// The generation of the storage configuration that was applied last, by any node.
    newest: AtomicU64,
    /// Held by whoever puts something else in force.
    changing: tokio::sync::Mutex<()>,
    /// Set if the process is a node.
    reporter: OnceLock<Reporter>,
    /// What is told of each change, once there is one.
    vault: OnceLock<Vault>,
}

/// Everything that holds at one moment.
#[derive(Clone)]
pub(crate) struct InForce {
    pub(crate) config: Arc<Config>,
    pub(crate) names: Names,
    /// By name.
    pub(crate) backends: BTreeMap<String, Arc<OpenBackend>>,
    custody: Custody,
    redirects: Vec<Redirect>,
}

/// Who opens it, and what they may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A server: what is new in the configuration gets its id.
    Serve(OnEarlier),
    /// A command beside it: must find everything as the server uses it.
    Command,
}

impl Storage {
    /// Opens what is configured. A backend that cannot be reached stops nothing: it is down, and claimed later.
    ///
    /// Fails, with every reason in the text, when something is misconfigured or not ours, or would be lost.
    pub(crate) async fn open(
        world: &World,
        database: &Database,
        data: &DataDirectory,
        config: Config,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        let store = store_id(world, database).await?;
        let opening = Opening { world, database, store, data: data.path() };
        let in_force = opening.open(Arc::new(config), None, purpose).await?;
        let storage = Self {
            inner: Arc::new(Inner {
                world: world.clone(),
                database: database.clone(),
                store,
                data: data.path().to_owned(),
                in_force: RwLock::new(Arc::new(in_force)),
                newest: AtomicU64::new(0),
                changing: tokio::sync::Mutex::default(),
                reporter: OnceLock::new(),
                vault: OnceLock::new(),
            }),
        };
        if purpose != Purpose::Command {
            storage.forget_removed().await?;
        }
        Ok(storage)
    }

    /// What holds now.
    pub(crate) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.inner.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The topology that holds now.
    pub(crate) fn topology(&self) -> Topology {
        self.in_force().topology()
    }

    /// Custodians, that of the default policy's zone first.
    pub(crate) fn custodians(&self) -> Vec<Arc<dyn Custodian>> {
        let in_force = self.in_force();
        in_force.custody.in_order(&in_force.config.storage)
    }

    /// From now on this vault is told of every change.
    pub(crate) fn tell(&self, vault: &Vault) {
        let _ = self.inner.vault.set(vault.clone());
    }

    /// Reads the redirects anew and puts them in force, on this node at once; the others look every few seconds. For
    /// whoever has ordered, cancelled or ended a relocation.
    pub(crate) async fn refresh(&self) -> Result<(), entente_database::Error> {
        let _changing = self.inner.changing.lock().await;
        let read =
            |tx: &mut Tx<'_>| Ok::<_, entente_database::Error>((relocations::redirects(tx)?, Generations::newest(tx)?));
        let (redirects, newest) = self.inner.database.read_long(read).await?;
        self.note_newest(newest);
        let old = self.in_force();
        if old.redirects != redirects {
            self.put_in_force(InForce { redirects, ..old.as_ref().clone() });
        }
        Ok(())
    }

    /// Puts another configuration in force, wholly or not at all: what it declares about storage. Everything else of a
    /// configuration holds from the next start on.
    pub(crate) async fn reconfigure(&self, config: Config, on_earlier: OnEarlier) -> Result<(), Failure> {
        let _changing = self.inner.changing.lock().await;
        let old = self.in_force();
        if config.data != old.config.data || config.database.url != old.config.database.url {
            return Err(Failure::new(
                Exit::Usage,
                "the data directory and the database cannot be changed while the server runs; restart it",
            ));
        }
        let Inner { world, database, store, data, .. } = &*self.inner;
        let opening = Opening { world, database, store: *store, data };
        let new = opening.open(Arc::new(config), Some(&old), Purpose::Serve(on_earlier)).await?;
        self.put_in_force(new);
        self.forget_removed().await
    }

    /// Whether no other storage configuration has been applied since the one that is in force here, as far as is known.
    pub(crate) fn is_newest(&self) -> bool {
        self.inner.newest.load(Ordering::Relaxed) <= self.in_force().names.generation
    }

    fn note_newest(&self, newest: u64) {
        let generation = self.in_force().names.generation;
        let before = self.inner.newest.swap(newest, Ordering::Relaxed);
        if newest > generation && newest != before {
            tracing::error!(
                generation,
                newest,
                "another node has applied a newer storage configuration; give this one the file, and reload it"
            );
        }
    }

    fn put_in_force(&self, new: InForce) {
        let new = Arc::new(new);
        *self.inner.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        if let Some(vault) = self.inner.vault.get() {
            vault.reconfigure(new.topology());
        }
    }

    /// Forgets the replicas of backends that are no longer configured: their segments are durable elsewhere.
    async fn forget_removed(&self) -> Result<(), Failure> {
        for (name, backend) in &self.in_force().names.forgotten {
            let forgotten = names::forget(&self.inner.database, *backend).await?;
            if forgotten > 0 {
                tracing::info!(
                    backend = name.as_str(),
                    replicas = forgotten,
                    "forgot the copies on a backend that is no longer configured; all of them are durable elsewhere"
                );
            }
        }
        Ok(())
    }

    /// Looks after it until the process stops: follows relocations ordered on other nodes, claims backends that could not
    /// be reached, and asks those that nobody uses how they are.
    pub(crate) async fn keep_up(self, shutdown: Shutdown) {
        // Side by side: a backend that hangs keeps nobody from hearing of relocations.
        tokio::join!(self.follow(shutdown.clone()), self.look_after(shutdown));
    }

    async fn follow(&self, mut shutdown: Shutdown) {
        while self.pause(&mut shutdown).await {
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "the relocations in force cannot be read; those known before hold");
            }
        }
    }

    async fn look_after(&self, mut shutdown: Shutdown) {
        while self.pause(&mut shutdown).await {
            claims::look_after(&self.inner, &self.in_force()).await;
        }
    }

    /// Waits; answers whether to go on.
    async fn pause(&self, shutdown: &mut Shutdown) -> bool {
        tokio::select! {
            () = shutdown.requested() => {}
            () = self.inner.world.sleep(LOOK_EVERY) => {}
        }
        !shutdown.is_requested()
    }
}

impl InForce {
    /// The vault's view of it: what is configured, and the redirects that hold.
    pub(crate) fn topology(&self) -> Topology {
        let mut topology = self.named();
        redirects::apply(&mut topology, &self.redirects);
        topology
    }

    /// The same as if there were no relocations.
    pub(crate) fn named(&self) -> Topology {
        let storage = &self.config.storage;
        let id = |name: &String| self.names.backends.get(name).copied();
        let mut topology = Topology::default();
        for zone in &storage.zones {
            let (Some(zone_id), Some(custodian)) =
                (self.names.zones.get(&zone.name), self.custody.custodian(&zone.custodian))
            else {
                continue;
            };
            let members = zone.backends.iter().filter_map(|name| Some((id(name)?, member(self.backends.get(name)?))));
            topology.zones.insert(*zone_id, Zone { backends: members.collect(), custodian });
        }
        for policy in &storage.policies {
            let ids = (self.names.policies.get(&policy.name), self.names.zones.get(&policy.zone), id(&policy.primary));
            let (Some(policy_id), Some(zone), Some(primary)) = ids else { continue };
            let found = Policy {
                zone: *zone,
                primary,
                replicas: policy.replicas.iter().filter_map(id).collect(),
                durable: policy.durable,
                providers_min: policy.providers_min,
                on_primary_down: policy.on_primary_down,
            };
            topology.policies.insert(*policy_id, found);
        }
        topology
    }

    /// The name of a backend.
    pub(crate) fn backend_name(&self, backend: BackendId) -> Option<&str> {
        self.names.backends.iter().find(|(_, id)| **id == backend).map(|(name, _)| name.as_str())
    }

    /// Whether the rules of each policy allow what relocations in force make of it.
    fn check_redirects(&self) -> Result<(), NamesError> {
        let (named, meant) = (self.named(), self.topology());
        let mut reasons = Vec::new();
        for policy in &self.config.storage.policies {
            let Some(id) = self.names.policies.get(&policy.name) else { continue };
            let (Some(named), Some(meant)) = (named.policies.get(id), meant.policies.get(id)) else { continue };
            if named == meant {
                continue;
            }
            let copies = std::iter::once(&meant.primary).chain(&meant.replicas);
            let copies: Vec<_> = copies.filter_map(|id| self.backend_name(*id)).map(str::to_owned).collect();
            if let Err(why) = self.config.storage.allows(policy, &copies) {
                reasons.push(format!("with the relocations that are in force, {why}"));
            }
        }
        if reasons.is_empty() { Ok(()) } else { Err(NamesError::Refused(reasons)) }
    }
}

fn member(open: &Arc<OpenBackend>) -> Member {
    Member {
        cloud: Arc::clone(&open.cloud),
        provider: open.config.provider.clone(),
        rank: open.config.rank,
        pace: match open.config.place {
            Configuration::Fs { .. } | Configuration::Memory => Pace::Disk,
            Configuration::S3(_) | Configuration::Azure(_) | Configuration::Gcs(_) => Pace::Cloud,
        },
        health: Some(open.health.clone()),
    }
}

/// What opening a configuration must know.
struct Opening<'o> {
    world: &'o World,
    database: &'o Database,
    store: StoreId,
    data: &'o std::path::Path,
}

impl Opening<'_> {
    /// Opens everything before anything is changed in the database, so that a configuration which cannot be followed
    /// leaves no trace but markers in places that were nobody's.
    async fn open(&self, config: Arc<Config>, old: Option<&InForce>, purpose: Purpose) -> Result<InForce, Failure> {
        let Self { world, database, store, data } = self;
        let judged = database.read(Generations::read)?.judge(&config.storage);
        if let (Judged::Earlier(why), false) = (judged, purpose == Purpose::Serve(OnEarlier::Apply)) {
            return Err(Failure::new(Exit::Usage, why));
        }
        let known = match purpose {
            Purpose::Serve(_) => names::ids(database)?,
            Purpose::Command => names::look_up(database, &config.storage).map_err(refused)?.backends,
        };
        let custody = Custody::open(world, database, &config.storage, purpose)?;
        let backends: BTreeMap<String, Arc<OpenBackend>> = config
            .storage
            .backends
            .iter()
            .map(|backend| {
                let kept = old.and_then(|old| old.backends.get(&backend.name));
                let kept = kept.filter(|open| open.is_as(backend, &config)).map(Arc::clone);
                (backend.name.clone(), kept.unwrap_or_else(|| Arc::new(OpenBackend::new(world, backend, &config))))
            })
            .collect();
        let claimant = Claimant { world, database, store: *store, data };
        claim_all(&claimant, &backends, &known).await?;
        let names = match purpose {
            Purpose::Serve(on_earlier) => {
                names::take_over(world, database, &config.storage, on_earlier).await.map_err(refused)?
            }
            Purpose::Command => names::look_up(database, &config.storage).map_err(refused)?,
        };
        let redirects = database.read_long(relocations::redirects).await?;
        let in_force = InForce { config, names, backends, custody, redirects };
        in_force.check_redirects().map_err(refused)?;
        Ok(in_force)
    }
}

fn refused(error: NamesError) -> Failure {
    match error {
        NamesError::Database(error) => error.into(),
        NamesError::Refused(reasons) => {
            let mut text = "the configuration does not fit what is stored:".to_owned();
            for reason in reasons {
                let _ = write!(text, "\n  {reason}");
            }
            Failure::new(Exit::Usage, text)
        }
    }
}

/// Which installation this is; drawn when it is asked for the first time.
async fn store_id(world: &World, database: &Database) -> Result<StoreId, Failure> {
    let stored = match database.read(|tx| settings::value(tx, STORE_SETTING))? {
        Some(stored) => stored,
        None => {
            let drawn: [u8; 16] = world.random().bytes();
            database.transact("keep store id", move |tx| settings::keep(tx, STORE_SETTING, &drawn)).await?
        }
    };
    let bytes = <[u8; 16]>::try_from(stored.as_slice());
    bytes.map(StoreId::new).map_err(|_| Failure::new(Exit::Failed, "the store's id in the database is damaged"))
}
