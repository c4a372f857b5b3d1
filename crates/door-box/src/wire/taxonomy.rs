//! Metadata taxonomies.

use super::id::Text;
use super::metadata::Scope;
use data_encoding::BASE64URL_NOPAD;
use entente_model::{TaxonomyId, TaxonomyNodeId};
use serde::{Deserialize, Serialize};

/// `MetadataTaxonomy`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Taxonomy<'a> {
    /// Its id.
    pub id: Text<TaxonomyId>,
    /// Its name for programs.
    pub key: &'a str,
    /// Its name for people.
    pub display_name: &'a str,
    /// Where it belongs.
    pub namespace: Text<Scope>,
    /// The first level first.
    pub levels: Vec<Level<'a>>,
}

/// `MetadataTaxonomyLevel`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Level<'a> {
    /// Its name.
    pub display_name: &'a str,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// From 1.
    pub level: u32,
}

/// `MetadataTaxonomyLevels`.
#[derive(Debug, Serialize)]
pub struct Levels<'a> {
    /// The first level first.
    pub entries: Vec<Level<'a>>,
}

/// `MetadataTaxonomyNode`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Node<'a> {
    /// Its id.
    pub id: Text<TaxonomyNodeId>,
    /// Its name.
    pub display_name: &'a str,
    /// From 1.
    pub level: u32,
    /// Directly above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Text<TaxonomyNodeId>>,
    /// All above it, the first level first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub node_path: Vec<Text<TaxonomyNodeId>>,
    /// The same, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<Ancestor<'a>>,
}

/// `MetadataTaxonomyAncestor`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ancestor<'a> {
    /// Its id.
    pub id: Text<TaxonomyNodeId>,
    /// Its name.
    pub display_name: &'a str,
    /// From 1.
    pub level: u32,
}

/// What creates or renames a taxonomy.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaxonomyBody {
    /// Its name for programs.
    pub key: Option<String>,
    /// Its name for people.
    pub display_name: Option<String>,
    /// Where it belongs.
    pub namespace: Option<String>,
}

/// A level that is to be.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LevelBody {
    /// Its name.
    pub display_name: Option<String>,
    /// For people.
    pub description: Option<String>,
}

/// A node that is to be.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeBody {
    /// Its name.
    pub display_name: Option<String>,
    /// From 1.
    pub level: Option<u32>,
    /// Directly above it.
    pub parent_id: Option<String>,
}

/// Longer than any marker: a folded name has at most three times the bytes of a name.
const MARKER_BYTES_MAX: usize = 64 * 1024;

/// Where a list of nodes goes on: a folded name and an id, as text that clients carry and do not read.
#[must_use]
pub fn marker((name, id): &(String, TaxonomyNodeId)) -> String {
    BASE64URL_NOPAD.encode(format!("{id} {name}").as_bytes())
}

/// Reads what [`marker`] gave. `None` for anything else.
#[must_use]
pub fn parse_marker(text: &str) -> Option<(String, TaxonomyNodeId)> {
    if text.len() > MARKER_BYTES_MAX {
        return None;
    }
    let text = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
    let (id, name) = text.split_once(' ')?;
    // No name has this letter, and PostgreSQL compares none with it.
    if name.contains('\0') { None } else { Some((name.to_owned(), id.parse().ok()?)) }
}

#[cfg(test)]
mod tests {
    use super::{marker, parse_marker};
    use entente_model::TaxonomyNodeId;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn a_marker_comes_back(name in "[^\0]{0,20}", id in 1..i64::MAX) {
            let place = (name, TaxonomyNodeId::new(id));
            prop_assert_eq!(parse_marker(&marker(&place)), Some(place));
        }

        #[test]
        fn no_marker_is_too_odd(text in any::<String>()) {
            let _ = parse_marker(&text);
        }
    }
}
