//! Segments reserved ahead: the intent is in the ledger before a byte leaves, without a commit of its own per upload.

use crate::{Error, Ledger, ObjectName};
use entente_model::{BackendId, SegmentId};
use entente_world::World;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::upkeep::safety::RESERVATION_AGE_MAX;

/// How many are reserved in one transaction.
const BATCH: usize = 64;

/// A segment that may be written now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reservation {
    pub segment: SegmentId,
    pub name: ObjectName,
}

pub(crate) struct Reservations {
    world: World,
    ledger: Arc<dyn Ledger>,
    ready: Mutex<BTreeMap<BackendId, VecDeque<(Reservation, tokio::time::Instant)>>>,
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
        let names: Vec<_> = (0..BATCH).map(|_| ObjectName::new(self.world.random().bytes())).collect();
        // The age counts from before the ledger's own time, so that it is never taken for younger than it is.
        let since = self.world.instant();
        let segments = self.ledger.reserve(backend, &names, self.world.now()).await?;
        let rows = segments.into_iter().zip(names).map(|(segment, name)| (Reservation { segment, name }, since));
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = ready.entry(backend).or_default();
        queue.extend(rows);
        queue.pop_front().map(|(reservation, _)| reservation).ok_or(Error::Internal("the ledger reserved nothing"))
    }

    fn pop(&self, backend: BackendId) -> Option<Reservation> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = ready.get_mut(&backend)?;
        while let Some((reservation, since)) = queue.pop_front() {
            // An old reservation may be condemned at any moment: leave it to be collected.
            if self.world.instant().duration_since(since) < RESERVATION_AGE_MAX {
                return Some(reservation);
            }
        }
        None
    }
}
