//! Who is told of changes: the targets of the configuration, with their secrets, and webhooks with their applications' keys.

use crate::config::TargetConfig;
use crate::exit::{Exit, Failure};
use crate::store::read_secret;
use entente_database::{Database, webhooks};
use entente_identity::SignatureKeys;
use entente_model::WebhookId;
use entente_subscriptions::{BoxError, Secret, Settings, Target, WebhookTarget, Webhooks};

/// The targets. `Usage` when a secret is not there, or could be guessed.
pub(crate) fn subscribers(targets: &[TargetConfig]) -> Result<Settings, Failure> {
    let open = |target: &TargetConfig| {
        let TargetConfig { name, url, secret, reach, attempts } = target;
        let what = format!("the secret of the subscription target {name}");
        let wrong = |error| Failure::new(Exit::Usage, format!("{what} {error}"));
        let text = read_secret(secret, &what)?;
        let secret = Secret::new(text.as_bytes().to_vec()).map_err(wrong)?;
        let target = Target::new(name.clone(), url, secret, *reach);
        let target = target
            .map_err(|error| Failure::new(Exit::Usage, format!("the subscription target {name}: its URL {error}")));
        Ok(target?.give_up_after(*attempts))
    };
    Ok(Settings::new(targets.iter().map(open).collect::<Result<_, Failure>>()?))
}

/// Webhooks as they are stored.
pub(crate) struct StoredWebhooks {
    pub(crate) database: Database,
    pub(crate) keys: SignatureKeys,
}

impl Webhooks for StoredWebhooks {
    fn target(&self, id: WebhookId) -> Result<Option<WebhookTarget>, BoxError> {
        let Some(webhook) = self.database.read(|tx| webhooks::by_id(tx, id))? else { return Ok(None) };
        let pair = self.keys.pair(webhook.app)?;
        Ok(Some(WebhookTarget { address: webhook.address, primary: pair.primary, secondary: pair.secondary }))
    }
}
