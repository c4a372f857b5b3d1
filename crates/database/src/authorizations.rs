//! What users let apps do for them: authorizations, the codes and refresh tokens that hang on them, and consents.

use crate::apps::read_scopes;
use crate::items::SortOrder;
use crate::tx::Row;
use crate::users::UserMini;
use crate::{Error, Tx};
use entente_model::{AppId, AuthorizationId, EnterpriseId, Scopes, Sha256, Timestamp, UserId};

/// That a user let an app act for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authorization {
    /// Its id.
    pub id: AuthorizationId,
    /// Who let it.
    pub user: UserId,
    /// Whom.
    pub app: AppId,
    /// What the app may do.
    pub scopes: Scopes,
    /// When.
    pub created_at: Timestamp,
    /// From when on nothing of it is worth anything.
    pub expires_at: Timestamp,
}

/// A code or a refresh token: what turns into tokens, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// What it hangs on.
    pub authorization: AuthorizationId,
    /// When it was used, if it was.
    pub used_at: Option<Timestamp>,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// A code as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// What it is as a voucher.
    pub voucher: Voucher,
    /// Where the browser was sent with it.
    pub redirect_uri: String,
    /// The SHA-256 of what the app must show with it.
    pub challenge: Option<Sha256>,
}

/// Stores an authorization.
pub fn add(tx: &mut Tx<'_>, authorization: &Authorization) -> Result<(), Error> {
    tx.put(
        "INSERT INTO authorizations (id, user_id, app_id, scopes, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            authorization.id.into(),
            authorization.user.into(),
            authorization.app.into(),
            authorization.scopes.to_string().as_str().into(),
            authorization.created_at.into(),
            authorization.expires_at.into(),
        ],
    )
}

/// The authorization with that id, or `None`.
pub fn by_id(tx: &mut Tx<'_>, id: AuthorizationId) -> Result<Option<Authorization>, Error> {
    tx.query_one(
        "SELECT id, user_id, app_id, scopes, created_at, expires_at FROM authorizations WHERE id = ?1",
        &[id.into()],
        read,
    )
}

/// Moves the end of an authorization.
pub fn prolong(tx: &mut Tx<'_>, id: AuthorizationId, expires_at: Timestamp) -> Result<(), Error> {
    tx.put("UPDATE authorizations SET expires_at = ?2 WHERE id = ?1", &[id.into(), expires_at.into()])
}

/// Ends an authorization, and with it all that hangs on it. `false` when there is none.
pub fn end(tx: &mut Tx<'_>, id: AuthorizationId) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM authorizations WHERE id = ?1", &[id.into()])? > 0)
}

/// Ends up to `limit` authorizations of a user for an app; answers how many.
pub fn end_of_app(tx: &mut Tx<'_>, user: UserId, app: AppId, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM authorizations
         WHERE id IN (SELECT id FROM authorizations WHERE user_id = ?1 AND app_id = ?2 ORDER BY id LIMIT ?3)",
        &[user.into(), app.into(), limit.into()],
    )
}

/// An authorization that is used on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The authorization.
    pub id: AuthorizationId,
    /// Whose.
    pub user: UserMini,
    /// What the device calls itself; may be empty.
    pub product: String,
}

macro_rules! select_pin {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.product, u.id, u.name, u.login FROM authorizations a JOIN users u ON u.id = a.user_id
             WHERE a.device <> '' AND u.enterprise_id = ?1 ",
            $rest
        )
    };
}

/// Notes on which device an authorization is used.
pub fn pin(tx: &mut Tx<'_>, id: AuthorizationId, device: &str, product: &str) -> Result<(), Error> {
    tx.put(
        "UPDATE authorizations SET device = ?2, product = ?3 WHERE id = ?1",
        &[id.into(), device.into(), product.into()],
    )
}

/// Up to `limit` authorizations of users of an enterprise that know their device, in the order of their ids, after `offset` others.
pub fn pins(
    tx: &mut Tx<'_>,
    enterprise: EnterpriseId,
    order: SortOrder,
    offset: u32,
    limit: u32,
) -> Result<Vec<Pin>, Error> {
    let sql = match order {
        SortOrder::Ascending => select_pin!("ORDER BY a.id LIMIT ?2 OFFSET ?3"),
        SortOrder::Descending => select_pin!("ORDER BY a.id DESC LIMIT ?2 OFFSET ?3"),
    };
    tx.query(sql, &[enterprise.into(), limit.into(), offset.into()], read_pin)
}

/// The same of one.
pub fn pin_by_id(tx: &mut Tx<'_>, enterprise: EnterpriseId, id: AuthorizationId) -> Result<Option<Pin>, Error> {
    tx.query_one(select_pin!("AND a.id = ?2"), &[enterprise.into(), id.into()], read_pin)
}

fn read_pin(row: &Row<'_>) -> Result<Pin, Error> {
    let user = UserMini { id: UserId::new(row.int(2)?), name: row.text(3)?, login: row.text(4)? };
    Ok(Pin { id: AuthorizationId::new(row.int(0)?), product: row.text(1)?, user })
}

/// Stores a code by its digest.
pub fn add_code(tx: &mut Tx<'_>, sha256: &Sha256, code: &Code) -> Result<(), Error> {
    tx.put(
        "INSERT INTO codes (sha256, authorization_id, redirect_uri, challenge, used_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            sha256.0.as_slice().into(),
            code.voucher.authorization.into(),
            code.redirect_uri.as_str().into(),
            code.challenge.as_ref().map(|challenge| challenge.0.as_slice()).into(),
            code.voucher.used_at.into(),
            code.voucher.expires_at.into(),
        ],
    )
}

/// The code with that digest, used ones too.
pub fn code(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<Option<Code>, Error> {
    tx.query_one(
        "SELECT authorization_id, used_at, expires_at, redirect_uri, challenge FROM codes WHERE sha256 = ?1",
        &[sha256.0.as_slice().into()],
        |row| {
            let challenge = row.array_or_null(4)?.map(Sha256);
            Ok(Code { voucher: read_voucher(row)?, redirect_uri: row.text(3)?, challenge })
        },
    )
}

/// Marks a code as used. `false` when it was used before.
pub fn use_code(tx: &mut Tx<'_>, sha256: &Sha256, at: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE codes SET used_at = ?2 WHERE sha256 = ?1 AND used_at IS NULL";
    Ok(tx.execute(sql, &[sha256.0.as_slice().into(), at.into()])? > 0)
}

/// Stores a refresh token by its digest.
pub fn add_refresh_token(tx: &mut Tx<'_>, sha256: &Sha256, voucher: &Voucher) -> Result<(), Error> {
    tx.put(
        "INSERT INTO refresh_tokens (sha256, authorization_id, used_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        &[sha256.0.as_slice().into(), voucher.authorization.into(), voucher.used_at.into(), voucher.expires_at.into()],
    )
}

/// The refresh token with that digest, used ones too.
pub fn refresh_token(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<Option<Voucher>, Error> {
    tx.query_one(
        "SELECT authorization_id, used_at, expires_at FROM refresh_tokens WHERE sha256 = ?1",
        &[sha256.0.as_slice().into()],
        read_voucher,
    )
}

/// Marks a refresh token as used. `false` when it was used before.
pub fn use_refresh_token(tx: &mut Tx<'_>, sha256: &Sha256, at: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE refresh_tokens SET used_at = ?2 WHERE sha256 = ?1 AND used_at IS NULL";
    Ok(tx.execute(sql, &[sha256.0.as_slice().into(), at.into()])? > 0)
}

/// What a user need not be asked about an app again.
pub fn consent(tx: &mut Tx<'_>, user: UserId, app: AppId) -> Result<Option<Scopes>, Error> {
    tx.query_one("SELECT scopes FROM consents WHERE user_id = ?1 AND app_id = ?2", &[user.into(), app.into()], |row| {
        read_scopes(row, 0)
    })
}

/// Remembers what a user has agreed to, instead of what stood there.
pub fn remember_consent(tx: &mut Tx<'_>, user: UserId, app: AppId, scopes: Scopes, at: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO consents (user_id, app_id, scopes, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user_id, app_id) DO UPDATE SET scopes = excluded.scopes, created_at = excluded.created_at",
        &[user.into(), app.into(), scopes.to_string().as_str().into(), at.into()],
    )
}

/// Forgets what a user has agreed to.
pub fn forget_consent(tx: &mut Tx<'_>, user: UserId, app: AppId) -> Result<(), Error> {
    tx.put("DELETE FROM consents WHERE user_id = ?1 AND app_id = ?2", &[user.into(), app.into()])
}

/// An app that a user lets act for them, as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Which.
    pub app: AppId,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When that was last agreed.
    pub created_at: Timestamp,
}

/// Up to `limit` apps that a user has agreed to, in order of their ids.
pub fn consents(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<Vec<Consent>, Error> {
    tx.query(
        "SELECT c.app_id, a.name, c.scopes, c.created_at FROM consents c JOIN apps a ON a.id = c.app_id
         WHERE c.user_id = ?1 ORDER BY c.app_id LIMIT ?2",
        &[user.into(), limit.into()],
        |row| {
            Ok(Consent {
                app: AppId::new(row.int(0)?),
                name: row.text(1)?,
                scopes: read_scopes(row, 2)?,
                created_at: Timestamp::from_millis(row.int(3)?),
            })
        },
    )
}

/// Removes up to `limit` of each: authorizations and refresh tokens that expired before `now`, codes that expired before
/// `codes_before`. Answers the greatest number of any kind.
pub fn remove_expired(tx: &mut Tx<'_>, now: Timestamp, codes_before: Timestamp, limit: u32) -> Result<usize, Error> {
    let authorizations = tx.execute(
        "DELETE FROM authorizations
         WHERE id IN (SELECT id FROM authorizations WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        &[now.into(), limit.into()],
    )?;
    let refresh_tokens = tx.execute(
        "DELETE FROM refresh_tokens
         WHERE sha256 IN (SELECT sha256 FROM refresh_tokens WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        &[now.into(), limit.into()],
    )?;
    let codes = tx.execute(
        "DELETE FROM codes WHERE sha256 IN (SELECT sha256 FROM codes WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        &[codes_before.into(), limit.into()],
    )?;
    Ok(authorizations.max(refresh_tokens).max(codes))
}

fn read(row: &Row<'_>) -> Result<Authorization, Error> {
    Ok(Authorization {
        id: AuthorizationId::new(row.int(0)?),
        user: UserId::new(row.int(1)?),
        app: AppId::new(row.int(2)?),
        scopes: read_scopes(row, 3)?,
        created_at: Timestamp::from_millis(row.int(4)?),
        expires_at: Timestamp::from_millis(row.int(5)?),
    })
}

fn read_voucher(row: &Row<'_>) -> Result<Voucher, Error> {
    Ok(Voucher {
        authorization: AuthorizationId::new(row.int(0)?),
        used_at: row.int_or_null(1)?.map(Timestamp::from_millis),
        expires_at: Timestamp::from_millis(row.int(2)?),
    })
}
