//! Backends, zones, custodians and storage policies, as the file declares them.

use super::cloud;
use super::reader::{At, Section};
use entente_clouds::registry;
use entente_vault::topology::OnPrimaryDown;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Names are at most so long.
const NAME_LENGTH_MAX: usize = 64;
/// Nobody has more of either.
pub(super) const DECLARED_MAX: usize = 1_000;
/// Requests to one backend at a time, when nobody says.
const REQUESTS_DEFAULT: u32 = 64;
/// How long a disk may take for a request, when nobody says.
const DISK_TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that is declared about where content is kept. Checked: what it names is there, and its rules hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StorageConfig {
    pub(crate) custodians: Vec<CustodianConfig>,
    pub(crate) backends: Vec<BackendConfig>,
    pub(crate) zones: Vec<ZoneConfig>,
    pub(crate) policies: Vec<PolicyConfig>,
}

/// Who holds a zone's keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CustodianConfig {
    pub(crate) name: String,
    /// Whose it is, as for backends.
    pub(crate) provider: String,
    /// The key file of a local one.
    pub(crate) path: PathBuf,
}

/// One bucket or disk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BackendConfig {
    pub(crate) name: String,
    /// Whose it is: backends of one provider fail together.
    pub(crate) provider: String,
    /// Whose law the provider obeys.
    pub(crate) provider_home: String,
    /// Where its bytes lie.
    pub(crate) jurisdiction: String,
    /// Which to read from first: the least.
    pub(crate) rank: u32,
    pub(crate) place: registry::Configuration,
    /// Requests at a time.
    pub(crate) requests_max: u32,
    /// How long a request may take, however few bytes it moves; the clouds' usual if not given.
    pub(crate) timeout: Option<Duration>,
    /// Whether the place is taken as it is: objects without a marker, or nothing where copies should be.
    pub(crate) adopt: bool,
}

/// A residency boundary.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ZoneConfig {
    pub(crate) name: String,
    pub(crate) jurisdiction: String,
    pub(crate) backends: Vec<String>,
    pub(crate) custodian: String,
}

/// How many copies, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PolicyConfig {
    pub(crate) name: String,
    pub(crate) zone: String,
    pub(crate) primary: String,
    pub(crate) replicas: Vec<String>,
    pub(crate) durable: u32,
    pub(crate) providers_min: u32,
    pub(crate) no_foreign_holder: bool,
    pub(crate) on_primary_down: OnPrimaryDown,
    pub(crate) is_default: bool,
}

/// What is declared, with its lines, before it has been checked against each other.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) custodians: Vec<Declared<CustodianDraft>>,
    pub(super) backends: Vec<Declared<BackendDraft>>,
    pub(super) zones: Vec<Declared<ZoneDraft>>,
    pub(super) policies: Vec<Declared<PolicyDraft>>,
}

/// One section that has a name.
pub(super) struct Declared<T> {
    pub(super) title: String,
    pub(super) line: usize,
    pub(super) name: Option<At<String>>,
    pub(super) rest: T,
}

pub(super) struct CustodianDraft {
    pub(super) provider: String,
    pub(super) path: Option<At<PathBuf>>,
}

pub(super) struct BackendDraft {
    pub(super) provider: String,
    pub(super) provider_home: Option<At<String>>,
    pub(super) jurisdiction: Option<At<String>>,
    pub(super) rank: u32,
    pub(super) place: Option<registry::Configuration>,
    pub(super) requests_max: u32,
    pub(super) timeout: Option<Duration>,
    pub(super) adopt: bool,
}

pub(super) struct ZoneDraft {
    pub(super) jurisdiction: Option<At<String>>,
    pub(super) backends: Vec<At<String>>,
    pub(super) custodian: Option<At<String>>,
}

pub(super) struct PolicyDraft {
    pub(super) zone: Option<At<String>>,
    pub(super) primary: Option<At<String>>,
    pub(super) replicas: Vec<At<String>>,
    pub(super) durable: At<u32>,
    pub(super) providers_min: At<u32>,
    pub(super) no_foreign_holder: At<bool>,
    pub(super) on_primary_down: OnPrimaryDown,
    pub(super) is_default: At<bool>,
}

impl StorageConfig {
    /// What holds when the file declares nothing: one disk in the data directory.
    pub(crate) fn embedded(data: &Path) -> Self {
        let (own, local, default) = ("own".to_owned(), "local".to_owned(), "default".to_owned());
        Self {
            custodians: vec![CustodianConfig {
                name: local.clone(),
                provider: own.clone(),
                path: data.join("keys").join("local.key"),
            }],
            backends: vec![BackendConfig {
                name: local.clone(),
                provider: own,
                provider_home: local.clone(),
                jurisdiction: local.clone(),
                rank: 0,
                place: registry::Configuration::Fs { root: data.join("segments") },
                requests_max: REQUESTS_DEFAULT,
                timeout: None,
                adopt: false,
            }],
            zones: vec![ZoneConfig {
                name: default.clone(),
                jurisdiction: local.clone(),
                backends: vec![local.clone()],
                custodian: local.clone(),
            }],
            policies: vec![PolicyConfig {
                name: default.clone(),
                zone: default,
                primary: local,
                replicas: Vec::new(),
                durable: 1,
                providers_min: 1,
                no_foreign_holder: false,
                on_primary_down: OnPrimaryDown::UseReplica,
                is_default: true,
            }],
        }
    }

    pub(crate) fn backend(&self, name: &str) -> Option<&BackendConfig> {
        self.backends.iter().find(|backend| backend.name == name)
    }

    pub(crate) fn zone(&self, name: &str) -> Option<&ZoneConfig> {
        self.zones.iter().find(|zone| zone.name == name)
    }

    pub(crate) fn custodian(&self, name: &str) -> Option<&CustodianConfig> {
        self.custodians.iter().find(|custodian| custodian.name == name)
    }

    /// The zone of a backend.
    pub(crate) fn zone_of(&self, backend: &str) -> Option<&ZoneConfig> {
        self.zones.iter().find(|zone| zone.backends.iter().any(|name| name == backend))
    }

    /// Whether the rules of a policy let its copies be on these backends; otherwise why not.
    pub(crate) fn allows(&self, policy: &PolicyConfig, backends: &[String]) -> Result<(), String> {
        let zone = self.zone(&policy.zone).ok_or_else(|| format!("there is no zone {:?}", policy.zone))?;
        if let Some(outside) = backends.iter().find(|name| !zone.backends.contains(name)) {
            return Err(format!("backend {outside:?} is not in zone {:?}: content never leaves its zone", zone.name));
        }
        let copies: Vec<_> = backends.iter().filter_map(|name| self.backend(name)).collect();
        if copies.len() < policy.durable as usize {
            return Err(format!("policy {:?} wants {} durable copies", policy.name, policy.durable));
        }
        let providers: BTreeSet<_> = copies.iter().map(|copy| copy.provider.as_str()).collect();
        if providers.len() < policy.providers_min as usize {
            return Err(format!("policy {:?} wants copies with {} providers", policy.name, policy.providers_min));
        }
        let holds_key = self.custodian(&zone.custodian).map(|custodian| custodian.provider.as_str());
        let holds_all = |provider: &str| providers.len() == 1 || holds_key == Some(provider);
        let mut foreign = copies.iter().filter(|copy| copy.provider_home != zone.jurisdiction);
        match foreign.find(|copy| policy.no_foreign_holder && holds_all(&copy.provider)) {
            Some(copy) => Err(format!(
                "policy {:?} lets no provider outside of {} hold everything, as {:?} would",
                policy.name, zone.jurisdiction, copy.provider
            )),
            None => Ok(()),
        }
    }

    /// The policy that holds where none is assigned.
    pub(crate) fn default_policy(&self) -> Option<&PolicyConfig> {
        self.policies.iter().find(|policy| policy.is_default)
    }
}

impl PolicyConfig {
    /// Its backends, the primary first.
    pub(crate) fn backends(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.primary).chain(&self.replicas)
    }
}

/// Takes every declaring section of the top. `None` when there is none of them. Relative paths are below `data`.
pub(super) fn read(top: &mut Section<'_, '_>, data: &Path) -> Option<Draft> {
    let (custodians, backends) = (top.tables("custodian"), top.tables("backend"));
    let (zones, policies) = (top.tables("zone"), top.tables("policy"));
    let count = custodians.len() + backends.len() + zones.len() + policies.len();
    if count == 0 {
        return None;
    }
    if count > DECLARED_MAX {
        top.note(1, "", format!("more than {DECLARED_MAX} backends, zones, custodians and policies are declared"));
        return None;
    }
    Some(Draft {
        custodians: custodians.into_iter().map(|section| custodian(section, data)).collect(),
        backends: backends.into_iter().map(|section| backend(section, data)).collect(),
        zones: zones.into_iter().map(zone).collect(),
        policies: policies.into_iter().map(policy).collect(),
    })
}

/// Takes the section's name, which titles it from then on.
fn name(section: &mut Section<'_, '_>) -> Option<At<String>> {
    let name = section.text("name");
    let name = section.need("name", name)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.value.is_empty() || name.value.len() > NAME_LENGTH_MAX || !name.value.bytes().all(plain) {
        section.note(name.line, "name", "must be made of 1 to 64 letters, digits and . _ -");
        return None;
    }
    section.title(&name.value);
    Some(name)
}

/// A word such as a provider or a jurisdiction.
fn word(section: &mut Section<'_, '_>, field: &'static str) -> Option<At<String>> {
    let word = section.text(field)?;
    let plain = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '.' | '_' | '-' | '/');
    let fits = !word.value.trim().is_empty() && word.value.len() <= NAME_LENGTH_MAX && word.value.chars().all(plain);
    if !fits {
        section.note(word.line, field, "must be a word of at most 64 letters, such as \"FR\"");
        return None;
    }
    Some(word)
}

fn declared<T>(section: Section<'_, '_>, name: Option<At<String>>, rest: T) -> Declared<T> {
    let declared = Declared { title: section.shown().to_owned(), line: section.line, name, rest };
    section.finish();
    declared
}

fn custodian(mut section: Section<'_, '_>, data: &Path) -> Declared<CustodianDraft> {
    let name = name(&mut section);
    let kind = section.choice("kind", &[("local", ())]);
    section.need("kind", kind);
    let provider = word(&mut section, "provider").map_or_else(|| "own".to_owned(), |word| word.value);
    let path = section.path("path");
    let path =
        section.need("path", path).map(|path| At { value: super::lexical(&data.join(path.value)), line: path.line });
    declared(section, name, CustodianDraft { provider, path })
}

fn backend(mut section: Section<'_, '_>, data: &Path) -> Declared<BackendDraft> {
    let name = name(&mut section);
    let (place, usual_provider) = cloud::place(&mut section, data);
    let provider = word(&mut section, "provider").map_or_else(|| usual_provider.to_owned(), |word| word.value);
    let jurisdiction = word(&mut section, "jurisdiction");
    let jurisdiction = section.need("jurisdiction", jurisdiction);
    let provider_home = word(&mut section, "provider_home").or_else(|| jurisdiction.clone());
    let small = |at: At<u64>| u32::try_from(at.value).unwrap_or(u32::MAX);
    let rank = section.number("rank", 0..=1_000_000).map_or(0, small);
    let requests_max = section.number("requests_max", 1..=10_000).map_or(REQUESTS_DEFAULT, small);
    let timeout = section.parsed::<crate::span::Span>("timeout");
    if let Some(wrong) = timeout.as_ref().filter(|span| span.value.0 < Duration::from_millis(100)) {
        section.note(wrong.line, "timeout", "must be at least 100ms");
    }
    // A disk of the embedded default has none: there is no other to turn to.
    let on_disk = matches!(place, Some(registry::Configuration::Fs { .. }));
    let timeout = timeout.map(|span| span.value.0).or(on_disk.then_some(DISK_TIMEOUT));
    let adopt = section.flag("adopt").is_some_and(|at| at.value);
    let rest = BackendDraft { provider, provider_home, jurisdiction, rank, place, requests_max, timeout, adopt };
    declared(section, name, rest)
}

fn zone(mut section: Section<'_, '_>) -> Declared<ZoneDraft> {
    let name = name(&mut section);
    let jurisdiction = word(&mut section, "jurisdiction");
    let jurisdiction = section.need("jurisdiction", jurisdiction);
    let backends = section.texts("backends");
    let backends = section.need("backends", backends);
    if backends.as_ref().is_some_and(Vec::is_empty) {
        section.note(section.line, "backends", "must name one backend at least");
    }
    let custodian = section.text("custodian");
    let custodian = section.need("custodian", custodian);
    declared(section, name, ZoneDraft { jurisdiction, backends: backends.unwrap_or_default(), custodian })
}

fn policy(mut section: Section<'_, '_>) -> Declared<PolicyDraft> {
    let name = name(&mut section);
    let zone = section.text("zone");
    let zone = section.need("zone", zone);
    let primary = section.text("primary");
    let primary = section.need("primary", primary);
    let replicas = section.texts("replicas").unwrap_or_default();
    let line = section.line;
    let small = |at: At<u64>| At { value: u32::try_from(at.value).unwrap_or(u32::MAX), line: at.line };
    let or = |value: Option<At<u64>>| value.map_or(At { value: 1, line }, small);
    let durable = or(section.number("durable", 1..=u64::from(u32::MAX)));
    let providers_min = or(section.number("providers_min", 1..=u64::from(u32::MAX)));
    let no = At { value: false, line };
    let no_foreign_holder = section.flag("no_foreign_holder").unwrap_or_else(|| no.clone());
    let words = [("use_replica", OnPrimaryDown::UseReplica), ("refuse", OnPrimaryDown::Refuse)];
    let on_primary_down = section.choice("on_primary_down", &words).map_or(OnPrimaryDown::UseReplica, |at| at.value);
    let is_default = section.flag("default").unwrap_or(no);
    let rest =
        PolicyDraft { zone, primary, replicas, durable, providers_min, no_foreign_holder, on_primary_down, is_default };
    declared(section, name, rest)
}
