//! A backend in memory of which every operation is noted, and can be made slow or fail.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_clouds::guard::{Fault, Faulty};
use entente_clouds::memory::MemoryBackend;
use entente_clouds::{Backend, Creation, Error, Listed, ObjectName, Stat};
use entente_world::World;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

#[derive(Clone)]
pub struct Spot {
    pub objects: MemoryBackend,
    world: World,
    faulty: Arc<Faulty>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What goes wrong, once so many more have gone well.
    faults: BTreeMap<&'static str, (u32, Fault)>,
    delays: BTreeMap<&'static str, Duration>,
    /// Each operation that was begun.
    asked: Vec<(&'static str, ObjectName)>,
}

impl Spot {
    pub fn new(world: &World) -> Self {
        let objects = MemoryBackend::new(world.clone());
        let state = Arc::<Mutex<State>>::default();
        let plan = Arc::clone(&state);
        let plan = move |operation, _| {
            let mut state = plan.lock().unwrap();
            let (well, fault) = state.faults.get_mut(operation)?;
            let goes_wrong = *well == 0;
            *well = well.saturating_sub(1);
            goes_wrong.then_some(*fault)
        };
        let faulty = Arc::new(Faulty::new(Arc::new(objects.clone()), plan));
        Self { objects, world: world.clone(), faulty, state }
    }

    /// From now on an operation goes wrong.
    pub fn fail(&self, operation: &'static str, fault: Fault) {
        self.fail_after(0, operation, fault);
    }

    /// The same, once it has gone well so many more times.
    pub fn fail_after(&self, well: u32, operation: &'static str, fault: Fault) {
        self.state().faults.insert(operation, (well, fault));
    }

    /// From now on an operation takes so long.
    pub fn delay(&self, operation: &'static str, span: Duration) {
        self.state().delays.insert(operation, span);
    }

    /// All is well again.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.delays.clear();
    }

    /// How often an operation was begun.
    pub fn count(&self, operation: &str) -> usize {
        self.state().asked.iter().filter(|(asked, _)| *asked == operation).count()
    }

    /// Names that an operation was begun with.
    pub fn names(&self, operation: &str) -> Vec<ObjectName> {
        self.state().asked.iter().filter(|(asked, _)| *asked == operation).map(|(_, name)| *name).collect()
    }

    async fn note(&self, operation: &'static str, name: ObjectName) {
        let delay = {
            let mut state = self.state();
            state.asked.push((operation, name));
            state.delays.get(operation).copied()
        };
        if let Some(delay) = delay {
            self.world.sleep(delay).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

#[async_trait]
impl Backend for Spot {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        self.note("create", name).await;
        Ok(Box::new(SpotCreation { inner: self.faulty.create(name).await?, name, spot: self.clone() }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        self.note("read", name).await;
        self.faulty.read(name, range).await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.note("stat", name).await;
        self.faulty.stat(name).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.faulty.list(after, limit).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.note("delete", name).await;
        self.faulty.delete(name).await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        self.faulty.marker().await
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        self.faulty.mark(bytes).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.faulty.foreign(limit).await
    }
}

struct SpotCreation {
    inner: Box<dyn Creation>,
    name: ObjectName,
    spot: Spot,
}

#[async_trait]
impl Creation for SpotCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.spot.note("write", self.name).await;
        self.inner.write(bytes).await
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        self.spot.note("commit", self.name).await;
        self.inner.commit().await
    }
}
