//! Cascades: what is said of a folder by a template goes to everything below it.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{CascadeId, EnterpriseId, ItemId, TemplateId, Timestamp};

/// A cascade as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cascade {
    /// Its id.
    pub id: CascadeId,
    /// Whose it is.
    pub enterprise: EnterpriseId,
    /// From which folder.
    pub folder: ItemId,
    /// What is said by which template.
    pub template: TemplateId,
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT c.id, c.enterprise_id, c.folder_id, c.template_id FROM metadata_cascades c ", $rest)
    };
}

/// Stores a cascade. `Duplicate` when the folder has one of the template.
pub fn insert(tx: &mut Tx<'_>, new: &Cascade, now: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO metadata_cascades (id, enterprise_id, folder_id, template_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        &[new.id.into(), new.enterprise.into(), new.folder.into(), new.template.into(), now.into()],
    )?;
    tx.put("UPDATE items SET cascades = 1 WHERE id = ?1 AND cascades = 0", &[new.folder.into()])
}

/// The cascade with that id.
pub fn by_id(tx: &mut Tx<'_>, cascade: CascadeId) -> Result<Option<Cascade>, Error> {
    tx.query_one(select!("WHERE c.id = ?1"), &[cascade.into()], read)
}

/// The cascade of a template from a folder.
pub fn by_template(tx: &mut Tx<'_>, folder: ItemId, template: TemplateId) -> Result<Option<Cascade>, Error> {
    tx.query_one(select!("WHERE c.folder_id = ?1 AND c.template_id = ?2"), &[folder.into(), template.into()], read)
}

/// Up to `limit` cascades from a folder.
pub fn of_folder(tx: &mut Tx<'_>, folder: ItemId, limit: u32) -> Result<Vec<Cascade>, Error> {
    let sql = select!("WHERE c.folder_id = ?1 ORDER BY c.template_id LIMIT ?2");
    tx.query(sql, &[folder.into(), limit.into()], read)
}

/// Removes a cascade. What it brought stays.
pub fn remove(tx: &mut Tx<'_>, cascade: CascadeId) -> Result<(), Error> {
    tx.put("DELETE FROM metadata_cascades WHERE id = ?1", &[cascade.into()])
}

/// Removes up to `limit` cascades of a template; how many.
pub fn remove_some(tx: &mut Tx<'_>, template: TemplateId, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM metadata_cascades WHERE id IN
           (SELECT id FROM metadata_cascades WHERE template_id = ?1 ORDER BY id LIMIT ?2)",
        &[template.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<Cascade, Error> {
    Ok(Cascade {
        id: CascadeId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        folder: ItemId::new(row.int(2)?),
        template: TemplateId::new(row.int(3)?),
    })
}
