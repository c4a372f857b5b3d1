//! Buckets themselves.

use super::Operations;
use super::acl::{gives_others, of_new_bucket};
use super::facts::refuse_what_is_not_served;
use super::shown::{modified, owner};
use crate::asked::Asked;
use crate::error::{About, custom, error};
use crate::gate::denied;
use entente_model::ItemId;
use entente_tree::Error as TreeError;
use entente_tree::acl::Acl;
use entente_tree::rules::Ownership;
use http::StatusCode;
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
    let retains = input.object_lock_enabled_for_bucket == Some(true);
    let ownership = sharing_of(input.object_ownership.as_ref())?;
    let acl = of_new_bucket(&headers, ItemId::new(0), asked.caller.user)?.filter(gives_others);
    if acl.is_some() && ownership == Ownership::Enforced {
        let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(custom("InvalidBucketAclWithObjectOwnership", StatusCode::BAD_REQUEST, message));
    }
    // A new bucket lets nothing be public.
    if acl.as_ref().is_some_and(Acl::is_public) {
        return Err(denied());
    }
    asked.may_reach(&input.bucket)?;
    let (tree, caller) = (&operations.tree, &asked.caller);
    let created = if retains {
        tree.create_retaining_bucket(caller, &input.bucket).await
    } else {
        tree.create_bucket(caller, &input.bucket).await
    };
    match created {
        Ok(bucket) if ownership != Ownership::Enforced => {
            let changed = operations.tree.change_sharing(&asked.caller, &input.bucket, move |sharing| {
                sharing.ownership = Some(ownership);
                sharing.acl = acl.clone().map(|acl| Acl { bucket: bucket.item, ..acl });
                Ok(())
            });
            changed.await.map_err(asked.told_about(About::Bucket))?;
        }
        Ok(_) => {}
        Err(TreeError::BucketYours) => {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(error(S3ErrorCode::BucketAlreadyOwnedByYou, message));
        }
        Err(error) => return Err(asked.told_about(About::Bucket)(error)),
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(["/", &input.bucket].concat()) }))
}

/// Whose the objects of a new bucket are.
fn sharing_of(name: Option<&ObjectOwnership>) -> S3Result<Ownership> {
    let Some(name) = name else { return Ok(Ownership::Enforced) };
    let invalid = || error(S3ErrorCode::InvalidArgument, "Invalid x-amz-object-ownership header");
    super::ownership::named(name).ok_or_else(invalid)
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
