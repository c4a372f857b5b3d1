//! Events get their positions, and those who wait hear of it.

use crate::limits::{BATCH_ROWS_MAX, EVENTS_PLACED_MAX};
use crate::{Error, Tree};
use entente_database::events::{self, Placing, Unplaced};
use entente_database::items::ancestors;
use entente_database::{Tx, users};
use entente_model::{EnterpriseId, ItemId, Timestamp, UserId};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks of one who waits.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// The kind of the job that removes old events.
pub const REMOVE_EVENTS_JOB: &str = "remove old events";

/// The last position that this process knows of, for those who wait for a later one. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Heads(watch::Sender<i64>);

impl Default for Heads {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Heads {
    /// Hears of each later position.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<i64> {
        self.0.subscribe()
    }

    /// Nobody waits any longer: the process stops.
    pub fn end(&self) {
        self.reached(i64::MAX);
    }

    fn reached(&self, last: i64) {
        self.0.send_if_modified(|known| {
            let is_later = last > *known;
            *known = last.max(*known);
            is_later
        });
    }
}

impl Tree {
    /// Gives positions to up to `limits::EVENTS_PLACED_MAX` events that have none; whether there may be more. Any number of
    /// processes may do that at a time: one of them has its way, and the others do nothing. Costs one read when there is
    /// nothing to be done.
    pub async fn place_events(&self) -> Result<bool, Error> {
        let (last, placing) = self.database.read_long(unplaced).await?;
        self.heads.reached(last);
        if placing.is_empty() {
            return Ok(false);
        }
        let more = placing.len() >= EVENTS_PLACED_MAX as usize;
        let given = self.database.transact("place events", move |tx| events::place(tx, last, &placing)).await?;
        match given {
            Some(reached) => {
                self.heads.reached(reached);
                Ok(more)
            }
            // Somebody else has placed some of them.
            None => Ok(true),
        }
    }

    /// The last position that was given; 0 before the first.
    pub async fn last_event(&self) -> Result<i64, Error> {
        Ok(self.database.read(events::last)?)
    }

    /// What hears of later positions in this process.
    #[must_use]
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Waits until there may be something for a user after a position, or for that long; whether there is. Each further look
    /// takes a second at least. Nobody waits once [`Heads::end`] was called.
    pub async fn wait_for_events(&self, user: UserId, after: i64, span: Duration) -> Result<bool, Error> {
        let mut heads = self.heads.subscribe();
        let mut nothing_until = after;
        let end = self.world.instant() + span;
        loop {
            let head = *heads.borrow_and_update();
            if head == i64::MAX {
                return Ok(false);
            }
            if head > nothing_until {
                if self.has_events(user, nothing_until).await? {
                    return Ok(true);
                }
                nothing_until = head;
                self.world.sleep(LOOK_PAUSE).await;
            }
            let left = end.saturating_duration_since(self.world.instant());
            tokio::select! {
                changed = heads.changed() => if changed.is_err() { return Ok(false) },
                () = self.world.sleep(left) => return Ok(false),
            }
        }
    }

    /// Removes some events that happened before a moment; whether there may be more. What has no position yet stays.
    pub async fn remove_events(&self, before: Timestamp) -> Result<bool, Error> {
        let remove = move |tx: &mut Tx<'_>| events::remove_old(tx, before, BATCH_ROWS_MAX);
        Ok(self.database.transact("remove old events", remove).await?)
    }
}

/// The last position, and what is to be placed after it.
fn unplaced(tx: &mut Tx<'_>) -> Result<(i64, Vec<Placing>), Error> {
    let last = events::last(tx)?;
    let found = events::unplaced(tx, EVENTS_PLACED_MAX)?;
    let (mut owners, mut enterprises) = (HashMap::new(), HashMap::new());
    let mut placing = Vec::with_capacity(found.len());
    for event in found {
        if !event.of_item {
            // It is of whom it says, whoever did it.
            placing.push(Placing { id: event.id, owner: event.user, enterprise: event.enterprise });
            continue;
        }
        let owner = owner(tx, &mut owners, &event)?;
        let enterprise = enterprise(tx, &mut enterprises, owner)?.unwrap_or(event.enterprise);
        placing.push(Placing { id: event.id, owner, enterprise });
    }
    Ok((last, placing))
}

/// Whose the item is, by the folder that it was in, which many have in common. If nobody knows any more, it was the one's
/// who did it: only owners remove for good.
fn owner(tx: &mut Tx<'_>, known: &mut HashMap<ItemId, UserId>, event: &Unplaced) -> Result<UserId, Error> {
    let by = event.parent.unwrap_or(event.item);
    if let Some(owner) = known.get(&by) {
        return Ok(*owner);
    }
    let mut way = ancestors(tx, by)?;
    if way.is_empty() && by != event.item {
        way = ancestors(tx, event.item)?;
    }
    let owner = way.last().and_then(|top| top.top_user).unwrap_or(event.user);
    known.insert(by, owner);
    Ok(owner)
}

fn enterprise(
    tx: &mut Tx<'_>,
    known: &mut HashMap<UserId, Option<EnterpriseId>>,
    owner: UserId,
) -> Result<Option<EnterpriseId>, Error> {
    if let Some(enterprise) = known.get(&owner) {
        return Ok(*enterprise);
    }
    let enterprise = users::by_id(tx, owner)?.map(|user| user.enterprise);
    known.insert(owner, enterprise);
    Ok(enterprise)
}
