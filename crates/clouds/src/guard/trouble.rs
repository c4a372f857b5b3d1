use crate::{Backend, Creation, Error, ErrorKind, Listed, ObjectName, Stat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_world::World;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What a backend suffers from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// Calls fail at once, as when connections are refused.
    Refuse,
    /// Calls are not performed, and never end.
    Hang,
    /// Calls are performed after so long.
    Slow(Duration),
    /// Calls are performed, and what is read has one wrong bit.
    Corrupt,
    /// Listings show what there was when this trouble began; everything else is as it should be.
    Stale,
}

/// Switches the trouble of a [`Troubled`] backend, also while calls are being made. Clones switch the same one.
#[derive(Clone)]
pub struct TroubleSwitch {
    state: Arc<Mutex<State>>,
}

struct State {
    trouble: Trouble,
    /// Made since listings are stale.
    made: BTreeSet<ObjectName>,
    /// Deleted since listings are stale.
    deleted: BTreeMap<ObjectName, Listed>,
}

impl TroubleSwitch {
    /// From now on this is the trouble. Calls that hang already go on hanging.
    pub fn set(&self, trouble: Trouble) {
        let mut state = self.state();
        state.made.clear();
        state.deleted.clear();
        state.trouble = trouble;
    }

    /// What the trouble is.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        self.state().trouble
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_made(&self, name: ObjectName) {
        let mut state = self.state();
        if state.trouble == Trouble::Stale {
            state.made.insert(name);
        }
    }

    fn note_deleted(&self, row: Listed) {
        let mut state = self.state();
        if state.trouble == Trouble::Stale && !state.made.contains(&row.name) {
            state.deleted.insert(row.name, row);
        }
    }
}

/// A backend whose trouble can be switched while it runs: for outage drills.
pub struct Troubled {
    inner: Arc<dyn Backend>,
    suffering: Suffering,
}

#[derive(Clone)]
struct Suffering {
    world: World,
    switch: TroubleSwitch,
}

impl Troubled {
    /// Wraps a backend, which has no trouble yet.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, world: World) -> (Self, TroubleSwitch) {
        let state = State { trouble: Trouble::None, made: BTreeSet::new(), deleted: BTreeMap::new() };
        let switch = TroubleSwitch { state: Arc::new(Mutex::new(state)) };
        (Self { inner, suffering: Suffering { world, switch: switch.clone() } }, switch)
    }
}

impl Suffering {
    async fn run<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        match self.switch.trouble() {
            Trouble::Refuse => {
                Err(Error::new(ErrorKind::Unavailable, operation).because("no connection: switched off"))
            }
            Trouble::Hang => std::future::pending().await,
            Trouble::Slow(span) => {
                self.world.sleep(span).await;
                work.await
            }
            Trouble::None | Trouble::Corrupt | Trouble::Stale => work.await,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Backend for Troubled {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        let inner = self.suffering.run("create", self.inner.create(name)).await?;
        Ok(Box::new(TroubledCreation { inner, name, suffering: self.suffering.clone() }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let mut bytes = self.suffering.run("read", self.inner.read(name, range)).await?;
        if self.suffering.switch.trouble() == Trouble::Corrupt {
            let place = self.suffering.world.random().below(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            if let Some(byte) = usize::try_from(place).ok().and_then(|place| bytes.get_mut(place)) {
                *byte ^= 1 << self.suffering.world.random().below(8);
            }
        }
        Ok(bytes)
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.suffering.run("stat", self.inner.stat(name)).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        if self.suffering.switch.trouble() != Trouble::Stale {
            return self.suffering.run("list", self.inner.list(after, limit)).await;
        }
        // As many more as may have to be left out.
        let made = self.suffering.switch.state().made.len();
        let rows = self.inner.list(after, limit.saturating_add(made)).await?;
        let state = self.suffering.switch.state();
        let shown = rows.into_iter().filter(|row| !state.made.contains(&row.name)).map(|row| (row.name, row));
        let mut shown: BTreeMap<ObjectName, Listed> = shown.collect();
        let gone = state.deleted.values().filter(|row| after.is_none_or(|after| row.name > after));
        shown.extend(gone.map(|row| (row.name, *row)));
        Ok(shown.into_values().take(limit).collect())
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        if self.suffering.switch.trouble() == Trouble::Stale
            && let Ok(stat) = self.inner.stat(name).await
        {
            let row = Listed { name, size: stat.size, created_at: Some(stat.created_at) };
            self.suffering.switch.note_deleted(row);
        }
        self.suffering.run("delete", self.inner.delete(name)).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        self.suffering.run("marker", self.inner.marker()).await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        self.suffering.run("mark", self.inner.mark(bytes)).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.suffering.run("foreign", self.inner.foreign(limit)).await
    }
}

struct TroubledCreation {
    inner: Box<dyn Creation>,
    name: ObjectName,
    suffering: Suffering,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Creation for TroubledCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.suffering.run("write", self.inner.write(bytes)).await
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        let Self { inner, name, suffering } = *self;
        suffering.run("commit", inner.commit()).await?;
        suffering.switch.note_made(name);
        Ok(())
    }
}
