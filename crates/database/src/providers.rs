//! With whom people may sign in instead of a password, whom that provider calls what, and who is on the way there.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, Sha256, Timestamp, UserId};

/// An OpenID provider of an enterprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Whose people sign in there.
    pub enterprise: EnterpriseId,
    /// What people call it.
    pub name: String,
    /// The URL by which it calls itself.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// The secret that we share with it, sealed; empty when there is none.
    pub sealed: Vec<u8>,
    /// Whether somebody who is not there is made.
    pub makes_users: bool,
}

/// A browser on its way to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSignIn {
    /// Whose provider it is.
    pub enterprise: EnterpriseId,
    /// Where the provider sends the browser back to.
    pub redirect_uri: String,
    /// Where the browser goes when it is back.
    pub place: String,
    /// From when on it is too late.
    pub expires_at: Timestamp,
}

/// Sets the provider of an enterprise, whatever it was.
pub fn set(tx: &mut Tx<'_>, provider: &Provider, at: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO identity_providers (enterprise_id, name, issuer, client_id, sealed, makes_users, set_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (enterprise_id) DO UPDATE SET name = excluded.name, issuer = excluded.issuer,
           client_id = excluded.client_id, sealed = excluded.sealed, makes_users = excluded.makes_users,
           set_at = excluded.set_at",
        &[
            provider.enterprise.into(),
            provider.name.as_str().into(),
            provider.issuer.as_str().into(),
            provider.client_id.as_str().into(),
            provider.sealed.as_slice().into(),
            i64::from(provider.makes_users).into(),
            at.into(),
        ],
    )
}

/// The provider of an enterprise.
pub fn of_enterprise(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<Option<Provider>, Error> {
    let sql = "SELECT enterprise_id, name, issuer, client_id, sealed, makes_users FROM identity_providers
         WHERE enterprise_id = ?1";
    tx.query_one(sql, &[enterprise.into()], read)
}

/// Up to `limit` providers, in the order of their enterprises.
pub fn all(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Provider>, Error> {
    let sql = "SELECT enterprise_id, name, issuer, client_id, sealed, makes_users FROM identity_providers
         ORDER BY enterprise_id LIMIT ?1";
    tx.query(sql, &[limit.into()], read)
}

/// Takes the provider of an enterprise away. `false` when there is none. Whom it called what stays known.
pub fn remove(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM identity_providers WHERE enterprise_id = ?1", &[enterprise.into()])? > 0)
}

/// Who the subject with that digest is.
pub fn subject(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<Option<UserId>, Error> {
    let sql = "SELECT user_id FROM provider_subjects WHERE sha256 = ?1";
    tx.query_one(sql, &[sha256.0.as_slice().into()], |row| Ok(UserId::new(row.int(0)?)))
}

/// Whether a user is a subject of a provider.
pub fn is_bound(tx: &mut Tx<'_>, user: UserId, provider: &Sha256) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM provider_subjects WHERE user_id = ?1 AND provider = ?2";
    Ok(tx.query_one(sql, &[user.into(), provider.0.as_slice().into()], |_| Ok(()))?.is_some())
}

/// Notes who a subject of a provider is. Ask first whether that is known, and whether the user is another.
pub fn bind(tx: &mut Tx<'_>, subject: &Sha256, user: UserId, provider: &Sha256, at: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO provider_subjects (sha256, user_id, provider, bound_at) VALUES (?1, ?2, ?3, ?4)",
        &[subject.0.as_slice().into(), user.into(), provider.0.as_slice().into(), at.into()],
    )
}

/// Forgets what providers call a user; answers how many did.
pub fn unbind(tx: &mut Tx<'_>, user: UserId) -> Result<usize, Error> {
    tx.execute("DELETE FROM provider_subjects WHERE user_id = ?1", &[user.into()])
}

/// Stores a browser on its way, by the digest of its cookie.
pub fn begin(tx: &mut Tx<'_>, sha256: &Sha256, begun: &ProviderSignIn) -> Result<(), Error> {
    tx.put(
        "INSERT INTO provider_sign_ins (sha256, enterprise_id, redirect_uri, place, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            sha256.0.as_slice().into(),
            begun.enterprise.into(),
            begun.redirect_uri.as_str().into(),
            begun.place.as_str().into(),
            begun.expires_at.into(),
        ],
    )
}

/// The browser with that digest. Whether it is too late is for the caller of this function to see.
pub fn begun(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<Option<ProviderSignIn>, Error> {
    tx.query_one(
        "SELECT enterprise_id, redirect_uri, place, expires_at FROM provider_sign_ins WHERE sha256 = ?1",
        &[sha256.0.as_slice().into()],
        |row| {
            Ok(ProviderSignIn {
                enterprise: EnterpriseId::new(row.int(0)?),
                redirect_uri: row.text(1)?,
                place: row.text(2)?,
                expires_at: Timestamp::from_millis(row.int(3)?),
            })
        },
    )
}

/// Ends what a browser had begun. `false` when there is nothing: somebody was quicker.
pub fn end(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM provider_sign_ins WHERE sha256 = ?1", &[sha256.0.as_slice().into()])? > 0)
}

/// Removes up to `limit` that were too late before `before`; answers how many.
pub fn remove_expired(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM provider_sign_ins
         WHERE sha256 IN (SELECT sha256 FROM provider_sign_ins WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        &[before.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<Provider, Error> {
    Ok(Provider {
        enterprise: EnterpriseId::new(row.int(0)?),
        name: row.text(1)?,
        issuer: row.text(2)?,
        client_id: row.text(3)?,
        sealed: row.blob(4)?,
        makes_users: row.int(5)? == 1,
    })
}
