//! The `If` header (RFC 4918 section 10.4): lists of lock tokens and entity tags, each list about one resource.

/// The longest header that is read, in bytes. Clients name a lock or two.
const BYTES_MAX: usize = 8 * 1024;
/// Conditions in a header.
const CONDITIONS_MAX: usize = 100;

/// Why a header is not read. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IfError {
    /// It is not as the RFC has it.
    #[error("the 'If' header is malformed")]
    Malformed,
    /// It is absurdly long.
    #[error("the 'If' header is too long")]
    TooLong,
}

/// The header: it holds when any of its lists does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfHeader {
    /// The lists.
    pub lists: Vec<List>,
}

/// A list: it holds when all of its conditions do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The URL that it is about; the request's own, if none is given.
    pub resource: Option<String>,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whether what is stated has to be so, or has not.
    pub wanted: Wanted,
    /// What is stated.
    pub state: State,
}

/// Whether a statement has to be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// It has.
    True,
    /// `Not`.
    False,
}

/// What a condition states of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A lock with this URL covers it.
    Locked(String),
    /// It has this entity tag, as it was sent: in quotes, perhaps weak.
    Tagged(String),
}

impl IfHeader {
    /// Reads the header's value.
    pub fn parse(text: &str) -> Result<Self, IfError> {
        if text.len() > BYTES_MAX {
            return Err(IfError::TooLong);
        }
        let (mut lists, mut resource, mut conditions) = (Vec::new(), None, 0);
        let mut is_tagged = None;
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('<') {
                let (url, after) = after.split_once('>').ok_or(IfError::Malformed)?;
                // A tag must be followed by a list, and tagged and untagged lists do not mix.
                if is_tagged == Some(false) || !after.trim_start().starts_with('(') {
                    return Err(IfError::Malformed);
                }
                is_tagged = Some(true);
                resource = Some(url.to_owned());
                rest = after.trim_start();
                continue;
            }
            let (list, after) = list(rest)?;
            conditions += list.len();
            if conditions > CONDITIONS_MAX {
                return Err(IfError::TooLong);
            }
            is_tagged = is_tagged.or(Some(false));
            lists.push(List { resource: resource.clone(), conditions: list });
            rest = after.trim_start();
        }
        if lists.is_empty() { Err(IfError::Malformed) } else { Ok(Self { lists }) }
    }

    /// The URLs of all locks that it names.
    pub fn locks(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().flat_map(|list| &list.conditions).filter_map(|condition| match &condition.state {
            State::Locked(url) => Some(url.as_str()),
            State::Tagged(_) => None,
        })
    }
}

/// A list in parentheses, and what follows it.
fn list(text: &str) -> Result<(Vec<Condition>, &str), IfError> {
    let mut rest = text.strip_prefix('(').ok_or(IfError::Malformed)?.trim_start();
    let mut conditions = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(')') {
            return if conditions.is_empty() { Err(IfError::Malformed) } else { Ok((conditions, after)) };
        }
        let mut wanted = Wanted::True;
        if rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("not")) {
            wanted = Wanted::False;
            rest = rest.get(3..).unwrap_or_default().trim_start();
        }
        let state = if let Some(after) = rest.strip_prefix('<') {
            let (url, after) = after.split_once('>').ok_or(IfError::Malformed)?;
            rest = after;
            State::Locked(url.to_owned())
        } else if let Some(after) = rest.strip_prefix('[') {
            // An entity tag may have a bracket inside its quotes.
            let quote = after.find('"').ok_or(IfError::Malformed)?;
            let inside = after.get(quote + 1..).ok_or(IfError::Malformed)?;
            let end = inside.find('"').ok_or(IfError::Malformed)? + quote + 2;
            let (tag, after) = after.split_at(end);
            rest = after.trim_start().strip_prefix(']').ok_or(IfError::Malformed)?;
            State::Tagged(tag.trim().to_owned())
        } else {
            return Err(IfError::Malformed);
        };
        conditions.push(Condition { wanted, state });
        rest = rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn condition(wanted: Wanted, state: State) -> Condition {
        Condition { wanted, state }
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let header = IfHeader::parse("(<urn:uuid:1> [\"I am an ETag\"]) ([\"I am another ETag\"])").unwrap();
        assert_eq!(header.lists.len(), 2);
        assert_eq!(
            header.lists[0].conditions,
            [
                condition(Wanted::True, State::Locked("urn:uuid:1".to_owned())),
                condition(Wanted::True, State::Tagged("\"I am an ETag\"".to_owned())),
            ]
        );
        let header = IfHeader::parse("(Not <urn:uuid:1> <urn:uuid:2>)").unwrap();
        assert_eq!(header.lists[0].conditions[0].wanted, Wanted::False);
        assert_eq!(header.lists[0].conditions[1].wanted, Wanted::True);
        let header =
            IfHeader::parse("</a> (<urn:uuid:1> [W/\"A]w\"]) (Not <DAV:no-lock>) <http://h/b> ([\"x\"])").unwrap();
        let resources: Vec<_> = header.lists.iter().map(|list| list.resource.as_deref()).collect();
        assert_eq!(resources, [Some("/a"), Some("/a"), Some("http://h/b")]);
        assert_eq!(header.locks().collect::<Vec<_>>(), ["urn:uuid:1", "DAV:no-lock"]);
    }

    #[test]
    fn what_is_malformed_or_absurd_is_refused() {
        for bad in [
            "",
            "(",
            "()",
            "(x)",
            "<a>",
            "<a> <b> (<c>)",
            "(<a>) <b> (<c>)",
            "(<a>",
            "([a])",
            "([\"a)",
            "(not)",
            "<a (<b>)",
        ] {
            assert_eq!(IfHeader::parse(bad), Err(IfError::Malformed), "{bad}");
        }
        assert_eq!(IfHeader::parse(&"(<urn:uuid:1>)".repeat(1_000)), Err(IfError::TooLong));
        assert_eq!(IfHeader::parse(&"(<a>)".repeat(101)), Err(IfError::TooLong));
        assert!(IfHeader::parse(&"(<a>)".repeat(100)).is_ok());
    }

    proptest! {
        #[test]
        fn no_header_is_too_odd(text in any::<String>(), shaped in "[()<>\\[\\]\"a NotW/]{0,40}") {
            let _ = (IfHeader::parse(&text), IfHeader::parse(&shaped));
        }
    }
}
