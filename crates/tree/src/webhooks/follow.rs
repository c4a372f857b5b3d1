//! What is told by webhooks: found in the events, in their order, by whichever node comes first.
//!
//! One number says up to which position the events were followed. Whoever writes what is to be told moves it on in the same
//! transaction, from just what was read before, so that of two who have read the same, one does nothing. So everything is
//! told, and nothing twice, whatever stops in between.

use crate::events::seen;
use crate::grant::See;
use crate::limits::{BATCH_ROWS_MAX, WEBHOOK_EVENTS_AT_ONCE, WEBHOOKS_OF_ITEM_MAX};
use crate::view::Minis;
use crate::{Error, ItemView, Kind, Top, Tree, UserMini, allow};
use entente_database::deliveries::{self, Happening, NewDelivery, Told, WEBHOOKS, Wording};
use entente_database::events::{self, Event, EventKind};
use entente_database::items::{self, ancestors};
use entente_database::webhooks::{self, Trigger, Webhook};
use entente_database::{Tx, settings, tokens};
use entente_model::{Caller, ItemId, Scopes, SubscriptionId, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// The setting that says up to which position the events were followed: eight bytes, the greatest first.
const FOLLOWED: &str = "webhooks followed";
/// How often the trail goes on from what is in the trash to the folder that it came from.
const TRASHED_STEPS_MAX: usize = 8;
/// Of what happens to one webhook's item so much may be told at a time.
const TOPICS: i64 = 8;

/// Something that is to be told by a webhook.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The webhook.
    pub webhook: Webhook,
    /// Of what.
    pub trigger: Trigger,
    /// What has happened.
    pub event: Event,
    /// Who did it.
    pub by: Arc<UserMini>,
    /// To what.
    pub item: NoticeItem,
}

/// What something has happened to, as whoever made the webhook sees it.
#[derive(Debug, Clone)]
pub enum NoticeItem {
    /// An item that they can see, in its place or in the trash.
    Seen(Arc<ItemView>),
    /// One that is gone, or that they see no more: what it was is in the event.
    Gone,
}

/// What one turn has found.
struct Found {
    /// Up to where the events had been followed.
    from: i64,
    /// And up to where now.
    to: i64,
    notices: Vec<Notice>,
    /// Webhooks whose items are gone.
    ended: Vec<Webhook>,
    more: bool,
}

/// Begins to follow the events, from now on.
pub(super) fn begin(tx: &mut Tx<'_>) -> Result<(), Error> {
    let last = events::last(tx)?;
    Ok(settings::set(tx, FOLLOWED, &last.to_be_bytes())?)
}

fn followed(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let found = settings::value(tx, FOLLOWED)?;
    Ok(found.and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_be_bytes))
}

impl Tree {
    /// Follows the events some way, and writes down what is to be told by webhooks, in the `words` of whoever asks; whether
    /// there may be more. Any number of processes may do that at a time. Costs one read when there is no webhook, and
    /// when nothing has happened.
    pub async fn tell_webhooks(&self, words: impl Fn(&Notice) -> String + Send) -> Result<bool, Error> {
        let Some(found) = self.database.read_long(find).await? else { return Ok(false) };
        let at = self.world.now();
        let told: Vec<(String, Notice)> = found.notices.into_iter().map(|notice| (words(&notice), notice)).collect();
        let (from, to, ended, more) = (found.from, found.to, found.ended, found.more);
        self.database
            .transact("tell webhooks", move |tx| {
                if followed(tx)? != from {
                    // Somebody else was quicker.
                    return Ok(());
                }
                settings::set(tx, FOLLOWED, &to.to_be_bytes())?;
                for (body, notice) in &told {
                    enqueue(tx, notice, body, at)?;
                }
                for webhook in &ended {
                    webhooks::remove(tx, webhook.id)?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        Ok(more)
    }
}

impl Tree {
    /// Removes webhooks whose items went with a folder above them: nothing is told of those. Does nothing while there are
    /// events that were not followed.
    pub async fn remove_lost_webhooks(&self) -> Result<(), Error> {
        self.database
            .transact("remove lost webhooks", |tx| {
                if followed(tx)? == events::last(tx)? {
                    webhooks::remove_lost(tx, BATCH_ROWS_MAX)?;
                }
                Ok(())
            })
            .await
    }
}

/// What follows what has been followed; `None` if nothing does.
fn find(tx: &mut Tx<'_>) -> Result<Option<Found>, Error> {
    if !webhooks::any(tx)? {
        return Ok(None);
    }
    let from = followed(tx)?;
    let page = events::all_after(tx, from, WEBHOOK_EVENTS_AT_ONCE)?;
    let Some(last) = page.last() else { return Ok(None) };
    let mut found = Found {
        from,
        to: last.position,
        notices: Vec::new(),
        ended: Vec::new(),
        more: page.len() >= WEBHOOK_EVENTS_AT_ONCE as usize,
    };
    let (mut of_items, mut minis) = (HashMap::new(), Minis::default());
    for event in page {
        let Some(kind) = event.kind else { continue };
        let trigger = trigger(kind, event.item_kind);
        if trigger.is_none() && kind != EventKind::Purged {
            continue;
        }
        let mut hooks = Vec::new();
        for item in trail(tx, &event)? {
            hooks.extend_from_slice(of_item(tx, &mut of_items, item)?);
        }
        for webhook in hooks.into_iter().filter(|webhook| webhook.since < event.position) {
            let ends = kind == EventKind::Purged && webhook.item == event.item;
            for trigger in trigger.into_iter().chain(ends.then_some(Trigger::WebhookDeleted)) {
                if webhook.triggers.has(trigger)
                    && let Some(item) = shown(tx, &webhook, &event, ends)?
                {
                    let by = minis.find(tx, event.user)?;
                    found.notices.push(Notice { webhook: webhook.clone(), trigger, event: event.clone(), by, item });
                }
            }
            if ends {
                found.ended.push(webhook);
            }
        }
    }
    Ok(Some(found))
}

fn of_item<'k>(
    tx: &mut Tx<'_>,
    known: &'k mut HashMap<ItemId, Vec<Webhook>>,
    item: ItemId,
) -> Result<&'k [Webhook], Error> {
    use std::collections::hash_map::Entry;
    match known.entry(item) {
        Entry::Occupied(there) => Ok(there.into_mut()),
        Entry::Vacant(free) => Ok(free.insert(webhooks::of_item(tx, item, WEBHOOKS_OF_ITEM_MAX)?)),
    }
}

/// The item, and all that it is or was in: from the trash on, where it came from.
fn trail(tx: &mut Tx<'_>, event: &Event) -> Result<Vec<ItemId>, Error> {
    let (mut trail, mut next) = (vec![event.item], event.parent);
    for _ in 0..TRASHED_STEPS_MAX {
        let Some(from) = next.take() else { break };
        let way = ancestors(tx, from)?;
        trail.extend(way.iter().map(|step| step.id).filter(|id| *id != event.item));
        if way.last().is_some_and(|top| top.top == Top::Trash)
            && let Some(trashed) = way.len().checked_sub(2).and_then(|place| way.get(place))
        {
            next = items::by_id(tx, trashed.id)?.and_then(|row| row.trashed_from);
        }
    }
    trail.dedup();
    Ok(trail)
}

/// What whoever made a webhook sees of what has happened; `None` if they may not know of it any more.
fn shown(tx: &mut Tx<'_>, webhook: &Webhook, event: &Event, ends: bool) -> Result<Option<NoticeItem>, Error> {
    let Some(caller) = tokens::caller(tx, webhook.user, Some(webhook.app), Scopes::ALL)? else { return Ok(None) };
    if !caller.scopes.contains(Scopes::READ) {
        return Ok(None);
    }
    // As with events, what one owns one may know of when it is gone, too.
    if !ends && event.owner != webhook.user && !may_know(tx, &caller, webhook.item)? {
        return Ok(None);
    }
    Ok(Some(seen(tx, &caller, event.item)?.map_or(NoticeItem::Gone, |view| NoticeItem::Seen(Arc::new(view)))))
}

fn may_know(tx: &mut Tx<'_>, caller: &Caller, item: ItemId) -> Result<bool, Error> {
    match allow::<See>(tx, caller, item) {
        Ok(_) | Err(Error::Trashed) => Ok(true),
        Err(Error::NotFound | Error::Forbidden) => Ok(false),
        Err(error) => Err(error),
    }
}

fn enqueue(tx: &mut Tx<'_>, notice: &Notice, body: &str, at: Timestamp) -> Result<(), Error> {
    let event = &notice.event;
    let told = Told {
        user: event.user.number(),
        owner: event.owner.number(),
        at: event.at.millis(),
        body: Some(body.to_owned()),
        ..Told::default()
    };
    let new = NewDelivery {
        subscription: SubscriptionId::new(notice.webhook.id.number()),
        topic: event.item.number().rem_euclid(TOPICS),
        wording: Wording::Box,
        target: WEBHOOKS,
        happening: Happening::Other,
        told: &told,
        event: event.id,
        at,
    };
    Ok(deliveries::enqueue(tx, &new)?)
}

/// What of it is told of. Nothing is told of web links.
fn trigger(kind: EventKind, item: Option<Kind>) -> Option<Trigger> {
    let of = |file, folder| match item {
        Some(Kind::File) => Some(file),
        Some(Kind::Folder) => Some(folder),
        Some(Kind::WebLink) | None => None,
    };
    match kind {
        EventKind::Created => of(Trigger::FileUploaded, Trigger::FolderCreated),
        EventKind::VersionAdded | EventKind::VersionPromoted => Some(Trigger::FileUploaded),
        EventKind::Renamed => of(Trigger::FileRenamed, Trigger::FolderRenamed),
        EventKind::Moved => of(Trigger::FileMoved, Trigger::FolderMoved),
        EventKind::Copied => of(Trigger::FileCopied, Trigger::FolderCopied),
        EventKind::Trashed => of(Trigger::FileTrashed, Trigger::FolderTrashed),
        EventKind::Restored => of(Trigger::FileRestored, Trigger::FolderRestored),
        EventKind::Purged => of(Trigger::FileDeleted, Trigger::FolderDeleted),
        EventKind::CollaborationAdded => Some(Trigger::CollaborationCreated),
        EventKind::CollaborationChanged => Some(Trigger::CollaborationUpdated),
        EventKind::CollaborationRemoved => Some(Trigger::CollaborationRemoved),
        EventKind::CollaborationAccepted => Some(Trigger::CollaborationAccepted),
        EventKind::CollaborationRejected => Some(Trigger::CollaborationRejected),
        EventKind::MetadataAdded => Some(Trigger::MetadataCreated),
        EventKind::MetadataChanged => Some(Trigger::MetadataUpdated),
        EventKind::MetadataRemoved => Some(Trigger::MetadataDeleted),
        EventKind::Downloaded => of(Trigger::FileDownloaded, Trigger::FolderDownloaded),
        EventKind::Previewed => Some(Trigger::FilePreviewed),
        EventKind::SharedLinkMade => Some(Trigger::SharedLinkCreated),
        EventKind::SharedLinkChanged => Some(Trigger::SharedLinkUpdated),
        EventKind::SharedLinkRemoved => Some(Trigger::SharedLinkDeleted),
        EventKind::Commented => Some(Trigger::CommentCreated),
        EventKind::CommentChanged => Some(Trigger::CommentUpdated),
        EventKind::CommentRemoved => Some(Trigger::CommentDeleted),
        EventKind::TaskAssigned => Some(Trigger::TaskAssignmentCreated),
        EventKind::TaskAssignmentChanged => Some(Trigger::TaskAssignmentUpdated),
        EventKind::FileLocked => Some(Trigger::FileLocked),
        EventKind::FileUnlocked => Some(Trigger::FileUnlocked),
        EventKind::Described
        | EventKind::VersionRemoved
        | EventKind::VersionRestored
        | EventKind::TaskMade
        | EventKind::TaskChanged
        | EventKind::TaskRemoved
        | EventKind::TaskAssignmentRemoved
        | EventKind::Watermarked
        | EventKind::WatermarkRemoved
        | EventKind::FileRequestMade
        | EventKind::FileRequestChanged
        | EventKind::FileRequestRemoved
        | EventKind::UserMade
        | EventKind::UserChanged
        | EventKind::UserRemoved
        | EventKind::GroupMade
        | EventKind::GroupChanged
        | EventKind::GroupRemoved
        | EventKind::MemberAdded
        | EventKind::MemberChanged
        | EventKind::MemberRemoved
        | EventKind::SignedIn
        | EventKind::SignInFailed
        | EventKind::AppMade => None,
    }
}
