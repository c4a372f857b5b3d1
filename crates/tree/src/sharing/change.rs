//! A role is changed, accepted, refused or taken away.

use super::{CollaborationStatus, CollaborationView, Collaborator, Part, is_own, known, manages, view};
use crate::allowlist::{check_inbound, check_outbound};
use crate::grant::See;
use crate::terms::required;
use crate::view::Minis;
use crate::{Caller, Error, Kind, Tree, UserKind};
use entente_database::events::EventKind;
use entente_database::{Tx, collaborations, items, users};
use entente_model::{CollaborationId, ItemId, Role, Scopes, Timestamp};

/// What of a collaboration is to change; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CollaborationChange {
    /// Another role.
    pub role: Option<Role>,
    /// What its user says to it: only they, and only once, of what is pending.
    pub status: Option<CollaborationStatus>,
    /// Whether the collaborator sees what is above the item.
    pub sees_path: Option<bool>,
    /// Another end; `Some(None)` for none.
    pub expires_at: Option<Option<Timestamp>>,
}

impl Tree {
    /// A collaboration that the caller may know of: one of their own, or one on an item that they see, unless only those
    /// who manage the item see its collaborators. `NotFound` otherwise.
    pub async fn collaboration(&self, caller: &Caller, id: CollaborationId) -> Result<CollaborationView, Error> {
        self.database.read(|tx| {
            let (found, _) = known::<See>(tx, caller, id)?;
            view(tx, caller, &mut Minis::default(), found)
        })
    }

    /// Changes a collaboration.
    ///
    /// `NotFound` as for [`Tree::collaboration`]; `Forbidden` for who does not manage the item, and to say something to an
    /// invitation of somebody else's, or to accept what a list of allowed domains does not let; `TermsRequired`; `Invalid`
    /// when it was answered already, or the change cannot be.
    pub async fn change_collaboration(
        &self,
        caller: &Caller,
        id: CollaborationId,
        change: CollaborationChange,
    ) -> Result<CollaborationView, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("change collaboration", move |tx| {
                let (mut row, part) = known::<See>(tx, &caller, id)?;
                let before = row.clone();
                if let Some(status) = change.status.filter(|status| *status != row.status) {
                    if !is_own(&caller, &row.with) || !caller.scopes.contains(Scopes::CHANGE) {
                        return Err(Error::Forbidden);
                    }
                    if row.status != CollaborationStatus::Pending {
                        return Err(Error::Invalid("the invitation has been answered already"));
                    }
                    if status == CollaborationStatus::Accepted {
                        check_may_accept(tx, &caller, row.item)?;
                    }
                    row.status = status;
                    row.acknowledged_at = Some(stamp.at);
                }
                let CollaborationChange { role, sees_path, expires_at, .. } = change;
                if role.is_some() || sees_path.is_some() || expires_at.is_some() {
                    if !manages(tx, &caller, row.item)? {
                        return Err(Error::Forbidden);
                    }
                    let sees_all = matches!(&part, Part::Item(grant) if grant.sees_all_above());
                    if sees_path == Some(true) && !row.sees_path && !sees_all {
                        return Err(Error::Forbidden);
                    }
                    row.role = role.unwrap_or(row.role);
                    row.sees_path = sees_path.unwrap_or(row.sees_path);
                    row.expires_at = expires_at.unwrap_or(row.expires_at);
                    let on_file = matches!(&part, Part::Item(grant) if grant.item().kind != Kind::Folder);
                    if row.sees_path && on_file {
                        return Err(Error::Invalid("the path can only be shown to collaborators of folders"));
                    }
                    if row.expires_at != before.expires_at && row.expires_at.is_some_and(|at| at <= stamp.at) {
                        return Err(Error::Invalid("a collaboration cannot end in the past"));
                    }
                }
                if row != before {
                    row.modified_at = stamp.at;
                    collaborations::update(tx, &row)?;
                    let kind = match (row.status == before.status, row.status) {
                        (false, CollaborationStatus::Accepted) => EventKind::CollaborationAccepted,
                        (false, CollaborationStatus::Rejected) => EventKind::CollaborationRejected,
                        _ => EventKind::CollaborationChanged,
                    };
                    stamp.record(tx, &caller, kind, row.item, None)?;
                }
                view(tx, &caller, &mut Minis::default(), row)
            })
            .await
    }

    /// Takes a role away: whoever manages the item, and everybody their own. Errors as for
    /// [`Tree::change_collaboration`].
    pub async fn remove_collaboration(&self, caller: &Caller, id: CollaborationId) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("remove collaboration", move |tx| {
                let (row, _) = known::<See>(tx, &caller, id)?;
                let leaves = row.with == Collaborator::User(caller.user) && caller.scopes.contains(Scopes::CHANGE);
                if !leaves && !manages(tx, &caller, row.item)? {
                    return Err(Error::Forbidden);
                }
                collaborations::remove(tx, id)?;
                stamp.record(tx, &caller, EventKind::CollaborationRemoved, row.item, None)
            })
            .await
    }
}

/// What may stand between somebody from outside and a role: the lists of either enterprise, and terms of the owner's.
fn check_may_accept(tx: &mut Tx<'_>, caller: &Caller, item: ItemId) -> Result<(), Error> {
    let way = items::ancestors(tx, item)?;
    let Some(owner) = way.last().and_then(|top| top.top_user) else { return Ok(()) };
    let (Some(owner), Some(user)) = (users::by_id(tx, owner)?, users::by_id(tx, caller.user)?) else {
        return Err(Error::NotFound);
    };
    if user.enterprise != owner.enterprise || user.kind == UserKind::External {
        check_inbound(tx, owner.enterprise, &[owner.id], &user.login)?;
    }
    check_outbound(tx, &user, &owner)?;
    match required(tx, user.id, &owner)? {
        Some((_, false)) => Err(Error::TermsRequired),
        Some((_, true)) | None => Ok(()),
    }
}
