//! Taxonomies: sets of values in levels, each below one of the level above.

use crate::tx::{Row, Value};
use crate::{Error, Tx};
use entente_model::{EnterpriseId, TaxonomyId, TaxonomyNodeId, Timestamp, fold};

/// A taxonomy as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxonomyRow {
    /// Its id.
    pub id: TaxonomyId,
    /// Where it belongs.
    pub enterprise: EnterpriseId,
    /// Its name for programs; unique within the enterprise.
    pub key: String,
    /// Its name for people.
    pub display_name: String,
    /// Its levels, as the tree writes them.
    pub levels: String,
    /// How many nodes it has.
    pub nodes: u64,
}

/// A value of a taxonomy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxonomyNode {
    /// Its id.
    pub id: TaxonomyNodeId,
    /// Where it belongs.
    pub taxonomy: TaxonomyId,
    /// Below which of the level above; `None` on the first.
    pub parent: Option<TaxonomyNodeId>,
    /// From 1.
    pub level: u32,
    /// All above it, the first level first.
    pub path: Vec<TaxonomyNodeId>,
    /// Its name; unique below its parent without regard to case.
    pub display_name: String,
}

macro_rules! taxonomy {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.enterprise_id, t.taxonomy_key, t.display_name, t.levels, t.nodes FROM metadata_taxonomies t ",
            $rest
        )
    };
}

macro_rules! node {
    ($rest:literal) => {
        concat!(
            "SELECT n.id, n.taxonomy_id, n.parent_id, n.level, n.path, n.display_name, n.name_folded FROM metadata_taxonomy_nodes n ",
            $rest
        )
    };
}

/// Stores a taxonomy. `Duplicate` when its enterprise has one of that key.
pub fn insert(tx: &mut Tx<'_>, new: &TaxonomyRow, now: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO metadata_taxonomies (id, enterprise_id, taxonomy_key, display_name, levels, nodes, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            new.id.into(),
            new.enterprise.into(),
            new.key.as_str().into(),
            new.display_name.as_str().into(),
            new.levels.as_str().into(),
            new.nodes.into(),
            now.into(),
        ],
    )
}

/// Writes what may change of a taxonomy.
pub fn save(tx: &mut Tx<'_>, taxonomy: &TaxonomyRow) -> Result<(), Error> {
    tx.put(
        "UPDATE metadata_taxonomies SET display_name = ?2, levels = ?3, nodes = ?4 WHERE id = ?1",
        &[
            taxonomy.id.into(),
            taxonomy.display_name.as_str().into(),
            taxonomy.levels.as_str().into(),
            taxonomy.nodes.into(),
        ],
    )
}

/// The enterprise's taxonomy of that key.
pub fn by_key(tx: &mut Tx<'_>, enterprise: EnterpriseId, key: &str) -> Result<Option<TaxonomyRow>, Error> {
    let sql = taxonomy!("WHERE t.enterprise_id = ?1 AND t.taxonomy_key = ?2 AND t.deleted_at IS NULL");
    tx.query_one(sql, &[enterprise.into(), key.into()], read)
}

/// The taxonomy with that id.
pub fn by_id(tx: &mut Tx<'_>, taxonomy: TaxonomyId) -> Result<Option<TaxonomyRow>, Error> {
    tx.query_one(taxonomy!("WHERE t.id = ?1 AND t.deleted_at IS NULL"), &[taxonomy.into()], read)
}

/// Up to `limit` taxonomies of an enterprise after one of them, oldest first.
pub fn list(
    tx: &mut Tx<'_>,
    enterprise: EnterpriseId,
    after: Option<TaxonomyId>,
    limit: u32,
) -> Result<Vec<TaxonomyRow>, Error> {
    let after = after.map_or(0, TaxonomyId::number);
    let sql = taxonomy!("WHERE t.enterprise_id = ?1 AND t.deleted_at IS NULL AND t.id > ?2 ORDER BY t.id LIMIT ?3");
    tx.query(sql, &[enterprise.into(), after.into(), limit.into()], read)
}

/// How many taxonomies an enterprise has.
pub fn count(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM metadata_taxonomies WHERE enterprise_id = ?1 AND deleted_at IS NULL";
    Ok(tx.query_one(sql, &[enterprise.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Removes a taxonomy from sight. Its nodes are still there.
pub fn condemn(tx: &mut Tx<'_>, taxonomy: TaxonomyId, now: Timestamp) -> Result<(), Error> {
    tx.put("UPDATE metadata_taxonomies SET deleted_at = ?2 WHERE id = ?1", &[taxonomy.into(), now.into()])
}

/// Removes up to `limit` nodes of a taxonomy that was removed, and with the last of them its row. `true` when nothing is
/// left.
pub fn forget(tx: &mut Tx<'_>, taxonomy: TaxonomyId, limit: u32) -> Result<bool, Error> {
    let removed = tx.execute(
        "DELETE FROM metadata_taxonomy_nodes WHERE id IN
           (SELECT id FROM metadata_taxonomy_nodes WHERE taxonomy_id = ?1 ORDER BY level, id LIMIT ?2)",
        &[taxonomy.into(), limit.into()],
    )?;
    if u32::try_from(removed).is_ok_and(|removed| removed >= limit) {
        return Ok(false);
    }
    tx.put("DELETE FROM metadata_taxonomies WHERE id = ?1 AND deleted_at IS NOT NULL", &[taxonomy.into()])?;
    Ok(true)
}

/// Stores a node. `Duplicate` when its parent has one of that name.
pub fn insert_node(tx: &mut Tx<'_>, new: &TaxonomyNode) -> Result<(), Error> {
    let path: Vec<_> = new.path.iter().map(ToString::to_string).collect();
    tx.put(
        "INSERT INTO metadata_taxonomy_nodes (id, taxonomy_id, parent_id, level, path, display_name, name_folded)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            new.id.into(),
            new.taxonomy.into(),
            parent(new.parent),
            new.level.into(),
            path.join(" ").as_str().into(),
            new.display_name.as_str().into(),
            fold(&new.display_name).as_str().into(),
        ],
    )
}

/// Gives a node another name.
pub fn rename_node(tx: &mut Tx<'_>, node: TaxonomyNodeId, name: &str) -> Result<(), Error> {
    tx.put(
        "UPDATE metadata_taxonomy_nodes SET display_name = ?2, name_folded = ?3 WHERE id = ?1",
        &[node.into(), name.into(), fold(name).as_str().into()],
    )
}

/// Removes a node.
pub fn remove_node(tx: &mut Tx<'_>, node: TaxonomyNodeId) -> Result<(), Error> {
    tx.put("DELETE FROM metadata_taxonomy_nodes WHERE id = ?1", &[node.into()])
}

/// The node with that id.
pub fn node(tx: &mut Tx<'_>, node: TaxonomyNodeId) -> Result<Option<TaxonomyNode>, Error> {
    tx.query_one(node!("WHERE n.id = ?1"), &[node.into()], read_node)
}

/// The node of that name below a parent, without regard to case.
pub fn node_named(
    tx: &mut Tx<'_>,
    taxonomy: TaxonomyId,
    below: Option<TaxonomyNodeId>,
    name: &str,
) -> Result<Option<TaxonomyNode>, Error> {
    let sql = node!("WHERE n.taxonomy_id = ?1 AND n.parent_id = ?2 AND n.name_folded = ?3");
    tx.query_one(sql, &[taxonomy.into(), parent(below), fold(name).as_str().into()], read_node)
}

/// Whether anything is below a node.
pub fn has_below(tx: &mut Tx<'_>, taxonomy: TaxonomyId, node: TaxonomyNodeId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM metadata_taxonomy_nodes WHERE taxonomy_id = ?1 AND parent_id = ?2 LIMIT 1";
    Ok(tx.query_one(sql, &[taxonomy.into(), node.into()], |_| Ok(()))?.is_some())
}

/// Whether a taxonomy has a node on a level.
pub fn has_level(tx: &mut Tx<'_>, taxonomy: TaxonomyId, level: u32) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM metadata_taxonomy_nodes WHERE taxonomy_id = ?1 AND level = ?2 LIMIT 1";
    Ok(tx.query_one(sql, &[taxonomy.into(), level.into()], |_| Ok(()))?.is_some())
}

/// Up to `limit` nodes in order of their names, after one of them: its folded name and its id.
pub fn nodes(
    tx: &mut Tx<'_>,
    taxonomy: TaxonomyId,
    (name, id): (&str, Option<TaxonomyNodeId>),
    limit: u32,
) -> Result<Vec<TaxonomyNode>, Error> {
    let sql =
        node!("WHERE n.taxonomy_id = ?1 AND (n.name_folded, n.id) > (?2, ?3) ORDER BY n.name_folded, n.id LIMIT ?4");
    let id = id.map_or(0, TaxonomyNodeId::number);
    tx.query(sql, &[taxonomy.into(), name.into(), id.into(), limit.into()], read_node)
}

fn parent(node: Option<TaxonomyNodeId>) -> Value<'static> {
    Value::Int(node.map_or(0, TaxonomyNodeId::number))
}

fn read(row: &Row<'_>) -> Result<TaxonomyRow, Error> {
    Ok(TaxonomyRow {
        id: TaxonomyId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        key: row.text(2)?,
        display_name: row.text(3)?,
        levels: row.text(4)?,
        nodes: row.size(5)?,
    })
}

fn read_node(row: &Row<'_>) -> Result<TaxonomyNode, Error> {
    let path: Result<Vec<_>, _> = row.text(4)?.split_ascii_whitespace().map(str::parse).collect();
    Ok(TaxonomyNode {
        id: TaxonomyNodeId::new(row.int(0)?),
        taxonomy: TaxonomyId::new(row.int(1)?),
        parent: Some(row.int(2)?).filter(|id| *id != 0).map(TaxonomyNodeId::new),
        level: row.number(3)?,
        path: path.map_err(|_| Error::damaged("the path of a node"))?,
        display_name: row.text(5)?,
    })
}
