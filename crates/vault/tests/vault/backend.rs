use crate::kit::Kit;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_clouds::memory::MemoryBackend;
use entente_clouds::{Backend, Creation, Error, Listed, ObjectName, Stat};
use entente_custodians::local::LocalCustodian;
use entente_model::Timestamp;
use entente_vault::Limits;
use entente_world::World;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Commits take a second of a clock that moves only when everybody waits, and listings wait until they are let go on.
#[derive(Clone)]
pub struct SlowBackend {
    objects: MemoryBackend,
    world: World,
    open: Arc<AtomicUsize>,
    open_most: Arc<AtomicUsize>,
    listings: Arc<Semaphore>,
}

struct SlowCreation {
    inner: Option<Box<dyn Creation>>,
    backend: SlowBackend,
}

impl SlowBackend {
    pub fn kit(limits: Limits) -> (Kit, Self) {
        let world = World::simulated(1, Timestamp::from_millis(1_800_000_000_000));
        let mut backend = None;
        let custodian = Arc::new(LocalCustodian::in_memory(world.clone()));
        let kit = Kit::with(world.clone(), limits, custodian, |objects| {
            let slow = Self {
                objects,
                world,
                open: Arc::default(),
                open_most: Arc::default(),
                listings: Arc::new(Semaphore::new(0)),
            };
            Arc::new(backend.insert(slow).clone())
        });
        (kit, backend.unwrap())
    }

    pub fn let_listings_go_on(&self) {
        self.listings.add_permits(100);
    }

    pub fn open_now(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub fn open_most(&self) -> usize {
        self.open_most.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Backend for SlowBackend {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.open_most.fetch_max(open, Ordering::Relaxed);
        let inner = Some(self.objects.create(name).await?);
        Ok(Box::new(SlowCreation { inner, backend: self.clone() }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        self.objects.read(name, range).await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.objects.stat(name).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.listings.acquire().await.unwrap().forget();
        self.objects.list(after, limit).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.objects.delete(name).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        self.objects.marker().await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        self.objects.mark(bytes).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.objects.foreign(limit).await
    }
}

#[async_trait]
impl Creation for SlowCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.inner.as_mut().unwrap().write(bytes).await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), Error> {
        self.backend.world.sleep(Duration::from_secs(1)).await;
        self.inner.take().unwrap().commit().await
    }
}

impl Drop for SlowCreation {
    fn drop(&mut self) {
        self.backend.open.fetch_sub(1, Ordering::Relaxed);
    }
}
