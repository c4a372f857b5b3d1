//! Paths in URLs, and back.
//!
//! A path is cut at each `/` as it was sent, and then each name is decoded. Slashes side by side count as one. A name is
//! UTF-8 without NUL and `/`; `.` and `..` are no names here, however they are written, since clients resolve them by
//! themselves.

use entente_model::{ItemName, NameError};

/// Names on the way down from the caller's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DavPath {
    /// Each name, the last one that of the item itself. None: the root.
    pub names: Vec<ItemName>,
    /// Whether it ends in `/`, which only collections' should.
    pub has_slash: bool,
}

/// Why a URL leads nowhere. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is not below our prefix.
    #[error("the URL does not lead here")]
    Elsewhere,
    /// A `%` without two digits, or bytes that are not UTF-8.
    #[error("the path is not percent-encoded UTF-8")]
    Encoding,
    /// A name is `.` or `..`.
    #[error("the path has '.' or '..' in it")]
    Dots,
    /// There are more names than folders can be nested.
    #[error("the path has too many names")]
    TooLong,
    /// A name cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// Names in a path; the tree's folders are not nested deeper.
const NAMES_MAX: usize = 1_001;

impl DavPath {
    /// Reads the path of a URL, of which the prefix (`/dav`) is taken away.
    pub fn parse(path: &str, prefix: &str) -> Result<Self, PathError> {
        let rest = path.strip_prefix(prefix).ok_or(PathError::Elsewhere)?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return Err(PathError::Elsewhere);
        }
        let mut names = Vec::new();
        for raw in rest.split('/').filter(|raw| !raw.is_empty()) {
            if names.len() >= NAMES_MAX {
                return Err(PathError::TooLong);
            }
            let name = decode(raw)?;
            if name == "." || name == ".." {
                return Err(PathError::Dots);
            }
            names.push(ItemName::new(name)?);
        }
        Ok(Self { has_slash: rest.ends_with('/') || names.is_empty(), names })
    }

    /// Reads a `Destination`: a path, or a URL of which host and port are for the caller to compare.
    pub fn parse_destination<'d>(text: &'d str, prefix: &str) -> Result<(Self, Option<&'d str>), PathError> {
        let text = text.trim();
        let (authority, path) = match text.split_once("://") {
            Some((scheme, rest)) if !text.starts_with('/') => {
                if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) {
                    return Err(PathError::Elsewhere);
                }
                let at = rest.find('/').ok_or(PathError::Elsewhere)?;
                let (authority, path) = rest.split_at(at);
                (Some(authority), path)
            }
            _ => (None, text),
        };
        if path.contains(['?', '#']) {
            return Err(PathError::Elsewhere);
        }
        Ok((Self::parse(path, prefix)?, authority))
    }

    /// The path without its last name; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<&[ItemName]> {
        self.names.split_last().map(|(_, parent)| parent)
    }

    /// The last name; `None` for the root.
    #[must_use]
    pub fn name(&self) -> Option<&ItemName> {
        self.names.last()
    }

    /// Whether `other` is this path or below it.
    #[must_use]
    pub fn leads_to(&self, other: &Self) -> bool {
        other.names.starts_with(&self.names)
    }
}

/// Whether an item of this name can be asked for by a URL.
#[must_use]
pub fn is_reachable(name: &ItemName) -> bool {
    !matches!(name.as_str(), "" | "." | "..")
}

fn decode(raw: &str) -> Result<String, PathError> {
    if !raw.contains('%') {
        return Ok(raw.to_owned());
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digit = |index: usize| after.get(index).and_then(|byte| char::from(*byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else { return Err(PathError::Encoding) };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| PathError::Encoding)?);
        rest = after.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_| PathError::Encoding)
}

/// Appends a name to a URL, with everything encoded that is not sure to pass.
pub fn encode(out: &mut String, name: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'(' | b')' | b'!' | b'*' | b',')
        {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn names(path: &str) -> Result<Vec<String>, PathError> {
        let path = DavPath::parse(path, "/dav")?;
        Ok(path.names.into_iter().map(ItemName::into_string).collect())
    }

    #[test]
    fn a_path_is_cut_before_it_is_decoded() {
        assert_eq!(names("/dav").unwrap(), Vec::<String>::new());
        assert_eq!(names("/dav/").unwrap(), Vec::<String>::new());
        assert_eq!(names("/dav//a///b%20c/").unwrap(), ["a", "b c"]);
        assert_eq!(names("/dav/%C3%a4/x+y").unwrap(), ["ä", "x+y"]);
        assert!(DavPath::parse("/dav/a/", "/dav").unwrap().has_slash);
        assert!(!DavPath::parse("/dav/a", "/dav").unwrap().has_slash);
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        assert_eq!(names("/dave/a"), Err(PathError::Elsewhere));
        assert_eq!(names("/box/a"), Err(PathError::Elsewhere));
        assert_eq!(names("/dav/a%2Fb"), Err(PathError::Name(NameError::Slash)));
        assert_eq!(names("/dav/a%00"), Err(PathError::Name(NameError::Nul)));
        for bad in ["/dav/%", "/dav/%4", "/dav/%zz", "/dav/%ff", "/dav/%c0%af", "/dav/%ed%a0%80"] {
            assert_eq!(names(bad), Err(PathError::Encoding), "{bad}");
        }
        for bad in ["/dav/..", "/dav/a/./b", "/dav/%2e%2E/x", "/dav/.%2e"] {
            assert_eq!(names(bad), Err(PathError::Dots), "{bad}");
        }
        assert_eq!(names(&format!("/dav{}", "/a".repeat(2_000))), Err(PathError::TooLong));
    }

    #[test]
    fn a_destination_is_a_url_or_a_path() {
        let parse = |text| DavPath::parse_destination(text, "/dav").map(|(path, host)| (path.names.len(), host));
        assert_eq!(parse("http://h.example:80/dav/a/b"), Ok((2, Some("h.example:80"))));
        assert_eq!(parse("/dav/a"), Ok((1, None)));
        assert_eq!(parse("/dav/a://b"), Ok((2, None)));
        for bad in ["ftp://h/dav/a", "http://h", "http://h/other", "dav/a", "", "/dav/a?b", "/dav/a#b"] {
            assert_eq!(parse(bad), Err(PathError::Elsewhere), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(name in "[^/\0]{1,30}") {
            let mut path = "/dav/".to_owned();
            encode(&mut path, &name);
            match names(&path) {
                Ok(names) => prop_assert_eq!(names, [name]),
                Err(error) => prop_assert_eq!((error, name == "." || name == ".."), (PathError::Dots, true)),
            }
        }
    }
}
