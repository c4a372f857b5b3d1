//! Second factors: what codes are made of, codes for whoever lost that, and sign-ins that wait for a code.

use crate::{Error, Tx};
use entente_model::{EnterpriseId, Sha256, Timestamp, UserId};

/// What a user's codes are made of.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// The step whose code was used last.
    pub used_step: i64,
}

/// A sign-in that waits for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BegunSignIn {
    /// Who has shown their password.
    pub user: UserId,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// What a user's codes are made of, if they have a second factor.
pub fn of_user(tx: &mut Tx<'_>, user: UserId) -> Result<Option<SecondFactor>, Error> {
    tx.query_one("SELECT sealed, used_step FROM second_factors WHERE user_id = ?1", &[user.into()], |row| {
        Ok(SecondFactor { sealed: row.blob(0)?, used_step: row.int(1)? })
    })
}

/// Gives a user a second factor. `false` when they have one, which stays.
pub fn add(tx: &mut Tx<'_>, user: UserId, factor: &SecondFactor, at: Timestamp) -> Result<bool, Error> {
    let added = tx.execute(
        "INSERT INTO second_factors (user_id, sealed, used_step, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user_id) DO NOTHING",
        &[user.into(), factor.sealed.as_slice().into(), factor.used_step.into(), at.into()],
    )?;
    Ok(added > 0)
}

/// Notes that the code of a step was used. `false` when it or a later one was used before, or the second factor is
/// another one: then the code is good for nothing.
pub fn use_step(tx: &mut Tx<'_>, user: UserId, sealed: &[u8], step: i64) -> Result<bool, Error> {
    let used = tx.execute(
        "UPDATE second_factors SET used_step = ?3 WHERE user_id = ?1 AND sealed = ?2 AND used_step < ?3",
        &[user.into(), sealed.into(), step.into()],
    )?;
    Ok(used > 0)
}

/// Takes a user's second factor away, with the codes for whoever lost it. `false` when there is none.
pub fn remove(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Error> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = ?1", &[user.into()])?;
    Ok(tx.execute("DELETE FROM second_factors WHERE user_id = ?1", &[user.into()])? > 0)
}

/// Sets a user's recovery codes, whatever they were.
pub fn set_recovery_codes(tx: &mut Tx<'_>, user: UserId, codes: &[Sha256]) -> Result<(), Error> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = ?1", &[user.into()])?;
    for code in codes {
        tx.put(
            "INSERT INTO recovery_codes (user_id, sha256) VALUES (?1, ?2)",
            &[user.into(), code.0.as_slice().into()],
        )?;
    }
    Ok(())
}

/// Uses a recovery code up. `false` when the user has none such.
pub fn use_recovery_code(tx: &mut Tx<'_>, user: UserId, code: &Sha256) -> Result<bool, Error> {
    let used = tx.execute(
        "DELETE FROM recovery_codes WHERE user_id = ?1 AND sha256 = ?2",
        &[user.into(), code.0.as_slice().into()],
    )?;
    Ok(used > 0)
}

/// How many recovery codes a user has left.
pub fn recovery_codes_left(tx: &mut Tx<'_>, user: UserId) -> Result<i64, Error> {
    let left =
        tx.query_one("SELECT COUNT(*) FROM recovery_codes WHERE user_id = ?1", &[user.into()], |row| row.int(0))?;
    Ok(left.unwrap_or(0))
}

/// Whether everybody of an enterprise signs in with a second factor.
pub fn is_required(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<bool, Error> {
    let sql = "SELECT second_factor FROM enterprises WHERE id = ?1";
    Ok(tx.query_one(sql, &[enterprise.into()], |row| row.int(0))? == Some(1))
}

/// Whether everybody of a user's enterprise signs in with a second factor.
pub fn is_required_of(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Error> {
    let sql = "SELECT e.second_factor FROM users u JOIN enterprises e ON e.id = u.enterprise_id WHERE u.id = ?1";
    Ok(tx.query_one(sql, &[user.into()], |row| row.int(0))? == Some(1))
}

/// Says that everybody of an enterprise signs in with a second factor.
pub fn require(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<(), Error> {
    tx.put("UPDATE enterprises SET second_factor = 1 WHERE id = ?1", &[enterprise.into()])
}

/// Leaves it to the people of an enterprise whether they have a second factor.
pub fn waive(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<(), Error> {
    tx.put("UPDATE enterprises SET second_factor = 0 WHERE id = ?1", &[enterprise.into()])
}

/// Stores a sign-in that waits for a code, by the digest of its cookie.
pub fn begin(tx: &mut Tx<'_>, sha256: &Sha256, begun: &BegunSignIn) -> Result<(), Error> {
    tx.put(
        "INSERT INTO begun_sign_ins (sha256, user_id, expires_at) VALUES (?1, ?2, ?3)",
        &[sha256.0.as_slice().into(), begun.user.into(), begun.expires_at.into()],
    )
}

/// The sign-in with that digest, if its user is active. Whether it has expired is for the caller of this function to see.
pub fn begun(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<Option<BegunSignIn>, Error> {
    tx.query_one(
        "SELECT b.user_id, b.expires_at FROM begun_sign_ins b JOIN users u ON u.id = b.user_id
         WHERE b.sha256 = ?1 AND u.status IN (0, 2, 3)",
        &[sha256.0.as_slice().into()],
        |row| {
            let (user, expires_at) = (UserId::new(row.int(0)?), Timestamp::from_millis(row.int(1)?));
            Ok(BegunSignIn { user, expires_at })
        },
    )
}

/// Ends a sign-in that waited. `false` when there is none: somebody was quicker.
pub fn end_begun(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM begun_sign_ins WHERE sha256 = ?1", &[sha256.0.as_slice().into()])? > 0)
}

/// Ends sign-ins of a user that wait, but `kept` of them; answers how many.
pub fn end_begun_beyond(tx: &mut Tx<'_>, user: UserId, kept: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM begun_sign_ins WHERE user_id = ?1 AND sha256 NOT IN
           (SELECT sha256 FROM begun_sign_ins WHERE user_id = ?1 ORDER BY expires_at DESC, sha256 LIMIT ?2)",
        &[user.into(), kept.into()],
    )
}

/// Ends up to `limit` sign-ins of a user that wait; answers how many.
pub fn end_begun_of(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM begun_sign_ins
         WHERE sha256 IN (SELECT sha256 FROM begun_sign_ins WHERE user_id = ?1 ORDER BY sha256 LIMIT ?2)",
        &[user.into(), limit.into()],
    )
}

/// Removes up to `limit` sign-ins that waited until before `before`; answers how many.
pub fn remove_expired(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM begun_sign_ins
         WHERE sha256 IN (SELECT sha256 FROM begun_sign_ins WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        &[before.into(), limit.into()],
    )
}
