//! One history: lives over one durable state, and what must hold after each.

use crate::backend::{Faults, SimulatedBackend};
use crate::clients::{Circumstances, KEY_LEASE, Life, SCOPE};
use crate::custodian::SimulatedCustodian;
use crate::ledger::{SimulatedLedger, State};
use crate::model::Model;
use crate::steps::Steps;
use entente_clouds::guard::{Retry, RetrySettings};
use entente_clouds::memory::MemoryBackend;
use entente_clouds::{Backend, ObjectName};
use entente_custodians::Custodian;
use entente_custodians::local::LocalCustodian;
use entente_model::{BackendId, Timestamp};
use entente_vault::upkeep::{Unwatched, collect::Grace, verify::Depth, verify::Verified};
use entente_vault::{Limits, SegmentState, Vault, Zone};
use entente_world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// The first bytes of a sealed chunk, and what follows: its salt, and the beginning of its first frame.
const MARKER: &[u8] = b"ENT\x01";
const SALT_BYTES: usize = 16;
const BEGINNING_BYTES: usize = 17;

/// What came of a history.
#[derive(Debug)]
pub struct Outcome {
    /// Promises that were broken. Empty is good.
    pub violations: Vec<String>,
    /// A digest of every step in order: the same for the same seed.
    pub trace: u64,
    /// Lives that ended by a crash.
    pub crashes: u32,
    /// Contents that were acknowledged and still there at the end.
    pub contents: usize,
}

/// What survives a crash.
struct Durable {
    objects: MemoryBackend,
    ledger: Arc<Mutex<State>>,
    custodian: Arc<dyn Custodian>,
    model: Arc<Mutex<Model>>,
    violations: Arc<Mutex<Vec<String>>>,
    /// The latest that any clock has shown.
    latest: Timestamp,
    trace: u64,
}

/// What one life is like.
#[derive(Debug, Clone, Copy, Default)]
struct Conditions {
    steps_left: i64,
    /// One step in so many takes its time; 0 is never.
    pauses: u32,
    faults: Faults,
    ledger_errors: u32,
    custodian_errors: u32,
    custodian_answer_ms_max: u64,
    /// Whether failed operations of backends are tried again.
    retries: bool,
    clients: u32,
    /// Processes that do upkeep; the second is one that runs beside the first, with a clock of its own.
    upkeepers: u32,
    withdrawal: bool,
    /// How far the clock has jumped since the life before, in milliseconds.
    jump_ms: i64,
    /// How far the second process's clock is ahead, in milliseconds.
    skew_ms: i64,
    /// How long small contents wait for company, in milliseconds.
    gather_ms: u64,
    impatience: u32,
    large: bool,
}

impl Conditions {
    fn draw(rng: &mut fastrand::Rng, faults: Faults, large: bool) -> Self {
        // Some lives have nothing but upkeep, by one process: they may not even leave garbage that nobody knows.
        let quiet = rng.u32(0..5) == 0;
        let often = |rng: &mut fastrand::Rng, one_in: u32, odds: (u32, u32)| {
            if rng.u32(0..one_in) == 0 { rng.u32(odds.0..odds.1) } else { 0 }
        };
        Self {
            steps_left: if rng.u32(0..5) == 0 { -1 } else { rng.i64(1..600) },
            pauses: [0, 3, 10, 40][rng.usize(0..4)],
            faults,
            ledger_errors: often(rng, 3, (20, 200)),
            custodian_errors: often(rng, 4, (2, 20)),
            custodian_answer_ms_max: u64::from(often(rng, 3, (1, 20))),
            retries: rng.u32(0..3) == 0,
            clients: if quiet { 0 } else { rng.u32(1..6) },
            upkeepers: if quiet { 1 } else { rng.u32(0..3) },
            withdrawal: rng.u32(0..10) == 0,
            jump_ms: if rng.u32(0..4) == 0 { rng.i64(-100_000..100_000) } else { 1 },
            skew_ms: if rng.bool() { rng.i64(-100..100) } else { 0 },
            gather_ms: u64::from(often(rng, 3, (1, 4))),
            impatience: often(rng, 2, (3, 20)),
            large,
        }
    }

    fn circumstances(&self) -> Circumstances {
        Circumstances {
            bits_flip: self.faults.flipped_bits > 0,
            things_fail: self.faults.errors + self.ledger_errors + self.custodian_errors > 0 || self.withdrawal,
            is_collected: self.upkeepers > 0,
            impatience: self.impatience,
            large: self.large,
        }
    }

    fn is_quiet(&self) -> bool {
        self.clients == 0 && self.upkeepers <= 1 && !self.withdrawal
    }
}

/// Runs the history that follows from the seed.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    let mut rng = fastrand::Rng::with_seed(seed);
    let first = runtime();
    let _entered = first.enter();
    let world = World::simulated(rng.u64(..), START);
    let mut durable = Durable {
        objects: MemoryBackend::new(world.clone()),
        ledger: Arc::default(),
        custodian: Arc::new(LocalCustodian::in_memory(world)),
        model: Arc::default(),
        violations: Arc::default(),
        latest: START,
        trace: seed,
    };
    let large = rng.u32(0..40) == 0;
    let faults = match rng.u32(0..3) {
        0 => Faults::default(),
        1 => Faults { errors: rng.u32(20..200), flipped_bits: 0 },
        _ => Faults { errors: rng.u32(50..500), flipped_bits: rng.u32(5..50) },
    };
    let (mut crashes, lives) = (0, rng.u32(1..5));
    for number in 1..=lives {
        let conditions = Conditions::draw(&mut rng, faults, large);
        crashes += u32::from(live(&mut durable, rng.u64(..), conditions));
        settle(&mut durable, rng.u64(..), number == lives || rng.bool());
    }
    let contents = locked(&durable.model).contents.len();
    let violations = std::mem::take(&mut *locked(&durable.violations));
    Outcome { violations, trace: durable.trace, crashes, contents }
}

/// One life; says whether it ended by a crash.
fn live(durable: &mut Durable, seed: u64, conditions: Conditions) -> bool {
    let mut rng = fastrand::Rng::with_seed(seed);
    let runtime = runtime();
    let crashed = runtime.block_on(async {
        let steps = Steps::new(rng.u64(..), conditions.steps_left, conditions.pauses, durable.trace);
        let start = at(durable.latest, conditions.jump_ms);
        let world = World::simulated(rng.u64(..), start);
        let neighbour = another_process(&mut rng, &world, at(start, conditions.skew_ms));
        let backend = SimulatedBackend::new(durable.objects.seen_from(world.clone()), steps.clone(), conditions.faults);
        let custodian = simulated_custodian(durable, &steps, &conditions);
        let life = life(durable, &world, &steps, (&backend, &custodian), &conditions);
        let beside = life_beside(durable, &neighbour, &life, &backend, &conditions);
        let unknown = durable.unknown_objects();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..conditions.clients {
            tasks.spawn(if rng.u32(0..4) == 0 { &beside } else { &life }.clone().client(rng.u32(1..12)));
        }
        let upkeepers = if rng.bool() { [&life, &beside] } else { [&beside, &life] };
        for who in upkeepers.into_iter().take(usize::try_from(conditions.upkeepers).unwrap_or(0)) {
            tasks.spawn(who.clone().upkeep(rng.u32(1..5)));
        }
        if conditions.withdrawal {
            tasks.spawn(life.clone().withdrawal());
        }
        tokio::select! {
            biased;
            () = steps.crashed() => {}
            () = async { while let Some(done) = tasks.join_next().await {
                if let Err(panic) = done { life.violated(format!("a task panicked: {panic}")) }
            } } => {}
        }
        check_backend(&life, &backend, &conditions);
        let mut again = BTreeSet::new();
        if steps.has_crashed() {
            again = backend.undo_some_deletions();
        }
        if conditions.is_quiet() && durable.unknown_objects().difference(&unknown).any(|name| !again.contains(name)) {
            life.violated("upkeep left an object that the ledger does not know".to_owned());
        }
        durable.trace = steps.trace();
        durable.latest = durable.latest.max(world.now()).max(neighbour.now());
        steps.has_crashed()
    });
    // Whatever was under way ends here.
    drop(runtime);
    crashed
}

/// Open creations stay within their limits, and no name is used twice.
fn check_backend(life: &Life, backend: &SimulatedBackend, conditions: &Conditions) {
    let limits = Limits::default();
    // Each client has one write; a write has one open chunk and some that wait for their fsync. Repacking has one. What
    // clients left behind when they went away is not counted here.
    let per_write = 1 + i64::try_from(limits.commits_per_write_max).unwrap_or(0);
    let packers = 2 * i64::from(limits.shared_writers);
    let most = i64::from(conditions.clients) * per_write + packers + i64::from(conditions.upkeepers);
    if backend.open_most() > most && conditions.impatience == 0 && !conditions.withdrawal {
        life.violated(format!("{} creations were open at once", backend.open_most()));
    }
    if backend.used_twice() > 0 && !conditions.retries {
        life.violated("a name was used twice".to_owned());
    }
}

/// The life after: nothing fails, and everything must be as promised. If it is a thorough one, garbage goes too.
fn settle(durable: &mut Durable, seed: u64, thorough: bool) {
    let runtime = runtime();
    runtime.block_on(async {
        let conditions = Conditions { steps_left: -1, ..Conditions::default() };
        let steps = Steps::new(seed, -1, 0, durable.trace);
        let world = World::simulated(seed, at(durable.latest, 1));
        let backend = SimulatedBackend::new(durable.objects.seen_from(world.clone()), steps.clone(), Faults::default());
        let custodian = simulated_custodian(durable, &steps, &conditions);
        let life = life(durable, &world, &steps, (&backend, &custodian), &conditions);
        read_everything(&life).await;
        check_contents(durable, &life);
        check_verify(&life, "before collect", Verified::is_undamaged).await;
        check_sealed(durable, &life);
        if thorough {
            let unfinished = locked(&durable.ledger).unfinished();
            for content in unfinished {
                let _ = life.ledger.abort(content).await;
            }
            // A clock that has moved on, so that nothing is too young.
            tokio::time::sleep(Duration::from_millis(2)).await;
            let patience = Grace { segments: Duration::ZERO, orphans: Duration::ZERO };
            if let Err(error) = life.vault.collect(patience, &mut Unwatched).await {
                life.violated(format!("collect failed: {error}"));
            }
            check_no_garbage(durable, &life);
            read_everything(&life).await;
            check_verify(&life, "after collect", Verified::is_clean).await;
        }
        durable.trace = steps.trace();
        durable.latest = world.now();
    });
}

fn life(
    durable: &Durable,
    world: &World,
    steps: &Steps,
    (backend, custodian): (&SimulatedBackend, &SimulatedCustodian),
    conditions: &Conditions,
) -> Life {
    world.ids_after(locked(&durable.ledger).greatest_id());
    let ledger =
        SimulatedLedger::new(Arc::clone(&durable.ledger), steps.clone(), world.clone(), conditions.ledger_errors);
    Life {
        vault: vault(world, &ledger, backend, custodian, conditions),
        ledger,
        custodian: custodian.clone(),
        steps: steps.clone(),
        model: Arc::clone(&durable.model),
        violations: Arc::clone(&durable.violations),
        circumstances: conditions.circumstances(),
    }
}

/// Another process on the same state at the same time.
fn life_beside(
    durable: &Durable,
    world: &World,
    life: &Life,
    backend: &SimulatedBackend,
    conditions: &Conditions,
) -> Life {
    self::life(durable, world, &life.steps, (backend, &life.custodian), conditions)
}

/// A second process, whose ids are not the first one's: primary keys would tell, and that is not what is looked for here.
fn another_process(rng: &mut fastrand::Rng, first: &World, start: Timestamp) -> World {
    loop {
        let world = World::simulated(rng.u64(..), start);
        if (world.next_id() ^ first.next_id()) & 1023 != 0 {
            return world;
        }
    }
}

fn simulated_custodian(durable: &Durable, steps: &Steps, conditions: &Conditions) -> SimulatedCustodian {
    let Conditions { custodian_errors, custodian_answer_ms_max, .. } = *conditions;
    SimulatedCustodian::new(Arc::clone(&durable.custodian), steps.clone(), custodian_errors, custodian_answer_ms_max)
}

fn vault(
    world: &World,
    ledger: &SimulatedLedger,
    backend: &SimulatedBackend,
    custodian: &SimulatedCustodian,
    conditions: &Conditions,
) -> Vault {
    let settings =
        RetrySettings { tries_max: 3, wait_first: Duration::from_millis(1), wait_max: Duration::from_millis(5) };
    let backend: Arc<dyn Backend> = if conditions.retries {
        Arc::new(Retry::new(Arc::new(backend.clone()), world.clone(), settings))
    } else {
        Arc::new(backend.clone())
    };
    let zone =
        Zone { zone: SCOPE.zone, backends: vec![(BackendId::new(1), backend)], custodian: Arc::new(custodian.clone()) };
    let gather = Duration::from_millis(conditions.gather_ms);
    let limits = Limits { key_lease: KEY_LEASE, gather, ..Limits::default() };
    Vault::new(world.clone(), Arc::new(ledger.clone()), vec![zone], limits)
}

impl Durable {
    /// Objects that the ledger does not know.
    fn unknown_objects(&self) -> BTreeSet<ObjectName> {
        let state = locked(&self.ledger);
        let known: BTreeSet<_> = state.segments().map(|segment| segment.name).collect();
        self.objects.names().into_iter().filter(|name| !known.contains(name)).collect()
    }
}

fn at(moment: Timestamp, later_ms: i64) -> Timestamp {
    let span = Duration::from_millis(later_ms.unsigned_abs());
    if later_ms < 0 { moment.before(span) } else { moment.after(span) }
}

/// Acknowledged contents are there and equal; those in doubt are settled by looking.
async fn read_everything(life: &Life) {
    let known: Vec<_> = locked(&life.model).contents.iter().map(|(content, known)| (*content, known.clone())).collect();
    for (content, known) in known {
        match life.read(content, 0..known.plain.len() as u64).await {
            Ok(Some(bytes)) if bytes == known.plain[..] => locked(&life.model).found(content),
            Ok(None) if known.in_doubt => {
                locked(&life.model).contents.remove(&content);
            }
            Ok(Some(_)) => life.violated(format!("content {content} reads back other bytes")),
            Ok(None) => life.violated(format!("content {content} was acknowledged and is gone")),
            Err(error) => life.violated(format!("content {content} cannot be read: {error}")),
        }
    }
}

/// What was refused or removed is not there.
fn check_contents(durable: &Durable, life: &Life) {
    let model = locked(&durable.model);
    if let Some(content) = locked(&durable.ledger).contents().find(|content| !model.may_have(*content)) {
        life.violated(format!("content {content} was refused or removed, and is there"));
    }
}

async fn check_verify(life: &Life, when: &str, good: fn(&Verified) -> bool) {
    match life.vault.verify(Depth::Bytes, &mut Unwatched).await {
        Ok(verified) if good(&verified) => {}
        Ok(verified) => life.violated(format!("verify, {when}, found {:?}", verified.findings)),
        Err(error) => life.violated(format!("verify, {when}, failed: {error}")),
    }
}

fn check_no_garbage(durable: &Durable, life: &Life) {
    let state = locked(&durable.ledger);
    let mut names: Vec<_> =
        state.segments().filter(|s| s.state == SegmentState::Live && s.live > 0).map(|s| s.name).collect();
    names.sort_unstable();
    if names != durable.objects.names() {
        life.violated("objects are left to which nothing refers, or the other way round".to_owned());
    }
    // Reservations of this very life may be left; they have no object.
    if let Some(left) = state.segments().find(|s| s.state == SegmentState::Condemned) {
        life.violated(format!("condemned segment {} was not forgotten", left.segment));
    }
}

/// No object holds plaintext, and no two chunks are sealed under one salt (unless they are copies of one chunk).
fn check_sealed(durable: &Durable, life: &Life) {
    let mut beginnings: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for name in durable.objects.names() {
        let bytes = durable.objects.raw(name).unwrap_or_default();
        if memchr::memmem::find(&bytes, b"PLAINTEXT:").is_some() {
            life.violated(format!("object {name} holds plaintext"));
        }
        for place in memchr::memmem::find_iter(&bytes, MARKER) {
            let salt = place + MARKER.len()..place + MARKER.len() + SALT_BYTES;
            let beginning = salt.end..salt.end + BEGINNING_BYTES;
            let (Some(salt), Some(beginning)) = (bytes.get(salt), bytes.get(beginning)) else { continue };
            let first = beginnings.entry(salt.to_vec()).or_insert_with(|| beginning.to_vec());
            if first != beginning {
                life.violated(format!("object {name} holds a chunk whose salt another one has"));
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn runtime() -> tokio::runtime::Runtime {
    let built = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    #[expect(clippy::expect_used, reason = "a simulation without a runtime is no simulation")]
    built.expect("a runtime can be built")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_seed_repeats_itself() {
        for seed in 0..20 {
            assert_eq!(super::run(seed).trace, super::run(seed).trace, "seed {seed}");
        }
    }
}
