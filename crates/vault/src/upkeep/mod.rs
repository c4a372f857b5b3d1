//! Upkeep: what the vault does when nobody asks. Each job may run twice, may be interrupted anywhere and taken up again,
//! and may run beside everything else, in this process or another.

pub mod collect;
pub mod converge;
mod copying;
mod inspect;
mod moving;
mod needs;
mod pace;
pub mod rehouse;
pub mod remove_left;
pub mod repack;
pub mod safety;
pub mod scrub;
mod selection;
pub mod survey;
mod trouble;
pub(crate) mod unreadable;
pub mod verify;

pub use converge::Converged;
pub use pace::Pace;
pub use rehouse::Rehoused;
pub use remove_left::Removed;
pub use scrub::Scrubbed;
pub use selection::{Cursor, CursorError, Selection};
pub use survey::Survey;

/// Tells whoever watches how far a job is.
pub trait Watch: Send {
    /// So many units (segments, objects or contents; `what` says which) have been looked at in this phase.
    fn progress(&mut self, what: &'static str, done: u64);
    /// Whether to stop here. The job ends early and says so in its report.
    fn stop(&self) -> bool;
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&mut self, _what: &'static str, _done: u64) {}

    fn stop(&self) -> bool {
        false
    }
}
