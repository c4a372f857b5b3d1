//! One history: lives over one durable state, and what must hold after each.

use crate::backend::Faults;
use crate::checks;
use crate::drill;
use crate::stage::{Conditions, Durable, Parts, another_process, at, life, locked, runtime};
use crate::steps::Steps;
use entente_model::Timestamp;
use entente_vault::upkeep::collect::Grace;
use entente_vault::upkeep::verify::Verified;
use entente_vault::upkeep::{Pace, Selection, Unwatched, safety};
use entente_world::World;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::clients::Life;

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// So many passes over everything must be enough to have nothing left to do.
const PASSES_MAX: u32 = 10;

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

/// Runs the history that follows from the seed.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    let mut rng = fastrand::Rng::with_seed(seed);
    let first = runtime();
    let _entered = first.enter();
    let world = World::simulated(rng.u64(..), START);
    let mut durable = Durable::new(&mut rng, &world, START, seed);
    let large = rng.u32(0..40) == 0;
    let bad_copies = if rng.bool() { rng.u32(3..20) } else { 0 };
    let faults = match rng.u32(0..3) {
        0 => Faults { bad_copies, ..Faults::default() },
        1 => Faults { errors: rng.u32(20..200), flipped_bits: 0, bad_copies },
        _ => Faults { errors: rng.u32(50..500), flipped_bits: rng.u32(5..50), bad_copies },
    };
    let (mut crashes, lives) = (0, rng.u32(1..5));
    for number in 1..=lives {
        let conditions = Conditions::draw(&mut rng, faults, &durable, large);
        if conditions.rots {
            durable.is_rotten |= !drill::rot(&durable, &mut rng).is_empty();
        }
        crashes += u32::from(live(&mut durable, rng.u64(..), conditions));
        let thorough = number == lives || rng.bool();
        settle(&mut durable, rng.u64(..), thorough);
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
        let parts = Parts::new(durable, &world, &steps, &conditions);
        let life = life(durable, &world, &steps, &parts, &conditions);
        let beside = self::life(durable, &neighbour, &steps, &parts, &conditions);
        let unknown = durable.unknown_objects();
        durable.is_settled = false;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..conditions.clients {
            tasks.spawn(if rng.u32(0..4) == 0 { &beside } else { &life }.clone().client(rng.u32(1..12)));
        }
        let upkeepers = if rng.bool() { [&life, &beside] } else { [&beside, &life] };
        for who in upkeepers.into_iter().take(usize::try_from(conditions.upkeepers).unwrap_or(0)) {
            tasks.spawn(who.clone().upkeep(rng.u32(1..if parts.backends.len() > 1 { 9 } else { 5 })));
        }
        if conditions.withdrawal {
            tasks.spawn(life.clone().withdrawal());
        }
        if conditions.is_operated {
            tasks.spawn(life.clone().operate(beside.clone()));
        }
        if conditions.has_weather {
            tasks.spawn(life.clone().weather());
        }
        tokio::select! {
            biased;
            () = steps.crashed() => {}
            () = async { while let Some(done) = tasks.join_next().await {
                if let Err(panic) = done { life.violated(format!("a task panicked: {panic}")) }
            } } => {}
        }
        let policies = locked(&durable.setting).policies.len();
        checks::check_backends(&life, &parts, &conditions, policies);
        let mut again = BTreeSet::new();
        if steps.has_crashed() {
            for (id, backend) in &parts.backends {
                again.extend(backend.undo_some_deletions().into_iter().map(|name| (*id, name)));
            }
        }
        // On several backends a copy that failed is garbage once another one takes its place.
        let known = |place| again.contains(place) || parts.backends.len() > 1;
        if conditions.is_quiet() && durable.unknown_objects().difference(&unknown).any(|place| !known(place)) {
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

/// The life after: nothing fails, and everything must be as promised. If it is a thorough one, every segment comes to be
/// where it is wanted, and garbage goes too.
fn settle(durable: &mut Durable, seed: u64, thorough: bool) {
    let runtime = runtime();
    runtime.block_on(async {
        let conditions = Conditions { steps_left: -1, ..Conditions::default() };
        let steps = Steps::new(seed, -1, 0, durable.trace);
        let world = World::simulated(seed, at(durable.latest, 1));
        let parts = Parts::new(durable, &world, &steps, &conditions);
        let life = life(durable, &world, &steps, &parts, &conditions);
        checks::read_everything(&life).await;
        checks::check_contents(durable, &life);
        checks::check_verify(&life, "before collect", Verified::is_undamaged).await;
        if !durable.is_rotten {
            checks::check_sealed(durable, &life);
            checks::check_replicas(durable, &life);
        }
        checks::check_zones(durable, &life);
        if thorough || durable.is_rotten {
            let unfinished = locked(&durable.ledger).unfinished();
            for content in unfinished {
                let _ = life.ledger.abort(content).await;
            }
            if durable.is_rotten {
                drill::scrub(&life).await;
            }
            settle_thoroughly(durable, &life).await;
            if life.one_in(3) {
                drill::repair(durable, &life).await;
                settle_thoroughly(durable, &life).await;
            }
            (durable.is_settled, durable.is_rotten) = (true, false);
        }
        durable.trace = steps.trace();
        durable.latest = world.now();
    });
}

/// Upkeep until there is nothing left to do; then each segment is where it is wanted, and nothing else is anywhere.
async fn settle_thoroughly(durable: &Durable, life: &Life) {
    life.end_moves().await;
    // Whoever intended a copy has had his time.
    tokio::time::sleep(safety::INTENT_GRACE + Duration::from_millis(2)).await;
    if life.one_in(2) {
        empty_backends(life).await;
    }
    let mut last = None;
    for _ in 0..PASSES_MAX {
        let converged = match life.vault.converge(Selection::All, None, &Pace::default(), &mut Unwatched).await {
            Ok(converged) => converged,
            Err(error) => return life.violated(format!("converging failed: {error}")),
        };
        let (settled, awaited) = (converged.is_settled() && converged.cursor.is_none(), converged.awaited > 0);
        last = Some(converged);
        if settled {
            break;
        }
        if awaited {
            tokio::time::sleep(safety::INTENT_GRACE + Duration::from_millis(2)).await;
        }
    }
    if !last.as_ref().is_some_and(entente_vault::upkeep::Converged::is_settled) {
        life.violated(format!("there is always something left to do: {last:?}"));
    }
    for backend in life.backends.keys() {
        match life.vault.remove_left(*backend, Duration::ZERO, &mut Unwatched).await {
            Ok(removed) if removed.failed == 0 => {}
            outcome => life.violated(format!("what left was not removed: {outcome:?}")),
        }
    }
    let patience = Grace { segments: Duration::ZERO, orphans: Duration::ZERO };
    match life.vault.collect(patience, &mut Unwatched).await {
        Ok(collected) if collected.failed == 0 => {}
        outcome => life.violated(format!("collect failed: {outcome:?}")),
    }
    checks::check_placed(durable, life);
    checks::check_no_garbage(durable, life);
    checks::check_zones(durable, life);
    checks::read_everything(life).await;
    checks::check_verify(life, "after collect", Verified::is_clean).await;
}

/// One backend after the other, as a move does: there small segments become one.
async fn empty_backends(life: &Life) {
    for backend in life.backends.keys() {
        let converged = life.vault.converge(Selection::On(*backend), None, &Pace::default(), &mut Unwatched).await;
        if let Err(error) = converged {
            return life.violated(format!("emptying backend {backend} failed: {error}"));
        }
    }
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
