//! Children of a folder, page by page. By name every page is a walk along one index, however large the folder.

use super::row::{self, COLUMNS, Item, Kind};
use crate::tx::Row;
use crate::versions::{self, Version};
use crate::{Error, Tx};
use entente_model::ItemId;

/// A place between two siblings in their order by kind, folded name and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The kind.
    pub kind: Kind,
    /// The folded name.
    pub folded: String,
    /// The id.
    pub id: ItemId,
}

impl Position {
    /// Where an item stands among its siblings.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        Self { kind: item.kind, folded: item.name.folded(), id: item.id }
    }

    /// Before every item.
    fn first() -> Self {
        Self { kind: Kind::Folder, folded: String::new(), id: ItemId::new(0) }
    }
}

/// What siblings of one kind are sorted by, other than their names upwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// Folded name.
    Name,
    /// When the content was last changed.
    Date,
    /// Size of the current version; 0 for folders.
    Size,
    /// Id, which is the order of creation.
    Id,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortOrder {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

macro_rules! select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT ",
            row::columns!(),
            ", ",
            versions::columns!(),
            " FROM items i LEFT JOIN versions v ON v.id = i.version_id WHERE i.parent_id = ?1 ",
            $($rest),+
        )
    };
}

/// The siblings of one kind and folded name: more than one in a trash, and where a door allows it.
macro_rules! ties {
    ($compare:literal) => {
        select!("AND i.kind = ?2 AND i.name_folded = ?3 AND i.id ", $compare, " ?4 ORDER BY i.id LIMIT ?5")
    };
}

/// A walk along the index. Ids are not compared here: SQLite would look at every tie to do so.
macro_rules! walk {
    ($explain:literal) => {
        concat!(
            $explain,
            select!("AND (i.kind, i.name_folded) > (?2, ?3) ORDER BY i.kind, i.name_folded, i.id LIMIT ?4")
        )
    };
}

const TIES_AFTER: &str = ties!(">");
const TIES_FROM: &str = ties!(">=");
const WALK: &str = walk!("");
const EXPLAIN_TIES: &str = concat!("EXPLAIN QUERY PLAN ", ties!(">"));
const EXPLAIN_WALK: &str = walk!("EXPLAIN QUERY PLAN ");
/// One statement for every number to sort by: turned round, numbers sort the other way.
const BY_NUMBER: &str = select!(
    "ORDER BY i.kind, ?2 * (CASE ?3 WHEN 0 THEN i.content_modified_at WHEN 1 THEN coalesce(v.size, 0) ELSE i.id END),
     i.name_folded, i.id LIMIT ?4 OFFSET ?5"
);
const BY_NAME_DOWN: &str = select!("ORDER BY i.kind, i.name_folded DESC, i.id DESC LIMIT ?2 OFFSET ?3");
const BY_NAME_UP: &str = select!("ORDER BY i.kind, i.name_folded, i.id LIMIT ?2 OFFSET ?3");

/// A child with its current version, if it is a file.
pub type Child = (Item, Option<Version>);

/// Up to `limit` children by name, after a position, or from the first on.
pub fn page_after(tx: &mut Tx<'_>, folder: ItemId, after: Option<&Position>, limit: u32) -> Result<Vec<Child>, Error> {
    match after {
        Some(after) => page(tx, TIES_AFTER, folder, after, limit),
        None => page(tx, TIES_FROM, folder, &Position::first(), limit),
    }
}

/// Up to `limit` children by name, from a position on, with what stands at it.
pub fn page_at(tx: &mut Tx<'_>, folder: ItemId, at: &Position, limit: u32) -> Result<Vec<Child>, Error> {
    page(tx, TIES_FROM, folder, at, limit)
}

fn page(
    tx: &mut Tx<'_>,
    ties: &'static str,
    folder: ItemId,
    Position { kind, folded, id }: &Position,
    limit: u32,
) -> Result<Vec<Child>, Error> {
    let (kind, folded) = (kind.number(), folded.as_str());
    let mut found =
        tx.query(ties, &[folder.into(), kind.into(), folded.into(), (*id).into(), limit.into()], read_child)?;
    let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    if left > 0 {
        found.extend(tx.query(WALK, &[folder.into(), kind.into(), folded.into(), left.into()], read_child)?);
    }
    Ok(found)
}

/// Where the child stands that has `offset` siblings before it by name; `None` past the end. Walks the index, so
/// `offset` is for the caller to bound.
pub fn position_at(tx: &mut Tx<'_>, folder: ItemId, offset: u32) -> Result<Option<Position>, Error> {
    tx.query_one(
        "SELECT kind, name_folded, id FROM items WHERE parent_id = ?1 ORDER BY kind, name_folded, id LIMIT 1 OFFSET ?2",
        &[folder.into(), offset.into()],
        |row| {
            Ok(Position { kind: Kind::from_number(row.int(0)?)?, folded: row.text(1)?, id: ItemId::new(row.int(2)?) })
        },
    )
}

/// Up to `limit` children in another order, within their kinds. Looks at every child: for the caller to bound.
pub fn page_sorted(
    tx: &mut Tx<'_>,
    folder: ItemId,
    (by, order): (SortBy, SortOrder),
    offset: u32,
    limit: u32,
) -> Result<Vec<Child>, Error> {
    let direction: i64 = match order {
        SortOrder::Ascending => 1,
        SortOrder::Descending => -1,
    };
    let number: i64 = match (by, order) {
        (SortBy::Name, SortOrder::Ascending) => {
            return tx.query(BY_NAME_UP, &[folder.into(), limit.into(), offset.into()], read_child);
        }
        (SortBy::Name, SortOrder::Descending) => {
            return tx.query(BY_NAME_DOWN, &[folder.into(), limit.into(), offset.into()], read_child);
        }
        (SortBy::Date, _) => 0,
        (SortBy::Size, _) => 1,
        (SortBy::Id, _) => 2,
    };
    tx.query(BY_NUMBER, &[folder.into(), direction.into(), number.into(), limit.into(), offset.into()], read_child)
}

/// How the engine means to answer a page by name: for tests, which see to it that it is by the index alone.
pub fn explain_page(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    let (folder, kind, folded, limit) = (1_i64.into(), 0_i64.into(), "".into(), 1_000_u32.into());
    let mut plan = tx.query(EXPLAIN_TIES, &[folder, kind, folded, 1_i64.into(), limit], |row| row.text(3))?;
    plan.extend(tx.query(EXPLAIN_WALK, &[folder, kind, folded, limit], |row| row.text(3))?);
    Ok(plan)
}

fn read_child(found: &Row<'_>) -> Result<Child, Error> {
    Ok((row::read(found, 0)?, versions::read_or_null(found, COLUMNS)?))
}
