//! Items: folders, files and web links, in one table. Roots, trashes and what waits in limbo are folders on top.

mod ancestors;
mod listing;
mod row;

pub(crate) use ancestors::read_ancestor;
pub use ancestors::{ANCESTORS_MAX, Ancestor, ancestors};
pub use listing::{Child, Position, SortBy, SortOrder, explain_page, page_after, page_at, page_sorted, position_at};
pub(crate) use row::{COLUMNS, columns, name, read};
pub use row::{Item, Kind, Mark, Top, sort_name};

use crate::tx::Value;
use crate::{
    Error, Tx, collaborations, comments, favorites, file_requests, guards, locks, metadata, properties, recents,
    retention, shared_links, tasks,
};
use entente_model::{ItemId, ItemName};

/// Inserts an item as it is.
pub fn insert(tx: &mut Tx<'_>, item: &Item) -> Result<(), Error> {
    tx.put(
        "INSERT INTO items (id, kind, parent_id, top, top_user_id, name, name_folded, sequence, version_id, height,
           description, tags, created_at, created_by, modified_at, modified_by, content_created_at,
           content_modified_at, trashed_at, trashed_by, trashed_from, sort_name, implied, mark, url)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
           ?23, ?24, ?25)",
        &[
            item.id.into(),
            item.kind.number().into(),
            item.parent.into(),
            item.top.number().into(),
            item.top_user.into(),
            item.name.as_str().into(),
            item.name.folded().as_str().into(),
            item.sequence.into(),
            item.version.into(),
            item.height.into(),
            item.description.as_str().into(),
            row::join_tags(&item.tags).as_str().into(),
            item.created_at.into(),
            item.created_by.into(),
            item.modified_at.into(),
            item.modified_by.into(),
            item.content_created_at.into(),
            item.content_modified_at.into(),
            item.trashed_at.into(),
            item.trashed_by.into(),
            item.trashed_from.into(),
            item.sort_name().as_str().into(),
            i64::from(item.implied).into(),
            item.mark.number().into(),
            item.url.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Writes every column of an item that may change.
pub fn save(tx: &mut Tx<'_>, item: &Item) -> Result<(), Error> {
    tx.put(
        "UPDATE items SET parent_id = ?2, top = ?3, top_user_id = ?4, name = ?5, name_folded = ?6, sequence = ?7,
           version_id = ?8, height = ?9, description = ?10, tags = ?11, modified_at = ?12, modified_by = ?13,
           content_created_at = ?14, content_modified_at = ?15, trashed_at = ?16, trashed_by = ?17, trashed_from = ?18,
           sort_name = ?19, implied = ?20, mark = ?21, url = ?22
         WHERE id = ?1",
        &[
            item.id.into(),
            item.parent.into(),
            item.top.number().into(),
            item.top_user.into(),
            item.name.as_str().into(),
            item.name.folded().as_str().into(),
            item.sequence.into(),
            item.version.into(),
            item.height.into(),
            item.description.as_str().into(),
            row::join_tags(&item.tags).as_str().into(),
            item.modified_at.into(),
            item.modified_by.into(),
            item.content_created_at.into(),
            item.content_modified_at.into(),
            item.trashed_at.into(),
            item.trashed_by.into(),
            item.trashed_from.into(),
            item.sort_name().as_str().into(),
            i64::from(item.implied).into(),
            item.mark.number().into(),
            item.url.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Raises the bound on the levels below a folder, if it is lower.
pub fn raise_height(tx: &mut Tx<'_>, folder: ItemId, height: u32) -> Result<(), Error> {
    tx.put("UPDATE items SET height = ?2 WHERE id = ?1 AND height < ?2", &[folder.into(), height.into()])?;
    Ok(())
}

/// Removes the row of an item, and what clients left beside it.
pub fn remove(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM items WHERE id = ?1", &[item.into()])?;
    properties::remove_of_item(tx, item)?;
    retention::unmark(tx, item)?;
    collaborations::remove_of_item(tx, item)?;
    shared_links::remove_of_item(tx, item)?;
    file_requests::remove_of_item(tx, item)?;
    favorites::remove_of_item(tx, item)?;
    recents::remove_of_item(tx, item)?;
    metadata::remove_of_item(tx, item)?;
    comments::remove_of_item(tx, item)?;
    guards::remove_of_item(tx, item)?;
    tasks::remove_of_item(tx, item)?;
    locks::remove_of_item(tx, item)
}

/// The item with that id.
pub fn by_id(tx: &mut Tx<'_>, item: ItemId) -> Result<Option<Item>, Error> {
    let sql = concat!("SELECT ", row::columns!(), " FROM items i WHERE i.id = ?1");
    tx.query_one(sql, &[item.into()], |found| row::read(found, 0))
}

/// Whether the folder has a child.
pub fn has_children(tx: &mut Tx<'_>, folder: ItemId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM items WHERE parent_id = ?1 LIMIT 1";
    Ok(tx.query_one(sql, &[folder.into()], |_| Ok(()))?.is_some())
}

/// A child of the folder, of whatever kind, that has this folded name: another than `except`.
pub fn named(tx: &mut Tx<'_>, folder: ItemId, folded: &str, except: Option<ItemId>) -> Result<Option<ItemId>, Error> {
    // Each kind is one look into the index. Together, as `IN (0, 1, 2)`, PostgreSQL may walk past all of the folder.
    let sql = "SELECT id FROM items WHERE parent_id = ?1 AND kind = 0 AND name_folded = ?2 AND id <> ?3
               UNION ALL SELECT id FROM items WHERE parent_id = ?1 AND kind = 1 AND name_folded = ?2 AND id <> ?3
               UNION ALL SELECT id FROM items WHERE parent_id = ?1 AND kind = 2 AND name_folded = ?2 AND id <> ?3 LIMIT 1";
    let except = except.map_or(Value::Int(0), Value::from);
    tx.query_one(sql, &[folder.into(), folded.into(), except], |row| Ok(ItemId::new(row.int(0)?)))
}

/// A child of the folder of one of those kinds with this very name: another than `except`.
pub fn named_exactly(
    tx: &mut Tx<'_>,
    folder: ItemId,
    name: &ItemName,
    kinds: &[Kind],
    except: Option<ItemId>,
) -> Result<Option<ItemId>, Error> {
    let sql = "SELECT id FROM items WHERE parent_id = ?1 AND sort_name = ?2 AND kind = ?3 AND id <> ?4 LIMIT 1";
    let except = except.map_or(Value::Int(0), Value::from);
    for kind in kinds {
        let sort_name = sort_name(*kind, name);
        let parameters = [folder.into(), sort_name.as_str().into(), kind.number().into(), except];
        let found = tx.query_one(sql, &parameters, |row| Ok(ItemId::new(row.int(0)?)))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Up to `limit` children of a folder, folders first: their ids, kinds and nothing else.
pub fn some_children(tx: &mut Tx<'_>, folder: ItemId, limit: u32) -> Result<Vec<(ItemId, Kind)>, Error> {
    let sql = "SELECT id, kind FROM items WHERE parent_id = ?1 ORDER BY kind, name_folded, id LIMIT ?2";
    tx.query(sql, &[folder.into(), limit.into()], |row| Ok((ItemId::new(row.int(0)?), Kind::from_number(row.int(1)?)?)))
}

/// Up to `limit` ids of items after one, of all items there are, in their order.
pub fn ids_after(tx: &mut Tx<'_>, after: ItemId, limit: u32) -> Result<Vec<ItemId>, Error> {
    tx.query("SELECT id FROM items WHERE id > ?1 ORDER BY id LIMIT ?2", &[after.into(), limit.into()], |row| {
        Ok(ItemId::new(row.int(0)?))
    })
}

/// Up to `limit` children of a folder with ids after one, in their order.
pub fn children_after(
    tx: &mut Tx<'_>,
    folder: ItemId,
    after: ItemId,
    limit: u32,
) -> Result<Vec<(ItemId, Kind)>, Error> {
    // The order is that of a sum, so that no walk along all ids is taken for a short way.
    let sql = "SELECT id, kind FROM items WHERE parent_id = ?1 AND id > ?2 ORDER BY id + 0 LIMIT ?3";
    tx.query(sql, &[folder.into(), after.into(), limit.into()], |row| {
        Ok((ItemId::new(row.int(0)?), Kind::from_number(row.int(1)?)?))
    })
}
