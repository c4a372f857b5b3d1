//! Names in the file, ids in the database: every node calls a backend, a zone and a policy by the same id. What the file
//! no longer names is let go only if nothing is lost by it.

use super::generation::{Generations, Judged};
use crate::config::StorageConfig;
use entente_database::backends::{self, Backend, Standing};
use entente_database::policies::{self, Reach, StoragePolicy};
use entente_database::zones::{self, Zone};
use entente_database::{Database, Error, ErrorKind, Tx};
use entente_door_admin::OnEarlier;
use entente_model::{BackendId, PolicyId, ZoneId};
use entente_world::World;
use std::collections::BTreeMap;

/// Replicas that are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

/// The ids of what is configured, by names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) backends: BTreeMap<String, BackendId>,
    pub(crate) zones: BTreeMap<String, ZoneId>,
    pub(crate) policies: BTreeMap<String, PolicyId>,
    /// Backends that were removed and still have replicas in the ledger, which are to be forgotten.
    pub(crate) forgotten: Vec<(String, BackendId)>,
    /// Of the configuration that has them; 0 if it has not been applied as it is.
    pub(crate) generation: u64,
}

/// Why the names cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamesError {
    #[error(transparent)]
    Database(#[from] Error),
    /// Something would be lost or lie in the wrong place: one reason a line.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
}

/// Gives ids to what is new, and lets go what is no longer named, all together. `Refused`, and nothing is changed, when
/// something that is no longer named is still needed, or when this is what was in force before and nobody says it is meant.
pub(crate) async fn take_over(
    world: &World,
    database: &Database,
    storage: &StorageConfig,
    on_earlier: OnEarlier,
) -> Result<Names, NamesError> {
    let (world, storage) = (world.clone(), storage.clone());
    let take = move |tx: &mut Tx<'_>| {
        // Another node may have been quicker.
        match Generations::read(tx)?.judge(&storage) {
            Judged::Earlier(why) if on_earlier == OnEarlier::Refuse => Err(NamesError::Refused(vec![why])),
            _ => take(tx, &world, &storage),
        }
    };
    database.transact("configure storage", take).await
}

/// The same for a command beside a server: changes nothing, and refuses what the store does not know yet or no longer.
pub(crate) fn look_up(database: &Database, storage: &StorageConfig) -> Result<Names, NamesError> {
    database.read(|tx| {
        let mut reasons = Vec::new();
        let stored = Stored::read(tx)?;
        let zones = known("zone", storage.zones.iter().map(|zone| &zone.name), &stored.zones, &mut reasons);
        let backends = storage.backends.iter().map(|backend| &backend.name);
        let backends = known("backend", backends, &stored.backends, &mut reasons);
        let policies = storage.policies.iter().map(|policy| &policy.name);
        let policies = known("policy", policies, &stored.policies, &mut reasons);
        if !reasons.is_empty() {
            return Err(NamesError::Refused(reasons));
        }
        let generations = Generations::read(tx)?;
        let is_newest = generations.judge(storage) == Judged::Newest;
        let generation = if is_newest { generations.number } else { 0 };
        Ok(Names { backends, zones, policies, forgotten: Vec::new(), generation })
    })
}

/// The ids of all backends that the store knows, by names.
pub(crate) fn ids(database: &Database) -> Result<BTreeMap<String, BackendId>, Error> {
    Ok(database.read(backends::all)?.into_iter().map(|row| (row.name, row.id)).collect())
}

/// Forgets what the ledger has of replicas on removed backends. Answers how many.
pub(crate) async fn forget(database: &Database, backend: BackendId) -> Result<usize, Error> {
    let mut all = 0;
    loop {
        let forget = move |tx: &mut Tx<'_>| backends::forget_replicas(tx, backend, FORGOTTEN_AT_ONCE);
        let forgotten = database.transact("forget replicas of a removed backend", forget).await?;
        all += forgotten;
        if forgotten == 0 {
            return Ok(all);
        }
    }
}

/// Rows as they are, by names.
struct Stored {
    zones: BTreeMap<String, (ZoneId, Standing)>,
    backends: BTreeMap<String, (BackendId, Standing)>,
    policies: BTreeMap<String, (PolicyId, Standing)>,
    backend_rows: Vec<Backend>,
    policy_rows: Vec<StoragePolicy>,
}

impl Stored {
    fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        let (backend_rows, policy_rows) = (backends::all(tx)?, policies::all(tx)?);
        let zones = zones::all(tx)?.into_iter().map(|row| (row.name, (row.id, row.standing))).collect();
        let backends = backend_rows.iter().map(|row| (row.name.clone(), (row.id, row.standing))).collect();
        let policies = policy_rows.iter().map(|row| (row.name.clone(), (row.id, row.standing))).collect();
        Ok(Self { zones, backends, policies, backend_rows, policy_rows })
    }
}

fn known<'n, Id: Copy>(
    what: &str,
    wanted: impl Iterator<Item = &'n String>,
    stored: &BTreeMap<String, (Id, Standing)>,
    reasons: &mut Vec<String>,
) -> BTreeMap<String, Id> {
    let mut found = BTreeMap::new();
    for name in wanted {
        match stored.get(name) {
            Some((id, Standing::Configured)) => {
                found.insert(name.clone(), *id);
            }
            _ => reasons.push(format!(
                "the configuration has a {what} {name:?} that the store does not use yet; start the server with it, or \
                 `entente config reload`"
            )),
        }
    }
    let used = stored.iter().filter(|(_, (_, standing))| *standing == Standing::Configured);
    for (name, _) in used.filter(|(name, _)| !found.contains_key(*name)) {
        reasons.push(format!(
            "the store uses a {what} {name:?} that the configuration does not have; give the server's with --config"
        ));
    }
    found
}

fn take(tx: &mut Tx<'_>, world: &World, storage: &StorageConfig) -> Result<Names, NamesError> {
    let stored = Stored::read(tx)?;
    let now = world.now();
    let mut reasons = Vec::new();
    let mut names = Names::default();

    for zone in &storage.zones {
        let row = stored.zones.get(&zone.name);
        let id = row.map_or_else(|| ZoneId::new(world.next_id()), |(id, _)| *id);
        zones::put(tx, &Zone { id, name: zone.name.clone(), standing: Standing::Configured }, now)?;
        names.zones.insert(zone.name.clone(), id);
    }
    for (name, (id, _)) in gone(&stored.zones, &names.zones) {
        let contents = zones::contents(tx, *id)?;
        if contents > 0 {
            reasons.push(format!(
                "zone {name:?} is no longer configured, and {contents} contents are in it: without its custodian and \
                 backends nobody could read them; move them out first"
            ));
        }
        zones::put(tx, &Zone { id: *id, name: name.clone(), standing: Standing::Removed }, now)?;
    }

    for backend in &storage.backends {
        let zone = storage.zone_of(&backend.name).and_then(|zone| names.zones.get(&zone.name)).copied();
        let zone = zone.ok_or(internal("a backend of a checked configuration is in no zone"))?;
        let row = stored.backend_rows.iter().find(|row| row.name == backend.name);
        let id = row.map_or_else(|| BackendId::new(world.next_id()), |row| row.id);
        if row.is_some_and(|row| row.zone != zone) && backends::is_used(tx, id)? {
            reasons.push(format!(
                "backend {:?} would come into another zone with all that is on it; declare a backend of another name there, \
                 and move the content",
                backend.name
            ));
        }
        let row = Backend { id, name: backend.name.clone(), zone, standing: Standing::Configured };
        backends::put(tx, &row, now)?;
        names.backends.insert(backend.name.clone(), id);
    }
    let removed: Vec<_> = stored.backend_rows.iter().filter(|row| !names.backends.contains_key(&row.name)).collect();
    for row in &removed {
        backends::put(tx, &Backend { standing: Standing::Removed, ..(*row).clone() }, now)?;
    }
    // When all that are removed are marked, since one may have the only other copy of what another has.
    for row in removed {
        let sole = backends::sole(tx, row.id)?;
        if sole.segments > 0 {
            reasons.push(format!(
                "backend {:?} is no longer configured, and has the only durable copy of {} segments of {} bytes: declare it \
                 again, move them with `entente relocate`, and remove it then",
                row.name, sole.segments, sole.bytes
            ));
        } else if backends::is_used(tx, row.id)? {
            names.forgotten.push((row.name.clone(), row.id));
        }
    }

    for policy in &storage.policies {
        let zone = names.zones.get(&policy.zone).copied();
        let zone = zone.ok_or(internal("a policy of a checked configuration is of no zone"))?;
        let row = stored.policy_rows.iter().find(|row| row.name == policy.name);
        let id = row.map_or_else(|| PolicyId::new(world.next_id()), |row| row.id);
        if row.is_some_and(|row| row.zone != zone) {
            let holds = policies::holds(tx, id)?;
            if holds.segments > 0 {
                reasons.push(format!(
                    "policy {:?} would come into another zone, and {} segments of {} bytes are stored under it; declare a \
                     policy of another name there, and assign that",
                    policy.name, holds.segments, holds.bytes
                ));
            }
        }
        let reach = if policy.is_default { Reach::Default } else { Reach::Assigned };
        let row = StoragePolicy { id, name: policy.name.clone(), zone, reach, standing: Standing::Configured };
        policies::put(tx, &row, now)?;
        names.policies.insert(policy.name.clone(), id);
    }
    for row in stored.policy_rows.iter().filter(|row| !names.policies.contains_key(&row.name)) {
        let (holds, assigned) = (policies::holds(tx, row.id)?, policies::assigned(tx, row.id)?);
        if holds.segments > 0 || assigned > 0 {
            reasons.push(format!(
                "policy {:?} is no longer configured, and is assigned {assigned} times with {} segments of {} bytes stored \
                 under it; assign another, let what it holds be moved, and remove it then",
                row.name, holds.segments, holds.bytes
            ));
        }
        let row = StoragePolicy { reach: Reach::Assigned, standing: Standing::Removed, ..row.clone() };
        policies::put(tx, &row, now)?;
    }

    if !reasons.is_empty() {
        return Err(NamesError::Refused(reasons));
    }
    names.generation = Generations::apply(tx, storage, now)?;
    Ok(names)
}

/// Rows that the configuration does not name.
fn gone<'s, Id>(
    stored: &'s BTreeMap<String, (Id, Standing)>,
    names: &BTreeMap<String, Id>,
) -> Vec<(&'s String, &'s (Id, Standing))> {
    stored.iter().filter(|(name, _)| !names.contains_key(*name)).collect()
}

fn internal(what: &'static str) -> Error {
    Error::new(ErrorKind::Failed, what)
}
