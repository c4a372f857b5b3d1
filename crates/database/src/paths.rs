//! Items by the bytes of their names: one lookup for a name in a folder, and pages of siblings in the order of keys. Each
//! is a walk along one index, however large the folder.

use crate::facts::Facts;
use crate::items::{self, Ancestor, COLUMNS, Item, Kind};
use crate::tx::{Row, Value};
use crate::versions::{self, Version};
use crate::{Error, Tx};
use entente_model::{ItemId, ItemName, Md5, VersionId};

/// An item with what is shown of it where paths are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The item.
    pub item: Item,
    /// The version that was asked for; the current one, if none was. `None` for a folder.
    pub version: Option<Version>,
    /// Of the version's bytes, if somebody had to compute it.
    pub md5: Option<Md5>,
    /// What is remembered of the version, if there is anything.
    pub facts: Option<Facts>,
}

/// A child that a walk came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// It.
    pub found: Found,
    /// Of a folder: what its first child is.
    pub first: FirstChild,
}

/// What a folder's first child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FirstChild {
    /// There is none.
    None,
    /// A folder that only paths below it need.
    Implied,
    /// Anything else.
    Other,
}

/// Where a page of siblings begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// With what has this sort name, if there is such an item.
    At(String),
    /// With what comes next.
    After(String),
}

macro_rules! select {
    ($more:literal, $($rest:literal),+) => {
        concat!(
            "SELECT ",
            items::columns!(),
            ", ",
            versions::columns!(),
            // As joins, PostgreSQL would read all of a table that it takes for empty, because it was when it last looked.
            ", (SELECT c.md5 FROM contents c WHERE c.id = v.content_id),
               (SELECT f.facts FROM version_facts f WHERE f.version_id = v.id)",
            $more,
            $($rest),+
        )
    };
}

macro_rules! current {
    ($more:literal, $($rest:literal),+) => {
        select!(
            $more,
            " FROM items i LEFT JOIN versions v ON v.id = i.version_id WHERE ",
            $($rest),+
        )
    };
}

macro_rules! page {
    ($explain:literal, $more:literal, $compare:literal) => {
        concat!(
            $explain,
            current!(
                $more,
                "i.parent_id = ?1 AND i.kind <> 2 AND i.sort_name ",
                $compare,
                " ?2 ORDER BY i.sort_name, i.id LIMIT ?3"
            )
        )
    };
}

macro_rules! walk {
    ($explain:literal, $compare:literal) => {
        page!(
            $explain,
            ", CASE i.kind WHEN 0 THEN
               (SELECT x.implied FROM items x WHERE x.parent_id = i.id ORDER BY x.sort_name, x.id LIMIT 1) END",
            $compare
        )
    };
}

macro_rules! trashed {
    ($explain:literal, $compare:literal) => {
        concat!(
            $explain,
            current!(
                "",
                "i.mark <> 0 AND i.trashed_from = ?1 AND i.sort_name ",
                $compare,
                " ?2 ORDER BY i.sort_name, i.trashed_at, i.id LIMIT ?3"
            )
        )
    };
}

const CHILD: &str = current!("", "i.parent_id = ?1 AND i.sort_name = ?2 AND i.kind = ?3 ORDER BY i.id LIMIT 1");
const PAGE_AT: &str = page!("", "", ">=");
const PAGE_AFTER: &str = page!("", "", ">");
const WALK_AT: &str = walk!("", ">=");
const WALK_AFTER: &str = walk!("", ">");
const TRASHED_AT: &str = trashed!("", ">=");
const TRASHED_AFTER: &str = trashed!("", ">");
const EXPLAIN_CHILD: &str = concat!(
    "EXPLAIN QUERY PLAN ",
    current!("", "i.parent_id = ?1 AND i.sort_name = ?2 AND i.kind = ?3 ORDER BY i.id LIMIT 1")
);
const EXPLAIN_WALK: &str = walk!("EXPLAIN QUERY PLAN ", ">");
const EXPLAIN_TRASHED: &str = trashed!("EXPLAIN QUERY PLAN ", ">");

/// The folder of that very name in a folder.
pub fn folder_named(tx: &mut Tx<'_>, parent: ItemId, name: &ItemName) -> Result<Option<Ancestor>, Error> {
    let sort_name = items::sort_name(Kind::Folder, name);
    let sql =
        "SELECT id, kind, parent_id, top, top_user_id, name, sequence, height, implied, watched, shared, cascades,
                 guard
               FROM items
               WHERE parent_id = ?1 AND sort_name = ?2 AND kind = 0 ORDER BY id LIMIT 1";
    tx.query_one(sql, &[parent.into(), sort_name.as_str().into()], |row| items::read_ancestor(row, 0))
}

/// The item of that very name and kind in a folder. If no kind is given: a file, else a folder.
pub fn child(tx: &mut Tx<'_>, folder: ItemId, name: &ItemName, kind: Option<Kind>) -> Result<Option<Found>, Error> {
    let any = [Kind::File, Kind::Folder];
    for kind in kind.as_slice().iter().chain(if kind.is_none() { &any[..] } else { &[] }) {
        let sort_name = items::sort_name(*kind, name);
        let parameters = [folder.into(), sort_name.as_str().into(), kind.number().into()];
        let found = tx.query_one(CHILD, &parameters, read)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// An item by its id, with its current version.
pub fn by_id(tx: &mut Tx<'_>, item: ItemId) -> Result<Option<Found>, Error> {
    tx.query_one(current!("", "i.id = ?1"), &[item.into()], read)
}

/// A version by its id, with its file.
pub fn by_version(tx: &mut Tx<'_>, version: VersionId) -> Result<Option<Found>, Error> {
    let sql = select!("", " FROM versions v JOIN items i ON i.id = v.item_id WHERE v.id = ?1");
    tx.query_one(sql, &[version.into()], read)
}

/// Up to `limit` versions of a file, those left out that were removed from its list, the newest first: those with a
/// number below `before`.
pub fn versions_before(tx: &mut Tx<'_>, file: ItemId, before: u64, limit: u32) -> Result<Vec<Found>, Error> {
    let sql = select!(
        "",
        " FROM versions v JOIN items i ON i.id = v.item_id WHERE v.item_id = ?1 AND v.number < ?2
           AND v.trashed_at IS NULL ORDER BY v.number DESC LIMIT ?3"
    );
    tx.query(sql, &[file.into(), before.into(), limit.into()], read)
}

/// The newest version of a file that is in its list and was made while its bucket kept none.
pub fn newest_plain(tx: &mut Tx<'_>, file: ItemId) -> Result<Option<Found>, Error> {
    let sql = select!(
        "",
        " FROM versions v JOIN items i ON i.id = v.item_id WHERE v.item_id = ?1 AND v.plain = 1
           AND v.trashed_at IS NULL ORDER BY v.number DESC LIMIT 1"
    );
    tx.query_one(sql, &[file.into()], read)
}

/// The first child of a folder in the order of sort names, of whatever kind, and whether only paths below it need it.
pub fn first_child(tx: &mut Tx<'_>, folder: ItemId) -> Result<Option<(ItemId, bool)>, Error> {
    let sql = "SELECT id, implied FROM items WHERE parent_id = ?1 ORDER BY sort_name, id LIMIT 1";
    tx.query_one(sql, &[folder.into()], |row| Ok((ItemId::new(row.int(0)?), row.int(1)? != 0)))
}

/// Up to `limit` children of a folder in the order of their sort names, of which no two are the same: web links, which no
/// path leads to, are left out.
pub fn page(tx: &mut Tx<'_>, folder: ItemId, from: &From, limit: u32) -> Result<Vec<Found>, Error> {
    let (sql, name) = from.statement(PAGE_AT, PAGE_AFTER);
    tx.query(sql, &[folder.into(), name.into(), limit.into()], read)
}

/// The same, with what a walk wants to know of folders.
pub fn walk_page(tx: &mut Tx<'_>, folder: ItemId, from: &From, limit: u32) -> Result<Vec<Passed>, Error> {
    let (sql, name) = from.statement(WALK_AT, WALK_AFTER);
    tx.query(sql, &[folder.into(), name.into(), limit.into()], |row| {
        let first = match row.int_or_null(COLUMNS + versions::COLUMNS + 2)? {
            None => FirstChild::None,
            Some(0) => FirstChild::Other,
            Some(_) => FirstChild::Implied,
        };
        Ok(Passed { found: read(row)?, first })
    })
}

/// Up to `limit` items that were put into the trash from a folder and are shown among the versions of their paths, in the
/// order of the sort names that they had there; those with the same one in the order in which they went.
pub fn trashed_page(tx: &mut Tx<'_>, folder: ItemId, from: &From, limit: u32) -> Result<Vec<Found>, Error> {
    let (sql, name) = from.statement(TRASHED_AT, TRASHED_AFTER);
    tx.query(sql, &[folder.into(), name.into(), limit.into()], read)
}

/// The same of one sort name, the one first that went last.
pub fn trashed_named(tx: &mut Tx<'_>, folder: ItemId, sort_name: &str, limit: u32) -> Result<Vec<Found>, Error> {
    let sql = current!(
        "",
        "i.mark <> 0 AND i.trashed_from = ?1 AND i.sort_name = ?2
                        ORDER BY i.trashed_at DESC, i.id DESC LIMIT ?3"
    );
    tx.query(sql, &[folder.into(), sort_name.into(), limit.into()], read)
}

/// Whether anything that was put into the trash from this folder is shown among the versions of its path.
pub fn has_shown_in_trash(tx: &mut Tx<'_>, folder: ItemId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM items WHERE trashed_from = ?1 AND mark <> 0 LIMIT 1";
    Ok(tx.query_one(sql, &[folder.into()], |_| Ok(()))?.is_some())
}

/// Removes up to `limit` delete markers of paths in a folder that stand for no item in the trash. Answers how many there
/// were.
pub fn remove_markers(tx: &mut Tx<'_>, folder: ItemId, limit: u32) -> Result<u32, Error> {
    let removed = tx.execute(
        "DELETE FROM items WHERE id IN (
           SELECT id FROM items WHERE trashed_from = ?1 AND mark <> 0 AND top = 3 LIMIT ?2)",
        &[folder.into(), limit.into()],
    )?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// Removes delete markers of one path that stand for no item in the trash, but for the `keep` newest of them: up to `limit`,
/// and only among the first `looked_at` that are shown of the path.
pub fn remove_markers_behind(
    tx: &mut Tx<'_>,
    (folder, sort_name): (ItemId, &str),
    (keep, limit, looked_at): (u32, u32, u32),
) -> Result<(), Error> {
    tx.put(
        "DELETE FROM items WHERE id IN (
           SELECT m.id FROM (
             SELECT i.id, i.top, i.trashed_at FROM items i
             WHERE i.mark <> 0 AND i.trashed_from = ?1 AND i.sort_name = ?2
             ORDER BY i.trashed_at DESC, i.id DESC LIMIT ?5) m
           WHERE m.top = 3 ORDER BY m.trashed_at DESC, m.id DESC LIMIT ?4 OFFSET ?3)",
        &[folder.into(), sort_name.into(), keep.into(), limit.into(), looked_at.into()],
    )
}

/// Makes a folder that only paths need one like others.
pub fn make_explicit(tx: &mut Tx<'_>, folder: ItemId) -> Result<(), Error> {
    tx.put("UPDATE items SET implied = 0 WHERE id = ?1 AND implied <> 0", &[folder.into()])
}

/// How the engine means to answer: for tests, which see to it that it is by the index alone.
pub fn explain(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    let (folder, name, limit) = (1_i64.into(), "".into(), 1_000_u32.into());
    let mut plan = tx.query(EXPLAIN_CHILD, &[folder, name, Value::Int(1)], |row| row.text(3))?;
    plan.extend(tx.query(EXPLAIN_WALK, &[folder, name, limit], |row| row.text(3))?);
    plan.extend(tx.query(EXPLAIN_TRASHED, &[folder, name, limit], |row| row.text(3))?);
    Ok(plan)
}

impl From {
    fn statement(&self, at: &'static str, after: &'static str) -> (&'static str, &str) {
        let (sql, name) = match self {
            Self::At(name) => (at, name),
            Self::After(name) => (after, name),
        };
        // PostgreSQL takes no text with a NUL; no name has one, and what is not before it is after what precedes the NUL.
        match name.split_once('\0') {
            Some((before, _)) => (after, before),
            None => (sql, name),
        }
    }
}

fn read(row: &Row<'_>) -> Result<Found, Error> {
    let extra = COLUMNS + versions::COLUMNS;
    Ok(Found {
        item: items::read(row, 0)?,
        version: versions::read_or_null(row, COLUMNS)?,
        md5: row.array_or_null(extra)?.map(Md5),
        facts: row.text_or_null(extra + 1)?.map(|text| Facts::from_text(&text)).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use crate::dialect::sqlite_schema;
    use crate::migrations::MIGRATIONS;
    use rusqlite::Connection;

    #[test]
    fn items_that_were_there_before_are_found_by_their_paths() {
        let database = Connection::open_in_memory().expect("a database");
        let (before, after) = MIGRATIONS.split_at(8);
        assert_eq!(after.first().map(|(name, _)| *name), Some("paths"));
        for (_, sql) in before {
            database.execute_batch(&sqlite_schema(sql)).expect("a schema");
        }
        for (id, kind, name) in [(1, 0, "a"), (2, 1, "a"), (3, 1, "a!"), (4, 0, "")] {
            let sql =
                "INSERT INTO items VALUES (?1, ?2, 9, 0, NULL, ?3, ?3, 0, NULL, 0, '', '', 0, 0, 0, 0, 0, 0, NULL,
                         NULL, NULL)";
            database.execute(sql, (id, kind, name)).expect("an item");
        }
        for (_, sql) in after {
            database.execute_batch(&sqlite_schema(sql)).expect("a schema");
        }
        let sql = "SELECT id FROM items WHERE parent_id = 9 AND implied = 0 AND mark = 0 ORDER BY sort_name, id";
        let mut statement = database.prepare(sql).expect("SQL");
        let found = statement.query_map([], |row| row.get(0)).expect("items");
        assert_eq!(found.collect::<Result<Vec<i64>, _>>().expect("items"), [4, 2, 3, 1]);
    }
}
