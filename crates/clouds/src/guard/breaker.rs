use super::health::{Admission, Health, is_failure};
use crate::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_world::World;
use std::{future::Future, ops::Range, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Watches how a backend is, and makes calls fail at once while it is down: `Unavailable`, and retryable.
///
/// It goes down after several failures in a row; then a call is let through now and then, alone, and closes the
/// circuit if it is answered. Failures are `Unavailable`, `Failed`, `Denied` and `NoBucket`: anything else is an answer.
/// A call that is dropped counts for as slow as it was.
pub struct Breaker {
    inner: Arc<dyn Backend>,
    watch: Watch,
}

#[derive(Clone)]
struct Watch {
    world: World,
    health: Health,
}

impl Breaker {
    /// Wraps a backend; what is learned goes to `health`.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, world: World, health: Health) -> Self {
        Self { inner, watch: Watch { world, health } }
    }
}

/// Asks a backend whether it is there: for an object that is not. To be called now and then for a backend that is not
/// used otherwise, and for one that is down.
pub async fn probe(backend: &dyn Backend, world: &World) -> Result<(), Error> {
    match backend.stat(ObjectName::new(world.random().bytes())).await {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Watch {
    async fn run<T>(
        &self,
        operation: &'static str,
        bytes: u64,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let admission = self.health.admit();
        if admission == Admission::Refused {
            return Err(refused(operation));
        }
        let call = Call { watch: self, admission, begun: self.world.instant(), bytes, ended: false };
        let done = work.await;
        call.end(done.as_ref().err());
        done
    }
}

fn refused(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, operation).because("the backend is down, so it was not asked")
}

/// A call that is on its way.
struct Call<'a> {
    watch: &'a Watch,
    admission: Admission,
    begun: Instant,
    bytes: u64,
    ended: bool,
}

impl Call<'_> {
    fn waited(&self) -> Duration {
        self.watch.world.instant().saturating_duration_since(self.begun)
    }

    fn end(mut self, error: Option<&Error>) {
        self.ended = true;
        match error.filter(|error| is_failure(error.kind)) {
            Some(error) => self.watch.health.failed(self.admission, error.to_string()),
            None => self.watch.health.answered(self.admission, self.waited(), self.bytes),
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.watch.health.dropped(self.admission, self.waited(), self.bytes);
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Backend for Breaker {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        if self.watch.health.is_open() {
            // A creation may stay open for long, so it does not serve as a try.
            self.stat(name).await.map(drop).or_else(|error| match error.kind {
                ErrorKind::NotFound => Ok(()),
                _ => Err(Error { operation: "create", ..error }),
            })?;
        }
        // It touches no cloud yet, so that it succeeds says nothing.
        let inner = self.inner.create(name).await.inspect_err(|error| {
            if is_failure(error.kind) {
                self.watch.health.failed(Admission::Usual, error.to_string());
            }
        })?;
        Ok(Box::new(WatchedCreation { inner, watch: self.watch.clone(), written: 0 }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let bytes = range.end.saturating_sub(range.start);
        self.watch.run("read", bytes, self.inner.read(name, range)).await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.watch.run("stat", 0, self.inner.stat(name)).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.watch.run("list", 0, self.inner.list(after, limit)).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.watch.run("delete", 0, self.inner.delete(name)).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        self.watch.run("marker", 0, self.inner.marker()).await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        self.watch.run("mark", 0, self.inner.mark(bytes)).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.watch.run("foreign", 0, self.inner.foreign(limit)).await
    }
}

struct WatchedCreation {
    inner: Box<dyn Creation>,
    watch: Watch,
    written: u64,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Creation for WatchedCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.written = self.written.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        // Most backends only take the bytes, so that it succeeds says nothing either.
        self.inner.write(bytes).await.inspect_err(|error| {
            if is_failure(error.kind) {
                self.watch.health.failed(Admission::Usual, error.to_string());
            }
        })
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        let Self { inner, watch, written } = *self;
        watch.run("commit", written, inner.commit()).await
    }
}
