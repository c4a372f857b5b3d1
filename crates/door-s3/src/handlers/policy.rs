//! Policies: who else may use a bucket, in S3's words. The text is given back as it came; what it says, the tree enforces.

use super::Operations;
use crate::asked::Asked;
use crate::error::{About, error};
use crate::gate::denied;
use crate::policy::rules_of;
use entente_tree::Error as TreeError;
use s3s::dto::{
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput, PolicyStatus, PutBucketPolicyInput, PutBucketPolicyOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

fn missing() -> S3Error {
    error(S3ErrorCode::NoSuchBucketPolicy, "The bucket policy does not exist")
}

pub(super) async fn show(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    let sharing = operations.sharing(asked, &request.input.bucket).await?;
    let policy = sharing.text.ok_or_else(missing)?;
    Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy) }))
}

pub(super) async fn set(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketPolicyInput>,
) -> S3Result<S3Response<PutBucketPolicyOutput>> {
    let PutBucketPolicyInput { bucket, policy: text, .. } = request.input;
    let malformed = |message: String| S3Error::with_message(S3ErrorCode::MalformedPolicy, message);
    let rules = rules_of(&text, &bucket).map_err(malformed)?;
    let changed = operations.tree.change_sharing(&asked.caller, &bucket, move |sharing| {
        sharing.rules.clone_from(&rules);
        sharing.text = Some(text.clone());
        let is_blocked = sharing.blocked().block_public_policy && sharing.is_public();
        if is_blocked { Err(TreeError::Forbidden) } else { Ok(()) }
    });
    match changed.await {
        Ok(_) => Ok(S3Response::new(PutBucketPolicyOutput::default())),
        Err(TreeError::Forbidden) => Err(denied()),
        Err(TreeError::Invalid(why)) => Err(malformed(why.to_owned())),
        Err(error) => Err(asked.told_about(About::Bucket)(error)),
    }
}

pub(super) async fn remove(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketPolicyInput>,
) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
    let changed = operations.tree.change_sharing(&asked.caller, &request.input.bucket, |sharing| {
        sharing.rules.clear();
        sharing.text = None;
        Ok(())
    });
    changed.await.map_err(asked.told_about(About::Bucket))?;
    Ok(S3Response::new(DeleteBucketPolicyOutput::default()))
}

pub(super) async fn status(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketPolicyStatusInput>,
) -> S3Result<S3Response<GetBucketPolicyStatusOutput>> {
    let sharing = operations.sharing(asked, &request.input.bucket).await?;
    if sharing.text.is_none() {
        return Err(missing());
    }
    let policy_status = Some(PolicyStatus { is_public: Some(sharing.is_public()) });
    Ok(S3Response::new(GetBucketPolicyStatusOutput { policy_status }))
}
