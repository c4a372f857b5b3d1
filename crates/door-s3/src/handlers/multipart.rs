//! Uploads of parts: begun, listed, completed, ended.

use super::acl::of_new_object;
use super::checksums::{kind, named_checksum, with_checksum};
use super::conditions::strong;
use super::customer_key::{check_completion, told_sealing};
use super::facts::{facts_of, refuse_what_is_not_served};
use super::lifecycle::{abortion, expiration};
use super::listing::{Spelling, delimiter, limit};
use super::retention::check_wish;
use super::shown::{modified, owner, sealed, told_version};
use super::uploads::expected_at;
use super::{Operations, Place};
use crate::asked::Asked;
use crate::body::{Algorithm, combined, composite};
use crate::error::{About, error};
use crate::gate::{self, Said, TagsSaid};
use entente_model::MultipartId;
use entente_tree::acl::Grantee;
use entente_tree::rules::Deed;
use entente_tree::{
    Checksum, ChecksumKind, CompleteMultipart, Error as TreeError, FinishMultipart, ListMultiparts, Multipart,
    MultipartEntry, MultipartInto, MultipartPart, NameRule, NamedMultipartPart, Versioning,
};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType, CommonPrefix,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload,
    StorageClass,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::sync::{Arc, OnceLock};

/// Why an upload's checksum cannot be what its client says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// It is another.
    Digest,
    /// The upload announced another algorithm.
    Algorithm,
    /// Some part has no checksum from which it could be known.
    Unknown,
    Size,
}

/// What a client says of the whole.
#[derive(Debug, Clone, Default)]
struct SaidOfWhole {
    checksum: Option<(Algorithm, String)>,
    /// Of what it is, if that is said.
    kind: Option<ChecksumKind>,
    size_bytes: Option<u64>,
}

pub(super) async fn create(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let S3Request { input, headers, .. } = request;
    refuse_what_is_not_served(&headers)?;
    let mut facts = facts_of(&headers, asked.expires.as_ref(), input.metadata)?;
    facts.checksum = wanted_checksum(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    facts.acl = of_new_object(operations, asked, &place, &headers).await?;
    check_wish(&place, facts.retention)?;
    let made = operations
        .tree
        .create_multipart_with_key(&asked.caller, place.path(), MultipartInto { facts }, asked.keys.target().as_deref())
        .await;
    let made = made.map_err(asked.told_about(About::Bucket))?;
    let (abort_date, abort_rule_id) = abortion(operations, asked, &place, made.created_at).unzip();
    let mut output = CreateMultipartUploadOutput {
        abort_date,
        abort_rule_id,
        bucket: Some(input.bucket),
        checksum_algorithm: input.checksum_algorithm.filter(|_| made.facts.checksum.is_some()),
        checksum_type: made.facts.checksum.as_ref().map(kind),
        key: Some(input.key),
        upload_id: Some(made.id.to_string()),
        ..CreateMultipartUploadOutput::default()
    };
    told_sealing!(output, asked);
    Ok(S3Response::new(output))
}

/// Which checksum the object will have: its value comes with its parts.
fn wanted_checksum(algorithm: Option<&ChecksumAlgorithm>, of: Option<&ChecksumType>) -> S3Result<Option<Checksum>> {
    let invalid = |message| error(S3ErrorCode::InvalidRequest, message);
    let Some(algorithm) = algorithm else {
        return match of {
            None => Ok(None),
            Some(_) => Err(invalid("The x-amz-checksum-type header can only be used with x-amz-checksum-algorithm")),
        };
    };
    let algorithm = Algorithm::parse(algorithm.as_str());
    let algorithm = algorithm.ok_or_else(|| invalid("Checksum algorithm provided is unsupported."))?;
    let is_crc = !matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256);
    let kind = match of.map(ChecksumType::as_str) {
        None if algorithm == Algorithm::Crc64Nvme => ChecksumKind::FullObject,
        None => ChecksumKind::Composite,
        Some(ChecksumType::FULL_OBJECT) if is_crc => ChecksumKind::FullObject,
        Some(ChecksumType::COMPOSITE) if algorithm != Algorithm::Crc64Nvme => ChecksumKind::Composite,
        Some(_) => return Err(invalid("The checksum type cannot be used with this checksum algorithm.")),
    };
    Ok(Some(Checksum { algorithm: algorithm.name().to_owned(), value: String::new(), kind }))
}

/// The upload that a request names, if it is one of this key.
pub(super) async fn find(
    operations: &Operations,
    asked: &Asked,
    (bucket, key): (&str, &str),
    upload: &str,
) -> S3Result<(Place, Multipart)> {
    let place = operations.place(asked, bucket, key).await?;
    let id: MultipartId = upload.parse().map_err(|_| About::Upload.missing())?;
    let found = operations.tree.multipart(&asked.caller, id).await.map_err(asked.told_about(About::Upload))?;
    if found.base != place.bucket.item || found.key != key {
        return Err(About::Upload.missing());
    }
    Ok((place, found))
}

pub(super) async fn abort(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    let (_, upload) = find(operations, asked, (&input.bucket, &input.key), &input.upload_id).await?;
    if upload.completed.is_some() {
        return Err(About::Upload.missing());
    }
    let aborted = operations.tree.abort_multipart(&asked.caller, upload.id).await;
    aborted.map_err(asked.told_about(About::Upload))?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(super) async fn complete(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let S3Request { input, headers, uri, .. } = request;
    refuse_what_is_not_served(&headers)?;
    let (place, upload) = find(operations, asked, (&input.bucket, &input.key), &input.upload_id).await?;
    if upload.completed.is_none() && asked.signer.as_ref().is_none_or(|signer| signer.user != upload.user) {
        // What somebody else has ordered besides is done by whoever completes it.
        let said = Said { headers: &headers, uri: Some(&uri), tags: TagsSaid::These(&upload.facts.tags) };
        gate::again(operations, asked, (&input.bucket, &input.key, None), &ordered(&place, &upload), said).await?;
    }
    let said = SaidOfWhole {
        checksum: named_checksum!(input),
        kind: input.checksum_type.as_ref().and_then(|kind| match kind.as_str() {
            ChecksumType::FULL_OBJECT => Some(ChecksumKind::FullObject),
            ChecksumType::COMPOSITE => Some(ChecksumKind::Composite),
            _ => None,
        }),
        size_bytes: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
    };
    let named = input.multipart_upload.and_then(|named| named.parts).unwrap_or_default();
    let parts = named.into_iter().map(named_part).collect::<S3Result<Vec<_>>>()?;
    if parts.is_empty() {
        return Err(malformed());
    }
    check_completion(asked, &upload, parts.iter().any(|part| part.checksum.is_some()))?;
    // A complete upload answers again, whatever has become of the key.
    let (if_match, if_none_match) = match upload.completed {
        Some(_) => (None, None),
        None => (input.if_match.as_ref(), input.if_none_match.as_ref()),
    };
    let expect = expected_at(operations, asked, &place, if_match, if_none_match).await?;
    let refusal = Arc::new(OnceLock::new());
    let complete = CompleteMultipart {
        parts,
        expect,
        rule: NameRule::Exact,
        versioning: Versioning::ByBucket,
        finish: finish(said, Arc::clone(&refusal)),
    };
    let made = operations.tree.complete_multipart(&asked.caller, upload.id, complete).await;
    let made = made.map_err(|error| match refusal.get() {
        Some(refusal) => refused(*refusal),
        None => asked.told_about(About::Upload)(error),
    })?;
    let mut output = CompleteMultipartUploadOutput {
        e_tag: Some(strong(made.object.etag())),
        expiration: expiration(operations, asked, &place, &made.object),
        location: Some(["/", &input.bucket, "/", &input.key].concat()),
        bucket: Some(input.bucket),
        key: Some(input.key),
        server_side_encryption: sealed().filter(|_| upload.customer.is_none()),
        version_id: told_version(&place, &made.object),
        ..CompleteMultipartUploadOutput::default()
    };
    let checksum = made.object.facts.as_ref().and_then(|facts| facts.checksum.as_ref());
    with_checksum!(output, checksum);
    output.checksum_type = checksum.map(kind);
    Ok(S3Response::new(output))
}

/// What is to be done by completing an upload, besides writing an object: what was ordered when it was begun.
fn ordered(place: &Place, upload: &Multipart) -> Vec<Deed> {
    let facts = &upload.facts;
    let gives_others = facts.acl.as_ref().is_some_and(|acl| {
        let is_modest =
            |to: Grantee| matches!(to, Grantee::User(user) if acl.owner == Some(user) || place.bucket.owner == user);
        acl.grants.iter().any(|grant| !is_modest(grant.to))
    });
    let ordered = [
        (true, Deed::WriteObject),
        (gives_others, Deed::WriteAcl),
        (!facts.tags.is_empty(), Deed::WriteTags),
        (facts.retention.is_some_and(|wish| wish.term.is_some()), Deed::WriteRetention),
        (facts.retention.is_some_and(|wish| wish.held), Deed::WriteHold),
    ];
    ordered.into_iter().filter_map(|(is_ordered, deed)| is_ordered.then_some(deed)).collect()
}

fn named_part(part: CompletedPart) -> S3Result<NamedMultipartPart> {
    let checksum = named_checksum!(part).map(|(_, value)| value);
    let number = part.part_number.and_then(|number| u32::try_from(number).ok()).ok_or_else(malformed)?;
    let etag = part.e_tag.ok_or_else(malformed)?.into_value();
    Ok(NamedMultipartPart { number, etag, checksum })
}

fn malformed() -> S3Error {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    error(S3ErrorCode::MalformedXML, message)
}

/// The checksum of the whole, from those of its parts. It has none when a part has none: one that was copied, say.
fn finish(said: SaidOfWhole, refusal: Arc<OnceLock<Refusal>>) -> FinishMultipart {
    Box::new(move |upload: &Multipart, parts: &[MultipartPart]| {
        let refuse = |why: Refusal| {
            // Nobody else sets it.
            let _ = refusal.set(why);
            TreeError::Invalid("the whole is not what its client says")
        };
        let size: u64 = parts.iter().map(|part| part.size).fold(0, u64::saturating_add);
        if said.size_bytes.is_some_and(|said| said != size) {
            return Err(refuse(Refusal::Size));
        }
        let wanted = upload.facts.checksum.as_ref();
        let Some((algorithm, value)) = &said.checksum else {
            return Ok(wanted.and_then(|wanted| whole(wanted, parts)));
        };
        if wanted.is_some_and(|wanted| wanted.algorithm != algorithm.name()) {
            return Err(refuse(Refusal::Algorithm));
        }
        let wanted = wanted.cloned().unwrap_or_else(|| said.wanted(*algorithm));
        if said.kind.is_some_and(|kind| kind != wanted.kind) {
            return Err(refuse(Refusal::Algorithm));
        }
        match whole(&wanted, parts) {
            None => Err(refuse(Refusal::Unknown)),
            Some(found) if !is_same(&found, value) => Err(refuse(Refusal::Digest)),
            found => Ok(found),
        }
    })
}

impl SaidOfWhole {
    /// What the whole is to have where the upload announced nothing.
    fn wanted(&self, algorithm: Algorithm) -> Checksum {
        let usual = if algorithm == Algorithm::Crc64Nvme { ChecksumKind::FullObject } else { ChecksumKind::Composite };
        let kind = self.kind.unwrap_or(usual);
        Checksum { algorithm: algorithm.name().to_owned(), value: String::new(), kind }
    }
}

/// Clients write a checksum of checksums with the number of parts behind it, or without.
fn is_same(found: &Checksum, value: &str) -> bool {
    let bare = found.value.split_once('-').map(|(bare, _)| bare);
    found.value == value || found.kind == ChecksumKind::Composite && bare == Some(value)
}

fn whole(wanted: &Checksum, parts: &[MultipartPart]) -> Option<Checksum> {
    let algorithm = Algorithm::parse(&wanted.algorithm)?;
    let values: Option<Vec<(&str, u64)>> = parts
        .iter()
        .map(|part| {
            let checksum = part.facts.checksum.as_ref().filter(|checksum| checksum.algorithm == wanted.algorithm)?;
            Some((checksum.value.as_str(), part.size))
        })
        .collect();
    let value = match wanted.kind {
        ChecksumKind::FullObject => combined(algorithm, &values?)?,
        ChecksumKind::Composite => composite(algorithm, &values?)?,
    };
    Some(Checksum { value, ..wanted.clone() })
}

fn refused(refusal: Refusal) -> S3Error {
    match refusal {
        Refusal::Digest => error(
            S3ErrorCode::BadDigest,
            "The checksum you specified did not match the calculated checksum of the whole object.",
        ),
        Refusal::Algorithm => error(
            S3ErrorCode::InvalidRequest,
            "The checksum you specified is not of the algorithm or the type that the upload announced.",
        ),
        Refusal::Unknown => error(
            S3ErrorCode::InvalidRequest,
            "The checksum you specified cannot be compared: not every part has a checksum of its algorithm.",
        ),
        Refusal::Size => error(
            S3ErrorCode::InvalidRequest,
            "The provided 'x-amz-mp-object-size' header does not match what was computed.",
        ),
    }
}

pub(super) async fn list(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    let bucket = operations.bucket(asked, &input.bucket).await?;
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let limit = limit(input.max_uploads)?;
    let marker = input.upload_id_marker.as_deref().filter(|upload| !upload.is_empty());
    let after = match input.key_marker.as_deref().filter(|key| !key.is_empty()) {
        // Without a key the other marker means nothing.
        None => None,
        Some(key) => {
            let invalid = |_| error(S3ErrorCode::InvalidArgument, "Invalid uploadId marker");
            Some((key.to_owned(), marker.map(str::parse::<MultipartId>).transpose().map_err(invalid)?))
        }
    };
    let list = ListMultiparts {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: delimiter(input.delimiter.clone()),
        after,
        limit,
    };
    let page = operations.tree.list_multiparts(&asked.caller, bucket.item, list).await;
    let page = page.map_err(asked.told_about(About::Bucket))?;
    let (mut uploads, mut prefixes) = (Vec::new(), Vec::new());
    for entry in page.entries {
        match entry {
            MultipartEntry::Upload(upload) => {
                let Multipart { id, user, key, facts, created_at, .. } = *upload;
                let user = owner(user);
                let checksum = facts.checksum.as_ref();
                uploads.push(MultipartUpload {
                    checksum_algorithm: checksum.map(|checksum| ChecksumAlgorithm::from(checksum.algorithm.clone())),
                    checksum_type: checksum.map(kind),
                    initiated: Some(modified(created_at)),
                    initiator: Some(Initiator { display_name: user.display_name.clone(), id: user.id.clone() }),
                    key: Some(spelling.spell(key)),
                    owner: Some(owner(bucket.owner)),
                    storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
                    upload_id: Some(id.to_string()),
                });
            }
            MultipartEntry::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(spelling.spell(prefix)) }),
        }
    }
    let is_truncated = page.next.is_some();
    let (next_key, next_upload) = page.next.map_or((None, None), |(key, upload)| (Some(key), upload));
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: Some(prefixes),
        delimiter: delimiter(input.delimiter).map(|delimiter| spelling.spell(delimiter)),
        encoding_type: input.encoding_type,
        is_truncated: Some(is_truncated),
        key_marker: Some(spelling.spell(input.key_marker.unwrap_or_default())),
        max_uploads: Some(i32::try_from(limit).unwrap_or(i32::MAX)),
        next_key_marker: next_key.map(|key| spelling.spell(key)),
        next_upload_id_marker: next_upload.map(|upload| upload.to_string()),
        prefix: Some(spelling.spell(input.prefix.unwrap_or_default())),
        upload_id_marker: input.upload_id_marker,
        uploads: Some(uploads),
        ..ListMultipartUploadsOutput::default()
    }))
}
