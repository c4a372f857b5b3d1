//! A configured backend, opened behind its guards, and claimed as this installation's.

use super::gate::Gate;
use crate::config::{BackendConfig, Config, HealthConfig, files, lexical};
use entente_clouds::claim::{Claim, ClaimError, StoreId, Unmarked, claim};
use entente_clouds::guard::{
    Breaker, Health, HealthState, Meter, StackSettings, Timeout, TimeoutSettings, probe, stack,
};
use entente_clouds::registry::{self, Configuration};
use entente_clouds::{Backend, ErrorKind, ObjectName};
use entente_database::{Database, backends};
use entente_model::BackendId;
use entente_vault::Ledger;
use entente_world::World;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Objects that are looked at to see whose a place without a marker is.
const LOOKED_AT: usize = 200;
/// The slowest that bytes may move.
const BYTES_PER_SECOND_MIN: u64 = 1 << 20;
/// How long a claim may take: some requests.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(10);
/// A healthy cloud is asked for a sign of life after this time, since each costs money.
const CLOUD_ASKED_AFTER: Duration = Duration::from_secs(10);
/// So many failed questions, at most, until a backend that cannot be reached counts as down.
const QUESTIONS_MAX: u32 = 16;

/// A backend that is configured now.
pub(crate) struct OpenBackend {
    pub(crate) config: BackendConfig,
    health_config: HealthConfig,
    /// Of the files that it was opened with: a secret that was changed is read by a reload.
    files: Vec<Option<(SystemTime, u64)>>,
    /// Behind all guards.
    pub(crate) cloud: Arc<dyn Backend>,
    pub(crate) health: Health,
    gate: Gate,
    asked_at: Mutex<Option<Instant>>,
    /// Whether it answered when it was asked last.
    answers: AtomicBool,
}

/// What claiming must know.
pub(crate) struct Claimant<'c> {
    pub(crate) world: &'c World,
    pub(crate) database: &'c Database,
    pub(crate) store: StoreId,
    /// The data directory: what is in it is ours in any case.
    pub(crate) data: &'c Path,
}

/// What became of a claim.
pub(crate) enum Claimed {
    Yes,
    /// Not now; perhaps later.
    NotYet(String),
    /// Never, as it is configured.
    Refused(String),
}

impl OpenBackend {
    /// Puts guards around a backend, which stays closed until it has been claimed.
    pub(crate) fn new(world: &World, config: &BackendConfig, whole: &Config) -> Self {
        let gate = Gate::closed();
        let inner: Arc<dyn Backend> = Arc::new(gate.clone());
        let (cloud, health) = guarded(world, inner, config, &whole.health);
        Self {
            config: config.clone(),
            health_config: whole.health.clone(),
            files: versions(config),
            cloud,
            health,
            gate,
            asked_at: Mutex::default(),
            answers: AtomicBool::new(true),
        }
    }

    /// Whether it is what is configured, guards and secrets included.
    pub(crate) fn is_as(&self, config: &BackendConfig, whole: &Config) -> bool {
        self.config == *config && self.health_config == whole.health && self.files == versions(config)
    }

    pub(crate) fn is_disk(&self) -> bool {
        matches!(self.config.place, Configuration::Fs { .. } | Configuration::Memory)
    }

    /// Why nothing is asked of it, if so.
    pub(crate) fn closed_because(&self) -> Option<String> {
        self.gate.closed_because()
    }

    /// Whether it can be read from, as far as is known.
    pub(crate) fn is_readable(&self) -> bool {
        self.gate.is_open() && self.answers.load(Ordering::Relaxed) && self.health.state() != HealthState::Down
    }

    /// Opens and claims it, unless it has been already. `id` is its id, if the store knows it.
    pub(crate) async fn claim(&self, claimant: &Claimant<'_>, id: Option<BackendId>) -> Claimed {
        if self.gate.is_open() {
            return Claimed::Yes;
        }
        let claimed = self.try_claim(claimant, id).await;
        match &claimed {
            Claimed::Yes => {}
            Claimed::NotYet(why) | Claimed::Refused(why) => self.gate.wait_for(why.clone()),
        }
        claimed
    }

    async fn try_claim(&self, claimant: &Claimant<'_>, id: Option<BackendId>) -> Claimed {
        let Claimant { world, database, store, data } = claimant;
        let (place, for_opening) = (self.config.place.clone(), (*world).clone());
        let opened = world.blocking(move || registry::open(&place, for_opening)).await;
        let raw = match opened {
            Ok(Ok(raw)) => raw,
            Ok(Err(error)) => return self.failed(&error),
            Err(interrupted) => return Claimed::NotYet(interrupted.to_string()),
        };
        let settings = TimeoutSettings { operation: CLAIM_TIMEOUT, bytes_per_second_min: 0 };
        let timed = Timeout::new(Arc::clone(&raw), (*world).clone(), settings);
        let is_ours_by_place =
            matches!(&self.config.place, Configuration::Fs { root } if lexical(root).starts_with(data));
        let unmarked = match self.look(&timed, database, id).await {
            Ok(_) if is_ours_by_place || self.config.adopt => Unmarked::Adopt,
            Ok(Look::Known) => Unmarked::Adopt,
            Ok(Look::Other) => Unmarked::Refuse,
            Ok(Look::EmptyThoughUsed) => {
                return Claimed::NotYet(
                    "it is empty and has no marker, though copies should be there: is the disk mounted, is it the right \
                     bucket? If what was there is lost, say adopt = true in its section, and the copies are made anew"
                        .to_owned(),
                );
            }
            Err(error) => return self.failed(&error),
        };
        match claim(&timed, *store, &self.config.name, unmarked).await {
            Ok(claim) => {
                if claim != Claim::Ours {
                    tracing::info!(backend = self.config.name, "the place is marked as this installation's");
                }
                self.gate.open(raw);
                Claimed::Yes
            }
            Err(ClaimError::Cloud(error)) => self.failed(&error),
            Err(refused) => Claimed::Refused(format!("backend {:?}: {refused}", self.config.name)),
        }
    }

    /// What is in a place that has no marker.
    async fn look(
        &self,
        place: &dyn Backend,
        database: &Database,
        id: Option<BackendId>,
    ) -> Result<Look, entente_clouds::Error> {
        if place.marker().await?.is_some() {
            return Ok(Look::Other);
        }
        let Some(id) = id else { return Ok(Look::Other) };
        let listed: Vec<ObjectName> =
            place.list(None, LOOKED_AT).await?.into_iter().map(|listed| listed.name).collect();
        if listed.is_empty() {
            let is_used = database.read(|tx| backends::is_used(tx, id)).unwrap_or(true);
            return Ok(if is_used { Look::EmptyThoughUsed } else { Look::Other });
        }
        let known = database.known(id, &listed).await.map_or(0, |known| known.len());
        Ok(if known > 0 { Look::Known } else { Look::Other })
    }

    fn failed(&self, error: &entente_clouds::Error) -> Claimed {
        let name = &self.config.name;
        match error.kind {
            // A disk that cannot be opened may be plugged in later; a setting or a credential does not mend itself.
            ErrorKind::Denied | ErrorKind::NoBucket => Claimed::Refused(format!("backend {name:?}: {error}")),
            ErrorKind::Failed if error.operation == "open" && !self.is_disk() => {
                Claimed::Refused(format!("backend {name:?}: {error}"))
            }
            _ => Claimed::NotYet(error.to_string()),
        }
    }

    /// Asks until it counts as down: for one that could not be claimed, so that nobody waits for it.
    pub(crate) async fn give_up(&self, world: &World) {
        for _ in 0..QUESTIONS_MAX {
            if self.health.state() == HealthState::Down || probe(&*self.cloud, world).await.is_ok() {
                return;
            }
        }
    }

    /// Asks for a sign of life, if it is time to.
    pub(crate) async fn ask(&self, world: &World) {
        let pause = if self.is_disk() || !self.is_readable() { Duration::ZERO } else { CLOUD_ASKED_AFTER };
        {
            let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
            let now = world.instant();
            if asked_at.is_some_and(|at| now.saturating_duration_since(at) < pause) {
                return;
            }
            *asked_at = Some(now);
        }
        let answers = probe(&*self.cloud, world).await.is_ok();
        let answered = self.answers.swap(answers, Ordering::Relaxed);
        if answers != answered {
            let name = self.config.name.as_str();
            if answers {
                tracing::info!(backend = name, "the backend answers again");
            } else {
                let why = self.closed_because().or_else(|| self.health.report().last_failure);
                tracing::warn!(backend = name, why = why.unwrap_or_default(), "the backend does not answer");
            }
        }
    }
}

/// What a place without a marker has in it.
enum Look {
    /// Objects that the ledger knows.
    Known,
    /// Nothing, though the ledger knows of objects.
    EmptyThoughUsed,
    /// Anything else; or it has a marker.
    Other,
}

/// When the files of a backend were changed last, and how long they are.
fn versions(config: &BackendConfig) -> Vec<Option<(SystemTime, u64)>> {
    let version = |path: &Path| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    files(&config.place).into_iter().map(version).collect()
}

/// A disk gets no retries: what it refused once it refuses again, and what was written need not be kept for another try.
fn guarded(
    world: &World,
    inner: Arc<dyn Backend>,
    config: &BackendConfig,
    health: &HealthConfig,
) -> (Arc<dyn Backend>, Health) {
    let is_disk = matches!(config.place, Configuration::Fs { .. } | Configuration::Memory);
    let mut settings = if is_disk { StackSettings::disk() } else { StackSettings::cloud() };
    let breaker = &mut settings.breaker;
    breaker.failures_max = health.failures_max.unwrap_or(breaker.failures_max);
    breaker.probe_after = health.probe_after.unwrap_or(breaker.probe_after);
    breaker.probe_after_max = health.probe_after_max.unwrap_or(breaker.probe_after_max);
    breaker.slow_from = health.slow_from.unwrap_or(breaker.slow_from);
    settings.operations_max = usize::try_from(config.requests_max).unwrap_or(usize::MAX);
    settings.timeout.operation = config.timeout.unwrap_or(settings.timeout.operation);
    if !is_disk {
        return stack(inner, world, &config.name, settings);
    }
    let inner = match config.timeout {
        None => inner,
        Some(operation) => {
            let timeout = TimeoutSettings { operation, bytes_per_second_min: BYTES_PER_SECOND_MIN };
            Arc::new(Timeout::new(inner, world.clone(), timeout))
        }
    };
    let health = Health::new(world.clone(), &config.name, settings.breaker);
    let breaker = Breaker::new(inner, world.clone(), health.clone());
    (Arc::new(Meter::new(Arc::new(breaker), world.clone(), &config.name)), health)
}
