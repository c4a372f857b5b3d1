//! `If-Match` and `If-None-Match` (RFC 9110 section 13.1), also with the bare, unquoted etags that Box uses.

use http::{HeaderMap, HeaderValue, header};

/// What a request makes its work depend on.
#[derive(Debug, Clone, Copy)]
pub struct Precondition<'h> {
    headers: &'h HeaderMap,
}

/// What the request would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Only look.
    Read,
    /// Change something.
    Write,
}

/// What follows from a precondition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Proceed,
    /// Answer 304: the client has what it asks for.
    NotModified,
    /// Answer 412: it is not what the client thinks it is.
    Failed,
}

impl<'h> Precondition<'h> {
    /// The precondition that the headers state.
    #[must_use]
    pub fn of(headers: &'h HeaderMap) -> Self {
        Self { headers }
    }

    /// Decides, given the current etag without quotes (`None`: the thing does not exist).
    ///
    /// A header that names no etag at all fails an `If-Match` and passes an `If-None-Match`. Weak etags (`W/"…"`)
    /// never fulfil an `If-Match`.
    #[must_use]
    pub fn decide(&self, current: Option<&str>, intent: Intent) -> Decision {
        if self.headers.contains_key(header::IF_MATCH) && !self.names(&header::IF_MATCH, current, Weak::Differs) {
            return Decision::Failed;
        }
        if self.names(&header::IF_NONE_MATCH, current, Weak::Equals) {
            return match intent {
                Intent::Read => Decision::NotModified,
                Intent::Write => Decision::Failed,
            };
        }
        Decision::Proceed
    }

    /// The etags of an `If-Match` header without their quotes, for a change that is to be rechecked when it is
    /// committed. `None` when there is no such header or it is `*`.
    #[must_use]
    pub fn expected_etags(&self) -> Option<Vec<&'h str>> {
        let values = self.headers.get_all(header::IF_MATCH);
        let tags: Vec<Tag<'h>> = values.iter().flat_map(|value| Tags(value.to_str().unwrap_or(""))).collect();
        if !self.headers.contains_key(header::IF_MATCH) || tags.contains(&Tag::Any) {
            return None;
        }
        Some(tags.into_iter().filter_map(|tag| if let Tag::Strong(text) = tag { Some(text) } else { None }).collect())
    }

    fn names(&self, name: &header::HeaderName, current: Option<&str>, weak: Weak) -> bool {
        let Some(current) = current else { return false };
        let texts = self.headers.get_all(name).iter().map(HeaderValue::to_str);
        texts.flatten().flat_map(Tags).any(|tag| match tag {
            Tag::Any => true,
            Tag::Strong(text) => text == current,
            Tag::Weak(text) => weak == Weak::Equals && text == current,
        })
    }
}

/// How a weak etag compares with an equal one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weak {
    Equals,
    Differs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag<'h> {
    Any,
    Strong(&'h str),
    Weak(&'h str),
}

/// The etags of a comma-separated list. A quoted one may have commas inside.
struct Tags<'h>(&'h str);

impl<'h> Iterator for Tags<'h> {
    type Item = Tag<'h>;

    fn next(&mut self) -> Option<Tag<'h>> {
        let text = self.0.trim_start_matches([' ', '\t', ',']);
        let (strong, weak) = (text.strip_prefix('"'), text.strip_prefix("W/\""));
        if let Some((tag, rest)) = strong.or(weak).and_then(|inside| inside.split_once('"')) {
            self.0 = rest;
            return Some(if strong.is_some() { Tag::Strong(tag) } else { Tag::Weak(tag) });
        }
        let (bare, rest) = text.split_once(',').unwrap_or((text, ""));
        self.0 = rest;
        match bare.trim_end() {
            "" => None,
            "*" => Some(Tag::Any),
            bare => Some(Tag::Strong(bare)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prop_assert_eq, proptest};

    fn decide(name: &str, value: &str, current: Option<&str>, intent: Intent) -> Decision {
        let mut headers = HeaderMap::new();
        headers.insert(header::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        Precondition::of(&headers).decide(current, intent)
    }

    #[test]
    fn a_change_needs_the_etag_it_names() {
        for value in ["3", "\"3\"", "*", "1, 3", "\"a,b\", \"3\"", " 3 "] {
            assert_eq!(decide("if-match", value, Some("3"), Intent::Write), Decision::Proceed, "{value}");
        }
        for value in ["2", "\"2\"", "W/\"3\"", "", "33", "\"3", "3\""] {
            assert_eq!(decide("if-match", value, Some("3"), Intent::Write), Decision::Failed, "{value}");
        }
        assert_eq!(decide("if-match", "*", None, Intent::Write), Decision::Failed);
    }

    #[test]
    fn a_copy_that_is_current_is_not_sent_again() {
        for value in ["3", "\"3\"", "W/\"3\"", "*", "1,3"] {
            assert_eq!(decide("if-none-match", value, Some("3"), Intent::Read), Decision::NotModified, "{value}");
            assert_eq!(decide("if-none-match", value, Some("3"), Intent::Write), Decision::Failed, "{value}");
        }
        assert_eq!(decide("if-none-match", "2", Some("3"), Intent::Read), Decision::Proceed);
        assert_eq!(decide("if-none-match", "*", None, Intent::Write), Decision::Proceed);
        assert_eq!(Precondition::of(&HeaderMap::new()).decide(Some("3"), Intent::Read), Decision::Proceed);
    }

    #[test]
    fn expected_etags_are_bare() {
        let mut headers = HeaderMap::new();
        assert_eq!(Precondition::of(&headers).expected_etags(), None);
        headers.append(header::IF_MATCH, "\"1\", W/\"2\"".parse().unwrap());
        headers.append(header::IF_MATCH, "3".parse().unwrap());
        assert_eq!(Precondition::of(&headers).expected_etags(), Some(vec!["1", "3"]));
        headers.append(header::IF_MATCH, "*".parse().unwrap());
        assert_eq!(Precondition::of(&headers).expected_etags(), None);
    }

    proptest! {
        #[test]
        fn any_list_is_read_to_its_end(text in "[ -~]{0,60}") {
            let bound = Tags(&text).take(text.len() + 1).count();
            prop_assert_eq!(bound, Tags(&text).count());
        }

        #[test]
        fn a_listed_etag_is_found(tags in proptest::collection::vec("[a-z0-9,]{1,8}", 1..6), pick: proptest::sample::Index) {
            let list = tags.iter().map(|tag| format!("\"{tag}\"")).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(decide("if-match", &list, Some(pick.get(&tags).as_str()), Intent::Write), Decision::Proceed);
        }
    }
}
