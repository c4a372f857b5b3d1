//! Bytes in, manifest out; manifest in, bytes out.
//!
//! A stream of plaintext is **chunked** (8 MiB), each chunk **sealed** (64 KiB frames, AES-256-GCM), sealed chunks
//! **packed** into segments, and segments **placed** on backends of the zone. `chunk`, `seal`, `pack` and `place` are
//! pure; `write` and `read` drive them. `upkeep` collects what nothing refers to, repacks what is mostly dead, and
//! verifies everything.
//!
//! The vault never sees a name or a user. What it must remember it asks of a [`Ledger`].

mod chunk;
pub mod conformance;
mod error;
mod keys;
mod ledger;
mod pack;
mod packer;
mod place;
mod read;
mod reserve;
mod seal;
pub mod upkeep;
mod write;

use entente_clouds::Backend;
use entente_custodians::Custodian;
use entente_model::{BackendId, ContentId, EnterpriseId, WrappedDataKey, ZoneId};
use entente_world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use entente_clouds::ObjectName;
pub use entente_custodians::{KeyContext, WrappedKey};
pub use error::Error;
pub use ledger::{ChunkRecord, EpochRecord, Ledger, Located, SegmentRecord, SegmentState, Written, WrittenSegment};
pub use read::Reading;
pub use write::{BoxError, WrittenPart};

/// Whose content it is, and where it must stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The enterprise; bound into every frame.
    pub enterprise: EnterpriseId,
    /// The zone; only its backends and custodian are used.
    pub zone: ZoneId,
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

/// One zone: its backends, and the custodian of its keys.
pub struct Zone {
    /// Its id.
    pub zone: ZoneId,
    /// Its backends, at least one; the first is where new segments go.
    pub backends: Vec<(BackendId, Arc<dyn Backend>)>,
    /// Who wraps its epoch keys.
    pub custodian: Arc<dyn Custodian>,
}

/// The bounds of a vault. Each has a reason and a default.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long an unwrapped epoch key is kept: a withdrawn key goes dark after this.
    pub key_lease: Duration,
    /// Bytes that are being sealed or handed to a backend, over all writes; those of small contents until they are durable.
    /// What a backend holds of a segment until its commit comes on top, for each segment that is open.
    pub budget_bytes: u32,
    /// Segments of one content that may be waiting for their fsync while more of it arrives.
    pub commits_per_write_max: usize,
    /// Shared segments being written at a time. What arrives while one is written gathers for the next.
    pub shared_writers: u32,
    /// How long it gathers: a disk that syncs within this time is given one large segment after the other, a slower one
    /// several at once.
    pub gather_beside: Duration,
    /// How long a lone small content waits for company before its segment is written. 0 on a disk.
    pub gather: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            key_lease: Duration::from_secs(60),
            budget_bytes: 128 * 1024 * 1024,
            commits_per_write_max: 3,
            shared_writers: 4,
            gather_beside: Duration::from_millis(1),
            gather: Duration::ZERO,
        }
    }
}

/// The vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    ledger: Arc<dyn Ledger>,
    limits: Limits,
    backends: BTreeMap<BackendId, Arc<dyn Backend>>,
    placement: place::Placement,
    keys: keys::Keys,
    reservations: Arc<reserve::Reservations>,
    packers: BTreeMap<BackendId, packer::Packer>,
    budget: Arc<tokio::sync::Semaphore>,
}

impl Vault {
    /// Puts a vault together. Call it inside a runtime: shared segments are written by tasks of their own.
    #[must_use]
    pub fn new(world: World, ledger: Arc<dyn Ledger>, zones: Vec<Zone>, limits: Limits) -> Self {
        let placement =
            place::Placement::new(zones.iter().map(|zone| (zone.zone, zone.backends.iter().map(|b| b.0).collect())));
        let custodians = zones.iter().map(|zone| (zone.zone, Arc::clone(&zone.custodian))).collect();
        let backends: BTreeMap<_, _> = zones.into_iter().flat_map(|zone| zone.backends).collect();
        let reservations = Arc::new(reserve::Reservations::new(world.clone(), Arc::clone(&ledger)));
        let packers = backends
            .iter()
            .map(|(id, backend)| {
                let packer =
                    packer::Packer::start(&world, *id, Arc::clone(backend), Arc::clone(&reservations), &limits);
                (*id, packer)
            })
            .collect();
        let keys = keys::Keys::new(world.clone(), Arc::clone(&ledger), custodians, limits.key_lease);
        let budget = Arc::new(tokio::sync::Semaphore::new(limits.budget_bytes as usize));
        Self {
            inner: Arc::new(Inner { world, ledger, limits, backends, placement, keys, reservations, packers, budget }),
        }
    }

    /// Begins a content whose chunks will arrive one by one (see [`Vault::write_part`]).
    ///
    /// Errors of the custodian and the ledger; both may be retried.
    pub async fn begin(&self, scope: Scope) -> Result<Begun, Error> {
        let (_, key) = self.inner.keys.fresh(scope).await?;
        Ok(Begun { content: ContentId::new(self.inner.world.next_id()), scope, key })
    }

    /// Checks that the newest epoch key of a scope, if it has one, unwraps: that the right key is at hand.
    pub async fn check_keys(&self, scope: Scope) -> Result<(), Error> {
        self.inner.keys.check(scope).await
    }

    pub(crate) fn backend(&self, id: BackendId) -> Result<&Arc<dyn Backend>, Error> {
        self.inner.backends.get(&id).ok_or(Error::Internal("a segment is on a backend that is not configured"))
    }
}
