//! What a search is asked and answers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What metadata has to say.
#[derive(Debug, Clone, Deserialize)]
pub struct FilterBody {
    /// Whose template.
    pub scope: Option<String>,
    /// Which template.
    #[serde(rename = "templateKey")]
    pub template_key: Option<String>,
    /// By the keys of its fields.
    #[serde(default)]
    pub filters: Map<String, Value>,
}

/// A page of results.
#[derive(Debug, Clone, Serialize)]
pub struct SearchResults<E> {
    /// How many there are in all, as far as was looked.
    pub total_count: u64,
    /// What is on the page.
    pub entries: Vec<E>,
    /// How many come before it.
    pub offset: u32,
    /// How many there could be on it.
    pub limit: u32,
    /// What entries are.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// A result beside which the link may stand by which alone it was found: none is.
#[derive(Debug, Clone, Serialize)]
pub struct SearchResult<E> {
    /// The item.
    pub item: E,
    /// Always the same.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// The ends of a range, either of which may be missing: `FROM,UPTO`.
#[must_use]
pub fn range(text: &str) -> Option<(Option<&str>, Option<&str>)> {
    let mut ends = text.split(',').map(|end| Some(end.trim()).filter(|end| !end.is_empty()));
    let (from, upto) = (ends.next()?, ends.next().flatten());
    ends.next().is_none().then_some((from, upto))
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges() {
        assert_eq!(range("1,2"), Some((Some("1"), Some("2"))));
        assert_eq!(range(",2"), Some((None, Some("2"))));
        assert_eq!(range("1,"), Some((Some("1"), None)));
        assert_eq!(range("1"), Some((Some("1"), None)));
        assert_eq!(range(","), Some((None, None)));
        assert_eq!(range("1,2,3"), None);
    }
}
