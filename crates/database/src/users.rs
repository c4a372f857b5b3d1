//! Users: people and service accounts, each with a root folder and a trash of their own.

mod listing;
mod removal;
mod settings;

pub(crate) use listing::above;
pub use listing::{KindsWanted, USERS_COUNTED_MAX, USERS_MATCHED_MAX, UserFilter, UsersFrom, count, list};
pub use removal::{Condemned, condemn, forget, hide, owns_content};
pub use settings::{Seat, TRACKING_CODES_MAX, TrackingCode, UserSettings, seat};

use crate::items::{self, Item, Kind, Top};
use crate::tx::Row;
use crate::{Error, Tx, collaborations};
use entente_model::{EnterpriseId, ItemId, ItemName, PolicyId, Scopes, Timestamp, UserId, UserRole, ZoneId, fold};
use entente_world::World;

/// The name of every root folder, as Box shows it.
const ROOT_NAME: &str = "All Files";
/// The name of every trash.
const TRASH_NAME: &str = "Trash";
/// Stored for a user without a limit.
const UNLIMITED: i64 = -1;

/// What stands behind a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    /// A person.
    Person,
    /// An app's own account.
    Service,
    /// Made by an app for somebody of its own, who does not sign in here.
    App,
    /// Somebody from outside, who was invited: stores nothing and does not see who belongs to the enterprise.
    External,
}

/// Whether a user may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStatus {
    /// Yes.
    Active,
    /// No: no credential of theirs is worth anything.
    Inactive,
    /// Yes, and changes and removes nothing.
    CannotDeleteEdit,
    /// Yes, and neither changes nor removes nor adds anything.
    CannotDeleteEditUpload,
}

impl UserStatus {
    /// What credentials of a user in this state are worth at most.
    #[must_use]
    pub const fn scopes(self) -> Scopes {
        let sees = Scopes::READ.with(Scopes::DOWNLOAD).with(Scopes::SHARE).with(Scopes::ADMINISTER);
        match self {
            Self::Active => Scopes::ALL,
            Self::CannotDeleteEdit => sees.with(Scopes::UPLOAD),
            Self::CannotDeleteEditUpload => sees,
            Self::Inactive => Scopes::NONE,
        }
    }
}

/// What credentials of a user are worth at most whose state is stored as that number, which is not that of an inactive one.
pub(crate) fn scopes_of_status(number: i64) -> Result<Scopes, Error> {
    Ok(status(number)?.scopes())
}

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Where it belongs.
    pub enterprise: EnterpriseId,
    /// What it signs in with; unique without regard to case.
    pub login: String,
    /// What others call it.
    pub name: String,
    /// What it may do within the enterprise.
    pub role: UserRole,
    /// What stands behind it.
    pub kind: UserKind,
    /// Whether it may come in.
    pub status: UserStatus,
    /// What was bought for it.
    pub seat: Seat,
    /// How many bytes it may store; `None` for any number.
    pub space_limit: Option<u64>,
    /// Bytes of all versions of all files that it owns, trashed ones too.
    pub space_used: u64,
    /// A language tag, such as `en`.
    pub language: String,
    /// A time zone's name, such as `Europe/Berlin`.
    pub timezone: String,
    /// May be empty.
    pub job_title: String,
    /// May be empty.
    pub phone: String,
    /// May be empty.
    pub address: String,
    /// Where it is told of things instead of its login. May be empty.
    pub notification_email: String,
    /// What an app calls it. May be empty.
    pub external_id: String,
    /// By what the enterprise counts it.
    pub tracking_codes: Vec<TrackingCode>,
    /// What is set for it otherwise than it usually is.
    pub settings: UserSettings,
    /// Its root folder.
    pub root: ItemId,
    /// Its trash.
    pub trash: ItemId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

/// As much of a user as is shown beside an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMini {
    /// Its id.
    pub id: UserId,
    /// What others call it.
    pub name: String,
    /// What it signs in with.
    pub login: String,
}

/// A user to be made. [`NewUser::new`] fills in what most users have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// A fresh id.
    pub id: UserId,
    /// A fresh id for its root folder.
    pub root: ItemId,
    /// A fresh id for its trash.
    pub trash: ItemId,
    /// Where it belongs.
    pub enterprise: EnterpriseId,
    /// What it signs in with.
    pub login: String,
    /// What others call it.
    pub name: String,
    /// What it may do within the enterprise.
    pub role: UserRole,
    /// What stands behind it.
    pub kind: UserKind,
    /// What was bought for it.
    pub seat: Seat,
    /// How many bytes it may store; `None` for any number.
    pub space_limit: Option<u64>,
    /// A language tag.
    pub language: String,
    /// A time zone's name.
    pub timezone: String,
    /// Now.
    pub at: Timestamp,
}

impl NewUser {
    /// A person without a limit, in the role of a user, with fresh ids.
    #[must_use]
    pub fn new(world: &World, enterprise: EnterpriseId, login: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: UserId::new(world.next_id()),
            root: ItemId::new(world.next_id()),
            trash: ItemId::new(world.next_id()),
            enterprise,
            login: login.into(),
            name: name.into(),
            role: UserRole::User,
            kind: UserKind::Person,
            seat: Seat::Full,
            space_limit: None,
            language: "en".to_owned(),
            timezone: "UTC".to_owned(),
            at: world.now(),
        }
    }
}

/// What of a user is to change; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserChange {
    /// What others call it.
    pub name: Option<String>,
    /// What it signs in with.
    pub login: Option<String>,
    /// What it may do within the enterprise.
    pub role: Option<UserRole>,
    /// Whether it may come in.
    pub status: Option<UserStatus>,
    /// How many bytes it may store; `Some(None)` for any number.
    pub space_limit: Option<Option<u64>>,
    /// A language tag.
    pub language: Option<String>,
    /// A time zone's name.
    pub timezone: Option<String>,
    /// May be empty.
    pub job_title: Option<String>,
    /// May be empty.
    pub phone: Option<String>,
    /// May be empty.
    pub address: Option<String>,
    /// What stands behind it.
    pub kind: Option<UserKind>,
    /// What was bought for it.
    pub seat: Option<Seat>,
    /// May be empty.
    pub notification_email: Option<String>,
    /// May be empty.
    pub external_id: Option<String>,
    /// All that it has from then on.
    pub tracking_codes: Option<Vec<TrackingCode>>,
    /// What is set from then on.
    pub set: UserSettings,
    /// What is not set from then on.
    pub unset: UserSettings,
}

/// Makes a user with its root folder and its trash, whose are the roles to which its login was invited. `Duplicate` when the login is taken.
pub fn create_user(tx: &mut Tx<'_>, new: &NewUser) -> Result<User, Error> {
    let user = User {
        id: new.id,
        enterprise: new.enterprise,
        login: new.login.clone(),
        name: new.name.clone(),
        role: new.role,
        kind: new.kind,
        status: UserStatus::Active,
        seat: new.seat,
        space_limit: new.space_limit,
        space_used: 0,
        language: new.language.clone(),
        timezone: new.timezone.clone(),
        job_title: String::new(),
        phone: String::new(),
        address: String::new(),
        notification_email: String::new(),
        external_id: String::new(),
        tracking_codes: Vec::new(),
        settings: UserSettings::USUAL,
        root: new.root,
        trash: new.trash,
        created_at: new.at,
        modified_at: new.at,
    };
    insert(tx, &user)?;
    for (id, top, name) in [(new.root, Top::Root, ROOT_NAME), (new.trash, Top::Trash, TRASH_NAME)] {
        let name = ItemName::new(name).map_err(|_| Error::damaged("the name of a root"))?;
        let mut item = Item::new(id, Kind::Folder, name, new.id, new.at);
        item.top = top;
        item.top_user = Some(new.id);
        items::insert(tx, &item)?;
    }
    collaborations::adopt(tx, &user.login, user.id)?;
    Ok(user)
}

/// Inserts the row alone. `Duplicate` when the login is taken.
fn insert(tx: &mut Tx<'_>, user: &User) -> Result<(), Error> {
    tx.put(
        "INSERT INTO users (id, enterprise_id, login, login_folded, name, role, kind, status, space_limit, space_used,
           language, timezone, job_title, phone, address, root_id, trash_id, created_at, modified_at, name_folded, seat)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
        &[
            user.id.into(),
            user.enterprise.into(),
            user.login.as_str().into(),
            fold(&user.login).as_str().into(),
            user.name.as_str().into(),
            role_number(user.role).into(),
            kind_number(user.kind).into(),
            status_number(user.status).into(),
            limit_number(user.space_limit).into(),
            user.space_used.into(),
            user.language.as_str().into(),
            user.timezone.as_str().into(),
            user.job_title.as_str().into(),
            user.phone.as_str().into(),
            user.address.as_str().into(),
            user.root.into(),
            user.trash.into(),
            user.created_at.into(),
            user.modified_at.into(),
            fold(&user.name).as_str().into(),
            user.seat.number().into(),
        ],
    )?;
    Ok(())
}

macro_rules! columns {
    () => {
        "u.id, u.enterprise_id, u.login, u.name, u.role, u.kind, u.status, u.space_limit, u.space_used, u.language,
         u.timezone, u.job_title, u.phone, u.address, u.root_id, u.trash_id, u.created_at, u.modified_at, u.seat,
         u.notification_email, u.external_id, u.tracking_codes, u.settings"
    };
}
pub(crate) use columns;

/// The user with that id. `None` for one that was removed.
pub fn by_id(tx: &mut Tx<'_>, user: UserId) -> Result<Option<User>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM users u WHERE u.id = ?1 AND u.status <> 4");
    tx.query_one(sql, &[user.into()], read_user)
}

/// The user with that login, or with that address among their others; without regard to case.
pub fn by_login(tx: &mut Tx<'_>, login: &str) -> Result<Option<User>, Error> {
    let folded = fold(login);
    let sql = concat!("SELECT ", columns!(), " FROM users u WHERE u.login_folded = ?1 AND u.status <> 4");
    if let Some(found) = tx.query_one(sql, &[folded.as_str().into()], read_user)? {
        return Ok(Some(found));
    }
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM email_aliases a JOIN users u ON u.id = a.user_id WHERE a.email_folded = ?1 AND u.status <> 4"
    );
    tx.query_one(sql, &[folded.as_str().into()], read_user)
}

/// As much of the user as is shown beside an item, of a removed one too: such a one has no login.
pub fn mini(tx: &mut Tx<'_>, user: UserId) -> Result<Option<UserMini>, Error> {
    tx.query_one("SELECT id, name, login FROM users WHERE id = ?1", &[user.into()], |row| {
        Ok(UserMini { id: UserId::new(row.int(0)?), name: row.text(1)?, login: row.text(2)? })
    })
}

/// Where a user's content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tops {
    /// The root folder.
    pub root: ItemId,
    /// The trash.
    pub trash: ItemId,
}

/// The root and the trash of a user.
pub fn tops(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Tops>, Error> {
    tx.query_one("SELECT root_id, trash_id FROM users WHERE id = ?1", &[user.into()], |row| {
        Ok(Tops { root: ItemId::new(row.int(0)?), trash: ItemId::new(row.int(1)?) })
    })
}

/// Where a user's content is stored, and how much more of it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage {
    /// Whose content it is.
    pub enterprise: EnterpriseId,
    /// Where it stays.
    pub zone: ZoneId,
    /// How many copies there are of it, and where.
    pub policy: PolicyId,
    /// How many more bytes the user may store; `None` for any number.
    pub left: Option<u64>,
}

/// Where a user's content is stored. `None` for a user who was removed.
pub fn storage(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Storage>, Error> {
    let sql = "SELECT u.enterprise_id, p.zone_id, u.space_limit, u.space_used, p.id FROM users u
               LEFT JOIN storage_policy_assignments a ON a.target_kind = 1 AND a.target_id = u.id
               LEFT JOIN storage_policy_assignments e ON e.target_kind = 0 AND e.target_id = u.enterprise_id
               JOIN storage_policies p ON p.id = coalesce(a.policy_id, e.policy_id,
                 (SELECT min(d.id) FROM storage_policies d WHERE d.is_default = 1)) WHERE u.id = ?1 AND u.status <> 4";
    tx.query_one(sql, &[user.into()], |row| {
        let limit = u64::try_from(row.int(2)?).ok();
        let used = row.size(3)?;
        Ok(Storage {
            enterprise: EnterpriseId::new(row.int(0)?),
            zone: ZoneId::new(row.int(1)?),
            policy: PolicyId::new(row.int(4)?),
            left: limit.map(|limit| limit.saturating_sub(used)),
        })
    })
}

/// Changes a user; answers it as it is then, or `None` when there is none. `Duplicate` when the login is taken.
pub fn update(tx: &mut Tx<'_>, user: UserId, change: &UserChange, at: Timestamp) -> Result<Option<User>, Error> {
    let Some(mut row) = by_id(tx, user)? else { return Ok(None) };
    let UserChange {
        name,
        login,
        role,
        status,
        space_limit,
        language,
        timezone,
        job_title,
        phone,
        address,
        kind,
        seat,
        notification_email,
        external_id,
        tracking_codes,
        set,
        unset,
    } = change.clone();
    row.name = name.unwrap_or(row.name);
    row.login = login.unwrap_or(row.login);
    row.role = role.unwrap_or(row.role);
    row.status = status.unwrap_or(row.status);
    row.space_limit = space_limit.unwrap_or(row.space_limit);
    row.language = language.unwrap_or(row.language);
    row.timezone = timezone.unwrap_or(row.timezone);
    row.job_title = job_title.unwrap_or(row.job_title);
    row.phone = phone.unwrap_or(row.phone);
    row.address = address.unwrap_or(row.address);
    row.kind = kind.unwrap_or(row.kind);
    row.seat = seat.unwrap_or(row.seat);
    row.notification_email = notification_email.unwrap_or(row.notification_email);
    row.external_id = external_id.unwrap_or(row.external_id);
    row.tracking_codes = tracking_codes.unwrap_or(row.tracking_codes);
    row.settings = row.settings.without(unset).with(set);
    row.modified_at = at;
    tx.put(
        "UPDATE users SET login = ?2, login_folded = ?3, name = ?4, role = ?5, status = ?6, space_limit = ?7,
           language = ?8, timezone = ?9, job_title = ?10, phone = ?11, address = ?12, modified_at = ?13,
           name_folded = ?14, kind = ?15, seat = ?16, notification_email = ?17, external_id = ?18, tracking_codes = ?19,
           settings = ?20 WHERE id = ?1",
        &[
            user.into(),
            row.login.as_str().into(),
            fold(&row.login).as_str().into(),
            row.name.as_str().into(),
            role_number(row.role).into(),
            status_number(row.status).into(),
            limit_number(row.space_limit).into(),
            row.language.as_str().into(),
            row.timezone.as_str().into(),
            row.job_title.as_str().into(),
            row.phone.as_str().into(),
            row.address.as_str().into(),
            at.into(),
            fold(&row.name).as_str().into(),
            kind_number(row.kind).into(),
            row.seat.number().into(),
            row.notification_email.as_str().into(),
            row.external_id.as_str().into(),
            settings::lines(&row.tracking_codes).as_str().into(),
            row.settings.number().into(),
        ],
    )?;
    Ok(Some(row))
}

/// Counts stored bytes towards a user's limit. `false`, and nothing is counted, when they would pass it (or there is
/// no such user).
pub fn take_space(tx: &mut Tx<'_>, user: UserId, size: u64) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE users SET space_used = space_used + ?2
         WHERE id = ?1 AND (space_limit < 0 OR space_used + ?2 <= space_limit)",
        &[user.into(), size.into()],
    )?;
    Ok(changed > 0)
}

/// Takes back what [`take_space`] counted.
pub fn give_space(tx: &mut Tx<'_>, user: UserId, size: u64) -> Result<(), Error> {
    tx.put(
        "UPDATE users SET space_used = CASE WHEN space_used < ?2 THEN 0 ELSE space_used - ?2 END WHERE id = ?1",
        &[user.into(), size.into()],
    )?;
    Ok(())
}

/// Whether that many more bytes fit within the user's limit at this moment.
pub fn has_space(tx: &mut Tx<'_>, user: UserId, size: u64) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM users WHERE id = ?1 AND (space_limit < 0 OR space_used + ?2 <= space_limit)";
    Ok(tx.query_one(sql, &[user.into(), size.into()], |_| Ok(()))?.is_some())
}

fn read_user(row: &Row<'_>) -> Result<User, Error> {
    Ok(User {
        id: UserId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        login: row.text(2)?,
        name: row.text(3)?,
        role: match row.int(4)? {
            0 => UserRole::User,
            1 => UserRole::CoAdmin,
            2 => UserRole::Admin,
            _ => return Err(Error::damaged("a user's role")),
        },
        kind: match row.int(5)? {
            0 => UserKind::Person,
            1 => UserKind::Service,
            2 => UserKind::App,
            3 => UserKind::External,
            _ => return Err(Error::damaged("a user's kind")),
        },
        status: status(row.int(6)?)?,
        space_limit: u64::try_from(row.int(7)?).ok(),
        space_used: row.size(8)?,
        language: row.text(9)?,
        timezone: row.text(10)?,
        job_title: row.text(11)?,
        phone: row.text(12)?,
        address: row.text(13)?,
        root: ItemId::new(row.int(14)?),
        trash: ItemId::new(row.int(15)?),
        created_at: Timestamp::from_millis(row.int(16)?),
        modified_at: Timestamp::from_millis(row.int(17)?),
        seat: Seat::of_number(row.int(18)?)?,
        notification_email: row.text(19)?,
        external_id: row.text(20)?,
        tracking_codes: settings::read_lines(&row.text(21)?)?,
        settings: UserSettings::of_number(row.int(22)?),
    })
}

fn status(number: i64) -> Result<UserStatus, Error> {
    match number {
        0 => Ok(UserStatus::Active),
        1 => Ok(UserStatus::Inactive),
        2 => Ok(UserStatus::CannotDeleteEdit),
        3 => Ok(UserStatus::CannotDeleteEditUpload),
        _ => Err(Error::damaged("a user's status")),
    }
}

const fn role_number(role: UserRole) -> i64 {
    match role {
        UserRole::User => 0,
        UserRole::CoAdmin => 1,
        UserRole::Admin => 2,
    }
}

const fn kind_number(kind: UserKind) -> i64 {
    match kind {
        UserKind::Person => 0,
        UserKind::Service => 1,
        UserKind::App => 2,
        UserKind::External => 3,
    }
}

const fn status_number(status: UserStatus) -> i64 {
    match status {
        UserStatus::Active => 0,
        UserStatus::Inactive => 1,
        UserStatus::CannotDeleteEdit => 2,
        UserStatus::CannotDeleteEditUpload => 3,
    }
}

fn limit_number(limit: Option<u64>) -> i64 {
    limit.map_or(UNLIMITED, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}
