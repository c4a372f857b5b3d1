//! Listing the objects of a bucket.

use super::Operations;
use super::conditions::strong;
use super::shown::{length, modified, owner, size, stored_at};
use crate::asked::Asked;
use crate::body::Algorithm;
use crate::error::{About, error};
use data_encoding::BASE64URL_NOPAD;
use entente_tree::{Bucket, Entry, Object, Walk};
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object as ListedObject, ObjectStorageClass,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

/// Keys and prefixes of a page.
const PAGE_MAX: u32 = 1_000;
/// Short pages of the tree that are joined to one of S3's.
const JOINED_MAX: usize = 16;
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// A page as both versions of the listing have it.
struct Page {
    contents: Vec<ListedObject>,
    prefixes: Vec<CommonPrefix>,
    /// After what the next one begins.
    next: Option<String>,
}

pub(super) async fn list(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let bucket = operations.bucket(asked, &input.bucket).await?;
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let walk = Walk {
        prefix: input.prefix.clone().unwrap_or_default(),
        after: input.marker.clone().filter(|marker| !marker.is_empty()),
        delimiter: delimiter(input.delimiter.clone()),
        limit,
    };
    let page = page(operations, asked, &bucket, walk, spelling, Owners::Shown).await?;
    let output = ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(spelling.spell(input.prefix.unwrap_or_default())),
        marker: Some(spelling.spell(input.marker.unwrap_or_default())),
        max_keys: Some(i32::try_from(limit).unwrap_or(i32::MAX)),
        is_truncated: Some(page.next.is_some()),
        contents: Some(page.contents),
        common_prefixes: Some(page.prefixes),
        delimiter: delimiter(input.delimiter).map(|delimiter| spelling.spell(delimiter)),
        next_marker: page.next.map(|next| spelling.spell(next)),
        encoding_type: input.encoding_type,
        ..ListObjectsOutput::default()
    };
    Ok(S3Response::new(output))
}

pub(super) async fn list_v2(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let bucket = operations.bucket(asked, &input.bucket).await?;
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let after = match input.continuation_token.as_deref() {
        Some(token) if !token.is_empty() => Some(read_token(token)?),
        // An empty token is the one before the first page.
        _ => input.start_after.clone().filter(|key| !key.is_empty()),
    };
    let walk = Walk {
        prefix: input.prefix.clone().unwrap_or_default(),
        after,
        delimiter: delimiter(input.delimiter.clone()),
        limit,
    };
    let owners = if input.fetch_owner == Some(true) { Owners::Shown } else { Owners::Hidden };
    let page = page(operations, asked, &bucket, walk, spelling, owners).await?;
    let count = page.contents.len() + page.prefixes.len();
    let output = ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(spelling.spell(input.prefix.unwrap_or_default())),
        max_keys: Some(i32::try_from(limit).unwrap_or(i32::MAX)),
        key_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.map(|next| BASE64URL_NOPAD.encode(next.as_bytes())),
        contents: Some(page.contents),
        common_prefixes: Some(page.prefixes),
        delimiter: delimiter(input.delimiter).map(|delimiter| spelling.spell(delimiter)),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(|start_after| spelling.spell(start_after)),
        ..ListObjectsV2Output::default()
    };
    Ok(S3Response::new(output))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owners {
    Shown,
    Hidden,
}

/// A full page, if there is that much: the tree bounds how much it looks at in one go.
async fn page(
    operations: &Operations,
    asked: &Asked,
    bucket: &Bucket,
    mut walk: Walk,
    spelling: Spelling,
    owners: Owners,
) -> S3Result<Page> {
    let mut page = Page { contents: Vec::new(), prefixes: Vec::new(), next: None };
    if walk.limit == 0 {
        return Ok(page);
    }
    for _ in 0..JOINED_MAX {
        let walked = operations.tree.walk(&asked.caller, bucket.item, walk.clone()).await;
        let walked = walked.map_err(asked.told_about(About::Bucket))?;
        let found = u32::try_from(walked.entries.len()).unwrap_or(u32::MAX);
        for entry in walked.entries {
            match entry {
                Entry::Key { key, object } => page.contents.push(listed(spelling.spell(key), &object, owners)),
                Entry::Prefix(prefix) => page.prefixes.push(CommonPrefix { prefix: Some(spelling.spell(prefix)) }),
            }
        }
        page.next = walked.next;
        walk.limit = walk.limit.saturating_sub(found);
        match &page.next {
            Some(next) if walk.limit > 0 => walk.after = Some(next.clone()),
            _ => break,
        }
    }
    Ok(page)
}

fn listed(key: String, object: &Object, owners: Owners) -> ListedObject {
    let checksum = object.facts.as_ref().and_then(|facts| facts.checksum.as_ref());
    ListedObject {
        key: Some(key),
        e_tag: Some(strong(object.etag())),
        last_modified: Some(modified(stored_at(object))),
        size: Some(length(size(object))),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        owner: (owners == Owners::Shown).then(|| owner(object.view.owner.id)),
        checksum_algorithm: checksum
            .and_then(|checksum| Algorithm::parse(&checksum.algorithm))
            .map(|algorithm| vec![ChecksumAlgorithm::from(algorithm.name().to_owned())]),
        checksum_type: checksum.map(super::checksums::kind),
        ..ListedObject::default()
    }
}

/// How keys stand in an answer: XML cannot have all of their characters, so clients may want them escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Plain,
    Url,
}

impl Spelling {
    pub(super) fn of(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(_) => Err(error(S3ErrorCode::InvalidArgument, "Invalid Encoding Method specified in Request")),
        }
    }

    pub(super) fn spell(self, key: String) -> String {
        match self {
            Self::Plain => key,
            Self::Url if key.bytes().all(is_plain) => key,
            Self::Url => {
                let mut text = String::with_capacity(key.len() * 2);
                for byte in key.bytes() {
                    if is_plain(byte) {
                        text.push(char::from(byte));
                    } else {
                        let digit = |digit: u8| HEX.get(usize::from(digit)).copied().map_or('0', char::from);
                        text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
                    }
                }
                text
            }
        }
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*' | b'/')
}

/// An empty delimiter is none.
pub(super) fn delimiter(delimiter: Option<String>) -> Option<String> {
    delimiter.filter(|delimiter| !delimiter.is_empty())
}

/// How many entries a page may have.
pub(super) fn limit(max_keys: Option<i32>) -> S3Result<u32> {
    let Some(max_keys) = max_keys else { return Ok(PAGE_MAX) };
    let invalid =
        |_| error(S3ErrorCode::InvalidArgument, "Argument max-keys must be an integer between 0 and 2147483647");
    Ok(u32::try_from(max_keys).map_err(invalid)?.min(PAGE_MAX))
}

fn read_token(token: &str) -> S3Result<String> {
    let invalid = || error(S3ErrorCode::InvalidArgument, "The continuation token provided is incorrect");
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| invalid())?;
    String::from_utf8(bytes).ok().filter(|key| !key.is_empty()).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::{Spelling, limit, read_token};

    #[test]
    fn keys_are_escaped_when_wanted() {
        let key = "a b/ü+\u{1}.txt";
        assert_eq!(Spelling::Plain.spell(key.to_owned()), key);
        assert_eq!(Spelling::Url.spell(key.to_owned()), "a%20b/%C3%BC%2B%01.txt");
    }

    #[test]
    fn limits_and_tokens_are_checked() {
        assert_eq!((limit(None).unwrap(), limit(Some(5_000)).unwrap(), limit(Some(0)).unwrap()), (1_000, 1_000, 0));
        assert!(limit(Some(-1)).is_err());
        assert!(read_token("!").is_err() && read_token("").is_err() && read_token("_w").is_err());
        assert_eq!(read_token("YS9i").unwrap(), "a/b");
    }
}
