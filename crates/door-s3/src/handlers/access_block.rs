//! What of a bucket shall not be public, whatever else is said. All of it, as long as nobody says otherwise.

use super::Operations;
use crate::asked::Asked;
use crate::error::{About, custom};
use entente_tree::rules::PublicBlock;
use http::StatusCode;
use s3s::dto::{
    DeletePublicAccessBlockInput, DeletePublicAccessBlockOutput, GetPublicAccessBlockInput, GetPublicAccessBlockOutput,
    PublicAccessBlockConfiguration, PutPublicAccessBlockInput, PutPublicAccessBlockOutput,
};
use s3s::{S3Request, S3Response, S3Result};

pub(super) async fn show(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
    let block = operations.sharing(asked, &request.input.bucket).await?.block.ok_or_else(|| {
        let message = "The public access block configuration was not found";
        custom("NoSuchPublicAccessBlockConfiguration", StatusCode::NOT_FOUND, message)
    })?;
    let configuration = PublicAccessBlockConfiguration {
        block_public_acls: Some(block.block_public_acls),
        ignore_public_acls: Some(block.ignore_public_acls),
        block_public_policy: Some(block.block_public_policy),
        restrict_public_buckets: Some(block.restrict_public_buckets),
    };
    Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration: Some(configuration) }))
}

pub(super) async fn set(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
    let input = request.input;
    let wanted = input.public_access_block_configuration;
    let block = PublicBlock {
        block_public_acls: wanted.block_public_acls.unwrap_or(false),
        ignore_public_acls: wanted.ignore_public_acls.unwrap_or(false),
        block_public_policy: wanted.block_public_policy.unwrap_or(false),
        restrict_public_buckets: wanted.restrict_public_buckets.unwrap_or(false),
    };
    keep(operations, asked, &input.bucket, Some(block)).await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput::default()))
}

pub(super) async fn remove(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> S3Result<S3Response<DeletePublicAccessBlockOutput>> {
    keep(operations, asked, &request.input.bucket, None).await?;
    Ok(S3Response::new(DeletePublicAccessBlockOutput::default()))
}

async fn keep(operations: &Operations, asked: &Asked, bucket: &str, block: Option<PublicBlock>) -> S3Result<()> {
    let changed = operations.tree.change_sharing(&asked.caller, bucket, move |sharing| {
        sharing.block = block;
        Ok(())
    });
    changed.await.map(|_| ()).map_err(asked.told_about(About::Bucket))
}
