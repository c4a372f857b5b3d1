//! Commands on their way to the writers.

use super::pace::Pace;
use crate::command::Command;
use crate::engine::stopped;
use crate::{Error, ErrorKind};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many commands may wait. More callers wait for a place in the queue.
const QUEUE_COMMANDS_MAX: usize = 1024;
/// How many commands may share one commit. A server keeps track of 64 savepoints quickly, and of more slowly.
const BATCH_COMMANDS_MAX: usize = 64;

pub(super) type Batch = Vec<Box<dyn Command>>;

pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    places: Arc<Semaphore>,
}

struct State {
    commands: VecDeque<(Box<dyn Command>, OwnedSemaphorePermit)>,
    /// Writers that are at work.
    active: usize,
    pace: Pace,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(writers: usize) -> Self {
        let state = State { commands: VecDeque::new(), active: 0, pace: Pace::new(writers), is_closed: false };
        let places = Arc::new(Semaphore::new(QUEUE_COMMANDS_MAX));
        Self { state: Mutex::new(state), arrived: Condvar::new(), places }
    }

    /// Adds a command. Waits for a place.
    pub(super) async fn push(&self, command: Box<dyn Command>) -> Result<(), Error> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| stopped())?;
        self.add(command, place)
    }

    /// Adds a command if there is a place.
    pub(super) fn try_push(&self, command: Box<dyn Command>) -> Result<(), Error> {
        let full = |_| Error::new(ErrorKind::Busy, "too many commands wait for the database; try again");
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(full)?;
        self.add(command, place)
    }

    fn add(&self, command: Box<dyn Command>, place: OwnedSemaphorePermit) -> Result<(), Error> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(stopped());
        }
        state.commands.push_back((command, place));
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for commands and takes a share of them; the writer is at work until it says [`Queue::done`]. `None` when
    /// the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Batch> {
        let state = self.lock();
        let must_wait = |state: &mut State| {
            if state.commands.is_empty() { !state.is_closed } else { state.active >= state.pace.allowed() }
        };
        let mut state = self.arrived.wait_while(state, must_wait).unwrap_or_else(PoisonError::into_inner);
        if state.commands.is_empty() {
            return None;
        }
        state.active += 1;
        // Something is left for the other writers, so that they can start at the same time.
        let free = state.pace.allowed().saturating_sub(state.active) + 1;
        let share = state.commands.len().div_ceil(free).min(BATCH_COMMANDS_MAX);
        let batch = state.commands.drain(..share).map(|(command, _)| command).collect();
        let more = !state.commands.is_empty();
        drop(state);
        if more {
            self.arrived.notify_one();
        }
        Some(batch)
    }

    /// The writer has answered its commands.
    pub(super) fn done(&self) {
        let mut state = self.lock();
        state.active = state.active.saturating_sub(1);
        drop(state);
        // There may be commands that had to wait, or an end to be noticed by all.
        self.arrived.notify_all();
    }

    /// Whether a batch is to wait for its turn among the nodes.
    pub(super) fn takes_turns(&self) -> bool {
        self.lock().pace.takes_turns()
    }

    pub(super) fn went_well(&self) {
        self.lock().pace.went_well();
    }

    pub(super) fn met_another(&self) {
        self.lock().pace.met_another();
    }

    /// Lets the writers end once the queue is empty. Nothing more is added.
    pub(super) fn close(&self) {
        self.places.close();
        self.lock().is_closed = true;
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
