//! Reading objects.

use super::checksums::{kind, with_checksum};
use super::conditions::{Conditions, Outcome, failed, strong};
use super::customer_key::{told_sealing, with_key};
use super::facts::refuse_what_is_not_served;
use super::lifecycle::expiration;
use super::shown::{content_type, length, modified, size, stored_at, told_version, wanted};
use super::{Operations, Place, names, retention};
use crate::asked::Asked;
use crate::error::{About, custom, error};
use crate::gate::{self, Said, TagsSaid};
use entente_door_kit::range::{self, Answer};
use entente_door_kit::stream;
use entente_tree::{Content, Error as TreeError, Object};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use s3s::dto::{
    ChecksumMode, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Metadata, StreamingBlob,
};
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::ops::Range;

/// What a read names.
struct Wish<'r> {
    bucket: &'r str,
    key: &'r str,
    version: Option<&'r str>,
    conditions: Conditions,
    part_number: Option<i32>,
    wants_checksum: bool,
}

/// What it gets.
struct Found {
    place: Place,
    object: Object,
    content: Content,
    wanted: Range<u64>,
    /// Of a part of the whole.
    content_range: Option<String>,
    parts_count: Option<i32>,
}

pub(super) async fn get(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let S3Request { input, headers, uri, .. } = request;
    let overrides = overrides(&input)?;
    let wish = Wish {
        bucket: &input.bucket,
        key: &input.key,
        version: input.version_id.as_deref(),
        conditions: Conditions {
            matches: input.if_match,
            none_match: input.if_none_match,
            modified_since: input.if_modified_since,
            unmodified_since: input.if_unmodified_since,
        },
        part_number: input.part_number,
        wants_checksum: is_enabled(input.checksum_mode.as_ref()),
    };
    let found = find(operations, asked, &wish, (&headers, &uri)).await?;
    let length_bytes = found.wanted.end - found.wanted.start;
    let body = if length_bytes == 0 {
        Body::empty()
    } else {
        let bytes = operations.tree.read_content(found.content.clone(), found.wanted.clone());
        let of_read = |error| asked.told(TreeError::of_read(error));
        if length_bytes <= stream::WHOLE_BYTES_MAX {
            Body::from(stream::whole(bytes, length_bytes).await.map_err(of_read)?)
        } else {
            let body = stream::begun(bytes, length_bytes, asked.arrival.request_id).await;
            Body::http_body_unsync(body.map_err(of_read)?)
        }
    };
    let tags = found.object.facts.as_ref().map_or(0, |facts| facts.tags.len());
    let kept = retention::told(&found.object);
    let mut output = GetObjectOutput {
        object_lock_mode: kept.mode,
        object_lock_retain_until_date: kept.until,
        object_lock_legal_hold_status: kept.hold,
        accept_ranges: Some("bytes".to_owned()),
        body: Some(StreamingBlob::from(body)),
        content_length: Some(length(length_bytes)),
        content_range: found.content_range.clone(),
        content_type: Some(content_type(&found.object)),
        e_tag: Some(strong(found.object.etag())),
        expiration: expiration(operations, asked, &found.place, &found.object),
        last_modified: Some(modified(stored_at(&found.object))),
        metadata: metadata(&found.object),
        parts_count: found.parts_count,
        tag_count: (tags > 0).then(|| i32::try_from(tags).unwrap_or(i32::MAX)),
        version_id: told_version(&found.place, &found.object),
        ..GetObjectOutput::default()
    };
    told_sealing!(output, asked);
    if let Some(checksum) = told_checksum(&found, &wish) {
        with_checksum!(output, Some(checksum));
        output.checksum_type = Some(kind(checksum));
    }
    Ok(answer(output, &found, overrides))
}

pub(super) async fn head(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let S3Request { input, headers, uri, .. } = request;
    let wish = Wish {
        bucket: &input.bucket,
        key: &input.key,
        version: input.version_id.as_deref(),
        conditions: Conditions {
            matches: input.if_match,
            none_match: input.if_none_match,
            modified_since: input.if_modified_since,
            unmodified_since: input.if_unmodified_since,
        },
        part_number: input.part_number,
        wants_checksum: is_enabled(input.checksum_mode.as_ref()),
    };
    let found = find(operations, asked, &wish, (&headers, &uri)).await?;
    let kept = retention::told(&found.object);
    let mut output = HeadObjectOutput {
        object_lock_mode: kept.mode,
        object_lock_retain_until_date: kept.until,
        object_lock_legal_hold_status: kept.hold,
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(length(found.wanted.end - found.wanted.start)),
        content_range: found.content_range.clone(),
        content_type: Some(content_type(&found.object)),
        e_tag: Some(strong(found.object.etag())),
        expiration: expiration(operations, asked, &found.place, &found.object),
        last_modified: Some(modified(stored_at(&found.object))),
        metadata: metadata(&found.object),
        parts_count: found.parts_count,
        version_id: told_version(&found.place, &found.object),
        ..HeadObjectOutput::default()
    };
    told_sealing!(output, asked);
    if let Some(checksum) = told_checksum(&found, &wish) {
        with_checksum!(output, Some(checksum));
        output.checksum_type = Some(kind(checksum));
    }
    Ok(answer(output, &found, HeaderMap::new()))
}

/// The object, if the request's conditions hold, and which bytes of it are wanted.
async fn find(
    operations: &Operations,
    asked: &Asked,
    wish: &Wish<'_>,
    (headers, uri): (&HeaderMap, &Uri),
) -> S3Result<Found> {
    refuse_what_is_not_served(headers)?;
    let (names, version) = (names(wish.key)?, wanted(wish.version)?);
    let about = if version.is_some() { About::Version } else { About::Key };
    let said = Said { headers, uri: Some(uri), tags: TagsSaid::ByHeader };
    let (asked, opened) = gate::open(operations, asked, (wish.bucket, &names, version), said).await?;
    let place = Place { bucket: operations.bucket(&asked, wish.bucket).await?, names };
    let (object, content) = match opened {
        Ok(opened) => opened,
        Err(TreeError::NotFound) if version.is_none() => {
            return Err(asked.seen(super::versions::missing(operations, &asked, &place).await));
        }
        Err(error) => return Err(asked.seen(asked.told_about(about)(error))),
    };
    let content = with_key(operations, &asked, content, about).await?;
    let (etag, stored_at) = (object.etag(), stored_at(&object));
    match wish.conditions.decide(&etag, stored_at) {
        Outcome::Holds => {}
        Outcome::Failed => return Err(failed()),
        Outcome::NotModified => return Err(not_modified(&etag, &object)),
    }
    let size = size(&object);
    let mut found = Found { place, object, content, wanted: 0..size, content_range: None, parts_count: None };
    let range = asked.range.as_ref();
    match (wish.part_number, range) {
        (Some(_), Some(_)) => {
            let message = "Cannot specify both Range header and partNumber query parameter";
            return Err(error(S3ErrorCode::InvalidRequest, message));
        }
        (Some(number), None) => choose_part(&mut found, number)?,
        (None, range) => {
            let range = range.filter(|_| range::if_range_holds(headers.get(header::IF_RANGE), &etag, None));
            match range::resolve(range, size) {
                Answer::Whole => {}
                Answer::Part(part) => {
                    found.wanted = part.start()..part.end();
                    found.content_range = part.content_range(size).to_str().ok().map(str::to_owned);
                }
                Answer::Unsatisfiable => {
                    let mut refused = error(S3ErrorCode::InvalidRange, "The requested range is not satisfiable");
                    refused.set_headers([(header::CONTENT_RANGE, range::unsatisfiable(size))].into_iter().collect());
                    return Err(refused);
                }
            }
        }
    }
    Ok(found)
}

/// The bytes of one part of an object that came in parts; an object that came in one is its first.
fn choose_part(found: &mut Found, number: i32) -> S3Result<()> {
    let size = found.wanted.end;
    let parts = found.object.facts.as_ref().map_or(&[][..], |facts| &facts.parts);
    let refused = || {
        custom("InvalidPartNumber", StatusCode::RANGE_NOT_SATISFIABLE, "The requested partnumber is not satisfiable")
    };
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1)).ok_or_else(refused)?;
    if parts.is_empty() {
        if index > 0 {
            return Err(refused());
        }
    } else {
        let start: u64 = parts.iter().take(index).sum();
        let length = *parts.get(index).ok_or_else(refused)?;
        found.wanted = start..start.saturating_add(length).min(size);
        found.parts_count = i32::try_from(parts.len()).ok();
    }
    let Range { start, end } = found.wanted;
    if end > start {
        found.content_range = Some(format!("bytes {start}-{}/{size}", end - 1));
    }
    Ok(())
}

fn not_modified(etag: &str, object: &Object) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    let mut headers = HeaderMap::new();
    if let Ok(etag) = HeaderValue::try_from(["\"", etag, "\""].concat()) {
        headers.insert(header::ETAG, etag);
    }
    for (name, value) in kept_headers(object) {
        if name == header::CACHE_CONTROL || name == header::EXPIRES {
            headers.insert(name, value);
        }
    }
    error.set_headers(headers);
    error
}

fn is_enabled(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str().eq_ignore_ascii_case("ENABLED"))
}

/// The checksum of the whole says nothing of a part of it.
fn told_checksum<'f>(found: &'f Found, wish: &Wish<'_>) -> Option<&'f entente_tree::Checksum> {
    let is_whole = found.content_range.is_none() || wish.part_number.is_some();
    let facts = found.object.facts.as_ref().filter(|_| wish.wants_checksum && is_whole)?;
    facts.checksum.as_ref()
}

fn metadata(object: &Object) -> Option<Metadata> {
    let facts = object.facts.as_ref().filter(|facts| !facts.metadata.is_empty())?;
    Some(facts.metadata.iter().cloned().collect())
}

/// What an object's client wanted to be given back.
fn kept_headers(object: &Object) -> impl Iterator<Item = (HeaderName, HeaderValue)> + '_ {
    let kept = object.facts.iter().flat_map(|facts| &facts.headers);
    kept.filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    })
}

/// What the request wants to be said instead.
fn overrides(input: &GetObjectInput) -> S3Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, &input.response_content_type),
        (header::CACHE_CONTROL, &input.response_cache_control),
        (header::CONTENT_DISPOSITION, &input.response_content_disposition),
        (header::CONTENT_ENCODING, &input.response_content_encoding),
        (header::CONTENT_LANGUAGE, &input.response_content_language),
    ] {
        if let Some(value) = value {
            let value = HeaderValue::from_bytes(value.as_bytes());
            let invalid = |_| error(S3ErrorCode::InvalidArgument, "A response header cannot have this value");
            headers.insert(name, value.map_err(invalid)?);
        }
    }
    if let Some(expires) = &input.response_expires {
        let mut text = Vec::new();
        let written = expires.format(s3s::dto::TimestampFormat::HttpDate, &mut text);
        if let (Ok(()), Ok(value)) = (written, HeaderValue::from_bytes(&text)) {
            headers.insert(header::EXPIRES, value);
        }
    }
    Ok(headers)
}

fn answer<T>(output: T, found: &Found, overrides: HeaderMap) -> S3Response<T> {
    let mut headers = HeaderMap::new();
    headers.extend(kept_headers(&found.object));
    headers.extend(overrides);
    // Whoever stored it said what it is; browsers are not to guess otherwise.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let mut response = S3Response::new(output);
    response.headers = headers;
    response
}
