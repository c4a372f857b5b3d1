//! Tells subscribers of changes: takes what the tree has written down for them, and sends it by HTTP.
//!
//! What is told was written in the transaction of the change, so nothing is forgotten, and nothing is told that did not
//! happen. Each delivery is sent until somebody answers that it has arrived: at least once, and more than once when the
//! answer is lost. What happened at one path is told one after the other, in the order in which it happened. What cannot be
//! told for days is given up, and kept for whoever looks.
//!
//! Requests go where the operator's configuration says, and those of webhooks where their makers say: to addresses of the
//! open internet unless the configuration says otherwise, directly, and whatever is answered, no redirect is followed.
//!
//! This crate knows nothing of access, of doors and of what a version is; it puts what it reads into a vendor's words
//! ([`message`]) and signs it ([`signature`]).

mod backoff;
pub mod message;
mod reach;
mod sender;
pub mod signature;
mod target;
mod upkeep;
mod webhooks;

pub use sender::{Sender, Settings};
pub use target::{ATTEMPTS_MAX, Reach, Secret, Target, WrongTarget};
pub use upkeep::{REMOVE_DELIVERIES_JOB, remove_ended};
pub use webhooks::{BoxError, WebhookTarget, Webhooks};

/// What keeps deliveries from being sent at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database does not answer. May be retried.
    #[error(transparent)]
    Database(#[from] entente_database::Error),
    /// TLS cannot be set up. Not to be retried.
    #[error("TLS cannot be set up; check that the system's certificates (package ca-certificates) are installed")]
    Tls(#[source] reqwest::Error),
}
