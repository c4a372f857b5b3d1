//! What happens in an enterprise, for those who administer it.

use super::stream::check_may_read;
use crate::limits::{EVENTS_LOOKED_AT_MAX, EVENTS_PAGE_MAX};
use crate::view::Minis;
use crate::{Caller, Error, Tree, UserMini};
use entente_database::Tx;
use entente_database::events::{self, Event, EventKind, Of};
use entente_model::{Scopes, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// By how much events with neighbouring positions may differ in time: as long as a transaction may take, and clocks of
/// nodes may differ, amply.
const DISORDER: Duration = Duration::from_secs(10 * 60);

/// What is wanted of an enterprise's events.
#[derive(Debug, Clone, Default)]
pub struct EnterpriseEventQuery {
    /// After which position; 0 for all that are kept.
    pub after: i64,
    /// How many at most. More than `limits::EVENTS_PAGE_MAX` are as good as that.
    pub limit: u32,
    /// Which kinds; all without it.
    pub kinds: Option<Vec<EventKind>>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// An event, as those see it who administer.
#[derive(Debug, Clone)]
pub struct EnterpriseEvent {
    /// The event.
    pub event: Event,
    /// What has happened.
    pub kind: EventKind,
    /// Who did it.
    pub by: Arc<UserMini>,
    /// Whose content it is.
    pub owner: Arc<UserMini>,
}

/// Some events.
#[derive(Debug, Clone)]
pub struct EnterpriseEventPage {
    /// In their order.
    pub entries: Vec<EnterpriseEvent>,
    /// Where to go on: all up to there were seen, though perhaps not wanted.
    pub next: i64,
}

impl Tree {
    /// What has happened to what the users of the caller's enterprise own. A page may be short, or empty, and its `next`
    /// further on all the same. `Forbidden` unless the caller administers the enterprise.
    pub async fn enterprise_events(
        &self,
        caller: &Caller,
        query: EnterpriseEventQuery,
    ) -> Result<EnterpriseEventPage, Error> {
        check_may_read(caller)?;
        if !caller.role.administers() || !caller.scopes.contains(Scopes::ADMINISTER) || caller.confined.is_some() {
            return Err(Error::Forbidden);
        }
        let enterprise = caller.enterprise;
        self.database
            .read_long(move |tx| {
                let head = events::last(tx)?;
                let limit = query.limit.min(EVENTS_PAGE_MAX) as usize;
                let mut after = query.after;
                if let Some(from) = query.from {
                    // Nothing from then on stands before what was a while earlier.
                    let Some(first) = events::first_since(tx, from.before(DISORDER))? else {
                        return Ok(EnterpriseEventPage { entries: Vec::new(), next: head });
                    };
                    after = after.max(first - 1);
                }
                if after >= head || limit == 0 {
                    return Ok(EnterpriseEventPage { entries: Vec::new(), next: after.min(head) });
                }
                let looked = u32::try_from(EVENTS_LOOKED_AT_MAX).unwrap_or(EVENTS_PAGE_MAX);
                let found = events::after(tx, Of::Enterprise(enterprise), after, looked)?;
                let is_all = found.len() < EVENTS_LOOKED_AT_MAX;
                let end = if is_all { head } else { found.last().map_or(head, |event| event.position) };
                let mut page = EnterpriseEventPage { entries: Vec::new(), next: end };
                let mut minis = Minis::default();
                for event in found {
                    if page.entries.len() >= limit {
                        page.next = event.position - 1;
                        break;
                    }
                    let Some(kind) = wanted(&query, &event) else { continue };
                    page.entries.push(view(tx, &mut minis, event, kind)?);
                }
                Ok(page)
            })
            .await
    }
}

fn wanted(query: &EnterpriseEventQuery, event: &Event) -> Option<EventKind> {
    let in_time = query.from.is_none_or(|from| event.at >= from) && query.until.is_none_or(|until| event.at < until);
    event.kind.filter(|kind| in_time && query.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind)))
}

fn view(tx: &mut Tx<'_>, minis: &mut Minis, event: Event, kind: EventKind) -> Result<EnterpriseEvent, Error> {
    let (by, owner) = (minis.find(tx, event.user)?, minis.find(tx, event.owner)?);
    Ok(EnterpriseEvent { event, kind, by, owner })
}
