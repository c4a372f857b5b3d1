//! What people say of files.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{CommentId, ItemId, Timestamp, UserId};

/// A comment as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Of what.
    pub item: ItemId,
    /// Whether it answers another.
    pub is_reply: bool,
    /// Whether `@[ID:NAME]` in the message names a user.
    pub is_tagged: bool,
    /// What it says.
    pub message: String,
    /// Who says it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.item_id, c.is_reply, c.is_tagged, c.message, c.created_by, c.created_at, c.modified_at
             FROM comments c ",
            $rest
        )
    };
}

/// Stores a comment, and counts it.
pub fn insert(tx: &mut Tx<'_>, new: &Comment) -> Result<(), Error> {
    tx.put(
        "INSERT INTO comments (id, item_id, is_reply, is_tagged, message, created_by, created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            new.id.into(),
            new.item.into(),
            i64::from(new.is_reply).into(),
            i64::from(new.is_tagged).into(),
            new.message.as_str().into(),
            new.created_by.into(),
            new.created_at.into(),
            new.modified_at.into(),
        ],
    )?;
    tx.put("UPDATE items SET comments = comments + 1 WHERE id = ?1", &[new.item.into()])
}

/// Writes what can change of a comment: what it says.
pub fn update(tx: &mut Tx<'_>, comment: &Comment) -> Result<(), Error> {
    tx.put(
        "UPDATE comments SET message = ?2, is_tagged = ?3, modified_at = ?4 WHERE id = ?1",
        &[
            comment.id.into(),
            comment.message.as_str().into(),
            i64::from(comment.is_tagged).into(),
            comment.modified_at.into(),
        ],
    )
}

/// Removes a comment. `false` when somebody else was quicker.
pub fn remove(tx: &mut Tx<'_>, comment: &Comment) -> Result<bool, Error> {
    let removed = tx.execute("DELETE FROM comments WHERE id = ?1", &[comment.id.into()])? > 0;
    if removed {
        tx.put("UPDATE items SET comments = comments - 1 WHERE id = ?1", &[comment.item.into()])?;
    }
    Ok(removed)
}

/// The comment with that id.
pub fn by_id(tx: &mut Tx<'_>, id: CommentId) -> Result<Option<Comment>, Error> {
    tx.query_one(select!("WHERE c.id = ?1"), &[id.into()], read)
}

/// Comments of an item, the first one first.
pub fn of_item(tx: &mut Tx<'_>, item: ItemId, offset: u32, limit: u32) -> Result<Vec<Comment>, Error> {
    let sql = select!("WHERE c.item_id = ?1 ORDER BY c.id LIMIT ?2 OFFSET ?3");
    tx.query(sql, &[item.into(), limit.into(), offset.into()], read)
}

/// Removes all comments of an item that goes.
pub(crate) fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM comments WHERE item_id = ?1", &[item.into()])
}

fn read(row: &Row<'_>) -> Result<Comment, Error> {
    Ok(Comment {
        id: CommentId::new(row.int(0)?),
        item: ItemId::new(row.int(1)?),
        is_reply: row.int(2)? != 0,
        is_tagged: row.int(3)? != 0,
        message: row.text(4)?,
        created_by: UserId::new(row.int(5)?),
        created_at: Timestamp::from_millis(row.int(6)?),
        modified_at: Timestamp::from_millis(row.int(7)?),
    })
}
