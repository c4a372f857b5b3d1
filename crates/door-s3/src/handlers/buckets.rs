//! Buckets themselves.

use super::Operations;
use super::facts::{no_acl, refuse_what_is_not_served};
use super::shown::{modified, owner};
use crate::asked::Asked;
use crate::error::{About, error, not_served};
use entente_tree::Error as TreeError;
use s3s::dto::{
    Bucket as ListedBucket, CreateBucketInput, CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput,
    GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput, ObjectOwnership,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

/// Buckets of a page.
const PAGE_MAX: usize = 10_000;

pub(super) async fn list(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let input = request.input;
    let limit = match input.max_buckets {
        None => PAGE_MAX,
        Some(limit) => match usize::try_from(limit) {
            Ok(limit @ 1..=PAGE_MAX) => limit,
            _ => return Err(error(S3ErrorCode::InvalidArgument, "max-buckets must be between 1 and 10000")),
        },
    };
    let prefix = input.prefix.unwrap_or_default();
    let after = input.continuation_token.unwrap_or_default();
    let buckets = operations.tree.buckets(&asked.caller).await.map_err(asked.told_about(About::Bucket))?;
    let mut found = buckets.into_iter().filter(|bucket| {
        let name = bucket.name.as_str();
        asked.reach.includes(name) && name.starts_with(&prefix) && (after.is_empty() || name > after.as_str())
    });
    let page: Vec<_> = found
        .by_ref()
        .take(limit)
        .map(|bucket| ListedBucket {
            creation_date: Some(modified(bucket.created_at)),
            name: Some(bucket.name),
            ..ListedBucket::default()
        })
        .collect();
    let continuation_token = match (found.next(), page.last()) {
        (Some(_), Some(last)) => last.name.clone(),
        _ => None,
    };
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(page),
        owner: Some(owner(asked.caller.user)),
        prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
        continuation_token,
    }))
}

pub(super) async fn create(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let S3Request { input, headers, .. } = request;
    refuse_what_is_not_served(&headers)?;
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(not_served("Object lock is not served"));
    }
    if input.object_ownership.is_some_and(|kind| kind.as_str() != ObjectOwnership::BUCKET_OWNER_ENFORCED) {
        return Err(no_acl());
    }
    asked.may_reach(&input.bucket)?;
    match operations.tree.create_bucket(&asked.caller, &input.bucket).await {
        Ok(_) => {}
        Err(TreeError::BucketYours) => {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(error(S3ErrorCode::BucketAlreadyOwnedByYou, message));
        }
        Err(error) => return Err(asked.told_about(About::Bucket)(error)),
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(["/", &input.bucket].concat()) }))
}

pub(super) async fn head(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(HeadBucketOutput::default()))
}

/// The root of somebody's tree is in no region: clients take that for the one they know.
pub(super) async fn location(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketLocationOutput::default()))
}

pub(super) async fn delete(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let bucket = operations.bucket(asked, &request.input.bucket).await?;
    let deleted = operations.tree.delete_bucket(&asked.caller, &bucket.name).await;
    deleted.map_err(asked.told_about(About::Bucket))?;
    Ok(S3Response::new(DeleteBucketOutput::default()))
}
