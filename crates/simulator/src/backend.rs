//! A backend in memory that fails now and then, and stops with the world. Only what was committed is durable.

use crate::steps::Steps;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_clouds::memory::MemoryBackend;
use entente_clouds::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How often things go wrong, one in so many operations; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub errors: u32,
    pub flipped_bits: u32,
}

#[derive(Clone)]
pub(crate) struct SimulatedBackend {
    objects: MemoryBackend,
    steps: Steps,
    faults: Faults,
    open: Arc<Open>,
}

/// How many creations are open, and were at most.
#[derive(Default)]
pub(crate) struct Open {
    now: AtomicI64,
    most: AtomicI64,
}

impl SimulatedBackend {
    pub(crate) fn new(objects: MemoryBackend, steps: Steps, faults: Faults) -> Self {
        Self { objects, steps, faults, open: Arc::default() }
    }

    pub(crate) fn open_most(&self) -> i64 {
        self.open.most.load(Ordering::Relaxed)
    }

    fn fails(&self, operation: &'static str) -> Option<Error> {
        self.one_in(self.faults.errors).then(|| {
            let kinds = [ErrorKind::Unavailable, ErrorKind::Failed, ErrorKind::Full];
            let kind = self.steps.random(|rng| kinds[rng.usize(0..kinds.len())]);
            Error::new(kind, operation).because("simulated")
        })
    }

    fn one_in(&self, odds: u32) -> bool {
        odds > 0 && self.steps.random(|rng| rng.u32(0..odds)) == 0
    }

    /// An operation: a step, perhaps a failure instead of it, the operation, a step, perhaps a failure in spite of it.
    async fn perform<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        self.steps.step(operation).await;
        if let Some(error) = self.fails(operation) {
            return Err(error);
        }
        let done = work.await;
        self.steps.step(operation).await;
        match self.fails(operation) {
            Some(error) => Err(error),
            None => done,
        }
    }
}

#[async_trait]
impl Backend for SimulatedBackend {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        let inner = self.perform("create", self.objects.create(name)).await?;
        let now = self.open.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.open.most.fetch_max(now, Ordering::Relaxed);
        Ok(Box::new(SimulatedCreation { inner: Some(inner), backend: self.clone() }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let mut bytes = self.perform("read", self.objects.read(name, range)).await?;
        if self.one_in(self.faults.flipped_bits) && !bytes.is_empty() {
            let (at, bit) = self.steps.random(|rng| (rng.usize(0..bytes.len()), rng.u8(0..8)));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        Ok(bytes)
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.perform("stat", self.objects.stat(name)).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.perform("list", self.objects.list(after, limit)).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.perform("delete", self.objects.delete(name)).await
    }
}

struct SimulatedCreation {
    inner: Option<Box<dyn Creation>>,
    backend: SimulatedBackend,
}

#[async_trait]
impl Creation for SimulatedCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let ended = || Error::new(ErrorKind::Failed, "write");
        let inner = self.inner.as_mut().ok_or_else(ended)?;
        self.backend.perform("write", inner.write(bytes)).await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), Error> {
        let ended = || Error::new(ErrorKind::Failed, "commit");
        let inner = self.inner.take().ok_or_else(ended)?;
        self.backend.perform("commit", inner.commit()).await
    }
}

impl Drop for SimulatedCreation {
    fn drop(&mut self) {
        self.backend.open.now.fetch_sub(1, Ordering::Relaxed);
    }
}
