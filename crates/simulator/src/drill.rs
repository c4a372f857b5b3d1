//! Damage for good: objects that rot, are cut off, grow or vanish where another replica is good. A scrub must find each of
//! them, and converging must repair it.

use crate::clients::Life;
use crate::stage::{Durable, locked};
use bytes::Bytes;
use entente_clouds::memory::MemoryBackend;
use entente_model::{BackendId, Place, SegmentId};
use entente_vault::upkeep::{Pace, Unwatched};
use entente_vault::{Replica, ReplicaState, SegmentState};

/// Damages some replicas; of each segment at least one stays good. Answers which.
pub(crate) fn rot(durable: &Durable, rng: &mut fastrand::Rng) -> Vec<(SegmentId, BackendId)> {
    let state = locked(&durable.ledger);
    let mut damaged = Vec::new();
    for record in state.segments().filter(|record| record.state == SegmentState::Live && record.live > 0) {
        let mut good: Vec<&Replica> =
            record.replicas.iter().filter(|replica| replica.state == ReplicaState::Durable).collect();
        rng.shuffle(&mut good);
        // One stays, whatever happens to the others.
        for replica in good.into_iter().skip(1) {
            let place = state.first_place_in(record.segment);
            let objects = durable.objects.get(&replica.backend).filter(|_| rng.u32(0..3) == 0);
            if let (Some(objects), Some(place)) = (objects, place) {
                damage(objects, replica, place, rng);
                damaged.push((record.segment, replica.backend));
            }
        }
    }
    damaged
}

fn damage(objects: &MemoryBackend, replica: &Replica, place: Place, rng: &mut fastrand::Rng) {
    let mut bytes = objects.raw(replica.name).unwrap_or_default().to_vec();
    match rng.u32(0..4) {
        0 => return drop(objects.remove(replica.name)),
        1 => bytes.truncate(rng.usize(0..bytes.len().max(1))),
        2 => bytes.push(0),
        _ => {
            let within = rng.u64(place.offset..place.offset + place.length);
            let at = usize::try_from(within).ok().and_then(|at| bytes.get_mut(at));
            at.into_iter().for_each(|byte| *byte ^= 1 << rng.u8(0..8));
        }
    }
    objects.replace(replica.name, Bytes::from(bytes));
}

/// Scrubs every backend; answers how many replicas were found damaged.
pub(crate) async fn scrub(life: &Life) -> u64 {
    let mut damaged = 0;
    for backend in life.backends.keys() {
        let mut from = None;
        loop {
            match life.vault.scrub(*backend, from, &Pace::default(), &mut Unwatched).await {
                Ok(scrubbed) if scrubbed.failed == 0 => {
                    damaged += scrubbed.damaged();
                    from = scrubbed.cursor;
                }
                outcome => {
                    life.violated(format!("a scrub failed: {outcome:?}"));
                    return damaged;
                }
            }
            if from.is_none() {
                break;
            }
        }
    }
    damaged
}

/// Damages some replicas: the next scrub finds these and no others.
pub(crate) async fn repair(durable: &Durable, life: &Life) {
    let rotten = life.draw(|rng| rot(durable, rng));
    let found = scrub(life).await;
    if found != rotten.len() as u64 {
        life.violated(format!("a scrub found {found} damaged replicas, and these are: {rotten:?}"));
    }
    let state = locked(&durable.ledger);
    for (segment, backend) in rotten {
        let record = state.segments().find(|record| record.segment == segment);
        if record.and_then(|record| record.on(backend)).is_none_or(|replica| replica.state != ReplicaState::Damaged) {
            life.violated(format!("a scrub did not put in doubt segment {segment} on backend {backend}"));
        }
    }
}
