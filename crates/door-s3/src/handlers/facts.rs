//! What a client wants to be remembered of an object, and what it may not want.

use super::retention;
use crate::error::{custom, error, not_served};
use crate::sse::SaidKeys;
use entente_tree::Facts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use s3s::dto::{Metadata, Tag};
use s3s::{S3ErrorCode, S3Result};

/// Names and values of metadata together.
const METADATA_BYTES_MAX: usize = 2 << 10;
/// Tags of an object, and of a bucket.
const OBJECT_TAGS_MAX: usize = 10;
const BUCKET_TAGS_MAX: usize = 50;
const TAG_KEY_CHARS_MAX: usize = 128;
const TAG_VALUE_CHARS_MAX: usize = 256;
/// A header that is remembered as it came.
const HEADER_BYTES_MAX: usize = 2 << 10;
/// What S3 calls bytes of which nobody has said what they are.
pub(super) const UNKNOWN_TYPE: &str = "binary/octet-stream";
const X_AMZ_TAGGING: HeaderName = HeaderName::from_static("x-amz-tagging");
const KEPT: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "x-amz-website-redirect-location",
];
/// Headers that ask for what is not served. To pass over them would be to pretend.
const NOT_SERVED: [(&str, &str); 3] = [
    ("x-amz-server-side-encryption-aws-kms-key-id", "Keys of AWS KMS are not served"),
    ("x-amz-write-offset-bytes", "Objects are not appended to"),
    ("x-amz-mfa", "MFA delete is not served"),
];

/// Which kind of thing tags are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagsOf {
    Object,
    Bucket,
}

/// Refuses what a request asks for besides, and would not get.
pub(super) fn refuse_what_is_not_served(headers: &HeaderMap) -> S3Result<()> {
    for (name, value) in headers {
        let name = name.as_str();
        if !name.starts_with("x-amz-") {
            continue;
        }
        if let Some((_, message)) = NOT_SERVED.iter().find(|(refused, _)| *refused == name) {
            return Err(not_served(message));
        }
        let value = value.to_str().unwrap_or_default();
        match name {
            "x-amz-server-side-encryption" if value != "AES256" => {
                return Err(not_served("The only encryption is AES256, and everything has it"));
            }
            "x-amz-storage-class" if value != "STANDARD" => {
                let message = "The storage class you specified is not valid: there is only STANDARD";
                return Err(error(S3ErrorCode::InvalidStorageClass, message));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the headers of a request say of an object that it makes. The front takes `Expires` away from them, so it
/// stands beside.
pub(super) fn facts_of(
    headers: &HeaderMap,
    expires: Option<&HeaderValue>,
    metadata: Option<Metadata>,
) -> S3Result<Facts> {
    let mut facts = Facts::default();
    let kept = |name: &str| -> S3Result<Option<String>> {
        let value = if name == header::EXPIRES.as_str() { expires } else { headers.get(name) };
        let Some(value) = value else { return Ok(None) };
        let text = std::str::from_utf8(value.as_bytes()).ok().filter(|text| text.len() <= HEADER_BYTES_MAX);
        let invalid =
            || error(S3ErrorCode::InvalidArgument, "A header that is to be remembered is too long or no text");
        text.map(|text| Some(text.to_owned())).ok_or_else(invalid)
    };
    facts.content_type = kept(header::CONTENT_TYPE.as_str())?.filter(|kind| !kind.is_empty() && kind != UNKNOWN_TYPE);
    for name in KEPT {
        if let Some(value) = kept(name)?.filter(|value| !value.is_empty()) {
            facts.headers.push((name.to_owned(), value));
        }
    }
    facts.metadata = checked_metadata(metadata)?;
    if let Some(tags) = headers.get(X_AMZ_TAGGING) {
        facts.tags = tags_of_query(tags.as_bytes())?;
    }
    facts.retention = retention::wish(headers)?;
    Ok(facts)
}

/// What the fields of a form say of an object that it makes: what headers could say, and no more.
pub(crate) fn facts_of_form<V: AsRef<str>>(fields: &[(String, V)]) -> S3Result<Facts> {
    let headers = headers_of_form(fields)?;
    refuse_what_is_not_served(&headers)?;
    let metadata = fields.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("x-amz-meta-").filter(|name| !name.is_empty())?;
        Some((name.to_owned(), value.as_ref().to_owned()))
    });
    facts_of(&headers, headers.get(header::EXPIRES), Some(metadata.collect()))
}

/// The fields of a form that mean what headers of the same names would, but for the keys of customers, which are nobody
/// else's to see.
pub(crate) fn headers_of_form<V: AsRef<str>>(fields: &[(String, V)]) -> S3Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = if name == "acl" { "x-amz-acl" } else { name };
        if name != header::CONTENT_TYPE && !KEPT.contains(&name) && !name.starts_with("x-amz-")
            || SaidKeys::is_said_by(name)
        {
            continue;
        }
        let invalid =
            || error(S3ErrorCode::InvalidArgument, "A field of the form has characters that no header may have");
        let value = HeaderValue::from_bytes(value.as_ref().as_bytes()).map_err(|_| invalid())?;
        headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?, value);
    }
    Ok(headers)
}

fn checked_metadata(metadata: Option<Metadata>) -> S3Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = metadata.into_iter().flatten().collect();
    let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > METADATA_BYTES_MAX {
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(custom("MetadataTooLarge", StatusCode::BAD_REQUEST, message));
    }
    if pairs.iter().any(|(_, value)| value.chars().any(|character| character.is_control() && character != '\t')) {
        return Err(error(S3ErrorCode::InvalidArgument, "Metadata cannot have control characters"));
    }
    pairs.sort();
    Ok(pairs)
}

/// Tags as a header has them: `key=value&key=value`, escaped.
pub(super) fn tags_of_query(text: &[u8]) -> S3Result<Vec<(String, String)>> {
    let pairs = form_urlencoded::parse(text).map(|(key, value)| (key.into_owned(), value.into_owned()));
    checked_tags(pairs.collect(), TagsOf::Object)
}

/// Tags as a document has them.
pub(super) fn tags_of_document(tags: Vec<Tag>, of: TagsOf) -> S3Result<Vec<(String, String)>> {
    let pairs = tags.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()));
    checked_tags(pairs.collect(), of)
}

/// The other way.
pub(super) fn tags_to_document(tags: Vec<(String, String)>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
}

fn checked_tags(tags: Vec<(String, String)>, of: TagsOf) -> S3Result<Vec<(String, String)>> {
    let most = if of == TagsOf::Object { OBJECT_TAGS_MAX } else { BUCKET_TAGS_MAX };
    let invalid = |message| Err(error(S3ErrorCode::InvalidTag, message));
    if tags.len() > most {
        return invalid("Object tags cannot be greater than 10");
    }
    for (index, (key, value)) in tags.iter().enumerate() {
        let key_chars = key.chars().count();
        if key_chars == 0 || key_chars > TAG_KEY_CHARS_MAX || !key.chars().all(is_of_tag) {
            return invalid("The TagKey you have provided is invalid");
        }
        if value.chars().count() > TAG_VALUE_CHARS_MAX || !value.chars().all(is_of_tag) {
            return invalid("The TagValue you have provided is invalid");
        }
        if key.starts_with("aws:") {
            return invalid("System tags cannot be added or changed by requesters");
        }
        if tags.iter().skip(index + 1).any(|(other, _)| other == key) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
    }
    Ok(tags)
}

fn is_of_tag(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "+-=._:/@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::{facts_of, facts_of_form, headers_of_form, refuse_what_is_not_served, tags_of_query};
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn nothing_said_is_nothing_remembered() {
        let facts = facts_of(&headers(&[("content-type", "binary/octet-stream"), ("host", "x")]), None, None).unwrap();
        assert!(facts.is_empty());
    }

    #[test]
    fn headers_are_remembered_as_they_came() {
        let said = headers(&[("content-type", "text/plain"), ("x-amz-tagging", "a=1&b=x%20y")]);
        let expires = HeaderValue::from_static("0");
        let metadata = [("b".to_owned(), "2".to_owned()), ("a".to_owned(), "ü".to_owned())].into_iter().collect();
        let facts = facts_of(&said, Some(&expires), Some(metadata)).unwrap();
        assert_eq!(facts.content_type.as_deref(), Some("text/plain"));
        assert_eq!(facts.headers, [("expires".to_owned(), "0".to_owned())]);
        assert_eq!(facts.metadata[0].1, "ü");
        assert_eq!(facts.tags[1], ("b".to_owned(), "x y".to_owned()));
        let long = [("a".to_owned(), "x".repeat(2_048))].into_iter().collect();
        assert!(facts_of(&said, None, Some(long)).is_err());
        let odd = [("a".to_owned(), "x\ny".to_owned())].into_iter().collect();
        assert!(facts_of(&said, None, Some(odd)).is_err());
    }

    #[test]
    fn a_form_says_what_headers_could() {
        let of = |name: &str, value: &str| facts_of_form(&[(name.to_owned(), value.to_owned())]);
        assert_eq!(of("content-type", "text/plain").unwrap().content_type.as_deref(), Some("text/plain"));
        assert_eq!(of("expires", "0").unwrap().headers, [("expires".to_owned(), "0".to_owned())]);
        assert!(of("key", "a\nb").unwrap().is_empty());
        for (name, value) in [
            ("content-type", "text/\nplain"),
            ("content-type", &*"x".repeat(2_049)),
            ("cache-control", "a\0"),
            ("content-disposition", &*"x".repeat(2_049)),
            ("x-amz-meta-a", "b\r\nc"),
            ("x-amz-meta-a b", "c"),
            ("x-amz-storage-class", "GLACIER\n"),
        ] {
            assert!(of(name, value).is_err(), "{name}");
        }
    }

    #[test]
    fn the_keys_of_customers_are_no_headers_of_a_form() {
        let fields = ["algorithm", "key", "key-md5"]
            .map(|name| (format!("x-amz-server-side-encryption-customer-{name}"), "secret".to_owned()));
        assert!(headers_of_form(&fields).unwrap().is_empty());
    }

    #[test]
    fn tags_have_limits() {
        let many: Vec<_> = (0..11).map(|number| format!("k{number}=v")).collect();
        for odd in [many.join("&"), "a=1&a=2".to_owned(), "=x".to_owned(), "aws:x=1".to_owned(), "a=%00".to_owned()] {
            assert!(tags_of_query(odd.as_bytes()).is_err(), "{odd}");
        }
        assert!(tags_of_query(format!("{}=1", "k".repeat(129)).as_bytes()).is_err());
        assert!(tags_of_query(format!("k={}", "v".repeat(257)).as_bytes()).is_err());
        assert!(tags_of_query(format!("k={}", "v".repeat(256)).as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_served_is_refused() {
        for (name, value) in [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-storage-class", "GLACIER")] {
            assert!(refuse_what_is_not_served(&headers(&[(name, value)])).is_err(), "{name}");
        }
        let fine = [("x-amz-server-side-encryption", "AES256"), ("x-amz-acl", "private"), ("x-amz-meta-acl", "x")];
        assert!(refuse_what_is_not_served(&headers(&fine)).is_ok());
    }
}
