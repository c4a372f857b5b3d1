//! Where content is stored: the storage policies that there are, to whom they are assigned, and what is not (yet)
//! stored as its owner's policy wants it.
//!
//! Content follows its owner: the user whose root or trash it is below. Whatever changes a user's policy queues a job
//! in the same transaction that moves what the user owns, and so does a commit of bytes that began to arrive under
//! another policy. A move between owners (`items::hand_over`) takes all that is below the item from one to the other.

mod assign;
mod below;
mod follow;
mod policies;
mod whereabouts;

pub use assign::PolicyAssignment;
pub use below::{Below, BelowPosition};
pub use entente_database::assignments::Assignee;
pub use entente_database::contents::Stored;
pub use entente_database::policies::StoragePolicy;
pub use entente_database::whereabouts::{Copy as BackendCopy, Whereabouts};
pub use follow::{Elsewhere, ElsewherePosition, FOLLOW_POLICY_JOB, assignee_of_key, key_of_assignee};
pub(crate) use follow::{follow_commit, follow_owner};
pub use policies::PolicyPage;
