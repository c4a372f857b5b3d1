//! The connections that read: as many as are needed at a time, up to a limit.

use super::Options;
use super::connect::{Purpose, connect};
use super::connection::Connection;
use crate::{Error, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

pub(super) struct Pool {
    options: Arc<Options>,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    /// Those that are idle, lent, or being made.
    open: usize,
}

/// A connection on loan. Unless it is given back whole, it is closed.
pub(super) struct Lent<'p> {
    pub(super) connection: Option<Connection>,
    pool: &'p Pool,
}

impl Pool {
    pub(super) fn new(options: Arc<Options>) -> Self {
        Self { options, state: Mutex::default(), freed: Condvar::new() }
    }

    /// Lends a connection: the one used last, or a new one. `Busy` when none comes free within the limit.
    pub(super) fn take(&self) -> Result<Lent<'_>, Error> {
        let max = self.options.readers.max(1);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = self
            .freed
            .wait_timeout_while(state, self.options.wait_max, |state| state.idle.is_empty() && state.open >= max)
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = state.idle.pop() {
            return Ok(Lent { connection: Some(connection), pool: self });
        }
        if state.open >= max {
            let message = format!("all {max} connections that read from the database are busy; try again");
            return Err(Error::new(ErrorKind::Busy, message));
        }
        state.open += 1;
        drop(state);
        // Its place is given back should the connection not come about.
        let mut lent = Lent { connection: None, pool: self };
        lent.connection = Some(connect(&self.options, Purpose::Read)?);
        Ok(lent)
    }
}

impl Lent<'_> {
    /// Gives the connection back for others to use, unless it is lost.
    pub(super) fn give_back(mut self) {
        if let Some(connection) = self.connection.take_if(|connection| !connection.is_lost()) {
            let mut state = self.pool.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.idle.push(connection);
            // The place goes along with it.
            state.open += 1;
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.connection = None;
        self.pool.state.lock().unwrap_or_else(PoisonError::into_inner).open -= 1;
        self.pool.freed.notify_one();
    }
}
