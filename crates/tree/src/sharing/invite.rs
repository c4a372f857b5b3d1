//! A role is given.

use super::letter::enqueue;
use super::{Collaboration, CollaborationStatus, CollaborationView, Collaborator, settings_along, view};
use crate::allowlist::{check_inbound, check_outbound};
use crate::grant::{Grant, Invite};
use crate::groups::check_may_invite;
use crate::limits::COLLABORATIONS_MAX;
use crate::users::check_full_seat;
use crate::view::Minis;
use crate::{Caller, Error, Kind, Tree, User, UserKind, UserStatus, allow};
use entente_database::collaborations::INVITATIONS_MAX;
use entente_database::events::EventKind;
use entente_database::users::UserSettings;
use entente_database::{ErrorKind, Tx, collaborations, paths, users};
use entente_model::{CollaborationId, GroupId, ItemId, JobId, Rights, Role, Timestamp, UserId, fold};

/// Who is to have a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invitee {
    /// A user.
    User(UserId),
    /// The user with that login, or whoever becomes it.
    Login(String),
    /// A group.
    Group(GroupId),
}

/// A role to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCollaboration {
    /// On which item: a folder or a file.
    pub item: ItemId,
    /// To whom.
    pub invitee: Invitee,
    /// Which.
    pub role: Role,
    /// Whether the collaborator sees what is above the item, by name. Only for folders, and only whoever manages the
    /// folder may say so.
    pub sees_path: bool,
    /// Whether the item stays out of the listing of the collaborator's root.
    pub access_only: bool,
    /// When it is to end by itself, if it is. A job sees to that, within a minute.
    pub expires_at: Option<Timestamp>,
}

impl Tree {
    /// Gives a role on an item.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the item; `NotFound` also of a user or group whom the caller may not
    /// know; `Forbidden` also for somebody from outside whom a list of allowed domains does not let. `Forbidden` when the caller may not invite, or not to that role, or has a frontline
    /// seat. `AlreadyCollaborator` when they have a role
    /// on the item, or own it. `Invalid` when it cannot be given, or there are `limits::COLLABORATIONS_MAX`.
    pub async fn invite(&self, caller: &Caller, new: NewCollaboration) -> Result<CollaborationView, Error> {
        self.give_role(caller, new, None).await
    }

    /// The same, and they are written a letter, if they read letters: see [`Tree::invitation_letter`].
    pub async fn invite_by_letter(&self, caller: &Caller, new: NewCollaboration) -> Result<CollaborationView, Error> {
        self.give_role(caller, new, Some(JobId::new(self.world.next_id()))).await
    }

    async fn give_role(
        &self,
        caller: &Caller,
        new: NewCollaboration,
        letter: Option<JobId>,
    ) -> Result<CollaborationView, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        let id = CollaborationId::new(self.world.next_id());
        self.database
            .transact("invite", move |tx| {
                let grant = allow::<Invite>(tx, &caller, new.item)?;
                check_full_seat(tx, &caller)?;
                check(tx, &grant, &new, stamp.at)?;
                let (with, status) = resolve(tx, &caller, &grant, &new.invitee)?;
                if with == Collaborator::User(grant.owner()) || collaborations::of(tx, new.item, &with)?.is_some() {
                    return Err(Error::AlreadyCollaborator);
                }
                if let Collaborator::Invited(address) = &with
                    && collaborations::count_of_address(tx, address)? >= u64::from(INVITATIONS_MAX)
                {
                    return Err(Error::Invalid("the address is invited to as many items as it can be"));
                }
                if collaborations::count_of_item(tx, new.item)? >= COLLABORATIONS_MAX {
                    return Err(Error::Invalid("the item has as many collaborators as it can have"));
                }
                let row = Collaboration {
                    id,
                    item: new.item,
                    with,
                    role: new.role,
                    status,
                    sees_path: new.sees_path,
                    access_only: new.access_only,
                    created_by: caller.user,
                    created_at: stamp.at,
                    modified_at: stamp.at,
                    acknowledged_at: (status == CollaborationStatus::Accepted).then_some(stamp.at),
                    expires_at: new.expires_at,
                };
                if grant.item().implied {
                    // It would go with the last item below it, and the role with it.
                    paths::make_explicit(tx, new.item)?;
                }
                match collaborations::insert(tx, &row) {
                    Err(error) if error.kind == ErrorKind::Duplicate => return Err(Error::AlreadyCollaborator),
                    outcome => outcome?,
                }
                stamp.record(tx, &caller, EventKind::CollaborationAdded, new.item, None)?;
                if let Some(job) = letter.filter(|_| !matches!(row.with, Collaborator::Group(_))) {
                    enqueue(tx, job, id, stamp)?;
                }
                view(tx, &caller, &mut Minis::default(), row)
            })
            .await
    }
}

/// Checks what does not depend on whom.
fn check(tx: &mut Tx<'_>, grant: &Grant<Invite>, new: &NewCollaboration, now: Timestamp) -> Result<(), Error> {
    let manages = grant.rights().contains(Rights::MANAGE);
    let is_folder = grant.item().kind == Kind::Folder;
    if !is_folder && grant.item().kind != Kind::File {
        return Err(Error::Invalid("only files and folders have collaborators"));
    }
    if new.sees_path && !is_folder {
        return Err(Error::Invalid("the path can only be shown to collaborators of folders"));
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::Invalid("a collaboration cannot end in the past"));
    }
    if new.sees_path && !grant.sees_all_above() {
        // Nobody shows what they do not see.
        return Err(Error::Forbidden);
    }
    let reserved = new.role == Role::CoOwner || new.sees_path || !settings_along(tx, grant)?.others_invite;
    if reserved && !manages { Err(Error::Forbidden) } else { Ok(()) }
}

/// Who it is, and whether the role counts at once: that of the owner's colleagues does, anybody else accepts it first.
fn resolve(
    tx: &mut Tx<'_>,
    caller: &Caller,
    grant: &Grant<Invite>,
    invitee: &Invitee,
) -> Result<(Collaborator, CollaborationStatus), Error> {
    let owner = users::by_id(tx, grant.owner())?.ok_or(Error::internal("an owner is not there"))?;
    let (user, login) = match invitee {
        Invitee::Group(group) if caller.enterprise == owner.enterprise => {
            check_may_invite(tx, caller, *group)?;
            return Ok((Collaborator::Group(*group), CollaborationStatus::Accepted));
        }
        Invitee::Group(_) => return Err(Error::NotFound),
        // By their ids nobody finds users of another enterprise.
        Invitee::User(user) => (users::by_id(tx, *user)?.filter(|user| user.enterprise == owner.enterprise), None),
        Invitee::Login(login) => (users::by_login(tx, login)?, Some(login)),
    };
    let is_colleague = |user: &User| user.enterprise == owner.enterprise && user.kind != UserKind::External;
    if let Some(user) = user.as_ref().filter(|user| is_colleague(user)) {
        let is_active = user.status != UserStatus::Inactive;
        let with = Collaborator::User(user.id);
        return if is_active { Ok((with, CollaborationStatus::Accepted)) } else { Err(Error::NotFound) };
    }
    if user.is_none() && login.is_none() {
        return Err(Error::NotFound);
    }
    // From here on it is somebody from outside.
    let inviter = users::by_id(tx, caller.user)?.ok_or(Error::NotFound)?;
    let stays_inside = |user: &User| user.settings.has(UserSettings::EXTERNAL_COLLAB_RESTRICTED);
    if settings_along(tx, grant)?.enterprise_only || [&owner, &inviter].into_iter().any(stays_inside) {
        return Err(Error::Forbidden);
    }
    match (&user, login) {
        (Some(user), _) => check_inbound(tx, owner.enterprise, &[owner.id, inviter.id], &user.login)?,
        (None, Some(login)) => check_inbound(tx, owner.enterprise, &[owner.id, inviter.id], login)?,
        (None, None) => {}
    }
    if let Some(user) = &user {
        check_outbound(tx, user, &owner)?;
    }
    match (user, login) {
        (Some(user), _) if stays_inside(&user) => Err(Error::Forbidden),
        (Some(user), _) => Ok((Collaborator::User(user.id), CollaborationStatus::Pending)),
        (None, Some(login)) => Ok((Collaborator::Invited(fold(login)), CollaborationStatus::Pending)),
        (None, None) => Err(Error::NotFound),
    }
}
