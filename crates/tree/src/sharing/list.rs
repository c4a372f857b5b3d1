//! Collaborations of an item, of a group, and those that wait for the caller.

use super::{CollaborationStatus, CollaborationView, Collaborator, sees_others, view};
use crate::grant::See;
use crate::limits::{COLLABORATIONS_PAGE_MAX, OFFSET_MAX};
use crate::users::administers;
use crate::view::Minis;
use crate::{Caller, Error, Kind, Tree, allow};
use entente_database::collaborations::{self, Collaboration};
use entente_database::{groups, memberships};
use entente_model::{CollaborationId, GroupId, ItemId, Scopes};

/// A page of collaborations.
#[derive(Debug, Clone)]
pub struct CollaborationPage {
    /// Oldest first.
    pub entries: Vec<CollaborationView>,
    /// How many there are in all; unknown of an item's.
    pub total_count: Option<u64>,
    /// After which the next page begins; `None` if there is none, and for pages by offset.
    pub next: Option<CollaborationId>,
}

impl Tree {
    /// A page of the collaborations on an item of that kind itself. `NotFound`, `Trashed` and `Forbidden` speak of the
    /// item; to who does not manage it, and may not see others, only their own is shown.
    pub async fn collaborations_of_item(
        &self,
        caller: &Caller,
        (item, kind): (ItemId, Kind),
        after: Option<CollaborationId>,
        limit: u32,
    ) -> Result<CollaborationPage, Error> {
        let (caller, limit) = (caller.clone(), limit.clamp(1, COLLABORATIONS_PAGE_MAX));
        self.database
            .read_long(move |tx| {
                let grant = allow::<See>(tx, &caller, item)?.of(kind)?;
                let (found, next) = if sees_others(tx, &grant)? {
                    let mut found = collaborations::of_item(tx, item, after, limit.saturating_add(1))?;
                    let more = found.len() > limit as usize;
                    found.truncate(limit as usize);
                    let next = found.last().filter(|_| more).map(|last| last.id);
                    (found, next)
                } else {
                    let own = collaborations::of(tx, item, &Collaborator::User(caller.user))?;
                    (own.into_iter().filter(|own| after.is_none_or(|after| own.id > after)).collect(), None)
                };
                let mut minis = Minis::default();
                let entries =
                    found.into_iter().map(|one| view(tx, &caller, &mut minis, one)).collect::<Result<_, _>>()?;
                Ok(CollaborationPage { entries, total_count: None, next })
            })
            .await
    }

    /// A page of the caller's own collaborations that wait for an answer. `Forbidden` without the scope to read, and with a
    /// credential that is confined to an item.
    pub async fn pending_collaborations(
        &self,
        caller: &Caller,
        offset: u32,
        limit: u32,
    ) -> Result<CollaborationPage, Error> {
        if !caller.scopes.contains(Scopes::READ) || caller.confined.is_some() {
            return Err(Error::Forbidden);
        }
        let (caller, limit) = (caller.clone(), limit.min(COLLABORATIONS_PAGE_MAX));
        self.database
            .read_long(move |tx| {
                let pending = CollaborationStatus::Pending;
                let total = collaborations::count_of_user(tx, caller.user, pending)?;
                let offset = offset.min(OFFSET_MAX);
                let found = collaborations::of_user(tx, caller.user, pending, offset, limit)?;
                page(tx, &caller, found, total)
            })
            .await
    }

    /// A page of a group's collaborations: for who administers users, and for its members. `NotFound` for others.
    pub async fn collaborations_of_group(
        &self,
        caller: &Caller,
        group: GroupId,
        offset: u32,
        limit: u32,
    ) -> Result<CollaborationPage, Error> {
        if !caller.scopes.contains(Scopes::READ) || caller.confined.is_some() {
            return Err(Error::Forbidden);
        }
        let (caller, limit) = (caller.clone(), limit.min(COLLABORATIONS_PAGE_MAX));
        self.database
            .read_long(move |tx| {
                let found = groups::by_id(tx, group)?.filter(|found| found.enterprise == caller.enterprise);
                found.ok_or(Error::NotFound)?;
                if !administers(&caller) && memberships::role_of(tx, group, caller.user)?.is_none() {
                    return Err(Error::NotFound);
                }
                let total = collaborations::count_of_group(tx, group)?;
                let found = collaborations::of_group(tx, group, offset.min(OFFSET_MAX), limit)?;
                page(tx, &caller, found, total)
            })
            .await
    }
}

fn page(
    tx: &mut entente_database::Tx<'_>,
    caller: &Caller,
    found: Vec<Collaboration>,
    total: u64,
) -> Result<CollaborationPage, Error> {
    let mut minis = Minis::default();
    let entries = found.into_iter().map(|one| view(tx, caller, &mut minis, one)).collect::<Result<_, _>>()?;
    Ok(CollaborationPage { entries, total_count: Some(total), next: None })
}
