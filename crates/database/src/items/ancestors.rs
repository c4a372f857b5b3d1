use super::row::{self, Item, Kind, Top};
use crate::guards::Guard;
use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{ItemId, ItemName, UserId};

/// No walk goes further up than this. The tree keeps every item nearer to its top.
pub const ANCESTORS_MAX: u32 = 1_100;

/// An item as a step on the way to its top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestor {
    /// Its id.
    pub id: ItemId,
    /// What it is.
    pub kind: Kind,
    /// The next step; `None` on top.
    pub parent: Option<ItemId>,
    /// Whether it stands on top.
    pub top: Top,
    /// Whose it is, on top.
    pub top_user: Option<UserId>,
    /// Its name.
    pub name: ItemName,
    /// How often it has changed.
    pub sequence: u64,
    /// The bound on the levels of folders below it.
    pub height: u32,
    /// Whether it is a folder that only paths below it need.
    pub implied: bool,
    /// Whether somebody wants to be told of what is below it.
    pub watched: bool,
    /// Whether there are, or were, collaborations on it.
    pub shared: bool,
    /// Whether metadata goes, or went, from it to what is below it.
    pub cascades: bool,
    /// What stands in the way of changes.
    pub guard: Guard,
}

/// The item and everything above it, the item first and the top last. Empty when there is no such item.
pub fn ancestors(tx: &mut Tx<'_>, item: ItemId) -> Result<Vec<Ancestor>, Error> {
    let step = "SELECT i.id, i.kind, i.parent_id, i.top, i.top_user_id, i.name, i.sequence, i.height, i.implied,
                  i.watched, i.shared, i.cascades, i.guard
                FROM items i WHERE i.id = ?1";
    let above = |found: &Ancestor| found.parent.map(ItemId::number);
    if let Some(found) = tx.follow(step, item.number(), ANCESTORS_MAX as usize + 1, |row| read_ancestor(row, 0), above)
    {
        return found;
    }
    let mut found = tx.query(
        "WITH RECURSIVE up (level, id, kind, parent_id, top, top_user_id, name, sequence, height, implied,
           watched, shared, cascades, guard) AS (
           SELECT 0, i.id, i.kind, i.parent_id, i.top, i.top_user_id, i.name, i.sequence, i.height,
             i.implied, i.watched, i.shared, i.cascades, i.guard
           FROM items i WHERE i.id = ?1
           UNION ALL
           SELECT up.level + 1, i.id, i.kind, i.parent_id, i.top, i.top_user_id, i.name, i.sequence, i.height,
             i.implied, i.watched, i.shared, i.cascades, i.guard
           FROM up JOIN items i ON i.id = up.parent_id WHERE up.level < ?2
         ) SELECT level, id, kind, parent_id, top, top_user_id, name, sequence, height, implied, watched, shared, cascades,
           guard FROM up",
        &[item.into(), ANCESTORS_MAX.into()],
        |found| Ok((found.int(0)?, read_ancestor(found, 1)?)),
    )?;
    // Engines answer in this order as it is, but do not promise it.
    found.sort_by_key(|(level, _)| *level);
    Ok(found.into_iter().map(|(_, ancestor)| ancestor).collect())
}

/// Reads an ancestor whose first column is at `start`: id, kind, parent, top, its user, name, sequence, height, implied,
/// watched, shared, cascades, guard.
pub(crate) fn read_ancestor(found: &Row<'_>, start: usize) -> Result<Ancestor, Error> {
    Ok(Ancestor {
        id: ItemId::new(found.int(start)?),
        kind: Kind::from_number(found.int(start + 1)?)?,
        parent: found.int_or_null(start + 2)?.map(ItemId::new),
        top: Top::from_number(found.int(start + 3)?)?,
        top_user: found.int_or_null(start + 4)?.map(UserId::new),
        name: row::name(found.text(start + 5)?)?,
        sequence: found.size(start + 6)?,
        height: found.number(start + 7)?,
        implied: found.int(start + 8)? != 0,
        watched: found.int(start + 9)? != 0,
        shared: found.int(start + 10)? != 0,
        cascades: found.int(start + 11)? != 0,
        guard: Guard::from_number(found.int(start + 12)?),
    })
}

impl Ancestor {
    /// An item as the first step on its own way. Whether it is watched, shared or cascades is only read with
    /// what is above something.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        Self {
            id: item.id,
            kind: item.kind,
            parent: item.parent,
            top: item.top,
            top_user: item.top_user,
            name: item.name.clone(),
            sequence: item.sequence,
            height: item.height,
            implied: item.implied,
            watched: false,
            shared: false,
            cascades: false,
            guard: item.guard,
        }
    }
}
