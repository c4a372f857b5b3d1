//! Pages of things, by offset or by marker.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// A page.
#[derive(Debug, Clone)]
pub struct Collection<'a, E> {
    /// What is on it.
    pub entries: Vec<E>,
    /// How much there could be.
    pub limit: u64,
    /// Where it is in the whole.
    pub page: Page<'a>,
}

/// Where a page is in the whole.
#[derive(Debug, Clone)]
pub enum Page<'a> {
    /// By offset.
    Offset {
        /// How many there are in all.
        total_count: u64,
        /// How many come before the page.
        offset: u64,
        /// What they are ordered by; left out if nothing says so.
        order: &'a [Order],
    },
    /// By marker.
    Marker {
        /// What to ask for next; none at the end. Never empty: clients would ask for ever.
        next: Option<String>,
    },
}

/// One thing that a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Order {
    /// A member.
    pub by: &'static str,
    /// Which way.
    pub direction: Direction,
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Direction {
    /// The least first.
    #[serde(rename = "ASC")]
    Ascending,
    /// The greatest first.
    #[serde(rename = "DESC")]
    Descending,
}

impl<E: Serialize> Serialize for Collection<'_, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.page {
            Page::Offset { total_count, offset, order } => {
                map.serialize_entry("total_count", total_count)?;
                map.serialize_entry("entries", &self.entries)?;
                map.serialize_entry("offset", offset)?;
                map.serialize_entry("limit", &self.limit)?;
                if !order.is_empty() {
                    map.serialize_entry("order", order)?;
                }
            }
            Page::Marker { next } => {
                map.serialize_entry("entries", &self.entries)?;
                map.serialize_entry("limit", &self.limit)?;
                map.serialize_entry("next_marker", next)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{Collection, Direction, Order, Page};

    #[test]
    fn the_two_forms() {
        let order = [Order { by: "name", direction: Direction::Ascending }];
        let page = Page::Offset { total_count: 9, offset: 2, order: &order };
        let list = Collection { entries: vec![1, 2], limit: 2, page };
        assert_eq!(
            serde_json::to_string(&list).expect("serializes"),
            r#"{"total_count":9,"entries":[1,2],"offset":2,"limit":2,"order":[{"by":"name","direction":"ASC"}]}"#
        );
        let list = Collection { entries: vec![1], limit: 2, page: Page::Marker { next: None } };
        assert_eq!(
            serde_json::to_string(&list).expect("serializes"),
            r#"{"entries":[1],"limit":2,"next_marker":null}"#
        );
    }
}
