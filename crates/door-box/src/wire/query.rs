//! The query of a URL.

use super::collection::Direction;
use super::fields::Fields;
use std::borrow::Cow;

/// The parameters of a request. Of one that is given twice, the first counts.
#[derive(Debug, Clone, Copy)]
pub struct Query<'q>(pub &'q str);

/// A parameter that cannot be what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// `limit` is not a number from 0 up.
    #[error("'limit' must be a number that is not negative")]
    Limit,
    /// `offset` is not a number from 0 up, or beyond what the operation reaches.
    #[error("'offset' must be a number that is neither negative nor beyond the reach of paging by offset")]
    Offset,
    /// Two parameters that exclude each other.
    #[error("'marker' needs usemarker=true, which cannot be combined with 'offset'")]
    Marker,
}

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageWanted {
    /// How many entries at most.
    pub limit: u32,
    /// From where on.
    pub from: From,
}

/// Which page is wanted of a list that only knows markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkerPage {
    /// How many entries at most.
    pub limit: u32,
    /// After what the marker says; from the start without one.
    pub marker: Option<String>,
}

/// Which page is wanted of a list that only knows offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetPage {
    /// How many entries at most.
    pub limit: u32,
    /// After how many.
    pub offset: u32,
}

/// From where on a page goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// After that many.
    Offset(u64),
    /// After what the marker says; from the start without one.
    Marker(Option<String>),
}

/// The page size without `limit`.
const LIMIT_DEFAULT: u32 = 100;
/// The largest page.
pub const LIMIT_MAX: u32 = 1_000;
/// The furthest that paging by offset reaches.
pub const OFFSET_MAX: u64 = 10_000;

impl<'q> Query<'q> {
    /// The value of a parameter, if it is there.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Cow<'q, str>> {
        if self.0.is_empty() {
            return None;
        }
        form_urlencoded::parse(self.0.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Every value of a parameter that may be given several times.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<Cow<'q, str>> {
        form_urlencoded::parse(self.0.as_bytes()).filter(|(key, _)| key == name).map(|(_, value)| value).collect()
    }

    /// Whether a parameter is `true`, in any case (some clients send `True`), or `1`.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// What `fields` asks for; `standard` without it.
    #[must_use]
    pub fn fields(&self, standard: Fields) -> Fields {
        self.value("fields").and_then(|value| Fields::parse(&value)).unwrap_or(standard)
    }

    /// Which page. A limit that is too large becomes [`LIMIT_MAX`].
    pub fn page(&self) -> Result<PageWanted, QueryError> {
        let limit = self.limit()?;
        let offset = self.number("offset", QueryError::Offset)?;
        if offset.is_some_and(|offset| offset > OFFSET_MAX) {
            return Err(QueryError::Offset);
        }
        let marker = self.marker();
        let from = match (self.is_set("usemarker"), offset, marker) {
            (true, None | Some(0), marker) => From::Marker(marker),
            (false, offset, None) => From::Offset(offset.unwrap_or(0)),
            (true, Some(_), _) | (false, _, Some(_)) => return Err(QueryError::Marker),
        };
        Ok(PageWanted { limit, from })
    }

    /// Which page of a list that has no offsets: `usemarker` need not be said.
    pub fn marker_page(&self) -> Result<MarkerPage, QueryError> {
        Ok(MarkerPage { limit: self.limit()?, marker: self.marker() })
    }

    /// Which page of a list that has no markers.
    pub fn offset_page(&self) -> Result<OffsetPage, QueryError> {
        let offset = self.number("offset", QueryError::Offset)?.unwrap_or(0);
        let offset = u32::try_from(offset).ok().filter(|offset| u64::from(*offset) <= OFFSET_MAX);
        Ok(OffsetPage { limit: self.limit()?, offset: offset.ok_or(QueryError::Offset)? })
    }

    fn limit(&self) -> Result<u32, QueryError> {
        let limit = self.number("limit", QueryError::Limit)?;
        Ok(limit.map_or(LIMIT_DEFAULT, |limit| u32::try_from(limit).unwrap_or(LIMIT_MAX).min(LIMIT_MAX)))
    }

    fn marker(&self) -> Option<String> {
        self.value("marker").map(Cow::into_owned).filter(|marker| !marker.is_empty())
    }

    /// Which way, if it says.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        let value = self.value("direction")?;
        if value.eq_ignore_ascii_case("desc") { Some(Direction::Descending) } else { Some(Direction::Ascending) }
    }

    fn number(&self, name: &str, error: QueryError) -> Result<Option<u64>, QueryError> {
        match self.value(name) {
            None => Ok(None),
            Some(text) if text.is_empty() => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{From, MarkerPage, OffsetPage, PageWanted, Query, QueryError};
    use proptest::prelude::{any, proptest};

    #[test]
    fn pages() {
        let page = |query| Query(query).page();
        assert_eq!(page(""), Ok(PageWanted { limit: 100, from: From::Offset(0) }));
        assert_eq!(page("limit=5000&offset=7"), Ok(PageWanted { limit: 1000, from: From::Offset(7) }));
        assert_eq!(page("usemarker=True"), Ok(PageWanted { limit: 100, from: From::Marker(None) }));
        assert_eq!(page("usemarker=true&marker=&offset=0"), Ok(PageWanted { limit: 100, from: From::Marker(None) }));
        let after = From::Marker(Some("a/b".to_owned()));
        assert_eq!(page("limit=0&usemarker=true&marker=a%2Fb"), Ok(PageWanted { limit: 0, from: after }));
        assert_eq!(page("limit=-1"), Err(QueryError::Limit));
        assert_eq!(page("offset=x"), Err(QueryError::Offset));
        assert_eq!(page("offset=10001"), Err(QueryError::Offset));
        assert_eq!(page("usemarker=true&offset=1"), Err(QueryError::Marker));
        assert_eq!(page("marker=abc"), Err(QueryError::Marker));
        let after = MarkerPage { limit: 7, marker: Some("abc".to_owned()) };
        assert_eq!(Query("marker=abc&limit=7").marker_page(), Ok(after));
        assert_eq!(Query("marker=&limit=x").marker_page(), Err(QueryError::Limit));
        assert_eq!(Query("marker=").marker_page(), Ok(MarkerPage { limit: 100, marker: None }));
        assert_eq!(Query("offset=7&usemarker=true").offset_page(), Ok(OffsetPage { limit: 100, offset: 7 }));
        assert_eq!(Query("offset=10001").offset_page(), Err(QueryError::Offset));
    }

    proptest! {
        #[test]
        fn no_query_is_too_odd(text in any::<String>()) {
            let _ = Query(&text).page();
            let _ = Query(&text).is_set("usemarker");
        }
    }
}
