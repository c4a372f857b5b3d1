//! How many children a folder has, counted as they come and go.

use crate::{Error, Tx};
use entente_model::ItemId;

/// Into how many rows a folder's count is spread. Writers of different items mostly meet in different rows.
const SHARDS: i64 = 8;
/// The low bits of an id tell its process: they do not spread.
const PROCESS_BITS: i64 = 10;

/// Counts that a folder has gained (`by` 1) or lost (-1) the child.
fn add(tx: &mut Tx<'_>, folder: ItemId, child: ItemId, by: i64) -> Result<(), Error> {
    let shard = (child.number() >> PROCESS_BITS).rem_euclid(SHARDS);
    tx.put(
        "INSERT INTO folder_counts (folder_id, shard, children) VALUES (?1, ?2, ?3)
         ON CONFLICT (folder_id, shard) DO UPDATE SET children = folder_counts.children + excluded.children",
        &[folder.into(), shard.into(), by.into()],
    )?;
    Ok(())
}

/// Counts that a folder has gained the child.
pub fn gained(tx: &mut Tx<'_>, folder: ItemId, child: ItemId) -> Result<(), Error> {
    add(tx, folder, child, 1)
}

/// Counts that a folder has lost the child.
pub fn lost(tx: &mut Tx<'_>, folder: ItemId, child: ItemId) -> Result<(), Error> {
    add(tx, folder, child, -1)
}

/// How many children a folder has.
pub fn children(tx: &mut Tx<'_>, folder: ItemId) -> Result<u64, Error> {
    let sql = "SELECT coalesce(sum(children), 0) FROM folder_counts WHERE folder_id = ?1";
    Ok(tx.query_one(sql, &[folder.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Removes the count of a folder that is removed itself.
pub fn remove(tx: &mut Tx<'_>, folder: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM folder_counts WHERE folder_id = ?1", &[folder.into()])?;
    Ok(())
}
