//! Applications registered to use the doors, and the public keys with which they sign assertions.

use crate::tx::{Row, Value};
use crate::{Error, Tx};
use entente_model::{AppId, EnterpriseId, PublicKeyId, Scopes, Sha256, Timestamp, UserId};
use std::fmt;

/// Whether an application can keep a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppKind {
    /// It runs where nobody else looks, and proves who it is with its secret.
    Confidential,
    /// It runs on machines of its users, and proves with each code that it is the one that asked for it.
    Public,
}

/// Whether an application may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppState {
    /// Yes.
    Enabled,
    /// No: nothing of its own is worth anything while it is so.
    Disabled,
}

/// By which grants an application may ask for tokens: a set of the constants here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grants(u32);

impl Grants {
    /// None.
    pub const NONE: Self = Self(0);
    /// Codes that users bring back, and the refresh tokens that come of them.
    pub const CODE: Self = Self(1);
    /// Its own id and secret.
    pub const CREDENTIALS: Self = Self(1 << 1);
    /// Assertions that it signs.
    pub const ASSERTION: Self = Self(1 << 2);
    /// Another token, of which a weaker one is made.
    pub const EXCHANGE: Self = Self(1 << 3);
    /// All of them.
    pub const ALL: Self = Self((1 << 4) - 1);

    const NAMES: [(&'static str, Self); 4] = [
        ("code", Self::CODE),
        ("credentials", Self::CREDENTIALS),
        ("assertion", Self::ASSERTION),
        ("exchange", Self::EXCHANGE),
    ];

    /// These and those.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// What both have.
    #[must_use]
    pub const fn within(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Whether every one of `others` is among these.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// The names, each once, with spaces between.
impl fmt::Display for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES.iter().filter(|(_, grant)| self.contains(*grant));
        for (index, (name, _)) in names.enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// The text names a grant that does not exist. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a grant is one of code, credentials, assertion, exchange")]
pub struct GrantsError;

impl std::str::FromStr for Grants {
    type Err = GrantsError;
    fn from_str(text: &str) -> Result<Self, GrantsError> {
        text.split_ascii_whitespace().try_fold(Self::NONE, |grants, word| {
            let named = Self::NAMES.iter().find(|(name, _)| *name == word);
            named.map(|(_, grant)| grants.with(*grant)).ok_or(GrantsError)
        })
    }
}

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
    /// The digest of its secret; of a public one, of a secret that nobody has.
    pub secret_sha256: Sha256,
    /// The user that it is when it acts for itself.
    pub service_user: UserId,
    /// Whether it can keep a secret.
    pub kind: AppKind,
    /// Whether it may be used.
    pub state: AppState,
    /// Where browsers may be sent back to.
    pub redirect_uris: Vec<String>,
    /// What its credentials are worth at most.
    pub scopes: Scopes,
    /// How it may ask for tokens.
    pub grants: Grants,
    /// Whether it may act as any user of the enterprise without being let by them.
    pub acts_as_users: bool,
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

macro_rules! columns {
    () => {
        "id, enterprise_id, name, client_id, secret_sha256, service_user_id, created_at, kind, state, redirect_uris,
         scopes, grants, acts_as_users"
    };
}

/// Stores an application. `Duplicate` when its client id is taken.
pub fn add(tx: &mut Tx<'_>, app: &App) -> Result<(), Error> {
    tx.put(
        concat!("INSERT INTO apps (", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"),
        &[
            app.app.into(),
            app.enterprise.into(),
            app.name.as_str().into(),
            app.client_id.as_str().into(),
            app.secret_sha256.0.as_slice().into(),
            app.service_user.into(),
            app.created_at.into(),
            kind_number(app.kind).into(),
            state_number(app.state).into(),
            app.redirect_uris.join("\n").as_str().into(),
            app.scopes.to_string().as_str().into(),
            app.grants.0.into(),
            i64::from(app.acts_as_users).into(),
        ],
    )?;
    Ok(())
}

/// Stores what may be changed of an application: all but its id, its enterprise, its client id, its service account and
/// its kind. `false` when there is none.
pub fn update(tx: &mut Tx<'_>, app: &App) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE apps SET name = ?2, secret_sha256 = ?3, state = ?4, redirect_uris = ?5, scopes = ?6, grants = ?7,
           acts_as_users = ?8
         WHERE id = ?1",
        &[
            app.app.into(),
            app.name.as_str().into(),
            app.secret_sha256.0.as_slice().into(),
            state_number(app.state).into(),
            app.redirect_uris.join("\n").as_str().into(),
            app.scopes.to_string().as_str().into(),
            app.grants.0.into(),
            i64::from(app.acts_as_users).into(),
        ],
    )?;
    Ok(changed > 0)
}

/// Removes an application: its credentials are worth nothing from then on. `false` when there is none. Its public keys
/// must be gone.
pub fn remove(tx: &mut Tx<'_>, app: AppId) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM apps WHERE id = ?1", &[app.into()])? > 0)
}

/// The application with that id, or `None`.
pub fn by_id(tx: &mut Tx<'_>, app: AppId) -> Result<Option<App>, Error> {
    tx.query_one(concat!("SELECT ", columns!(), " FROM apps WHERE id = ?1"), &[app.into()], read_app)
}

/// The application with that client id, or `None`.
pub fn by_client_id(tx: &mut Tx<'_>, client_id: &str) -> Result<Option<App>, Error> {
    tx.query_one(concat!("SELECT ", columns!(), " FROM apps WHERE client_id = ?1"), &[client_id.into()], read_app)
}

/// Up to `limit` applications of an enterprise after `after`, in order of ids, without the one that has the client id `except`.
pub fn of_enterprise(
    tx: &mut Tx<'_>,
    enterprise: EnterpriseId,
    after: Option<AppId>,
    except: Option<&str>,
    limit: u32,
) -> Result<Vec<App>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            columns!(),
            " FROM apps WHERE enterprise_id = ?1 AND id > ?2 AND client_id <> ?3 ORDER BY id LIMIT ?4"
        ),
        &[
            enterprise.into(),
            Value::Int(after.map_or(0, AppId::number)),
            except.unwrap_or_default().into(),
            limit.into(),
        ],
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

/// Removes the public keys of an application. An application has a handful of them.
pub fn remove_public_keys(tx: &mut Tx<'_>, app: AppId) -> Result<(), Error> {
    tx.put("DELETE FROM public_keys WHERE app_id = ?1", &[app.into()])
}

/// What credentials of an application are worth at most: `None` when it is not there, or disabled.
pub(crate) fn scopes(tx: &mut Tx<'_>, app: AppId) -> Result<Option<Scopes>, Error> {
    tx.query_one("SELECT scopes FROM apps WHERE id = ?1 AND state = 0", &[app.into()], |row| read_scopes(row, 0))
}

pub(crate) fn read_scopes(row: &Row<'_>, column: usize) -> Result<Scopes, Error> {
    row.text(column)?.parse().map_err(|_| Error::damaged("scopes"))
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
        kind: match row.int(7)? {
            0 => AppKind::Confidential,
            1 => AppKind::Public,
            _ => return Err(Error::damaged("an app's kind")),
        },
        state: match row.int(8)? {
            0 => AppState::Enabled,
            1 => AppState::Disabled,
            _ => return Err(Error::damaged("an app's state")),
        },
        redirect_uris: row.text(9)?.lines().map(str::to_owned).collect(),
        scopes: read_scopes(row, 10)?,
        grants: Grants(u32::try_from(row.int(11)?).map_err(|_| Error::damaged("an app's grants"))?),
        acts_as_users: row.int(12)? != 0,
    })
}

const fn kind_number(kind: AppKind) -> i64 {
    match kind {
        AppKind::Confidential => 0,
        AppKind::Public => 1,
    }
}

const fn state_number(state: AppState) -> i64 {
    match state {
        AppState::Enabled => 0,
        AppState::Disabled => 1,
    }
}
