//! What the server can move and check: relocations and scrubs, as this interface asks for them.

use crate::handlers::relocations::{RelocationOrder, Steer};
use async_trait::async_trait;
use entente_model::RelocationId;
use serde_json::Value;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The order makes no sense; the text says why.
    #[error("{0}")]
    Invalid(String),
    /// There is nothing of that name or id.
    #[error("{0}")]
    NotFound(String),
    /// Not now, or not any more.
    #[error("{0}")]
    Conflict(String),
    /// The server cannot answer now. For the log.
    #[error("a movement could not be looked at")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Relocations and scrubs. Every answer is what is shown.
#[async_trait]
pub trait Movements: Send + Sync + 'static {
    /// Orders relocations, or says what they would take.
    async fn order(&self, order: RelocationOrder) -> Result<Value, Refused>;

    /// The newest relocations.
    async fn relocations(&self) -> Result<Value, Refused>;

    /// One relocation.
    async fn relocation(&self, id: RelocationId) -> Result<Value, Refused>;

    /// Pauses, resumes or cancels a relocation.
    async fn steer(&self, id: RelocationId, steer: Steer) -> Result<Value, Refused>;

    /// What the scrubs of all backends found.
    async fn scrub_report(&self) -> Result<Value, Refused>;

    /// Begins scrubs of these backends, or of all.
    async fn start_scrubs(&self, backends: Vec<String>) -> Result<Value, Refused>;
}
