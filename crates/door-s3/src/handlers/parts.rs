//! Parts of uploads.

use super::Operations;
use super::checksums::with_checksum;
use super::conditions::{Conditions, strong};
use super::copies::Source;
use super::customer_key::told_sealing;
use super::facts::refuse_what_is_not_served;
use super::multipart::find;
use super::shown::{length, modified, owner, size, told_version};
use super::uploads::{check_length, finish};
use crate::asked::Asked;
use crate::body::Algorithm;
use crate::error::{About, error};
use entente_tree::{Error as TreeError, Facts, Multipart, MultipartPart};
use futures_util::stream::empty;
use s3s::dto::{
    ChecksumAlgorithm, CopyPartResult, Initiator, ListPartsInput, ListPartsOutput, Part, StorageClass,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::ops::Range;

/// Numbers of parts.
const NUMBER_MAX: u32 = 10_000;
/// Parts of a page.
const PAGE_MAX: u32 = 1_000;

pub(super) async fn put(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let S3Request { input, headers, .. } = request;
    refuse_what_is_not_served(&headers)?;
    check_length(operations, input.content_length)?;
    let number = checked(input.part_number)?;
    let (_, upload) = find(operations, asked, (&input.bucket, &input.key), &input.upload_id).await?;
    want_checksum(asked, &upload)?;
    let (tree, caller) = (&operations.tree, &asked.caller);
    let (size_max, finish) = (operations.object_bytes_max, finish(asked, Facts::default()));
    let (part, key) = ((upload.id, number), asked.keys.target());
    let part = match input.body {
        Some(body) => tree.put_multipart_part_with_key(caller, part, key, (size_max, body), finish).await,
        None => tree.put_multipart_part_with_key(caller, part, key, (size_max, empty()), finish).await,
    };
    let part = part.map_err(asked.told_about(About::Upload))?;
    let mut output = UploadPartOutput { e_tag: Some(strong(part.etag)), ..UploadPartOutput::default() };
    told_sealing!(output, asked);
    with_checksum!(output, part.facts.checksum.as_ref());
    Ok(S3Response::new(output))
}

/// Each part has a checksum of the kind that its upload announced, whether or not its client says what it is.
fn want_checksum(asked: &Asked, upload: &Multipart) -> S3Result<()> {
    let wanted = upload.facts.checksum.as_ref().and_then(|checksum| Algorithm::parse(&checksum.algorithm));
    match (wanted, asked.announced) {
        (Some(wanted), Some(announced)) if wanted != announced => Err(S3Error::with_message(
            S3ErrorCode::InvalidRequest,
            format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                wanted.name().to_ascii_lowercase(),
                announced.name().to_ascii_lowercase()
            ),
        )),
        (Some(wanted), None) => {
            asked.received.want(wanted);
            Ok(())
        }
        _ => Ok(()),
    }
}

pub(super) async fn copy(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let S3Request { input, headers, .. } = request;
    refuse_what_is_not_served(&headers)?;
    let number = checked(input.part_number)?;
    let (_, upload) = find(operations, asked, (&input.bucket, &input.key), &input.upload_id).await?;
    let conditions = Conditions {
        matches: input.copy_source_if_match,
        none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    let source = Source::find(operations, asked, &input.copy_source, &conditions, &headers).await?;
    let range = input.copy_source_range.as_deref().map(|text| range(text, size(&source.object))).transpose()?;
    let part = (&source.object, source.content);
    let to = (upload.id, number);
    let copied = operations.tree.copy_part_with_key(&asked.caller, to, part, range, asked.keys.target()).await;
    let part = copied.map_err(|error| match error {
        TreeError::KeyNeeded | TreeError::WrongKey | TreeError::KeyUnused => asked.told_about(About::Upload)(error),
        error => asked.told(error),
    })?;
    let mut result = CopyPartResult {
        e_tag: Some(strong(part.etag)),
        last_modified: Some(modified(part.modified_at)),
        ..CopyPartResult::default()
    };
    with_checksum!(result, part.facts.checksum.as_ref());
    let mut output = UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: told_version(&source.place, &source.object),
        ..UploadPartCopyOutput::default()
    };
    told_sealing!(output, asked);
    Ok(S3Response::new(output))
}

pub(super) async fn list(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let (place, upload) = find(operations, asked, (&input.bucket, &input.key), &input.upload_id).await?;
    if upload.completed.is_some() {
        return Err(About::Upload.missing());
    }
    let invalid = |_| error(S3ErrorCode::InvalidArgument, "max-parts and part-number-marker cannot be negative");
    let after = u32::try_from(input.part_number_marker.unwrap_or(0)).map_err(invalid)?;
    let limit = input.max_parts.map_or(Ok(PAGE_MAX), u32::try_from).map_err(invalid)?.min(PAGE_MAX);
    let page = operations.tree.list_multipart_parts(&asked.caller, upload.id, after, limit).await;
    let page = page.map_err(asked.told_about(About::Upload))?;
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let Multipart { user, facts, created_at, .. } = page.upload;
    let user = owner(user);
    let (abort_date, abort_rule_id) = super::lifecycle::abortion(operations, asked, &place, created_at).unzip();
    Ok(S3Response::new(ListPartsOutput {
        abort_date,
        abort_rule_id,
        bucket: Some(input.bucket),
        checksum_algorithm: facts.checksum.as_ref().map(|checksum| ChecksumAlgorithm::from(checksum.algorithm.clone())),
        checksum_type: facts.checksum.as_ref().map(super::checksums::kind),
        initiator: Some(Initiator { display_name: user.display_name.clone(), id: user.id.clone() }),
        is_truncated: Some(page.next.is_some() && limit > 0),
        key: Some(input.key),
        max_parts: Some(number(limit)),
        next_part_number_marker: page.next.map(number),
        owner: Some(owner(place.bucket.owner)),
        part_number_marker: Some(number(after)),
        parts: Some(page.entries.into_iter().map(listed).collect()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(input.upload_id),
        ..ListPartsOutput::default()
    }))
}

fn listed(part: MultipartPart) -> Part {
    let mut listed = Part {
        e_tag: Some(strong(part.etag)),
        last_modified: Some(modified(part.modified_at)),
        part_number: i32::try_from(part.number).ok(),
        size: Some(length(part.size)),
        ..Part::default()
    };
    with_checksum!(listed, part.facts.checksum.as_ref());
    listed
}

fn checked(number: i32) -> S3Result<u32> {
    let checked = u32::try_from(number).ok().filter(|number| (1..=NUMBER_MAX).contains(number));
    let message = "Part number must be an integer between 1 and 10000, inclusive";
    checked.ok_or_else(|| error(S3ErrorCode::InvalidArgument, message))
}

/// The range of a source: from its first byte to its last, both named.
fn range(text: &str, size: u64) -> S3Result<Range<u64>> {
    let malformed = || {
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
                       zero-based offsets of the first and last bytes to copy";
        error(S3ErrorCode::InvalidArgument, message)
    };
    let (first, last) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(malformed)?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| is_number).ok_or_else(malformed)
    };
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(malformed());
    }
    if last >= size {
        return Err(error(S3ErrorCode::InvalidRange, "Range specified is not valid for the source object"));
    }
    Ok(first..last + 1)
}

#[cfg(test)]
mod tests {
    use super::{checked, range};

    #[test]
    fn ranges_of_sources_are_strict() {
        assert_eq!(range("bytes=2-4", 5).unwrap(), 2..5);
        for odd in ["", "bytes=", "bytes=1-", "bytes=-1", "bytes=3-2", "bytes=a-b", "bytes=0-1,3-4", "bytes=0-5", "0-1"]
        {
            assert!(range(odd, 5).is_err(), "{odd}");
        }
    }

    #[test]
    fn numbers_have_bounds() {
        assert!(checked(0).is_err() && checked(-1).is_err() && checked(10_001).is_err());
        assert_eq!((checked(1).unwrap(), checked(10_000).unwrap()), (1, 10_000));
    }
}
