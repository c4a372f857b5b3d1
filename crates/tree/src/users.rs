//! Users, as far as callers may see and change them. Who signs in, and how, is identity's.

use crate::limits::{USER_TEXT_CHARS_MAX, USERS_PAGE_MAX};
use crate::{Caller, Error, Scopes, Tree, User, UserChange, UserRole};
use entente_database::enterprises;
use entente_database::users::{self, NewUser, UserFilter};
use entente_model::UserId;

/// A person to be made a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// What it signs in with; unique without regard to case.
    pub login: String,
    /// What others call it.
    pub name: String,
    /// What it may do within the enterprise.
    pub role: UserRole,
    /// The rest, as far as it is given. Its name, login and role are not looked at.
    pub rest: UserChange,
}

/// Which users to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserQuery {
    /// Only those whose name or login begins with this text; empty for all.
    pub prefix: String,
    /// How many users are before the page.
    pub offset: u32,
    /// How many users it has at most; `limits::USERS_PAGE_MAX` if more.
    pub limit: u32,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// In the order in which they were made.
    pub entries: Vec<User>,
    /// How many there are in all.
    pub total_count: u64,
}

impl Tree {
    /// The caller.
    pub async fn me(&self, caller: &Caller) -> Result<User, Error> {
        let user = caller.user;
        self.database.read(|tx| users::by_id(tx, user))?.ok_or(Error::NotFound)
    }

    /// What people call the caller's enterprise.
    pub async fn enterprise_name(&self, caller: &Caller) -> Result<String, Error> {
        let enterprise = caller.enterprise;
        let found = self.database.read(|tx| enterprises::by_id(tx, enterprise))?;
        found.map(|found| found.name).ok_or(Error::NotFound)
    }

    /// A user: the caller, or for who administers users anybody of the enterprise. `NotFound` for others.
    pub async fn user(&self, caller: &Caller, user: UserId) -> Result<User, Error> {
        let found = self.database.read(|tx| users::by_id(tx, user))?;
        found.filter(|found| may_see(caller, found)).ok_or(Error::NotFound)
    }

    /// Changes a user. Everybody may change what others see of them; who administers users, everything of those whose
    /// role is not above their own.
    ///
    /// `NotFound` as for [`Tree::user`]; `Forbidden`; `LoginInUse`; `Invalid`.
    pub async fn update_user(&self, caller: &Caller, user: UserId, change: UserChange) -> Result<User, Error> {
        check_texts(&change)?;
        let (caller, now) = (caller.clone(), self.world.now());
        self.database
            .transact("change user", move |tx| {
                let found = users::by_id(tx, user)?.filter(|found| may_see(&caller, found)).ok_or(Error::NotFound)?;
                if !may_change(&caller, &found, &change) {
                    return Err(Error::Forbidden);
                }
                if let Some(login) = &change.login
                    && users::by_login(tx, login)?.is_some_and(|other| other.id != user)
                {
                    return Err(Error::LoginInUse);
                }
                users::update(tx, user, &change, now)?.ok_or(Error::NotFound)
            })
            .await
    }

    /// A page of the enterprise's users. `Forbidden` for who does not administer users.
    pub async fn list_users(&self, caller: &Caller, query: UserQuery) -> Result<UserPage, Error> {
        if !administers(caller) {
            return Err(Error::Forbidden);
        }
        let filter = UserFilter { enterprise: caller.enterprise, prefix: query.prefix };
        self.database
            .read_long(move |tx| {
                let entries = users::list(tx, &filter, query.offset, query.limit.min(USERS_PAGE_MAX))?;
                Ok(UserPage { entries, total_count: users::count(tx, &filter)? })
            })
            .await
    }

    /// Makes a user with a root folder and a trash. `Forbidden` for who does not administer users, or would give a role
    /// above their own; `LoginInUse`; `Invalid`.
    pub async fn create_user(&self, caller: &Caller, new: NewPerson) -> Result<User, Error> {
        if !administers(caller) || rank(new.role) > rank(caller.role) {
            return Err(Error::Forbidden);
        }
        let NewPerson { login, name, role, rest } = new;
        let rest = UserChange { login: None, name: None, role: None, ..rest };
        check_texts(&UserChange { login: Some(login.clone()), name: Some(name.clone()), ..rest.clone() })?;
        let row = NewUser { role, ..NewUser::new(&self.world, caller.enterprise, login, name) };
        self.database
            .transact("create user", move |tx| {
                if users::by_login(tx, &row.login)?.is_some() {
                    return Err(Error::LoginInUse);
                }
                let user = users::create_user(tx, &row)?;
                if rest == UserChange::default() {
                    return Ok(user);
                }
                users::update(tx, user.id, &rest, row.at)?.ok_or(Error::NotFound)
            })
            .await
    }
}

const fn rank(role: UserRole) -> u8 {
    match role {
        UserRole::User => 0,
        UserRole::CoAdmin => 1,
        UserRole::Admin => 2,
    }
}

/// Whether the caller may administer users and what belongs to them, with this credential.
pub(crate) fn administers(caller: &Caller) -> bool {
    caller.role.administers() && caller.scopes.contains(Scopes::ADMINISTER)
}

fn may_see(caller: &Caller, user: &User) -> bool {
    user.id == caller.user || (administers(caller) && user.enterprise == caller.enterprise)
}

fn may_change(caller: &Caller, user: &User, change: &UserChange) -> bool {
    let raised = change.role.map_or(0, rank).max(rank(user.role));
    if administers(caller) && raised <= rank(caller.role) {
        return true;
    }
    // What others see of them, and what they see themselves.
    let UserChange { login, role, status, space_limit, .. } = change;
    user.id == caller.user
        && caller.scopes.contains(Scopes::CHANGE)
        && login.is_none()
        && role.is_none()
        && status.is_none()
        && space_limit.is_none()
}

fn check_texts(change: &UserChange) -> Result<(), Error> {
    let UserChange { name, login, language, timezone, job_title, phone, address, .. } = change;
    let texts = [name, login, language, timezone, job_title, phone, address];
    if texts.into_iter().flatten().any(|text| text.chars().count() > USER_TEXT_CHARS_MAX) {
        return Err(Error::Invalid("a text of a user is too long"));
    }
    if [name, login].into_iter().flatten().any(|text| text.trim().is_empty()) {
        return Err(Error::Invalid("a user needs a name and a login"));
    }
    Ok(())
}
