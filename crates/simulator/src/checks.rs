//! What must hold after each life.

use crate::clients::Life;
use crate::stage::{Conditions, Durable, Parts, locked};
use entente_model::BackendId;
use entente_vault::upkeep::Unwatched;
use entente_vault::upkeep::verify::{Depth, Verified};
use entente_vault::{Limits, Replica, ReplicaState, SegmentRecord, SegmentState};
use std::collections::{BTreeMap, BTreeSet};

/// The first bytes of a sealed chunk, and what follows: its salt, and the beginning of its first frame.
const MARKER: &[u8] = b"ENT\x01";
const SALT_BYTES: usize = 16;
const BEGINNING_BYTES: usize = 17;
/// Copies that one converging has under way: two batches with up to three each.
const COPIES_OPEN: i64 = 6;

/// Open creations stay within their limits, and no name is used twice.
pub(crate) fn check_backends(life: &Life, parts: &Parts, conditions: &Conditions, policies: usize) {
    let limits = Limits::default();
    // Each client has one write; a write has one open chunk and some that wait for their fsync. Repacking has one. What
    // clients left behind when they went away is not counted here.
    let per_write = 1 + i64::try_from(limits.commits_per_write_max).unwrap_or(0);
    let packers = 2 * i64::from(limits.shared_writers) * i64::try_from(policies).unwrap_or(0);
    let upkeep = i64::from(conditions.upkeepers) * (1 + COPIES_OPEN);
    let most = i64::from(conditions.clients) * per_write + packers + upkeep;
    for backend in parts.backends.values() {
        if backend.open_most() > most && conditions.impatience == 0 && !conditions.withdrawal && !conditions.has_weather
        {
            life.violated(format!("{} creations were open at once", backend.open_most()));
        }
        if backend.used_twice() > 0 && !conditions.retries {
            life.violated("a name was used twice".to_owned());
        }
    }
}

/// Acknowledged contents are there and equal; those in doubt are settled by looking.
pub(crate) async fn read_everything(life: &Life) {
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
pub(crate) fn check_contents(durable: &Durable, life: &Life) {
    let model = locked(&durable.model);
    if let Some(content) = locked(&durable.ledger).contents().find(|content| !model.may_have(*content)) {
        life.violated(format!("content {content} was refused or removed, and is there"));
    }
}

pub(crate) async fn check_verify(life: &Life, when: &str, good: fn(&Verified) -> bool) {
    match life.vault.verify(Depth::Bytes, &mut Unwatched).await {
        Ok(verified) if good(&verified) => {}
        Ok(verified) => life.violated(format!("verify, {when}, found {:?}", verified.findings)),
        Err(error) => life.violated(format!("verify, {when}, failed: {error}")),
    }
}

fn is_live(record: &&SegmentRecord) -> bool {
    record.state == SegmentState::Live && record.live > 0
}

/// Each live segment has exactly the replicas that its policy means, and all are durable.
pub(crate) fn check_placed(durable: &Durable, life: &Life) {
    let (state, setting) = (locked(&durable.ledger), locked(&durable.setting));
    for record in state.segments().filter(is_live) {
        let wanted = setting.policies.get(&record.policy).map(|policy| setting.wanted(policy)).unwrap_or_default();
        let there: BTreeSet<BackendId> = record.replicas.iter().map(|replica| replica.backend).collect();
        let durable = record.replicas.iter().all(|replica| replica.state == ReplicaState::Durable);
        if there != wanted || !durable {
            life.violated(format!("a segment is not where it is wanted ({wanted:?}): {record:?}"));
        }
    }
}

/// What the ledger takes for good is there.
pub(crate) fn check_replicas(durable: &Durable, life: &Life) {
    let (state, stored) = (locked(&durable.ledger), durable.stored());
    for record in state.segments().filter(|record| record.state == SegmentState::Live) {
        let gone = |replica: &&Replica| replica.is_good() && !stored.contains(&(replica.backend, replica.name));
        if let Some(replica) = record.replicas.iter().find(gone) {
            life.violated(format!("{replica:?} of segment {} is not there", record.segment));
        }
    }
}

/// The backends have what the ledger says of live segments, and nothing else.
pub(crate) fn check_no_garbage(durable: &Durable, life: &Life) {
    let state = locked(&durable.ledger);
    let replicas = state.segments().filter(is_live).flat_map(|segment| &segment.replicas);
    let known: BTreeSet<_> = replicas.map(|replica| (replica.backend, replica.name)).collect();
    if known != durable.stored() {
        life.violated("objects are left to which nothing refers, or the other way round".to_owned());
    }
    if let Some((backend, name)) = state.orphans().next() {
        life.violated(format!("object {name} on backend {backend} is gone, and still noted as unknown"));
    }
    if let Some(manifest) = state.manifests().find(|manifest| state.is_moving(manifest.content)) {
        life.violated(format!("content {} is on the move for ever", manifest.content));
    }
    // Reservations of this very life may be left; they have no object.
    if let Some(left) = state.segments().find(|s| s.state == SegmentState::Condemned) {
        life.violated(format!("condemned segment {} was not forgotten", left.segment));
    }
}

/// No object is on a backend of another zone than its segment's policy's, nor under a name that was given for another
/// backend; and no content has a chunk in another zone than its own, unless it is being moved there.
pub(crate) fn check_zones(durable: &Durable, life: &Life) {
    let (state, setting, model) = (locked(&durable.ledger), locked(&durable.setting), locked(&durable.model));
    for (backend, name) in durable.stored() {
        let named = state.named(name);
        let zone = named.and_then(|named| setting.policies.get(&named.policy)).map(|policy| policy.zone);
        if named.is_none_or(|named| named.backend != backend) || zone.as_ref() != setting.places.get(&backend) {
            life.violated(format!("object {name} is on backend {backend}, where it must not be: {named:?}"));
        }
    }
    for manifest in state.manifests() {
        let is_elsewhere = state.segments_of_content(manifest.content).any(|record| record.policy != manifest.policy);
        if is_elsewhere && !state.is_moving(manifest.content) {
            life.violated(format!("content {} is in part elsewhere, and nobody knows", manifest.content));
        }
        for record in state.segments_of_content(manifest.content) {
            let zone = setting.policies.get(&record.policy).map(|policy| policy.zone);
            let may = |zone| zone == manifest.zone || model.may_be_in(manifest.content, zone);
            if !zone.is_some_and(may) {
                life.violated(format!("content {} of zone {} is in {record:?}", manifest.content, manifest.zone));
            }
        }
    }
}

/// No object holds plaintext, and no two chunks are sealed under one salt (unless they are copies of one chunk).
pub(crate) fn check_sealed(durable: &Durable, life: &Life) {
    let mut beginnings: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for (backend, name) in durable.stored() {
        let bytes = durable.objects.get(&backend).and_then(|objects| objects.raw(name)).unwrap_or_default();
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
