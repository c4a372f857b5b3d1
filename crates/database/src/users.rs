//! Users: people and service accounts, each with a root folder and a trash of their own.

use crate::items::{self, Item, Kind, Top};
use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, ItemId, ItemName, PolicyId, Timestamp, UserId, UserRole, ZoneId, fold};
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
}

/// Whether a user may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStatus {
    /// Yes.
    Active,
    /// No: no credential of theirs is worth anything.
    Inactive,
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
    /// Person or service account.
    pub kind: UserKind,
    /// Whether it may come in.
    pub status: UserStatus,
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
    /// Person or service account.
    pub kind: UserKind,
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
}

/// Makes a user with its root folder and its trash. `Duplicate` when the login is taken.
pub fn create_user(tx: &mut Tx<'_>, new: &NewUser) -> Result<User, Error> {
    let user = User {
        id: new.id,
        enterprise: new.enterprise,
        login: new.login.clone(),
        name: new.name.clone(),
        role: new.role,
        kind: new.kind,
        status: UserStatus::Active,
        space_limit: new.space_limit,
        space_used: 0,
        language: new.language.clone(),
        timezone: new.timezone.clone(),
        job_title: String::new(),
        phone: String::new(),
        address: String::new(),
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
    Ok(user)
}

/// Inserts the row alone. `Duplicate` when the login is taken.
fn insert(tx: &mut Tx<'_>, user: &User) -> Result<(), Error> {
    tx.put(
        "INSERT INTO users (id, enterprise_id, login, login_folded, name, role, kind, status, space_limit, space_used,
           language, timezone, job_title, phone, address, root_id, trash_id, created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
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
        ],
    )?;
    Ok(())
}

macro_rules! columns {
    () => {
        "id, enterprise_id, login, name, role, kind, status, space_limit, space_used, language, timezone, job_title, phone,
         address, root_id, trash_id, created_at, modified_at"
    };
}

/// The user with that id.
pub fn by_id(tx: &mut Tx<'_>, user: UserId) -> Result<Option<User>, Error> {
    tx.query_one(concat!("SELECT ", columns!(), " FROM users WHERE id = ?1"), &[user.into()], read_user)
}

/// The user with that login, without regard to case.
pub fn by_login(tx: &mut Tx<'_>, login: &str) -> Result<Option<User>, Error> {
    let folded = fold(login);
    let sql = concat!("SELECT ", columns!(), " FROM users WHERE login_folded = ?1");
    tx.query_one(sql, &[folded.as_str().into()], read_user)
}

/// As much of the user as is shown beside an item.
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

/// Where a user's content is stored.
pub fn storage(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Storage>, Error> {
    let sql = "SELECT u.enterprise_id, p.zone_id, u.space_limit, u.space_used, p.id FROM users u
               LEFT JOIN storage_policy_assignments a ON a.target_kind = 1 AND a.target_id = u.id
               LEFT JOIN storage_policy_assignments e ON e.target_kind = 0 AND e.target_id = u.enterprise_id
               JOIN storage_policies p ON p.id = coalesce(a.policy_id, e.policy_id,
                 (SELECT min(d.id) FROM storage_policies d WHERE d.is_default = 1)) WHERE u.id = ?1";
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

/// Which users of an enterprise to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFilter {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// Only those whose login or name begins with this text, without regard to case (names: as far as the engine
    /// folds, which is ASCII on SQLite); empty for all.
    pub prefix: String,
}

/// Users of an enterprise in order of ids.
pub fn list(tx: &mut Tx<'_>, filter: &UserFilter, offset: u32, limit: u32) -> Result<Vec<User>, Error> {
    let pattern = pattern(&filter.prefix);
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM users WHERE enterprise_id = ?1 AND (login_folded LIKE ?2 ESCAPE '!' OR lower(name) LIKE ?2 ESCAPE '!')
         ORDER BY id LIMIT ?3 OFFSET ?4"
    );
    tx.query(sql, &[filter.enterprise.into(), pattern.as_str().into(), limit.into(), offset.into()], read_user)
}

/// How many users [`list`] finds in all.
pub fn count(tx: &mut Tx<'_>, filter: &UserFilter) -> Result<u64, Error> {
    let pattern = pattern(&filter.prefix);
    let sql = "SELECT count(*) FROM users
         WHERE enterprise_id = ?1 AND (login_folded LIKE ?2 ESCAPE '!' OR lower(name) LIKE ?2 ESCAPE '!')";
    let found = tx.query_one(sql, &[filter.enterprise.into(), pattern.as_str().into()], |row| row.size(0))?;
    Ok(found.unwrap_or(0))
}

fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for letter in fold(prefix).chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Changes a user; answers it as it is then, or `None` when there is none. `Duplicate` when the login is taken.
pub fn update(tx: &mut Tx<'_>, user: UserId, change: &UserChange, at: Timestamp) -> Result<Option<User>, Error> {
    let Some(mut row) = by_id(tx, user)? else { return Ok(None) };
    let UserChange { name, login, role, status, space_limit, language, timezone, job_title, phone, address } =
        change.clone();
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
    row.modified_at = at;
    tx.put(
        "UPDATE users SET login = ?2, login_folded = ?3, name = ?4, role = ?5, status = ?6, space_limit = ?7,
           language = ?8, timezone = ?9, job_title = ?10, phone = ?11, address = ?12, modified_at = ?13 WHERE id = ?1",
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
    tx.put("UPDATE users SET space_used = space_used - ?2 WHERE id = ?1", &[user.into(), size.into()])?;
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
            _ => return Err(Error::damaged("a user's kind")),
        },
        status: match row.int(6)? {
            0 => UserStatus::Active,
            1 => UserStatus::Inactive,
            _ => return Err(Error::damaged("a user's status")),
        },
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
    })
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
    }
}

const fn status_number(status: UserStatus) -> i64 {
    match status {
        UserStatus::Active => 0,
        UserStatus::Inactive => 1,
    }
}

fn limit_number(limit: Option<u64>) -> i64 {
    limit.map_or(UNLIMITED, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}
