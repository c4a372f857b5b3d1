//! Properties that clients set on items and understand alone. To us each is a name and a text.

use crate::grant::{Change, List, See};
use crate::limits::{PAGE_ITEMS_MAX, PROPERTIES_BYTES_MAX, PROPERTIES_MAX, PROPERTY_NAME_BYTES_MAX};
use crate::view::row;
use crate::{Caller, Error, Kind, Tree, allow};
use entente_database::events::EventKind;
use entente_database::{counts, items, paths, properties};
use entente_model::{ItemId, Timestamp};
use std::collections::BTreeMap;

pub use entente_database::properties::Property;

/// A change of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyChange {
    /// It is this from now on.
    Set(Property),
    /// It is not there any more. One that was not there is fine too.
    Remove {
        /// Its name.
        name: String,
    },
}

/// Changes that are made all at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeProperties {
    /// One after the other.
    pub changes: Vec<PropertyChange>,
    /// When the item's content was made.
    pub content_created_at: Option<Timestamp>,
    /// When the item's content was last changed.
    pub content_modified_at: Option<Timestamp>,
}

impl Tree {
    /// The properties of an item, in order of their names. A few lookups, inline.
    pub fn properties(&self, caller: &Caller, item: ItemId) -> Result<Vec<Property>, Error> {
        self.database.read(|tx| {
            allow::<See>(tx, caller, item)?;
            Ok(properties::of_item(tx, item)?)
        })
    }

    /// Which of a page of a folder's children have properties: of those whose sort names are after `after` and not after
    /// `upto`, up to twice `limits::PAGE_ITEMS_MAX` of them.
    pub async fn children_with_properties(
        &self,
        caller: &Caller,
        folder: ItemId,
        after: Option<String>,
        upto: String,
    ) -> Result<Vec<ItemId>, Error> {
        if !self.database.read(properties::any)? {
            return Ok(Vec::new());
        }
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                allow::<List>(tx, &caller, folder)?.of(Kind::Folder)?;
                let range = (after.as_deref(), upto.as_str());
                Ok(properties::children_that_have_any(tx, folder, range, 2 * PAGE_ITEMS_MAX)?)
            })
            .await
    }

    /// Changes properties of an item, all or none.
    ///
    /// `Invalid` when a name is too long, or the item would have more of them than `limits::PROPERTIES_MAX`, or more bytes
    /// of them than `limits::PROPERTIES_BYTES_MAX`. `NotFound`, `Trashed`; `Forbidden` for a root.
    pub async fn change_properties(
        &self,
        caller: &Caller,
        item: ItemId,
        wanted: ChangeProperties,
    ) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("change properties", move |tx| {
                let grant = allow::<Change>(tx, &caller, item)?;
                if grant.item().implied {
                    // A folder that somebody has said something of is not there for its paths alone.
                    paths::make_explicit(tx, item)?;
                }
                let before = properties::of_item(tx, item)?;
                let before: BTreeMap<_, _> = before.into_iter().map(|found| (found.name, found.value)).collect();
                let after = changed(&before, &wanted.changes)?;
                for name in before.keys().filter(|name| !after.contains_key(*name)) {
                    properties::remove(tx, item, name)?;
                }
                for (name, value) in after.iter().filter(|(name, value)| before.get(*name) != Some(value)) {
                    properties::put(tx, item, name, value)?;
                }
                if wanted.content_created_at.is_none() && wanted.content_modified_at.is_none() {
                    return Ok(());
                }
                let mut row = row(tx, &grant)?;
                row.content_created_at = wanted.content_created_at.unwrap_or(row.content_created_at);
                row.content_modified_at = wanted.content_modified_at.unwrap_or(row.content_modified_at);
                row.touch(caller.user, stamp.at);
                items::save(tx, &row)?;
                stamp.record(tx, &caller, EventKind::Described, item, row.version)
            })
            .await
    }

    /// How many items are below a folder, at any depth; counts no further than a little beyond `limit`, and looks at
    /// folders alone.
    pub async fn count_below(&self, caller: &Caller, folder: ItemId, limit: u32) -> Result<u64, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                allow::<List>(tx, &caller, folder)?.of(Kind::Folder)?;
                let (mut waiting, mut found) = (vec![folder], 0_u64);
                while let Some(folder) = waiting.pop() {
                    let children = counts::children(tx, folder)?;
                    found = found.saturating_add(children);
                    if found > u64::from(limit) {
                        break;
                    }
                    if children > 0 {
                        waiting.extend(properties::folders_in(tx, folder, limit)?);
                    }
                }
                Ok(found)
            })
            .await
    }
}

fn changed(before: &BTreeMap<String, String>, changes: &[PropertyChange]) -> Result<BTreeMap<String, String>, Error> {
    let mut after = before.clone();
    for change in changes {
        match change {
            PropertyChange::Set(Property { name, .. }) if name.len() > PROPERTY_NAME_BYTES_MAX => {
                return Err(Error::Invalid("the name of a property is too long"));
            }
            PropertyChange::Set(Property { name, value }) => drop(after.insert(name.clone(), value.clone())),
            PropertyChange::Remove { name } => drop(after.remove(name)),
        }
    }
    let bytes: usize = after.iter().map(|(name, value)| name.len() + value.len()).sum();
    if after.len() > PROPERTIES_MAX {
        return Err(Error::Invalid("the item would have too many properties"));
    }
    if bytes > PROPERTIES_BYTES_MAX {
        return Err(Error::Invalid("the item's properties would be too large"));
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> PropertyChange {
        PropertyChange::Set(Property { name: name.to_owned(), value: value.to_owned() })
    }

    #[test]
    fn changes_are_made_in_order() {
        let before = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        let remove = |name: &str| PropertyChange::Remove { name: name.to_owned() };
        let after = changed(&before, &[set("a", "3"), remove("a"), set("c", "4"), remove("none")]).unwrap();
        assert_eq!(
            after.into_iter().collect::<Vec<_>>(),
            [("b".to_owned(), "2".to_owned()), ("c".to_owned(), "4".to_owned())]
        );
    }

    #[test]
    fn limits_hold_for_what_is_left() {
        let many: Vec<_> = (0..=PROPERTIES_MAX).map(|number| set(&format!("p{number}"), "")).collect();
        assert!(matches!(changed(&BTreeMap::new(), &many), Err(Error::Invalid(_))));
        assert!(changed(&BTreeMap::new(), &many[1..]).is_ok());
        let large = "x".repeat(PROPERTIES_BYTES_MAX);
        assert!(matches!(changed(&BTreeMap::new(), &[set("a", &large)]), Err(Error::Invalid(_))));
        assert!(changed(&BTreeMap::new(), &[set("a", &large), set("a", "")]).is_ok());
        let long = "n".repeat(PROPERTY_NAME_BYTES_MAX + 1);
        assert!(matches!(changed(&BTreeMap::new(), &[set(&long, "")]), Err(Error::Invalid(_))));
    }
}
