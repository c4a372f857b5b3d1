//! A backend that is not known to be ours is asked for nothing: what is not there might be another's, and what is there
//! too.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_clouds::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use std::ops::Range;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Stands before a backend until it has been claimed. Every operation is `Unavailable` until then.
#[derive(Clone)]
pub(crate) struct Gate {
    open: Arc<OnceLock<Arc<dyn Backend>>>,
    waits_for: Arc<RwLock<String>>,
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Self { open: Arc::default(), waits_for: Arc::new(RwLock::new("it has not been asked yet".to_owned())) }
    }

    /// Lets everybody through from now on.
    pub(crate) fn open(&self, backend: Arc<dyn Backend>) {
        // Whoever came first has claimed the same place.
        let _ = self.open.set(backend);
    }

    /// Says why it is closed.
    pub(crate) fn wait_for(&self, what: String) {
        *self.waits_for.write().unwrap_or_else(PoisonError::into_inner) = what;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.get().is_some()
    }

    /// Why it is closed, if it is.
    pub(crate) fn closed_because(&self) -> Option<String> {
        let why = || self.waits_for.read().unwrap_or_else(PoisonError::into_inner).clone();
        if self.is_open() { None } else { Some(why()) }
    }

    fn behind(&self, operation: &'static str) -> Result<&dyn Backend, Error> {
        let closed = || Error::new(ErrorKind::Unavailable, operation).because(CLOSED);
        self.open.get().map(|backend| &**backend).ok_or_else(closed)
    }
}

const CLOSED: &str = "it is not certain yet that the place is this installation's";

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Backend for Gate {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        self.behind("create")?.create(name).await
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        self.behind("read")?.read(name, range).await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.behind("stat")?.stat(name).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.behind("list")?.list(after, limit).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.behind("delete")?.delete(name).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        self.behind("marker")?.marker().await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        self.behind("mark")?.mark(bytes).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.behind("foreign")?.foreign(limit).await
    }
}
