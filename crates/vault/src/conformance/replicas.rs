//! The life of replicas, on a live segment with one durable and one intended.

use super::{BACKEND, LATER, OTHER, POLICY, T0, check, ids, name_on, say};
use crate::{Copy, Ledger, ObjectName, ReplicaState, SegmentRecord};
use entente_model::{BackendId, SegmentId, Timestamp};

const THIRD: BackendId = BackendId::new(6);
const NEW: ObjectName = ObjectName::new([0xaa; 16]);
const NEWER: ObjectName = ObjectName::new([0xbb; 16]);

pub(super) async fn run(ledger: &dyn Ledger, record: &SegmentRecord) -> Result<(), String> {
    let segment = record.segment;
    check("what lacks a replica is unsettled", ids(&say(ledger.unsettled(None, 10).await)?).contains(&segment))?;
    check(
        "not before where one asks",
        say(ledger.unsettled(Some(segment), 10).await)?.iter().all(|r| r.segment > segment),
    )?;
    check("segments are of a policy", ids(&say(ledger.segments_of(POLICY, None, 10).await)?).contains(&segment))?;
    let named = name_on(record, OTHER)?;
    let on = say(ledger.segments_on(OTHER, None, 10).await)?;
    check("segments are found on a backend", ids(&on).contains(&segment))?;
    let names: Vec<_> = on.iter().filter_map(|r| r.on(OTHER).map(|replica| replica.name)).collect();
    check("in order of their names there", names.is_sorted())?;
    check("after a name", !ids(&say(ledger.segments_on(OTHER, Some(named), 10).await)?).contains(&segment))?;

    let first = Copy { segment, backend: OTHER, name: named };
    check("no other name settles it", say(ledger.settle(&[Copy { name: NEW, ..first }], LATER).await)? == 0)?;
    let held = Copy { segment, backend: BACKEND, name: NEWER };
    check("what is durable stays as it is", say(ledger.intend(&[held], LATER).await)?.is_empty())?;
    check("the only durable one does not leave", say(ledger.leave(BACKEND, &[segment], 1, LATER).await)?.is_empty())?;

    let renamed = Copy { name: NEW, ..first };
    check("another intent takes its place", say(ledger.intend(&[renamed], LATER).await)? == [renamed])?;
    check("the first one no longer settles", say(ledger.settle(&[first], LATER).await)? == 0)?;
    check("the second one does", say(ledger.settle(&[renamed], LATER).await)? == 1)?;
    check("its old name is unknown", say(ledger.known(OTHER, &[named, NEW]).await)? == [NEW])?;
    state(ledger, segment, OTHER, Some((ReplicaState::Durable, LATER))).await?;
    check("what is settled is settled", !ids(&say(ledger.unsettled(None, 10).await)?).contains(&segment))?;

    say(ledger.doubt(Copy { name: named, ..first }, LATER).await)?;
    state(ledger, segment, OTHER, Some((ReplicaState::Durable, LATER))).await?;
    say(ledger.doubt(renamed, LATER).await)?;
    state(ledger, segment, OTHER, Some((ReplicaState::Damaged, LATER))).await?;
    check("a damaged one does not count", say(ledger.leave(BACKEND, &[segment], 1, LATER).await)?.is_empty())?;
    check("under another name nothing is trusted", say(ledger.trust(&[first], LATER).await)? == 0)?;
    check("a damaged one may be found good", say(ledger.trust(&[renamed], LATER).await)? == 1)?;
    state(ledger, segment, OTHER, Some((ReplicaState::Durable, LATER))).await?;
    say(ledger.doubt(renamed, LATER).await)?;
    only_one_left(ledger, segment, name_on(record, BACKEND)?, renamed).await?;
    damaged_ones_go(ledger, segment, name_on(record, BACKEND)?, renamed).await?;
    say(ledger.intend(&[first], LATER).await)?;
    say(ledger.settle(&[first], LATER).await)?;

    check("two others are not there", say(ledger.leave(BACKEND, &[segment], 2, LATER).await)?.is_empty())?;
    check("one may leave", say(ledger.leave(BACKEND, &[segment], 1, LATER).await)? == [segment])?;
    check("what leaves waits for nothing", !ids(&say(ledger.unsettled(None, 10).await)?).contains(&segment))?;
    check("what leaves is not replaced", say(ledger.intend(&[held], LATER).await)?.is_empty())?;
    check(
        "what leaves may stay",
        say(ledger.trust(&[Copy { name: name_on(record, BACKEND)?, ..held }], LATER).await)? == 1,
    )?;
    check("and leave again", say(ledger.leave(BACKEND, &[segment], 1, LATER).await)? == [segment])?;
    check("not the other too", say(ledger.leave(OTHER, &[segment], 1, LATER).await)?.is_empty())?;
    check("nor twice", say(ledger.leave(BACKEND, &[segment], 1, LATER).await)?.is_empty())?;
    check("not yet", say(ledger.condemn_replicas(BACKEND, None, T0, 10).await)?.is_empty())?;
    say(ledger.doubt(first, LATER).await)?;
    check(
        "not while it is the only good one",
        say(ledger.condemn_replicas(BACKEND, None, LATER, 10).await)?.is_empty(),
    )?;
    say(ledger.intend(&[first], LATER).await)?;
    say(ledger.settle(&[first], LATER).await)?;
    let gone = Copy { segment, backend: BACKEND, name: name_on(record, BACKEND)? };
    check("then it is condemned", say(ledger.condemn_replicas(BACKEND, None, LATER, 10).await)? == [gone])?;
    let beyond = say(ledger.condemn_replicas(BACKEND, Some(segment), LATER, 10).await)?;
    check("not those before where one asks", beyond.is_empty())?;
    check("and again", say(ledger.condemn_replicas(BACKEND, None, LATER, 10).await)? == [gone])?;
    say(ledger.forget_replicas(&[first, gone]).await)?;
    state(ledger, segment, BACKEND, None).await?;
    state(ledger, segment, OTHER, Some((ReplicaState::Durable, LATER))).await?;

    let unknown = SegmentId::new(i64::MAX);
    let copies = [Copy { segment: unknown, backend: THIRD, name: NEWER }];
    check("a segment that is not there gets no copy", say(ledger.intend(&copies, LATER).await)?.is_empty())
}

/// Two damaged ones: neither gives way to an intent, since it may be all that is left.
async fn only_one_left(ledger: &dyn Ledger, segment: SegmentId, name: ObjectName, other: Copy) -> Result<(), String> {
    let held = Copy { segment, backend: BACKEND, name };
    say(ledger.doubt(held, LATER).await)?;
    let fresh = [Copy { name: NEWER, ..held }, Copy { name: NEWER, ..other }];
    check("what may be all that is left is kept", say(ledger.intend(&fresh, LATER).await)?.is_empty())?;
    check("until it is trusted", say(ledger.trust(&[held], LATER).await)? == 1)
}

/// A damaged one goes as a durable one does, since what is good in it may be the last there is: when enough others are
/// durable, after its grace, and only if they are still durable then. Ends as it began.
async fn damaged_ones_go(
    ledger: &dyn Ledger,
    segment: SegmentId,
    name: ObjectName,
    damaged: Copy,
) -> Result<(), String> {
    let held = Copy { segment, backend: BACKEND, name };
    let backend = damaged.backend;
    check(
        "a damaged one stays for want of others",
        say(ledger.leave(backend, &[segment], 2, LATER).await)?.is_empty(),
    )?;
    state(ledger, segment, backend, Some((ReplicaState::Damaged, LATER))).await?;
    check("with enough of them it goes", say(ledger.leave(backend, &[segment], 1, LATER).await)? == [segment])?;
    state(ledger, segment, backend, Some((ReplicaState::Condemned, LATER))).await?;
    check("not at once", say(ledger.condemn_replicas(backend, None, T0, 10).await)?.is_empty())?;
    say(ledger.doubt(held, LATER).await)?;
    check(
        "what is condemned is kept while nothing else is good",
        say(ledger.condemn_replicas(backend, None, LATER, 10).await)?.is_empty(),
    )?;
    check("then it is trusted again", say(ledger.trust(&[held], LATER).await)? == 1)?;
    check("and the other goes", say(ledger.condemn_replicas(backend, None, LATER, 10).await)? == [damaged])
}

async fn state(
    ledger: &dyn Ledger,
    segment: SegmentId,
    backend: BackendId,
    expected: Option<(ReplicaState, Timestamp)>,
) -> Result<(), String> {
    let records = say(ledger.segments(&[segment]).await)?;
    let found = records.first().and_then(|r| r.on(backend)).map(|replica| (replica.state, replica.since));
    if found == expected { Ok(()) } else { Err(format!("a replica is {found:?}, and not {expected:?}")) }
}
