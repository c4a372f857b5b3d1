//! Passwords that are given to one program each, known by the SHA-256 of theirs.

use crate::tx::Row;
use crate::users::scopes_of_status;
use crate::{Error, Tx};
use entente_model::{Caller, EnterpriseId, Scopes, Sha256, Timestamp, TokenId, UserId, UserRole};

/// A password as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPassword {
    /// Its id, to speak of it without the password.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// What it is for, in its user's words.
    pub label: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// The day on which it was used last, since 1970; `None` if never.
    pub last_used_day: Option<i64>,
}

/// What a password stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: TokenId,
    /// Who asks with it.
    pub caller: Caller,
    /// The login of that user, folded.
    pub login_folded: String,
    /// The day on which it was used last, since 1970; `None` if never.
    pub last_used_day: Option<i64>,
}

/// Stores a password by its digest. `Duplicate` when the digest is there already.
pub fn add(tx: &mut Tx<'_>, sha256: &Sha256, password: &AppPassword) -> Result<(), Error> {
    tx.put(
        "INSERT INTO app_passwords (sha256, id, user_id, label, scopes, created_at, last_used_day)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            sha256.0.as_slice().into(),
            password.id.into(),
            password.user.into(),
            password.label.as_str().into(),
            password.scopes.to_string().as_str().into(),
            password.created_at.into(),
            password.last_used_day.into(),
        ],
    )
}

/// What a digest stands for: `None` when it is unknown, or its user is not active.
pub fn held(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<Option<Held>, Error> {
    tx.query_one(
        "SELECT a.id, a.user_id, u.enterprise_id, u.role, a.scopes, u.login_folded, a.last_used_day, u.status
         FROM app_passwords a JOIN users u ON u.id = a.user_id WHERE a.sha256 = ?1 AND u.status IN (0, 2, 3)",
        &[sha256.0.as_slice().into()],
        |row| {
            Ok(Held {
                id: TokenId::new(row.int(0)?),
                caller: Caller {
                    user: UserId::new(row.int(1)?),
                    enterprise: EnterpriseId::new(row.int(2)?),
                    role: role(row.int(3)?)?,
                    app: None,
                    scopes: scopes(row, 4)?.within(scopes_of_status(row.int(7)?)?),
                    confined: None,
                    through: None,
                    link: None,
                },
                login_folded: row.text(5)?,
                last_used_day: row.int_or_null(6)?,
            })
        },
    )
}

/// Notes the day on which a password was used.
pub fn used(tx: &mut Tx<'_>, id: TokenId, day: i64) -> Result<(), Error> {
    tx.put("UPDATE app_passwords SET last_used_day = ?2 WHERE id = ?1", &[id.into(), day.into()])
}

/// Up to `limit` passwords of a user, in the order in which they were made.
pub fn of_user(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<Vec<AppPassword>, Error> {
    tx.query(
        "SELECT id, user_id, label, scopes, created_at, last_used_day FROM app_passwords WHERE user_id = ?1
         ORDER BY user_id, id LIMIT ?2",
        &[user.into(), limit.into()],
        |row| {
            Ok(AppPassword {
                id: TokenId::new(row.int(0)?),
                user: UserId::new(row.int(1)?),
                label: row.text(2)?,
                scopes: scopes(row, 3)?,
                created_at: Timestamp::from_millis(row.int(4)?),
                last_used_day: row.int_or_null(5)?,
            })
        },
    )
}

/// Makes a password worth nothing. `false` when there is none with that id.
pub fn remove(tx: &mut Tx<'_>, id: TokenId) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM app_passwords WHERE id = ?1", &[id.into()])? > 0)
}

fn scopes(row: &Row<'_>, column: usize) -> Result<Scopes, Error> {
    row.text(column)?.parse().map_err(|_| Error::damaged("an app password's scopes"))
}

fn role(number: i64) -> Result<UserRole, Error> {
    match number {
        0 => Ok(UserRole::User),
        1 => Ok(UserRole::CoAdmin),
        2 => Ok(UserRole::Admin),
        _ => Err(Error::damaged("a user's role")),
    }
}
