//! Copies of objects: by reference.

use super::checksums::{kind, with_checksum};
use super::conditions::{Conditions, strong};
use super::facts::{UNKNOWN_TYPE, facts_of, refuse_what_is_not_served, tags_of_query};
use super::shown::{content_type, modified, remembered, sealed, stored_at, told_version, wanted};
use super::uploads::expected_at;
use super::{Operations, Place};
use crate::asked::Asked;
use crate::error::{About, error, not_served};
use entente_tree::{CopyAt, Expect, Facts, Folders, NameRule, Object, Versioning, WantedVersion};
use http::HeaderMap;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETagCondition, MetadataDirective, TaggingDirective,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

/// What is copied, once it has been looked at.
pub(super) struct Source {
    pub(super) place: Place,
    pub(super) version: Option<WantedVersion>,
    pub(super) object: Object,
}

impl Source {
    /// What a request names as its source, if the conditions on it hold.
    pub(super) async fn find(
        operations: &Operations,
        asked: &Asked,
        source: &CopySource,
        conditions: &Conditions,
    ) -> S3Result<Self> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(not_served("Copies are made of keys in buckets"));
        };
        let place = operations.place(asked, bucket, key).await?;
        let version = wanted(version_id.as_deref())?;
        let about = if version.is_some() { About::Version } else { About::Key };
        let object = operations.tree.version_at(&asked.caller, place.path(), version).await;
        let object = object.map_err(asked.told_about(about))?;
        conditions.check_source(&object.etag(), stored_at(&object))?;
        // What was looked at is what is copied, whatever happens to the key meanwhile.
        let seen = object.view.version.as_ref().map(|version| WantedVersion::Id(version.id));
        Ok(Self { place, version: version.or(seen), object })
    }
}

pub(super) async fn copy(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let S3Request { input, headers, .. } = request;
    refuse_what_is_not_served(&headers)?;
    let conditions = Conditions {
        matches: input.copy_source_if_match,
        none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    let source = Source::find(operations, asked, &input.copy_source, &conditions).await?;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let replaces = directive(input.metadata_directive.as_ref().map(MetadataDirective::as_str))?;
    let replaces_tags = directive(input.tagging_directive.as_ref().map(TaggingDirective::as_str))?;
    let is_itself = place.bucket.item == source.place.bucket.item && place.names == source.place.names;
    if is_itself && !replaces && !names_version(&input.copy_source) {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing \
                       the object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(error(S3ErrorCode::InvalidRequest, message));
    }
    let mut facts = source.object.facts.clone().unwrap_or_default();
    // Of what came through another door its name says what it is, and the copy may have another name.
    facts.content_type = Some(content_type(&source.object)).filter(|kind| kind != UNKNOWN_TYPE);
    if replaces {
        let said = facts_of(&without_tagging(&headers), asked.expires.as_ref(), input.metadata)?;
        facts = Facts { content_type: said.content_type, headers: said.headers, metadata: said.metadata, ..facts };
    }
    if replaces_tags {
        facts.tags = input.tagging.as_deref().map_or(Ok(Vec::new()), |tags| tags_of_query(tags.as_bytes()))?;
    }
    let expect = expected_at(
        operations,
        asked,
        &place,
        condition(&headers, "if-match")?.as_ref(),
        condition(&headers, "if-none-match")?.as_ref(),
    )
    .await?;
    let copy = CopyAt {
        folders: Folders::Imply,
        rule: NameRule::Exact,
        expect,
        overwrite: entente_tree::Overwrite::Refuse,
        expect_from: Expect::Anything,
        versioning: Versioning::ByBucket,
        facts: Some(remembered(facts, &place)),
    };
    let from = (source.place.path(), source.version);
    let made = operations.tree.copy_at(&asked.caller, from, place.path(), copy).await;
    let made = made.map_err(asked.told_about(About::Key))?;
    let mut result = CopyObjectResult {
        e_tag: Some(strong(made.object.etag())),
        last_modified: Some(modified(stored_at(&made.object))),
        ..CopyObjectResult::default()
    };
    let checksum = made.object.facts.as_ref().and_then(|facts| facts.checksum.as_ref());
    with_checksum!(result, checksum);
    result.checksum_type = checksum.map(kind);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: told_version(&source.place, &source.object),
        server_side_encryption: sealed(),
        version_id: told_version(&place, &made.object),
        ..CopyObjectOutput::default()
    }))
}

fn names_version(source: &CopySource) -> bool {
    matches!(source, CopySource::Bucket { version_id: Some(_), .. })
}

fn directive(text: Option<&str>) -> S3Result<bool> {
    match text {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(error(S3ErrorCode::InvalidArgument, "Unknown directive: it is either COPY or REPLACE")),
    }
}

fn condition(headers: &HeaderMap, name: &str) -> S3Result<Option<ETagCondition>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let condition = ETagCondition::parse_http_header(value.as_bytes());
    condition.map(Some).map_err(|_| error(S3ErrorCode::InvalidArgument, "A condition's entity tag is malformed"))
}

/// Tags are replaced by a directive of their own.
fn without_tagging(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove("x-amz-tagging");
    headers
}
