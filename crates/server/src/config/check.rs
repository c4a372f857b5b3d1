//! Whether what is declared fits together. Every rule is looked at, so that all mistakes are told at once.

use super::reader::{At, Document};
use super::storage::{
    BackendConfig, BackendDraft, CustodianConfig, Declared, Draft, PolicyConfig, PolicyDraft, StorageConfig,
    ZoneConfig, ZoneDraft,
};
use entente_clouds::registry::Configuration;
use entente_vault::COPIES_MAX;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Backends<'d> = BTreeMap<&'d str, &'d Declared<BackendDraft>>;
type Zones<'d> = BTreeMap<&'d str, &'d Declared<ZoneDraft>>;

/// Notes everything that is wrong. What it answers is worth nothing if anything was.
pub(super) fn check(document: &Document<'_>, draft: Draft, data: &Path) -> StorageConfig {
    let noting = Noting { document };
    let custodians: BTreeSet<&str> = noting.unique("custodian", &draft.custodians).into_keys().collect();
    let backends = noting.unique("backend", &draft.backends);
    let zones = noting.unique("zone", &draft.zones);
    noting.unique("policy", &draft.policies);
    noting.present(&draft);
    for zone in &draft.zones {
        noting.zone(zone, &custodians, &backends);
    }
    noting.each_in_one_zone(&draft);
    noting.apart(&draft.backends, data);
    noting.homes(&draft.backends);
    for policy in &draft.policies {
        noting.policy(policy, &draft, &backends, &zones);
    }
    noting.one_default(&draft.policies);
    finished(draft)
}

struct Noting<'d, 'i> {
    document: &'d Document<'i>,
}

impl Noting<'_, '_> {
    fn note(&self, line: usize, title: &str, field: &str, what: impl Into<String>) {
        self.document.note(line, title, field, what);
    }

    /// Those that have a name, by their names, each once.
    fn unique<'d, T>(&self, what: &str, declared: &'d [Declared<T>]) -> BTreeMap<&'d str, &'d Declared<T>> {
        let mut found: BTreeMap<&str, &Declared<T>> = BTreeMap::new();
        for one in declared {
            let Some(name) = &one.name else { continue };
            match found.get(name.value.as_str()) {
                Some(first) => {
                    let line = first.line;
                    self.note(name.line, &one.title, "name", format!("there is a {what} of that name on line {line}"));
                }
                None => {
                    found.insert(&name.value, one);
                }
            }
        }
        found
    }

    /// Whoever declares one kind of thing needs the others too.
    fn present(&self, draft: &Draft) {
        let kinds = [
            ("custodian", draft.custodians.is_empty()),
            ("backend", draft.backends.is_empty()),
            ("zone", draft.zones.is_empty()),
            ("policy", draft.policies.is_empty()),
        ];
        for (kind, _) in kinds.into_iter().filter(|(_, is_empty)| *is_empty) {
            let what = format!("there is none; declare a [[{kind}]], or no backends, zones and policies at all");
            self.note(0, &format!("[[{kind}]]"), "", what);
        }
    }

    fn zone(&self, zone: &Declared<ZoneDraft>, custodians: &BTreeSet<&str>, backends: &Backends<'_>) {
        let rest = &zone.rest;
        if let Some(custodian) = rest.custodian.as_ref().filter(|at| !custodians.contains(at.value.as_str())) {
            let what = format!("there is no [[custodian]] {:?}", custodian.value);
            self.note(custodian.line, &zone.title, "custodian", what);
        }
        for named in &rest.backends {
            let Some(backend) = backends.get(named.value.as_str()) else {
                self.note(named.line, &zone.title, "backends", format!("there is no [[backend]] {:?}", named.value));
                continue;
            };
            if let (Some(of_zone), Some(of_backend)) = (&rest.jurisdiction, &backend.rest.jurisdiction)
                && of_zone.value != of_backend.value
            {
                let what = format!("is {:?}, and that of its {} is {:?}", of_backend.value, zone.title, of_zone.value);
                self.note(of_backend.line, &backend.title, "jurisdiction", what);
            }
        }
    }

    fn each_in_one_zone(&self, draft: &Draft) {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for zone in &draft.zones {
            for named in &zone.rest.backends {
                if let Some(other) = first.insert(&named.value, &zone.title) {
                    let what = if other == zone.title {
                        format!("names {:?} twice", named.value)
                    } else {
                        format!("{:?} is in {other} already, and a backend is in one zone only", named.value)
                    };
                    self.note(named.line, &zone.title, "backends", what);
                }
            }
        }
        for backend in &draft.backends {
            let name = backend.name.as_ref().filter(|name| !first.contains_key(name.value.as_str()));
            if let Some(name) = name {
                self.note(name.line, &backend.title, "", "is in no zone; name it in the backends of one");
            }
        }
    }

    /// No two backends lie in the same place or one within the other, nor around the data directory.
    fn apart(&self, backends: &[Declared<BackendDraft>], data: &Path) {
        let places: Vec<_> =
            backends.iter().filter_map(|one| Some((one, Place::of(one.rest.place.as_ref()?)?))).collect();
        for (index, (one, place)) in places.iter().enumerate() {
            if let Place::Folder(path) = place
                && lexical(data).starts_with(path)
            {
                self.note(one.line, &one.title, "path", "is the data directory or above it; give a folder of its own");
            }
            for (other, earlier) in places.iter().take(index) {
                if place.touches(earlier) {
                    let field = if matches!(place, Place::Folder(_)) { "path" } else { "prefix" };
                    let what = format!("is the place of {}, or within it or around it", other.title);
                    self.note(one.line, &one.title, field, what);
                }
            }
        }
    }

    /// A provider obeys one law.
    fn homes(&self, backends: &[Declared<BackendDraft>]) {
        let mut homes: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
        for one in backends {
            let provider = one.rest.provider.as_str();
            let Some(home) = one.rest.provider_home.as_ref().filter(|_| provider != OWN) else { continue };
            match homes.get(provider) {
                Some((first, title)) if *first != home.value => {
                    let what = format!(
                        "is {:?}, and {title} says that provider {provider:?} is at home in {first:?}: say it for both",
                        home.value
                    );
                    self.note(home.line, &one.title, "provider_home", what);
                }
                Some(_) => {}
                None => {
                    homes.insert(provider, (&home.value, &one.title));
                }
            }
        }
    }

    fn policy(&self, policy: &Declared<PolicyDraft>, draft: &Draft, backends: &Backends<'_>, zones: &Zones<'_>) {
        let (rest, title) = (&policy.rest, policy.title.as_str());
        let zone = rest.zone.as_ref().and_then(|named| {
            let zone = zones.get(named.value.as_str()).copied();
            if zone.is_none() {
                self.note(named.line, title, "zone", format!("there is no [[zone]] {:?}", named.value));
            }
            zone
        });
        let mut copies: Vec<&Declared<BackendDraft>> = Vec::new();
        let mut all_known = rest.primary.is_some();
        let named = rest.primary.iter().map(|primary| ("primary", primary));
        for (field, named) in named.chain(rest.replicas.iter().map(|replica| ("replicas", replica))) {
            match self.copy(policy, field, named, zone, backends) {
                Some(backend) if copies.iter().any(|copy| std::ptr::eq(*copy, backend)) => {
                    let what = format!("names {:?} twice: a backend keeps one copy", named.value);
                    self.note(named.line, title, field, what);
                }
                Some(backend) => copies.push(backend),
                None => all_known = false,
            }
        }
        let count = 1 + rest.replicas.len();
        if count > COPIES_MAX {
            let what = format!("asks for {count} copies, and {COPIES_MAX} is the most");
            self.note(policy.line, title, "replicas", what);
        }
        if rest.durable.value as usize > count {
            let what = format!("asks for {} durable copies, and there are {count} copies", rest.durable.value);
            self.note(rest.durable.line, title, "durable", what);
        }
        if !all_known {
            return;
        }
        let providers: BTreeSet<&str> = copies.iter().map(|copy| copy.rest.provider.as_str()).collect();
        if rest.providers_min.value as usize > providers.len() {
            let who: Vec<_> = providers.iter().copied().collect();
            let what = format!(
                "asks for {} providers, and its copies are with {}: {}",
                rest.providers_min.value,
                providers.len(),
                who.join(", ")
            );
            self.note(rest.providers_min.line, title, "providers_min", what);
        }
        if rest.no_foreign_holder.value
            && let Some(zone) = zone
        {
            self.no_foreign_holder(policy, &copies, zone, draft);
        }
    }

    /// A backend that a policy names, if it may.
    fn copy<'d>(
        &self,
        policy: &Declared<PolicyDraft>,
        field: &str,
        named: &At<String>,
        zone: Option<&Declared<ZoneDraft>>,
        backends: &Backends<'d>,
    ) -> Option<&'d Declared<BackendDraft>> {
        let Some(backend) = backends.get(named.value.as_str()).copied() else {
            self.note(named.line, &policy.title, field, format!("there is no [[backend]] {:?}", named.value));
            return None;
        };
        if let Some(zone) = zone
            && !zone.rest.backends.iter().any(|member| member.value == named.value)
        {
            let what = format!("{:?} is not in {}: content never leaves its zone", named.value, zone.title);
            self.note(named.line, &policy.title, field, what);
            return None;
        }
        Some(backend)
    }

    /// No provider that obeys another law than the zone's has all the copies, or a copy and the key.
    fn no_foreign_holder(
        &self,
        policy: &Declared<PolicyDraft>,
        copies: &[&Declared<BackendDraft>],
        zone: &Declared<ZoneDraft>,
        draft: &Draft,
    ) {
        let Some(jurisdiction) = zone.rest.jurisdiction.as_ref() else { return };
        let line = policy.rest.no_foreign_holder.line;
        let holds_key = zone.rest.custodian.as_ref().and_then(|named| {
            let holder = |one: &&Declared<_>| one.name.as_ref().is_some_and(|name| name.value == named.value);
            draft.custodians.iter().find(holder).map(|custodian| custodian.rest.provider.as_str())
        });
        let mut told = BTreeSet::new();
        for copy in copies {
            let provider = copy.rest.provider.as_str();
            let Some(home) = copy.rest.provider_home.as_ref().filter(|home| home.value != jurisdiction.value) else {
                continue;
            };
            if !told.insert(provider) {
                continue;
            }
            let who =
                format!("provider {provider:?}, at home in {:?} and not in {:?},", home.value, jurisdiction.value);
            if copies.iter().all(|other| other.rest.provider == provider) {
                let what =
                    format!("{who} would be the only one to hold the copies; add a replica with another provider");
                self.note(line, &policy.title, "no_foreign_holder", what);
            }
            if holds_key == Some(provider) {
                let what = format!("{who} would hold a copy and the key; give {} another custodian", zone.title);
                self.note(line, &policy.title, "no_foreign_holder", what);
            }
        }
    }

    fn one_default(&self, policies: &[Declared<PolicyDraft>]) {
        let defaults: Vec<_> = policies.iter().filter(|policy| policy.rest.is_default.value).collect();
        match defaults.as_slice() {
            [] if policies.is_empty() => {}
            [] => {
                let what = "none is the default; say default = true in the one that holds where none is assigned";
                self.note(0, "[[policy]]", "default", what);
            }
            [_] => {}
            [first, more @ ..] => {
                for policy in more {
                    let what = format!("{} is the default already", first.title);
                    self.note(policy.rest.is_default.line, &policy.title, "default", what);
                }
            }
        }
    }
}

/// The operator's own machines: here and there, so the law they obey is that of where they are.
const OWN: &str = "own";

/// Where objects lie.
enum Place {
    Folder(PathBuf),
    /// Service, bucket, and what comes before each name.
    Bucket(String, String),
}

impl Place {
    fn of(configuration: &Configuration) -> Option<Self> {
        let within = |prefix: &Option<String>| prefix.as_ref().map_or_else(String::new, |prefix| format!("{prefix}/"));
        let endpoint =
            |endpoint: &Option<String>| endpoint.clone().unwrap_or_default().trim_end_matches('/').to_owned();
        Some(match configuration {
            Configuration::Fs { root } => Self::Folder(lexical(root)),
            Configuration::Memory => return None,
            Configuration::S3(s3) => {
                Self::Bucket(format!("s3 {} {}", endpoint(&s3.endpoint), s3.bucket), within(&s3.prefix))
            }
            Configuration::Azure(azure) => {
                let service = format!("azure {} {}", azure.account, azure.container);
                Self::Bucket(format!("{service} {}", endpoint(&azure.endpoint)), within(&azure.prefix))
            }
            Configuration::Gcs(gcs) => {
                Self::Bucket(format!("gcs {} {}", endpoint(&gcs.endpoint), gcs.bucket), within(&gcs.prefix))
            }
        })
    }

    fn touches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Folder(one), Self::Folder(other)) => one.starts_with(other) || other.starts_with(one),
            (Self::Bucket(one, within), Self::Bucket(other, around)) => {
                one == other && (within.starts_with(around.as_str()) || around.starts_with(within.as_str()))
            }
            _ => false,
        }
    }
}

/// A path without `.` and `..`, as far as it can be said without looking at the disk.
pub(crate) fn lexical(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            std::path::Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// The same without lines. What is missing has been noted; it is left out.
fn finished(draft: Draft) -> StorageConfig {
    let text = |at: Option<At<String>>| at.map_or_else(String::new, |at| at.value);
    let texts = |list: Vec<At<String>>| list.into_iter().map(|at| at.value).collect();
    let custodians = draft.custodians.into_iter().map(|one| CustodianConfig {
        name: text(one.name),
        provider: one.rest.provider,
        path: one.rest.path.map_or_else(PathBuf::new, |at| at.value),
    });
    let backends = draft.backends.into_iter().filter_map(|one| {
        Some(BackendConfig {
            name: text(one.name),
            provider: one.rest.provider,
            provider_home: text(one.rest.provider_home),
            jurisdiction: text(one.rest.jurisdiction),
            rank: one.rest.rank,
            place: one.rest.place?,
            requests_max: one.rest.requests_max,
            timeout: one.rest.timeout,
            adopt: one.rest.adopt,
        })
    });
    let zones = draft.zones.into_iter().map(|one| ZoneConfig {
        name: text(one.name),
        jurisdiction: text(one.rest.jurisdiction),
        backends: texts(one.rest.backends),
        custodian: text(one.rest.custodian),
    });
    let policies = draft.policies.into_iter().map(|one| PolicyConfig {
        name: text(one.name),
        zone: text(one.rest.zone),
        primary: text(one.rest.primary),
        replicas: texts(one.rest.replicas),
        durable: one.rest.durable.value,
        providers_min: one.rest.providers_min.value,
        no_foreign_holder: one.rest.no_foreign_holder.value,
        on_primary_down: one.rest.on_primary_down,
        is_default: one.rest.is_default.value,
    });
    StorageConfig {
        custodians: custodians.collect(),
        backends: backends.collect(),
        zones: zones.collect(),
        policies: policies.collect(),
    }
}
