//! Settings of buckets. What is kept here is either enforced, or says what is always so; what would be neither is not
//! served.

use super::Operations;
use super::facts::{TagsOf, tags_of_document, tags_to_document};
use crate::asked::Asked;
use crate::cors::Rules;
use crate::error::{About, error, not_served};
use s3s::dto::{
    DeleteBucketCorsInput, DeleteBucketCorsOutput, DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput,
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, GetBucketAccelerateConfigurationInput,
    GetBucketAccelerateConfigurationOutput, GetBucketCorsInput, GetBucketCorsOutput, GetBucketEncryptionInput,
    GetBucketEncryptionOutput, GetBucketLoggingInput, GetBucketLoggingOutput, GetBucketReplicationInput,
    GetBucketReplicationOutput, GetBucketRequestPaymentInput, GetBucketRequestPaymentOutput, GetBucketTaggingInput,
    GetBucketTaggingOutput, GetBucketWebsiteInput, GetBucketWebsiteOutput, Payer, PutBucketCorsInput,
    PutBucketCorsOutput, PutBucketEncryptionInput, PutBucketEncryptionOutput, PutBucketTaggingInput,
    PutBucketTaggingOutput, ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Rules by which browsers of other sites may ask, as [`Rules`].
pub(crate) const CORS_SETTING: &str = "cors";
/// Tags, as pairs of texts.
const TAGGING_SETTING: &str = "tagging";

impl Operations {
    pub(super) async fn setting<T: DeserializeOwned>(
        &self,
        asked: &Asked,
        bucket: &str,
        kind: &str,
    ) -> S3Result<Option<T>> {
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
