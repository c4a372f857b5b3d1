//! Webhooks: targets that clients name, each with a URL and an application's keys.

use entente_model::WebhookId;
use zeroize::Zeroizing;

/// Where what a webhook is told goes, and with what it is signed.
pub struct WebhookTarget {
    /// The URL.
    pub address: String,
    /// The primary key, if the application has one.
    pub primary: Option<Zeroizing<Vec<u8>>>,
    /// The secondary key, if it has one.
    pub secondary: Option<Zeroizing<Vec<u8>>>,
}

/// Why nothing is known of a webhook. May be retried.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Knows webhooks by their ids.
pub trait Webhooks: Send + Sync {
    /// The webhook as it is now; `None` when it is gone: then nothing more is told by it.
    fn target(&self, id: WebhookId) -> Result<Option<WebhookTarget>, BoxError>;
}
