//! What backends, zones and policies are called.

use super::Refusal;
use entente_database::backends::Standing;
use entente_database::{Database, Error, Tx, backends, policies, zones};
use entente_model::{BackendId, PolicyId, ZoneId};
use std::collections::BTreeMap;

/// The names in the configuration, and the ids behind them; those of what is configured no more, too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    backends: BTreeMap<BackendId, (String, Standing)>,
    zones: BTreeMap<ZoneId, (String, Standing)>,
    policies: BTreeMap<PolicyId, (String, Standing)>,
}

impl Names {
    pub(crate) fn read(database: &Database) -> Result<Self, Error> {
        database.read(|tx: &mut Tx<'_>| {
            Ok(Self {
                backends: backends::all(tx)?.into_iter().map(|row| (row.id, (row.name, row.standing))).collect(),
                zones: zones::all(tx)?.into_iter().map(|row| (row.id, (row.name, row.standing))).collect(),
                policies: policies::all(tx)?.into_iter().map(|row| (row.id, (row.name, row.standing))).collect(),
            })
        })
    }

    pub(crate) fn backend(&self, name: &str) -> Result<BackendId, Refusal> {
        find(&self.backends, "backend", name)
    }

    pub(crate) fn zone(&self, name: &str) -> Result<ZoneId, Refusal> {
        find(&self.zones, "zone", name)
    }

    pub(crate) fn policy(&self, name: &str) -> Result<PolicyId, Refusal> {
        find(&self.policies, "policy", name)
    }

    pub(crate) fn of_backend(&self, id: BackendId) -> String {
        self.backends.get(&id).map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }

    pub(crate) fn of_zone(&self, id: ZoneId) -> String {
        self.zones.get(&id).map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }

    pub(crate) fn of_policy(&self, id: PolicyId) -> String {
        self.policies.get(&id).map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }
}

fn find<Id: Copy>(known: &BTreeMap<Id, (String, Standing)>, what: &'static str, name: &str) -> Result<Id, Refusal> {
    let found = known.iter().find(|(_, (known, standing))| known == name && *standing == Standing::Configured);
    found.map(|(id, _)| *id).ok_or_else(|| Refusal::Unknown { what, name: name.to_owned() })
}
