use crate::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_world::World;
use std::{future::Future, ops::Range, sync::Arc, time::Duration};

/// How long an operation may take.
#[derive(Debug, Clone, Copy)]
pub struct TimeoutSettings {
    /// However few bytes it moves.
    pub operation: Duration,
    /// The slowest that bytes may move: they get so much more time. 0 gives them none.
    pub bytes_per_second_min: u64,
}

/// Gives up on an operation that takes too long: `Unavailable`, and retryable.
///
/// The operation that was given up may have been performed, or may still be.
pub struct Timeout {
    inner: Arc<dyn Backend>,
    clock: Clock,
}

#[derive(Clone)]
struct Clock {
    world: World,
    settings: TimeoutSettings,
}

impl Timeout {
    /// Wraps a backend.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, world: World, settings: TimeoutSettings) -> Self {
        Self { inner, clock: Clock { world, settings } }
    }
}

impl Clock {
    fn span(&self, bytes: u64) -> Duration {
        let moving_ms = bytes.saturating_mul(1000).checked_div(self.settings.bytes_per_second_min).unwrap_or(0);
        self.settings.operation.saturating_add(Duration::from_millis(moving_ms))
    }

    async fn run<T>(
        &self,
        operation: &'static str,
        bytes: u64,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let span = self.span(bytes);
        tokio::select! {
            // What has come just in time counts.
            biased;
            done = work => done,
            () = self.world.sleep(span) => {
                let source = format!("no answer within {} ms", span.as_millis());
                Err(Error::new(ErrorKind::Unavailable, operation).because(source))
            }
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Backend for Timeout {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        let inner = self.clock.run("create", 0, self.inner.create(name)).await?;
        Ok(Box::new(TimedCreation { inner: Some(inner), written: 0, clock: self.clock.clone() }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let bytes = range.end.saturating_sub(range.start);
        self.clock.run("read", bytes, self.inner.read(name, range)).await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.clock.run("stat", 0, self.inner.stat(name)).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.clock.run("list", 0, self.inner.list(after, limit)).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.clock.run("delete", 0, self.inner.delete(name)).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        self.clock.run("marker", 0, self.inner.marker()).await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        self.clock.run("mark", 0, self.inner.mark(bytes)).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.clock.run("foreign", 0, self.inner.foreign(limit)).await
    }
}

struct TimedCreation {
    /// Gone when a write ran out of time: how much of it was performed cannot be known.
    inner: Option<Box<dyn Creation>>,
    /// A commit may have to move all of it.
    written: u64,
    clock: Clock,
}

fn given_up(operation: &'static str) -> Error {
    Error::new(ErrorKind::Failed, operation).because("an earlier write of this object did not finish in time")
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Creation for TimedCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.written = self.written.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let mut inner = self.inner.take().ok_or_else(|| given_up("write"))?;
        self.clock.run("write", self.written, inner.write(bytes)).await?;
        self.inner = Some(inner);
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        let inner = self.inner.ok_or_else(|| given_up("commit"))?;
        self.clock.run("commit", self.written, inner.commit()).await
    }
}
