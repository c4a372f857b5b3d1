//! Segments reserved ahead: the intent is in the ledger before a byte leaves, without a commit of its own per upload.

use crate::{Error, Ledger, ObjectName};
use entente_model::{BackendId, SegmentId};
use entente_world::World;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::upkeep::safety::RESERVATION_AGE_MAX;

/// How many are reserved in one transaction.
const BATCH: usize = 64;

/// A segment that may be written now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reservation {
    pub segment: SegmentId,
    pub name: ObjectName,
}

type Ready = BTreeMap<BackendId, VecDeque<(Reservation, tokio::time::Instant)>>;

pub(crate) struct Reservations {
    world: World,
    ledger: Arc<dyn Ledger>,
    ready: Mutex<Ready>,
    /// Held while the ledger is asked, so that callers who find nothing ready do not all ask.
    asking: tokio::sync::Mutex<()>,
}

impl Reservations {
    pub(crate) fn new(world: World, ledger: Arc<dyn Ledger>) -> Self {
        Self { world, ledger, ready: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// A reserved segment that nobody else has. One never used is garbage that `collect` removes.
    pub(crate) async fn take(&self, backend: BackendId) -> Result<Reservation, Error> {
        if let Some(reservation) = self.pop(backend) {
            return Ok(reservation);
        }
        let _asking = self.asking.lock().await;
        if let Some(reservation) = self.pop(backend) {
            return Ok(reservation);
        }
        self.reserve(backend).await?;
        self.pop(backend).ok_or(Error::Internal("the ledger reserved nothing"))
    }

    /// Sees to it that there is one to be taken: for those who will share one, so that each hears of the ledger's errors.
    pub(crate) async fn stock(&self, backend: BackendId) -> Result<(), Error> {
        if self.has(backend) {
            return Ok(());
        }
        let _asking = self.asking.lock().await;
        if self.has(backend) { Ok(()) } else { self.reserve(backend).await }
    }

    /// Gives up those that were condemned: whatever were written to them could not be committed.
    pub(crate) fn give_up(&self, condemned: &HashSet<SegmentId>) {
        for queue in self.ready().values_mut() {
            queue.retain(|(reservation, _)| !condemned.contains(&reservation.segment));
        }
    }

    async fn reserve(&self, backend: BackendId) -> Result<(), Error> {
        let names: Vec<_> = (0..BATCH).map(|_| ObjectName::new(self.world.random().bytes())).collect();
        // The age counts from before the ledger's own time, so that it is never taken for younger than it is.
        let since = self.world.instant();
        let segments = self.ledger.reserve(backend, &names, self.world.now()).await?;
        let rows = segments.into_iter().zip(names).map(|(segment, name)| (Reservation { segment, name }, since));
        self.ready().entry(backend).or_default().extend(rows);
        Ok(())
    }

    fn has(&self, backend: BackendId) -> bool {
        self.ready().get(&backend).is_some_and(|queue| queue.iter().any(|(_, since)| self.is_young(*since)))
    }

    fn pop(&self, backend: BackendId) -> Option<Reservation> {
        let mut ready = self.ready();
        let queue = ready.get_mut(&backend)?;
        while let Some((reservation, since)) = queue.pop_front() {
            if self.is_young(since) {
                return Some(reservation);
            }
        }
        None
    }

    /// An old reservation may be condemned at any moment: it is left to be collected.
    fn is_young(&self, since: tokio::time::Instant) -> bool {
        self.world.instant().duration_since(since) < RESERVATION_AGE_MAX
    }

    fn ready(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
