//! What the vault must remember, as a trait: implemented by `database` on SQL and by the simulator in memory.
//!
//! A segment's life: **reserved** (the intent, recorded before its first byte leaves) → **live** (a committed
//! content has a chunk in it) → **condemned** (nothing refers to it, nothing ever will) → forgotten. The only way
//! from reserved or live to condemned is [`Ledger::condemn`], which refuses while anything refers to the segment;
//! and a content cannot be committed into a condemned segment. So whatever order the two race in, an
//! acknowledged chunk's segment stays.

use crate::Error;
use async_trait::async_trait;
use entente_clouds::ObjectName;
use entente_custodians::{KeyContext, WrappedKey};
use entente_model::{
    BackendId, ContentId, EnterpriseId, EpochId, Manifest, Place, PolicyId, SegmentId, Timestamp, ZoneId,
};

/// Where a segment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentState {
    /// Meant to be written, or being written. Nothing refers to it yet.
    Reserved,
    /// Durable, and a committed content has had a chunk in it.
    Live,
    /// Nothing refers to it and nothing may again: its object is to be deleted, then its row.
    Condemned,
}

/// Where a replica is in its life. Its object's name is its own and never used again: so nothing that deletes an object
/// can hit one that somebody else has just made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReplicaState {
    /// Meant to be written, or being written. Does not count.
    Intended,
    /// Durable.
    Durable,
    /// Was found missing or wrong. Does not count; waits for repair.
    Damaged,
    /// Good, and no longer wanted: it goes after a grace period.
    Leaving,
    /// Its object is to be deleted. Does not count, and is read when nothing else is left.
    Condemned,
}

/// One copy of a segment on one backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replica {
    /// The backend.
    pub backend: BackendId,
    /// The name of its object there.
    pub name: ObjectName,
    /// Where it is in its life.
    pub state: ReplicaState,
    /// Since when it is in that state.
    pub since: Timestamp,
}

impl Replica {
    /// Whether its object is there to be read, as far as is known.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.state, ReplicaState::Durable | ReplicaState::Leaving)
    }
}

/// What the ledger knows of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRecord {
    /// Its id.
    pub segment: SegmentId,
    /// The policy that says where its replicas are to be.
    pub policy: PolicyId,
    /// Where it is in its life.
    pub state: SegmentState,
    /// Length of each of its objects in bytes; 0 while reserved.
    pub size: u64,
    /// Sealed bytes in it that committed contents refer to.
    pub live: u64,
    /// When it was reserved.
    pub created_at: Timestamp,
    /// Since when nothing refers to it, as far as a collection has noticed.
    pub dead_since: Option<Timestamp>,
    /// Its replicas, in order of backends.
    pub replicas: Vec<Replica>,
}

impl SegmentRecord {
    /// Its replica on a backend.
    #[must_use]
    pub fn on(&self, backend: BackendId) -> Option<&Replica> {
        self.replicas.iter().find(|replica| replica.backend == backend)
    }
}

/// A place together with how to fetch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Which chunk, where in which segment.
    pub place: Place,
    /// The segment's replicas, in any state, in order of backends.
    pub replicas: Vec<Replica>,
}

/// One chunk as upkeep sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkRecord {
    /// The content that it belongs to.
    pub content: ContentId,
    /// Where it is.
    pub place: Place,
}

/// A stretch of a content that is made of pieces of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where in the content it begins.
    pub start: u64,
    /// The content that has its bytes, in chunks of its own.
    pub source: ContentId,
    /// Where in that content they begin.
    pub source_start: u64,
    /// How many they are: at least 1.
    pub length: u64,
}

/// An epoch key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochRecord {
    /// Whose, where and which.
    pub context: KeyContext,
    /// The key, wrapped by a custodian.
    pub wrapped: WrappedKey,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A segment has at most so many chunks.
pub const CHUNKS_MAX: usize = 512;

/// A policy asks for at most so many copies.
pub const COPIES_MAX: usize = 4;

/// Backends, at most [`COPIES_MAX`], in the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holders([Option<BackendId>; COPIES_MAX]);

impl Holders {
    /// One more. One too many is left out.
    #[must_use]
    pub fn with(mut self, backend: BackendId) -> Self {
        if let Some(free) = self.0.iter_mut().find(|place| place.is_none()) {
            *free = Some(backend);
        }
        self
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = BackendId> + '_ {
        self.0.iter().flatten().copied()
    }
}

impl FromIterator<BackendId> for Holders {
    fn from_iter<I: IntoIterator<Item = BackendId>>(backends: I) -> Self {
        backends.into_iter().fold(Self::default(), Self::with)
    }
}

/// A segment that has been written and is durable: what a commit needs to make it live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenSegment {
    /// Its id.
    pub segment: SegmentId,
    /// Length of the object in bytes.
    pub size: u64,
    /// Where it is durable now. The other replicas that were intended for it are upkeep's from then on: the commit dates
    /// them back to the beginning of time, so that nobody waits for the writer to make them.
    pub holders: Holders,
}

/// A copy that is to be made: of which segment, where, under which name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copy {
    /// The segment.
    pub segment: SegmentId,
    /// The backend.
    pub backend: BackendId,
    /// The name of the object.
    pub name: ObjectName,
}

/// A stretch of the names of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stretch {
    /// It begins after this name; `None`: at the first that there can be.
    pub after: Option<ObjectName>,
    /// Its last name; `None`: the last that there can be.
    pub upto: Option<ObjectName>,
}

impl Stretch {
    /// Whether a name is within.
    #[must_use]
    pub fn has(&self, name: ObjectName) -> bool {
        self.after.is_none_or(|after| name > after) && self.upto.is_none_or(|upto| name <= upto)
    }
}

/// What the vault has written for one content, not yet committed: the manifest, and the lengths of its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The manifest to commit.
    pub manifest: Manifest,
    /// The segments that its places name, in any order, each once.
    pub segments: Vec<WrittenSegment>,
}

/// What the vault must remember. Each method is one transaction: durable when it returns `Ok`, and without effect
/// when it returns `Err`, unless the error says that the outcome is unknown.
///
/// Committing a content and releasing it are not here: they happen inside the transactions of whoever owns versions.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Records the intent to write segments of a policy: for each, the backends that may be given its bytes, with a fresh
    /// name on each.
    async fn reserve(
        &self,
        policy: PolicyId,
        intents: &[Vec<(BackendId, ObjectName)>],
        now: Timestamp,
    ) -> Result<Vec<SegmentId>, Error>;

    /// Up to `limit` places of a content, from chunk `from` on, in order.
    async fn places(&self, content: ContentId, from: u32, limit: u32) -> Result<Vec<Located>, Error>;

    /// Up to `limit` segments after `after`, in order of ids.
    async fn segments_after(&self, after: Option<SegmentId>, limit: u32) -> Result<Vec<SegmentRecord>, Error>;

    /// Those of these segments that there are, in any order.
    async fn segments(&self, segments: &[SegmentId]) -> Result<Vec<SegmentRecord>, Error>;

    /// Up to `limit` live segments after `after`, in order of ids, that have a replica which is intended or damaged.
    async fn unsettled(&self, after: Option<SegmentId>, limit: u32) -> Result<Vec<SegmentRecord>, Error>;

    /// Up to `limit` segments of a policy after `after`, in order of ids.
    async fn segments_of(
        &self,
        policy: PolicyId,
        after: Option<SegmentId>,
        limit: u32,
    ) -> Result<Vec<SegmentRecord>, Error>;

    /// Up to `limit` segments with a replica on a backend whose object's name comes after `after`, in order of those names.
    async fn segments_on(
        &self,
        backend: BackendId,
        after: Option<ObjectName>,
        limit: u32,
    ) -> Result<Vec<SegmentRecord>, Error>;

    /// Those of the named objects of a backend that the ledger knows, in any order.
    async fn known(&self, backend: BackendId, names: &[ObjectName]) -> Result<Vec<ObjectName>, Error>;

    /// Notes that, of the objects of a backend with names in a stretch, the ledger does not know these, and that those are
    /// all: since `now`, where that is news, or was noted at a moment that is yet to come (the clock was set back). What was
    /// noted there of others is forgotten. Answers since when each of these is unknown, in any order.
    ///
    /// A backup of the ledger that is restored has noted nothing of what came after it: there the time begins anew.
    async fn note_orphans(
        &self,
        backend: BackendId,
        stretch: Stretch,
        names: &[ObjectName],
        now: Timestamp,
    ) -> Result<Vec<(ObjectName, Timestamp)>, Error>;

    /// Up to `limit` chunks in a segment, from `offset` on, in order of offsets.
    async fn chunks_in(&self, segment: SegmentId, offset: u64, limit: u32) -> Result<Vec<ChunkRecord>, Error>;

    /// All chunks in these segments (each has at most [`CHUNKS_MAX`]), in order of segments, then of offsets.
    async fn chunks_of(&self, segments: &[SegmentId]) -> Result<Vec<ChunkRecord>, Error>;

    /// Up to `limit` pieces of a content that is made of them, in order, from the one on that has its byte `from`. None of
    /// one that has chunks of its own: in a ledger without the others, of every one.
    async fn pieces(&self, content: ContentId, from: u64, limit: u32) -> Result<Vec<Piece>, Error> {
        let _ = (content, from, limit);
        Ok(Vec::new())
    }

    /// Up to `limit` committed contents after `after`, in order of ids, without their places.
    async fn contents_after(&self, after: Option<ContentId>, limit: u32) -> Result<Vec<Manifest>, Error>;

    /// The manifest of a committed content, without its places, or `None`.
    async fn content(&self, content: ContentId) -> Result<Option<Manifest>, Error>;

    /// Notes that nothing refers to these segments since `now`, where nothing does and that is news (or was noted at a
    /// moment that is yet to come: the clock was set back). Of reserved ones nothing is noted before they are as old as
    /// `before`, or [`UNUSED_AGE_MIN`](crate::upkeep::safety::UNUSED_AGE_MIN). Then condemns those to which nothing has referred since
    /// `before` or longer, and answers them, with the replicas that they have then: no more come. Those condemned already
    /// are answered too.
    async fn condemn(
        &self,
        segments: &[SegmentId],
        now: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<SegmentRecord>, Error>;

    /// Forgets condemned segments, and their replicas, whose objects are gone.
    async fn forget(&self, segments: &[SegmentId]) -> Result<(), Error>;

    /// Records the intent to make copies of live segments. One takes the place of a replica there that does not count,
    /// whose object is then unknown to the ledger. Answers those it has recorded: not those of segments that are not live,
    /// nor where there is a good replica already, nor where there is a damaged one and no good one elsewhere: it may be
    /// all that is left.
    async fn intend(&self, copies: &[Copy], now: Timestamp) -> Result<Vec<Copy>, Error>;

    /// Notes that intended copies are durable. Answers how many were: not those whose name is no longer the replica's.
    async fn settle(&self, copies: &[Copy], now: Timestamp) -> Result<u32, Error>;

    /// Notes that a durable or leaving replica was found missing or wrong. Without effect when it is under another name by now.
    async fn doubt(&self, copy: Copy, now: Timestamp) -> Result<(), Error>;

    /// Notes that damaged or leaving replicas are good and stay: they are durable again, each if it still has that name.
    /// Answers how many.
    async fn trust(&self, copies: &[Copy], now: Timestamp) -> Result<u32, Error>;

    /// Lets the replicas of live segments on a backend leave, each only if at least `others_min` (at least 1) durable ones
    /// are elsewhere; one that does not count is condemned instead. Answers those that leave now.
    async fn leave(
        &self,
        backend: BackendId,
        segments: &[SegmentId],
        others_min: u32,
        now: Timestamp,
    ) -> Result<Vec<SegmentId>, Error>;

    /// Condemns up to `limit` replicas on a backend, of segments after `after`, that have been leaving since `before` or
    /// longer, each only if a durable one is elsewhere. Answers them, and those that were condemned before but are like them
    /// otherwise, in order of segments: their objects may be deleted now.
    async fn condemn_replicas(
        &self,
        backend: BackendId,
        after: Option<SegmentId>,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Copy>, Error>;

    /// Forgets condemned replicas whose objects are gone.
    async fn forget_replicas(&self, copies: &[Copy]) -> Result<(), Error>;

    /// Points chunks at new places (same content, same chunk number) where they are still at their old ones, and
    /// makes `target` live. Answers how many moved; none and an error if `target` is condemned. Notes of contents of another
    /// policy than `target`'s that they are on the move.
    async fn rehome(&self, target: WrittenSegment, moves: &[(ChunkRecord, Place)]) -> Result<u32, Error>;

    /// Gives a content another policy (and zone, and wrapping of its data key), if its data key is still wrapped as in `old`
    /// and its policy still that one, and every chunk of it is in a segment of the new policy. Then it is not on the move any
    /// more. Answers whether it did. Old and new may be the same: of a move that was called off.
    async fn move_content(&self, old: &Manifest, new: &Manifest) -> Result<bool, Error>;

    /// The newest epoch key of an enterprise in a zone, or `None`.
    async fn newest_epoch(&self, enterprise: EnterpriseId, zone: ZoneId) -> Result<Option<EpochRecord>, Error>;

    /// An epoch key, or `None`.
    async fn epoch(&self, epoch: EpochId) -> Result<Option<EpochRecord>, Error>;

    /// Stores a new epoch key. If another was stored for the same enterprise and zone since `newest_epoch` was asked,
    /// either may become the newest: both unwrap what they wrapped.
    async fn add_epoch(&self, record: EpochRecord) -> Result<(), Error>;
}
