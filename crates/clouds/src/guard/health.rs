use crate::ErrorKind;
use entente_model::Timestamp;
use entente_world::World;
use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

const STATE: &str = "entente_backend_state";
const LATENCY: &str = "entente_backend_latency_seconds";
const OPENED: &str = "entente_backend_breaker_opened_total";
const REFUSED: &str = "entente_backend_breaker_refused_total";
/// What moves more bytes is judged as if it had moved so many.
const BYTES_JUDGED: u64 = 1024 * 1024;
/// The share of a new measurement in the average, as a power of two: an eighth.
const LATENCY_SHIFT: u32 = 3;

/// When a backend counts as down, and when as slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures in a row after which calls are no longer made. At least 1 (0 counts as 1).
    pub failures_max: u32,
    /// After so long, one call is let through to try.
    pub probe_after: Duration,
    /// Each try that fails doubles the wait for the next one, up to this.
    pub probe_after_max: Duration,
    /// An average latency from which the backend counts as slow.
    pub slow_from: Duration,
}

/// How a backend is, as far as calls to it have told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthState {
    /// It answers.
    Healthy,
    /// It answers, but takes long.
    Slow,
    /// It does not answer, or only with errors; calls fail at once.
    Down,
}

impl HealthState {
    /// `healthy`, `slow` or `down`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Slow => "slow",
            Self::Down => "down",
        }
    }
}

/// How a backend is, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthReport {
    /// How it is.
    pub state: HealthState,
    /// Since when it is so.
    pub since: Timestamp,
    /// The average latency of late, in milliseconds.
    pub latency_ms: u64,
    /// Calls that were made and answered, also those answered with what is no failure, such as `NotFound`.
    pub succeeded: u64,
    /// Calls that were made and failed.
    pub failed: u64,
    /// Calls that were not made because it is down.
    pub refused: u64,
    /// Failures since the last call that was answered.
    pub failures_in_row: u32,
    /// What the last failure was. It holds no secret.
    pub last_failure: Option<String>,
}

/// What is known of how a backend is. Cheap to clone; all clones tell the same.
#[derive(Clone)]
pub struct Health {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    settings: BreakerSettings,
    known: Mutex<Known>,
    gauges: Gauges,
}

struct Gauges {
    state: Gauge,
    latency: Gauge,
    opened: Counter,
    refused: Counter,
}

/// Whether calls are made.
#[derive(Clone, Copy)]
enum Circuit {
    Closed,
    /// Not until then.
    Open(Instant),
    /// One call is on its way, to try.
    Trying,
}

struct Known {
    circuit: Circuit,
    /// How long the circuit was last opened for.
    wait: Duration,
    latency: Duration,
    state: HealthState,
    since: Timestamp,
    succeeded: u64,
    failed: u64,
    refused: u64,
    failures_in_row: u32,
    last_failure: Option<String>,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may.
    Usual,
    /// It may, and decides whether others may.
    Try,
    /// It may not.
    Refused,
}

impl Health {
    /// A backend that nothing is known of counts as healthy. `name` is what it is called in the configuration.
    #[must_use]
    pub fn new(world: World, name: &str, settings: BreakerSettings) -> Self {
        describe_gauge!(STATE, "how a backend is: 0 healthy, 1 slow, 2 down");
        describe_gauge!(LATENCY, metrics::Unit::Seconds, "average latency of a backend");
        describe_counter!(OPENED, "times that a backend was found to be down");
        describe_counter!(REFUSED, "calls that were not made because the backend was down");
        let gauges = Gauges {
            state: gauge!(STATE, "backend" => name.to_owned()),
            latency: gauge!(LATENCY, "backend" => name.to_owned()),
            opened: counter!(OPENED, "backend" => name.to_owned()),
            refused: counter!(REFUSED, "backend" => name.to_owned()),
        };
        gauges.state.set(0.0);
        let known = Known {
            circuit: Circuit::Closed,
            wait: Duration::ZERO,
            latency: Duration::ZERO,
            state: HealthState::Healthy,
            since: world.now(),
            succeeded: 0,
            failed: 0,
            refused: 0,
            failures_in_row: 0,
            last_failure: None,
        };
        Self { inner: Arc::new(Inner { world, settings, known: Mutex::new(known), gauges }) }
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> HealthState {
        self.known().state
    }

    /// The average latency of late, in milliseconds, of calls that move little.
    #[must_use]
    pub fn latency_ms(&self) -> u64 {
        millis(self.known().latency)
    }

    /// Everything that is known.
    #[must_use]
    pub fn report(&self) -> HealthReport {
        let known = self.known();
        HealthReport {
            state: known.state,
            since: known.since,
            latency_ms: millis(known.latency),
            succeeded: known.succeeded,
            failed: known.failed,
            refused: known.refused,
            failures_in_row: known.failures_in_row,
            last_failure: known.last_failure.clone(),
        }
    }

    /// Nothing is done under the lock that could panic half way.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks whether a call may be made. `Try` obliges to tell the outcome.
    pub(super) fn admit(&self) -> Admission {
        let mut known = self.known();
        match known.circuit {
            Circuit::Closed => Admission::Usual,
            Circuit::Open(until) if self.inner.world.instant() >= until => {
                known.circuit = Circuit::Trying;
                Admission::Try
            }
            Circuit::Open(_) | Circuit::Trying => {
                known.refused = known.refused.saturating_add(1);
                self.inner.gauges.refused.increment(1);
                Admission::Refused
            }
        }
    }

    /// Whether a call would be refused, without asking for one.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.known().circuit, Circuit::Closed)
    }

    /// A call was answered after so long, having moved so many bytes.
    pub(super) fn answered(&self, admission: Admission, latency: Duration, bytes: u64) {
        let mut known = self.known();
        known.succeeded = known.succeeded.saturating_add(1);
        match (admission, known.circuit) {
            (Admission::Try, _) | (_, Circuit::Closed) => {
                known.circuit = Circuit::Closed;
                known.failures_in_row = 0;
                known.wait = Duration::ZERO;
            }
            // It was asked before it went down, but answers now, so it is worth a try at once.
            (_, Circuit::Open(_)) => known.circuit = Circuit::Open(self.inner.world.instant()),
            (_, Circuit::Trying) => {}
        }
        known.take_latency(judged(latency, bytes));
        self.update(&mut known);
    }

    /// A call failed.
    pub(super) fn failed(&self, admission: Admission, what: String) {
        let mut known = self.known();
        known.failed = known.failed.saturating_add(1);
        known.failures_in_row = known.failures_in_row.saturating_add(1);
        known.last_failure = Some(what);
        let enough = known.failures_in_row >= self.inner.settings.failures_max.max(1);
        if admission == Admission::Try || (enough && matches!(known.circuit, Circuit::Closed)) {
            self.open(&mut known);
        }
        self.update(&mut known);
    }

    /// A call was dropped after so long, and nobody knows what would have come of it.
    pub(super) fn dropped(&self, admission: Admission, waited: Duration, bytes: u64) {
        let mut known = self.known();
        if admission == Admission::Try {
            self.open(&mut known);
        }
        // It would have taken longer still: who asks two backends drops the one that comes second.
        let waited = judged(waited, bytes);
        if waited > known.latency {
            known.take_latency(waited);
        }
        self.update(&mut known);
    }

    fn open(&self, known: &mut Known) {
        let settings = &self.inner.settings;
        known.wait = known
            .wait
            .saturating_mul(2)
            .clamp(settings.probe_after, settings.probe_after_max.max(settings.probe_after));
        known.circuit = Circuit::Open(self.inner.world.instant() + known.wait);
        if known.state != HealthState::Down {
            self.inner.gauges.opened.increment(1);
        }
    }

    fn update(&self, known: &mut Known) {
        let state = match known.circuit {
            Circuit::Open(_) | Circuit::Trying => HealthState::Down,
            Circuit::Closed if known.latency >= self.inner.settings.slow_from => HealthState::Slow,
            Circuit::Closed => HealthState::Healthy,
        };
        self.inner.gauges.latency.set(known.latency.as_secs_f64());
        if state != known.state {
            known.state = state;
            known.since = self.inner.world.now();
            self.inner.gauges.state.set(match state {
                HealthState::Healthy => 0.0,
                HealthState::Slow => 1.0,
                HealthState::Down => 2.0,
            });
        }
    }
}

impl Known {
    fn take_latency(&mut self, measured: Duration) {
        self.latency = if self.latency.is_zero() {
            measured
        } else {
            let whole = 1_u32 << LATENCY_SHIFT;
            (self.latency * (whole - 1) + measured) / whole
        };
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A large transfer takes long on a good day.
fn judged(latency: Duration, bytes: u64) -> Duration {
    let times = u32::try_from(bytes / BYTES_JUDGED).unwrap_or(u32::MAX);
    latency.checked_div(times.max(1)).unwrap_or(latency)
}

/// Whether an error says something about how the backend is, and not just about an object.
pub(super) fn is_failure(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Denied | ErrorKind::NoBucket | ErrorKind::Unavailable | ErrorKind::Failed => true,
        // What a full backend has can still be read.
        ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::OutOfRange | ErrorKind::Full => false,
    }
}
