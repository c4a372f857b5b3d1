//! Which storage configuration is the newest. Every node reads a file of its own, and one that is restarted with an older
//! file than the others have must not undo what has been changed since: so the database keeps what was applied last, and
//! enough of what was before to know it again.
//!
//! It counts what all nodes must agree on: names, jurisdictions, providers, custodians, rules. How a node reaches a backend,
//! and with which credentials, is its own affair.

use crate::config::StorageConfig;
use entente_database::{Error, ErrorKind, Tx, settings};
use entente_door_admin::shown::moment;
use entente_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// The setting that keeps them.
const SETTING: &str = "storage generations";
/// The setting that has the number of the newest alone: every node looks at it again and again.
const NUMBER_SETTING: &str = "storage generation";
/// So many earlier ones are known again.
const EARLIER_MAX: usize = 16;
/// So many differences are told.
const TOLD_MAX: usize = 10;

/// What a configuration says of each thing, by what it is called.
type Meaning = BTreeMap<String, String>;

/// What has been applied: the newest, and those before it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Generations {
    /// From 1; 0 when nothing has been applied yet.
    pub(crate) number: u64,
    applied_at_ms: i64,
    digest: String,
    meaning: Meaning,
    /// The last ones before it, the newest first.
    earlier: Vec<Earlier>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Earlier {
    number: u64,
    digest: String,
}

/// What a configuration is, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    /// What was applied last.
    Newest,
    /// Nothing that was applied lately.
    New,
    /// What was in force before. Says in which generation, and how the newest differs.
    Earlier(String),
}

impl Generations {
    pub(crate) fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        let Some(stored) = settings::value(tx, SETTING)? else { return Ok(Self::default()) };
        serde_json::from_slice(&stored).map_err(|_| damaged())
    }

    /// The number of the newest.
    pub(crate) fn newest(tx: &mut Tx<'_>) -> Result<u64, Error> {
        let stored = settings::value(tx, NUMBER_SETTING)?;
        Ok(stored.and_then(|stored| stored.try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    /// When the newest was applied.
    pub(crate) const fn applied_at(&self) -> Timestamp {
        Timestamp::from_millis(self.applied_at_ms)
    }

    pub(crate) fn judge(&self, storage: &StorageConfig) -> Judged {
        let meaning = meaning(storage);
        let digest = digest(&meaning);
        if self.number > 0 && digest == self.digest {
            return Judged::Newest;
        }
        let Some(earlier) = self.earlier.iter().find(|earlier| earlier.digest == digest) else { return Judged::New };
        Judged::Earlier(format!(
            "this is the storage configuration of generation {}, and generation {} has been in force since {}: {}. Give this \
             node the newer file; or, to go back to this one on all nodes, let one take it with `entente config reload \
             --accept-config`, or start it with `entente serve --accept-config`",
            earlier.number,
            self.number,
            moment(self.applied_at()),
            differences(&meaning, &self.meaning),
        ))
    }

    /// Notes that a configuration is applied. Answers its generation.
    pub(crate) fn apply(tx: &mut Tx<'_>, storage: &StorageConfig, now: Timestamp) -> Result<u64, Error> {
        let old = Self::read(tx)?;
        if old.judge(storage) == Judged::Newest {
            return Ok(old.number);
        }
        let meaning = meaning(storage);
        let digest = digest(&meaning);
        let before = (old.number > 0).then_some(Earlier { number: old.number, digest: old.digest });
        let mut earlier: Vec<_> = before.into_iter().chain(old.earlier).filter(|one| one.digest != digest).collect();
        earlier.truncate(EARLIER_MAX);
        let new = Self { number: old.number + 1, applied_at_ms: now.millis(), digest, meaning, earlier };
        let text = serde_json::to_vec(&new).map_err(|_| damaged())?;
        settings::set(tx, SETTING, &text)?;
        settings::set(tx, NUMBER_SETTING, &new.number.to_be_bytes())?;
        Ok(new.number)
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Failed, "what the database keeps of storage configurations cannot be read")
}

fn meaning(storage: &StorageConfig) -> Meaning {
    let custodians = storage
        .custodians
        .iter()
        .map(|custodian| (format!("custodian {:?}", custodian.name), json!({ "provider": custodian.provider })));
    let backends = storage.backends.iter().map(|backend| {
        let said = json!({
            "provider": backend.provider,
            "provider_home": backend.provider_home,
            "jurisdiction": backend.jurisdiction,
        });
        (format!("backend {:?}", backend.name), said)
    });
    let zones = storage.zones.iter().map(|zone| {
        let mut backends = zone.backends.clone();
        backends.sort();
        let said = json!({ "jurisdiction": zone.jurisdiction, "custodian": zone.custodian, "backends": backends });
        (format!("zone {:?}", zone.name), said)
    });
    let policies = storage.policies.iter().map(|policy| (format!("policy {:?}", policy.name), policy.to_json()));
    let all = custodians.chain(backends).chain(zones).chain(policies);
    all.map(|(name, said)| (name, said.to_string())).collect()
}

fn digest(meaning: &Meaning) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in meaning.iter().flat_map(|(name, said)| [name, said]) {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// How the newest differs from a configuration, in words.
fn differences(this: &Meaning, newest: &Meaning) -> String {
    let mut told = Vec::new();
    for (name, said) in newest {
        match this.get(name) {
            Some(other) if other == said => {}
            Some(_) => told.push(format!("{name} is different there")),
            None => told.push(format!("{name} is not in this one")),
        }
    }
    told.extend(this.keys().filter(|name| !newest.contains_key(*name)).map(|name| format!("{name} is gone there")));
    let more = told.len().saturating_sub(TOLD_MAX);
    told.truncate(TOLD_MAX);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{EARLIER_MAX, Generations, Judged};
    use crate::config::StorageConfig;
    use entente_database::{Database, Options};
    use entente_model::Timestamp;
    use entente_world::World;
    use std::path::Path;

    /// One that differs from all of another number.
    fn configuration(number: u32) -> StorageConfig {
        let mut storage = StorageConfig::embedded(Path::new("data"));
        storage.policies[0].durable = number;
        storage
    }

    async fn apply(database: &Database, storage: &StorageConfig) -> u64 {
        let storage = storage.clone();
        let now = Timestamp::from_millis(1_700_000_000_000);
        database.transact("apply", move |tx| Generations::apply(tx, &storage, now)).await.unwrap()
    }

    fn judge(database: &Database, storage: &StorageConfig) -> Judged {
        database.read(Generations::read).unwrap().judge(storage)
    }

    #[tokio::test]
    async fn what_was_in_force_before_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(World::real(), &Options::new(folder.path().join("test.sqlite"))).unwrap();
        assert_eq!(
            (database.read(Generations::newest).unwrap(), judge(&database, &configuration(1))),
            (0, Judged::New)
        );
        assert_eq!((apply(&database, &configuration(1)).await, apply(&database, &configuration(1)).await), (1, 1));
        // How a node reaches a backend is its own affair.
        let elsewhere = StorageConfig::embedded(Path::new("elsewhere"));
        assert_eq!(judge(&database, &elsewhere), Judged::Newest);
        assert_eq!(apply(&database, &configuration(2)).await, 2);
        assert_eq!(database.read(Generations::newest).unwrap(), 2);
        let Judged::Earlier(why) = judge(&database, &configuration(1)) else { panic!("it is an earlier one") };
        for says in ["generation 1", "generation 2", "since 2023-11-14T22:13:20Z", "policy \"default\" is different"] {
            assert!(why.contains(says), "{why}");
        }
        assert_eq!(judge(&database, &configuration(3)), Judged::New);
        // Back on purpose: then the other is the earlier one.
        assert_eq!(apply(&database, &configuration(1)).await, 3);
        assert_eq!(judge(&database, &configuration(1)), Judged::Newest);
        assert!(matches!(judge(&database, &configuration(2)), Judged::Earlier(_)));
        let many = u32::try_from(EARLIER_MAX).unwrap() + 10;
        for number in 10..10 + many {
            apply(&database, &configuration(number)).await;
        }
        assert_eq!(judge(&database, &configuration(1)), Judged::New, "only the last ones are known");
        assert!(matches!(judge(&database, &configuration(8 + many)), Judged::Earlier(_)));
    }
}
