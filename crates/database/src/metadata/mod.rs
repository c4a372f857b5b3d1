//! Metadata: what is said of items by templates, and the values once more, to find items by.

pub mod cascades;
pub mod instances;
pub mod taxonomies;
pub mod templates;
pub mod values;
pub mod work;

use crate::{Error, Tx};
use entente_model::ItemId;

/// Removes all that is said of an item, and what went from it to others.
pub(crate) fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM metadata_instances WHERE item_id = ?1", &[item.into()])?;
    tx.put("DELETE FROM metadata_values WHERE item_id = ?1", &[item.into()])?;
    tx.put("DELETE FROM metadata_cascades WHERE folder_id = ?1", &[item.into()])
}
