//! Passwords that people sign in with, as hashes, and how often somebody failed to.

use crate::{Error, Tx};
use entente_model::{Sha256, Timestamp, UserId, fold};

/// Who signs in with a login, and what the password is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignsIn {
    /// The user.
    pub user: UserId,
    /// The hash of the password, in the text form of its algorithm.
    pub hash: String,
}

/// Failures lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last_at: Timestamp,
}

/// Who signs in with that login: an active person with a password, by their login or another address of theirs.
pub fn by_login(tx: &mut Tx<'_>, login: &str) -> Result<Option<SignsIn>, Error> {
    let folded = fold(login);
    let read = |row: &crate::tx::Row<'_>| Ok(SignsIn { user: UserId::new(row.int(0)?), hash: row.text(1)? });
    let by_login = tx.query_one(
        "SELECT u.id, p.hash FROM users u JOIN passwords p ON p.user_id = u.id
         WHERE u.login_folded = ?1 AND u.status IN (0, 2, 3) AND u.kind IN (0, 3)",
        &[folded.as_str().into()],
        read,
    )?;
    if by_login.is_some() {
        return Ok(by_login);
    }
    tx.query_one(
        "SELECT u.id, p.hash FROM email_aliases a JOIN users u ON u.id = a.user_id JOIN passwords p ON p.user_id = u.id
         WHERE a.email_folded = ?1 AND u.status IN (0, 2, 3) AND u.kind IN (0, 3)",
        &[folded.as_str().into()],
        read,
    )
}

/// The hash of a user's password.
pub fn hash(tx: &mut Tx<'_>, user: UserId) -> Result<Option<String>, Error> {
    tx.query_one("SELECT hash FROM passwords WHERE user_id = ?1", &[user.into()], |row| row.text(0))
}

/// Sets the hash of a user's password, whatever it was.
pub fn set(tx: &mut Tx<'_>, user: UserId, hash: &str, at: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO passwords (user_id, hash, set_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, set_at = excluded.set_at",
        &[user.into(), hash.into(), at.into()],
    )
}

/// How often somebody failed lately.
pub fn failures(tx: &mut Tx<'_>, of: &Sha256) -> Result<Option<Failures>, Error> {
    tx.query_one("SELECT count, last_at FROM sign_in_failures WHERE sha256 = ?1", &[of.0.as_slice().into()], |row| {
        let count = u32::try_from(row.int(0)?).map_err(|_| Error::damaged("a count of failures"))?;
        Ok(Failures { count, last_at: Timestamp::from_millis(row.int(1)?) })
    })
}

/// Sets how often somebody failed lately.
pub fn set_failures(tx: &mut Tx<'_>, of: &Sha256, failures: Failures) -> Result<(), Error> {
    tx.put(
        "INSERT INTO sign_in_failures (sha256, count, last_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (sha256) DO UPDATE SET count = excluded.count, last_at = excluded.last_at",
        &[of.0.as_slice().into(), failures.count.into(), failures.last_at.into()],
    )
}

/// Forgets how often somebody failed.
pub fn forgive(tx: &mut Tx<'_>, of: &Sha256) -> Result<(), Error> {
    tx.put("DELETE FROM sign_in_failures WHERE sha256 = ?1", &[of.0.as_slice().into()])
}

/// Forgets up to `limit` failures that were before `before`; answers how many.
pub fn forget_failures(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM sign_in_failures
         WHERE sha256 IN (SELECT sha256 FROM sign_in_failures WHERE last_at < ?1 ORDER BY last_at LIMIT ?2)",
        &[before.into(), limit.into()],
    )
}
