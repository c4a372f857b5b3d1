//! What is in a data directory, opened: database, keys, backend, vault.

use crate::data::DataDirectory;
use crate::exit::{Exit, Failure};
use anyhow::Context;
use entente_clouds::fs::FsBackend;
use entente_custodians::Custodian;
use entente_custodians::local::LocalCustodian;
use entente_database::enterprises::{self, Enterprise};
use entente_database::users::{self, NewUser};
use entente_database::{Database, Options};
use entente_identity::{Identity, Signer};
use entente_model::{BackendId, EnterpriseId, UserRole, ZoneId};
use entente_vault::{Limits, Scope, Vault, Zone};
use entente_world::World;
use std::sync::Arc;

/// The only zone of an embedded store.
pub(crate) const ZONE: ZoneId = ZoneId::new(1);
/// The local disk.
pub(crate) const BACKEND: BackendId = BackendId::new(1);
/// Who administers a new store.
pub(crate) const ADMINISTRATOR: &str = "admin@entente.local";
const ENTERPRISE_NAME: &str = "Entente";

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
}

impl Store {
    /// Opens a store that a server has made.
    pub(crate) fn open(world: &World, data: DataDirectory) -> Result<Self, Failure> {
        let database = open_database(world, &data, 1)?;
        let enterprise = database.read(enterprises::first)?.ok_or_else(|| {
            let message = format!("{} was never completed; `entente serve` does that", data.path().display());
            Failure::new(Exit::DataDirectory, message)
        })?;
        Ok(Self { world: world.clone(), data, database, enterprise })
    }

    /// Opens a store to serve, making what is missing of a new one. Taken up again where a first start was cut off.
    pub(crate) async fn open_or_make(world: &World, data: DataDirectory) -> Result<(Self, Start), Failure> {
        if !data.database().exists() && !data.key().exists() {
            // The key comes first: a database without its key would be refused ever after.
            data.make_key_folder()?;
            LocalCustodian::create(&data.key(), world.clone()).context("cannot make the key file")?;
        }
        // A missing key is found out before the database is touched.
        LocalCustodian::open(&data.key(), world.clone()).map_err(anyhow::Error::from)?;
        let database = open_database(world, &data, Options::new("").readers)?;
        let (enterprise, start) = match database.read(enterprises::first)? {
            Some(enterprise) => (enterprise, Start::Later),
            None => (make_enterprise(world, &database).await?, Start::First),
        };
        Ok((Self { world: world.clone(), data, database, enterprise }, start))
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::new(self.world.clone(), self.database.clone())
    }

    /// Opens keys and backend, and makes sure that the keys are those that the data was made with.
    pub(crate) async fn vault(&self, limits: Limits) -> Result<Opened, Failure> {
        let custodian: Arc<dyn Custodian> =
            Arc::new(LocalCustodian::open(&self.data.key(), self.world.clone()).map_err(anyhow::Error::from)?);
        let signer = Signer::load(&self.world, &self.database, custodian.as_ref()).await?;
        let backend =
            FsBackend::open(self.world.clone(), self.data.segments()).context("cannot open the local backend")?;
        let zone = Zone { zone: ZONE, backends: vec![(BACKEND, Arc::new(backend.clone()))], custodian };
        let vault = Vault::new(self.world.clone(), Arc::new(self.database.clone()), vec![zone], limits);
        let scope = Scope { enterprise: self.enterprise.id, zone: self.enterprise.zone };
        vault.check_keys(scope).await.map_err(anyhow::Error::from)?;
        Ok(Opened { vault, backend, signer })
    }
}

/// What needs the keys.
pub(crate) struct Opened {
    pub(crate) vault: Vault,
    pub(crate) backend: FsBackend,
    pub(crate) signer: Signer,
}

fn open_database(world: &World, data: &DataDirectory, readers: usize) -> Result<Database, Failure> {
    let options = Options { readers, ..Options::new(data.database()) };
    let opened = Database::open(world.clone(), &options);
    Ok(opened.with_context(|| format!("cannot open {}", data.database().display()))?)
}

/// Makes enterprise and administrator together.
async fn make_enterprise(world: &World, database: &Database) -> Result<Enterprise, Failure> {
    let enterprise = Enterprise {
        id: EnterpriseId::new(world.next_id()),
        name: ENTERPRISE_NAME.to_owned(),
        zone: ZONE,
        created_at: world.now(),
    };
    let mut administrator = NewUser::new(world, enterprise.id, ADMINISTRATOR, "Administrator");
    administrator.role = UserRole::Admin;
    let row = enterprise.clone();
    let make = move |tx: &mut entente_database::Tx<'_>| {
        enterprises::create_enterprise(tx, &row)?;
        users::create_user(tx, &administrator).map(|_| ())
    };
    database.transact("create enterprise", make).await.map_err(Failure::from)?;
    Ok(enterprise)
}
