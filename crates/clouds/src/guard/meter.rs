use crate::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_world::World;
use metrics::{Counter, Histogram, counter, describe_counter, describe_histogram, histogram};
use std::{future::Future, ops::Range, sync::Arc};

const OPERATIONS: &str = "entente_backend_operations_total";
const SECONDS: &str = "entente_backend_operation_seconds";
const BYTES: &str = "entente_backend_bytes_total";

/// Counts what a backend does, how long it takes, and how many bytes it moves.
///
/// The numbers go to the recorder that is installed when the wrapper is made. An operation that is dropped
/// half way is not counted. Labels are the backend's configured name, the operation and the outcome.
pub struct Meter {
    inner: Arc<dyn Backend>,
    world: World,
    gauges: Arc<Gauges>,
}

/// Made once, since looking one up by its labels costs more than using it.
struct Gauges {
    backend: String,
    create: Gauge,
    write: Gauge,
    commit: Gauge,
    read: Gauge,
    stat: Gauge,
    list: Gauge,
    delete: Gauge,
    marker: Gauge,
    mark: Gauge,
    foreign: Gauge,
    written: Counter,
    read_out: Counter,
}

struct Gauge {
    operation: &'static str,
    succeeded: Counter,
    seconds: Histogram,
}

impl Meter {
    /// Wraps a backend; `name` is what it is called in the configuration.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, world: World, name: &str) -> Self {
        describe_counter!(OPERATIONS, "operations of a backend, by outcome");
        describe_histogram!(SECONDS, metrics::Unit::Seconds, "time that operations of a backend take");
        describe_counter!(BYTES, metrics::Unit::Bytes, "bytes written to and read from a backend");
        let gauge = |operation| Gauge {
            operation,
            succeeded: counter!(OPERATIONS, "backend" => name.to_owned(), "operation" => operation, "outcome" => "ok"),
            seconds: histogram!(SECONDS, "backend" => name.to_owned(), "operation" => operation),
        };
        let bytes = |operation| counter!(BYTES, "backend" => name.to_owned(), "operation" => operation);
        let gauges = Gauges {
            backend: name.to_owned(),
            create: gauge("create"),
            write: gauge("write"),
            commit: gauge("commit"),
            read: gauge("read"),
            stat: gauge("stat"),
            list: gauge("list"),
            delete: gauge("delete"),
            marker: gauge("marker"),
            mark: gauge("mark"),
            foreign: gauge("foreign"),
            written: bytes("write"),
            read_out: bytes("read"),
        };
        Self { inner, world, gauges: Arc::new(gauges) }
    }
}

impl Gauges {
    async fn measure<T>(
        &self,
        world: &World,
        gauge: &Gauge,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let begun = world.instant();
        let done = work.await;
        gauge.seconds.record(begun.elapsed());
        match &done {
            Ok(_) => gauge.succeeded.increment(1),
            Err(error) => {
                let (backend, outcome) = (self.backend.clone(), outcome(error.kind));
                counter!(OPERATIONS, "backend" => backend, "operation" => gauge.operation, "outcome" => outcome)
                    .increment(1);
            }
        }
        done
    }
}

fn outcome(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "not_found",
        ErrorKind::AlreadyExists => "already_exists",
        ErrorKind::OutOfRange => "out_of_range",
        ErrorKind::Full => "full",
        ErrorKind::Denied => "denied",
        ErrorKind::NoBucket => "no_bucket",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Failed => "failed",
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Backend for Meter {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        let inner = self.gauges.measure(&self.world, &self.gauges.create, self.inner.create(name)).await?;
        Ok(Box::new(MeteredCreation { inner, world: self.world.clone(), gauges: Arc::clone(&self.gauges) }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let bytes = self.gauges.measure(&self.world, &self.gauges.read, self.inner.read(name, range)).await?;
        self.gauges.read_out.increment(size(&bytes));
        Ok(bytes)
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.gauges.measure(&self.world, &self.gauges.stat, self.inner.stat(name)).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.gauges.measure(&self.world, &self.gauges.list, self.inner.list(after, limit)).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.gauges.measure(&self.world, &self.gauges.delete, self.inner.delete(name)).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        self.gauges.measure(&self.world, &self.gauges.marker, self.inner.marker()).await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        self.gauges.measure(&self.world, &self.gauges.mark, self.inner.mark(bytes)).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.gauges.measure(&self.world, &self.gauges.foreign, self.inner.foreign(limit)).await
    }
}

struct MeteredCreation {
    inner: Box<dyn Creation>,
    world: World,
    gauges: Arc<Gauges>,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Creation for MeteredCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let written = size(&bytes);
        self.gauges.measure(&self.world, &self.gauges.write, self.inner.write(bytes)).await?;
        self.gauges.written.increment(written);
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        self.gauges.measure(&self.world, &self.gauges.commit, self.inner.commit()).await
    }
}
