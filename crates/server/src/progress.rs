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

/// How far something is whose end is known, as a bar on a line of a terminal. Nothing where there is none.
pub(crate) struct Bar {
    shown: bool,
    drawn: bool,
}

/// Places of a bar.
const BAR_WIDTH: u8 = 24;

impl Bar {
    pub(crate) fn new() -> Self {
        Self { shown: std::io::stderr().is_terminal(), drawn: false }
    }

    /// Draws it anew; `share` is from 0 to 1.
    pub(crate) fn draw(&mut self, what: &str, share: f64, how: &str) {
        if self.shown {
            self.drawn = true;
            let _ = write!(std::io::stderr(), "\r{what} {} {how}\x1b[K", bar(share));
        }
    }
}

fn bar(share: f64) -> String {
    let full = (0..BAR_WIDTH).filter(|place| share * f64::from(BAR_WIDTH) >= f64::from(place + 1)).count();
    format!("[{}{}]", "#".repeat(full), ".".repeat(usize::from(BAR_WIDTH).saturating_sub(full)))
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn a_bar_is_full_at_the_end() {
        assert_eq!(bar(0.0), format!("[{}]", ".".repeat(24)));
        assert_eq!(bar(0.5), format!("[{}{}]", "#".repeat(12), ".".repeat(12)));
        assert_eq!(bar(1.0), format!("[{}]", "#".repeat(24)));
    }
}
