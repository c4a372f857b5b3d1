//! Users, as far as callers may see and change them. Who signs in, and how, is identity's.

mod addresses;
mod outsiders;
mod pictures;
mod provisioned;
mod remove;

pub use addresses::InviteView;
pub use outsiders::REMOVE_OUTSIDER_JOB;
pub use pictures::{AVATAR_BYTES_MAX, AVATAR_PIXELS_MAX};
pub use provisioned::MemberIds;
pub use remove::{OwnedContent, PURGE_USER_JOB};

use crate::limits::{
    BATCH_ROWS_MAX, CLEAR_TURNS_MAX, FRONTLINE_SPACE_BYTES, USER_ADDRESS_CHARS_MAX, USER_TEXT_CHARS_MAX, USERS_PAGE_MAX,
};
use crate::{Caller, Error, Scopes, Tree, User, UserChange, UserRole};
use entente_database::events::EventKind;
use entente_database::users::{
    self, KindsWanted, NewUser, Seat, TRACKING_CODES_MAX, UserFilter, UserKind, UserSettings, UsersFrom,
};
use entente_database::{aliases, collaborations, enterprises, memberships};
use entente_model::UserId;

/// A person to be made a user, or a user of an app's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// What it signs in with; unique without regard to case. Not looked at for an app's own: such a one gets a login that
    /// nobody has.
    pub login: String,
    /// What others call it.
    pub name: String,
    /// What it may do within the enterprise.
    pub role: UserRole,
    /// The rest, as far as it is given. Its name, login and role are not looked at.
    pub rest: UserChange,
}

/// Which users to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserQuery {
    /// Only those whose name or login begins with this text; empty for all. What more than
    /// `entente_database::users::USERS_MATCHED_MAX` names or logins begin with finds only so many.
    pub prefix: String,
    /// Which kinds.
    pub kinds: KindsWanted,
    /// Only those whom an app calls so; empty for all.
    pub external_id: String,
    /// Where the page begins. By offset, users are counted too.
    pub from: UsersFrom,
    /// How many users it has at most; `limits::USERS_PAGE_MAX` if more.
    pub limit: u32,
}

impl Default for UserQuery {
    fn default() -> Self {
        let (prefix, external_id) = (String::new(), String::new());
        Self { prefix, kinds: KindsWanted::All, external_id, from: UsersFrom::Offset(0), limit: 0 }
    }
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// In the order in which they were made.
    pub entries: Vec<User>,
    /// How many there are in all, if the page was asked for by offset: counted up to
    /// `entente_database::users::USERS_COUNTED_MAX`.
    pub total_count: Option<u64>,
    /// After whom the next page begins, if there is more.
    pub next: Option<UserId>,
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
    /// role is not above their own, except their own role and status: nobody locks themselves out.
    ///
    /// To make a user one from outside rolls them out of the enterprise: they leave all groups, administer nothing, and
    /// store nothing more. Whoever gets a frontline seat stores `limits::FRONTLINE_SPACE_BYTES` at most, unless the change
    /// says otherwise.
    ///
    /// `NotFound` as for [`Tree::user`]; `Forbidden`; `LoginInUse`; `Invalid`.
    pub async fn update_user(&self, caller: &Caller, user: UserId, change: UserChange) -> Result<User, Error> {
        check_texts(&change)?;
        let (caller, stamp) = (caller.clone(), self.stamp());
        let now = stamp.at;
        let rolls_out = change.kind == Some(UserKind::External);
        for _ in 0..CLEAR_TURNS_MAX {
            let (caller, change) = (caller.clone(), change.clone());
            let changed = self.database.transact("change user", move |tx| {
                let found = users::by_id(tx, user)?.filter(|found| may_see(&caller, found)).ok_or(Error::NotFound)?;
                if !may_change(&caller, &found, &change) {
                    return Err(Error::Forbidden);
                }
                let change = implied(&found, change.clone())?;
                if let Some(login) = &change.login {
                    if users::by_login(tx, login)?.is_some_and(|other| other.id != user) {
                        return Err(Error::LoginInUse);
                    }
                    aliases::remove_address(tx, user, login)?;
                }
                if rolls_out && memberships::remove_of_user(tx, user, BATCH_ROWS_MAX)? >= BATCH_ROWS_MAX as usize {
                    return Ok(None);
                }
                if let Some(login) = &change.login {
                    collaborations::adopt(tx, login, user)?;
                }
                let changed = users::update(tx, user, &change, now)?.ok_or(Error::NotFound)?;
                // Directories send everything again and again.
                if (User { modified_at: found.modified_at, ..changed.clone() }) != found {
                    stamp.record_user(tx, &caller, EventKind::UserChanged, &changed)?;
                }
                Ok(Some(changed))
            });
            if let Some(user) = changed.await? {
                return Ok(user);
            }
        }
        Err(Error::BusyRetry("the user is in very many groups".into()))
    }

    /// A page of the enterprise's users. `Forbidden` for who does not administer users.
    pub async fn list_users(&self, caller: &Caller, query: UserQuery) -> Result<UserPage, Error> {
        if !administers(caller) {
            return Err(Error::Forbidden);
        }
        let UserQuery { prefix, kinds, external_id, from, limit } = query;
        let filter = UserFilter { enterprise: caller.enterprise, prefix, kinds, external_id };
        let limit = limit.min(USERS_PAGE_MAX);
        self.database
            .read_long(move |tx| {
                let mut entries = users::list(tx, &filter, from, limit + 1)?;
                let more = entries.len() > limit as usize;
                entries.truncate(limit as usize);
                let total_count = match from {
                    UsersFrom::Offset(_) => Some(users::count(tx, &filter)?),
                    UsersFrom::After(_) => None,
                };
                Ok(UserPage { next: entries.last().filter(|_| more).map(|last| last.id), entries, total_count })
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
        let (kind, seat) = (rest.kind.unwrap_or(UserKind::Person), rest.seat.unwrap_or_default());
        if kind == UserKind::Service {
            return Err(Error::Invalid("service accounts are made with their apps"));
        }
        if kind == UserKind::External && role != UserRole::User {
            return Err(Error::Invalid("somebody from outside administers nothing"));
        }
        let mut row = NewUser::new(&self.world, caller.enterprise, login, name);
        if kind == UserKind::App {
            row.login = format!("AppUser_{}@app.entente.local", row.id);
        }
        let space_limit = match (kind, seat) {
            (UserKind::External, _) => Some(0),
            (_, Seat::Frontline) => Some(FRONTLINE_SPACE_BYTES),
            (_, Seat::Full) => None,
        };
        let row = NewUser { role, kind, seat, space_limit, ..row };
        let rest = UserChange { login: None, name: None, role: None, kind: None, seat: None, ..rest };
        check_texts(&UserChange { login: Some(row.login.clone()), name: Some(row.name.clone()), ..rest.clone() })?;
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("create user", move |tx| {
                if users::by_login(tx, &row.login)?.is_some() {
                    return Err(Error::LoginInUse);
                }
                let mut user = users::create_user(tx, &row)?;
                if rest != UserChange::default() {
                    user = users::update(tx, user.id, &rest, row.at)?.ok_or(Error::NotFound)?;
                }
                stamp.record_user(tx, &caller, EventKind::UserMade, &user)?;
                Ok(user)
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

/// `NotFound` unless there is such a user whom the caller may see: themselves, or for who administers users anybody of the
/// enterprise.
fn seen(tx: &mut entente_database::Tx<'_>, caller: &Caller, user: UserId) -> Result<User, Error> {
    users::by_id(tx, user)?.filter(|found| may_see(caller, found)).ok_or(Error::NotFound)
}

fn may_see(caller: &Caller, user: &User) -> bool {
    user.id == caller.user || (administers(caller) && user.enterprise == caller.enterprise)
}

/// Whether the caller administers users, and this one's role is not above theirs.
pub(crate) fn is_above(caller: &Caller, user: &User) -> bool {
    administers(caller) && rank(user.role) <= rank(caller.role)
}

fn may_change(caller: &Caller, user: &User, change: &UserChange) -> bool {
    let oneself = user.id == caller.user;
    let raised = change.role.map_or(0, rank);
    if is_above(caller, user) && raised <= rank(caller.role) {
        let locked_out = change.role.is_some_and(|role| role != user.role)
            || change.status.is_some_and(|status| status != user.status)
            || change.kind.is_some_and(|kind| kind != user.kind);
        return !(oneself && locked_out);
    }
    // What others see of them, and what they see themselves.
    let UserChange {
        login,
        role,
        status,
        space_limit,
        kind,
        seat,
        external_id,
        tracking_codes,
        set,
        unset,
        name: _,
        language: _,
        timezone: _,
        job_title: _,
        phone: _,
        address: _,
        notification_email: _,
    } = change;
    oneself
        && caller.scopes.contains(Scopes::CHANGE)
        && login.is_none()
        && role.is_none()
        && status.is_none()
        && space_limit.is_none()
        && kind.is_none()
        && seat.is_none()
        && external_id.is_none()
        && tracking_codes.is_none()
        && set.with(*unset) == UserSettings::USUAL
}

/// What a change of a user brings along.
fn implied(user: &User, mut change: UserChange) -> Result<UserChange, Error> {
    match change.kind.filter(|kind| *kind != user.kind) {
        None => {}
        Some(UserKind::External) if user.kind == UserKind::Person => {
            change.role = Some(UserRole::User);
            change.space_limit = Some(Some(0));
        }
        Some(UserKind::Person) if user.kind == UserKind::External => {
            change.space_limit = change.space_limit.or(Some(None));
        }
        Some(_) => return Err(Error::Invalid("a user of this kind cannot become one of that kind")),
    }
    if change.seat == Some(Seat::Frontline) && user.seat != Seat::Frontline && change.space_limit.is_none() {
        let small = user.space_limit.is_some_and(|limit| limit <= FRONTLINE_SPACE_BYTES);
        change.space_limit = (!small).then_some(Some(FRONTLINE_SPACE_BYTES));
    }
    if user.kind == UserKind::External && change.role.is_some_and(|role| role != UserRole::User) {
        return Err(Error::Invalid("somebody from outside administers nothing"));
    }
    if user.kind == UserKind::App && change.login.is_some() {
        return Err(Error::Invalid("an app's own user has no login that could change"));
    }
    Ok(change)
}

fn check_texts(change: &UserChange) -> Result<(), Error> {
    let UserChange { name, login, language, timezone, job_title, phone, address, external_id, .. } = change;
    let (notification_email, tracking_codes) = (&change.notification_email, &change.tracking_codes);
    let texts = [name, login, language, timezone, job_title, phone, external_id, notification_email];
    if texts.into_iter().flatten().any(|text| text.chars().count() > USER_TEXT_CHARS_MAX)
        || address.as_ref().is_some_and(|address| address.chars().count() > USER_ADDRESS_CHARS_MAX)
    {
        return Err(Error::Invalid("a text of a user is too long"));
    }
    if [name, login].into_iter().flatten().any(|text| text.trim().is_empty()) {
        return Err(Error::Invalid("a user needs a name and a login"));
    }
    let lines = |text: &String| text.split(['\n', '\r']).all(is_plain);
    if !texts.into_iter().flatten().all(|text| is_plain(text)) || !address.iter().all(lines) {
        return Err(Error::Invalid("a text of a user has characters that cannot be seen"));
    }
    let Some(codes) = tracking_codes else { return Ok(()) };
    let fits = |text: &str| is_plain(text) && text.chars().count() <= USER_TEXT_CHARS_MAX;
    let named = |name: &str| codes.iter().filter(|code| code.name == name).count() == 1;
    if codes.len() > TRACKING_CODES_MAX
        || !codes.iter().all(|code| !code.name.trim().is_empty() && fits(&code.name) && fits(&code.value))
        || !codes.iter().all(|code| named(&code.name))
    {
        return Err(Error::Invalid("tracking codes are too many or too long, or two have one name"));
    }
    Ok(())
}

/// Whether a text has no control characters, and none that turn the order of others round: it looks like what it is.
pub(crate) fn is_plain(text: &str) -> bool {
    let odd = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    !text.chars().any(odd)
}

/// A caller for what a user has decided, or somebody for them, before.
pub(crate) fn acting(user: &User) -> Caller {
    Caller { user: user.id, enterprise: user.enterprise, role: UserRole::User, scopes: Scopes::ALL, ..Caller::nobody() }
}

/// That whoever asks may come in at all is the doors'; whether they may do so with a frontline seat is asked here, by the few
/// operations that are not for everybody.
pub(crate) fn check_full_seat(tx: &mut entente_database::Tx<'_>, caller: &Caller) -> Result<(), Error> {
    match users::seat(tx, caller.user)? {
        Some(Seat::Full) => Ok(()),
        Some(Seat::Frontline) => Err(Error::Forbidden),
        None => Err(Error::NotFound),
    }
}
