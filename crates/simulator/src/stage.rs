//! What survives a crash, and the parts of one life on it.

use crate::backend::{Faults, SimulatedBackend};
use crate::clients::{Circumstances, KEY_LEASE, Life};
use crate::custodian::SimulatedCustodian;
use crate::ledger::{SimulatedLedger, State};
use crate::model::Model;
use crate::setting::Setting;
use crate::steps::Steps;
use entente_clouds::guard::{Retry, RetrySettings};
use entente_clouds::memory::MemoryBackend;
use entente_clouds::{Backend, ObjectName};
use entente_custodians::Custodian;
use entente_custodians::local::LocalCustodian;
use entente_model::{BackendId, Timestamp, ZoneId};
use entente_vault::{Limits, Vault};
use entente_world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What survives a crash.
pub(crate) struct Durable {
    pub objects: BTreeMap<BackendId, MemoryBackend>,
    pub ledger: Arc<Mutex<State>>,
    pub custodians: BTreeMap<ZoneId, Arc<dyn Custodian>>,
    pub setting: Arc<Mutex<Setting>>,
    pub model: Arc<Mutex<Model>>,
    pub violations: Arc<Mutex<Vec<String>>>,
    /// The latest that any clock has shown.
    pub latest: Timestamp,
    pub trace: u64,
    /// Each segment is where it is to be, and nowhere else.
    pub is_settled: bool,
    /// Some replicas are damaged that the ledger takes for good.
    pub is_rotten: bool,
}

/// What one life is like.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Conditions {
    pub steps_left: i64,
    /// One step in so many takes its time; 0 is never.
    pub pauses: u32,
    pub faults: Faults,
    pub ledger_errors: u32,
    pub custodian_errors: u32,
    pub custodian_answer_ms_max: u64,
    /// Whether failed operations of backends are tried again.
    pub retries: bool,
    pub clients: u32,
    /// Processes that do upkeep; the second is one that runs beside the first, with a clock of its own.
    pub upkeepers: u32,
    pub withdrawal: bool,
    /// Whether redirects and policies are changed.
    pub is_operated: bool,
    /// Whether backends are in moods.
    pub has_weather: bool,
    /// Whether some replicas are damaged before it begins.
    pub rots: bool,
    /// How far the clock has jumped since the life before, in milliseconds.
    pub jump_ms: i64,
    /// How far the second process's clock is ahead, in milliseconds.
    pub skew_ms: i64,
    /// How long small contents wait for company, in milliseconds.
    pub gather_ms: u64,
    pub impatience: u32,
    pub large: bool,
}

impl Conditions {
    pub(crate) fn draw(rng: &mut fastrand::Rng, faults: Faults, durable: &Durable, large: bool) -> Self {
        let simple = locked(&durable.setting).is_simple();
        // Some lives have nothing but upkeep, by one process: they may not even leave garbage that nobody knows.
        let quiet = rng.u32(0..5) == 0;
        let often = |rng: &mut fastrand::Rng, one_in: u32, odds: (u32, u32)| {
            if rng.u32(0..one_in) == 0 { rng.u32(odds.0..odds.1) } else { 0 }
        };
        // What is damaged without anybody's knowledge may be what is kept when others leave: so then nothing may leave.
        let rots = !simple && durable.is_settled && rng.u32(0..3) == 0;
        Self {
            steps_left: if rng.u32(0..5) == 0 { -1 } else { rng.i64(1..if simple { 600 } else { 1500 }) },
            pauses: [0, 3, 10, 40][rng.usize(0..4)],
            faults,
            ledger_errors: often(rng, 3, (20, 200)),
            custodian_errors: often(rng, 4, (2, 20)),
            custodian_answer_ms_max: u64::from(often(rng, 3, (1, 20))),
            retries: rng.u32(0..3) == 0,
            clients: if quiet { 0 } else { rng.u32(1..6) },
            upkeepers: if quiet { 1 } else { rng.u32(0..3) },
            withdrawal: rng.u32(0..10) == 0,
            is_operated: !simple && !rots && rng.u32(0..4) > 0,
            has_weather: rng.u32(0..4) == 0,
            rots,
            jump_ms: if rng.u32(0..4) == 0 { rng.i64(-100_000..100_000) } else { 1 },
            // Now and then so far that each takes what the other has just intended for long given up.
            skew_ms: [0, rng.i64(-100..100), rng.i64(-100_000..100_000)][rng.usize(0..3)],
            gather_ms: u64::from(often(rng, 3, (1, 4))),
            impatience: often(rng, 2, (3, 20)),
            large,
        }
    }

    fn circumstances(&self) -> Circumstances {
        let errors = self.faults.errors + self.ledger_errors + self.custodian_errors;
        Circumstances {
            bits_flip: self.faults.flipped_bits > 0,
            things_fail: errors > 0 || self.withdrawal || self.has_weather,
            is_collected: self.upkeepers > 0,
            is_rotten: self.rots,
            impatience: self.impatience,
            large: self.large,
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.clients == 0 && self.upkeepers <= 1 && !self.withdrawal
    }
}

/// The backends and custodians of one life. Both processes have the same.
pub(crate) struct Parts {
    pub backends: BTreeMap<BackendId, SimulatedBackend>,
    pub custodians: BTreeMap<ZoneId, SimulatedCustodian>,
}

impl Parts {
    pub(crate) fn new(durable: &Durable, world: &World, steps: &Steps, conditions: &Conditions) -> Self {
        let ledger = Arc::clone(&durable.ledger);
        let copies: crate::backend::Copies =
            Arc::new(move |name| locked(&ledger).named(name).is_some_and(|named| named.is_copy));
        let backend = |objects: &MemoryBackend| {
            SimulatedBackend::new(
                objects.seen_from(world.clone()),
                steps.clone(),
                conditions.faults,
                Arc::clone(&copies),
            )
        };
        let backends = durable.objects.iter().map(|(id, objects)| (*id, backend(objects))).collect();
        let Conditions { custodian_errors, custodian_answer_ms_max, .. } = *conditions;
        let mut first: Option<SimulatedCustodian> = None;
        let custodian = |(zone, inner): (&ZoneId, &Arc<dyn Custodian>)| {
            let inner = Arc::clone(inner);
            let made = match &first {
                Some(first) => first.beside(inner),
                None => SimulatedCustodian::new(inner, steps.clone(), custodian_errors, custodian_answer_ms_max),
            };
            first.get_or_insert_with(|| made.clone());
            (*zone, made)
        };
        Self { backends, custodians: durable.custodians.iter().map(custodian).collect() }
    }
}

/// One process.
pub(crate) fn life(durable: &Durable, world: &World, steps: &Steps, parts: &Parts, conditions: &Conditions) -> Life {
    world.ids_after(locked(&durable.ledger).greatest_id());
    let ledger =
        SimulatedLedger::new(Arc::clone(&durable.ledger), steps.clone(), world.clone(), conditions.ledger_errors);
    let cloud = |backend: &SimulatedBackend| -> Arc<dyn Backend> {
        if !conditions.retries {
            return Arc::new(backend.clone());
        }
        let (wait_first, wait_max) = (Duration::from_millis(1), Duration::from_millis(5));
        let settings = RetrySettings { tries_max: 3, wait_first, wait_max };
        Arc::new(Retry::new(Arc::new(backend.clone()), world.clone(), settings))
    };
    let clouds: BTreeMap<_, _> = parts.backends.iter().map(|(id, backend)| (*id, cloud(backend))).collect();
    let topology = locked(&durable.setting).topology(&clouds, &parts.custodians);
    let gather = Duration::from_millis(conditions.gather_ms);
    let limits = Limits { key_lease: KEY_LEASE, gather, merge_after: Duration::ZERO, ..Limits::default() };
    Life {
        vault: Vault::new(world.clone(), Arc::new(ledger.clone()), topology, limits),
        ledger,
        backends: parts.backends.clone(),
        clouds,
        custodians: parts.custodians.clone(),
        setting: Arc::clone(&durable.setting),
        steps: steps.clone(),
        model: Arc::clone(&durable.model),
        violations: Arc::clone(&durable.violations),
        circumstances: conditions.circumstances(),
    }
}

impl Durable {
    /// The beginning: nothing is stored.
    pub(crate) fn new(rng: &mut fastrand::Rng, world: &World, start: Timestamp, trace: u64) -> Self {
        let setting = Setting::draw(rng);
        let custodian = |zone: &ZoneId| -> (ZoneId, Arc<dyn Custodian>) {
            (*zone, Arc::new(LocalCustodian::in_memory(world.clone())))
        };
        Self {
            objects: setting.places.keys().map(|id| (*id, MemoryBackend::new(world.clone()))).collect(),
            ledger: Arc::default(),
            custodians: setting.places.values().collect::<BTreeSet<_>>().into_iter().map(custodian).collect(),
            setting: Arc::new(Mutex::new(setting)),
            model: Arc::default(),
            violations: Arc::default(),
            latest: start,
            trace,
            is_settled: true,
            is_rotten: false,
        }
    }

    /// Everything that is stored, by backend and name.
    pub(crate) fn stored(&self) -> BTreeSet<(BackendId, ObjectName)> {
        self.objects.iter().flat_map(|(id, objects)| objects.names().into_iter().map(|name| (*id, name))).collect()
    }

    /// Objects that the ledger does not know.
    pub(crate) fn unknown_objects(&self) -> BTreeSet<(BackendId, ObjectName)> {
        let state = locked(&self.ledger);
        let replicas = state.segments().flat_map(|segment| &segment.replicas);
        let known: BTreeSet<_> = replicas.map(|replica| (replica.backend, replica.name)).collect();
        self.stored().difference(&known).copied().collect()
    }
}

/// A second process, whose ids are not the first one's: primary keys would tell, and that is not what is looked for here.
pub(crate) fn another_process(rng: &mut fastrand::Rng, first: &World, start: Timestamp) -> World {
    loop {
        let world = World::simulated(rng.u64(..), start);
        if (world.next_id() ^ first.next_id()) & 1023 != 0 {
            return world;
        }
    }
}

pub(crate) fn at(moment: Timestamp, later_ms: i64) -> Timestamp {
    let span = Duration::from_millis(later_ms.unsigned_abs());
    if later_ms < 0 { moment.before(span) } else { moment.after(span) }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let built = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    #[expect(clippy::expect_used, reason = "a simulation without a runtime is no simulation")]
    built.expect("a runtime can be built")
}
