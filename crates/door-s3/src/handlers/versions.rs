//! Versions of objects, and delete markers.

use super::conditions::strong;
use super::listing::{Spelling, delimiter, limit};
use super::object_lock::check_versioning;
use super::shown::{length, modified, owner, size, stored_at};
use super::{Operations, Place};
use crate::asked::Asked;
use crate::error::{About, error, not_served};
use entente_tree::{BucketVersioning, HistoryEntry, HistoryWalk, WantedVersion};
use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::dto::{
    BucketVersioningStatus, CommonPrefix, DeleteMarkerEntry, GetBucketVersioningInput, GetBucketVersioningOutput,
    ListObjectVersionsInput, ListObjectVersionsOutput, MFADelete, ObjectVersion, ObjectVersionStorageClass,
    PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

/// Short pages of the tree that are joined to one of S3's.
const JOINED_MAX: usize = 16;
const X_AMZ_DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
const X_AMZ_VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

pub(super) async fn versioning(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let bucket = operations.bucket(asked, &request.input.bucket).await?;
    let status = match bucket.versioning {
        BucketVersioning::Never => None,
        BucketVersioning::On => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED)),
        BucketVersioning::Suspended => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::SUSPENDED)),
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() }))
}

pub(super) async fn set_versioning(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let input = request.input;
    let wanted = input.versioning_configuration;
    if wanted.mfa_delete.is_some_and(|mfa| mfa.as_str() == MFADelete::ENABLED) {
        return Err(not_served("MFA delete is not served"));
    }
    let versioning = match wanted.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => BucketVersioning::On,
        Some(BucketVersioningStatus::SUSPENDED) => BucketVersioning::Suspended,
        _ => {
            let message = "The versioning status is either Enabled or Suspended";
            return Err(error(S3ErrorCode::IllegalVersioningConfigurationException, message));
        }
    };
    let bucket = operations.bucket(asked, &input.bucket).await?;
    check_versioning(&bucket, versioning)?;
    let set = operations.tree.set_versioning(&asked.caller, &bucket.name, versioning).await;
    set.map_err(asked.told_about(About::Bucket))?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}

pub(super) async fn list(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    let bucket = operations.bucket(asked, &input.bucket).await?;
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let key_marker = input.key_marker.clone().filter(|key| !key.is_empty());
    let version_marker = input.version_id_marker.clone().filter(|version| !version.is_empty());
    let after = match (key_marker, version_marker) {
        (None, Some(_)) => {
            let message = "A version-id marker cannot be specified without a key marker.";
            return Err(error(S3ErrorCode::InvalidArgument, message));
        }
        (None, None) => None,
        (Some(key), None) => Some((key, None)),
        (Some(key), Some(version)) => {
            let invalid = |_| error(S3ErrorCode::InvalidArgument, "Invalid version id specified");
            Some((key, Some(version.parse::<WantedVersion>().map_err(invalid)?)))
        }
    };
    let walk = HistoryWalk {
        prefix: input.prefix.clone().unwrap_or_default(),
        after,
        delimiter: delimiter(input.delimiter.clone()),
        limit,
    };
    let (mut versions, mut markers, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut next, mut walk) = (None, walk);
    for _ in 0..JOINED_MAX {
        if walk.limit == 0 {
            break;
        }
        let walked = operations.tree.walk_versions(&asked.caller, bucket.item, walk.clone()).await;
        let walked = walked.map_err(asked.told_about(About::Bucket))?;
        walk.limit = walk.limit.saturating_sub(u32::try_from(walked.entries.len()).unwrap_or(u32::MAX));
        walk.after.clone_from(&walked.next);
        next = walked.next;
        for entry in walked.entries {
            match entry {
                HistoryEntry::Version { key, version, object, latest } => versions.push(ObjectVersion {
                    e_tag: Some(strong(object.etag())),
                    is_latest: Some(latest),
                    key: Some(spelling.spell(key)),
                    last_modified: Some(modified(stored_at(&object))),
                    owner: Some(owner(object.view.owner.id)),
                    size: Some(length(size(&object))),
                    storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
                    version_id: Some(version.to_string()),
                    ..ObjectVersion::default()
                }),
                HistoryEntry::Marker { key, version, view, latest } => markers.push(DeleteMarkerEntry {
                    is_latest: Some(latest),
                    key: Some(spelling.spell(key)),
                    last_modified: Some(modified(view.item.trashed_at.unwrap_or(view.item.modified_at))),
                    owner: Some(owner(bucket.owner)),
                    version_id: Some(version.to_string()),
                }),
                HistoryEntry::Prefix(prefix) => {
                    prefixes.push(CommonPrefix { prefix: Some(spelling.spell(prefix)) });
                }
            }
        }
        if next.is_none() {
            break;
        }
    }
    let is_truncated = next.is_some();
    let (next_key, next_version) = next.map_or((None, None), |(key, version)| (Some(key), version));
    Ok(S3Response::new(ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(spelling.spell(input.prefix.unwrap_or_default())),
        key_marker: Some(spelling.spell(input.key_marker.unwrap_or_default())),
        version_id_marker: input.version_id_marker,
        max_keys: Some(i32::try_from(limit).unwrap_or(i32::MAX)),
        delimiter: delimiter(input.delimiter).map(|delimiter| spelling.spell(delimiter)),
        encoding_type: input.encoding_type,
        is_truncated: Some(is_truncated),
        next_key_marker: next_key.map(|key| spelling.spell(key)),
        next_version_id_marker: next_version.map(|version| version.to_string()),
        versions: Some(versions),
        delete_markers: Some(markers),
        common_prefixes: Some(prefixes),
        ..ListObjectVersionsOutput::default()
    }))
}

/// What a client is told of a key that has no file, which may be so because of a delete marker.
pub(super) async fn missing(operations: &Operations, asked: &Asked, place: &Place) -> S3Error {
    let mut missing = About::Key.missing();
    if place.tells_versions()
        && let Ok(Some(marker)) = operations.tree.marker_at(&asked.caller, place.path()).await
    {
        missing.set_headers(marker_headers(&marker));
    }
    missing
}

/// What says that a version is a delete marker.
pub(super) fn marker_headers(marker: &WantedVersion) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(X_AMZ_DELETE_MARKER, HeaderValue::from_static("true"));
    if let Ok(version) = HeaderValue::try_from(marker.to_string()) {
        headers.insert(X_AMZ_VERSION_ID, version);
    }
    headers
}
