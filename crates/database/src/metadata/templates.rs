//! Templates: which fields may be said of items of an enterprise.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, TemplateId, Timestamp};

/// A template as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRow {
    /// Its id.
    pub id: TemplateId,
    /// Where it belongs.
    pub enterprise: EnterpriseId,
    /// Its name for programs; unique within the enterprise.
    pub key: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether people are not shown it.
    pub hidden: bool,
    /// Whether copies of an item keep what is said of it.
    pub copied: bool,
    /// How often its fields have changed.
    pub version: u64,
    /// Its fields, as the tree writes them.
    pub fields: String,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.enterprise_id, t.template_key, t.display_name, t.hidden, t.copied, t.version, t.fields
             FROM metadata_templates t ",
            $rest
        )
    };
}

/// Stores a template. `Duplicate` when its enterprise has one of that key.
pub fn insert(tx: &mut Tx<'_>, new: &TemplateRow, now: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO metadata_templates (id, enterprise_id, template_key, display_name, hidden, copied, version, fields,
           created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
        &[
            new.id.into(),
            new.enterprise.into(),
            new.key.as_str().into(),
            new.display_name.as_str().into(),
            i64::from(new.hidden).into(),
            i64::from(new.copied).into(),
            new.version.into(),
            new.fields.as_str().into(),
            now.into(),
        ],
    )
}

/// Writes what may change of a template.
pub fn save(tx: &mut Tx<'_>, template: &TemplateRow, now: Timestamp) -> Result<(), Error> {
    tx.put(
        "UPDATE metadata_templates SET display_name = ?2, hidden = ?3, copied = ?4, version = ?5, fields = ?6,
           template_key = ?7, modified_at = ?8 WHERE id = ?1",
        &[
            template.id.into(),
            template.display_name.as_str().into(),
            i64::from(template.hidden).into(),
            i64::from(template.copied).into(),
            template.version.into(),
            template.fields.as_str().into(),
            template.key.as_str().into(),
            now.into(),
        ],
    )
}

/// The template with that id.
pub fn by_id(tx: &mut Tx<'_>, template: TemplateId) -> Result<Option<TemplateRow>, Error> {
    tx.query_one(select!("WHERE t.id = ?1 AND t.deleted_at IS NULL"), &[template.into()], read)
}

/// The enterprise's template of that key.
pub fn by_key(tx: &mut Tx<'_>, enterprise: EnterpriseId, key: &str) -> Result<Option<TemplateRow>, Error> {
    let sql = select!("WHERE t.enterprise_id = ?1 AND t.template_key = ?2 AND t.deleted_at IS NULL");
    tx.query_one(sql, &[enterprise.into(), key.into()], read)
}

/// Up to `limit` templates of an enterprise after one of them, oldest first.
pub fn list(
    tx: &mut Tx<'_>,
    enterprise: EnterpriseId,
    after: Option<TemplateId>,
    limit: u32,
) -> Result<Vec<TemplateRow>, Error> {
    let after = after.map_or(0, TemplateId::number);
    let sql = select!("WHERE t.enterprise_id = ?1 AND t.deleted_at IS NULL AND t.id > ?2 ORDER BY t.id LIMIT ?3");
    tx.query(sql, &[enterprise.into(), after.into(), limit.into()], read)
}

/// How many templates an enterprise has.
pub fn count(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM metadata_templates WHERE enterprise_id = ?1 AND deleted_at IS NULL";
    Ok(tx.query_one(sql, &[enterprise.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Removes a template from sight: its key is free, and nothing finds it. What was said by it is still there.
pub fn condemn(tx: &mut Tx<'_>, template: TemplateId, now: Timestamp) -> Result<(), Error> {
    tx.put("UPDATE metadata_templates SET deleted_at = ?2 WHERE id = ?1", &[template.into(), now.into()])
}

/// Removes the row of a template that was removed.
pub fn forget(tx: &mut Tx<'_>, template: TemplateId) -> Result<(), Error> {
    tx.put("DELETE FROM metadata_templates WHERE id = ?1 AND deleted_at IS NOT NULL", &[template.into()])
}

fn read(row: &Row<'_>) -> Result<TemplateRow, Error> {
    Ok(TemplateRow {
        id: TemplateId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        key: row.text(2)?,
        display_name: row.text(3)?,
        hidden: row.int(4)? != 0,
        copied: row.int(5)? != 0,
        version: row.size(6)?,
        fields: row.text(7)?,
    })
}
