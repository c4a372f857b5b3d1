//! What a user hears of: what happens to their own content, what they do, and what happens to what others share with them.

use crate::grant::{See, SeeTrashed};
use crate::limits::{EVENT_OWNERS_MAX, EVENT_SHARED_ITEMS_MAX, EVENTS_LOOKED_AT_MAX, EVENTS_PAGE_MAX};
use crate::view::{Minis, row, view_row};
use crate::{Caller, Error, ItemView, Tree, UserMini, allow};
use entente_database::events::{self, Event, EventKind, Of};
use entente_database::items::ancestors;
use entente_database::{Tx, collaborations};
use entente_model::{ItemId, Scopes, UserId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What is wanted of a user's events.
#[derive(Debug, Clone, Copy)]
pub struct EventQuery {
    /// After which position; 0 for all that are kept.
    pub after: i64,
    /// How many at most. More than `limits::EVENTS_PAGE_MAX` are as good as that.
    pub limit: u32,
    /// Which kinds.
    pub wants: fn(EventKind) -> bool,
}

/// An event, as somebody sees it who may.
#[derive(Debug, Clone)]
pub struct EventView {
    /// The event.
    pub event: Event,
    /// What has happened.
    pub kind: EventKind,
    /// Who did it.
    pub by: Arc<UserMini>,
    /// The item, if the caller can still see it.
    pub item: Option<Arc<ItemView>>,
}

/// Some events.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// In their order.
    pub entries: Vec<EventView>,
    /// Where to go on: all up to there were seen, though perhaps not shown.
    pub next: i64,
}

impl Tree {
    /// What a user has not seen yet. A page may be short, or empty, and its `next` further on all the same: what others share
    /// is looked through in bounded steps. Events to what the caller owns are shown after the item is gone; others only
    /// while the caller may see the item.
    ///
    /// Of those who share with the caller, the `limits::EVENT_OWNERS_MAX` that did so last are heard of.
    /// `Forbidden` for a credential that may not read.
    pub async fn events(&self, caller: &Caller, query: EventQuery) -> Result<EventPage, Error> {
        check_may_read(caller)?;
        let caller = caller.clone();
        self.database.read_long(move |tx| page(tx, &caller, query)).await
    }

    /// Whether a user might find something after a position. Cheaper than looking, and may be wrong in saying yes.
    pub async fn has_events(&self, user: UserId, after: i64) -> Result<bool, Error> {
        self.database
            .read_long(move |tx| {
                for of in sources(tx, user)? {
                    if !events::after(tx, of, after, 1)?.is_empty() {
                        return Ok(true);
                    }
                }
                Ok(false)
            })
            .await
    }
}

/// `Forbidden` unless the credential is good for reading.
pub(super) fn check_may_read(caller: &Caller) -> Result<(), Error> {
    let may = caller.scopes.contains(Scopes::READ) && caller.through.is_none();
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

/// Whose events a user may find some among.
fn sources(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Of>, Error> {
    let mut owners = vec![user];
    if collaborations::any_with(tx, user)? {
        for item in collaborations::shared_with(tx, user, EVENT_SHARED_ITEMS_MAX)? {
            let owner = ancestors(tx, item)?.last().and_then(|top| top.top_user);
            owners.extend(owner.filter(|owner| !owners.contains(owner)));
            if owners.len() > EVENT_OWNERS_MAX {
                break;
            }
        }
    }
    Ok(owners.into_iter().map(Of::Owner).chain([Of::Doer(user)]).collect())
}

fn page(tx: &mut Tx<'_>, caller: &Caller, query: EventQuery) -> Result<EventPage, Error> {
    let head = events::last(tx)?;
    let limit = query.limit.min(EVENTS_PAGE_MAX) as usize;
    if query.after >= head || limit == 0 {
        return Ok(EventPage { entries: Vec::new(), next: query.after.min(head) });
    }
    let (mut found, mut horizon) = (BTreeMap::new(), head);
    for of in sources(tx, caller.user)? {
        let some = events::after(tx, of, query.after, EVENTS_PAGE_MAX)?;
        if let Some(last) = some.last().filter(|_| some.len() >= EVENTS_PAGE_MAX as usize) {
            horizon = horizon.min(last.position);
        }
        found.extend(some.into_iter().map(|event| (event.position, event)));
    }
    let mut judge = Judge { caller, minis: Minis::default(), known: HashMap::new(), looks: 0 };
    let mut page = EventPage { entries: Vec::new(), next: horizon };
    for (position, event) in found {
        if position > horizon {
            break;
        }
        if judge.looks >= EVENTS_LOOKED_AT_MAX || page.entries.len() >= limit {
            page.next = position - 1;
            break;
        }
        let Some(kind) = event.kind.filter(|kind| (query.wants)(*kind)) else { continue };
        if let Some(view) = judge.view(tx, event, kind)? {
            page.entries.push(view);
        }
    }
    Ok(page)
}

/// Who may see which items; each is asked for once.
struct Judge<'c> {
    caller: &'c Caller,
    minis: Minis,
    known: HashMap<ItemId, Option<Arc<ItemView>>>,
    looks: usize,
}

impl Judge<'_> {
    fn view(&mut self, tx: &mut Tx<'_>, event: Event, kind: EventKind) -> Result<Option<EventView>, Error> {
        let item = match self.known.get(&event.item) {
            Some(known) => known.clone(),
            None => {
                self.looks += 1;
                let seen = seen(tx, self.caller, event.item)?.map(Arc::new);
                self.known.insert(event.item, seen.clone());
                seen
            }
        };
        let is_own = event.owner == self.caller.user && self.caller.confined.is_none();
        if item.is_none() && !is_own {
            return Ok(None);
        }
        let by = self.minis.find(tx, event.user)?;
        Ok(Some(EventView { event, kind, by, item }))
    }
}

/// The item, in its place or in the trash, if the caller may see it.
pub(crate) fn seen(tx: &mut Tx<'_>, caller: &Caller, item: ItemId) -> Result<Option<ItemView>, Error> {
    match allow::<See>(tx, caller, item) {
        Ok(grant) => {
            let found = row(tx, &grant)?;
            return Ok(Some(view_row(tx, &grant, found)?));
        }
        Err(Error::Trashed) => {}
        Err(Error::NotFound | Error::Forbidden) => return Ok(None),
        Err(error) => return Err(error),
    }
    match allow::<SeeTrashed>(tx, caller, item) {
        Ok(grant) => {
            let found = row(tx, &grant)?;
            Ok(Some(view_row(tx, &grant, found)?))
        }
        Err(Error::NotFound | Error::Forbidden | Error::Trashed) => Ok(None),
        Err(error) => Err(error),
    }
}
