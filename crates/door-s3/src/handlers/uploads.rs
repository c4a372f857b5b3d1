//! Objects that arrive in one request.

use super::acl::of_new_object;
use super::checksums::{remember, with_checksum};
use super::conditions::{depends_on_content, expected, strong};
use super::customer_key::told_sealing;
use super::facts::{facts_of, refuse_what_is_not_served};
use super::retention::check_wish;
use super::shown::{remembered, told_version};
use super::{Operations, Place};
use crate::asked::Asked;
use crate::error::{About, error};
use bytes::Bytes;
use entente_tree::{
    BoxError, Error as TreeError, Expect, Facts, Finish, Finished, Folders, Manner, NameRule, Put, PutAt, Versioning,
    Want,
};
use futures_util::Stream;
use futures_util::stream::empty;
use http::HeaderMap;
use s3s::dto::{ETagCondition, PutObjectInput, PutObjectOutput};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};
use std::sync::Arc;

pub(super) async fn put(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let S3Request { input, headers, .. } = request;
    refuse_what_is_not_served(&headers)?;
    check_length(operations, input.content_length)?;
    let mut facts = facts_of(&headers, asked.expires.as_ref(), input.metadata)?;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    facts.acl = of_new_object(operations, asked, &place, &headers).await?;
    check_wish(&place, facts.retention)?;
    let expect = expected_at(operations, asked, &place, input.if_match.as_ref(), input.if_none_match.as_ref()).await?;
    let put = match input.body {
        Some(body) => store(operations, asked, &place, expect, facts, body).await?,
        None => store(operations, asked, &place, expect, facts, empty()).await?,
    };
    let mut output = PutObjectOutput {
        e_tag: Some(strong(put.object.etag())),
        expiration: super::lifecycle::expiration(operations, asked, &place, &put.object),
        version_id: told_version(&place, &put.object),
        ..PutObjectOutput::default()
    };
    told_sealing!(output, asked);
    let checksum = put.object.facts.as_ref().and_then(|facts| facts.checksum.as_ref());
    with_checksum!(output, checksum);
    output.checksum_type = checksum.map(super::checksums::kind);
    Ok(S3Response::new(output))
}

/// Refuses at once what is too long, rather than after all of it has come.
pub(super) fn check_length(operations: &Operations, announced: Option<i64>) -> S3Result<()> {
    let announced = announced.and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
    if announced > operations.object_bytes_max {
        let message = "Your proposed upload exceeds the maximum allowed size";
        return Err(error(S3ErrorCode::EntityTooLarge, message));
    }
    Ok(())
}

/// What must be at a key for a write, by the conditions of its request.
pub(super) async fn expected_at(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    matches: Option<&ETagCondition>,
    none_match: Option<&ETagCondition>,
) -> S3Result<Expect> {
    let found = if depends_on_content(matches) {
        match operations.tree.at(&asked.caller, place.path(), Want::File).await {
            Ok(object) => Some(object),
            Err(TreeError::NotFound) => None,
            Err(error) => return Err(asked.told(error)),
        }
    } else {
        None
    };
    expected(matches, none_match, found.as_ref())
}

/// Stores a body at a key. Its digests are those that were computed while it passed.
pub(crate) async fn store<S>(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    expect: Expect,
    facts: Facts,
    body: S,
) -> S3Result<Put>
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send,
{
    store_in(operations, asked, place, (expect, Manner::Usual), facts, body).await
}

async fn store_in<S>(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    (expect, manner): (Expect, Manner),
    facts: Facts,
    body: S,
) -> S3Result<Put>
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send,
{
    let put = PutAt {
        size_max: operations.object_bytes_max,
        content_created_at: None,
        content_modified_at: None,
        expected_sha1: None,
        folders: Folders::Imply,
        rule: NameRule::Exact,
        expect,
        versioning: Versioning::ByBucket,
        finish: finish(asked, remembered(facts, place)),
    };
    let key = asked.keys.target();
    let stored = operations.tree.in_manner(manner).put_at_with_key(&asked.caller, place.path(), put, key, body).await;
    stored.map_err(asked.told_about(About::Bucket))
}

/// Stores the file of a form; its entity tag.
pub(crate) async fn store_form<S>(
    operations: &Operations,
    asked: &Asked,
    (bucket, key): (&str, &str),
    (mut facts, headers): (Facts, &HeaderMap),
    body: S,
) -> S3Result<String>
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send,
{
    let place = operations.place(asked, bucket, key).await?;
    facts.acl = of_new_object(operations, asked, &place, headers).await?;
    let how = (Expect::Anything, Manner::Form);
    Ok(store_in(operations, asked, &place, how, facts, body).await?.object.etag())
}

/// What is known of a body once it has passed.
pub(super) fn finish(asked: &Asked, mut facts: Facts) -> Finish {
    let received = Arc::clone(&asked.received);
    Box::new(move || {
        // The body ends well only after its digests have been set.
        let found = received.digests().ok_or_else(|| TreeError::Internal("a body without digests".into()))?;
        remember(&mut facts, found);
        Ok(Finished { md5: found.md5, facts })
    })
}
