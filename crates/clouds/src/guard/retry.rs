use crate::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_world::World;
use std::{future::Future, ops::Range, sync::Arc, time::Duration};

/// Written bytes that are kept so that a creation can be repeated; one with more is not repeated.
/// A segment is 8 MiB and a little.
const KEPT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// How often, and after what waits, an operation is tried again.
#[derive(Debug, Clone, Copy)]
pub struct RetrySettings {
    /// Tries in all, the first one included.
    pub tries_max: u32,
    /// The wait before the second try; each later one is twice as long. A random part of up to a half is
    /// taken off each, so that many callers do not come back at once.
    pub wait_first: Duration,
    /// The longest wait.
    pub wait_max: Duration,
}

/// Tries again what failed with a retryable error, and returns the last error when it goes on failing.
///
/// `read`, `stat`, `list`, `delete` and `create` change nothing when they are repeated. A write or commit
/// that failed may have been performed, so it is never repeated on the same creation: the whole object is
/// created anew from the bytes, which are kept until the commit succeeds (shared, not copied). When a
/// repeated commit then finds the name taken, the object there can only be our own: names are 128 random
/// bits that nobody else knows, and no backend shows an object by halves or before it is durable. If `stat` tells the size that was
/// written, the commit has succeeded; if not, it is `AlreadyExists`, and the caller gives up the name.
/// The name being taken at the first try is returned as it is.
pub struct Retry {
    inner: Arc<dyn Backend>,
    tries: Tries,
}

#[derive(Clone)]
struct Tries {
    world: World,
    settings: RetrySettings,
}

impl Retry {
    /// Wraps a backend.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, world: World, settings: RetrySettings) -> Self {
        Self { inner, tries: Tries { world, settings } }
    }
}

impl Tries {
    /// Whether there is another try after that many.
    fn allow_another(&self, tried: u32) -> bool {
        tried < self.settings.tries_max
    }

    async fn run<T, F>(&self, attempt: impl Fn() -> F + Send + Sync) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let mut tried = 0;
        loop {
            tried += 1;
            match attempt().await {
                Err(error) if error.retryable && self.allow_another(tried) => self.wait(tried).await,
                done => return done,
            }
        }
    }

    /// Waits before the try that follows that many.
    async fn wait(&self, tried: u32) {
        let factor = 2_u32.saturating_pow(tried.saturating_sub(1));
        let wait = self.settings.wait_first.saturating_mul(factor).min(self.settings.wait_max);
        let half_nanos = u64::try_from(wait.as_nanos() / 2).unwrap_or(u64::MAX);
        let off = Duration::from_nanos(self.world.random().below(half_nanos.saturating_add(1)));
        self.world.sleep(wait.saturating_sub(off)).await;
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Backend for Retry {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        let current = self.tries.run(|| self.inner.create(name)).await?;
        Ok(Box::new(RetriedCreation {
            state: State::Good(current),
            written: Written {
                inner: Arc::clone(&self.inner),
                tries: self.tries.clone(),
                name,
                kept: Vec::new(),
                size: 0,
            },
        }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        self.tries.run(|| self.inner.read(name, range.clone())).await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.tries.run(|| self.inner.stat(name)).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.tries.run(|| self.inner.list(after, limit)).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.tries.run(|| self.inner.delete(name)).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        self.tries.run(|| self.inner.marker()).await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.inner.mark(bytes.clone()).await {
                Err(error) if error.retryable && self.tries.allow_another(tried) => self.tries.wait(tried).await,
                // An earlier try may have been performed after all.
                Err(taken) if taken.kind == ErrorKind::AlreadyExists && tried > 1 => {
                    let marker = self.tries.run(|| self.inner.marker()).await?;
                    return if marker.is_some_and(|marker| marker == bytes) { Ok(()) } else { Err(taken) };
                }
                done => return done,
            }
        }
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.tries.run(|| self.inner.foreign(limit)).await
    }
}

struct RetriedCreation {
    state: State,
    written: Written,
}

enum State {
    /// Everything written so far has been taken.
    Good(Box<dyn Creation>),
    /// A write failed, for this reason. If it can be made good, that is done at the commit.
    Failed(Error),
}

/// What it takes to make the object anew.
struct Written {
    inner: Arc<dyn Backend>,
    tries: Tries,
    name: ObjectName,
    /// All that was written, if it is little enough to keep.
    kept: Vec<Bytes>,
    /// All that was written, in bytes.
    size: u64,
}

impl Written {
    fn is_repeatable(&self) -> bool {
        self.size <= KEPT_BYTES_MAX
    }

    fn keep(&mut self, bytes: Bytes) {
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.is_repeatable() {
            self.kept.push(bytes);
        } else {
            self.kept = Vec::new();
        }
    }

    /// A new creation with everything in it but the commit.
    async fn anew(&self) -> Result<Box<dyn Creation>, Error> {
        let mut creation = self.inner.create(self.name).await?;
        for bytes in &self.kept {
            creation.write(bytes.clone()).await?;
        }
        Ok(creation)
    }

    /// Whether the object that has the name after a repeated commit is the one that was written.
    async fn settle(&self, taken: Error) -> Result<(), Error> {
        let stat = self.tries.run(|| self.inner.stat(self.name)).await?;
        if stat.size == self.size { Ok(()) } else { Err(taken) }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Creation for RetriedCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.written.keep(bytes.clone());
        // Until the write is done, so that one that is dropped half way is not taken for a good one.
        let dropped = Error::new(ErrorKind::Unavailable, "write").because("an earlier write did not finish");
        let error = match std::mem::replace(&mut self.state, State::Failed(dropped)) {
            State::Good(mut creation) => match creation.write(bytes).await {
                Ok(()) => {
                    self.state = State::Good(creation);
                    return Ok(());
                }
                Err(error) => error,
            },
            State::Failed(error) => error,
        };
        if error.retryable && self.written.is_repeatable() {
            self.state = State::Failed(error);
            return Ok(());
        }
        Err(error)
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        let Self { state, written } = *self;
        let mut ready = match state {
            State::Good(creation) => Ok(creation),
            State::Failed(error) => Err(error),
        };
        let mut committed_before = false;
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match ready {
                Ok(creation) => match creation.commit().await {
                    Ok(()) => return Ok(()),
                    Err(taken) if taken.kind == ErrorKind::AlreadyExists && committed_before => {
                        return written.settle(taken).await;
                    }
                    Err(error) => {
                        committed_before = true;
                        error
                    }
                },
                Err(error) => error,
            };
            if !(error.retryable && written.is_repeatable() && written.tries.allow_another(tried)) {
                return Err(error);
            }
            written.tries.wait(tried).await;
            ready = written.anew().await;
        }
    }
}
