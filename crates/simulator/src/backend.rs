//! A backend in memory that fails now and then, is in a bad mood for a while, and stops with the world. Only what was
//! committed is durable, and after a crash some of what was deleted is there again.

use crate::steps::Steps;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_clouds::memory::MemoryBackend;
use entente_clouds::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often things go wrong, one in so many operations; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub errors: u32,
    pub flipped_bits: u32,
    /// Copies that upkeep makes and that are stored other than they were written.
    pub bad_copies: u32,
}

/// What a backend is like for a while.
#[derive(Debug, Clone, Default)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// It refuses everything.
    Refuses,
    /// It answers nothing until the mood is over.
    Hangs,
    /// Each operation takes so many milliseconds more.
    Slow(u64),
    /// It flips a bit in all that is read.
    Corrupts,
    /// It lists what was there when this began.
    Stale(Vec<Listed>),
}

#[derive(Clone)]
pub(crate) struct SimulatedBackend {
    objects: MemoryBackend,
    steps: Steps,
    faults: Faults,
    /// The names of copies that upkeep makes.
    copies: Copies,
    seen: Arc<Seen>,
}

/// Tells whether a name is that of a copy that upkeep makes.
pub(crate) type Copies = Arc<dyn Fn(ObjectName) -> bool + Send + Sync>;

/// What one life of a backend has seen.
#[derive(Default)]
struct Seen {
    open_now: AtomicI64,
    open_most: AtomicI64,
    names: Mutex<BTreeSet<ObjectName>>,
    used_twice: AtomicI64,
    deleted: Mutex<Vec<(ObjectName, Bytes)>>,
    mood: Mutex<(Mood, Option<Instant>)>,
}

impl SimulatedBackend {
    pub(crate) fn new(objects: MemoryBackend, steps: Steps, faults: Faults, copies: Copies) -> Self {
        Self { objects, steps, faults, copies, seen: Arc::default() }
    }

    /// Puts it in a mood for so many milliseconds.
    pub(crate) async fn turn(&self, mood: Mood, ms: u64) {
        let mood = match mood {
            Mood::Stale(_) => Mood::Stale(self.objects.list(None, usize::MAX).await.unwrap_or_default()),
            mood => mood,
        };
        *locked(&self.seen.mood) = (mood, Some(Instant::now() + Duration::from_millis(ms)));
    }

    fn mood(&self) -> (Mood, Instant) {
        let mood = locked(&self.seen.mood);
        match &*mood {
            (mood, Some(until)) if Instant::now() < *until => (mood.clone(), *until),
            _ => (Mood::Well, Instant::now()),
        }
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
        match self.mood() {
            (Mood::Refuses, _) => return Err(Error::new(ErrorKind::Unavailable, operation).because("simulated")),
            (Mood::Hangs, until) => tokio::time::sleep_until(until).await,
            (Mood::Slow(ms), _) => tokio::time::sleep(Duration::from_millis(ms)).await,
            _ => {}
        }
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
        let is_bad = (self.copies)(name) && self.steps.one_in(self.faults.bad_copies);
        Ok(Box::new(SimulatedCreation { inner: Some(inner), backend: self.clone(), is_bad }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let mut bytes = self.perform("read", self.objects.read(name, range)).await?;
        let corrupts = matches!(self.mood(), (Mood::Corrupts, _)) || self.steps.one_in(self.faults.flipped_bits);
        if corrupts && !bytes.is_empty() {
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
        if let (Mood::Stale(rows), _) = self.mood() {
            let rows = rows.into_iter().filter(|row| after.is_none_or(|after| row.name > after));
            return self.perform("list", async { Ok(rows.take(limit).collect()) }).await;
        }
        self.perform("list", self.objects.list(after, limit)).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.perform("delete", self.remove(name)).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        self.perform("marker", self.objects.marker()).await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        self.perform("mark", self.objects.mark(bytes)).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.perform("foreign", self.objects.foreign(limit)).await
    }
}

struct SimulatedCreation {
    inner: Option<Box<dyn Creation>>,
    backend: SimulatedBackend,
    /// What is stored is not what is written.
    is_bad: bool,
}

#[async_trait]
impl Creation for SimulatedCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let ended = || Error::new(ErrorKind::Failed, "write");
        let inner = self.inner.as_mut().ok_or_else(ended)?;
        let mut stored = BytesMut::from(&bytes[..]);
        if self.is_bad
            && let Some(first) = stored.first_mut()
        {
            *first ^= 1;
        }
        self.backend.perform("write", inner.write(stored.freeze())).await
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
