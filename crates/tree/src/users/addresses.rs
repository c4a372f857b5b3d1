//! Other addresses of users, and invites to users from outside.

use super::{administers, is_above, is_plain, seen};
use crate::{Caller, Error, Tree, UserKind, UserMini};
use entente_database::aliases::{self, ALIASES_MAX, Alias};
use entente_database::invites::{self, Invite, InviteStatus};
use entente_database::{Tx, collaborations, enterprises, users};
use entente_model::{AliasId, EnterpriseId, InviteId, UserId};

/// An invite with who is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteView {
    /// The invite.
    pub invite: Invite,
    /// What people call the enterprise.
    pub enterprise_name: String,
    /// Who was asked.
    pub user: UserMini,
    /// Who has asked.
    pub invited_by: UserMini,
}

impl Tree {
    /// All other addresses of a user, the oldest first. `NotFound` as for [`Tree::user`].
    pub async fn aliases(&self, caller: &Caller, user: UserId) -> Result<Vec<Alias>, Error> {
        self.database.read(|tx| {
            seen(tx, caller, user)?;
            Ok(aliases::of_user(tx, user)?)
        })
    }

    /// Gives a user another address, which is taken to be theirs, with the roles to which it was invited: whoever administers
    /// users says so.
    ///
    /// `NotFound` as for [`Tree::user`]; `Forbidden` for who does not administer users, or for a user whose role is
    /// above theirs; `LoginInUse` when the address is the login of anybody or another address of anybody; `Invalid`,
    /// also when the user has `entente_database::aliases::ALIASES_MAX` already.
    pub async fn add_alias(&self, caller: &Caller, user: UserId, email: String) -> Result<Alias, Error> {
        let caller = caller.clone();
        let new = Alias { id: AliasId::new(self.world.next_id()), user, email, created_at: self.world.now() };
        self.database
            .transact("add email alias", move |tx| {
                check_above(tx, &caller, user)?;
                if new.email.trim().is_empty() || !is_plain(&new.email) {
                    return Err(Error::Invalid("an alias is a mail address"));
                }
                if users::by_login(tx, &new.email)?.is_some() {
                    return Err(Error::LoginInUse);
                }
                if aliases::of_user(tx, user)?.len() >= ALIASES_MAX as usize {
                    return Err(Error::Invalid("the user has as many addresses as there may be"));
                }
                aliases::insert(tx, &new)?;
                collaborations::adopt(tx, &new.email, user)?;
                Ok(new.clone())
            })
            .await
    }

    /// Takes an address from a user. `NotFound` also when the user has none with that id; otherwise as
    /// [`Tree::add_alias`].
    pub async fn remove_alias(&self, caller: &Caller, user: UserId, alias: AliasId) -> Result<(), Error> {
        let caller = caller.clone();
        self.database
            .transact("remove email alias", move |tx| {
                check_above(tx, &caller, user)?;
                if aliases::remove(tx, user, alias)? { Ok(()) } else { Err(Error::NotFound) }
            })
            .await
    }

    /// Asks a user from outside to become one of the enterprise. Asking again answers the same invite.
    ///
    /// `Forbidden` for who does not administer users; `NotFound` for another enterprise, and when nobody from outside
    /// has that login.
    pub async fn invite_user(
        &self,
        caller: &Caller,
        enterprise: EnterpriseId,
        login: String,
    ) -> Result<InviteView, Error> {
        let (caller, now) = (caller.clone(), self.world.now());
        let id = InviteId::new(self.world.next_id());
        self.database
            .transact("invite user", move |tx| {
                if !administers(&caller) {
                    return Err(Error::Forbidden);
                }
                if enterprise != caller.enterprise {
                    return Err(Error::NotFound);
                }
                let ours = |user: &users::User| user.kind == UserKind::External && user.enterprise == enterprise;
                let user = users::by_login(tx, &login)?.filter(ours).ok_or(Error::NotFound)?.id;
                if let Some(found) = invites::of(tx, enterprise, user)? {
                    return view(tx, found);
                }
                let (status, invited_by) = (InviteStatus::Pending, caller.user);
                let new = Invite { id, enterprise, user, invited_by, status, created_at: now, modified_at: now };
                invites::insert(tx, &new)?;
                view(tx, new)
            })
            .await
    }

    /// An invite: for who administers users, and for who was invited. `NotFound` for others.
    pub async fn invite_by_id(&self, caller: &Caller, invite: InviteId) -> Result<InviteView, Error> {
        self.database.read(|tx| {
            let found = invites::by_id(tx, invite)?.filter(|found| {
                found.user == caller.user || (administers(caller) && found.enterprise == caller.enterprise)
            });
            view(tx, found.ok_or(Error::NotFound)?)
        })
    }
}

fn view(tx: &mut Tx<'_>, invite: Invite) -> Result<InviteView, Error> {
    let mut mini = |user| users::mini(tx, user)?.ok_or(Error::NotFound);
    let (user, invited_by) = (mini(invite.user)?, mini(invite.invited_by)?);
    let enterprise_name = enterprises::by_id(tx, invite.enterprise)?.map(|found| found.name).unwrap_or_default();
    Ok(InviteView { invite, enterprise_name, user, invited_by })
}

fn check_above(tx: &mut Tx<'_>, caller: &Caller, user: UserId) -> Result<(), Error> {
    let found = seen(tx, caller, user)?;
    if is_above(caller, &found) { Ok(()) } else { Err(Error::Forbidden) }
}
