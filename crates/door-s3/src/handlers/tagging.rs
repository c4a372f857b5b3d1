//! Tags of objects.

use super::facts::{TagsOf, tags_of_document, tags_to_document};
use super::shown::{told_version, wanted};
use super::{Operations, Place};
use crate::asked::Asked;
use crate::error::About;
use crate::gate::{self, Said, TagsSaid};
use entente_tree::Object;
use entente_tree::rules::Deed;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};
use s3s::{S3Request, S3Response, S3Result};

pub(super) async fn show(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let version = wanted(input.version_id.as_deref())?;
    let about = if version.is_some() { About::Version } else { About::Key };
    let object = operations.tree.version_at(&asked.caller, place.path(), version).await;
    let object = object.map_err(asked.told_about(about))?;
    let version_id = told_version(&place, &object);
    let tags = object.facts.map(|facts| facts.tags).unwrap_or_default();
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set: tags_to_document(tags), version_id }))
}

pub(super) async fn set(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let S3Request { input, headers, uri, .. } = request;
    let tags = tags_of_document(input.tagging.tag_set, TagsOf::Object)?;
    let version = input.version_id.as_deref();
    let deed = if version.is_some() { Deed::WriteVersionTags } else { Deed::WriteTags };
    // The rules may go by the tags, which stand in the body.
    let said = Said { headers: &headers, uri: Some(&uri), tags: TagsSaid::These(&tags) };
    let asked = &gate::again(operations, asked, (&input.bucket, &input.key, version), &[deed], said).await?;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let object = change(operations, asked, &place, version, tags.clone()).await.map_err(|error| asked.seen(error))?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: told_version(&place, &object) }))
}

pub(super) async fn remove(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let object = change(operations, asked, &place, input.version_id.as_deref(), Vec::new()).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id: told_version(&place, &object) }))
}

async fn change(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    version: Option<&str>,
    tags: Vec<(String, String)>,
) -> S3Result<Object> {
    let version = wanted(version)?;
    let about = if version.is_some() { About::Version } else { About::Key };
    let change = move |facts: &mut entente_tree::Facts| {
        facts.tags.clone_from(&tags);
        Ok(())
    };
    let changed = operations.tree.set_facts_at(&asked.caller, (place.path(), version), change).await;
    changed.map_err(asked.told_about(about))
}
