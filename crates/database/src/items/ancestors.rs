use super::row::{self, Kind, Top};
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
}

/// The item and everything above it, the item first and the top last. Empty when there is no such item.
pub fn ancestors(tx: &mut Tx<'_>, item: ItemId) -> Result<Vec<Ancestor>, Error> {
    let mut found = tx.query(
        "WITH RECURSIVE up (level, id, kind, parent_id, top, top_user_id, name, sequence, height) AS (
           SELECT 0, i.id, i.kind, i.parent_id, i.top, i.top_user_id, i.name, i.sequence, i.height
           FROM items i WHERE i.id = ?1
           UNION ALL
           SELECT up.level + 1, i.id, i.kind, i.parent_id, i.top, i.top_user_id, i.name, i.sequence, i.height
           FROM up JOIN items i ON i.id = up.parent_id WHERE up.level < ?2
         ) SELECT level, id, kind, parent_id, top, top_user_id, name, sequence, height FROM up",
        &[item.into(), ANCESTORS_MAX.into()],
        |found| {
            let ancestor = Ancestor {
                id: ItemId::new(found.int(1)?),
                kind: Kind::from_number(found.int(2)?)?,
                parent: found.int_or_null(3)?.map(ItemId::new),
                top: Top::from_number(found.int(4)?)?,
                top_user: found.int_or_null(5)?.map(UserId::new),
                name: row::name(found.text(6)?)?,
                sequence: found.size(7)?,
                height: found.number(8)?,
            };
            Ok((found.int(0)?, ancestor))
        },
    )?;
    // Engines answer in this order as it is, but do not promise it.
    found.sort_by_key(|(level, _)| *level);
    Ok(found.into_iter().map(|(_, ancestor)| ancestor).collect())
}
