//! Browsers in which somebody has signed in, known by the SHA-256 of their cookies.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{Sha256, Timestamp, UserId, WebSessionId};

/// A browser in which somebody has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSession {
    /// Its id, to speak of it without the cookie.
    pub id: WebSessionId,
    /// Who has signed in.
    pub user: UserId,
    /// What the browser called itself.
    pub program: String,
    /// From where it came.
    pub address: String,
    /// When.
    pub signed_in_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
}

/// Stores a session by the digest of its cookie.
pub fn add(tx: &mut Tx<'_>, sha256: &Sha256, session: &WebSession) -> Result<(), Error> {
    tx.put(
        "INSERT INTO web_sessions (sha256, id, user_id, program, address, signed_in_at, seen_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            sha256.0.as_slice().into(),
            session.id.into(),
            session.user.into(),
            session.program.as_str().into(),
            session.address.as_str().into(),
            session.signed_in_at.into(),
            session.seen_at.into(),
            session.expires_at.into(),
        ],
    )
}

/// The session with that digest, if its user is active. Whether it has ended is for the caller of this function to see.
pub fn held(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<Option<WebSession>, Error> {
    tx.query_one(
        "SELECT s.id, s.user_id, s.program, s.address, s.signed_in_at, s.seen_at, s.expires_at
         FROM web_sessions s JOIN users u ON u.id = s.user_id WHERE s.sha256 = ?1 AND u.status IN (0, 2, 3)",
        &[sha256.0.as_slice().into()],
        read,
    )
}

/// Notes that a session was used.
pub fn seen(tx: &mut Tx<'_>, sha256: &Sha256, at: Timestamp) -> Result<(), Error> {
    tx.put("UPDATE web_sessions SET seen_at = ?2 WHERE sha256 = ?1", &[sha256.0.as_slice().into(), at.into()])
}

/// Up to `limit` sessions of a user, in the order in which they began.
pub fn of_user(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<Vec<WebSession>, Error> {
    tx.query(
        "SELECT id, user_id, program, address, signed_in_at, seen_at, expires_at FROM web_sessions
         WHERE user_id = ?1 ORDER BY id LIMIT ?2",
        &[user.into(), limit.into()],
        read,
    )
}

/// Ends a session by its cookie. `false` when there is none.
pub fn end(tx: &mut Tx<'_>, sha256: &Sha256) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM web_sessions WHERE sha256 = ?1", &[sha256.0.as_slice().into()])? > 0)
}

/// Ends a session of a user. `false` when the user has none with that id.
pub fn end_by_id(tx: &mut Tx<'_>, user: UserId, id: WebSessionId) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM web_sessions WHERE user_id = ?1 AND id = ?2", &[user.into(), id.into()])? > 0)
}

/// Ends up to `limit` sessions of a user but one; answers how many.
pub fn end_others(tx: &mut Tx<'_>, user: UserId, kept: WebSessionId, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM web_sessions WHERE sha256 IN
           (SELECT sha256 FROM web_sessions WHERE user_id = ?1 AND id <> ?2 ORDER BY id LIMIT ?3)",
        &[user.into(), kept.into(), limit.into()],
    )
}

/// Removes up to `limit` sessions that ended before `before`; answers how many.
pub fn remove_expired(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM web_sessions
         WHERE sha256 IN (SELECT sha256 FROM web_sessions WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        &[before.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<WebSession, Error> {
    Ok(WebSession {
        id: WebSessionId::new(row.int(0)?),
        user: UserId::new(row.int(1)?),
        program: row.text(2)?,
        address: row.text(3)?,
        signed_in_at: Timestamp::from_millis(row.int(4)?),
        seen_at: Timestamp::from_millis(row.int(5)?),
        expires_at: Timestamp::from_millis(row.int(6)?),
    })
}
