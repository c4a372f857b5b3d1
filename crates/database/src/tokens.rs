//! Issued credentials, known by the SHA-256 of their secrets, and the assertions that were used already.

use crate::apps;
use crate::tx::Row;
use crate::users::scopes_of_status;
use crate::{Error, Tx};
use entente_model::{
    AppId, AuthorizationId, Caller, EnterpriseId, ItemId, Scopes, Sha256, Timestamp, TokenId, UserId, UserRole,
};

/// How often a token may be made of a token that was made of another.
pub const DERIVATIONS_MAX: usize = 4;

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
    /// The item at and below which alone it is worth anything.
    pub confined: Option<ItemId>,
    /// The authorization without which it is worth nothing.
    pub authorization: Option<AuthorizationId>,
    /// The token of which it was made, without which it is worth nothing.
    pub source: Option<Sha256>,
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
    /// The authorization that it hangs on.
    pub authorization: Option<AuthorizationId>,
    /// The token of which it was made.
    pub source: Option<Sha256>,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// Stores a credential. `Duplicate` when the digest is there already.
pub fn add(tx: &mut Tx<'_>, token: &Token) -> Result<(), Error> {
    tx.put(
        "INSERT INTO tokens (sha256, id, user_id, app_id, scopes, issued_at, expires_at, confined_to, authorization_id,
           source_sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        &[
            token.sha256.0.as_slice().into(),
            token.token.into(),
            token.user.into(),
            token.app.into(),
            token.scopes.to_string().as_str().into(),
            token.issued_at.into(),
            token.expires_at.into(),
            token.confined.into(),
            token.authorization.into(),
            token.source.as_ref().map(|source| source.0.as_slice()).into(),
        ],
    )?;
    Ok(())
}

/// What a digest stands for: `None` when it is unknown, or its user is not active, or its app is not, or what it hangs on
/// is gone. Whether it has expired is for the caller of this function to see.
pub fn held(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<Option<Held>, Error> {
    let found = tx.query_one(
        "SELECT t.id, t.user_id, u.enterprise_id, u.role, t.app_id, t.scopes, t.expires_at, u.status, t.confined_to,
           t.authorization_id, t.source_sha256, a.scopes
         FROM tokens t JOIN users u ON u.id = t.user_id
           LEFT JOIN apps a ON a.id = t.app_id
           LEFT JOIN authorizations g ON g.id = t.authorization_id
         WHERE t.sha256 = ?1 AND u.status IN (0, 2, 3) AND (t.app_id IS NULL OR a.state = 0)
           AND (t.authorization_id IS NULL OR g.id IS NOT NULL)",
        &[sha256.0.as_slice().into()],
        read_held,
    )?;
    let Some(held) = found else { return Ok(None) };
    let mut source = held.source;
    for _ in 0..=DERIVATIONS_MAX {
        let Some(above) = source else { return Ok(Some(held)) };
        let sql = "SELECT source_sha256 FROM tokens WHERE sha256 = ?1";
        let Some(next) = tx.query_one(sql, &[above.0.as_slice().into()], |row| row.array_or_null(0))? else {
            return Ok(None);
        };
        source = next.map(Sha256);
    }
    Ok(None)
}

/// How many tokens a token was made of, one after the other.
pub fn derivations(tx: &mut Tx<'_>, held: &Held) -> Result<usize, Error> {
    let (mut source, mut count) = (held.source, 0);
    while let Some(above) = source.filter(|_| count <= DERIVATIONS_MAX) {
        count += 1;
        let sql = "SELECT source_sha256 FROM tokens WHERE sha256 = ?1";
        source = tx.query_one(sql, &[above.0.as_slice().into()], |row| row.array_or_null(0))?.flatten().map(Sha256);
    }
    Ok(count)
}

/// Who a user is when asking through an application with some scopes: `None` when the user is unknown or not active, or
/// the application is not.
pub fn caller(tx: &mut Tx<'_>, user: UserId, app: Option<AppId>, scopes: Scopes) -> Result<Option<Caller>, Error> {
    let scopes = match app {
        None => scopes,
        Some(app) => match apps::scopes(tx, app)? {
            Some(most) => scopes.within(most),
            None => return Ok(None),
        },
    };
    let sql = "SELECT enterprise_id, role, status FROM users WHERE id = ?1 AND status IN (0, 2, 3)";
    tx.query_one(sql, &[user.into()], |row| {
        Ok(Caller {
            user,
            enterprise: EnterpriseId::new(row.int(0)?),
            role: role(row.int(1)?)?,
            app,
            scopes: scopes.within(scopes_of_status(row.int(2)?)?),
            confined: None,
            through: None,
            link: None,
        })
    })
}

/// Makes a credential worth nothing, and all that were made of it. `false` when it is unknown.
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
    let app = row.int_or_null(4)?.map(AppId::new);
    let most = if app.is_some() { apps::read_scopes(row, 11)? } else { Scopes::ALL };
    let scopes = apps::read_scopes(row, 5)?.within(most);
    Ok(Held {
        token: TokenId::new(row.int(0)?),
        caller: Caller {
            user: UserId::new(row.int(1)?),
            enterprise: EnterpriseId::new(row.int(2)?),
            role: role(row.int(3)?)?,
            app,
            scopes: scopes.within(scopes_of_status(row.int(7)?)?),
            confined: row.int_or_null(8)?.map(ItemId::new),
            through: None,
            link: None,
        },
        authorization: row.int_or_null(9)?.map(AuthorizationId::new),
        source: row.array_or_null(10)?.map(Sha256),
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
