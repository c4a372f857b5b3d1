//! Whose the objects of a bucket are, and whether grants count in it.

use super::Operations;
use crate::asked::Asked;
use crate::error::{About, custom, error};
use entente_tree::Error as TreeError;
use entente_tree::rules::Ownership;
use http::StatusCode;
use s3s::dto::{
    DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput, GetBucketOwnershipControlsInput,
    GetBucketOwnershipControlsOutput, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

/// Why it cannot be that no grants count.
const HAS_GRANTS: &str = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";

pub(super) async fn show(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
    let sharing = operations.sharing(asked, &request.input.bucket).await?;
    let ownership = sharing.ownership.ok_or_else(|| {
        let message = "The bucket ownership controls were not found";
        custom("OwnershipControlsNotFoundError", StatusCode::NOT_FOUND, message)
    })?;
    let object_ownership = ObjectOwnership::from_static(match ownership {
        Ownership::Enforced => ObjectOwnership::BUCKET_OWNER_ENFORCED,
        Ownership::Preferred => ObjectOwnership::BUCKET_OWNER_PREFERRED,
        Ownership::Writer => ObjectOwnership::OBJECT_WRITER,
    });
    let ownership_controls = Some(OwnershipControls { rules: vec![OwnershipControlsRule { object_ownership }] });
    Ok(S3Response::new(GetBucketOwnershipControlsOutput { ownership_controls }))
}

pub(super) async fn set(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
    let input = request.input;
    let ownership = match input.ownership_controls.rules.as_slice() {
        [rule] => named(&rule.object_ownership),
        _ => None,
    };
    let malformed = || {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        error(S3ErrorCode::MalformedXML, message)
    };
    keep(operations, asked, &input.bucket, Some(ownership.ok_or_else(malformed)?)).await?;
    Ok(S3Response::new(PutBucketOwnershipControlsOutput::default()))
}

pub(super) async fn remove(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketOwnershipControlsInput>,
) -> S3Result<S3Response<DeleteBucketOwnershipControlsOutput>> {
    keep(operations, asked, &request.input.bucket, None).await?;
    Ok(S3Response::new(DeleteBucketOwnershipControlsOutput::default()))
}

/// An ownership by its name in S3.
pub(super) fn named(name: &ObjectOwnership) -> Option<Ownership> {
    match name.as_str() {
        ObjectOwnership::BUCKET_OWNER_ENFORCED => Some(Ownership::Enforced),
        ObjectOwnership::BUCKET_OWNER_PREFERRED => Some(Ownership::Preferred),
        ObjectOwnership::OBJECT_WRITER => Some(Ownership::Writer),
        _ => None,
    }
}

async fn keep(operations: &Operations, asked: &Asked, bucket: &str, ownership: Option<Ownership>) -> S3Result<()> {
    let changed = operations.tree.change_sharing(&asked.caller, bucket, move |sharing| {
        if ownership == Some(Ownership::Enforced) && sharing.acl.as_ref().is_some_and(super::acl::gives_others) {
            return Err(TreeError::Invalid(HAS_GRANTS));
        }
        sharing.ownership = ownership;
        Ok(())
    });
    match changed.await {
        Ok(_) => Ok(()),
        Err(TreeError::Invalid(HAS_GRANTS)) => {
            Err(custom("InvalidBucketAclWithObjectOwnership", StatusCode::BAD_REQUEST, HAS_GRANTS))
        }
        Err(error) => Err(asked.told_about(About::Bucket)(error)),
    }
}
