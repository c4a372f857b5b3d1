//! Other mail addresses by which users are known.

use crate::{Error, Tx};
use entente_model::{AliasId, Timestamp, UserId, fold};

/// How many a user has at most.
pub const ALIASES_MAX: u32 = 50;

/// An address as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Its id.
    pub id: AliasId,
    /// Whose.
    pub user: UserId,
    /// The address.
    pub email: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// Stores an address. `Duplicate` when it is somebody's already.
pub fn insert(tx: &mut Tx<'_>, new: &Alias) -> Result<(), Error> {
    tx.put(
        "INSERT INTO email_aliases (id, user_id, email, email_folded, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            new.id.into(),
            new.user.into(),
            new.email.as_str().into(),
            fold(&new.email).as_str().into(),
            new.created_at.into(),
        ],
    )
}

/// All addresses of a user, up to [`ALIASES_MAX`], the oldest first.
pub fn of_user(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Alias>, Error> {
    let sql = "SELECT id, email, created_at FROM email_aliases WHERE user_id = ?1 ORDER BY id LIMIT ?2";
    tx.query(sql, &[user.into(), ALIASES_MAX.into()], |row| {
        Ok(Alias {
            id: AliasId::new(row.int(0)?),
            user,
            email: row.text(1)?,
            created_at: Timestamp::from_millis(row.int(2)?),
        })
    })
}

/// Removes an address of a user. `false` when the user has none with that id.
pub fn remove(tx: &mut Tx<'_>, user: UserId, id: AliasId) -> Result<bool, Error> {
    let sql = "DELETE FROM email_aliases WHERE id = ?1 AND user_id = ?2";
    Ok(tx.execute(sql, &[id.into(), user.into()])? > 0)
}

/// Removes an address of a user that has become the login.
pub fn remove_address(tx: &mut Tx<'_>, user: UserId, email: &str) -> Result<(), Error> {
    let folded = fold(email);
    let sql = "DELETE FROM email_aliases WHERE email_folded = ?1 AND user_id = ?2";
    tx.put(sql, &[folded.as_str().into(), user.into()])
}
