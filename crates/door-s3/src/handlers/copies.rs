//! Copies of objects: by reference.

use super::acl::of_new_object;
use super::checksums::{kind, with_checksum};
use super::conditions::{Conditions, strong};
use super::customer_key::{copy_anew, source_with_key, told_sealing};
use super::facts::{UNKNOWN_TYPE, facts_of, refuse_what_is_not_served, tags_of_query};
use super::retention::{check_wish, wish};
use super::shown::{content_type, modified, remembered, stored_at, told_version, wanted};
use super::uploads::expected_at;
use super::{Operations, Place};
use crate::asked::Asked;
use crate::error::{About, error, not_served};
use crate::gate::{self, Said, TagsSaid};
use entente_tree::rules::Deed;
use entente_tree::{Caller, Content, CopyAt, Expect, Facts, Folders, NameRule, Object, Put, Versioning, WantedVersion};
use http::HeaderMap;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETagCondition, MetadataDirective, TaggingDirective,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

/// What is copied, once it has been looked at.
pub(super) struct Source {
    /// In whose name it is read.
    pub(super) caller: Caller,
    pub(super) place: Place,
    pub(super) version: Option<WantedVersion>,
    pub(super) object: Object,
    /// Its bytes, with the key that came for them.
    pub(super) content: Content,
}

impl Source {
    /// What a request names as its source, if the conditions on it hold.
    pub(super) async fn find(
        operations: &Operations,
        asked: &Asked,
        source: &CopySource,
        conditions: &Conditions,
        headers: &HeaderMap,
    ) -> S3Result<Self> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(not_served("Copies are made of keys in buckets"));
        };
        let deed = if version_id.is_some() { Deed::ReadVersion } else { Deed::ReadObject };
        let said = Said { headers, uri: None, tags: TagsSaid::These(&[]) };
        // The source may be in another bucket, with other rules.
        let asked = &gate::again(operations, asked, (bucket, key, version_id.as_deref()), &[deed], said).await?;
        let place = operations.place(asked, bucket, key).await?;
        let version = wanted(version_id.as_deref())?;
        let about = if version.is_some() { About::Version } else { About::Key };
        let opened = operations.tree.open_at(&asked.caller, place.path(), version).await;
        let (object, content) = opened.map_err(|error| asked.seen(asked.told_about(about)(error)))?;
        let content = source_with_key(operations, asked, content).await?;
        conditions.check_source(&object.etag(), stored_at(&object))?;
        // What was looked at is what is copied, whatever happens to the key meanwhile.
        let seen = object.view.version.as_ref().map(|version| WantedVersion::Id(version.id));
        Ok(Self { caller: asked.caller.clone(), place, version: version.or(seen), object, content })
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
    let source = Source::find(operations, asked, &input.copy_source, &conditions, &headers).await?;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let replaces = directive(input.metadata_directive.as_ref().map(MetadataDirective::as_str))?;
    let replaces_tags = directive(input.tagging_directive.as_ref().map(TaggingDirective::as_str))?;
    let is_itself = place.bucket.item == source.place.bucket.item && place.names == source.place.names;
    let is_sealed_so = source.content.is_sealed_with(asked.keys.target().as_deref());
    if is_itself && !replaces && is_sealed_so && !names_version(&input.copy_source) {
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
    facts.retention = wish(&headers)?;
    check_wish(&place, facts.retention)?;
    if replaces_tags {
        facts.tags = input.tagging.as_deref().map_or(Ok(Vec::new()), |tags| tags_of_query(tags.as_bytes()))?;
    } else if !facts.tags.is_empty() {
        let places = (&input.copy_source, (input.bucket.as_str(), input.key.as_str()));
        may_carry_tags(operations, asked, places, (&headers, &facts.tags)).await?;
    }
    // Grants are the copy's own.
    facts.acl = of_new_object(operations, asked, &place, &headers).await?;
    let expect = expected_at(
        operations,
        asked,
        &place,
        condition(&headers, "if-match")?.as_ref(),
        condition(&headers, "if-none-match")?.as_ref(),
    )
    .await?;
    let facts = remembered(facts, &place);
    // Contents are one owner's: for another's bucket the bytes are read and written.
    let made = if is_sealed_so && source.caller.user == asked.caller.user {
        copy_by_reference(operations, asked, &source, (&place, expect, facts)).await?
    } else {
        copy_anew(operations, asked, &source, (&place, expect, facts)).await?
    };
    let mut result = CopyObjectResult {
        e_tag: Some(strong(made.object.etag())),
        last_modified: Some(modified(stored_at(&made.object))),
        ..CopyObjectResult::default()
    };
    let checksum = made.object.facts.as_ref().and_then(|facts| facts.checksum.as_ref());
    with_checksum!(result, checksum);
    result.checksum_type = checksum.map(kind);
    let mut output = CopyObjectOutput {
        copy_object_result: Some(result),
        expiration: super::lifecycle::expiration(operations, asked, &place, &made.object),
        copy_source_version_id: told_version(&source.place, &source.object),
        version_id: told_version(&place, &made.object),
        ..CopyObjectOutput::default()
    };
    told_sealing!(output, asked);
    Ok(S3Response::new(output))
}

/// Whether the tags of the source may be read there, and given here: rules go by them.
async fn may_carry_tags(
    operations: &Operations,
    asked: &Asked,
    (source, (bucket, key)): (&CopySource, (&str, &str)),
    (headers, tags): (&HeaderMap, &[(String, String)]),
) -> S3Result<()> {
    if let CopySource::Bucket { bucket, key, version_id } = source {
        let deed = if version_id.is_some() { Deed::ReadVersionTags } else { Deed::ReadTags };
        let said = Said { headers, uri: None, tags: TagsSaid::These(&[]) };
        gate::again(operations, asked, (bucket, key, version_id.as_deref()), &[deed], said).await?;
    }
    let said = Said { headers, uri: None, tags: TagsSaid::These(tags) };
    gate::again(operations, asked, (bucket, key, None), &[Deed::WriteTags], said).await?;
    Ok(())
}

async fn copy_by_reference(
    operations: &Operations,
    asked: &Asked,
    source: &Source,
    (place, expect, facts): (&Place, Expect, Facts),
) -> S3Result<Put> {
    let copy = CopyAt {
        folders: Folders::Imply,
        rule: NameRule::Exact,
        expect,
        overwrite: entente_tree::Overwrite::Refuse,
        expect_from: Expect::Anything,
        versioning: Versioning::ByBucket,
        facts: Some(facts),
    };
    let from = (source.place.path(), source.version);
    // Both have been let by now: what reading needs, and what writing needs.
    let caller = Caller { scopes: asked.caller.scopes.with(source.caller.scopes), ..asked.caller.clone() };
    let made = operations.tree.copy_at(&caller, from, place.path(), copy).await;
    made.map_err(asked.told_about(About::Key))
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
