//! What every ledger must do, whoever implements it: called by the tests of each.

mod replicas;

use crate::{
    ChunkRecord, Error, Holders, Ledger, ObjectName, ReplicaState, SegmentRecord, SegmentState, Stretch, Written,
    WrittenSegment,
};
use entente_model::{
    BackendId, Checksum, ContentId, CustomerCheck, EnterpriseId, EpochId, Manifest, Place, PolicyId, SegmentId,
    Timestamp, WrappedDataKey, ZoneId,
};
use std::pin::Pin;

/// The two operations that a ledger's owner performs inside transactions of its own.
pub trait Owner: Sync {
    /// Commits a content with one reference.
    fn commit<'a>(&'a self, written: &'a Written) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;
    /// Drops a reference.
    fn release(&self, content: ContentId) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>>;
}

const BACKEND: BackendId = BackendId::new(3);
/// Where a second copy is meant to be.
const OTHER: BackendId = BackendId::new(5);
const POLICY: PolicyId = PolicyId::new(4);
const T0: Timestamp = Timestamp::from_millis(1_000);
const EARLY: Timestamp = Timestamp::from_millis(500);
const LATER: Timestamp = Timestamp::from_millis(2_000);

/// Runs everything on an empty ledger. The text of an error says what was not as promised.
pub async fn run(ledger: &dyn Ledger, owner: &dyn Owner) -> Result<(), String> {
    let [a, b, unused] = reserve(ledger).await?;
    let written = content(1, &[(&a, 0, 100), (&b, 0, 50)]);

    check("nothing is committed yet", say(ledger.content(ContentId::new(1)).await)?.is_none())?;
    say(owner.commit(&written).await)?;
    let manifest = say(ledger.content(ContentId::new(1)).await)?.ok_or("a committed content is not there")?;
    check(
        "a manifest comes back without its places",
        manifest == Manifest { places: Vec::new(), ..written.manifest.clone() },
    )?;
    let places = say(ledger.places(ContentId::new(1), 1, 10).await)?;
    check(
        "places start where they are asked",
        places.len() == 1
            && places.first().is_some_and(|l| l.place.segment == b.segment && l.replicas == durable(&b).replicas),
    )?;
    check("places end with their limit", say(ledger.places(ContentId::new(1), 0, 1).await)?.len() == 1)?;

    let records = say(ledger.segments_after(None, 10).await)?;
    let expected = [(SegmentState::Live, 1000, 100), (SegmentState::Live, 1000, 50), (SegmentState::Reserved, 0, 0)];
    let found: Vec<_> = records.iter().map(|r| (r.state, r.size, r.live)).collect();
    check("segments are live with what is held of them", found == expected)?;
    let name = name_on(&b, BACKEND)?;
    check("names are known", say(ledger.known(BACKEND, &[name, ObjectName::new([9; 16])]).await)? == [name])?;
    check("names are of a backend", say(ledger.known(OTHER, &[name]).await)?.is_empty())?;
    check("chunks of a segment are found", say(ledger.chunks_in(a.segment, 0, 10).await)?.len() == 1)?;
    let of = say(ledger.chunks_of(&[b.segment, a.segment]).await)?;
    let sorted = of.iter().map(|chunk| (chunk.place.segment, chunk.place.offset)).is_sorted();
    check("chunks of several segments are found in order", of.len() == 2 && sorted)?;
    check("chunks before the offset are not", say(ledger.chunks_in(a.segment, 1, 10).await)?.is_empty())?;

    let all = [a.segment, b.segment, unused.segment];
    check("what is too young is not condemned", say(ledger.condemn(&all, T0, EARLY).await)?.is_empty())?;
    check("nor what has just been noted", say(ledger.condemn(&all, LATER, T0).await)?.is_empty())?;
    let only = say(ledger.condemn(&all, LATER, LATER).await)?;
    check("only what is unused is condemned", ids(&only) == [unused.segment])?;
    check(
        "condemning again answers the same",
        ids(&say(ledger.condemn(&all, LATER, EARLY).await)?) == [unused.segment],
    )?;
    let again = say(ledger.condemn(&all, LATER, EARLY).await)?;
    check("with its replicas", again.first().is_some_and(|record| record.replicas == unused.replicas))?;
    let refused = owner.commit(&content(2, &[(&unused, 0, 10), (&a, 200, 10)])).await;
    check("a condemned segment takes nothing", refused.is_err())?;
    check("a refused commit leaves nothing", say(ledger.content(ContentId::new(2)).await)?.is_none())?;
    check("a refused commit holds nothing", say(ledger.chunks_in(a.segment, 0, 10).await)?.len() == 1)?;
    say(ledger.forget(&all).await)?;
    check("only what is condemned is forgotten", say(ledger.segments_after(None, 10).await)?.len() == 2)?;

    let forgotten = name_on(&unused, BACKEND)?;
    check("with its names", say(ledger.known(BACKEND, &[forgotten]).await)?.is_empty())?;

    rehome(ledger, &written, &a, &b).await?;
    replicas::run(ledger, &b).await?;
    orphans(ledger).await?;
    move_content(ledger, &written).await?;

    say(owner.release(ContentId::new(1)).await)?;
    check("a released content is gone", say(ledger.content(ContentId::new(1)).await)?.is_none())?;
    check("its places are gone", say(ledger.places(ContentId::new(1), 0, 10).await)?.is_empty())?;
    let ended = say(ledger.condemn(&all, T0, EARLY).await)?;
    check("what has just died is not condemned", ended.is_empty())?;
    let records = say(ledger.segments_after(None, 10).await)?;
    check("but noted", records.iter().filter(|r| all.contains(&r.segment)).all(|r| r.dead_since == Some(T0)))?;
    say(ledger.condemn(&all, EARLY, Timestamp::from_millis(0)).await)?;
    let records = say(ledger.segments_after(None, 10).await)?;
    check(
        "what was noted at a moment yet to come is noted anew",
        records.iter().filter(|r| all.contains(&r.segment)).all(|r| r.dead_since == Some(EARLY)),
    )?;
    check("nothing is held", say(ledger.segments_after(None, 10).await)?.iter().all(|record| record.live == 0))?;
    epochs(ledger).await
}

async fn rehome(ledger: &dyn Ledger, written: &Written, a: &SegmentRecord, b: &SegmentRecord) -> Result<(), String> {
    let [target, ..] = reserve(ledger).await?;
    let to = |offset, place: &Place| Place { segment: target.segment, offset, ..*place };
    let chunks = say(ledger.chunks_in(a.segment, 0, 10).await)?;
    let moved = chunks.first().ok_or("no chunk to move")?.clone();
    let mut stale = moved.clone();
    stale.place.segment = b.segment;
    let segment = WrittenSegment { segment: target.segment, size: 700, holders: holders() };
    let moves = [(moved.clone(), to(5, &moved.place)), (stale.clone(), to(300, &stale.place))];
    check("only chunks that are where they were move", say(ledger.rehome(segment, &moves).await)? == 1)?;
    let places = say(ledger.places(written.manifest.content, 0, 1).await)?;
    check("a moved chunk is at its new place", places.first().is_some_and(|l| l.place == to(5, &moved.place)))?;
    let records = say(ledger.segments(&[a.segment, target.segment]).await)?;
    let live = |segment| records.iter().find(|r| r.segment == segment).map(|r| (r.live, r.state));
    check("the old segment is let go", live(a.segment).is_some_and(|(live, _)| live == 0))?;
    check("the new one is held", live(target.segment) == Some((100, SegmentState::Live)))
}

async fn move_content(ledger: &dyn Ledger, written: &Written) -> Result<(), String> {
    let old = Manifest { places: Vec::new(), ..written.manifest.clone() };
    let mut new = Manifest { policy: PolicyId::new(40), zone: ZoneId::new(10), ..old.clone() };
    new.key = WrappedDataKey { epoch: EpochId::new(2), bytes: vec![1; 40] };
    check("a content stays while its chunks do", !say(ledger.move_content(&old, &new).await)?)?;
    let places: Vec<_> = say(ledger.places(old.content, 0, 10).await)?.iter().map(|located| located.place).collect();
    let there = target(ledger, new.policy, 0xc0).await?;
    bring(ledger, old.content, (places.first(), there)).await?;
    check("nor while one of them does", !say(ledger.move_content(&old, &new).await)?)?;
    check("nor is it back by itself", !say(ledger.move_content(&old, &old).await)?)?;
    bring(ledger, old.content, (places.get(1), there)).await?;
    check("a content moves to another policy and zone", say(ledger.move_content(&old, &new).await)?)?;
    check("and is there then", say(ledger.content(old.content).await)?.as_ref() == Some(&new))?;
    check("one that has moved does not move again", !say(ledger.move_content(&old, &new).await)?)?;
    check("nor back without its chunks", !say(ledger.move_content(&new, &old).await)?)?;
    let back = target(ledger, old.policy, 0xd0).await?;
    for located in say(ledger.places(old.content, 0, 10).await)? {
        bring(ledger, old.content, (Some(&located.place), back)).await?;
    }
    check("a content moves back", say(ledger.move_content(&new, &old).await)?)?;
    check("and may be told to be where it is", say(ledger.move_content(&old, &old).await)?)
}

/// A segment of a policy for chunks that move.
async fn target(ledger: &dyn Ledger, policy: PolicyId, name: u8) -> Result<SegmentId, String> {
    let intents = [vec![(BACKEND, ObjectName::new([name; 16]))]];
    let reserved = say(ledger.reserve(policy, &intents, T0).await)?;
    reserved.first().copied().ok_or_else(|| "nothing was reserved".to_owned())
}

async fn bring(
    ledger: &dyn Ledger,
    content: ContentId,
    (place, to): (Option<&Place>, SegmentId),
) -> Result<(), String> {
    let place = *place.ok_or("a chunk is not there")?;
    let new = Place { segment: to, offset: u64::from(place.chunk) * 300, ..place };
    let target = WrittenSegment { segment: to, size: 900, holders: holders() };
    let moved = say(ledger.rehome(target, &[(ChunkRecord { content, place }, new)]).await)?;
    check("a chunk moves", moved == 1)
}

/// What is unknown is so since it was first noted, until it is not noted any more.
async fn orphans(ledger: &dyn Ledger) -> Result<(), String> {
    let [one, two, three] = [1, 2, 3].map(|number| ObjectName::new([number; 16]));
    let all = Stretch::default();
    let first = say(ledger.note_orphans(BACKEND, all, &[one, two], T0).await)?;
    check("what is unknown is so from now on", sorted(first) == [(one, T0), (two, T0)])?;
    let again = say(ledger.note_orphans(BACKEND, all, &[one, two, three], LATER).await)?;
    check("and since then", sorted(again) == [(one, T0), (two, T0), (three, LATER)])?;
    let other = say(ledger.note_orphans(OTHER, all, &[one], LATER).await)?;
    check("each backend has its own", other == [(one, LATER)])?;
    let early = say(ledger.note_orphans(OTHER, all, &[one], EARLY).await)?;
    check("what was noted at a moment yet to come is noted anew", early == [(one, EARLY)])?;
    let within = Stretch { after: Some(one), upto: Some(two) };
    check("of a stretch nothing is left", say(ledger.note_orphans(BACKEND, within, &[], LATER).await)?.is_empty())?;
    let after = say(ledger.note_orphans(BACKEND, all, &[one, two, three], LATER).await)?;
    check("what was forgotten begins anew", sorted(after) == [(one, T0), (two, LATER), (three, LATER)])?;
    for backend in [BACKEND, OTHER] {
        say(ledger.note_orphans(backend, all, &[], LATER).await)?;
    }
    let last = say(ledger.note_orphans(BACKEND, all, &[one], LATER).await)?;
    check("all may be forgotten", last == [(one, LATER)])?;
    say(ledger.note_orphans(BACKEND, all, &[], LATER).await).map(drop)
}

fn sorted(mut orphans: Vec<(ObjectName, Timestamp)>) -> Vec<(ObjectName, Timestamp)> {
    orphans.sort_unstable();
    orphans
}

async fn epochs(ledger: &dyn Ledger) -> Result<(), String> {
    let (enterprise, zone) = (EnterpriseId::new(7), ZoneId::new(8));
    check("there is no epoch key yet", say(ledger.newest_epoch(enterprise, zone).await)?.is_none())?;
    for epoch in [EpochId::new(1), EpochId::new(2)] {
        let context = crate::KeyContext { enterprise, zone, epoch };
        let wrapped = crate::WrappedKey { key_encryption_key: "k".to_owned(), bytes: vec![1, 2, 3] };
        say(ledger.add_epoch(crate::EpochRecord { context, wrapped, created_at: T0 }).await)?;
    }
    let newest = say(ledger.newest_epoch(enterprise, zone).await)?;
    check("the newest epoch key is the last", newest.is_some_and(|record| record.context.epoch == EpochId::new(2)))?;
    check("older ones are kept", say(ledger.epoch(EpochId::new(1)).await)?.is_some())?;
    check("an epoch key is of its zone", say(ledger.newest_epoch(enterprise, ZoneId::new(9)).await)?.is_none())
}

async fn reserve(ledger: &dyn Ledger) -> Result<[SegmentRecord; 3], String> {
    let before: Vec<_> = say(ledger.segments_after(None, 100).await)?.iter().map(|record| record.segment).collect();
    let serial = u8::try_from(before.len()).unwrap_or(u8::MAX);
    let name = |i: u8| ObjectName::new([i * 16 + serial; 16]);
    let intents = [1, 2, 3].map(|i| vec![(BACKEND, name(i)), (OTHER, name(i + 8))]);
    let ids = say(ledger.reserve(POLICY, &intents, T0).await)?;
    check("each name gets an id", ids.len() == 3)?;
    let records = say(ledger.segments_after(None, 100).await)?;
    let new: Vec<_> = records.into_iter().filter(|record| !before.contains(&record.segment)).collect();
    let reserved = |record: &SegmentRecord| {
        record.state == SegmentState::Reserved
            && record.created_at == T0
            && record.policy == POLICY
            && record.replicas.iter().map(|replica| replica.backend).eq([BACKEND, OTHER])
            && record.replicas.iter().all(|replica| replica.state == ReplicaState::Intended && replica.since == T0)
    };
    check("reserved segments are there", new.iter().all(reserved))?;
    new.try_into().map_err(|_| "three segments were reserved, and others are there".to_owned())
}

/// Durable at first on one of the two backends.
fn holders() -> Holders {
    [BACKEND].into_iter().collect()
}

/// A reserved segment as it is once it is durable there.
fn durable(record: &SegmentRecord) -> SegmentRecord {
    let mut durable = record.clone();
    for replica in &mut durable.replicas {
        match replica.backend == BACKEND {
            true => replica.state = ReplicaState::Durable,
            // Left to upkeep by the commit.
            false => replica.since = Timestamp::from_millis(0),
        }
    }
    durable
}

fn name_on(record: &SegmentRecord, backend: BackendId) -> Result<ObjectName, String> {
    record.on(backend).map(|replica| replica.name).ok_or_else(|| "a replica is not there".to_owned())
}

fn ids(records: &[SegmentRecord]) -> Vec<SegmentId> {
    records.iter().map(|record| record.segment).collect()
}

fn content(id: i64, places: &[(&SegmentRecord, u64, u64)]) -> Written {
    let place = |(chunk, &(record, offset, length)): (u32, &(&SegmentRecord, u64, u64))| Place {
        chunk,
        segment: record.segment,
        offset,
        length,
        checksum: Checksum([7; 16]),
    };
    let manifest = Manifest {
        content: ContentId::new(id),
        enterprise: EnterpriseId::new(1),
        zone: ZoneId::new(1),
        policy: POLICY,
        key: WrappedDataKey { epoch: EpochId::new(1), bytes: vec![0; 40] },
        // Every other one is sealed with a customer's key.
        customer: (id % 2 == 1).then_some(CustomerCheck([9; 32])),
        size: 123,
        sha1: None,
        places: (0..).zip(places).map(place).collect(),
    };
    let segments = places.iter().map(|(record, ..)| record.segment);
    let segments = segments.map(|segment| WrittenSegment { segment, size: 1000, holders: holders() }).collect();
    Written { manifest, segments }
}

fn check(what: &str, holds: bool) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("not so: {what}")) }
}

fn say<T>(result: Result<T, Error>) -> Result<T, String> {
    result.map_err(|error| format!("{error} ({:?})", std::error::Error::source(&error).map(ToString::to_string)))
}
