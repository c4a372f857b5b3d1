//! Passkeys: public keys of devices that sign their users in, and the challenges that were answered.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{PasskeyId, Sha256, Timestamp, UserId};

/// Challenges that have ended and are forgotten with each new one.
const FORGOTTEN_AT_ONCE: i64 = 10;

/// A passkey as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// What the device calls it.
    pub credential: Vec<u8>,
    /// The public key (RFC 9052, 7).
    pub public_key: Vec<u8>,
    /// Its algorithm's number (IANA, COSE algorithms).
    pub algorithm: i64,
    /// How often it was used, of devices that count; 0 of others.
    pub counter: u32,
    /// What its user calls it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was used last.
    pub used_at: Option<Timestamp>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, user_id, credential, public_key, algorithm, counter, name, created_at, used_at FROM passkeys ",
            $rest
        )
    };
}

/// Adds one, whose name at its device has that digest. `false` when that is somebody's already.
pub fn add(tx: &mut Tx<'_>, passkey: &Passkey, digest: &Sha256) -> Result<bool, Error> {
    let added = tx.execute(
        "INSERT INTO passkeys (id, user_id, credential, credential_sha256, public_key, algorithm, counter, name,
           created_at, used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)
         ON CONFLICT (credential_sha256) DO NOTHING",
        &[
            passkey.id.into(),
            passkey.user.into(),
            passkey.credential.as_slice().into(),
            digest.0.as_slice().into(),
            passkey.public_key.as_slice().into(),
            passkey.algorithm.into(),
            passkey.counter.into(),
            passkey.name.as_str().into(),
            passkey.created_at.into(),
        ],
    )?;
    Ok(added > 0)
}

/// Up to `limit` of a user, in the order in which they were added.
pub fn of_user(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<Vec<Passkey>, Error> {
    tx.query(select!("WHERE user_id = ?1 ORDER BY id LIMIT ?2"), &[user.into(), limit.into()], read)
}

/// The one whose name at its device has that digest.
pub fn by_digest(tx: &mut Tx<'_>, digest: &Sha256) -> Result<Option<Passkey>, Error> {
    tx.query_one(select!("WHERE credential_sha256 = ?1"), &[digest.0.as_slice().into()], read)
}

/// Notes that one was used. `false` when it is gone, or its device has counted so far before: then two have the same key.
pub fn used(tx: &mut Tx<'_>, id: PasskeyId, counter: u32, at: Timestamp) -> Result<bool, Error> {
    let noted = tx.execute(
        "UPDATE passkeys SET counter = ?2, used_at = ?3 WHERE id = ?1 AND (counter < ?2 OR counter = 0 AND ?2 = 0)",
        &[id.into(), counter.into(), at.into()],
    )?;
    Ok(noted > 0)
}

/// Removes one of a user. `false` when it is not theirs.
pub fn remove(tx: &mut Tx<'_>, user: UserId, id: PasskeyId) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM passkeys WHERE id = ?1 AND user_id = ?2", &[id.into(), user.into()])? > 0)
}

/// Removes all of a user. `false` when there were none.
pub fn remove_of_user(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM passkeys WHERE user_id = ?1", &[user.into()])? > 0)
}

/// Uses up a challenge that is worth nothing from then on. `false` when it was answered before.
pub fn use_challenge(
    tx: &mut Tx<'_>,
    digest: &Sha256,
    (expires_at, now): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    tx.execute(
        "DELETE FROM used_challenges WHERE sha256 IN
           (SELECT sha256 FROM used_challenges WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        &[now.into(), FORGOTTEN_AT_ONCE.into()],
    )?;
    let used = tx.execute(
        "INSERT INTO used_challenges (sha256, expires_at) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING",
        &[digest.0.as_slice().into(), expires_at.into()],
    )?;
    Ok(used > 0)
}

fn read(row: &Row<'_>) -> Result<Passkey, Error> {
    Ok(Passkey {
        id: PasskeyId::new(row.int(0)?),
        user: UserId::new(row.int(1)?),
        credential: row.blob(2)?,
        public_key: row.blob(3)?,
        algorithm: row.int(4)?,
        counter: u32::try_from(row.int(5)?).map_err(|_| Error::damaged("how often a passkey was used"))?,
        name: row.text(6)?,
        created_at: Timestamp::from_millis(row.int(7)?),
        used_at: row.int_or_null(8)?.map(Timestamp::from_millis),
    })
}
