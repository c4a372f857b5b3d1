//! Scrubs: each backend is compared with the ledger within the configured time, a slice at a time.

use super::UntilShutdown;
use crate::relocation::{Names, Refusal};
use entente_database::backends::Holdings;
use entente_database::jobs::{self, NewJob};
use entente_database::scrubs::{self, Found, Scrub, Unrepaired};
use entente_database::{Database, Error as DatabaseError, Tx, backends};
use entente_door_admin::shown::moment;
use entente_jobs::{BoxError, Outcome, Run};
use entente_model::{BackendId, JobId};
use entente_vault::upkeep::Pace;
use entente_vault::upkeep::scrub as vault_scrub;
use entente_vault::{ObjectName, Vault};
use entente_world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// A slice of the scrub of one backend; its key is the backend's id.
pub(crate) const SCRUB_JOB: &str = "scrub";
/// Sees which backends are due.
pub(crate) const BEGIN_SCRUBS_JOB: &str = "begin scrubs";

/// Findings that are kept of a scrub.
const FINDINGS_KEPT: usize = 100;
/// How many scrubs of a backend a report has.
const REPORTED: u32 = 10;
const BREATH: Duration = Duration::from_millis(20);
/// After a backend failed.
const FAILURE_WAIT: Duration = Duration::from_secs(30);

/// Everything about scrubs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Scrubbing {
    pub(crate) world: World,
    pub(crate) database: Database,
    pub(crate) vault: Vault,
    /// Within how long each backend is scrubbed once.
    pub(crate) every: Duration,
    pub(crate) pace: Pace,
}

/// What is known of one backend.
struct Standing {
    backend: BackendId,
    scrubs: Vec<Scrub>,
    unrepaired: Unrepaired,
    holdings: Holdings,
}

impl Scrubbing {
    /// Begins scrubs that are due.
    pub(super) async fn begin_due(self) -> Result<Outcome, BoxError> {
        let before = self.world.now().before(self.every);
        let mut due = Vec::new();
        for backend in self.configured() {
            let latest = self.database.read(|tx| scrubs::of(tx, backend, 1))?;
            // One that goes on and lost its job gets another.
            if latest.first().is_none_or(|latest| latest.ended_at.is_none() || latest.started_at <= before) {
                due.push(backend);
            }
        }
        self.begin(&due).await?;
        Ok(Outcome::Done)
    }

    /// Begins scrubs of these backends, by name, or of all. One that goes on goes on.
    pub(crate) async fn start(&self, names: &[String]) -> Result<Vec<Scrub>, Refusal> {
        let known = Names::read(&self.database)?;
        let wanted = match names {
            [] => self.configured(),
            names => names.iter().map(|name| known.backend(name)).collect::<Result<_, _>>()?,
        };
        Ok(self.begin(&wanted).await?)
    }

    async fn begin(&self, wanted: &[BackendId]) -> Result<Vec<Scrub>, DatabaseError> {
        let now = self.world.now();
        let rows: Vec<_> =
            wanted.iter().map(|backend| (*backend, self.world.next_id(), JobId::new(self.world.next_id()))).collect();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let begin = move |tx: &mut Tx<'_>| {
            let mut begun = Vec::with_capacity(rows.len());
            for (backend, number, job) in &rows {
                begun.push(scrubs::begin(tx, *number, *backend, now)?);
                let key = backend.to_string();
                jobs::enqueue(tx, &NewJob { job: *job, kind: SCRUB_JOB, key: &key, payload: "", run_at: now }, now)?;
            }
            Ok(begun)
        };
        self.database.transact("begin scrubs", begin).await
    }

    fn configured(&self) -> Vec<BackendId> {
        self.vault.topology().zones.values().flat_map(|zone| zone.backends.keys().copied()).collect()
    }

    /// The job: a slice.
    pub(super) async fn scrub(self, run: Run) -> Result<Outcome, BoxError> {
        let backend: BackendId = run.key.parse()?;
        let Some(mut scrub) = self.database.read(|tx| scrubs::going_on(tx, backend))? else { return Ok(Outcome::Done) };
        if self.vault.topology().member(backend).is_none() {
            // It was taken out of the configuration meanwhile.
            return Ok(Outcome::Done);
        }
        // A position of another release is no position.
        let position = scrub.position.as_deref().and_then(|position| position.try_into().ok()).map(ObjectName::new);
        let mut watch = UntilShutdown(run.shutdown.clone());
        let slice = self.vault.scrub(backend, position, &self.pace, &mut watch).await?;
        // A backend that cannot be listed is left where it was.
        let is_unlisted = slice.failed > 0 && slice.objects + slice.replicas == 0;
        let is_over = slice.cursor.is_none() && !slice.stopped && !is_unlisted;
        let next = match (is_over, slice.failed) {
            (true, _) => Outcome::Done,
            (false, 0) => Outcome::Again(BREATH),
            (false, _) => Outcome::Again(FAILURE_WAIT),
        };
        scrub.modified_at = self.world.now();
        scrub.ended_at = is_over.then_some(scrub.modified_at);
        scrub.position = slice.cursor.map(|name| name.as_bytes().to_vec());
        take_in(&mut scrub.found, slice);
        if is_over {
            tracing::info!(
                backend.id = %backend,
                replicas = scrub.found.replicas,
                bytes = scrub.found.bytes,
                missing = scrub.found.missing,
                wrong = scrub.found.wrong_size + scrub.found.wrong_bytes + scrub.found.unreadable,
                unknown = scrub.found.unknown,
                failures = scrub.found.failures,
                "scrubbed a backend"
            );
        }
        self.database.transact("save scrub", move |tx| scrubs::save(tx, &scrub)).await?;
        Ok(next)
    }

    /// What an auditor asks for: of each backend what it holds, when it was compared with the ledger, what was found, and
    /// what of it is not repaired yet.
    pub(crate) async fn report(&self) -> Result<Value, DatabaseError> {
        let names = Names::read(&self.database)?;
        let configured = self.configured();
        let read = move |tx: &mut Tx<'_>| {
            let standing = |backend| {
                Ok(Standing {
                    backend,
                    scrubs: scrubs::of(tx, backend, REPORTED)?,
                    unrepaired: scrubs::unrepaired(tx, backend)?,
                    holdings: backends::holdings(tx, backend)?,
                })
            };
            configured.into_iter().map(standing).collect::<Result<Vec<_>, DatabaseError>>()
        };
        let found = self.database.read_long(read).await?;
        let backends: Vec<_> = found.iter().map(|standing| shown_standing(standing, &names)).collect();
        Ok(json!({
            "format": "entente scrub report 1",
            "made_at": moment(self.world.now()),
            "every_seconds": self.every.as_secs(),
            "backends": backends,
        }))
    }
}

fn take_in(found: &mut Found, slice: vault_scrub::Scrubbed) {
    found.replicas += slice.replicas;
    found.chunks += slice.chunks;
    found.bytes += slice.bytes;
    found.objects += slice.objects;
    found.missing += slice.missing;
    found.wrong_size += slice.wrong_size;
    found.wrong_bytes += slice.wrong_bytes;
    found.unreadable += slice.unreadable;
    found.unknown += slice.unknown;
    found.unknown_bytes += slice.unknown_bytes;
    found.failures += slice.failed;
    if let Some(error) = slice.last_error {
        found.last_error = error;
    }
    if slice.findings.is_empty() {
        return;
    }
    let mut findings: Vec<Value> = serde_json::from_str(&found.findings).unwrap_or_default();
    let room = FINDINGS_KEPT.saturating_sub(findings.len());
    findings.extend(slice.findings.iter().take(room).map(shown_finding));
    found.findings = Value::Array(findings).to_string();
}

fn shown_standing(standing: &Standing, names: &Names) -> Value {
    let Standing { backend, scrubs, unrepaired, holdings } = standing;
    let latest = scrubs.iter().find(|scrub| scrub.ended_at.is_some());
    json!({
        "backend": names.of_backend(*backend),
        "backend_id": backend.to_string(),
        "replicas_held": holdings.durable + holdings.leaving,
        "bytes_held": holdings.durable_bytes,
        "last_whole_scrub_ended_at": latest.and_then(|scrub| scrub.ended_at).map(moment),
        "unrepaired_replicas": unrepaired.damaged,
        "lost_replicas": unrepaired.lost,
        "scrubs": scrubs.iter().map(|scrub| shown(scrub, names)).collect::<Vec<_>>(),
    })
}

/// One scrub, as JSON.
pub(crate) fn shown(scrub: &Scrub, names: &Names) -> Value {
    let found = &scrub.found;
    json!({
        "backend": names.of_backend(scrub.backend),
        "backend_id": scrub.backend.to_string(),
        "state": if scrub.ended_at.is_some() { "ended" } else { "running" },
        "started_at": moment(scrub.started_at),
        "modified_at": moment(scrub.modified_at),
        "ended_at": scrub.ended_at.map(moment),
        "replicas_checked": found.replicas,
        "chunks_checked": found.chunks,
        "bytes_read": found.bytes,
        "objects_listed": found.objects,
        "replicas_missing": found.missing,
        "replicas_of_wrong_size": found.wrong_size,
        "replicas_with_wrong_bytes": found.wrong_bytes,
        "replicas_unreadable": found.unreadable,
        "unknown_objects": found.unknown,
        "unknown_bytes": found.unknown_bytes,
        "failures": found.failures,
        "last_error": Some(&found.last_error).filter(|error| !error.is_empty()),
        "findings": serde_json::from_str::<Value>(&found.findings).unwrap_or(Value::Array(Vec::new())),
    })
}

fn shown_finding(finding: &vault_scrub::Found) -> Value {
    match finding {
        vault_scrub::Found::Missing { segment, name } => json!({
            "kind": "missing", "segment_id": segment.to_string(), "object": name.to_string(),
        }),
        vault_scrub::Found::WrongSize { segment, name, expected, found } => json!({
            "kind": "wrong size", "segment_id": segment.to_string(), "object": name.to_string(),
            "expected": expected, "found": found,
        }),
        vault_scrub::Found::WrongBytes { segment, name, content, chunk } => json!({
            "kind": "wrong bytes", "segment_id": segment.to_string(), "object": name.to_string(),
            "content_id": content.to_string(), "chunk": chunk,
        }),
        vault_scrub::Found::Unreadable { segment, name, why } => json!({
            "kind": "unreadable", "segment_id": segment.to_string(), "object": name.to_string(), "why": why,
        }),
        vault_scrub::Found::Unknown { name, size, created_at } => json!({
            "kind": "unknown", "object": name.to_string(), "size_bytes": size, "created_at": moment(*created_at),
        }),
    }
}
