//! Settings of buckets. What is kept here is either enforced, or says what is always so; what would be neither is not
//! served.

use super::Operations;
use super::facts::{TagsOf, no_acl, tags_of_document, tags_to_document};
use super::shown::owner;
use crate::asked::Asked;
use crate::cors::Rules;
use crate::error::{About, custom, error, not_served};
use entente_model::UserId;
use http::StatusCode;
use s3s::dto::{
    AccessControlPolicy, DeleteBucketCorsInput, DeleteBucketCorsOutput, DeleteBucketEncryptionInput,
    DeleteBucketEncryptionOutput, DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput,
    DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput, DeleteBucketPolicyInput,
    DeleteBucketPolicyOutput, DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeletePublicAccessBlockInput,
    DeletePublicAccessBlockOutput, GetBucketAccelerateConfigurationInput, GetBucketAccelerateConfigurationOutput,
    GetBucketAclInput, GetBucketAclOutput, GetBucketCorsInput, GetBucketCorsOutput, GetBucketEncryptionInput,
    GetBucketEncryptionOutput, GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput,
    GetBucketLoggingInput, GetBucketLoggingOutput, GetBucketNotificationConfigurationInput,
    GetBucketNotificationConfigurationOutput, GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput,
    GetBucketPolicyInput, GetBucketPolicyOutput, GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput,
    GetBucketReplicationInput, GetBucketReplicationOutput, GetBucketRequestPaymentInput, GetBucketRequestPaymentOutput,
    GetBucketTaggingInput, GetBucketTaggingOutput, GetBucketWebsiteInput, GetBucketWebsiteOutput, GetObjectAclInput,
    GetObjectAclOutput, GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput, GetPublicAccessBlockInput,
    GetPublicAccessBlockOutput, Grant, Grantee, ObjectOwnership, OwnershipControls, OwnershipControlsRule, Payer,
    Permission, PolicyStatus, PublicAccessBlockConfiguration, PutBucketAclInput, PutBucketAclOutput,
    PutBucketCorsInput, PutBucketCorsOutput, PutBucketEncryptionInput, PutBucketEncryptionOutput,
    PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput, PutBucketTaggingInput, PutBucketTaggingOutput,
    PutObjectAclInput, PutObjectAclOutput, PutPublicAccessBlockInput, PutPublicAccessBlockOutput, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Type,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Rules by which browsers of other sites may ask, as [`Rules`].
pub(crate) const CORS_SETTING: &str = "cors";
/// Tags, as pairs of texts.
const TAGGING_SETTING: &str = "tagging";
/// As [`Block`].
const PUBLIC_ACCESS_BLOCK_SETTING: &str = "public access block";

impl Operations {
    async fn setting<T: DeserializeOwned>(&self, asked: &Asked, bucket: &str, kind: &str) -> S3Result<Option<T>> {
        asked.may_reach(bucket)?;
        let text = self.tree.bucket_setting(&asked.caller, bucket, kind).await;
        let Some(text) = text.map_err(asked.told_about(About::Bucket))? else { return Ok(None) };
        let damaged = |error: serde_json::Error| {
            asked.told(entente_tree::Error::Damaged(format!("a bucket's setting {kind}: {error}").into()))
        };
        serde_json::from_str(&text).map(Some).map_err(damaged)
    }

    async fn set_setting<T: Serialize>(
        &self,
        asked: &Asked,
        bucket: &str,
        kind: &'static str,
        value: &T,
    ) -> S3Result<()> {
        asked.may_reach(bucket)?;
        let text = serde_json::to_string(value);
        let text = text.map_err(|error| asked.told(entente_tree::Error::Internal(error.into())))?;
        let set = self.tree.set_bucket_setting(&asked.caller, bucket, kind, text).await;
        set.map_err(asked.told_about(About::Bucket))
    }

    async fn remove_setting(&self, asked: &Asked, bucket: &str, kind: &'static str) -> S3Result<()> {
        asked.may_reach(bucket)?;
        let removed = self.tree.remove_bucket_setting(&asked.caller, bucket, kind).await;
        removed.map_err(asked.told_about(About::Bucket))
    }
}

pub(super) async fn cors(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketCorsInput>,
) -> S3Result<S3Response<GetBucketCorsOutput>> {
    let rules: Option<Rules> = operations.setting(asked, &request.input.bucket, CORS_SETTING).await?;
    let rules =
        rules.ok_or_else(|| error(S3ErrorCode::NoSuchCORSConfiguration, "The CORS configuration does not exist"))?;
    Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(rules.into_document()) }))
}

pub(super) async fn set_cors(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketCorsInput>,
) -> S3Result<S3Response<PutBucketCorsOutput>> {
    let input = request.input;
    let rules = Rules::of_document(input.cors_configuration.cors_rules)?;
    operations.set_setting(asked, &input.bucket, CORS_SETTING, &rules).await?;
    Ok(S3Response::new(PutBucketCorsOutput::default()))
}

pub(super) async fn remove_cors(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketCorsInput>,
) -> S3Result<S3Response<DeleteBucketCorsOutput>> {
    operations.remove_setting(asked, &request.input.bucket, CORS_SETTING).await?;
    Ok(S3Response::new(DeleteBucketCorsOutput::default()))
}

pub(super) async fn tagging(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let tags: Option<Vec<(String, String)>> = operations.setting(asked, &request.input.bucket, TAGGING_SETTING).await?;
    let tags = tags.ok_or_else(|| error(S3ErrorCode::NoSuchTagSet, "The TagSet does not exist"))?;
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: tags_to_document(tags) }))
}

pub(super) async fn set_tagging(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let input = request.input;
    let tags = tags_of_document(input.tagging.tag_set, TagsOf::Bucket)?;
    operations.set_setting(asked, &input.bucket, TAGGING_SETTING, &tags).await?;
    Ok(S3Response::new(PutBucketTaggingOutput::default()))
}

pub(super) async fn remove_tagging(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    operations.remove_setting(asked, &request.input.bucket, TAGGING_SETTING).await?;
    Ok(S3Response::new(DeleteBucketTaggingOutput::default()))
}

/// What shall not be public. Nothing ever is, so each of these holds whatever it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Block {
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

pub(super) async fn public_access_block(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
    let block: Option<Block> = operations.setting(asked, &request.input.bucket, PUBLIC_ACCESS_BLOCK_SETTING).await?;
    let block = block.ok_or_else(|| {
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

pub(super) async fn set_public_access_block(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
    let input = request.input;
    let wanted = input.public_access_block_configuration;
    let block = Block {
        block_public_acls: wanted.block_public_acls.unwrap_or(false),
        ignore_public_acls: wanted.ignore_public_acls.unwrap_or(false),
        block_public_policy: wanted.block_public_policy.unwrap_or(false),
        restrict_public_buckets: wanted.restrict_public_buckets.unwrap_or(false),
    };
    operations.set_setting(asked, &input.bucket, PUBLIC_ACCESS_BLOCK_SETTING, &block).await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput::default()))
}

pub(super) async fn remove_public_access_block(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> S3Result<S3Response<DeletePublicAccessBlockOutput>> {
    operations.remove_setting(asked, &request.input.bucket, PUBLIC_ACCESS_BLOCK_SETTING).await?;
    Ok(S3Response::new(DeletePublicAccessBlockOutput::default()))
}

/// Everything in a bucket is its owner's, and no ACL counts.
pub(super) async fn ownership(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    let rule = OwnershipControlsRule {
        object_ownership: ObjectOwnership::from_static(ObjectOwnership::BUCKET_OWNER_ENFORCED),
    };
    let ownership_controls = Some(OwnershipControls { rules: vec![rule] });
    Ok(S3Response::new(GetBucketOwnershipControlsOutput { ownership_controls }))
}

pub(super) async fn set_ownership(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
    let input = request.input;
    operations.bucket(asked, &input.bucket).await?;
    let is_ours =
        |rule: &OwnershipControlsRule| rule.object_ownership.as_str() == ObjectOwnership::BUCKET_OWNER_ENFORCED;
    if !input.ownership_controls.rules.iter().all(is_ours) {
        return Err(not_served("The only ownership is BucketOwnerEnforced"));
    }
    Ok(S3Response::new(PutBucketOwnershipControlsOutput::default()))
}

/// What is left then is the same.
pub(super) async fn remove_ownership(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketOwnershipControlsInput>,
) -> S3Result<S3Response<DeleteBucketOwnershipControlsOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketOwnershipControlsOutput::default()))
}

/// Everything is sealed with AES-256, and never anything else.
pub(super) async fn encryption(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    let default = ServerSideEncryptionByDefault {
        kms_master_key_id: None,
        sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
    };
    let rule = ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(default),
        bucket_key_enabled: Some(false),
    };
    let server_side_encryption_configuration = Some(ServerSideEncryptionConfiguration { rules: vec![rule] });
    Ok(S3Response::new(GetBucketEncryptionOutput { server_side_encryption_configuration }))
}

pub(super) async fn set_encryption(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketEncryptionInput>,
) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
    let input = request.input;
    operations.bucket(asked, &input.bucket).await?;
    let is_ours = |rule: &ServerSideEncryptionRule| {
        let default = rule.apply_server_side_encryption_by_default.as_ref();
        default.is_none_or(|default| default.sse_algorithm.as_str() == ServerSideEncryption::AES256)
    };
    if !input.server_side_encryption_configuration.rules.iter().all(is_ours) {
        return Err(not_served("The only encryption is AES256, and everything has it"));
    }
    Ok(S3Response::new(PutBucketEncryptionOutput::default()))
}

pub(super) async fn remove_encryption(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> S3Result<S3Response<DeleteBucketEncryptionOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketEncryptionOutput::default()))
}

/// The owner may do everything, and nobody else anything.
fn grants(user: UserId) -> Vec<Grant> {
    let user = owner(user);
    let grantee = Grantee {
        display_name: user.display_name,
        id: user.id,
        email_address: None,
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    vec![Grant { grantee: Some(grantee), permission: Some(Permission::from_static(Permission::FULL_CONTROL)) }]
}

pub(super) async fn bucket_acl(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketAclInput>,
) -> S3Result<S3Response<GetBucketAclOutput>> {
    let bucket = operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketAclOutput { grants: Some(grants(bucket.owner)), owner: Some(owner(bucket.owner)) }))
}

pub(super) async fn set_bucket_acl(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketAclInput>,
) -> S3Result<S3Response<PutBucketAclOutput>> {
    let S3Request { input, headers, .. } = request;
    super::facts::refuse_what_is_not_served(&headers)?;
    let bucket = operations.bucket(asked, &input.bucket).await?;
    check_acl(input.access_control_policy.as_ref(), bucket.owner)?;
    Ok(S3Response::new(PutBucketAclOutput::default()))
}

pub(super) async fn object_acl(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<S3Response<GetObjectAclOutput>> {
    let input = request.input;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let version = super::shown::wanted(input.version_id.as_deref())?;
    let object = operations.tree.version_at(&asked.caller, place.path(), version).await;
    let user = object.map_err(asked.told_about(About::Key))?.view.owner.id;
    Ok(S3Response::new(GetObjectAclOutput {
        grants: Some(grants(user)),
        owner: Some(owner(user)),
        ..GetObjectAclOutput::default()
    }))
}

pub(super) async fn set_object_acl(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutObjectAclInput>,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    let S3Request { input, headers, .. } = request;
    super::facts::refuse_what_is_not_served(&headers)?;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let version = super::shown::wanted(input.version_id.as_deref())?;
    let object = operations.tree.version_at(&asked.caller, place.path(), version).await;
    let user = object.map_err(asked.told_about(About::Key))?.view.owner.id;
    check_acl(input.access_control_policy.as_ref(), user)?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}

/// An ACL may say what is so, and nothing else.
fn check_acl(wanted: Option<&AccessControlPolicy>, user: UserId) -> S3Result<()> {
    let Some(wanted) = wanted.and_then(|wanted| wanted.grants.as_ref()) else { return Ok(()) };
    let id = user.to_string();
    let is_so = |grant: &Grant| {
        let is_owner = grant.grantee.as_ref().is_some_and(|grantee| grantee.id.as_ref() == Some(&id));
        let is_all = |permission: &Permission| permission.as_str() == Permission::FULL_CONTROL;
        is_owner && grant.permission.as_ref().is_some_and(is_all)
    };
    if wanted.iter().all(is_so) { Ok(()) } else { Err(no_acl()) }
}

pub(super) async fn policy(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Err(error(S3ErrorCode::NoSuchBucketPolicy, "The bucket policy does not exist"))
}

pub(super) async fn remove_policy(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketPolicyInput>,
) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketPolicyOutput::default()))
}

pub(super) async fn policy_status(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketPolicyStatusInput>,
) -> S3Result<S3Response<GetBucketPolicyStatusOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    let policy_status = Some(PolicyStatus { is_public: Some(false) });
    Ok(S3Response::new(GetBucketPolicyStatusOutput { policy_status }))
}

pub(super) async fn lifecycle(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    let message = "The lifecycle configuration does not exist";
    Err(error(S3ErrorCode::NoSuchLifecycleConfiguration, message))
}

pub(super) async fn remove_lifecycle(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<S3Response<DeleteBucketLifecycleOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketLifecycleOutput::default()))
}

pub(super) async fn notifications(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketNotificationConfigurationOutput::default()))
}

pub(super) async fn object_lock(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    let message = "Object Lock configuration does not exist for this bucket";
    Err(error(S3ErrorCode::ObjectLockConfigurationNotFoundError, message))
}

pub(super) async fn request_payment(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketRequestPaymentInput>,
) -> S3Result<S3Response<GetBucketRequestPaymentOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    let payer = Some(Payer::from_static(Payer::BUCKET_OWNER));
    Ok(S3Response::new(GetBucketRequestPaymentOutput { payer }))
}

pub(super) async fn logging(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketLoggingInput>,
) -> S3Result<S3Response<GetBucketLoggingOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketLoggingOutput::default()))
}

pub(super) async fn website(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketWebsiteInput>,
) -> S3Result<S3Response<GetBucketWebsiteOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    let message = "The specified bucket does not have a website configuration";
    Err(error(S3ErrorCode::NoSuchWebsiteConfiguration, message))
}

pub(super) async fn replication(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketReplicationInput>,
) -> S3Result<S3Response<GetBucketReplicationOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    let message = "The replication configuration was not found";
    Err(error(S3ErrorCode::ReplicationConfigurationNotFoundError, message))
}

pub(super) async fn acceleration(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketAccelerateConfigurationInput>,
) -> S3Result<S3Response<GetBucketAccelerateConfigurationOutput>> {
    operations.bucket(asked, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketAccelerateConfigurationOutput::default()))
}
