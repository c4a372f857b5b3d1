//! What the store holds, by queries that stay quick however much it is.

use crate::{Error, Tx};

/// Rows of a table that are counted at most.
pub const COUNT_MAX: u64 = 5_000_000;

/// How many rows of each there are, each counted up to [`COUNT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Migrations that the database has run.
    pub schema: u64,
    /// Users.
    pub users: u64,
    /// Files, those in the trash too.
    pub files: u64,
    /// Folders, each user's root and trash too.
    pub folders: u64,
    /// File versions.
    pub versions: u64,
    /// Bytes of all versions, as they count towards their owners' limits.
    pub version_bytes: u64,
    /// Segments that hold, or held, contents.
    pub segments: u64,
    /// Their bytes.
    pub segment_bytes: u64,
    /// Bytes in segments to which contents refer.
    pub live_bytes: u64,
}

/// A key encryption key in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// Its name, as the custodian calls it.
    pub key_encryption_key: String,
    /// Epoch keys that it wraps.
    pub epochs: u64,
}

/// Counts. Some tenths of a second for a million files: give it to [`crate::Database::read_long`].
pub fn statistics(tx: &mut Tx<'_>) -> Result<Statistics, Error> {
    let limit = COUNT_MAX.into();
    let schema = tx.query_one("SELECT count(*) FROM migrations", &[], |row| row.size(0))?;
    let users = tx.query_one(
        "SELECT count(CASE WHEN status <> 4 THEN 1 END), coalesce(sum(space_used), 0) FROM users",
        &[],
        |row| Ok((row.size(0)?, row.size(1)?)),
    )?;
    let versions =
        tx.query_one("SELECT count(*) FROM (SELECT item_id FROM versions LIMIT ?1) AS v", &[limit], |row| row.size(0))?;
    let items = tx.query_one(
        "SELECT count(*), coalesce(sum(CASE WHEN kind = 0 THEN 1 ELSE 0 END), 0),
           coalesce(sum(CASE WHEN kind = 1 THEN 1 ELSE 0 END), 0)
         FROM (SELECT kind FROM items LIMIT ?1) AS i",
        &[limit],
        |row| Ok((row.size(1)?, row.size(2)?)),
    )?;
    let segments = tx.query_one(
        "SELECT count(*), coalesce(sum(size), 0), coalesce(sum(live), 0)
         FROM (SELECT size, live FROM segments WHERE state <> 0 LIMIT ?1) AS s",
        &[limit],
        |row| Ok((row.size(0)?, row.size(1)?, row.size(2)?)),
    )?;
    let (users, version_bytes) = users.unwrap_or_default();
    let (folders, files) = items.unwrap_or_default();
    let (segments, segment_bytes, live_bytes) = segments.unwrap_or_default();
    Ok(Statistics {
        schema: schema.unwrap_or_default(),
        users,
        files,
        folders,
        versions: versions.unwrap_or_default(),
        version_bytes,
        segments,
        segment_bytes,
        live_bytes,
    })
}

/// The key encryption keys that wrap epoch keys.
pub fn keys(tx: &mut Tx<'_>) -> Result<Vec<KeyUse>, Error> {
    tx.query(
        "SELECT key_encryption_key, count(*) FROM epochs GROUP BY key_encryption_key ORDER BY key_encryption_key",
        &[],
        |row| Ok(KeyUse { key_encryption_key: row.text(0)?, epochs: row.size(1)? }),
    )
}
