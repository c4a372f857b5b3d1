//! A backend in memory that fails now and then, and stops with the world. Only what was committed is durable, and after a
//! crash some of what was deleted is there again.

use crate::steps::Steps;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_clouds::memory::MemoryBackend;
use entente_clouds::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
    seen: Arc<Seen>,
}

/// What one life of a backend has seen.
#[derive(Default)]
struct Seen {
    open_now: AtomicI64,
    open_most: AtomicI64,
    names: Mutex<BTreeSet<ObjectName>>,
    used_twice: AtomicI64,
    deleted: Mutex<Vec<(ObjectName, Bytes)>>,
}

impl SimulatedBackend {
    pub(crate) fn new(objects: MemoryBackend, steps: Steps, faults: Faults) -> Self {
        Self { objects, steps, faults, seen: Arc::default() }
    }

    /// How many creations were open at once, at most.
    pub(crate) fn open_most(&self) -> i64 {
        self.seen.open_most.load(Ordering::Relaxed)
    }

    /// How many creations had a name that another one had before.
    pub(crate) fn used_twice(&self) -> i64 {
        self.seen.used_twice.load(Ordering::Relaxed)
    }

    /// What a power cut may do: a deletion is not made durable, so some of what was deleted is there again. Answers what.
    pub(crate) fn undo_some_deletions(&self) -> BTreeSet<ObjectName> {
        let deleted = std::mem::take(&mut *locked(&self.seen.deleted));
        let again = deleted.into_iter().filter(|_| self.steps.one_in(3));
        again.map(|(name, bytes)| (name, self.objects.replace(name, bytes)).0).collect()
    }

    fn fails(&self, operation: &'static str) -> Option<Error> {
        self.steps.one_in(self.faults.errors).then(|| {
            let kinds = [ErrorKind::Unavailable, ErrorKind::Failed, ErrorKind::Full];
            let kind = self.steps.random(|rng| kinds[rng.usize(0..kinds.len())]);
            Error::new(kind, operation).because("simulated")
        })
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

    async fn remove(&self, name: ObjectName) -> Result<(), Error> {
        if let Some(bytes) = self.objects.raw(name) {
            locked(&self.seen.deleted).push((name, bytes));
        }
        self.objects.delete(name).await
    }
}

#[async_trait]
impl Backend for SimulatedBackend {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        if !locked(&self.seen.names).insert(name) {
            self.seen.used_twice.fetch_add(1, Ordering::Relaxed);
        }
        let inner = self.perform("create", self.objects.create(name)).await?;
        let now = self.seen.open_now.fetch_add(1, Ordering::Relaxed) + 1;
        self.seen.open_most.fetch_max(now, Ordering::Relaxed);
        Ok(Box::new(SimulatedCreation { inner: Some(inner), backend: self.clone() }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let mut bytes = self.perform("read", self.objects.read(name, range)).await?;
        if self.steps.one_in(self.faults.flipped_bits) && !bytes.is_empty() {
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
        self.perform("delete", self.remove(name)).await
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
        self.backend.seen.open_now.fetch_sub(1, Ordering::Relaxed);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
