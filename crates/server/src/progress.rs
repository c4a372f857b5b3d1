//! How far a long verb is, on one line of a terminal; and the stop that Ctrl-C asks for.

use entente_vault::upkeep::Watch;
use entente_world::{Shutdown, World};
use std::io::{IsTerminal, Write};
use std::time::Duration;
use tokio::time::Instant;

/// No more often than this is the line written.
const PAUSE: Duration = Duration::from_millis(100);

/// Watches a long job for whoever sits at the terminal, if anybody does.
pub(crate) struct Progress {
    world: World,
    shutdown: Shutdown,
    shown: bool,
    last: Option<(&'static str, Instant)>,
}

impl Progress {
    pub(crate) fn new(world: &World, shutdown: Shutdown) -> Self {
        Self { world: world.clone(), shutdown, shown: std::io::stderr().is_terminal(), last: None }
    }
}

impl Watch for Progress {
    fn progress(&mut self, what: &'static str, done: u64) {
        let now = self.world.instant();
        let due = self.last.is_none_or(|(before, at)| before != what || now.duration_since(at) >= PAUSE);
        if self.shown && due {
            self.last = Some((what, now));
            // `\x1b[K` clears what a longer line left behind.
            let _ = write!(std::io::stderr(), "\r{what}: {done} looked at\x1b[K");
        }
    }

    fn stop(&self) -> bool {
        self.shutdown.is_requested()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
