//! Collaborations: who else may do what with an item and with everything below it.
//!
//! The roles that somebody has along the way from an item to its top are taken together; none takes anything away. A role
//! of a group is each of its members'. Somebody of the same enterprise has a role as soon as it is given; whoever comes
//! from outside accepts it first, and whoever is not a user yet has it once they are.

mod change;
mod entries;
mod expire;
mod invite;
mod letter;
mod list;
mod settings;

pub use change::CollaborationChange;
pub use entente_database::collaborations::{Collaboration, CollaborationStatus, Collaborator};
pub use entente_database::folder_settings::FolderSettings;
pub(crate) use entries::{Entries, by_name, sorted};
pub use expire::EXPIRE_COLLABORATIONS_JOB;
pub use invite::{Invitee, NewCollaboration};
pub use letter::{INVITATION_LETTER_JOB, InvitationLetter};
pub use list::CollaborationPage;
pub use settings::{FolderSettingsChange, ItemSharing};

use crate::grant::{Act, Grant, Manage, See};
use crate::terms::required;
use crate::view::{Minis, row, view_row};
use crate::{Caller, Error, ItemView, UserMini, allow};
use entente_database::{Tx, collaborations, folder_settings, groups, items, users};
use entente_model::{CollaborationId, ItemId, Rights, TermsId, UserId};
use std::sync::Arc;

/// A collaboration, and what is shown with it.
#[derive(Debug, Clone)]
pub struct CollaborationView {
    /// Its row.
    pub collaboration: Collaboration,
    /// The item; `None` while a collaborator has not accepted it, or to whom may not see it.
    pub item: Option<ItemView>,
    /// To whom the role was given.
    pub with: CollaboratorView,
    /// Who gave it.
    pub created_by: Arc<UserMini>,
    /// The terms of service that its user has to accept before it, if any, and whether they have.
    pub terms: Option<(TermsId, bool)>,
}

/// To whom a role was given, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollaboratorView {
    /// A user.
    User(Arc<UserMini>),
    /// A group: its id is in the row.
    Group {
        /// What people call it.
        name: String,
    },
    /// Nobody yet: whoever becomes a user with this login.
    Invited {
        /// Folded.
        login: String,
    },
}

/// What the caller may do with a collaboration.
enum Part<A> {
    /// It is on an item with which they may do `A`.
    Item(Box<Grant<A>>),
    /// It is their own, and they may know of no item (yet).
    Own,
}

/// The collaboration with that id, and what the caller has to do with it. `NotFound` if that is nothing.
fn known<A: Act>(tx: &mut Tx<'_>, caller: &Caller, id: CollaborationId) -> Result<(Collaboration, Part<A>), Error> {
    let found = collaborations::by_id(tx, id)?.ok_or(Error::NotFound)?;
    // What a credential is confined to is an item: apart from that it is nobody's.
    let own = found.with == Collaborator::User(caller.user) && caller.confined.is_none();
    match allow::<A>(tx, caller, found.item) {
        Ok(grant) if own || sees_others(tx, &grant)? => Ok((found, Part::Item(Box::new(grant)))),
        Ok(_) => Err(Error::NotFound),
        Err(Error::NotFound | Error::Trashed | Error::Forbidden) if own => Ok((found, Part::Own)),
        Err(error) => Err(error),
    }
}

/// The collaboration with that id, if the caller may know of it.
pub(crate) fn known_collaboration(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: CollaborationId,
) -> Result<Collaboration, Error> {
    known::<See>(tx, caller, id).map(|(found, _)| found)
}

/// Whether a caller may know who else has a role on the item.
fn sees_others<A>(tx: &mut Tx<'_>, grant: &Grant<A>) -> Result<bool, Error> {
    Ok(grant.rights().contains(Rights::MANAGE) || settings_along(tx, grant)?.others_see_each_other)
}

/// What holds for an item by the settings of everything on its way: the strictest.
fn settings_along<A>(tx: &mut Tx<'_>, grant: &Grant<A>) -> Result<FolderSettings, Error> {
    let way: Vec<ItemId> = [grant.item()].into_iter().chain(grant.above()).map(|step| step.id).collect();
    let found = folder_settings::of_some(tx, &way)?;
    Ok(found.into_iter().fold(FolderSettings::USUAL, |strictest, (_, one)| FolderSettings {
        others_invite: strictest.others_invite && one.others_invite,
        others_see_each_other: strictest.others_see_each_other && one.others_see_each_other,
        enterprise_only: strictest.enterprise_only || one.enterprise_only,
    }))
}

/// What is shown of a collaboration.
fn view(
    tx: &mut Tx<'_>,
    caller: &Caller,
    minis: &mut Minis,
    collaboration: Collaboration,
) -> Result<CollaborationView, Error> {
    let item = match allow::<See>(tx, caller, collaboration.item) {
        Ok(grant) => {
            let row = row(tx, &grant)?;
            Some(view_row(tx, &grant, row)?)
        }
        Err(Error::NotFound | Error::Trashed | Error::Forbidden) => None,
        Err(error) => return Err(error),
    };
    let with = match &collaboration.with {
        Collaborator::User(user) => {
            let mini = minis.find(tx, *user)?;
            // Who has not accepted is known by nothing but the address that was typed.
            let is_known = collaboration.status == CollaborationStatus::Accepted || *user == caller.user;
            CollaboratorView::User(if is_known {
                mini
            } else {
                Arc::new(UserMini { name: String::new(), ..(*mini).clone() })
            })
        }
        Collaborator::Group(group) => {
            CollaboratorView::Group { name: groups::by_id(tx, *group)?.map(|group| group.name).unwrap_or_default() }
        }
        Collaborator::Invited(login) => CollaboratorView::Invited { login: login.clone() },
    };
    let created_by = minis.find(tx, collaboration.created_by)?;
    let terms = terms_of(tx, &collaboration)?;
    Ok(CollaborationView { collaboration, item, with, created_by, terms })
}

/// The terms that stand before a role that has not been accepted yet.
fn terms_of(tx: &mut Tx<'_>, collaboration: &Collaboration) -> Result<Option<(TermsId, bool)>, Error> {
    let Collaborator::User(user) = collaboration.with else { return Ok(None) };
    if collaboration.status != CollaborationStatus::Pending {
        return Ok(None);
    }
    let way = items::ancestors(tx, collaboration.item)?;
    let owner = way.last().and_then(|top| top.top_user).map(|owner| users::by_id(tx, owner)).transpose()?.flatten();
    owner.map_or(Ok(None), |owner| required(tx, user, &owner))
}

/// Whether the caller manages the item; `NotFound` if they may not know of it.
fn manages(tx: &mut Tx<'_>, caller: &Caller, item: ItemId) -> Result<bool, Error> {
    match allow::<Manage>(tx, caller, item) {
        Ok(_) => Ok(true),
        Err(Error::Forbidden) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the user is the caller.
fn is_own(caller: &Caller, with: &Collaborator) -> bool {
    let user: UserId = caller.user;
    *with == Collaborator::User(user)
}
