//! Webhooks, and what they are told.

use super::date::{Date, Zone};
use super::event::Source;
use super::id::Text;
use super::request::TypedReference;
use super::user::UserMini;
use entente_model::{EventId, ItemId, Timestamp, WebhookId};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

/// Box's words for what a webhook may be told of, in the order of our numbers.
pub const TRIGGERS: [&str; 43] = [
    "FILE.UPLOADED",
    "FILE.PREVIEWED",
    "FILE.DOWNLOADED",
    "FILE.TRASHED",
    "FILE.DELETED",
    "FILE.RESTORED",
    "FILE.COPIED",
    "FILE.MOVED",
    "FILE.LOCKED",
    "FILE.UNLOCKED",
    "FILE.RENAMED",
    "COMMENT.CREATED",
    "COMMENT.UPDATED",
    "COMMENT.DELETED",
    "TASK_ASSIGNMENT.CREATED",
    "TASK_ASSIGNMENT.UPDATED",
    "METADATA_INSTANCE.CREATED",
    "METADATA_INSTANCE.UPDATED",
    "METADATA_INSTANCE.DELETED",
    "FOLDER.CREATED",
    "FOLDER.RENAMED",
    "FOLDER.DOWNLOADED",
    "FOLDER.RESTORED",
    "FOLDER.DELETED",
    "FOLDER.COPIED",
    "FOLDER.MOVED",
    "FOLDER.TRASHED",
    "WEBHOOK.DELETED",
    "COLLABORATION.CREATED",
    "COLLABORATION.ACCEPTED",
    "COLLABORATION.REJECTED",
    "COLLABORATION.REMOVED",
    "COLLABORATION.UPDATED",
    "SHARED_LINK.DELETED",
    "SHARED_LINK.CREATED",
    "SHARED_LINK.UPDATED",
    "SIGN_REQUEST.COMPLETED",
    "SIGN_REQUEST.DECLINED",
    "SIGN_REQUEST.EXPIRED",
    "SIGN_REQUEST.SIGNER_EMAIL_BOUNCED",
    "SIGN_REQUEST.SIGN_SIGNER_SIGNED",
    "SIGN_REQUEST.SIGN_DOCUMENT_CREATED",
    "SIGN_REQUEST.SIGN_ERROR_FINALIZING",
];

/// What makes a webhook, or changes one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WebhookAsked {
    /// Of which item.
    pub target: Option<TypedReference>,
    /// At which URL it is told.
    pub address: Option<String>,
    /// Of what.
    pub triggers: Option<Vec<String>>,
}

/// `Webhook`, or with `made` left out `Webhook--Mini`.
#[derive(Debug, Clone)]
pub struct Webhook<'a> {
    /// Its id.
    pub id: WebhookId,
    /// Its item: `file` or `folder`, and its id.
    pub target: (&'static str, ItemId),
    /// The rest.
    pub made: Option<WebhookMade<'a>>,
}

/// What lists leave out of a webhook.
#[derive(Debug, Clone)]
pub struct WebhookMade<'a> {
    /// Who made it.
    pub by: UserMini<'a>,
    /// When.
    pub at: Timestamp,
    /// Where that date is shown.
    pub zone: &'a Zone,
    /// The URL.
    pub address: &'a str,
    /// Of what it is told.
    pub triggers: Vec<&'static str>,
}

#[derive(Serialize)]
struct Target {
    id: Text<ItemId>,
    r#type: &'static str,
}

impl Serialize for Webhook<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &Text(self.id))?;
        map.serialize_entry("type", "webhook")?;
        map.serialize_entry("target", &Target { id: Text(self.target.1), r#type: self.target.0 })?;
        if let Some(made) = &self.made {
            map.serialize_entry("created_by", &made.by)?;
            map.serialize_entry("created_at", &Date { at: made.at, zone: made.zone })?;
            map.serialize_entry("address", made.address)?;
            map.serialize_entry("triggers", &made.triggers)?;
        }
        map.end()
    }
}

/// What a webhook is told: <https://developer.box.com/guides/webhooks/v2/handle-v2/>.
#[derive(Debug, Clone)]
pub struct WebhookEvent<'a> {
    /// The webhook.
    pub webhook: WebhookId,
    /// The event that it is told of.
    pub event: EventId,
    /// Of what.
    pub trigger: &'static str,
    /// When it happened.
    pub at: Timestamp,
    /// Where that date is shown.
    pub zone: &'a Zone,
    /// Who did it.
    pub by: UserMini<'a>,
    /// To what.
    pub source: Source<'a>,
}

#[derive(Serialize)]
struct Told {
    id: Text<WebhookId>,
    r#type: &'static str,
}

impl Serialize for WebhookEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "webhook_event")?;
        map.serialize_entry("id", &format_args!("{}-{}", self.webhook, self.event))?;
        map.serialize_entry("created_at", &Date { at: self.at, zone: self.zone })?;
        map.serialize_entry("trigger", self.trigger)?;
        map.serialize_entry("webhook", &Told { id: Text(self.webhook), r#type: "webhook" })?;
        map.serialize_entry("created_by", &self.by)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("additional_info", &[(); 0])?;
        map.end()
    }
}
