//! Instances: what is said of an item by one template.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{CascadeId, ItemId, TemplateId};

/// An instance as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRow {
    /// Of what.
    pub item: ItemId,
    /// By which template.
    pub template: TemplateId,
    /// How often it has changed.
    pub version: u64,
    /// The version of the template by which it was last checked.
    pub type_version: u64,
    /// From which cascade it came; `None` if somebody said it of this item.
    pub cascade: Option<CascadeId>,
    /// Its values, as the tree writes them.
    pub content: String,
}

macro_rules! select {
    ($rest:literal) => {
        select!("", $rest)
    };
    ($explain:literal, $rest:literal) => {
        concat!(
            $explain,
            "SELECT m.item_id, m.template_id, m.version, m.type_version, m.cascade_id, m.content
             FROM metadata_instances m ",
            $rest
        )
    };
}

/// Stores an instance. `Duplicate` when there is one of the template on the item.
pub fn insert(tx: &mut Tx<'_>, new: &InstanceRow) -> Result<(), Error> {
    tx.put(
        "INSERT INTO metadata_instances (item_id, template_id, version, type_version, cascade_id, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            new.item.into(),
            new.template.into(),
            new.version.into(),
            new.type_version.into(),
            new.cascade.into(),
            new.content.as_str().into(),
        ],
    )
}

/// Writes what may change of an instance.
pub fn save(tx: &mut Tx<'_>, instance: &InstanceRow) -> Result<(), Error> {
    tx.put(
        "UPDATE metadata_instances SET version = ?3, type_version = ?4, cascade_id = ?5, content = ?6
         WHERE item_id = ?1 AND template_id = ?2",
        &[
            instance.item.into(),
            instance.template.into(),
            instance.version.into(),
            instance.type_version.into(),
            instance.cascade.into(),
            instance.content.as_str().into(),
        ],
    )
}

/// The instance of a template on an item.
pub fn by_template(tx: &mut Tx<'_>, item: ItemId, template: TemplateId) -> Result<Option<InstanceRow>, Error> {
    tx.query_one(select!("WHERE m.item_id = ?1 AND m.template_id = ?2"), &[item.into(), template.into()], read)
}

/// Up to `limit` instances on an item.
pub fn of_item(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<Vec<InstanceRow>, Error> {
    let sql = select!("WHERE m.item_id = ?1 ORDER BY m.template_id LIMIT ?2");
    tx.query(sql, &[item.into(), limit.into()], read)
}

/// Up to `limit` instances of a template on items after one, in order of the items.
pub fn of_template(
    tx: &mut Tx<'_>,
    template: TemplateId,
    after: Option<ItemId>,
    limit: u32,
) -> Result<Vec<InstanceRow>, Error> {
    let after = after.map_or(0, ItemId::number);
    let sql = select!("WHERE m.template_id = ?1 AND m.item_id > ?2 ORDER BY m.item_id LIMIT ?3");
    tx.query(sql, &[template.into(), after.into(), limit.into()], read)
}

/// How many instances there are on an item.
pub fn count(tx: &mut Tx<'_>, item: ItemId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM metadata_instances WHERE item_id = ?1";
    Ok(tx.query_one(sql, &[item.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Removes an instance, and its values.
pub fn remove(tx: &mut Tx<'_>, item: ItemId, template: TemplateId) -> Result<(), Error> {
    let parameters = [item.into(), template.into()];
    tx.put("DELETE FROM metadata_instances WHERE item_id = ?1 AND template_id = ?2", &parameters)?;
    tx.put("DELETE FROM metadata_values WHERE item_id = ?1 AND template_id = ?2", &parameters)
}

/// Removes up to `limit` instances of a template, with their values; how many.
pub fn remove_some(tx: &mut Tx<'_>, template: TemplateId, limit: u32) -> Result<usize, Error> {
    let sql = "SELECT item_id FROM metadata_instances WHERE template_id = ?1 ORDER BY item_id LIMIT ?2";
    let items = tx.query(sql, &[template.into(), limit.into()], |row| Ok(ItemId::new(row.int(0)?)))?;
    for item in &items {
        remove(tx, *item, template)?;
    }
    Ok(items.len())
}

/// Gives an item what is said of another by templates that say so, and by the global ones, whose ids are not above
/// `global_max`. What is said of it already stays.
pub fn copy(tx: &mut Tx<'_>, from: ItemId, to: ItemId, global_max: TemplateId) -> Result<(), Error> {
    let parameters = [from.into(), to.into(), global_max.into()];
    tx.put(
        "INSERT INTO metadata_values (item_id, template_id, field, place, text_value, number_value)
         SELECT ?2, v.template_id, v.field, v.place, v.text_value, v.number_value FROM metadata_values v
         WHERE v.item_id = ?1
           AND (v.template_id <= ?3 OR EXISTS (SELECT 1 FROM metadata_templates t
                WHERE t.id = v.template_id AND t.copied = 1 AND t.deleted_at IS NULL))
           AND NOT EXISTS (SELECT 1 FROM metadata_instances e WHERE e.item_id = ?2 AND e.template_id = v.template_id)",
        &parameters,
    )?;
    tx.put(
        "INSERT INTO metadata_instances (item_id, template_id, version, type_version, cascade_id, content)
         SELECT ?2, m.template_id, 0, m.type_version, NULL, m.content FROM metadata_instances m
         WHERE m.item_id = ?1
           AND (m.template_id <= ?3 OR EXISTS (SELECT 1 FROM metadata_templates t
                WHERE t.id = m.template_id AND t.copied = 1 AND t.deleted_at IS NULL))
           AND NOT EXISTS (SELECT 1 FROM metadata_instances e WHERE e.item_id = ?2 AND e.template_id = m.template_id)",
        &parameters,
    )
}

/// How SQLite would find what is said of an item, and by a template: for tests that keep watch over it.
pub fn explain(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    let mut plans = Vec::new();
    for sql in [
        select!("EXPLAIN QUERY PLAN ", "WHERE m.item_id = 1 AND m.template_id = 2"),
        select!("EXPLAIN QUERY PLAN ", "WHERE m.item_id = 1 ORDER BY m.template_id LIMIT 3"),
        select!("EXPLAIN QUERY PLAN ", "WHERE m.template_id = 1 AND m.item_id > 2 ORDER BY m.item_id LIMIT 3"),
    ] {
        plans.extend(tx.query(sql, &[], |row| row.text(3))?);
    }
    Ok(plans)
}

fn read(row: &Row<'_>) -> Result<InstanceRow, Error> {
    Ok(InstanceRow {
        item: ItemId::new(row.int(0)?),
        template: TemplateId::new(row.int(1)?),
        version: row.size(2)?,
        type_version: row.size(3)?,
        cascade: row.int_or_null(4)?.map(CascadeId::new),
        content: row.text(5)?,
    })
}
