//! Contents that are made of pieces of others.
//!
//! Each piece refers to a content that has chunks of its own, never to one that is itself of pieces, and holds one reference
//! to it. So whatever becomes of a content with chunks (other segments, another zone, damage) is looked after there, once,
//! however many are made of it.

use crate::tx::Row;
use crate::{Error, Tx, contents, digests};
use entente_model::{CHUNK_SIZE_BYTES, ContentId, EnterpriseId};
use entente_vault::Piece;

/// Up to `limit` pieces of a content, in order, from the one on that has its byte `from`. None of one with chunks.
pub fn of(tx: &mut Tx<'_>, content: ContentId, from: u64, limit: u32) -> Result<Vec<Piece>, Error> {
    tx.query(
        "SELECT start, source_id, source_start, length FROM pieces WHERE content_id = ?1
           AND start >= (SELECT coalesce(max(start), 0) FROM pieces WHERE content_id = ?1 AND start <= ?2)
         ORDER BY start LIMIT ?3",
        &[content.into(), from.into(), limit.into()],
        read,
    )
}

/// How many pieces a content has that reach into a range of it. Stops counting at `limit`.
pub fn count(tx: &mut Tx<'_>, content: ContentId, (from, to): (u64, u64), limit: u32) -> Result<u32, Error> {
    let found = of(tx, content, from, limit)?;
    let within = found.iter().take_while(|piece| piece.start < to).count();
    Ok(u32::try_from(within).unwrap_or(u32::MAX))
}

/// Begins a content with one reference that will have so many pieces and bytes.
pub fn begin(
    tx: &mut Tx<'_>,
    content: ContentId,
    enterprise: EnterpriseId,
    (pieces, size): (u32, u64),
) -> Result<(), Error> {
    let none: &[u8] = &[];
    tx.put(
        "INSERT INTO contents (id, enterprise_id, zone_id, policy_id, epoch_id, data_key, size, sha1, references_count,
           owner_id, pieces)
         VALUES (?1, ?2, 0, 0, 0, ?3, ?4, NULL, 1, 0, ?5)",
        &[content.into(), enterprise.into(), none.into(), size.into(), pieces.into()],
    )
}

/// Adds a piece to a content that was begun. The reference to its source is the caller's to give.
pub fn add(tx: &mut Tx<'_>, content: ContentId, piece: &Piece) -> Result<(), Error> {
    tx.put(
        "INSERT INTO pieces (content_id, start, source_id, source_start, length) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[content.into(), piece.start.into(), piece.source.into(), piece.source_start.into(), piece.length.into()],
    )
}

/// Notes of a content of pieces that only its customer can open it, if that is so of what its pieces are of: all are sealed
/// with one customer's key, or with none.
pub fn inherit_customer(tx: &mut Tx<'_>, content: ContentId) -> Result<(), Error> {
    tx.put(
        "UPDATE contents SET customer_check = (SELECT s.customer_check FROM pieces p JOIN contents s ON s.id = p.source_id
           WHERE p.content_id = ?1 ORDER BY p.start LIMIT 1) WHERE id = ?1",
        &[content.into()],
    )
}

/// Moves all pieces of a content to another that was begun, where they begin at `start`. Nothing is left of the first one,
/// to which the caller had the only reference.
pub fn take_over(tx: &mut Tx<'_>, from: ContentId, to: ContentId, start: u64) -> Result<(), Error> {
    tx.put(
        "UPDATE pieces SET content_id = ?2, start = start + ?3 WHERE content_id = ?1",
        &[from.into(), to.into(), start.into()],
    )?;
    tx.put("DELETE FROM contents WHERE id = ?1", &[from.into()])
}

/// Takes contents of pieces apart to which nothing refers any more: releases about so many chunks of others, and at least one
/// piece. `true` when nothing is left to be done. Harmless to run twice.
pub fn take_apart(tx: &mut Tx<'_>, chunks: u32) -> Result<bool, Error> {
    let mut left = chunks.max(1);
    loop {
        let released =
            tx.query_one("SELECT id FROM contents WHERE references_count = 0 ORDER BY id LIMIT 1", &[], |row| {
                Ok(ContentId::new(row.int(0)?))
            })?;
        let Some(content) = released else { return Ok(true) };
        // The last first: what is left is a beginning.
        let pieces = tx.query(
            "SELECT p.start, p.source_id, c.size FROM pieces p JOIN contents c ON c.id = p.source_id
             WHERE p.content_id = ?1 ORDER BY p.start DESC LIMIT ?2",
            &[content.into(), left.into()],
            |row| Ok((row.size(0)?, ContentId::new(row.int(1)?), row.size(2)?)),
        )?;
        if pieces.is_empty() {
            digests::forget(tx, content)?;
            tx.execute("DELETE FROM contents WHERE id = ?1 AND references_count = 0", &[content.into()])?;
            left = left.saturating_sub(1);
        }
        for (start, source, size) in pieces {
            if left == 0 {
                return Ok(false);
            }
            contents::release(tx, source)?;
            tx.put("DELETE FROM pieces WHERE content_id = ?1 AND start = ?2", &[content.into(), start.into()])?;
            left = left.saturating_sub(cost(size));
        }
        if left == 0 {
            return Ok(false);
        }
    }
}

/// What it costs to release so many bytes, in chunks: about, and at least 1.
pub(crate) fn cost(bytes: u64) -> u32 {
    u32::try_from(bytes / CHUNK_SIZE_BYTES).unwrap_or(u32::MAX).saturating_add(1)
}

fn read(row: &Row<'_>) -> Result<Piece, Error> {
    Ok(Piece {
        start: row.size(0)?,
        source: ContentId::new(row.int(1)?),
        source_start: row.size(2)?,
        length: row.size(3)?,
    })
}
