//! What collaborators may do with a folder apart from their roles.

use crate::tx::{Row, Value};
use crate::{Error, Tx};
use entente_model::ItemId;

/// Folders that one statement of [`of_some`] asks about.
const ITEMS_AT_ONCE: usize = 8;

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FolderSettings {
    /// Whether editors may invite others, and not only owners and co-owners.
    pub others_invite: bool,
    /// Whether collaborators who are neither see who else there is.
    pub others_see_each_other: bool,
    /// Whether only users of the enterprise may be invited.
    pub enterprise_only: bool,
}

impl FolderSettings {
    /// What is so where nobody has set anything.
    pub const USUAL: Self = Self { others_invite: true, others_see_each_other: true, enterprise_only: false };
}

/// What is set for a folder.
pub fn of(tx: &mut Tx<'_>, folder: ItemId) -> Result<FolderSettings, Error> {
    let found = tx.query_one(
        "SELECT others_invite, others_see_each_other, enterprise_only FROM folder_settings WHERE item_id = ?1",
        &[folder.into()],
        |row| read(row, 0),
    )?;
    Ok(found.unwrap_or(FolderSettings::USUAL))
}

/// What is set for some of these folders: those for which nobody has set anything are not there.
pub fn of_some(tx: &mut Tx<'_>, folders: &[ItemId]) -> Result<Vec<(ItemId, FolderSettings)>, Error> {
    let mut found = Vec::new();
    for some in folders.chunks(ITEMS_AT_ONCE) {
        let Some(first) = some.first() else { continue };
        let padded = some.iter().chain(std::iter::repeat(first)).take(ITEMS_AT_ONCE);
        let parameters: Vec<Value<'_>> = padded.map(|folder| Value::from(*folder)).collect();
        found.extend(tx.query(
            "SELECT item_id, others_invite, others_see_each_other, enterprise_only FROM folder_settings
             WHERE item_id IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &parameters,
            |row| Ok((ItemId::new(row.int(0)?), read(row, 1)?)),
        )?);
    }
    Ok(found)
}

fn read(row: &Row<'_>, start: usize) -> Result<FolderSettings, Error> {
    Ok(FolderSettings {
        others_invite: row.int(start)? != 0,
        others_see_each_other: row.int(start + 1)? != 0,
        enterprise_only: row.int(start + 2)? != 0,
    })
}

/// Sets it.
pub fn set(tx: &mut Tx<'_>, folder: ItemId, settings: FolderSettings) -> Result<(), Error> {
    tx.put(
        "INSERT INTO folder_settings (item_id, others_invite, others_see_each_other, enterprise_only)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (item_id) DO UPDATE SET others_invite = excluded.others_invite,
           others_see_each_other = excluded.others_see_each_other, enterprise_only = excluded.enterprise_only",
        &[
            folder.into(),
            i64::from(settings.others_invite).into(),
            i64::from(settings.others_see_each_other).into(),
            i64::from(settings.enterprise_only).into(),
        ],
    )
}
