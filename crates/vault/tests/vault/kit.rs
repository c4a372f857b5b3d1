use bytes::Bytes;
use entente_clouds::Backend;
use entente_clouds::memory::MemoryBackend;
use entente_custodians::Custodian;
use entente_custodians::local::LocalCustodian;
use entente_model::{BackendId, ContentId, EnterpriseId, PolicyId, ZoneId};
use entente_testkit::Scratch;
use entente_testkit::database::{Database, contents};
use entente_vault::upkeep::{Unwatched, verify::Depth, verify::Verified};
use entente_vault::{Error, Limits, Scope, Topology, Vault, Written};
use entente_world::World;
use std::sync::Arc;

pub const SCOPE: Scope = Scope { enterprise: EnterpriseId::new(1), zone: ZoneId::new(1), policy: PolicyId::new(1) };
pub const CHUNK: usize = 8 * 1024 * 1024;

/// A vault on a database of its own.
pub struct Kit {
    pub vault: Vault,
    pub database: Database,
    pub objects: MemoryBackend,
    pub world: World,
    _scratch: Scratch,
}

impl Kit {
    pub fn new() -> Self {
        let world = World::real();
        let custodian = Arc::new(LocalCustodian::in_memory(world.clone()));
        Self::with(world, Limits::default(), custodian, |objects| Arc::new(objects))
    }

    /// On other parts: `backend` stands before the objects in memory.
    pub fn with(
        world: World,
        limits: Limits,
        custodian: Arc<dyn Custodian>,
        backend: impl FnOnce(MemoryBackend) -> Arc<dyn Backend>,
    ) -> Self {
        let scratch = Scratch::new();
        let database = scratch.open(&world);
        let objects = MemoryBackend::new(world.clone());
        let ids = (SCOPE.zone, BackendId::new(1), SCOPE.policy);
        let topology = Topology::single(ids, backend(objects.clone()), custodian);
        let vault = Vault::new(world.clone(), Arc::new(database.clone()), topology, limits);
        Self { vault, database, objects, world, _scratch: scratch }
    }

    pub async fn write(&self, plain: &[u8]) -> Result<Written, Error> {
        let pieces: Vec<_> = plain.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        self.vault.write(SCOPE, u64::MAX, futures_util::stream::iter(pieces)).await
    }

    /// Writes and commits.
    pub async fn keep(&self, plain: &[u8]) -> ContentId {
        let written = self.write(plain).await.unwrap();
        let content = written.manifest.content;
        self.database.transact("commit", move |tx| contents::commit(tx, &written)).await.unwrap();
        content
    }

    pub async fn release(&self, content: ContentId) {
        self.database.transact("release", move |tx| contents::release(tx, content)).await.unwrap();
    }

    pub async fn read(&self, content: ContentId, range: std::ops::Range<u64>) -> Result<Vec<u8>, Error> {
        let manifest = self.database.read(|tx| contents::by_id(tx, content)).unwrap().unwrap();
        let mut reading = self.vault.read(manifest, Vec::new(), range);
        let mut bytes = Vec::new();
        while let Some(piece) = reading.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    pub async fn verify(&self) -> Verified {
        self.vault.verify(Depth::Bytes, &mut Unwatched).await.unwrap()
    }
}

pub fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from((i * 7 + i / 256) % 251).unwrap()).collect()
}
