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
use entente_model::{BackendId, ContentId, EnterpriseId, EpochId, Manifest, Place, SegmentId, Timestamp, ZoneId};

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

/// What the ledger knows of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentRecord {
    /// Its id.
    pub segment: SegmentId,
    /// The name of its object.
    pub name: ObjectName,
    /// The backend that holds it.
    pub backend: BackendId,
    /// Where it is in its life.
    pub state: SegmentState,
    /// Length of the object in bytes; 0 while reserved.
    pub size: u64,
    /// Sealed bytes in it that committed contents refer to.
    pub live: u64,
    /// When it was reserved.
    pub created_at: Timestamp,
    /// Since when nothing refers to it, as far as a collection has noticed; a reserved one, since it was reserved.
    pub dead_since: Option<Timestamp>,
}

/// A place together with how to fetch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// Which chunk, where in which segment.
    pub place: Place,
    /// The segment's object.
    pub name: ObjectName,
    /// The backend that holds it.
    pub backend: BackendId,
}

/// One chunk as upkeep sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkRecord {
    /// The content that it belongs to.
    pub content: ContentId,
    /// Where it is.
    pub place: Place,
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

/// A segment that has been written and is durable: what a commit needs to make it live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenSegment {
    /// Its id.
    pub segment: SegmentId,
    /// Length of the object in bytes.
    pub size: u64,
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
    /// Records the intent to write `count` segments to a backend, under the given names.
    async fn reserve(&self, backend: BackendId, names: &[ObjectName], now: Timestamp) -> Result<Vec<SegmentId>, Error>;

    /// Up to `limit` places of a content, from chunk `from` on, in order.
    async fn places(&self, content: ContentId, from: u32, limit: u32) -> Result<Vec<Located>, Error>;

    /// Up to `limit` segments after `after`, in order of ids.
    async fn segments_after(&self, after: Option<SegmentId>, limit: u32) -> Result<Vec<SegmentRecord>, Error>;

    /// Those of the named objects of a backend that the ledger knows, in any order.
    async fn segments_named(&self, backend: BackendId, names: &[ObjectName]) -> Result<Vec<SegmentRecord>, Error>;

    /// Up to `limit` chunks in a segment, from `offset` on, in order of offsets.
    async fn chunks_in(&self, segment: SegmentId, offset: u64, limit: u32) -> Result<Vec<ChunkRecord>, Error>;

    /// Up to `limit` committed contents after `after`, in order of ids, without their places.
    async fn contents_after(&self, after: Option<ContentId>, limit: u32) -> Result<Vec<Manifest>, Error>;

    /// The manifest of a committed content, without its places, or `None`.
    async fn content(&self, content: ContentId) -> Result<Option<Manifest>, Error>;

    /// Notes that nothing refers to these segments since `now`, where nothing does and that is news (or was noted at a
    /// moment that is yet to come: the clock was set back); then condemns those to which nothing has referred since
    /// `before` or longer, and answers which. Those condemned already are answered too.
    async fn condemn(&self, segments: &[SegmentId], now: Timestamp, before: Timestamp)
    -> Result<Vec<SegmentId>, Error>;

    /// Forgets condemned segments whose objects are gone.
    async fn forget(&self, segments: &[SegmentId]) -> Result<(), Error>;

    /// Points chunks at new places (same content, same chunk number) where they are still at their old ones, and
    /// makes `target` live. Answers how many moved; none and an error if `target` is condemned.
    async fn rehome(&self, target: WrittenSegment, moves: &[(ChunkRecord, Place)]) -> Result<u32, Error>;

    /// The newest epoch key of an enterprise in a zone, or `None`.
    async fn newest_epoch(&self, enterprise: EnterpriseId, zone: ZoneId) -> Result<Option<EpochRecord>, Error>;

    /// An epoch key, or `None`.
    async fn epoch(&self, epoch: EpochId) -> Result<Option<EpochRecord>, Error>;

    /// Stores a new epoch key. If another was stored for the same enterprise and zone since `newest_epoch` was asked,
    /// either may become the newest: both unwrap what they wrapped.
    async fn add_epoch(&self, record: EpochRecord) -> Result<(), Error>;
}
