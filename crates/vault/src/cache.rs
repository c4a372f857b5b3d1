//! Files of a cache on this machine, such as an index: sealed like chunks, under a data key of the cache's own.
//!
//! A file is one sealed chunk (docs/formats/segment.md) of any length. Its place in what is bound is taken by its name, so that
//! no file opens as another. Whoever keeps a cache asks now and then whether its key still may be used.

use crate::seal::{Binding, ChunkKey, FRAME_BYTES, HEADER_BYTES, Sealer, TAG_BYTES};
use crate::{Begun, Error, Scope, Vault};
use bytes::{Bytes, BytesMut};
use entente_custodians::SecretKey;
use entente_model::{ContentId, EnterpriseId, PolicyId, WrappedDataKey, ZoneId};
use entente_world::World;

/// Plaintext bytes in every frame of a file but the last.
pub const CACHE_FRAME_BYTES: usize = FRAME_BYTES;
/// Bytes before the first frame.
pub const CACHE_HEADER_BYTES: usize = HEADER_BYTES;
/// Bytes that sealing adds to each frame.
pub const CACHE_TAG_BYTES: usize = TAG_BYTES;

/// The key of a cache.
pub struct CacheKey {
    world: World,
    key: SecretKey,
    scope: Scope,
    wrapped: WrappedDataKey,
}

/// Where frames of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheFrame {
    /// More come after them.
    Inner,
    /// At the end.
    Last,
}

/// Seals one file from its start to its end.
pub struct CacheSealer(Sealer);

/// Opens frames of one file.
pub struct CacheOpener(ChunkKey);

impl Vault {
    /// A key for a new cache. Errors of the custodian and the ledger; both may be retried.
    pub async fn new_cache_key(&self, enterprise: EnterpriseId, zone: ZoneId) -> Result<CacheKey, Error> {
        let scope = scope(enterprise, zone);
        let (key, wrapped) = self.inner.keys.fresh(scope).await?;
        Ok(CacheKey { world: self.inner.world.clone(), key, scope, wrapped })
    }

    /// The key of a cache that was made earlier. Besides, `DataKey` and `UnknownEpoch` when it is not of this vault.
    pub async fn cache_key(
        &self,
        enterprise: EnterpriseId,
        zone: ZoneId,
        wrapped: WrappedDataKey,
    ) -> Result<CacheKey, Error> {
        let scope = scope(enterprise, zone);
        let begun = Begun { content: ContentId::new(0), scope, key: wrapped };
        let key = self.inner.keys.begun_key(&begun).await?;
        Ok(CacheKey { world: self.inner.world.clone(), key, scope, wrapped: begun.key })
    }

    /// Fails once the key of a cache may not be used any more: what wraps it was withdrawn, and the lease has ended.
    pub async fn check_cache_key(&self, key: &CacheKey) -> Result<(), Error> {
        self.inner.keys.still(key.wrapped.epoch, key.scope.zone).await
    }
}

/// Nothing of a cache goes to a backend, so no policy has a say.
fn scope(enterprise: EnterpriseId, zone: ZoneId) -> Scope {
    Scope { enterprise, zone, policy: PolicyId::new(0) }
}

impl CacheKey {
    /// What may be stored.
    #[must_use]
    pub fn wrapped(&self) -> &WrappedDataKey {
        &self.wrapped
    }

    /// Begins a file with that name. `Internal` only if the cipher cannot be set up.
    pub fn seal(&self, name: &str) -> Result<CacheSealer, Error> {
        let sealer = Sealer::new(&self.key, self.world.random().bytes(), self.binding(name));
        sealer.map(CacheSealer).map_err(|_| Error::Internal("a file of a cache could not be sealed"))
    }

    /// Reads the header of the file with that name.
    pub fn open(&self, name: &str, header: &[u8]) -> Result<CacheOpener, Error> {
        let key = ChunkKey::from_header(&self.key, header, self.binding(name));
        key.map(CacheOpener).map_err(|_| UNREADABLE)
    }

    fn binding(&self, name: &str) -> Binding {
        let hash = blake3::hash(name.as_bytes());
        let [first, ..] = hash.as_bytes().as_chunks::<8>().0 else { return self.bound(0) };
        self.bound(i64::from_be_bytes(*first))
    }

    fn bound(&self, name: i64) -> Binding {
        let enterprise: EnterpriseId = self.scope.enterprise;
        Binding { enterprise, content: ContentId::new(name), chunk: u32::MAX }
    }
}

const UNREADABLE: Error = Error::Internal("a file of a cache is not what was sealed");

impl CacheSealer {
    /// Seals what comes next: whole frames, except at the end, which `at` says and which is not empty.
    pub fn next(&mut self, plain: Bytes, at: CacheFrame) -> Result<Bytes, Error> {
        self.0
            .seal(&[plain], at == CacheFrame::Last)
            .map_err(|_| Error::Internal("a file of a cache could not be sealed"))
    }
}

impl CacheOpener {
    /// Opens a frame.
    pub fn frame(&self, number: u32, at: CacheFrame, sealed: BytesMut) -> Result<Bytes, Error> {
        self.0.open(number, at == CacheFrame::Last, sealed).map_err(|_| UNREADABLE)
    }
}
