//! Bytes in, manifest out; manifest in, bytes out.
//!
//! A stream of plaintext is **chunked** (8 MiB), each chunk **sealed** (64 KiB frames, AES-256-GCM), sealed chunks
//! **packed** into segments, and segments **placed** on backends of the zone. `chunk`, `seal`, `pack` and `place` are
//! pure; `write` and `read` drive them, and go on to the next backend that the policy means when one fails. `upkeep` makes
//! what each policy wants of what there is, collects what nothing refers to, repacks what is mostly dead, and verifies
//! everything. A `customer` may bring a key of their own along, which is needed besides ours and kept nowhere.
//!
//! The vault never sees a name or a user. What it must remember it asks of a [`Ledger`].

mod cache;
mod chunk;
pub mod conformance;
mod copies;
mod core;
mod customer;
mod doubts;
mod error;
mod kept;
mod keys;
mod ledger;
mod pack;
mod packer;
mod place;
mod race;
mod read;
mod reserve;
mod seal;
pub mod topology;
pub mod upkeep;
mod write;

use self::core::Core;
use entente_model::{ContentId, EnterpriseId, PolicyId, WrappedDataKey, ZoneId};
use entente_world::World;
use std::sync::Arc;
use std::time::Duration;

pub use cache::{
    CACHE_FRAME_BYTES, CACHE_HEADER_BYTES, CACHE_TAG_BYTES, CacheFrame, CacheKey, CacheOpener, CacheSealer,
};
pub use customer::{CustomerKey, CustomerMark};
pub use entente_clouds::ObjectName;
pub use entente_custodians::{KeyContext, WrappedKey};
pub use error::Error;
pub use ledger::{
    CHUNKS_MAX, COPIES_MAX, ChunkRecord, Copy, EpochRecord, Holders, Ledger, Located, Piece, Replica, ReplicaState,
    SegmentRecord, SegmentState, Stretch, Written, WrittenSegment,
};
pub use read::Reading;
pub use topology::Topology;
pub use write::{BoxError, WrittenPart};

/// Whose content it is, and where it must stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The enterprise; bound into every frame.
    pub enterprise: EnterpriseId,
    /// The zone; only its backends and custodian are used.
    pub zone: ZoneId,
    /// Which policy of the zone says how many copies there are, and where.
    pub policy: PolicyId,
}

/// A content whose chunks arrive one by one, in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its id.
    pub content: ContentId,
    /// Whose it is, and where.
    pub scope: Scope,
    /// The key that seals its chunks.
    pub key: WrappedDataKey,
}

/// The bounds of a vault. Each has a reason and a default.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long an unwrapped epoch key is kept: a withdrawn key goes dark after this.
    pub key_lease: Duration,
    /// Bytes that are being sealed or handed to a backend, over all writes; those of small contents until they are durable.
    /// What a disk holds of a segment until its commit comes on top, for each segment that is open.
    pub budget_bytes: u32,
    /// Bytes of large contents that are kept until they are durable, over all writes: those that go to clouds, and those
    /// that another backend may have to take. A chunk has its share before its first byte is taken. At least a chunk's
    /// (8 MiB and a little) count.
    pub kept_bytes: u32,
    /// How long a chunk may take to arrive while others wait for a share of `kept_bytes`; then its write is refused.
    pub chunk_patience: Duration,
    /// Segments of one content that may be waiting for their fsync while more of it arrives.
    pub commits_per_write_max: usize,
    /// Shared segments being written at a time. What arrives while one is written gathers for the next.
    pub shared_writers: u32,
    /// How long it gathers at most to a disk: one that syncs within this time is given one large segment after the other, a
    /// slower one several at once. Fewer wait only until as many have come as came together of late.
    pub gather_beside: Duration,
    /// How long a lone small content waits for company before its segment is written to a disk.
    pub gather: Duration,
    /// The same when a cloud is written to, where each segment is a request. While as many come as came of late, it waits up
    /// to three times as long.
    pub gather_cloud: Duration,
    /// Bytes that readers of large contents on clouds fetch beyond their first quarter of a mebibyte, over all reads: there
    /// each request counts, so who reads on is given up to a chunk (8 MiB) at a time while there is room for that here.
    pub read_ahead_bytes: u32,
    /// How long a read waits for one replica before it asks the next one too.
    pub hedge_after: Duration,
    /// Reads that may be asking a second replica for no better reason than that: when it is we who are slow, more
    /// requests do not help.
    pub hedges_max: u32,
    /// How long a copy may take to become durable before it is written to the next backend too; a second more for every
    /// 4 MiB.
    pub failover_after: Duration,
    /// A small segment is not moved into a larger one for this long after it became durable.
    pub merge_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            key_lease: Duration::from_secs(60),
            budget_bytes: 128 * 1024 * 1024,
            kept_bytes: 192 * 1024 * 1024,
            chunk_patience: Duration::from_secs(60),
            commits_per_write_max: 3,
            shared_writers: 4,
            gather_beside: Duration::from_millis(1),
            gather: Duration::ZERO,
            gather_cloud: Duration::from_millis(10),
            read_ahead_bytes: 64 * 1024 * 1024,
            hedge_after: Duration::from_millis(150),
            hedges_max: 64,
            failover_after: Duration::from_secs(2),
            merge_after: upkeep::safety::SHARED_COMMIT_GRACE,
        }
    }
}

/// The vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    core: Arc<Core>,
    packers: packer::Packers,
}

impl std::ops::Deref for Inner {
    type Target = Core;
    fn deref(&self) -> &Core {
        &self.core
    }
}

impl Vault {
    /// Puts a vault together. Call it inside a runtime: shared segments are written by tasks of their own.
    #[must_use]
    pub fn new(world: World, ledger: Arc<dyn Ledger>, topology: Topology, limits: Limits) -> Self {
        let core = Arc::new(Core::new(world, ledger, topology, limits));
        Self { inner: Arc::new(Inner { packers: packer::Packers::new(Arc::clone(&core)), core }) }
    }

    /// Puts another topology in force. What is under way ends as it was begun.
    pub fn reconfigure(&self, topology: Topology) {
        self.inner.core.reconfigure(topology);
        self.inner.packers.retire(&self.inner.core.topology());
    }

    /// What is in force now.
    #[must_use]
    pub fn topology(&self) -> Arc<Topology> {
        self.inner.core.topology()
    }

    /// Begins a content whose chunks will arrive one by one (see [`Vault::write_part`]).
    ///
    /// Errors of the custodian and the ledger; both may be retried.
    pub async fn begin(&self, scope: Scope) -> Result<Begun, Error> {
        let (_, key) = self.inner.keys.fresh(scope).await?;
        Ok(Begun { content: ContentId::new(self.inner.world.next_id()), scope, key })
    }

    /// Checks that the newest epoch key of an enterprise in a zone, if it has one, unwraps: that the right key is at hand.
    pub async fn check_keys(&self, enterprise: EnterpriseId, zone: ZoneId) -> Result<(), Error> {
        self.inner.keys.check(enterprise, zone).await
    }
}
