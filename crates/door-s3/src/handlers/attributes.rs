//! What an object is, in parts.

use super::Operations;
use super::checksums::{kind, with_checksum};
use super::customer_key::with_key;
use super::shown::{length, modified, size, stored_at, told_version, wanted};
use crate::asked::Asked;
use crate::error::{About, error};
use entente_tree::{Error as TreeError, Object};
use s3s::dto::{
    Checksum, ETag, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectPart,
    StorageClass,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

/// Parts of a page.
const PARTS_MAX: usize = 1_000;

pub(super) async fn show(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let input = request.input;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let version = wanted(input.version_id.as_deref())?;
    let about = if version.is_some() { About::Version } else { About::Key };
    let object = match operations.tree.version_at(&asked.caller, place.path(), version).await {
        Ok(object) => object,
        Err(TreeError::NotFound) if version.is_none() => {
            return Err(super::versions::missing(operations, asked, &place).await);
        }
        Err(error) => return Err(asked.told_about(about)(error)),
    };
    if let Some(version) = &object.view.version {
        let content = operations.tree.open_content(version.content).map_err(asked.told_about(about))?;
        with_key(operations, asked, content, about).await?;
    }
    // Clients send one header of several names, or several of one.
    let names = || input.object_attributes.iter().flat_map(|names| names.as_str().split(',')).map(str::trim);
    let wants = |name: &str| names().any(|wanted| wanted == name);
    let is_known = |name: &str| matches!(name, "ETag" | "Checksum" | "ObjectParts" | "StorageClass" | "ObjectSize");
    if !names().all(is_known) {
        return Err(error(S3ErrorCode::InvalidArgument, "Invalid attribute name specified."));
    }
    let facts = object.facts.as_ref();
    let checksum = facts.and_then(|facts| facts.checksum.as_ref()).filter(|_| wants("Checksum")).map(|checksum| {
        let mut shown = Checksum { checksum_type: Some(kind(checksum)), ..Checksum::default() };
        with_checksum!(shown, Some(checksum));
        shown
    });
    let object_parts = if wants("ObjectParts") { parts(&object, &input)? } else { None };
    Ok(S3Response::new(GetObjectAttributesOutput {
        checksum,
        e_tag: wants("ETag").then(|| ETag::Strong(object.etag())),
        last_modified: Some(modified(stored_at(&object))),
        object_parts,
        object_size: wants("ObjectSize").then(|| length(size(&object))),
        storage_class: wants("StorageClass").then(|| StorageClass::from_static(StorageClass::STANDARD)),
        version_id: told_version(&place, &object),
        ..GetObjectAttributesOutput::default()
    }))
}

/// The parts of an object that came in parts.
fn parts(object: &Object, input: &GetObjectAttributesInput) -> S3Result<Option<GetObjectAttributesParts>> {
    let sizes = object.facts.as_ref().map_or(&[][..], |facts| &facts.parts);
    if sizes.is_empty() {
        return Ok(None);
    }
    let invalid = |_| error(S3ErrorCode::InvalidArgument, "max-parts and part-number-marker cannot be negative");
    let after = input.part_number_marker.unwrap_or_default();
    let after = usize::try_from(after).map_err(invalid)?;
    let limit = usize::try_from(input.max_parts.unwrap_or(i32::MAX)).map_err(invalid)?.min(PARTS_MAX);
    let page: Vec<ObjectPart> = sizes
        .iter()
        .enumerate()
        .skip(after)
        .take(limit)
        .map(|(index, bytes)| ObjectPart {
            part_number: i32::try_from(index + 1).ok(),
            size: Some(length(*bytes)),
            ..ObjectPart::default()
        })
        .collect();
    let last = page.last().and_then(|part| part.part_number);
    Ok(Some(GetObjectAttributesParts {
        is_truncated: Some(after.saturating_add(page.len()) < sizes.len()),
        max_parts: i32::try_from(limit).ok(),
        next_part_number_marker: last,
        part_number_marker: i32::try_from(after).ok(),
        parts: Some(page),
        total_parts_count: i32::try_from(sizes.len()).ok(),
    }))
}
