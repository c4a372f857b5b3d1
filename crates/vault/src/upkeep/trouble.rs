//! Which backends fail now: a job leaves them alone after a few failures in a row, and goes on with the others.

use crate::core::Core;
use entente_clouds::{Error, ErrorKind};
use entente_model::BackendId;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many failures in a row, and a backend is left alone until the next slice of work.
const FAILURES_MAX: u32 = 3;

#[derive(Default)]
pub(crate) struct Trouble {
    in_a_row: Mutex<BTreeMap<BackendId, u32>>,
}

impl Trouble {
    /// Whether a backend is to be left alone.
    pub(crate) fn is_left_alone(&self, core: &Core, backend: BackendId) -> bool {
        core.is_down(backend) || self.counts().get(&backend).is_some_and(|failures| *failures >= FAILURES_MAX)
    }

    /// Notes how an operation ended, and hands it on. That an object is missing says nothing against its backend.
    pub(crate) fn note<T>(&self, backend: BackendId, outcome: Result<T, Error>) -> Result<T, Error> {
        match outcome {
            Err(error) if !says_what_is(error.kind) => Err(self.failed(backend, error)),
            outcome => {
                self.ended_well(backend);
                outcome
            }
        }
    }

    /// Notes that a backend failed, and hands the error on.
    pub(crate) fn failed(&self, backend: BackendId, error: Error) -> Error {
        *self.counts().entry(backend).or_insert(0) += 1;
        error
    }

    /// Notes that a backend answered.
    pub(crate) fn ended_well(&self, backend: BackendId) {
        self.counts().remove(&backend);
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<BackendId, u32>> {
        self.in_a_row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an error tells about the object and not about the backend.
pub(crate) fn says_what_is(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::OutOfRange | ErrorKind::AlreadyExists)
}

/// What is said of a backend that is left alone.
pub(crate) fn left_alone(backend: BackendId) -> String {
    format!("backend {backend} fails and is left alone for now")
}
