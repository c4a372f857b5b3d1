//! Replicas that readers have found missing or wrong, on their way to the ledger: nobody who reads waits for it.

use crate::core::REPLICAS_DOUBTED;
use crate::{Copy, Ledger, ObjectName};
use entente_model::BackendId;
use entente_world::World;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Those that may wait; what is found while so many do will be found again.
const WAITING_MAX: usize = 256;
/// Those that are remembered, so that each is told once.
const TOLD_MAX: usize = 4096;

#[derive(Clone)]
pub(crate) struct Doubts {
    world: World,
    ledger: Arc<dyn Ledger>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Copy>,
    told: HashSet<(BackendId, ObjectName)>,
    /// Whether somebody is telling the ledger.
    telling: bool,
}

impl Doubts {
    pub(crate) fn new(world: World, ledger: Arc<dyn Ledger>) -> Self {
        Self { world, ledger, state: Arc::default() }
    }

    /// Puts a replica in doubt, soon. Without effect when it has been already, or when too many wait.
    pub(crate) fn put(&self, copy: Copy) {
        let mut state = self.state();
        if state.waiting.len() >= WAITING_MAX {
            return;
        }
        if state.told.len() >= TOLD_MAX {
            state.told.clear();
        }
        if !state.told.insert((copy.backend, copy.name)) {
            return;
        }
        state.waiting.push_back(copy);
        if !std::mem::replace(&mut state.telling, true) {
            drop(state);
            self.world.spawn(self.clone().tell());
        }
    }

    async fn tell(self) {
        while let Some(copy) = self.next() {
            metrics::counter!(REPLICAS_DOUBTED).increment(1);
            tracing::warn!(segment.id = %copy.segment, backend.id = %copy.backend, "a replica is missing or wrong");
            if let Err(error) = self.ledger.doubt(copy, self.world.now()).await {
                tracing::warn!(segment.id = %copy.segment, %error, "a replica could not be put in doubt");
                self.state().told.remove(&(copy.backend, copy.name));
            }
        }
    }

    fn next(&self) -> Option<Copy> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.telling = next.is_some();
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
