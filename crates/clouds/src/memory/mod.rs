//! Objects in memory: for tests, and for the simulator, whose histories must repeat from their seed. So
//! there are no tasks, no threads and no waiting here.

use crate::{Backend, Creation, Error, ErrorKind, Listed, MARKER_BYTES_MAX, ObjectName, Stat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_model::Timestamp;
use entente_world::World;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Bound, Range},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A backend that forgets everything with its last clone. Clones share their objects.
#[derive(Clone)]
pub struct MemoryBackend {
    world: World,
    objects: Arc<Mutex<Objects>>,
    place: Arc<Mutex<Place>>,
}

/// What is beside the objects.
#[derive(Default)]
struct Place {
    marker: Option<Bytes>,
    foreign: BTreeSet<String>,
}

type Objects = BTreeMap<ObjectName, (Bytes, Timestamp)>;

impl MemoryBackend {
    /// An empty backend. `world` tells when an object was created.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self { world, objects: Arc::default(), place: Arc::default() }
    }

    /// The same objects, seen by another world's clock: what a restarted process finds.
    #[must_use]
    pub fn seen_from(&self, world: World) -> Self {
        Self { world, objects: Arc::clone(&self.objects), place: Arc::clone(&self.place) }
    }

    /// Every name, in order.
    #[must_use]
    pub fn names(&self) -> Vec<ObjectName> {
        self.objects().keys().copied().collect()
    }

    /// What is stored under the name.
    #[must_use]
    pub fn raw(&self, name: ObjectName) -> Option<Bytes> {
        self.objects().get(&name).map(|(bytes, _)| bytes.clone())
    }

    /// Puts other bytes under the name, as a failing disk would. The age of an object that was there stays.
    pub fn replace(&self, name: ObjectName, bytes: Bytes) {
        let now = self.world.now();
        self.objects().entry(name).or_insert((Bytes::new(), now)).0 = bytes;
    }

    /// Loses the object, as a failing disk would, and returns what it was.
    pub fn remove(&self, name: ObjectName) -> Option<Bytes> {
        self.objects().remove(&name).map(|(bytes, _)| bytes)
    }

    /// Puts something there that is not ours.
    pub fn leave_foreign(&self, name: impl Into<String>) {
        self.place().foreign.insert(name.into());
    }

    /// Removes the marker, as an operator would who gives the place to somebody else.
    pub fn unmark(&self) {
        self.place().marker = None;
    }

    /// The sizes of all objects together.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.objects().values().map(|(bytes, _)| size(bytes)).sum()
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is done under the lock that could panic half way, so a poisoned lock guards a whole map.
    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        Ok(Box::new(MemoryCreation { backend: self.clone(), name, held: BytesMut::new() }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let object = self.raw(name).ok_or(Error::new(ErrorKind::NotFound, "read"))?;
        let bytes = usize::try_from(range.start)
            .and_then(|start| Ok(start..usize::try_from(range.end)?))
            .ok()
            .filter(|within| !within.is_empty())
            .and_then(|within| object.get(within));
        bytes.map(BytesMut::from).ok_or(Error::new(ErrorKind::OutOfRange, "read"))
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        let objects = self.objects();
        let (bytes, created_at) = objects.get(&name).ok_or(Error::new(ErrorKind::NotFound, "stat"))?;
        Ok(Stat { size: size(bytes), created_at: *created_at })
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let objects = self.objects();
        let rows = objects.range((from, Bound::Unbounded)).take(limit);
        let listed = |(name, (bytes, created_at)): (&ObjectName, &(Bytes, Timestamp))| Listed {
            name: *name,
            size: size(bytes),
            created_at: Some(*created_at),
        };
        Ok(rows.map(listed).collect())
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.objects().remove(&name);
        Ok(())
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        Ok(self.place().marker.clone())
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        if bytes.len() > MARKER_BYTES_MAX {
            return Err(Error::marker_too_large("mark"));
        }
        let marker = &mut self.place().marker;
        if marker.is_some() {
            return Err(Error::new(ErrorKind::AlreadyExists, "mark"));
        }
        *marker = Some(bytes);
        Ok(())
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        Ok(self.place().foreign.iter().take(limit).cloned().collect())
    }
}

/// An object that is being created, held apart until it is committed.
struct MemoryCreation {
    backend: MemoryBackend,
    name: ObjectName,
    held: BytesMut,
}

#[async_trait]
impl Creation for MemoryCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.held.extend_from_slice(&bytes);
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        let now = self.backend.world.now();
        let mut objects = self.backend.objects();
        if objects.contains_key(&self.name) {
            return Err(Error::new(ErrorKind::AlreadyExists, "commit"));
        }
        objects.insert(self.name, (self.held.freeze(), now));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn it_conforms() {
        let world = World::real();
        let backend = MemoryBackend::new(world.clone());
        conformance::run(&backend, &world).await.unwrap();
        assert_eq!((backend.names(), backend.total_bytes()), (vec![], 0));
    }

    #[tokio::test]
    async fn damage_shows() {
        let backend = MemoryBackend::new(World::real());
        let name = ObjectName::new([7; 16]);
        backend.replace(name, Bytes::from_static(b"abc"));
        assert_eq!(backend.read(name, 1..3).await.unwrap(), "bc");
        assert_eq!(backend.total_bytes(), 3);
        assert_eq!(backend.remove(name), Some(Bytes::from_static(b"abc")));
        assert_eq!(backend.stat(name).await.unwrap_err().kind, ErrorKind::NotFound);
    }
}
