//! What users want to find again: at most one row for a user and an item.

use crate::tx::Value;
use crate::{Error, Tx};
use entente_model::{ItemId, Timestamp, UserId};

/// Items that one statement asks for.
const ITEMS_AT_ONCE: usize = 16;

/// Makes an item a favorite of a user; nothing, if it is one.
pub fn insert(tx: &mut Tx<'_>, user: UserId, item: ItemId, at: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO favorites (user_id, item_id, added_at) VALUES (?1, ?2, ?3) ON CONFLICT (user_id, item_id) DO NOTHING",
        &[user.into(), item.into(), at.into()],
    )
}

/// Takes that back; nothing, if it is none.
pub fn remove(tx: &mut Tx<'_>, user: UserId, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM favorites WHERE user_id = ?1 AND item_id = ?2", &[user.into(), item.into()])
}

/// Whether an item is a favorite of a user.
pub fn is_one(tx: &mut Tx<'_>, user: UserId, item: ItemId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM favorites WHERE user_id = ?1 AND item_id = ?2";
    Ok(tx.query_one(sql, &[user.into(), item.into()], |_| Ok(()))?.is_some())
}

/// How many favorites a user has, whether they may see them or not.
pub fn count(tx: &mut Tx<'_>, user: UserId) -> Result<u64, Error> {
    let found = tx.query_one("SELECT count(*) FROM favorites WHERE user_id = ?1", &[user.into()], |row| row.size(0))?;
    Ok(found.unwrap_or(0))
}

/// Up to `limit` favorites of a user after `offset` others, the last one added first. Walks an index, so `offset` is for
/// the caller to bound.
pub fn page(tx: &mut Tx<'_>, user: UserId, offset: u32, limit: u32) -> Result<Vec<ItemId>, Error> {
    tx.query(
        "SELECT item_id FROM favorites WHERE user_id = ?1 ORDER BY added_at DESC, item_id DESC LIMIT ?2 OFFSET ?3",
        &[user.into(), limit.into(), offset.into()],
        |row| Ok(ItemId::new(row.int(0)?)),
    )
}

/// Which of some items are favorites of a user, in no order.
pub fn among(tx: &mut Tx<'_>, user: UserId, items: &[ItemId]) -> Result<Vec<ItemId>, Error> {
    let mut found = Vec::new();
    for some in items.chunks(ITEMS_AT_ONCE) {
        let Some(first) = some.first() else { continue };
        let padded = some.iter().chain(std::iter::repeat(first)).take(ITEMS_AT_ONCE);
        let mut parameters: Vec<Value<'_>> = padded.map(|item| Value::from(*item)).collect();
        parameters.push(user.into());
        found.extend(tx.query(
            "SELECT item_id FROM favorites WHERE user_id = ?17 AND item_id IN
               (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            &parameters,
            |row| Ok(ItemId::new(row.int(0)?)),
        )?);
    }
    Ok(found)
}

/// Removes up to `limit` rows of an item that goes. How many.
pub fn remove_some_of_item(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<u32, Error> {
    let removed = tx.execute(
        "DELETE FROM favorites WHERE item_id = ?1 AND user_id IN
           (SELECT user_id FROM favorites WHERE item_id = ?1 ORDER BY user_id LIMIT ?2)",
        &[item.into(), limit.into()],
    )?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// Removes all of them. Whoever removes items that may have many removes those before, some at a time.
pub(crate) fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM favorites WHERE item_id = ?1", &[item.into()])
}
