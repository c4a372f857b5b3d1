//! Keys with which requests are signed: what clients name in each request, and the secret, sealed.

use crate::tx::Row;
use crate::users::scopes_of_status;
use crate::{Error, Tx};
use entente_model::{Caller, EnterpriseId, Timestamp, UserId, UserRole};

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// What clients send.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// The secret, sealed: nobody reads it without the key that the custodian wraps.
    pub sealed_secret: Vec<u8>,
    /// What its owner calls it.
    pub label: String,
    /// Whether it only reads.
    pub read_only: bool,
    /// The names of the buckets that it reaches; none: all.
    pub buckets: Vec<String>,
    /// Whether it is worth anything.
    pub state: AccessKeyState,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessKeyState {
    /// Requests may be signed with it.
    InForce,
    /// Worth nothing, for ever.
    Revoked,
}

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    /// Who asks with it, with all scopes.
    pub caller: Caller,
    /// The secret, sealed.
    pub sealed_secret: Vec<u8>,
    /// Whether it only reads.
    pub read_only: bool,
    /// The names of the buckets that it reaches; none: all.
    pub buckets: Vec<String>,
}

/// Stores a key. `Duplicate` when its id is taken.
pub fn add(tx: &mut Tx<'_>, key: &AccessKey) -> Result<(), Error> {
    tx.put(
        "INSERT INTO access_keys (id, user_id, sealed_secret, label, read_only, buckets, state, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            key.id.as_str().into(),
            key.user.into(),
            key.sealed_secret.as_slice().into(),
            key.label.as_str().into(),
            i64::from(key.read_only).into(),
            key.buckets.join("\n").as_str().into(),
            i64::from(key.state == AccessKeyState::Revoked).into(),
            key.created_at.into(),
        ],
    )
}

/// What a key in force stands for: `None` when it is unknown or revoked, or its user is not active.
pub fn held(tx: &mut Tx<'_>, id: &str) -> Result<Option<HeldKey>, Error> {
    tx.query_one(
        "SELECT k.user_id, u.enterprise_id, u.role, k.sealed_secret, k.read_only, k.buckets, u.status
         FROM access_keys k JOIN users u ON u.id = k.user_id
         WHERE k.id = ?1 AND k.state = 0 AND u.status IN (0, 2, 3)",
        &[id.into()],
        |row| {
            let role = match row.int(2)? {
                0 => UserRole::User,
                1 => UserRole::CoAdmin,
                2 => UserRole::Admin,
                _ => return Err(Error::damaged("a user's role")),
            };
            Ok(HeldKey {
                caller: Caller {
                    user: UserId::new(row.int(0)?),
                    enterprise: EnterpriseId::new(row.int(1)?),
                    role,
                    app: None,
                    scopes: scopes_of_status(row.int(6)?)?,
                    confined: None,
                    through: None,
                    link: None,
                },
                sealed_secret: row.blob(3)?,
                read_only: row.int(4)? != 0,
                buckets: lines(&row.text(5)?),
            })
        },
    )
}

/// Up to `limit` keys of a user, the oldest first, revoked ones too.
pub fn of_user(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<Vec<AccessKey>, Error> {
    tx.query(
        "SELECT id, user_id, sealed_secret, label, read_only, buckets, state, created_at FROM access_keys
         WHERE user_id = ?1 ORDER BY created_at, id LIMIT ?2",
        &[user.into(), limit.into()],
        read,
    )
}

/// Up to `limit` keys of everybody after `after`, in order of ids, revoked ones too.
pub fn after(tx: &mut Tx<'_>, after: &str, limit: u32) -> Result<Vec<AccessKey>, Error> {
    tx.query(
        "SELECT id, user_id, sealed_secret, label, read_only, buckets, state, created_at FROM access_keys
         WHERE id > ?1 ORDER BY id LIMIT ?2",
        &[after.into(), limit.into()],
        read,
    )
}

/// Makes a key worth nothing. `false` when it is unknown or was revoked before.
pub fn revoke(tx: &mut Tx<'_>, id: &str) -> Result<bool, Error> {
    Ok(tx.execute("UPDATE access_keys SET state = 1 WHERE id = ?1 AND state = 0", &[id.into()])? > 0)
}

fn read(row: &Row<'_>) -> Result<AccessKey, Error> {
    Ok(AccessKey {
        id: row.text(0)?,
        user: UserId::new(row.int(1)?),
        sealed_secret: row.blob(2)?,
        label: row.text(3)?,
        read_only: row.int(4)? != 0,
        buckets: lines(&row.text(5)?),
        state: if row.int(6)? == 0 { AccessKeyState::InForce } else { AccessKeyState::Revoked },
        created_at: Timestamp::from_millis(row.int(7)?),
    })
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
