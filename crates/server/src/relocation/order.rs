//! Orders: what may be moved where, and why not.

use super::redirects::{Meanings, follow, meanings};
use super::{Names, RELOCATE_JOB, Relocations};
use crate::config::{BackendConfig, StorageConfig};
use entente_clouds::guard::probe;
use entente_database::assignments::{self, Assignee, Assignment};
use entente_database::jobs::{self, NewJob};
use entente_database::relocations::{self, Moved, Progress, Redirect, Relocation, State};
use entente_database::{Error as DatabaseError, Tx, items, users};
use entente_model::{
    AssignmentId, BackendId, ItemId, JobId, PolicyId, RelocationId, Timestamp, UserId, ZoneId, with_causes,
};
use entente_tree::Kind;
use entente_vault::Topology;
use std::collections::BTreeSet;
use std::time::Duration;

/// More than these are not open at a time.
const OPEN_MAX: u32 = 1_000;
/// How long a target may take to answer before the order is refused.
const PROBE: Duration = Duration::from_secs(20);

/// What is to be moved, by the names of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Segments from one backend to another. Without `from`: whatever is on the primaries of the policy, or of the zone.
    Backend { from: Option<String>, to: String, zone: Option<String>, policy: Option<String> },
    /// What a user owns; the user has that policy from then on.
    User { login: String, to_policy: String },
    /// What is in a folder.
    Folder { folder: ItemId, to_policy: String },
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) wanted: Wanted,
    /// Bytes a second.
    pub(crate) rate: Option<u64>,
    /// How long what has been moved stays at the source; ten minutes, if not given.
    pub(crate) grace: Option<Duration>,
}

/// Why an order is refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no {what} {name:?}; `entente {what} list` shows those that there are")]
    Unknown { what: &'static str, name: String },
    #[error("say what is to be moved: from a backend, of a zone or of a policy")]
    Nothing,
    #[error("say one thing: from a backend to another, a user to a policy, or a folder to a policy")]
    Mixed,
    #[error("{0:?} is where it is to be moved from and to; give two backends")]
    Same(String),
    #[error("backend {to:?} is not in zone {zone:?}: content leaves its zone only with its owner's policy")]
    OtherZone { to: String, zone: String },
    #[error("backend {from:?} is not in zone {zone:?}")]
    NotInZone { from: String, zone: String },
    #[error("policy {policy:?} names no copy on backend {from:?}; there is nothing of it to be moved")]
    NotNamed { policy: String, from: String },
    #[error(
        "policy {policy:?} has a copy on {to:?} already and would be left with one fewer; change its primary and \
         replicas in the configuration instead"
    )]
    FewerCopies { policy: String, to: String },
    #[error("policy {policy:?} would be broken: {why}")]
    Broken { policy: String, why: String },
    #[error("backend {to:?} does not answer: {why}; nothing can be moved there now")]
    Down { to: String, why: String },
    #[error("relocation {0} uses one of these backends; wait for it, or cancel it with `entente relocate cancel {0}`")]
    Busy(RelocationId),
    #[error("relocation {0} moves that already; wait for it, or cancel it with `entente relocate cancel {0}`")]
    Moving(RelocationId),
    #[error("there is no relocation {0}")]
    NoRelocation(RelocationId),
    #[error("relocation {id} is {state}, and cannot be {wanted} any more")]
    TooLate { id: RelocationId, state: &'static str, wanted: &'static str },
    #[error("{OPEN_MAX} relocations are open already")]
    TooMany,
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Vault(#[from] entente_vault::Error),
    #[error(transparent)]
    Tree(#[from] entente_tree::Error),
}

impl Relocations {
    /// Takes an order. Answers the relocations that it makes: one, or as many as a zone has primaries.
    pub(crate) async fn order(&self, order: &Order) -> Result<Vec<Relocation>, Refusal> {
        let moved = self.resolve(&order.wanted).await?;
        for one in &moved {
            self.check(one).await?;
        }
        let now = self.world.now();
        let new: Vec<_> = moved
            .into_iter()
            .map(|moved| Relocation {
                id: RelocationId::new(self.world.next_id()),
                moved,
                state: State::Running,
                in_force: matches!(moved, Moved::Backend { .. }),
                rate: order.rate.filter(|rate| *rate > 0),
                grace: order.grace.unwrap_or(self.grace),
                progress: Progress::default(),
                created_at: now,
                modified_at: now,
                ended_at: None,
            })
            .collect();
        let rows: Vec<_> = new.iter().map(|one| (JobId::new(self.world.next_id()), one.clone())).collect();
        let assignment = AssignmentId::new(self.world.next_id());
        let insert = move |tx: &mut Tx<'_>| -> Result<(), Refusal> {
            let open = relocations::open(tx, OPEN_MAX)?;
            if open.len() + rows.len() > OPEN_MAX as usize {
                return Err(Refusal::TooMany);
            }
            for (job, one) in &rows {
                if let Some(refusal) = open.iter().find_map(|other| in_the_way(&one.moved, other)) {
                    return Err(refusal);
                }
                relocations::insert(tx, one)?;
                if let Moved::User { user, policy } = one.moved {
                    assign(tx, assignment, user, policy, now)?;
                }
                let key = one.id.to_string();
                jobs::enqueue(tx, &NewJob { job: *job, kind: RELOCATE_JOB, key: &key, payload: "", run_at: now }, now)?;
            }
            Ok(())
        };
        self.database.transact("order relocation", insert).await?;
        self.storage.refresh().await?;
        Ok(new)
    }

    /// The ids of what is wanted, if it is all there.
    pub(crate) async fn resolve(&self, wanted: &Wanted) -> Result<Vec<Moved>, Refusal> {
        let names = self.names()?;
        match wanted {
            Wanted::User { login, to_policy } => {
                let policy = names.policy(to_policy)?;
                let unknown = || Refusal::Unknown { what: "user", name: login.clone() };
                let user = self.identity.user_by_login(login).map_err(|_| unknown())?;
                Ok(vec![Moved::User { user: user.id, policy }])
            }
            Wanted::Folder { folder, to_policy } => {
                let (folder, policy) = (*folder, names.policy(to_policy)?);
                let found = self.database.read(|tx| items::by_id(tx, folder))?;
                if found.is_none_or(|item| item.kind != Kind::Folder) {
                    return Err(Refusal::Unknown { what: "folder", name: folder.to_string() });
                }
                Ok(vec![Moved::Folder { folder, policy }])
            }
            Wanted::Backend { from, to, zone, policy } => {
                let topology = self.vault.topology();
                let policy = policy.as_deref().map(|name| names.policy(name)).transpose()?;
                let zone = zone.as_deref().map(|name| names.zone(name)).transpose()?;
                let to = names.backend(to)?;
                let sources = match from {
                    Some(from) => BTreeSet::from([names.backend(from)?]),
                    None => primaries(&topology, zone, policy)?.into_iter().filter(|from| *from != to).collect(),
                };
                if sources.is_empty() {
                    return Err(Refusal::Same(names.of_backend(to)));
                }
                if let Some(zone) = zone
                    && let Some(from) = sources.iter().find(|from| topology.zone_of(**from) != Some(zone))
                {
                    let (from, zone) = (names.of_backend(*from), names.of_zone(zone));
                    return Err(Refusal::NotInZone { from, zone });
                }
                Ok(sources.into_iter().map(|from| Moved::Backend { from, to, policy }).collect())
            }
        }
    }

    /// Whether a move may be. Asks the target whether it is there.
    pub(crate) async fn check(&self, moved: &Moved) -> Result<(), Refusal> {
        let names = self.names()?;
        let topology = self.vault.topology();
        match *moved {
            Moved::User { policy, .. } | Moved::Folder { policy, .. } => match topology.policies.get(&policy) {
                Some(_) => Ok(()),
                None => Err(Refusal::Unknown { what: "policy", name: names.of_policy(policy) }),
            },
            Moved::Backend { from, to, policy } => {
                check_backends(&topology, &names, (from, to, policy))?;
                self.check_holders(&follow(&meanings(&topology), &[redirect(from, to, policy)]), &names)?;
                let Some(member) = topology.member(to) else { return Ok(()) };
                let (name, probing) = (names.of_backend(to), probe(member.cloud.as_ref(), &self.world));
                match tokio::time::timeout(PROBE, probing).await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(Refusal::Down { to: name, why: with_causes(&error) }),
                    Err(_) => Err(Refusal::Down { to: name, why: format!("not within {} seconds", PROBE.as_secs()) }),
                }
            }
        }
    }
}

impl Relocations {
    /// Whether no single provider obeying another law would hold all the copies of a policy that forbids it.
    fn check_holders(&self, meant: &Meanings, names: &Names) -> Result<(), Refusal> {
        let in_force = self.storage.in_force();
        let storage = &in_force.config.storage;
        for (id, backends) in meant {
            let policy = names.of_policy(*id);
            let copies: Vec<_> = backends.iter().map(|backend| names.of_backend(*backend)).collect();
            if let Some(why) = foreign_holder(storage, &policy, &copies) {
                return Err(Refusal::Broken { policy, why });
            }
        }
        Ok(())
    }
}

/// Who would hold everything under another law than the zone's, although the policy forbids it.
fn foreign_holder(storage: &StorageConfig, policy: &str, copies: &[String]) -> Option<String> {
    let policy = storage.policies.iter().find(|known| known.name == policy && known.no_foreign_holder)?;
    let zone = storage.zone(&policy.zone)?;
    let holders: Vec<_> = copies.iter().filter_map(|copy| storage.backend(copy)).collect();
    let key = storage.custodian(&zone.custodian).map(|custodian| custodian.provider.as_str());
    let foreign = |holder: &&&BackendConfig| holder.provider_home != zone.jurisdiction;
    holders.iter().filter(foreign).find_map(|foreign| {
        let provider = foreign.provider.as_str();
        if key == Some(provider) {
            Some(format!("provider {provider:?} would hold a copy and the key"))
        } else if holders.iter().all(|holder| holder.provider == provider) {
            Some(format!("provider {provider:?} would be the only one to hold the copies"))
        } else {
            None
        }
    })
}

/// Gives a user another policy. What is stored under the old one until it is heard of is moved by the relocation.
fn assign(
    tx: &mut Tx<'_>,
    id: AssignmentId,
    user: UserId,
    policy: PolicyId,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let assignee = Assignee::User(user);
    if assignments::change(tx, assignee, policy)? {
        return Ok(());
    }
    let Some(user) = users::by_id(tx, user)? else { return Ok(()) };
    let new = Assignment { id, policy, enterprise: user.enterprise, assignee, created_at: now };
    assignments::insert(tx, &new)
}

/// What holds for the topology alone.
fn check_backends(
    topology: &Topology,
    names: &Names,
    (from, to, policy): (BackendId, BackendId, Option<PolicyId>),
) -> Result<(), Refusal> {
    if from == to {
        return Err(Refusal::Same(names.of_backend(from)));
    }
    let Some(zone) = topology.zone_of(from) else {
        return Err(Refusal::Unknown { what: "backend", name: names.of_backend(from) });
    };
    if topology.zone_of(to) != Some(zone) {
        return Err(Refusal::OtherZone { to: names.of_backend(to), zone: names.of_zone(zone) });
    }
    let meant = meanings(topology);
    if let Some(policy) = policy
        && !meant.get(&policy).is_some_and(|backends| backends.contains(&from))
    {
        return Err(Refusal::NotNamed { policy: names.of_policy(policy), from: names.of_backend(from) });
    }
    for (id, after) in &follow(&meant, &[redirect(from, to, policy)]) {
        let Some(rules) = topology.policies.get(id) else { continue };
        if meant.get(id).is_some_and(|before| before.len() > after.len()) {
            return Err(Refusal::FewerCopies { policy: names.of_policy(*id), to: names.of_backend(to) });
        }
        let provider = |backend: &BackendId| topology.member(*backend).map(|member| member.provider.clone());
        let providers: BTreeSet<_> = after.iter().filter_map(provider).collect();
        if providers.len() < rules.providers_min as usize && Some(after) != meant.get(id) {
            let why = format!("its copies would be with {} provider, not {}", providers.len(), rules.providers_min);
            return Err(Refusal::Broken { policy: names.of_policy(*id), why });
        }
    }
    Ok(())
}

/// A redirect that is looked at as if it were in force.
pub(crate) fn redirect(from: BackendId, to: BackendId, policy: Option<PolicyId>) -> Redirect {
    Redirect { id: RelocationId::new(0), is_done: false, from, to, policy }
}

/// Where the policies of a zone, or one policy, have their first copies now.
fn primaries(
    topology: &Topology,
    zone: Option<ZoneId>,
    policy: Option<PolicyId>,
) -> Result<BTreeSet<BackendId>, Refusal> {
    if zone.is_none() && policy.is_none() {
        return Err(Refusal::Nothing);
    }
    let meant: Meanings = meanings(topology);
    let of = |(id, backends): (PolicyId, Vec<BackendId>)| {
        let chosen = policy.is_none_or(|only| only == id)
            && zone.is_none_or(|only| topology.policies.get(&id).is_some_and(|policy| policy.zone == only));
        backends.first().copied().filter(|_| chosen)
    };
    Ok(meant.into_iter().filter_map(of).collect())
}

/// Why a move cannot go on beside another that is open.
fn in_the_way(moved: &Moved, other: &Relocation) -> Option<Refusal> {
    match (*moved, other.moved) {
        (Moved::Backend { from, to, .. }, Moved::Backend { from: other_from, to: other_to, .. }) => {
            let touches = [from, to].iter().any(|backend| [other_from, other_to].contains(backend));
            touches.then_some(Refusal::Busy(other.id))
        }
        (Moved::User { user, .. }, Moved::User { user: other_user, .. }) => {
            (user == other_user).then_some(Refusal::Moving(other.id))
        }
        (Moved::Folder { folder, .. }, Moved::Folder { folder: other_folder, .. }) => {
            (folder == other_folder).then_some(Refusal::Moving(other.id))
        }
        _ => None,
    }
}
