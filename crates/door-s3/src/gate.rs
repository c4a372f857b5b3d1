//! Whether a request may do what it is to do: each operation names its deed in the table of `handlers`, and comes into its
//! bucket through here before it does anything. What is to be done besides, by headers, is named here.

use crate::asked::Asked;
use crate::error::{About, error};
use crate::handlers::{Operations, names, wanted};
use entente_door_kit::Scheme;
use entente_model::ItemName;
use entente_tree::rules::{Circumstances, Deed, Word};
use entente_tree::{Entered, Error as TreeError, OpenedKey, Question, WantedVersion};
use http::{HeaderMap, HeaderName, Uri};
use s3s::dto::CopySource;
use s3s::{S3Error, S3ErrorCode, S3Result};
use std::borrow::Cow;
use std::sync::Arc;

/// Headers of a request that puts an object, or deletes one, which order more than that.
const ALSO: [(&str, Deed); 13] = [
    ("x-amz-tagging", Deed::WriteTags),
    ("x-amz-grant-full-control", Deed::WriteAcl),
    ("x-amz-grant-read", Deed::WriteAcl),
    ("x-amz-grant-read-acp", Deed::WriteAcl),
    ("x-amz-grant-write", Deed::WriteAcl),
    ("x-amz-grant-write-acp", Deed::WriteAcl),
    ("x-amz-object-lock-mode", Deed::WriteRetention),
    ("x-amz-object-lock-retain-until-date", Deed::WriteRetention),
    ("x-amz-object-lock-legal-hold", Deed::WriteHold),
    (BYPASS, Deed::BypassRetention),
    // Otherwise one could ask, write by write, what an object is.
    ("if-match", Deed::ReadObject),
    ("x-amz-if-match-size", Deed::ReadObject),
    ("x-amz-if-match-last-modified-time", Deed::ReadObject),
];
/// The one of these headers that orders nothing when it says `false`.
const BYPASS: &str = "x-amz-bypass-governance-retention";
const X_AMZ_COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const X_AMZ_ACL: HeaderName = HeaderName::from_static("x-amz-acl");
/// Grants that give nobody anything but whose it is.
const MODEST: [&str; 2] = ["private", "bucket-owner-full-control"];
/// Parameters on which rules depend. `s3s` takes none that stands twice, so that the rules see what the operation sees.
const WORDS: [(&str, Word); 3] =
    [("prefix", Word::Prefix), ("delimiter", Word::Delimiter), ("max-keys", Word::KeysMax)];
const HEADERS: [(&str, Word); 5] = [
    ("referer", Word::Referrer),
    ("user-agent", Word::Program),
    ("x-amz-acl", Word::CannedAcl),
    ("x-amz-server-side-encryption", Word::Encryption),
    ("x-amz-storage-class", Word::StorageClass),
];

/// What an operation needs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'r> {
    /// Somebody whose name is known, for what is their own.
    Somebody,
    /// The handler goes through the gate itself, with all that it then reads at one moment.
    Itself,
    /// To come in; the handler goes through the gate again for each key.
    Each { bucket: &'r str },
    /// To do something.
    Deed { bucket: &'r str, key: Option<&'r str>, version: Option<&'r str>, deed: Deed },
}

/// What the request itself says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'r> {
    pub(crate) headers: &'r HeaderMap,
    pub(crate) uri: Option<&'r Uri>,
    /// Where the tags stand that are to be.
    pub(crate) tags: TagsSaid<'r>,
}

/// Where a request says which tags something is to have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TagsSaid<'r> {
    /// In a header, if anywhere.
    ByHeader,
    /// Elsewhere; these.
    These(&'r [(String, String)]),
}

/// Lets a request in, or not.
pub(crate) async fn admit(
    operations: &Operations,
    asked: Arc<Asked>,
    wanted: Wanted<'_>,
    said: Said<'_>,
) -> S3Result<Arc<Asked>> {
    match wanted {
        Wanted::Somebody if asked.signer.is_some() => Ok(asked),
        Wanted::Somebody => Err(denied()),
        Wanted::Itself => Ok(asked),
        Wanted::Each { bucket } => {
            let entered = enter(operations, &asked, (bucket, None, None), &[], said).await?;
            Ok(Arc::new(asked.inside(entered)))
        }
        Wanted::Deed { bucket, key, version, deed } => {
            let mut deeds = vec![deed];
            match deed {
                Deed::WriteObject | Deed::RemoveObject | Deed::RemoveVersion | Deed::WriteRetention => {
                    deeds.extend(also(said.headers));
                }
                // As with S3, who may not read an object is not told of what it is made.
                Deed::ReadAttributes => deeds.push(Deed::ReadObject),
                Deed::ReadVersionAttributes => deeds.push(Deed::ReadVersion),
                _ => {}
            }
            let entered = enter(operations, &asked, (bucket, key, version), &deeds, said).await?;
            Ok(Arc::new(asked.inside(entered)))
        }
    }
}

/// The same request at another key, perhaps of another bucket: one that it copies from, or one of many that it deletes.
pub(crate) async fn again(
    operations: &Operations,
    asked: &Asked,
    place: (&str, &str, Option<&str>),
    deeds: &[Deed],
    said: Said<'_>,
) -> S3Result<Asked> {
    let (bucket, key, version) = place;
    let entered = enter(operations, asked, (bucket, Some(key), version), deeds, said).await?;
    Ok(asked.inside(entered))
}

/// The same for one of many keys that are deleted.
pub(crate) async fn remove(
    operations: &Operations,
    asked: &Asked,
    place: (&str, &str, Option<&str>),
    deeds: &[Deed],
    said: Said<'_>,
) -> S3Result<Asked> {
    let mut deeds = deeds.to_vec();
    deeds.extend(also(said.headers));
    again(operations, asked, place, &deeds, said).await
}

/// The same for a form, whose fields are headers here.
pub(crate) async fn put(
    operations: &Operations,
    asked: &Asked,
    (bucket, key): (&str, &str),
    headers: &HeaderMap,
) -> S3Result<Asked> {
    let mut deeds = vec![Deed::WriteObject];
    deeds.extend(also(headers));
    again(operations, asked, (bucket, key, None), &deeds, Said { headers, uri: None, tags: TagsSaid::ByHeader }).await
}

/// Comes in and opens what is at a key, both at one moment. The inner error speaks of the key.
pub(crate) async fn open(
    operations: &Operations,
    asked: &Asked,
    (bucket, names, version): (&str, &[ItemName], Option<WantedVersion>),
    said: Said<'_>,
) -> S3Result<(Asked, OpenedKey)> {
    asked.may_reach(bucket)?;
    let deed = if version.is_some() { Deed::ReadVersion } else { Deed::ReadObject };
    let named = version.map(|version| version.to_string());
    let circumstances = || circumstances(operations, asked, said, named.as_deref());
    let question = Question {
        who: asked.signer.as_ref(),
        bucket,
        key: Some((names, version)),
        deeds: &[deed],
        circumstances: &circumstances,
    };
    let opened = operations.tree.open_key(&question).await;
    let (entered, opened) = opened.map_err(|error| told(asked, error))?;
    Ok((asked.inside(entered), opened))
}

async fn enter(
    operations: &Operations,
    asked: &Asked,
    (bucket, key, version): (&str, Option<&str>, Option<&str>),
    deeds: &[Deed],
    said: Said<'_>,
) -> S3Result<Entered> {
    asked.may_reach(bucket)?;
    let (names, named, version) = (key.map(names).transpose()?, version, wanted(version)?);
    let circumstances = || circumstances(operations, asked, said, named);
    let question = Question {
        who: asked.signer.as_ref(),
        bucket,
        key: names.as_deref().map(|names| (names, version)),
        deeds,
        circumstances: &circumstances,
    };
    operations.tree.through_bucket(&question).await.map_err(|error| told(asked, error))
}

/// Whoever is not known is not told which buckets there are.
fn told(asked: &Asked, error: TreeError) -> S3Error {
    match error {
        TreeError::NotFound if asked.signer.is_none() => denied(),
        error => asked.told_about(About::Bucket)(error),
    }
}

/// What everybody is told who may not.
pub(crate) fn denied() -> S3Error {
    error(S3ErrorCode::AccessDenied, "Access Denied")
}

/// What headers order besides.
fn also(headers: &HeaderMap) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = Vec::new();
    let grants = headers.get(X_AMZ_ACL).filter(|acl| !MODEST.iter().any(|modest| acl.as_bytes() == modest.as_bytes()));
    deeds.extend(grants.map(|_| Deed::WriteAcl));
    for (name, deed) in ALSO {
        let orders = headers.get(name).is_some_and(|value| name != BYPASS || value.as_bytes() != b"false");
        if orders && !deeds.contains(&deed) {
            deeds.push(deed);
        }
    }
    deeds
}

/// `version` is the one that is acted on, wherever the request names it.
fn circumstances(operations: &Operations, asked: &Asked, said: Said<'_>, version: Option<&str>) -> Circumstances {
    let mut words = Vec::new();
    words.extend(version.map(|version| (Word::Version, version.to_owned())));
    let source = said.headers.get(X_AMZ_COPY_SOURCE).and_then(|value| value.to_str().ok());
    // As the operation reads it: without escapes, a slash before it, or a version after it.
    if let Some(CopySource::Bucket { bucket, key, .. }) = source.and_then(|source| CopySource::parse(source).ok()) {
        words.push((Word::CopySource, format!("{bucket}/{key}")));
    }
    for (name, word) in HEADERS {
        if let Some(value) = said.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()) {
            words.push((word, value.to_owned()));
        }
    }
    let query = said.uri.and_then(Uri::query).unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if let Some((_, word)) = WORDS.iter().find(|(wanted, _)| *wanted == name) {
            words.push((word.clone(), value.into_owned()));
        }
    }
    match said.tags {
        TagsSaid::These(tags) => {
            words.extend(tags.iter().map(|(tag, value)| (Word::TagWanted(tag.clone()), value.clone())));
        }
        TagsSaid::ByHeader if !keeps_tags(said.headers) => {
            let tags = said.headers.get("x-amz-tagging").map_or(&[][..], |value| value.as_bytes());
            let tag =
                |(tag, value): (Cow<'_, str>, Cow<'_, str>)| (Word::TagWanted(tag.into_owned()), value.into_owned());
            words.extend(form_urlencoded::parse(tags).map(tag));
        }
        TagsSaid::ByHeader => {}
    }
    if let Some(place) = asked.signature_at {
        words.push((Word::Signature, crate::sign::ALGORITHM.to_owned()));
        words.push((Word::SignatureAt, place.to_owned()));
    }
    let uri = said.uri.cloned().unwrap_or_default();
    let scheme = || operations.origin.base_url(&asked.arrival, &uri, said.headers).scheme();
    Circumstances {
        // Behind a proxy that is believed, these are what it says.
        address: operations.origin.client_address(&asked.arrival, said.headers),
        is_secure: asked.arrival.scheme == Scheme::Https || scheme() == Scheme::Https,
        at: asked.at,
        words,
    }
}

/// Whether a copy has its source's tags: the header is not looked at then.
fn keeps_tags(headers: &HeaderMap) -> bool {
    let replaces = headers.get("x-amz-tagging-directive").is_some_and(|value| value.as_bytes() == b"REPLACE");
    headers.contains_key(X_AMZ_COPY_SOURCE) && !replaces
}

#[cfg(test)]
mod tests {
    use super::also;
    use entente_tree::rules::Deed;
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn headers_order_deeds_of_their_own() {
        for (pairs, expected) in [
            (&[("x-amz-acl", "private")][..], &[][..]),
            (&[("x-amz-acl", "public-read")], &[Deed::WriteAcl]),
            (&[("x-amz-acl", "public-read"), ("x-amz-grant-read", "id=7")], &[Deed::WriteAcl]),
            (&[("x-amz-tagging", "a=b"), ("x-amz-object-lock-legal-hold", "ON")], &[Deed::WriteTags, Deed::WriteHold]),
            (&[("x-amz-bypass-governance-retention", "true")], &[Deed::BypassRetention]),
            (&[("x-amz-bypass-governance-retention", "false")], &[]),
            (&[("if-match", "\"a\"")], &[Deed::ReadObject]),
            (&[("x-amz-if-match-size", "1")], &[Deed::ReadObject]),
            (&[("x-amz-tagging", "false")], &[Deed::WriteTags]),
        ] {
            assert_eq!(also(&headers(pairs)), expected, "{pairs:?}");
        }
    }
}
