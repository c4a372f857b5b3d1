//! The bodies of `PROPFIND`, `PROPPATCH` and `LOCK`.

use super::xml::{self, Element, Name, XmlError};

/// Why a body is not understood. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is not XML as we read it.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// It is other XML than the method wants.
    #[error("the body is not what the method wants")]
    Unexpected,
    /// It names too many properties.
    #[error("the body names too many properties")]
    TooMany,
    /// The names of the properties that it asks for are too long together: they are told again of each item.
    #[error("the names of the properties are too long together")]
    NamesTooLong,
}

/// Properties in a request.
const PROPERTIES_MAX: usize = 1_000;
/// Bytes of the names, with their namespaces, of all properties that are asked for.
const NAMES_BYTES_MAX: usize = 32 * 1024;
/// Bytes of all values of a `PROPPATCH`, each written so that it stands by itself. No item has as many.
const VALUES_BYTES_MAX: usize = 2 << 20;
/// Bytes of what is said of a lock's holder, before it is known whether that is too long.
const OWNER_BYTES_MAX: usize = 64 * 1024;

/// What a `PROPFIND` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Find {
    /// Everything that is usual, and these.
    All(Vec<Name>),
    /// The names of everything.
    Names,
    /// These.
    These(Vec<Name>),
}

/// Reads the body of a `PROPFIND`; an empty one asks for everything.
pub fn parse_find(body: &[u8]) -> Result<Find, BodyError> {
    if body.is_empty() {
        return Ok(Find::All(Vec::new()));
    }
    let root = xml::parse(body)?;
    if !root.name.is_dav("propfind") {
        return Err(BodyError::Unexpected);
    }
    let names = |element: &Element| -> Result<Vec<Name>, BodyError> {
        let (mut names, mut bytes): (Vec<Name>, usize) = (Vec::new(), 0);
        for name in element.elements().map(|element| &element.name) {
            if !names.contains(name) {
                bytes += name.namespace.len() + name.local.len();
                names.push(name.clone());
            }
            if bytes > NAMES_BYTES_MAX {
                return Err(BodyError::NamesTooLong);
            }
            if names.len() > PROPERTIES_MAX {
                return Err(BodyError::TooMany);
            }
        }
        Ok(names)
    };
    match (root.dav("allprop"), root.dav("propname"), root.dav("prop")) {
        (Some(_), None, None) => Ok(Find::All(root.dav("include").map_or(Ok(Vec::new()), names)?)),
        (None, Some(_), None) => Ok(Find::Names),
        (None, None, Some(prop)) => Ok(Find::These(names(prop)?)),
        _ => Err(BodyError::Unexpected),
    }
}

/// A change that a `PROPPATCH` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Of which property.
    pub name: Name,
    /// What it is to be; `None` to remove it.
    pub value: Option<Value>,
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The whole element, which stands by itself.
    pub fragment: String,
    /// The text in it.
    pub text: String,
}

/// Reads the body of a `PROPPATCH`: changes in their order.
pub fn parse_patch(body: &[u8]) -> Result<Vec<Patch>, BodyError> {
    let root = xml::parse(body)?;
    if !root.name.is_dav("propertyupdate") {
        return Err(BodyError::Unexpected);
    }
    let (mut patches, mut left_bytes) = (Vec::new(), VALUES_BYTES_MAX);
    for update in root.elements() {
        let sets = match () {
            () if update.name.is_dav("set") => true,
            () if update.name.is_dav("remove") => false,
            () => continue,
        };
        let prop = update.dav("prop").ok_or(BodyError::Unexpected)?;
        for property in prop.elements() {
            if patches.len() >= PROPERTIES_MAX {
                return Err(BodyError::TooMany);
            }
            let mut value = None;
            if sets {
                let fragment = property.fragment(&[&root, update, prop], left_bytes)?;
                left_bytes = left_bytes.saturating_sub(fragment.len());
                value = Some(Value { fragment, text: property.text() });
            }
            patches.push(Patch { name: property.name.clone(), value });
        }
    }
    if patches.is_empty() { Err(BodyError::Unexpected) } else { Ok(patches) }
}

/// A lock that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockInfo {
    /// Whether others may hold one beside it.
    pub scope: LockScope,
    /// The whole `owner` element, which stands by itself; empty if there is none.
    pub owner: String,
}

/// Whether others may hold a lock beside one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockScope {
    /// Nobody else.
    Exclusive,
    /// Whoever asks for a shared one too.
    Shared,
}

/// Reads the body of a `LOCK`; `None` if it is empty, which asks for a lock to live on.
pub fn parse_lock(body: &[u8]) -> Result<Option<LockInfo>, BodyError> {
    if body.is_empty() {
        return Ok(None);
    }
    let root = xml::parse(body)?;
    if !root.name.is_dav("lockinfo") {
        return Err(BodyError::Unexpected);
    }
    let scope = root.dav("lockscope").ok_or(BodyError::Unexpected)?;
    let scope = match (scope.dav("exclusive"), scope.dav("shared")) {
        (Some(_), None) => LockScope::Exclusive,
        (None, Some(_)) => LockScope::Shared,
        _ => return Err(BodyError::Unexpected),
    };
    if root.dav("locktype").and_then(|kind| kind.dav("write")).is_none() {
        return Err(BodyError::Unexpected);
    }
    let owner =
        root.dav("owner").map(|owner| owner.fragment(&[&root], OWNER_BYTES_MAX)).transpose()?.unwrap_or_default();
    Ok(Some(LockInfo { scope, owner }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(body: &str) -> Result<Find, BodyError> {
        parse_find(body.as_bytes())
    }

    #[test]
    fn a_search_asks_for_all_for_names_or_for_some() {
        assert_eq!(find(""), Ok(Find::All(Vec::new())));
        assert_eq!(find("<propfind xmlns='DAV:'><allprop/></propfind>"), Ok(Find::All(Vec::new())));
        assert_eq!(find("<D:propfind xmlns:D='DAV:'><D:propname/></D:propfind>"), Ok(Find::Names));
        let some = find("<propfind xmlns='DAV:'><prop><getetag/><a xmlns='urn:x'/><getetag/></prop><x/></propfind>");
        let Ok(Find::These(names)) = some else { panic!("{some:?}") };
        assert_eq!(names.iter().map(Name::key).collect::<Vec<_>>(), ["{DAV:}getetag", "{urn:x}a"]);
        let all = find("<propfind xmlns='DAV:'><allprop/><include><quota-used-bytes/></include></propfind>");
        assert!(matches!(all, Ok(Find::All(names)) if names.len() == 1));
        for bad in [
            "<propfind/>",
            "<propfind xmlns='DAV:'/>",
            "<x xmlns='DAV:'><allprop/></x>",
            "<propfind xmlns='DAV:'><allprop/><propname/></propfind>",
        ] {
            assert_eq!(find(bad), Err(BodyError::Unexpected), "{bad}");
        }
        let many: String = (0..=PROPERTIES_MAX).map(|number| format!("<p{number}/>")).collect();
        let many = format!("<propfind xmlns='DAV:'><prop>{many}</prop></propfind>");
        assert_eq!(find(&many), Err(BodyError::TooMany));
        let long: String = (0..40).map(|number| format!("<p{number}/>")).collect();
        let long =
            format!("<d:propfind xmlns:d='DAV:'><d:prop xmlns='{}'>{long}</d:prop></d:propfind>", "n".repeat(1_000));
        assert_eq!(find(&long), Err(BodyError::NamesTooLong));
    }

    #[test]
    fn changes_keep_their_order() {
        let body = "<d:propertyupdate xmlns:d='DAV:' xmlns:x='urn:x'><d:set><d:prop><x:a>1</x:a></d:prop></d:set>
            <d:remove><d:prop><x:a/><x:b/></d:prop></d:remove></d:propertyupdate>";
        let patches = parse_patch(body.as_bytes()).unwrap();
        let seen: Vec<_> = patches.iter().map(|patch| (patch.name.local.as_str(), patch.value.is_some())).collect();
        assert_eq!(seen, [("a", true), ("a", false), ("b", false)]);
        let value = patches[0].value.as_ref().unwrap();
        assert_eq!((value.fragment.as_str(), value.text.as_str()), ("<x:a xmlns:x=\"urn:x\">1</x:a>", "1"));
        for bad in ["<propertyupdate xmlns='DAV:'/>", "<propertyupdate xmlns='DAV:'><set/></propertyupdate>", "<x/>"] {
            assert_eq!(parse_patch(bad.as_bytes()), Err(BodyError::Unexpected), "{bad}");
        }
        assert!(matches!(parse_patch(b""), Err(BodyError::Xml(_))));
        let (declared, properties): (String, String) = (0..30)
            .map(|number| (format!(" xmlns:n{number}='{}'", "\"".repeat(1_000)), format!("n{number}:x ")))
            .unzip();
        let properties: String = (0..500).map(|number| format!("<p{number}>{properties}</p{number}>")).collect();
        let bomb =
            format!("<propertyupdate xmlns='DAV:'{declared}><set><prop>{properties}</prop></set></propertyupdate>");
        assert_eq!(parse_patch(bomb.as_bytes()), Err(BodyError::Xml(XmlError::TooMuch)));
    }

    #[test]
    fn a_lock_has_a_scope_and_perhaps_an_owner() {
        let body = "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:shared/></d:lockscope><d:locktype><d:write/></d:locktype>\
            <d:owner><d:href>mailto:a@b</d:href></d:owner></d:lockinfo>";
        let info = parse_lock(body.as_bytes()).unwrap().unwrap();
        assert_eq!(info.scope, LockScope::Shared);
        assert_eq!(info.owner, "<d:owner xmlns:d=\"DAV:\"><d:href>mailto:a@b</d:href></d:owner>");
        assert_eq!(parse_lock(b""), Ok(None));
        for bad in [
            "<d:lockinfo xmlns:d='DAV:'/>",
            "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:shared/></d:lockscope></d:lockinfo>",
        ] {
            assert_eq!(parse_lock(bad.as_bytes()), Err(BodyError::Unexpected), "{bad}");
        }
    }
}
