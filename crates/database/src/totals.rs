//! What the tables hold in all: for `status`, and for tests that nothing is left behind. Counts every row.

use crate::{Error, Tx};

/// Rows and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Items, with roots, trashes, and what is in limbo.
    pub items: u64,
    /// Versions of files.
    pub versions: u64,
    /// Contents, which versions share.
    pub contents: u64,
    /// Chunks of contents.
    pub chunks: u64,
    /// Sealed bytes that segments count as held.
    pub live_bytes: u64,
    /// Sealed bytes that chunks and the parts of uploads hold. Always equal to `live_bytes`.
    pub held_bytes: u64,
    /// Pieces of which contents are made, each of another content.
    pub pieces: u64,
    /// Parts of multipart uploads, each a content.
    pub parts: u64,
    /// References that contents count. Always equal to `versions`, `pieces` and `parts` together.
    pub references: u64,
    /// Children that folders count.
    pub counted_children: u64,
    /// Items that have a parent. Always equal to `counted_children`.
    pub children: u64,
    /// Bytes that users count as used.
    pub space_used_bytes: u64,
    /// Bytes of all versions. Always equal to `space_used_bytes`.
    pub version_bytes: u64,
}

/// Counts.
pub fn totals(tx: &mut Tx<'_>) -> Result<Totals, Error> {
    let found = tx.query_one(
        "SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM versions), (SELECT count(*) FROM contents),
           (SELECT count(*) FROM chunks), (SELECT coalesce(sum(live), 0) FROM segments),
           (SELECT coalesce(sum(length), 0) FROM chunks) + (SELECT coalesce(sum(length), 0) FROM upload_parts),
           (SELECT coalesce(sum(references_count), 0) FROM contents),
           (SELECT coalesce(sum(children), 0) FROM folder_counts),
           (SELECT count(*) FROM items WHERE parent_id IS NOT NULL),
           (SELECT coalesce(sum(space_used), 0) FROM users), (SELECT coalesce(sum(size), 0) FROM versions),
           (SELECT count(*) FROM pieces), (SELECT count(*) FROM multipart_parts)",
        &[],
        |row| {
            Ok(Totals {
                items: row.size(0)?,
                versions: row.size(1)?,
                contents: row.size(2)?,
                chunks: row.size(3)?,
                live_bytes: row.size(4)?,
                held_bytes: row.size(5)?,
                references: row.size(6)?,
                counted_children: row.size(7)?,
                children: row.size(8)?,
                space_used_bytes: row.size(9)?,
                version_bytes: row.size(10)?,
                pieces: row.size(11)?,
                parts: row.size(12)?,
            })
        },
    )?;
    found.ok_or(Error::damaged("no totals"))
}
