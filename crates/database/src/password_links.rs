//! Links by which users set a password without having one.

use crate::{Error, Tx};
use entente_model::{Sha256, Timestamp, UserId};

/// Stores the digest of a user's link; the one before is worth nothing from then on.
pub fn set(tx: &mut Tx<'_>, user: UserId, digest: &Sha256, expires_at: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO password_links (user_id, sha256, expires_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id) DO UPDATE SET sha256 = ?2, expires_at = ?3",
        &[user.into(), digest.0.as_slice().into(), expires_at.into()],
    )?;
    Ok(())
}

/// Whose link that is, if it is still good.
pub fn user(tx: &mut Tx<'_>, digest: &Sha256, now: Timestamp) -> Result<Option<UserId>, Error> {
    let sql = "SELECT user_id FROM password_links WHERE sha256 = ?1 AND expires_at > ?2";
    tx.query_one(sql, &[digest.0.as_slice().into(), now.into()], |row| Ok(UserId::new(row.int(0)?)))
}

/// Takes a user's link away.
pub fn remove(tx: &mut Tx<'_>, user: UserId) -> Result<(), Error> {
    tx.put("DELETE FROM password_links WHERE user_id = ?1", &[user.into()])?;
    Ok(())
}
