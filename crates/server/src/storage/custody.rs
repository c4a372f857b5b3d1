//! The custodians that zones name, opened.

use super::Purpose;
use crate::config::StorageConfig;
use crate::exit::Failure;
use anyhow::Context;
use entente_custodians::Custodian;
use entente_custodians::local::LocalCustodian;
use entente_database::backends::Standing;
use entente_database::{Database, enterprises, zones};
use entente_world::World;
use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

/// Open custodians, by name.
#[derive(Clone, Default)]
pub(crate) struct Custody(BTreeMap<String, Arc<dyn Custodian>>);

impl Custody {
    /// Opens all of them. A server makes the key of one that is new: nothing has been wrapped by it yet. `Keys` when a key
    /// that is needed is missing.
    pub(super) fn open(
        world: &World,
        database: &Database,
        storage: &StorageConfig,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        let mut open: BTreeMap<String, Arc<dyn Custodian>> = BTreeMap::new();
        for custodian in &storage.custodians {
            if purpose != Purpose::Command && !custodian.path.exists() && !is_used(database, storage, &custodian.name)?
            {
                make_key(world, &custodian.path)?;
                let key = custodian.path.display();
                tracing::info!(%key, "made a key file; back it up, and give every other node a copy of it");
            }
            let local = LocalCustodian::open(&custodian.path, world.clone()).map_err(anyhow::Error::from)?;
            open.insert(custodian.name.clone(), Arc::new(local));
        }
        Ok(Self(open))
    }

    pub(super) fn custodian(&self, name: &str) -> Option<Arc<dyn Custodian>> {
        self.0.get(name).cloned()
    }

    /// All of them, that of the default policy's zone first.
    pub(super) fn in_order(&self, storage: &StorageConfig) -> Vec<Arc<dyn Custodian>> {
        let default = storage.default_policy().and_then(|policy| storage.zone(&policy.zone));
        let first = default.map(|zone| zone.custodian.as_str());
        let mut names: Vec<_> = self.0.keys().map(String::as_str).collect();
        names.sort_by_key(|name| Some(*name) != first);
        names.into_iter().filter_map(|name| self.custodian(name)).collect()
    }
}

/// Makes a new key file, and its folder, for this user alone.
pub(crate) fn make_key(world: &World, path: &Path) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("cannot make {}", folder.display()))?;
    }
    LocalCustodian::create(path, world.clone()).context("cannot make the key file")?;
    Ok(())
}

/// Whether a custodian may have wrapped anything: a store that has been made uses those of its zones.
fn is_used(database: &Database, storage: &StorageConfig, custodian: &str) -> Result<bool, Failure> {
    let named = |name: &str| storage.zone(name).is_some_and(|zone| zone.custodian == custodian);
    Ok(database.read(|tx| {
        if enterprises::first(tx)?.is_none() {
            return Ok::<_, entente_database::Error>(false);
        }
        for zone in zones::all(tx)?.into_iter().filter(|zone| named(&zone.name)) {
            if zone.standing == Standing::Configured || !zones::enterprises_with_keys(tx, zone.id)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    })?)
}
