//! Webhooks: wishes of applications' users to be told, at URLs of theirs, of what happens to an item and below it.
//!
//! Whoever makes one is told of what they may see, as long as they may see it. What is to be told is found by following
//! the events ([`Tree::tell_webhooks`]), so that changes cost nothing more; it is sent by somebody else.

mod follow;

pub use follow::{Notice, NoticeItem};

use crate::grant::See;
use crate::limits::{WEBHOOK_ADDRESS_BYTES_MAX, WEBHOOKS_MAX, WEBHOOKS_OF_ITEM_MAX, WEBHOOKS_PAGE_MAX};
use crate::view::Minis;
use crate::{Caller, Error, Kind, Tree, UserMini, allow};
use entente_database::webhooks::{self, Triggers, Webhook};
use entente_database::{Tx, events};
use entente_model::{AppId, ItemId, Scopes, WebhookId};
use std::sync::Arc;

/// Batches of events that get positions before a webhook is made.
const PLACED_BATCHES_MAX: u32 = 4;

/// A webhook, and who made it.
#[derive(Debug, Clone)]
pub struct WebhookView {
    /// It.
    pub webhook: Webhook,
    /// Who made it.
    pub created_by: Arc<UserMini>,
}

/// What is to be told, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhook {
    /// The item.
    pub item: ItemId,
    /// What that is: a file or a folder.
    pub kind: Kind,
    /// The URL. Whether it is one that may be asked is the door's to say, and the sender's.
    pub address: String,
    /// Of what, one at least.
    pub triggers: Triggers,
}

/// What is to change of a webhook; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookChange {
    /// Another item.
    pub item: Option<(ItemId, Kind)>,
    /// Another URL.
    pub address: Option<String>,
    /// Other triggers, one at least.
    pub triggers: Option<Triggers>,
}

/// Some webhooks.
#[derive(Debug, Clone)]
pub struct WebhookPage {
    /// In the order in which they were made.
    pub entries: Vec<Webhook>,
    /// After which one to go on; `None` at the end.
    pub next: Option<WebhookId>,
}

impl Tree {
    /// Makes a webhook for what the caller may see. It is told of what happens from now on.
    ///
    /// `Forbidden` with a credential that was not issued to an application, or reads nothing; `NotFound`; `Trashed`;
    /// `AlreadyExists` when the caller has made one for the item with the same application; `Invalid` for a root or a web
    /// link, without triggers, and beyond `limits::WEBHOOKS_MAX`, `limits::WEBHOOKS_OF_ITEM_MAX` and
    /// `limits::WEBHOOK_ADDRESS_BYTES_MAX`.
    pub async fn create_webhook(&self, caller: &Caller, new: NewWebhook) -> Result<WebhookView, Error> {
        let app = check_app(caller)?;
        check_said(&new.address, new.triggers)?;
        // What has happened before has its position then, and is not told.
        for _ in 0..PLACED_BATCHES_MAX {
            if !self.place_events().await? {
                break;
            }
        }
        let (caller, id, at) = (caller.clone(), WebhookId::new(self.world.next_id()), self.world.now());
        self.database
            .transact("create webhook", move |tx| {
                check_target(tx, &caller, app, (new.item, new.kind), None)?;
                if webhooks::count_of_owner(tx, caller.user, app)? >= WEBHOOKS_MAX {
                    return Err(Error::Invalid("there are as many webhooks of this application as there may be"));
                }
                if !webhooks::any(tx)? {
                    // Nobody has followed the events while there was none.
                    follow::begin(tx)?;
                }
                let webhook = Webhook {
                    id,
                    enterprise: caller.enterprise,
                    app,
                    user: caller.user,
                    item: new.item,
                    item_kind: new.kind,
                    address: new.address.clone(),
                    triggers: new.triggers,
                    since: events::last(tx)?,
                    created_at: at,
                };
                webhooks::insert(tx, &webhook)?;
                view(tx, webhook)
            })
            .await
    }

    /// A webhook that the caller has made with the same application. `NotFound`; `Forbidden` as for making one.
    pub async fn webhook(&self, caller: &Caller, id: WebhookId) -> Result<WebhookView, Error> {
        let app = check_app(caller)?;
        self.database.read(|tx| {
            let found = own(tx, caller, app, id)?;
            view(tx, found)
        })
    }

    /// Up to `limit` webhooks that the caller has made with the same application, and `limits::WEBHOOKS_PAGE_MAX`, after
    /// one. `Forbidden` as for making one.
    pub async fn webhooks(&self, caller: &Caller, after: Option<WebhookId>, limit: u32) -> Result<WebhookPage, Error> {
        let app = check_app(caller)?;
        let (user, limit) = (caller.user, limit.clamp(1, WEBHOOKS_PAGE_MAX));
        self.database
            .read_long(move |tx| {
                let mut entries = webhooks::of_owner(tx, (user, app), after, limit + 1)?;
                let more = entries.len() > limit as usize;
                entries.truncate(limit as usize);
                let next = entries.last().filter(|_| more).map(|last| last.id);
                Ok(WebhookPage { entries, next })
            })
            .await
    }

    /// Changes a webhook that the caller has made with the same application. With another item it is told of what happens to
    /// that from now on. The errors of [`Tree::webhook`] and [`Tree::create_webhook`].
    pub async fn change_webhook(
        &self,
        caller: &Caller,
        id: WebhookId,
        change: WebhookChange,
    ) -> Result<WebhookView, Error> {
        let app = check_app(caller)?;
        let caller = caller.clone();
        self.database
            .transact("change webhook", move |tx| {
                let mut webhook = own(tx, &caller, app, id)?;
                if let Some((item, kind)) = change.item.filter(|(item, _)| *item != webhook.item) {
                    check_target(tx, &caller, app, (item, kind), Some(id))?;
                    (webhook.item, webhook.item_kind, webhook.since) = (item, kind, events::last(tx)?);
                }
                webhook.address = change.address.clone().unwrap_or(webhook.address);
                webhook.triggers = change.triggers.unwrap_or(webhook.triggers);
                check_said(&webhook.address, webhook.triggers)?;
                webhooks::update(tx, &webhook)?;
                view(tx, webhook)
            })
            .await
    }

    /// Removes a webhook that the caller has made with the same application; what is still to be told is not told. The errors
    /// of [`Tree::webhook`].
    pub async fn remove_webhook(&self, caller: &Caller, id: WebhookId) -> Result<(), Error> {
        let app = check_app(caller)?;
        let caller = caller.clone();
        self.database
            .transact("remove webhook", move |tx| {
                own(tx, &caller, app, id)?;
                Ok(webhooks::remove(tx, id)?)
            })
            .await
    }
}

/// The application of a credential that may have webhooks: a whole one, that reads.
fn check_app(caller: &Caller) -> Result<AppId, Error> {
    let is_whole = caller.confined.is_none() && caller.through.is_none();
    let app = caller.app.filter(|_| is_whole && caller.scopes.contains(Scopes::READ));
    app.ok_or(Error::Forbidden)
}

fn check_said(address: &str, triggers: Triggers) -> Result<(), Error> {
    if address.len() > WEBHOOK_ADDRESS_BYTES_MAX {
        return Err(Error::Invalid("the address of a webhook is too long"));
    }
    if triggers.is_empty() {
        return Err(Error::Invalid("a webhook needs a trigger"));
    }
    Ok(())
}

/// That the caller may have a webhook for the item, besides one that it is to be the item of.
fn check_target(
    tx: &mut Tx<'_>,
    caller: &Caller,
    app: AppId,
    (item, kind): (ItemId, Kind),
    besides: Option<WebhookId>,
) -> Result<(), Error> {
    // Who came by a link has it only for as long as they show it.
    let alone = Caller { link: None, ..caller.clone() };
    let grant = allow::<See>(tx, &alone, item)?.of(kind)?;
    if grant.above().is_empty() || kind == Kind::WebLink {
        return Err(Error::Invalid("a webhook is of a file, or of a folder below the root"));
    }
    let there = webhooks::of_item(tx, item, WEBHOOKS_OF_ITEM_MAX)?;
    if there.iter().any(|one| one.user == caller.user && one.app == app && Some(one.id) != besides) {
        return Err(Error::AlreadyExists("There is a webhook of this application and user for this item already"));
    }
    if there.len() >= WEBHOOKS_OF_ITEM_MAX as usize {
        return Err(Error::Invalid("the item has as many webhooks as it may have"));
    }
    Ok(())
}

fn own(tx: &mut Tx<'_>, caller: &Caller, app: AppId, id: WebhookId) -> Result<Webhook, Error> {
    let found = webhooks::by_id(tx, id)?.filter(|found| found.user == caller.user && found.app == app);
    found.ok_or(Error::NotFound)
}

fn view(tx: &mut Tx<'_>, webhook: Webhook) -> Result<WebhookView, Error> {
    let created_by = Minis::default().find(tx, webhook.user)?;
    Ok(WebhookView { webhook, created_by })
}
