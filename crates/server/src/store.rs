//! What is in a data directory, opened: database, keys, backends, vault.

use crate::config::{Config, DatabaseConfig};
use crate::data::{DataDirectory, Metadata};
use crate::exit::{Exit, Failure};
use crate::storage::{Purpose, Storage};
use anyhow::Context;
use entente_clouds::SecretSource;
use entente_custodians::Custodian;
use entente_database::enterprises::{self, Enterprise};
use entente_database::users::{self, NewUser};
use entente_database::{Database, Options, policies, postgres, zones};
use entente_door_admin::OnEarlier;
use entente_identity::{AccessKeys, Identity, Providers, SecondFactors, SignatureKeys, Signer, User};
use entente_model::{EnterpriseId, UserRole, ZoneId};
use entente_vault::{Limits, Vault};
use entente_world::World;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Who administers a new store.
pub(crate) const ADMINISTRATOR: &str = "admin@entente.local";
const ENTERPRISE_NAME: &str = "Entente";
/// Readers of a command: it is alone, and does one thing after the other.
const COMMAND_READERS: usize = 2;
/// Users that are looked through for an administrator.
const USERS_MAX: u32 = 1_000;
/// A longer secret is none.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Whether the store has just been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    First,
    Later,
}

/// An open data directory.
pub(crate) struct Store {
    pub(crate) world: World,
    pub(crate) data: DataDirectory,
    pub(crate) database: Database,
    pub(crate) enterprise: Enterprise,
    pub(crate) config: Config,
}

/// What needs the keys.
pub(crate) struct Opened {
    pub(crate) vault: Vault,
    pub(crate) storage: Storage,
    pub(crate) signer: Signer,
    pub(crate) access_keys: AccessKeys,
    pub(crate) factors: SecondFactors,
    pub(crate) providers: Providers,
    pub(crate) signature_keys: SignatureKeys,
}

impl Store {
    /// Opens a store that a server has made.
    pub(crate) fn open(world: &World, config: Config) -> Result<Self, Failure> {
        let data = DataDirectory::existing(&config.data, config.database.metadata())?;
        let database = open_database(world, &data, &config.database, Some(COMMAND_READERS))?;
        let enterprise = database.read(enterprises::first)?.ok_or_else(|| {
            let message = format!("{} was never completed; `entente serve` does that", data.path().display());
            Failure::new(Exit::DataDirectory, message)
        })?;
        Ok(Self { world: world.clone(), data, database, enterprise, config })
    }

    /// Opens a store to serve, with all that is configured, making what is missing of a new one. Taken up again where a
    /// first start was cut off.
    pub(crate) async fn open_or_make(
        world: &World,
        data: DataDirectory,
        config: Config,
        limits: Limits,
        on_earlier: OnEarlier,
    ) -> Result<(Self, Opened, Start), Failure> {
        let database = open_database(world, &data, &config.database, None)?;
        // Keys and backends come first: a store that has an enterprise is complete.
        let storage = Storage::open(world, &database, &data, config.clone(), Purpose::Serve(on_earlier)).await?;
        let (enterprise, start) = match database.read(enterprises::first)? {
            Some(enterprise) => (enterprise, Start::Later),
            None => make_enterprise(world, &database).await?,
        };
        let store = Self { world: world.clone(), data, database, enterprise, config };
        store.identity().ensure_web_app(store.enterprise.id).await?;
        let opened = store.with_keys(storage, limits).await?;
        Ok((store, opened, start))
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::new(self.world.clone(), self.database.clone())
    }

    /// Somebody who administers the store: whoever may read the data directory may act for them.
    pub(crate) async fn administrator(&self) -> Result<User, Failure> {
        let identity = self.identity();
        match identity.user_by_login(ADMINISTRATOR) {
            Ok(user) if user.role == UserRole::Admin => return Ok(user),
            _ => {}
        }
        let users = identity.users(self.enterprise.id, 0, USERS_MAX).await?;
        let none = || Failure::new(Exit::Failed, "no user of the enterprise is an administrator; make one");
        users.into_iter().find(|user| user.role == UserRole::Admin).ok_or_else(none)
    }

    /// Opens keys and backends as a server uses them, and makes sure that they are those that the data was made with: for
    /// a command.
    pub(crate) async fn vault(&self, limits: Limits) -> Result<Opened, Failure> {
        let storage = self.storage().await?;
        self.with_keys(storage, limits).await
    }

    /// Opens the backends as a server uses them: for a command.
    pub(crate) async fn storage(&self) -> Result<Storage, Failure> {
        Storage::open(&self.world, &self.database, &self.data, self.config.clone(), Purpose::Command).await
    }

    /// What makes and knows access keys: for a command.
    pub(crate) async fn access_keys(&self) -> Result<AccessKeys, Failure> {
        let storage = self.storage().await?;
        Ok(access_keys(&self.world, &self.database, &storage.custodians()).await?)
    }

    /// What knows with whom people sign in: for a command.
    pub(crate) async fn sign_in_providers(&self) -> Result<Providers, Failure> {
        let storage = self.storage().await?;
        self.providers(&storage).await
    }

    async fn providers(&self, storage: &Storage) -> Result<Providers, Failure> {
        let identity = self.identity();
        let load = async |custodian: &dyn Custodian| Providers::load(identity.clone(), custodian).await;
        Ok(by_any(&storage.custodians(), load).await?)
    }

    /// What makes the keys with which webhooks are signed: for a command.
    pub(crate) async fn signature_keys(&self) -> Result<SignatureKeys, Failure> {
        let storage = self.storage().await?;
        self.keys_for_signatures(&storage).await
    }

    async fn keys_for_signatures(&self, storage: &Storage) -> Result<SignatureKeys, Failure> {
        let identity = self.identity();
        let load = async |custodian: &dyn Custodian| SignatureKeys::load(identity.clone(), custodian).await;
        Ok(by_any(&storage.custodians(), load).await?)
    }

    async fn with_keys(&self, storage: Storage, limits: Limits) -> Result<Opened, Failure> {
        let signer = signer(&self.world, &self.database, &storage.custodians()).await?;
        let access_keys = access_keys(&self.world, &self.database, &storage.custodians()).await?;
        let identity = self.identity();
        let load = async |custodian: &dyn Custodian| SecondFactors::load(identity.clone(), custodian).await;
        let factors = by_any(&storage.custodians(), load).await?;
        let providers = self.providers(&storage).await?;
        let signature_keys = self.keys_for_signatures(&storage).await?;
        let ledger = Arc::new(self.database.clone());
        let vault = Vault::new(self.world.clone(), ledger, storage.topology(), limits);
        storage.tell(&vault);
        let configured: Vec<ZoneId> = storage.in_force().names.zones.values().copied().collect();
        for zone in configured {
            for enterprise in self.database.read_long(move |tx| zones::enterprises_with_keys(tx, zone)).await? {
                vault.check_keys(enterprise, zone).await.map_err(anyhow::Error::from)?;
            }
        }
        Ok(Opened { vault, storage, signer, access_keys, factors, providers, signature_keys })
    }
}

async fn signer(
    world: &World,
    database: &Database,
    custodians: &[Arc<dyn Custodian>],
) -> Result<Signer, entente_identity::Error> {
    by_any(custodians, async |custodian| Signer::load(world, database, custodian).await).await
}

async fn access_keys(
    world: &World,
    database: &Database,
    custodians: &[Arc<dyn Custodian>],
) -> Result<AccessKeys, entente_identity::Error> {
    by_any(custodians, async |custodian| AccessKeys::load(world, database, custodian).await).await
}

/// A key of the whole database is wrapped by the custodian that was the default's when it was made.
async fn by_any<T>(
    custodians: &[Arc<dyn Custodian>],
    load: impl AsyncFn(&dyn Custodian) -> Result<T, entente_identity::Error>,
) -> Result<T, entente_identity::Error> {
    let mut first = None;
    for custodian in custodians {
        match load(custodian.as_ref()).await {
            Err(entente_identity::Error::Custodian(error)) => first = first.or(Some(error)),
            done => return done,
        }
    }
    let none = || entente_custodians::Error::new(entente_custodians::ErrorKind::Misconfigured, "there is no custodian");
    Err(entente_identity::Error::Custodian(first.unwrap_or_else(none)))
}

impl DatabaseConfig {
    /// Where metadata is.
    pub(crate) const fn metadata(&self) -> Metadata {
        if self.url.is_some() { Metadata::Elsewhere } else { Metadata::Here }
    }
}

/// Opens the database that is configured.
pub(crate) fn open_database(
    world: &World,
    data: &DataDirectory,
    config: &DatabaseConfig,
    readers: Option<usize>,
) -> Result<Database, Failure> {
    let Some(url) = &config.url else {
        let mut options = Options::new(data.database());
        options.readers = readers.or(config.readers).unwrap_or(options.readers);
        let opened = Database::open(world.clone(), &options);
        return Ok(opened.with_context(|| format!("cannot open {}", data.database().display()))?);
    };
    let mut options = server_options(url, config)?;
    options.readers = readers.unwrap_or(options.readers);
    Ok(Database::connect(world.clone(), &options).context("cannot open the database")?)
}

/// How to reach the database at that URL, with what is configured besides.
pub(crate) fn server_options(url: &str, config: &DatabaseConfig) -> Result<postgres::Options, Failure> {
    let mut options = postgres::Options::parse(url)?;
    options.readers = config.readers.unwrap_or(options.readers);
    options.writers = config.writers.unwrap_or(options.writers);
    if let Some(source) = &config.password {
        options = options.with_password(read_secret(source, "the password of the database")?);
    }
    Ok(options)
}

/// A secret, from where the configuration says. `what` is how it is called when it is not there.
pub(crate) fn read_secret(source: &SecretSource, what: &str) -> Result<Zeroizing<String>, Failure> {
    use std::io::Read;
    let wrong = |why: String| Failure::new(Exit::Usage, format!("{what}: {why}"));
    let text = match source {
        SecretSource::Environment(name) => {
            let value = environment(name).ok_or_else(|| wrong(format!("the variable {name} is not set")))?;
            Zeroizing::new(value)
        }
        SecretSource::File(path) => {
            // Room for all of it at once, so that no grown buffer leaves a copy behind.
            let mut text = Zeroizing::new(String::with_capacity(usize::try_from(SECRET_BYTES_MAX).unwrap_or_default()));
            let read = std::fs::File::open(path).and_then(|file| file.take(SECRET_BYTES_MAX).read_to_string(&mut text));
            read.map_err(|error| wrong(format!("{} cannot be read: {}", path.display(), error.kind())))?;
            text
        }
    };
    Ok(Zeroizing::new(text.trim().to_owned()))
}

#[expect(clippy::disallowed_methods, reason = "the configuration names the variable that has the secret")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Makes enterprise and administrator together, unless another node was quicker.
async fn make_enterprise(world: &World, database: &Database) -> Result<(Enterprise, Start), Failure> {
    let world = world.clone();
    let make = move |tx: &mut entente_database::Tx<'_>| {
        if let Some(enterprise) = enterprises::first(tx)? {
            return Ok((enterprise, Start::Later));
        }
        let default = policies::all(tx)?.into_iter().find(|policy| policy.reach == policies::Reach::Default);
        let zone = default.ok_or_else(|| {
            entente_database::Error::new(entente_database::ErrorKind::Failed, "no storage policy is the default")
        })?;
        let enterprise = Enterprise {
            id: EnterpriseId::new(world.next_id()),
            name: ENTERPRISE_NAME.to_owned(),
            zone: zone.zone,
            created_at: world.now(),
        };
        let mut administrator = NewUser::new(&world, enterprise.id, ADMINISTRATOR, "Administrator");
        administrator.role = UserRole::Admin;
        enterprises::create_enterprise(tx, &enterprise)?;
        users::create_user(tx, &administrator)?;
        Ok::<_, entente_database::Error>((enterprise, Start::First))
    };
    database.transact("create enterprise", make).await.map_err(Failure::from)
}
