//! Properties of items that clients set and understand, and nobody else: WebDAV calls them dead.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::ItemId;

/// A property as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its namespace in braces, then its local name.
    pub name: String,
    /// The whole element, with every namespace that it needs.
    pub value: String,
}

/// The properties of an item, in order of their names.
pub fn of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<Vec<Property>, Error> {
    tx.query("SELECT name, value FROM properties WHERE item_id = ?1 ORDER BY name", &[item.into()], read)
}

/// Up to `limit` children of a folder that have a property. `after` and `upto` are the sort names between which the
/// children stand, the latter included.
pub fn children_that_have_any(
    tx: &mut Tx<'_>,
    folder: ItemId,
    (after, upto): (Option<&str>, &str),
    limit: u32,
) -> Result<Vec<ItemId>, Error> {
    let sql = match after {
        Some(_) => {
            "SELECT i.id FROM items i WHERE i.parent_id = ?1 AND i.sort_name > ?2 AND i.sort_name <= ?3
               AND EXISTS (SELECT 1 FROM properties p WHERE p.item_id = i.id)
             ORDER BY i.parent_id, i.sort_name, i.id LIMIT ?4"
        }
        None => {
            "SELECT i.id FROM items i WHERE i.parent_id = ?1 AND i.sort_name >= ?2 AND i.sort_name <= ?3
               AND EXISTS (SELECT 1 FROM properties p WHERE p.item_id = i.id)
             ORDER BY i.parent_id, i.sort_name, i.id LIMIT ?4"
        }
    };
    // No sort name is less than the empty text.
    let after = after.unwrap_or("");
    tx.query(sql, &[folder.into(), after.into(), upto.into(), limit.into()], |row| Ok(ItemId::new(row.int(0)?)))
}

/// Whether there is a property of anything.
pub fn any(tx: &mut Tx<'_>) -> Result<bool, Error> {
    Ok(tx.query_one("SELECT 1 FROM properties LIMIT 1", &[], |_| Ok(()))?.is_some())
}

/// Whether the item has a property.
pub fn has_any(tx: &mut Tx<'_>, item: ItemId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM properties WHERE item_id = ?1 LIMIT 1";
    Ok(tx.query_one(sql, &[item.into()], |_| Ok(()))?.is_some())
}

/// Sets a property, whether or not the item has it.
pub fn put(tx: &mut Tx<'_>, item: ItemId, name: &str, value: &str) -> Result<(), Error> {
    tx.put(
        "INSERT INTO properties (item_id, name, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (item_id, name) DO UPDATE SET value = excluded.value",
        &[item.into(), name.into(), value.into()],
    )
}

/// Removes a property, if the item has it.
pub fn remove(tx: &mut Tx<'_>, item: ItemId, name: &str) -> Result<(), Error> {
    tx.put("DELETE FROM properties WHERE item_id = ?1 AND name = ?2", &[item.into(), name.into()])
}

/// Removes every property of an item.
pub fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM properties WHERE item_id = ?1", &[item.into()])
}

/// Gives an item that has none the properties of another.
pub fn copy(tx: &mut Tx<'_>, from: ItemId, to: ItemId) -> Result<(), Error> {
    tx.put(
        "INSERT INTO properties (item_id, name, value) SELECT ?2, p.name, p.value FROM properties p WHERE p.item_id = ?1",
        &[from.into(), to.into()],
    )
}

/// Up to `limit` folders in a folder.
pub fn folders_in(tx: &mut Tx<'_>, folder: ItemId, limit: u32) -> Result<Vec<ItemId>, Error> {
    let sql =
        "SELECT id FROM items WHERE parent_id = ?1 AND kind = 0 ORDER BY parent_id, kind, name_folded, id LIMIT ?2";
    tx.query(sql, &[folder.into(), limit.into()], |row| Ok(ItemId::new(row.int(0)?)))
}

fn read(row: &Row<'_>) -> Result<Property, Error> {
    Ok(Property { name: row.text(0)?, value: row.text(1)? })
}
