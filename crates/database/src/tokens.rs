//! Issued credentials, known by the SHA-256 of their secrets, and the assertions that were used already.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{AppId, Caller, EnterpriseId, Scopes, Sha256, Timestamp, TokenId, UserId, UserRole};

/// A credential as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The digest of its secret.
    pub sha256: Sha256,
    /// Its id, to speak of it without the secret.
    pub token: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// The application through which the user asks, if any.
    pub app: Option<AppId>,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// What a credential stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub token: TokenId,
    /// Who asks with it.
    pub caller: Caller,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// Stores a credential. `Duplicate` when the digest is there already.
pub fn add(tx: &mut Tx<'_>, token: &Token) -> Result<(), Error> {
    tx.put(
        "INSERT INTO tokens (sha256, id, user_id, app_id, scopes, issued_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            token.sha256.0.as_slice().into(),
            token.token.into(),
            token.user.into(),
            token.app.into(),
            token.scopes.to_string().as_str().into(),
            token.issued_at.into(),
            token.expires_at.into(),
        ],
    )?;
    Ok(())
}

/// What a digest stands for: `None` when it is unknown, or its user is not active. Whether it has expired is for the
/// caller of this function to see.
pub fn held(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<Option<Held>, Error> {
    tx.query_one(
        "SELECT t.id, t.user_id, u.enterprise_id, u.role, t.app_id, t.scopes, t.expires_at
         FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.sha256 = ?1 AND u.status = 0",
        &[sha256.0.as_slice().into()],
        read_held,
    )
}

/// Who a user is when asking through an application with some scopes: `None` when the user is unknown or not active.
pub fn caller(tx: &mut Tx<'_>, user: UserId, app: Option<AppId>, scopes: Scopes) -> Result<Option<Caller>, Error> {
    tx.query_one("SELECT enterprise_id, role FROM users WHERE id = ?1 AND status = 0", &[user.into()], |row| {
        Ok(Caller {
            user,
            enterprise: EnterpriseId::new(row.int(0)?),
            role: role(row.int(1)?)?,
            app,
            scopes,
            through: None,
        })
    })
}

/// Makes a credential worth nothing. `false` when it is unknown.
pub fn remove(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<bool, Error> {
    let changed = tx.execute("DELETE FROM tokens WHERE sha256 = ?1", &[sha256.0.as_slice().into()])?;
    Ok(changed > 0)
}

/// Removes up to `limit` credentials that expired before `before`; answers how many.
pub fn remove_expired(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM tokens WHERE sha256 IN (SELECT sha256 FROM tokens WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        &[before.into(), limit.into()],
    )
}

/// Remembers an assertion as used. `false` when it was used before.
pub fn use_assertion(tx: &mut Tx<'_>, sha256: &Sha256, expires_at: Timestamp) -> Result<bool, Error> {
    let changed = tx.execute(
        "INSERT INTO assertions (sha256, expires_at) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING",
        &[sha256.0.as_slice().into(), expires_at.into()],
    )?;
    Ok(changed > 0)
}

/// Forgets up to `limit` assertions that expired before `before`; answers how many.
pub fn forget_assertions(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM assertions
         WHERE sha256 IN (SELECT sha256 FROM assertions WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        &[before.into(), limit.into()],
    )
}

fn read_held(row: &Row<'_>) -> Result<Held, Error> {
    let scopes = row.text(5)?.parse().map_err(|_| Error::damaged("a token's scopes"))?;
    Ok(Held {
        token: TokenId::new(row.int(0)?),
        caller: Caller {
            user: UserId::new(row.int(1)?),
            enterprise: EnterpriseId::new(row.int(2)?),
            role: role(row.int(3)?)?,
            app: row.int_or_null(4)?.map(AppId::new),
            scopes,
            through: None,
        },
        expires_at: Timestamp::from_millis(row.int(6)?),
    })
}

fn role(number: i64) -> Result<UserRole, Error> {
    match number {
        0 => Ok(UserRole::User),
        1 => Ok(UserRole::CoAdmin),
        2 => Ok(UserRole::Admin),
        _ => Err(Error::damaged("a user's role")),
    }
}
