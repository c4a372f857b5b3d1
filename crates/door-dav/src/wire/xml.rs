//! XML as bodies have it: parsed into a small tree, with limits, and written again.
//!
//! Documents are UTF-8, well formed and free of a document type: so there are no entities to expand and none to fetch.
//! Comments and processing instructions are read over. What is written again is what was read, in other spelling: a
//! `CDATA` section comes back as text, a character reference as the character.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;

/// The namespace of everything that WebDAV names.
pub const DAV: &str = "DAV:";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Levels of elements in a document.
const DEPTH_MAX: usize = 100;
/// Elements in a document.
const ELEMENTS_MAX: usize = 20_000;
/// Attributes of one element, declarations of namespaces included.
const ATTRIBUTES_MAX: usize = 32;
/// Bytes of a namespace, and of an element's or attribute's name with its prefix.
const NAME_BYTES_MAX: usize = 1_024;

/// Why a document is not read. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is not UTF-8.
    #[error("the XML is not in UTF-8")]
    Encoding,
    /// It has a document type, and so perhaps entities.
    #[error("the XML has a document type; leave it out")]
    DocumentType,
    /// It is not well formed, or not with regard to namespaces.
    #[error("the XML is not well formed")]
    Malformed,
    /// It is too deep, or has too many elements or attributes.
    #[error("the XML has too many elements or attributes, or is nested too deep")]
    TooMuch,
    /// A namespace or a name is absurdly long.
    #[error("the XML has a name or a namespace of more than 1024 bytes")]
    NameTooLong,
}

/// The name of an element, whatever its prefix is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// Its namespace; empty if it has none. Shared by all that it was declared for.
    pub namespace: Arc<str>,
    /// Its local name.
    pub local: String,
}

impl Name {
    /// Whether it is that name of WebDAV's.
    #[must_use]
    pub fn is_dav(&self, local: &str) -> bool {
        &*self.namespace == DAV && self.local == local
    }

    /// The namespace in braces, then the local name.
    #[must_use]
    pub fn key(&self) -> String {
        ["{", &self.namespace, "}", &self.local].concat()
    }

    /// Reads what [`Name::key`] gave.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        let (namespace, local) = key.strip_prefix('{')?.rsplit_once('}')?;
        Some(Self { namespace: namespace.into(), local: local.to_owned() })
    }
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: Name,
    /// As it was spelled: perhaps with a prefix.
    spelled: String,
    /// Prefixes (empty for the default) and the namespaces that it declares for them.
    declared: Vec<(String, Arc<str>)>,
    /// As they were spelled, and their values.
    attributes: Vec<(String, String)>,
    /// What is in it.
    pub content: Vec<Content>,
}

/// What stands in an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An element.
    Element(Element),
    /// Text, without any escapes.
    Text(String),
}

/// Reads a document.
pub fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.chars().all(is_char) {
        return Err(XmlError::Malformed);
    }
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    let mut building = Building::default();
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(start) => building.open(&start)?,
            Event::End(_) => building.close()?,
            Event::Text(text) => building.text(&line_ends(&text.into_inner()))?,
            Event::CData(text) => building.characters(&line_ends(&text.into_inner()))?,
            Event::GeneralRef(reference) => {
                let mut letter = String::new();
                resolve(&reference.into_inner(), &mut letter)?;
                building.characters(&letter)?;
            }
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(encoding)) if !is_utf8(&encoding) => return Err(XmlError::Encoding),
                Some(Err(_)) => return Err(XmlError::Malformed),
                _ if building.has_begun() => return Err(XmlError::Malformed),
                _ => {}
            },
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Comment(_) | Event::PI(_) => {}
            // Not given out, since empty elements are expanded.
            Event::Empty(_) => return Err(XmlError::Malformed),
            Event::Eof => return building.finish(),
        }
    }
}

#[derive(Default)]
struct Building {
    open: Vec<Element>,
    done: Option<Element>,
    elements: usize,
    /// The namespace of what has none.
    none: Arc<str>,
}

impl Building {
    fn has_begun(&self) -> bool {
        self.done.is_some() || !self.open.is_empty()
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        self.elements += 1;
        if self.done.is_some() {
            return Err(XmlError::Malformed);
        }
        if self.elements > ELEMENTS_MAX || self.open.len() >= DEPTH_MAX {
            return Err(XmlError::TooMuch);
        }
        let (mut declared, mut attributes) = (Vec::new(), Vec::new());
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| XmlError::Malformed)?;
            if declared.len() + attributes.len() >= ATTRIBUTES_MAX {
                return Err(XmlError::TooMuch);
            }
            let (key, value) = (attribute.key.into_inner(), unescape_attribute(&attribute.value)?);
            let declares = key == "xmlns" || key.starts_with("xmlns:");
            if key.len() > NAME_BYTES_MAX || (declares && value.len() > NAME_BYTES_MAX) {
                return Err(XmlError::NameTooLong);
            }
            match (key, key.strip_prefix("xmlns:")) {
                ("xmlns", _) => declared.push((String::new(), value.into())),
                (_, Some(prefix)) => declared.push((prefix.to_owned(), value.into())),
                (key, None) => attributes.push((key.to_owned(), value)),
            }
        }
        check_declared(&declared)?;
        let spelled = start.name().into_inner().to_owned();
        if spelled.len() > NAME_BYTES_MAX {
            return Err(XmlError::NameTooLong);
        }
        let mut element = Element {
            name: Name { namespace: Arc::clone(&self.none), local: String::new() },
            spelled,
            declared,
            attributes,
            content: Vec::new(),
        };
        element.name = self.resolve(&element, &element.spelled, Unprefixed::Default)?;
        let mut seen = HashSet::new();
        for (key, _) in &element.attributes {
            if !seen.insert(self.resolve(&element, key, Unprefixed::None)?) {
                return Err(XmlError::Malformed);
            }
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or(XmlError::Malformed)?;
        match self.open.last_mut() {
            Some(parent) => parent.content.push(Content::Element(element)),
            None => self.done = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        if text.contains("]]>") {
            return Err(XmlError::Malformed);
        }
        self.characters(text)
    }

    fn characters(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => match element.content.last_mut() {
                Some(Content::Text(before)) => before.push_str(text),
                _ => element.content.push(Content::Text(text.to_owned())),
            },
            None if text.trim_matches([' ', '\t', '\n', '\r']).is_empty() => {}
            None => return Err(XmlError::Malformed),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        if self.open.is_empty() { self.done.ok_or(XmlError::Malformed) } else { Err(XmlError::Malformed) }
    }

    fn resolve(&self, element: &Element, spelled: &str, unprefixed: Unprefixed) -> Result<Name, XmlError> {
        let (prefix, local) = spelled.split_once(':').unwrap_or(("", spelled));
        if !is_name(local) || !(is_name(prefix) || (prefix.is_empty() && !spelled.starts_with(':'))) {
            return Err(XmlError::Malformed);
        }
        let namespace = match (prefix, unprefixed) {
            ("", Unprefixed::None) => Arc::clone(&self.none),
            ("xml", _) => XML.into(),
            (prefix, _) => {
                let in_scope = std::iter::once(element).chain(self.open.iter().rev());
                match in_scope.flat_map(|element| &element.declared).find(|(declared, _)| declared == prefix) {
                    Some((_, namespace)) => Arc::clone(namespace),
                    None if prefix.is_empty() => Arc::clone(&self.none),
                    None => return Err(XmlError::Malformed),
                }
            }
        };
        Ok(Name { namespace, local: local.to_owned() })
    }
}

/// What a name without a prefix belongs to.
#[derive(Clone, Copy)]
enum Unprefixed {
    /// The default namespace, if one is declared.
    Default,
    /// No namespace: so it is for attributes.
    None,
}

/// No prefix may stand for nothing, and nobody may stand for `xml` and `xmlns` (Namespaces in XML 1.0, sections 2.2, 3).
fn check_declared(declared: &[(String, Arc<str>)]) -> Result<(), XmlError> {
    for (prefix, namespace) in declared {
        let stands_for_nothing = !prefix.is_empty() && (namespace.is_empty() || !is_name(prefix));
        let is_reserved = prefix == "xmlns" || &**namespace == XMLNS || (prefix == "xml") != (&**namespace == XML);
        if stands_for_nothing || is_reserved {
            return Err(XmlError::Malformed);
        }
    }
    Ok(())
}

fn is_utf8(encoding: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
}

/// XML 1.0, section 2.11: each end of a line is one line feed.
fn line_ends(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// What stands between `&` and `;`.
fn resolve(reference: &str, out: &mut String) -> Result<(), XmlError> {
    let letter = match reference {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = reference.strip_prefix('#').ok_or(XmlError::Malformed)?;
            let (digits, radix) = digits.strip_prefix('x').map_or((digits, 10), |digits| (digits, 16));
            if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
                return Err(XmlError::Malformed);
            }
            let number = u32::from_str_radix(digits, radix).map_err(|_| XmlError::Malformed)?;
            char::from_u32(number).filter(|letter| is_char(*letter)).ok_or(XmlError::Malformed)?
        }
    };
    out.push(letter);
    Ok(())
}

fn unescape_attribute(raw: &str) -> Result<String, XmlError> {
    if raw.contains('<') {
        return Err(XmlError::Malformed);
    }
    let mut out = String::with_capacity(raw.len());
    let raw = line_ends(raw);
    let mut rest = raw.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        out.extend(before.chars().map(white_as_space));
        let (reference, after) = after.split_once(';').ok_or(XmlError::Malformed)?;
        resolve(reference, &mut out)?;
        rest = after;
    }
    out.extend(rest.chars().map(white_as_space));
    Ok(out)
}

fn white_as_space(letter: char) -> char {
    if matches!(letter, '\t' | '\n' | '\r') { ' ' } else { letter }
}

/// XML 1.0, production `Char`.
#[must_use]
pub fn is_char(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// XML 1.0, production `Name`, without colons.
fn is_name(text: &str) -> bool {
    let begins = |letter: char| {
        matches!(letter, 'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
            | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
            | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}')
    };
    let follows = |letter: char| {
        begins(letter)
            || matches!(letter, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
    };
    let mut letters = text.chars();
    letters.next().is_some_and(begins) && letters.all(follows)
}

impl Element {
    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    /// The first element of that name of WebDAV's in it.
    #[must_use]
    pub fn dav(&self, local: &str) -> Option<&Self> {
        self.elements().find(|element| element.name.is_dav(local))
    }

    /// Its own text.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|content| match content {
            Content::Text(text) => Some(text.as_str()),
            Content::Element(_) => None,
        });
        texts.collect()
    }

    /// The element by itself, wherever it will stand: with what it needs of the namespaces, and of the language, that the
    /// elements above it (the nearest last) declare. `TooMuch` when that takes more than `bytes_max`: what is declared once
    /// would be written for each of them.
    pub fn fragment(&self, above: &[&Self], bytes_max: usize) -> Result<String, XmlError> {
        let mut inherited: Vec<(&str, &str)> = Vec::new();
        for (prefix, namespace) in above.iter().rev().flat_map(|element| &element.declared) {
            let known = self.declared.iter().any(|(own, _)| own == prefix)
                || inherited.iter().any(|(nearer, _)| nearer == prefix);
            if !known {
                inherited.push((prefix, &**namespace));
            }
        }
        inherited.retain(|(prefix, namespace)| !namespace.is_empty() && self.mentions(prefix));
        let language = |element: &&Self| element.attributes.iter().find(|(key, _)| key == "xml:lang").cloned();
        let has_own = self.attributes.iter().any(|(key, _)| key == "xml:lang");
        let language = if has_own { None } else { above.iter().rev().find_map(language) };
        let mut out = String::new();
        self.write(&mut out, &inherited, language.as_ref(), bytes_max)?;
        Ok(out)
    }

    /// Whether the prefix may matter: to a name, or to what looks like a name in a text. The default always may.
    fn mentions(&self, prefix: &str) -> bool {
        if prefix.is_empty() {
            return true;
        }
        let is_spelled = |text: &str| text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(':'));
        let is_said = |text: &str| text.match_indices(prefix).any(|(at, _)| text.get(at..).is_some_and(is_spelled));
        is_spelled(&self.spelled)
            || self.attributes.iter().any(|(key, value)| is_spelled(key) || is_said(value))
            || self.content.iter().any(|content| match content {
                Content::Element(element) => element.mentions(prefix),
                Content::Text(text) => is_said(text),
            })
    }

    fn write(
        &self,
        out: &mut String,
        inherited: &[(&str, &str)],
        language: Option<&(String, String)>,
        bytes_max: usize,
    ) -> Result<(), XmlError> {
        out.push('<');
        out.push_str(&self.spelled);
        let own = self.declared.iter().map(|(prefix, namespace)| (prefix.as_str(), &**namespace));
        for (prefix, namespace) in inherited.iter().copied().chain(own) {
            let (colon, prefix) = if prefix.is_empty() { ("", "") } else { (":", prefix) };
            let _ = write!(out, " xmlns{colon}{prefix}=\"");
            escape_attribute(out, namespace);
            out.push('"');
        }
        for (key, value) in language.into_iter().chain(&self.attributes) {
            let _ = write!(out, " {key}=\"");
            escape_attribute(out, value);
            out.push('"');
        }
        if out.len() > bytes_max {
            return Err(XmlError::TooMuch);
        }
        if self.content.is_empty() {
            out.push_str("/>");
            return Ok(());
        }
        out.push('>');
        for content in &self.content {
            match content {
                Content::Element(element) => element.write(out, &[], None, bytes_max)?,
                Content::Text(text) => escape(out, text),
            }
        }
        let _ = write!(out, "</{}>", self.spelled);
        if out.len() > bytes_max { Err(XmlError::TooMuch) } else { Ok(()) }
    }
}

/// Appends text to a document. What XML cannot say becomes the sign for that.
pub fn escape(out: &mut String, text: &str) {
    let plain = |byte: u8| byte >= b' ' && !matches!(byte, b'&' | b'<' | b'>' | 0xef);
    if text.bytes().all(plain) {
        out.push_str(text);
        return;
    }
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            letter if is_char(letter) => out.push(letter),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

fn escape_attribute(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            letter => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    /// The fragment of the only element below the root.
    fn fragment(document: &str) -> String {
        let root = parse(document.as_bytes()).unwrap();
        let child = root.elements().next().unwrap();
        child.fragment(&[&root], 10_000).unwrap()
    }

    #[test]
    fn a_fragment_stands_by_itself() {
        for (document, alone) in [
            ("<a xmlns='urn:x'><b>t</b></a>", "<b xmlns=\"urn:x\">t</b>"),
            ("<a xmlns='urn:x'><b xmlns=''/></a>", "<b xmlns=\"\"/>"),
            ("<p:a xmlns:p='urn:x' xmlns:q='urn:q'><p:b/></p:a>", "<p:b xmlns:p=\"urn:x\"/>"),
            ("<p:a xmlns:p='urn:x' xmlns:q='urn:q'><b>q:name</b></p:a>", "<b xmlns:q=\"urn:q\">q:name</b>"),
            ("<a xml:lang='de'><b c=' x&#10;y &quot;'/></a>", "<b xml:lang=\"de\" c=\" x&#10;y &quot;\"/>"),
            ("<a><b>1<c/>2<![CDATA[<&]]>3&#x10000;&amp;</b></a>", "<b>1<c/>2&lt;&amp;3\u{10000}&amp;</b>"),
            ("<a><b> x\r\ny&#13;</b></a>", "<b> x\ny&#13;</b>"),
            ("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- c --><a><?p i?><b/></a>\n", "<b/>"),
        ] {
            assert_eq!(fragment(document), alone, "{document}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for bad in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>text",
            "<a b=1/>",
            "<a b='1' b='2'/>",
            "<a b='<'/>",
            "<a>&nbsp;</a>",
            "<a>&#0;</a>",
            "<a>&#xD800;</a>",
            "<a>&#+5;</a>",
            "<a>&</a>",
            "<a>]]></a>",
            "<a>\u{1}</a>",
            "<1/>",
            "<a:b/>",
            "<:b/>",
            "<a b:c=''/>",
            "<a xmlns:b=''><b:c/></a>",
            "<a xmlns:b='u' xmlns:c='u' b:x='' c:x=''/>",
            "<a xmlns:xml='urn:x'/>",
            "<a xmlns:xmlns='urn:x'/>",
            "<a/><?xml version='1.0'?>",
        ] {
            assert_eq!(parse(bad.as_bytes()).err(), Some(XmlError::Malformed), "{bad:?}");
        }
        assert_eq!(parse(b"<?xml version='1.0' encoding='utf-16'?><a/>").err(), Some(XmlError::Encoding));
        assert_eq!(parse(b"<a>\xff</a>").err(), Some(XmlError::Encoding));
    }

    #[test]
    fn bombs_do_not_go_off() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]><a>&b;&c;</a>";
        assert_eq!(parse(bomb.as_bytes()).err(), Some(XmlError::DocumentType));
        let deep = "<a>".repeat(100_000);
        assert_eq!(parse(deep.as_bytes()).err(), Some(XmlError::TooMuch));
        let wide = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
        assert_eq!(parse(wide.as_bytes()).err(), Some(XmlError::TooMuch));
        let long = "n".repeat(NAME_BYTES_MAX + 1);
        for long in [format!("<a xmlns='{long}'/>"), format!("<{long}/>"), format!("<a {long}=''/>")] {
            assert_eq!(parse(long.as_bytes()).err(), Some(XmlError::NameTooLong));
        }
        let shared = parse(b"<a xmlns='urn:x'><b/></a>").unwrap();
        assert!(Arc::ptr_eq(&shared.name.namespace, &shared.elements().next().unwrap().name.namespace));
        assert_eq!(shared.elements().next().unwrap().fragment(&[&shared], 10), Err(XmlError::TooMuch));
        let many: String = (0..200).map(|number| format!(" b{number}=''")).collect();
        assert_eq!(parse(format!("<a{many}/>").as_bytes()).err(), Some(XmlError::TooMuch));
    }

    #[test]
    fn a_name_goes_to_a_key_and_back() {
        for (namespace, local) in [("DAV:", "a"), ("", "b"), ("urn:{odd}", "c")] {
            let name = Name { namespace: namespace.into(), local: local.to_owned() };
            assert_eq!(Name::of_key(&name.key()), Some(name));
        }
        assert_eq!(Name::of_key("x"), None);
    }

    proptest! {
        #[test]
        fn text_comes_back(text in "\\PC{0,40}") {
            let mut document = "<a><b>".to_owned();
            escape(&mut document, &text);
            document.push_str("</b></a>");
            prop_assert_eq!(parse(document.as_bytes()).unwrap().elements().next().unwrap().text(), text);
        }

        #[test]
        fn no_document_is_too_odd(text in "[<>a-c:/&;#x'\"= !\\[\\]?-]{0,60}", bytes in any::<Vec<u8>>()) {
            let _ = parse(&bytes);
            if let Ok(root) = parse(text.as_bytes()) {
                let alone = root.fragment(&[], 10_000).unwrap();
                let again = parse(alone.as_bytes()).unwrap();
                prop_assert_eq!(again.fragment(&[], 10_000).unwrap(), alone);
            }
        }
    }
}
