//! One history: lives over one durable state, and what must hold after each.

use crate::backend::{Faults, SimulatedBackend};
use crate::clients::{Life, SCOPE};
use crate::ledger::{SimulatedLedger, State};
use crate::model::Model;
use crate::steps::Steps;
use entente_clouds::memory::MemoryBackend;
use entente_custodians::Custodian;
use entente_custodians::local::LocalCustodian;
use entente_model::{BackendId, Timestamp};
use entente_vault::upkeep::{Unwatched, collect::Grace, verify::Depth, verify::Verified};
use entente_vault::{Limits, SegmentState, Vault, Zone};
use entente_world::World;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

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
    now: Timestamp,
    trace: u64,
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
        now: START,
        trace: seed,
    };
    let large = rng.u32(0..60) == 0;
    let faults = match rng.u32(0..3) {
        0 => Faults::default(),
        1 => Faults { errors: rng.u32(20..200), flipped_bits: 0 },
        _ => Faults { errors: rng.u32(50..500), flipped_bits: rng.u32(5..50) },
    };
    let mut crashes = 0;
    for _ in 0..rng.u32(1..4) {
        let steps_left = if rng.u32(0..5) == 0 { -1 } else { rng.i64(1..400) };
        crashes += u32::from(live(&mut durable, rng.u64(..), steps_left, faults, large));
        settle(&mut durable, rng.u64(..), large);
    }
    let contents = durable.model.lock().unwrap_or_else(PoisonError::into_inner).contents.len();
    let violations = std::mem::take(&mut *durable.violations.lock().unwrap_or_else(PoisonError::into_inner));
    Outcome { violations, trace: durable.trace, crashes, contents }
}

/// One life; says whether it ended by a crash.
fn live(durable: &mut Durable, seed: u64, steps_left: i64, faults: Faults, large: bool) -> bool {
    let mut rng = fastrand::Rng::with_seed(seed);
    let runtime = runtime();
    let crashed = runtime.block_on(async {
        let steps = Steps::new(rng.u64(..), steps_left, durable.trace);
        let (life, backend, world) = life(durable, rng.u64(..), &steps, faults, large);
        let clients = rng.u32(1..6);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..clients {
            tasks.spawn(life.clone().client(rng.u32(1..8)));
        }
        tasks.spawn(life.clone().upkeep(rng.u32(0..4)));
        tokio::select! {
            biased;
            () = steps.crashed() => {}
            () = async { while let Some(done) = tasks.join_next().await {
                if let Err(panic) = done { life.violated(format!("a task panicked: {panic}")) }
            } } => {}
        }
        let limits = Limits::default();
        // Each client has one write; a write has one open chunk and some that wait for their fsync. Repacking has one.
        let per_write = 1 + i64::try_from(limits.commits_per_write_max).unwrap_or(0);
        let most = i64::from(clients) * per_write + i64::try_from(limits.shared_writers).unwrap_or(0) + 1;
        if backend.open_most() > most {
            life.violated(format!("{} creations were open at once", backend.open_most()));
        }
        durable.trace = steps.trace();
        durable.now = world.now();
        steps.has_crashed()
    });
    // Whatever was under way ends here.
    drop(runtime);
    crashed
}

/// The life after: nothing fails, and everything must be as promised.
fn settle(durable: &mut Durable, seed: u64, large: bool) {
    let runtime = runtime();
    runtime.block_on(async {
        let steps = Steps::new(seed, -1, durable.trace);
        let (life, _, world) = life(durable, seed, &steps, Faults::default(), large);
        read_everything(&life).await;
        let unfinished = locked(&durable.ledger).unfinished();
        for content in unfinished {
            let _ = life.ledger.abort(content).await;
        }
        check_verify(&life, "before collect", Verified::is_undamaged).await;
        // A clock that has moved on, so that nothing is too young.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let patience = Grace { segments: Duration::ZERO, orphans: Duration::ZERO };
        if let Err(error) = life.vault.collect(patience, &mut Unwatched).await {
            life.violated(format!("collect failed: {error}"));
        }
        check_no_garbage(durable, &life);
        read_everything(&life).await;
        check_verify(&life, "after collect", Verified::is_clean).await;
        check_sealed(durable, &life);
        durable.trace = steps.trace();
        durable.now = world.now();
    });
}

fn life(durable: &Durable, seed: u64, steps: &Steps, faults: Faults, large: bool) -> (Life, SimulatedBackend, World) {
    let world = World::simulated(seed, durable.now.after(Duration::from_millis(1)));
    let ledger = SimulatedLedger::new(Arc::clone(&durable.ledger), steps.clone(), world.clone());
    let backend = SimulatedBackend::new(durable.objects.seen_from(world.clone()), steps.clone(), faults);
    let zone = Zone {
        zone: SCOPE.zone,
        backends: vec![(BackendId::new(1), Arc::new(backend.clone()))],
        custodian: Arc::clone(&durable.custodian),
    };
    let limits = Limits { key_lease: Duration::from_millis(5), ..Limits::default() };
    let vault = Vault::new(world.clone(), Arc::new(ledger.clone()), vec![zone], limits);
    let life = Life {
        vault,
        ledger,
        steps: steps.clone(),
        model: Arc::clone(&durable.model),
        violations: Arc::clone(&durable.violations),
        reads_may_fail: faults.errors > 0 || faults.flipped_bits > 0,
        large,
    };
    (life, backend, world)
}

/// Acknowledged contents are there and equal; those in doubt are settled by looking.
async fn read_everything(life: &Life) {
    let known: Vec<_> = locked(&life.model).contents.iter().map(|(content, known)| (*content, known.clone())).collect();
    for (content, known) in known {
        match life.read(content, 0..known.plain.len() as u64).await {
            Ok(Some(bytes)) if bytes == known.plain[..] => {
                if let Some(known) = locked(&life.model).contents.get_mut(&content) {
                    known.in_doubt = false;
                    known.references = known.references.max(1);
                }
            }
            Ok(None) if known.in_doubt => {
                locked(&life.model).contents.remove(&content);
            }
            Ok(Some(_)) => life.violated(format!("content {content} reads back other bytes")),
            Ok(None) => life.violated(format!("content {content} was acknowledged and is gone")),
            Err(error) => life.violated(format!("content {content} cannot be read: {error}")),
        }
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
    let mut names: Vec<_> = state.segments().filter(|s| s.state == SegmentState::Live && s.live > 0).map(|s| s.name).collect();
    names.sort_unstable();
    if names != durable.objects.names() {
        life.violated("objects are left to which nothing refers, or the other way round".to_owned());
    }
    // Reservations of this very life may be left; they have no object.
    if let Some(left) = state.segments().find(|s| s.state == SegmentState::Condemned) {
        life.violated(format!("condemned segment {} was not forgotten", left.segment));
    }
}

fn check_sealed(durable: &Durable, life: &Life) {
    for name in durable.objects.names() {
        let bytes = durable.objects.raw(name).unwrap_or_default();
        if memchr::memmem::find(&bytes, b"PLAINTEXT:").is_some() {
            life.violated(format!("object {name} holds plaintext"));
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
