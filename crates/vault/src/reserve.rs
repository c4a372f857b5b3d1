//! Segments reserved ahead: the intent is in the ledger before a byte leaves, without a commit of its own per upload.

use crate::{Error, Ledger, ObjectName};
use entente_model::{BackendId, PolicyId, SegmentId};
use entente_world::World;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::upkeep::safety::RESERVATION_AGE_MAX;

/// How many are reserved in one transaction.
const BATCH: usize = 64;

/// A segment that may be written now.
#[derive(Debug, Clone)]
pub(crate) struct Reservation {
    pub segment: SegmentId,
    /// Its object's name on each backend that may be given its bytes.
    pub names: Vec<(BackendId, ObjectName)>,
}

impl Reservation {
    fn is_for(&self, backends: &[BackendId]) -> bool {
        backends.iter().all(|backend| self.names.iter().any(|(id, _)| id == backend))
    }
}

type Ready = BTreeMap<PolicyId, VecDeque<(Reservation, tokio::time::Instant)>>;

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

    /// A reserved segment that nobody else has, whose bytes may go to these backends. One never used is garbage that
    /// `collect` removes.
    pub(crate) async fn take(&self, policy: PolicyId, backends: &[BackendId]) -> Result<Reservation, Error> {
        if let Some(reservation) = self.pop(policy, backends) {
            return Ok(reservation);
        }
        let _asking = self.asking.lock().await;
        if let Some(reservation) = self.pop(policy, backends) {
            return Ok(reservation);
        }
        self.reserve(policy, backends).await?;
        self.pop(policy, backends).ok_or(Error::Internal("the ledger reserved nothing"))
    }

    /// Sees to it that there is one to be taken: for those who will share one, so that each hears of the ledger's errors.
    pub(crate) async fn stock(&self, policy: PolicyId, backends: &[BackendId]) -> Result<(), Error> {
        if self.has(policy, backends) {
            return Ok(());
        }
        let _asking = self.asking.lock().await;
        if self.has(policy, backends) { Ok(()) } else { self.reserve(policy, backends).await }
    }

    /// Gives up those that were condemned: whatever were written to them could not be committed.
    pub(crate) fn give_up(&self, condemned: &HashSet<SegmentId>) {
        for queue in self.ready().values_mut() {
            queue.retain(|(reservation, _)| !condemned.contains(&reservation.segment));
        }
    }

    async fn reserve(&self, policy: PolicyId, backends: &[BackendId]) -> Result<(), Error> {
        let intent = |_| backends.iter().map(|id| (*id, ObjectName::new(self.world.random().bytes()))).collect();
        let intents: Vec<Vec<_>> = (0..BATCH).map(intent).collect();
        // The age counts from before the ledger's own time, so that it is never taken for younger than it is.
        let since = self.world.instant();
        let segments = self.ledger.reserve(policy, &intents, self.world.now()).await?;
        let rows = segments.into_iter().zip(intents).map(|(segment, names)| (Reservation { segment, names }, since));
        self.ready().entry(policy).or_default().extend(rows);
        Ok(())
    }

    fn has(&self, policy: PolicyId, backends: &[BackendId]) -> bool {
        let fits = |(reservation, since): &(Reservation, _)| self.is_young(*since) && reservation.is_for(backends);
        self.ready().get(&policy).is_some_and(|queue| queue.iter().any(fits))
    }

    /// What is too old, or was reserved when the policy meant other backends, is left to be collected.
    fn pop(&self, policy: PolicyId, backends: &[BackendId]) -> Option<Reservation> {
        let mut ready = self.ready();
        let queue = ready.get_mut(&policy)?;
        while let Some((reservation, since)) = queue.pop_front() {
            if self.is_young(since) && reservation.is_for(backends) {
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
