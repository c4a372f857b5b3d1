use crate::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use std::{ops::Range, sync::Arc};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Lets only so many operations run on a backend at once; others wait for their turn, first come first served.
///
/// An object that is being created takes a place only while it is written to or committed, so that a slow
/// sender holds nobody up.
pub struct Limit {
    inner: Arc<dyn Backend>,
    places: Arc<Semaphore>,
}

impl Limit {
    /// Wraps a backend. `operations_max` is at least 1 (0 counts as 1).
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, operations_max: usize) -> Self {
        let places = Semaphore::new(operations_max.clamp(1, Semaphore::MAX_PERMITS));
        Self { inner, places: Arc::new(places) }
    }
}

async fn place<'a>(places: &'a Semaphore, operation: &'static str) -> Result<SemaphorePermit<'a>, Error> {
    // Cannot fail: nobody closes the semaphore.
    places.acquire().await.map_err(|closed| Error::new(ErrorKind::Unavailable, operation).because(closed))
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Backend for Limit {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        let _place = place(&self.places, "create").await?;
        let inner = self.inner.create(name).await?;
        Ok(Box::new(LimitedCreation { inner, places: Arc::clone(&self.places) }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let _place = place(&self.places, "read").await?;
        self.inner.read(name, range).await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        let _place = place(&self.places, "stat").await?;
        self.inner.stat(name).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        let _place = place(&self.places, "list").await?;
        self.inner.list(after, limit).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        let _place = place(&self.places, "delete").await?;
        self.inner.delete(name).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        let _place = place(&self.places, "marker").await?;
        self.inner.marker().await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        let _place = place(&self.places, "mark").await?;
        self.inner.mark(bytes).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        let _place = place(&self.places, "foreign").await?;
        self.inner.foreign(limit).await
    }
}

struct LimitedCreation {
    inner: Box<dyn Creation>,
    places: Arc<Semaphore>,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Creation for LimitedCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let _place = place(&self.places, "write").await?;
        self.inner.write(bytes).await
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        let _place = place(&self.places, "commit").await?;
        self.inner.commit().await
    }
}
