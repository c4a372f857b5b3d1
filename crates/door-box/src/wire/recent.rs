//! What somebody last had to do with.

use super::date::{Date, Zone};
use super::item::Item;
use entente_model::Timestamp;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// `RecentItem`.
#[derive(Debug, Clone, Copy)]
pub struct RecentItem<'a> {
    /// The item.
    pub item: Item<'a>,
    /// Box's word for what it was.
    pub interaction: &'static str,
    /// When.
    pub at: Timestamp,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

impl Serialize for RecentItem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("type", "recent_item")?;
        map.serialize_entry("interaction_type", self.interaction)?;
        map.serialize_entry("interacted_at", &Date { at: self.at, zone: self.zone })?;
        map.serialize_entry("item", &self.item)?;
        map.end()
    }
}
