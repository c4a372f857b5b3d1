use crate::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use std::{future::Future, ops::Range, sync::Arc};

/// Something that goes wrong in one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not performed, and fails.
    Error {
        /// As what.
        kind: ErrorKind,
        /// Whether the same call may succeed later.
        retryable: bool,
    },
    /// It is performed, but reported as failed: the answer was lost.
    ErrorAfter {
        /// As what.
        kind: ErrorKind,
        /// Whether the same call may succeed later.
        retryable: bool,
    },
    /// It is performed, and one bit of what was read is flipped: this one, counted round when there are
    /// fewer. Other operations than `read` are performed as if nothing were wrong.
    Corrupt {
        /// Which bit.
        bit: u64,
    },
    /// It is not performed, and never ends.
    Hang,
}

type Plan = dyn Fn(&'static str, ObjectName) -> Option<Fault> + Send + Sync;

/// What a plan is asked with where there is no name.
const NO_NAME: ObjectName = ObjectName::new([0; 16]);

/// A backend that fails as planned: for tests and the simulator.
///
/// The plan is asked once for every operation, by the name that [`Error::operation`] would have. A `list` is
/// asked for with the name that it starts after, or the lowest one. A plan that follows from a seed gives
/// the same failures every time.
pub struct Faulty {
    inner: Arc<dyn Backend>,
    plan: Arc<Plan>,
}

impl Faulty {
    /// Wraps a backend.
    #[must_use]
    pub fn new(
        inner: Arc<dyn Backend>,
        plan: impl Fn(&'static str, ObjectName) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self { inner, plan: Arc::new(plan) }
    }
}

async fn perform<T>(
    plan: &Plan,
    operation: &'static str,
    name: ObjectName,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Result<(T, Option<u64>), Error> {
    let failed = |kind, retryable| Error { kind, retryable, operation, source: Some("planned fault".into()) };
    match plan(operation, name) {
        None => Ok((work.await?, None)),
        Some(Fault::Corrupt { bit }) => Ok((work.await?, Some(bit))),
        Some(Fault::Error { kind, retryable }) => Err(failed(kind, retryable)),
        Some(Fault::ErrorAfter { kind, retryable }) => {
            work.await?;
            Err(failed(kind, retryable))
        }
        Some(Fault::Hang) => std::future::pending().await,
    }
}

fn flip(bytes: &mut BytesMut, bit: u64) {
    let bits = u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_mul(8);
    let place = bit.checked_rem(bits).and_then(|bit| usize::try_from(bit).ok());
    if let Some(place) = place
        && let Some(byte) = bytes.get_mut(place / 8)
    {
        *byte ^= 1 << (place % 8);
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Backend for Faulty {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        let (inner, _) = perform(&*self.plan, "create", name, self.inner.create(name)).await?;
        Ok(Box::new(FaultyCreation { inner, name, plan: Arc::clone(&self.plan) }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let (mut bytes, bit) = perform(&*self.plan, "read", name, self.inner.read(name, range)).await?;
        if let Some(bit) = bit {
            flip(&mut bytes, bit);
        }
        Ok(bytes)
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        perform(&*self.plan, "stat", name, self.inner.stat(name)).await.map(|(stat, _)| stat)
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        let name = after.unwrap_or(ObjectName::new([0; 16]));
        perform(&*self.plan, "list", name, self.inner.list(after, limit)).await.map(|(rows, _)| rows)
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        perform(&*self.plan, "delete", name, self.inner.delete(name)).await.map(drop)
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        perform(&*self.plan, "marker", NO_NAME, self.inner.marker()).await.map(|(marker, _)| marker)
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        perform(&*self.plan, "mark", NO_NAME, self.inner.mark(bytes)).await.map(drop)
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        perform(&*self.plan, "foreign", NO_NAME, self.inner.foreign(limit)).await.map(|(names, _)| names)
    }
}

struct FaultyCreation {
    inner: Box<dyn Creation>,
    name: ObjectName,
    plan: Arc<Plan>,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Creation for FaultyCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        perform(&*self.plan, "write", self.name, self.inner.write(bytes)).await.map(drop)
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        perform(&*self.plan, "commit", self.name, self.inner.commit()).await.map(drop)
    }
}
