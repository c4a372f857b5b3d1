//! Webhooks, and the words in which they are told what happens.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::door::BoxDoor;
use crate::error::Problem;
use crate::from_wire::{numbered, referred};
use crate::handlers::events::gone;
use crate::to_wire::{Links, Look, mini, steps};
use crate::wire::collection::{Collection, Page};
use crate::wire::event::{GoneItem, Source};
use crate::wire::item::{FILE, TRASH_FOLDER, WEB_LINK};
use crate::wire::request::TypedReference;
use crate::wire::webhook::{self, TRIGGERS, WebhookAsked, WebhookEvent, WebhookMade};
use axum::response::Response;
use entente_model::{Caller, ItemId};
use entente_tree::{
    Error as TreeError, Kind, NewWebhook, Notice, NoticeItem, Trigger, Triggers, Webhook, WebhookChange, WebhookView,
};
use http::uri::Authority;
use http::{StatusCode, Uri};

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: WebhookAsked = asked.json().await?;
    let (item, kind) = target(new.target.as_ref().ok_or_else(|| Problem::missing("target"))?)?;
    let address = address(&asked, new.address.ok_or_else(|| Problem::missing("address"))?)?;
    let triggers = triggers(&new.triggers.ok_or_else(|| Problem::missing("triggers"))?)?;
    let made = asked.tree().create_webhook(&caller, NewWebhook { item, kind, address, triggers }).await?;
    Ok(answer(&asked, StatusCode::CREATED, &made))
}

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let wanted = asked.query().marker_page()?;
    let after = wanted.marker.as_deref().map(|marker| numbered("marker", marker)).transpose()?;
    let limit = wanted.limit.max(1);
    let found = asked.tree().webhooks(&caller, after, limit).await?;
    let entries = found.entries.iter().map(brief).collect();
    let page = Page::Marker { next: found.next.map(|next| next.to_string()) };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: limit.into(), page }))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().webhook(&caller, asked.id("webhook_id")?).await?;
    Ok(answer(&asked, StatusCode::OK, &found))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let id = asked.id("webhook_id")?;
    let wish: WebhookAsked = asked.json().await?;
    let change = WebhookChange {
        item: wish.target.as_ref().map(target).transpose()?,
        address: wish.address.map(|text| address(&asked, text)).transpose()?,
        triggers: wish.triggers.as_deref().map(triggers).transpose()?,
    };
    let changed = asked.tree().change_webhook(&caller, id, change).await?;
    Ok(answer(&asked, StatusCode::OK, &changed))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_webhook(&caller, asked.id("webhook_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

fn target(target: &TypedReference) -> Result<(ItemId, Kind), Problem> {
    let kind = match target.kind.as_deref() {
        Some("file") => Kind::File,
        Some("folder") => Kind::Folder,
        Some(_) => return Err(Problem::invalid("target.type", "'target.type' must be 'file' or 'folder'")),
        None => return Err(Problem::missing("target.type")),
    };
    Ok((referred("target.id", target.id.as_ref())?, kind))
}

/// A URL that may be told something. Which addresses it leads to is seen when it is.
fn address(asked: &Asked, text: String) -> Result<String, Problem> {
    let with_plain = asked.door.options().plain_webhooks;
    let is_good = text.parse::<Uri>().is_ok_and(|url| {
        let host = url.authority().filter(|authority| !authority.as_str().contains('@')).map(Authority::host);
        let is_asked = match url.scheme_str() {
            Some("https") => true,
            Some("http") => with_plain,
            _ => false,
        };
        is_asked && host.is_some_and(|host| !host.is_empty())
    });
    if is_good {
        Ok(text)
    } else {
        Err(Problem::invalid("address", "'address' must be a URL that begins with https://"))
    }
}

fn triggers(words: &[String]) -> Result<Triggers, Problem> {
    let named = |word: &String| {
        let place = TRIGGERS.iter().position(|known| known == word);
        let trigger = place.and_then(|place| Trigger::ALL.get(place).copied());
        trigger.ok_or_else(|| Problem::invalid("triggers", "'triggers' must be Box's names of triggers"))
    };
    let named: Triggers = words.iter().map(named).collect::<Result<_, Problem>>()?;
    if named.is_empty() { Err(Problem::missing("triggers")) } else { Ok(named) }
}

/// Box's word.
fn word(trigger: Trigger) -> &'static str {
    // Both lists are in one order.
    TRIGGERS.get(trigger as usize).copied().unwrap_or_default()
}

fn brief(row: &Webhook) -> webhook::Webhook<'_> {
    let kind = if row.item_kind == Kind::Folder { "folder" } else { "file" };
    webhook::Webhook { id: row.id, target: (kind, row.item), made: None }
}

fn answer(asked: &Asked, code: StatusCode, view: &WebhookView) -> Response {
    let row = &view.webhook;
    let made = WebhookMade {
        by: mini(&view.created_by),
        at: row.created_at,
        zone: asked.look().zone,
        address: &row.address,
        triggers: row.triggers.iter().map(word).collect(),
    };
    answer::json(code, &webhook::Webhook { made: Some(made), ..brief(row) })
}

impl BoxDoor {
    /// Looks whether something has happened of which webhooks are to be told, and writes it down in Box's words; whether
    /// there may be more. To be called now and then, by any number of nodes. May be retried.
    pub async fn tell_webhooks(&self) -> Result<bool, TreeError> {
        // Nobody asks here, so nothing says where we are reached but the configuration.
        let base = self.options().origin.public_url.as_ref().map(|url| [url.as_str(), "/box"].concat());
        let at = self.auth().now();
        let look = Look { links: base.as_deref().map(|base| Links { base, at }), ..self.look() };
        self.tree().tell_webhooks(|notice| told(look, notice)).await
    }
}

/// What a webhook is told, as JSON.
fn told(look: Look<'_>, notice: &Notice) -> String {
    let path = match &notice.item {
        NoticeItem::Seen(view) => steps(&view.path, view.state),
        NoticeItem::Gone => Vec::new(),
    };
    let source = match &notice.item {
        NoticeItem::Seen(view) => {
            let fields = match view.item.kind {
                Kind::Folder => TRASH_FOLDER,
                Kind::File => FILE,
                Kind::WebLink => WEB_LINK,
            };
            Source::Item(look.item_at(view, &path, fields))
        }
        // Nothing is told of what nothing is known of.
        NoticeItem::Gone => {
            Source::Gone(gone(&notice.event).unwrap_or(GoneItem { kind: "file", id: notice.event.item, name: "" }))
        }
    };
    let event = WebhookEvent {
        webhook: notice.webhook.id,
        event: notice.event.id,
        trigger: word(notice.trigger),
        at: notice.event.at,
        zone: look.zone,
        by: mini(&notice.by),
        source,
    };
    // Shapes of this crate can always be written.
    serde_json::to_string(&event).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::word;
    use entente_tree::Trigger;

    #[test]
    fn words_are_in_the_order_of_triggers() {
        assert_eq!(word(Trigger::FileUploaded), "FILE.UPLOADED");
        assert_eq!(word(Trigger::FolderTrashed), "FOLDER.TRASHED");
        assert_eq!(word(Trigger::WebhookDeleted), "WEBHOOK.DELETED");
        assert_eq!(word(Trigger::CollaborationUpdated), "COLLABORATION.UPDATED");
        assert_eq!(word(Trigger::SignFailed), "SIGN_REQUEST.SIGN_ERROR_FINALIZING");
    }
}
