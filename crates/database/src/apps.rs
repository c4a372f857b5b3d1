//! Applications registered to use the doors, and the public keys with which they sign assertions.

use crate::tx::{Row, Value};
use crate::{Error, Tx};
use entente_model::{AppId, EnterpriseId, PublicKeyId, Sha256, Timestamp, UserId};

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id.
    pub app: AppId,
    /// The enterprise that registered it.
    pub enterprise: EnterpriseId,
    /// What people call it.
    pub name: String,
    /// What it calls itself when it asks for a token.
    pub client_id: String,
    /// The digest of its secret.
    pub secret_sha256: Sha256,
    /// The user that it is when it acts for itself.
    pub service_user: UserId,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A public key of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its id.
    pub key: PublicKeyId,
    /// Whose it is.
    pub app: AppId,
    /// What clients send as `kid`.
    pub label: String,
    /// The key, PEM (SubjectPublicKeyInfo).
    pub pem: String,
    /// When it was added.
    pub created_at: Timestamp,
}

/// Stores an application. `Duplicate` when its client id is taken.
pub fn add(tx: &mut Tx<'_>, app: &App) -> Result<(), Error> {
    tx.put(
        "INSERT INTO apps (id, enterprise_id, name, client_id, secret_sha256, service_user_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            app.app.into(),
            app.enterprise.into(),
            app.name.as_str().into(),
            app.client_id.as_str().into(),
            app.secret_sha256.0.as_slice().into(),
            app.service_user.into(),
            app.created_at.into(),
        ],
    )?;
    Ok(())
}

/// The application with that client id, or `None`.
pub fn by_client_id(tx: &mut Tx<'_>, client_id: &str) -> Result<Option<App>, Error> {
    tx.query_one(
        "SELECT id, enterprise_id, name, client_id, secret_sha256, service_user_id, created_at FROM apps
         WHERE client_id = ?1",
        &[client_id.into()],
        read_app,
    )
}

/// Up to `limit` applications after `after`, in order of ids.
pub fn after(tx: &mut Tx<'_>, after: Option<AppId>, limit: u32) -> Result<Vec<App>, Error> {
    tx.query(
        "SELECT id, enterprise_id, name, client_id, secret_sha256, service_user_id, created_at FROM apps
         WHERE id > ?1 ORDER BY id LIMIT ?2",
        &[Value::Int(after.map_or(0, AppId::number)), limit.into()],
        read_app,
    )
}

/// Stores a public key. `Duplicate` when the application has one with the same label.
pub fn add_public_key(tx: &mut Tx<'_>, key: &PublicKey) -> Result<(), Error> {
    tx.put(
        "INSERT INTO public_keys (id, app_id, label, pem, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[key.key.into(), key.app.into(), key.label.as_str().into(), key.pem.as_str().into(), key.created_at.into()],
    )?;
    Ok(())
}

/// Up to `limit` public keys of an application, oldest first.
pub fn public_keys(tx: &mut Tx<'_>, app: AppId, limit: u32) -> Result<Vec<PublicKey>, Error> {
    tx.query(
        "SELECT id, app_id, label, pem, created_at FROM public_keys WHERE app_id = ?1 ORDER BY id LIMIT ?2",
        &[app.into(), limit.into()],
        |row| {
            Ok(PublicKey {
                key: PublicKeyId::new(row.int(0)?),
                app: AppId::new(row.int(1)?),
                label: row.text(2)?,
                pem: row.text(3)?,
                created_at: Timestamp::from_millis(row.int(4)?),
            })
        },
    )
}

fn read_app(row: &Row<'_>) -> Result<App, Error> {
    Ok(App {
        app: AppId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        name: row.text(2)?,
        client_id: row.text(3)?,
        secret_sha256: Sha256(row.array(4)?),
        service_user: UserId::new(row.int(5)?),
        created_at: Timestamp::from_millis(row.int(6)?),
    })
}
