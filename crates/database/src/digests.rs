//! The SHA-1 of contents whose bytes were never read as a whole: how far it has come, and what it is.

use crate::{Error, Tx, contents, versions};
use entente_model::{ContentId, Sha1};

/// How far the SHA-1 of a content has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Bytes that were hashed: a multiple of 64.
    pub position: u64,
    /// What carries on from there.
    pub state: [u8; 20],
}

/// How far a content's is; `None` when nothing was kept.
pub fn begun(tx: &mut Tx<'_>, content: ContentId) -> Result<Option<Begun>, Error> {
    tx.query_one("SELECT position, state FROM digests WHERE content_id = ?1", &[content.into()], |row| {
        Ok(Begun { position: row.size(0)?, state: row.array(1)? })
    })
}

/// Keeps how far it is, unless nothing refers to the content any more.
pub fn keep(tx: &mut Tx<'_>, content: ContentId, begun: &Begun) -> Result<(), Error> {
    if contents::by_id(tx, content)?.is_none() {
        return Ok(());
    }
    tx.put(
        "INSERT INTO digests (content_id, position, state) VALUES (?1, ?2, ?3)
         ON CONFLICT (content_id) DO UPDATE SET position = excluded.position, state = excluded.state",
        &[content.into(), begun.position.into(), begun.state.as_slice().into()],
    )
}

/// Keeps what it is, for the content and for the versions that have it.
pub fn complete(tx: &mut Tx<'_>, content: ContentId, sha1: Sha1) -> Result<(), Error> {
    contents::set_sha1(tx, content, sha1)?;
    versions::set_sha1(tx, content, sha1)?;
    forget(tx, content)
}

/// Forgets what was begun: the content goes.
pub(crate) fn forget(tx: &mut Tx<'_>, content: ContentId) -> Result<(), Error> {
    tx.put("DELETE FROM digests WHERE content_id = ?1", &[content.into()])
}
