//! Decode, ask the tree, encode: one module for each kind of thing. This is the table of what is served; what is not
//! named here is answered with `NotImplemented`.

mod access_block;
pub(crate) mod acl;
mod attributes;
mod buckets;
mod checksums;
mod conditions;
mod copies;
mod customer_key;
mod deletes;
mod facts;
mod lifecycle;
mod listing;
mod multipart;
mod notifications;
mod object_lock;
mod objects;
mod ownership;
mod parts;
mod policy;
mod retention;
mod settings;
mod shown;
mod tagging;
mod uploads;
mod versions;

pub(crate) use facts::{facts_of_form, headers_of_form};
pub(crate) use settings::CORS_SETTING;
pub(crate) use shown::{modified, wanted};
pub(crate) use uploads::store_form;

use crate::asked::Asked;
use crate::error::{About, of_name, of_tree};
use crate::gate::{self, Said, TagsSaid, Wanted};
use entente_door_kit::origin::Origin;
use entente_model::{ItemName, NameError};
use entente_tree::rules::Deed;
use entente_tree::{Bucket, BucketVersioning, Error as TreeError, Path, Tree};
use s3s::dto;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::sync::Arc;

/// The longest key.
const KEY_BYTES_MAX: usize = 1_024;

/// The operations, and what they need.
pub(crate) struct Operations {
    pub(crate) tree: Tree,
    pub(crate) object_bytes_max: u64,
    /// The names of those who may be told of changes.
    pub(crate) targets: Vec<String>,
    /// From where requests come, and how.
    pub(crate) origin: Origin,
}

/// What `s3s` is given of them.
pub(crate) struct Shared(pub(crate) Arc<Operations>);

/// A key of a bucket, found where the tree has it.
pub(crate) struct Place {
    pub(crate) bucket: Bucket,
    pub(crate) names: Vec<ItemName>,
}

impl Place {
    pub(crate) fn path(&self) -> Path<'_> {
        Path { base: self.bucket.item, names: &self.names }
    }

    /// Whether clients are told of versions.
    pub(crate) fn tells_versions(&self) -> bool {
        self.bucket.versioning != BucketVersioning::Never
    }
}

impl Operations {
    /// The bucket that the request has come into. There is no other way to one.
    #[expect(clippy::unused_async, reason = "handlers wait for it as for whatever they look up")]
    pub(crate) async fn bucket(&self, asked: &Asked, name: &str) -> S3Result<Bucket> {
        let entered = asked.entered.as_ref().filter(|entered| entered.bucket.name == name);
        // The gate is passed with the name that the handler uses.
        entered.map(|entered| entered.bucket.clone()).ok_or_else(|| S3Error::new(S3ErrorCode::InternalError))
    }

    /// A key of such a bucket, whether there is anything.
    pub(crate) async fn place(&self, asked: &Asked, bucket: &str, key: &str) -> S3Result<Place> {
        let names = names(key)?;
        Ok(Place { bucket: self.bucket(asked, bucket).await?, names })
    }
}

impl Asked {
    /// What the tree says, about a key.
    pub(crate) fn told(&self, error: TreeError) -> S3Error {
        of_tree(error, About::Key, self.arrival.request_id)
    }

    pub(crate) fn told_about(&self, about: About) -> impl Fn(TreeError) -> S3Error + '_ {
        move |error| of_tree(error, about, self.arrival.request_id)
    }
}

/// The names of a key, cut at each `/`: `a//b` has an empty one, and so has `a/`. `KeyTooLongError` over 1,024 bytes.
pub(crate) fn names(key: &str) -> S3Result<Vec<ItemName>> {
    if key.len() > KEY_BYTES_MAX {
        return Err(of_name(NameError::TooLong));
    }
    key.split('/').map(|text| ItemName::new(text).map_err(of_name)).collect()
}

/// What an operation needs before it does anything, as its row says: `somebody` for what is a user's own, `bucket` or `key`
/// with the deed that is done to it, `version` with that and the deed for a version that is named, `each` where the handler
/// asks for each key, and `itself` where it comes in and reads at one moment.
macro_rules! wanted {
    ($input:expr, somebody) => {
        Wanted::Somebody
    };
    ($input:expr, itself) => {
        Wanted::Itself
    };
    ($input:expr, each) => {
        Wanted::Each { bucket: &$input.bucket }
    };
    ($input:expr, bucket $deed:ident) => {
        Wanted::Deed { bucket: &$input.bucket, key: None, version: None, deed: Deed::$deed }
    };
    ($input:expr, key $deed:ident) => {
        Wanted::Deed { bucket: &$input.bucket, key: Some(&$input.key), version: None, deed: Deed::$deed }
    };
    ($input:expr, version $deed:ident $named:ident) => {
        Wanted::Deed {
            bucket: &$input.bucket,
            key: Some(&$input.key),
            version: $input.version_id.as_deref(),
            deed: if $input.version_id.is_some() { Deed::$named } else { Deed::$deed },
        }
    };
}

macro_rules! table {
    ($($operation:ident $input:ident $output:ident [$($needs:tt)*] => $module:ident::$function:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Shared {
            $(
                async fn $operation(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                    let asked = Asked::of(&request)?;
                    let said = Said { headers: &request.headers, uri: Some(&request.uri), tags: TagsSaid::ByHeader };
                    let asked = gate::admit(&self.0, asked, wanted!(request.input, $($needs)*), said).await?;
                    let outcome = $module::$function(&self.0, &asked, request).await;
                    outcome.map_err(|error| asked.seen(error))
                }
            )*
        }

        /// The names of the operations that are served.
        #[cfg(test)]
        pub(crate) const SERVED: &[&str] = &[$(stringify!($operation)),*];
    };
}

table! {
    list_buckets ListBucketsInput ListBucketsOutput [somebody] => buckets::list;
    create_bucket CreateBucketInput CreateBucketOutput [somebody] => buckets::create;
    head_bucket HeadBucketInput HeadBucketOutput [bucket ListKeys] => buckets::head;
    delete_bucket DeleteBucketInput DeleteBucketOutput [bucket RemoveBucket] => buckets::delete;
    get_bucket_location GetBucketLocationInput GetBucketLocationOutput [bucket SeeLocation] => buckets::location;
    get_bucket_versioning GetBucketVersioningInput GetBucketVersioningOutput [bucket ReadVersioning] => versions::versioning;
    put_bucket_versioning PutBucketVersioningInput PutBucketVersioningOutput [bucket WriteVersioning] => versions::set_versioning;

    list_objects ListObjectsInput ListObjectsOutput [bucket ListKeys] => listing::list;
    list_objects_v2 ListObjectsV2Input ListObjectsV2Output [bucket ListKeys] => listing::list_v2;
    list_object_versions ListObjectVersionsInput ListObjectVersionsOutput [bucket ListVersions] => versions::list;

    put_object PutObjectInput PutObjectOutput [key WriteObject] => uploads::put;
    get_object GetObjectInput GetObjectOutput [itself] => objects::get;
    head_object HeadObjectInput HeadObjectOutput [itself] => objects::head;
    copy_object CopyObjectInput CopyObjectOutput [key WriteObject] => copies::copy;
    delete_object DeleteObjectInput DeleteObjectOutput [version RemoveObject RemoveVersion] => deletes::delete;
    delete_objects DeleteObjectsInput DeleteObjectsOutput [each] => deletes::delete_many;
    get_object_attributes GetObjectAttributesInput GetObjectAttributesOutput [version ReadAttributes ReadVersionAttributes] => attributes::show;
    get_object_tagging GetObjectTaggingInput GetObjectTaggingOutput [version ReadTags ReadVersionTags] => tagging::show;
    put_object_tagging PutObjectTaggingInput PutObjectTaggingOutput [itself] => tagging::set;
    delete_object_tagging DeleteObjectTaggingInput DeleteObjectTaggingOutput [version RemoveTags RemoveVersionTags] => tagging::remove;
    get_object_acl GetObjectAclInput GetObjectAclOutput [version ReadAcl ReadVersionAcl] => acl::object;
    put_object_acl PutObjectAclInput PutObjectAclOutput [version WriteAcl WriteVersionAcl] => acl::set_object;

    create_multipart_upload CreateMultipartUploadInput CreateMultipartUploadOutput [key WriteObject] => multipart::create;
    upload_part UploadPartInput UploadPartOutput [key WriteObject] => parts::put;
    upload_part_copy UploadPartCopyInput UploadPartCopyOutput [key WriteObject] => parts::copy;
    list_parts ListPartsInput ListPartsOutput [key ListParts] => parts::list;
    list_multipart_uploads ListMultipartUploadsInput ListMultipartUploadsOutput [bucket ListUploads] => multipart::list;
    complete_multipart_upload CompleteMultipartUploadInput CompleteMultipartUploadOutput [key WriteObject] => multipart::complete;
    abort_multipart_upload AbortMultipartUploadInput AbortMultipartUploadOutput [key AbortUpload] => multipart::abort;

    get_bucket_cors GetBucketCorsInput GetBucketCorsOutput [bucket ReadCors] => settings::cors;
    put_bucket_cors PutBucketCorsInput PutBucketCorsOutput [bucket WriteCors] => settings::set_cors;
    delete_bucket_cors DeleteBucketCorsInput DeleteBucketCorsOutput [bucket WriteCors] => settings::remove_cors;
    get_bucket_tagging GetBucketTaggingInput GetBucketTaggingOutput [bucket ReadBucketTags] => settings::tagging;
    put_bucket_tagging PutBucketTaggingInput PutBucketTaggingOutput [bucket WriteBucketTags] => settings::set_tagging;
    delete_bucket_tagging DeleteBucketTaggingInput DeleteBucketTaggingOutput [bucket WriteBucketTags] => settings::remove_tagging;
    get_public_access_block GetPublicAccessBlockInput GetPublicAccessBlockOutput [bucket ReadPublicBlock] => access_block::show;
    put_public_access_block PutPublicAccessBlockInput PutPublicAccessBlockOutput [bucket WritePublicBlock] => access_block::set;
    delete_public_access_block DeletePublicAccessBlockInput DeletePublicAccessBlockOutput [bucket WritePublicBlock] => access_block::remove;
    get_bucket_ownership_controls GetBucketOwnershipControlsInput GetBucketOwnershipControlsOutput [bucket ReadOwnership] => ownership::show;
    put_bucket_ownership_controls PutBucketOwnershipControlsInput PutBucketOwnershipControlsOutput [bucket WriteOwnership] => ownership::set;
    delete_bucket_ownership_controls DeleteBucketOwnershipControlsInput DeleteBucketOwnershipControlsOutput [bucket WriteOwnership] => ownership::remove;
    get_bucket_encryption GetBucketEncryptionInput GetBucketEncryptionOutput [bucket ReadEncryption] => settings::encryption;
    put_bucket_encryption PutBucketEncryptionInput PutBucketEncryptionOutput [bucket WriteEncryption] => settings::set_encryption;
    delete_bucket_encryption DeleteBucketEncryptionInput DeleteBucketEncryptionOutput [bucket WriteEncryption] => settings::remove_encryption;
    get_bucket_acl GetBucketAclInput GetBucketAclOutput [bucket ReadBucketAcl] => acl::bucket;
    put_bucket_acl PutBucketAclInput PutBucketAclOutput [bucket WriteBucketAcl] => acl::set_bucket;
    get_bucket_policy GetBucketPolicyInput GetBucketPolicyOutput [bucket ReadPolicy] => policy::show;
    put_bucket_policy PutBucketPolicyInput PutBucketPolicyOutput [bucket WritePolicy] => policy::set;
    delete_bucket_policy DeleteBucketPolicyInput DeleteBucketPolicyOutput [bucket RemovePolicy] => policy::remove;
    get_bucket_policy_status GetBucketPolicyStatusInput GetBucketPolicyStatusOutput [bucket ReadPolicyStatus] => policy::status;
    get_bucket_lifecycle_configuration GetBucketLifecycleConfigurationInput GetBucketLifecycleConfigurationOutput [bucket ReadLifecycle] => lifecycle::show;
    put_bucket_lifecycle_configuration PutBucketLifecycleConfigurationInput PutBucketLifecycleConfigurationOutput [bucket WriteLifecycle] => lifecycle::set;
    delete_bucket_lifecycle DeleteBucketLifecycleInput DeleteBucketLifecycleOutput [bucket WriteLifecycle] => lifecycle::remove;
    get_bucket_notification_configuration GetBucketNotificationConfigurationInput GetBucketNotificationConfigurationOutput [bucket ReadNotifications] => notifications::show;
    put_bucket_notification_configuration PutBucketNotificationConfigurationInput PutBucketNotificationConfigurationOutput [bucket WriteNotifications] => notifications::set;
    get_object_lock_configuration GetObjectLockConfigurationInput GetObjectLockConfigurationOutput [bucket ReadObjectLock] => object_lock::show;
    put_object_lock_configuration PutObjectLockConfigurationInput PutObjectLockConfigurationOutput [bucket WriteObjectLock] => object_lock::set;
    get_object_retention GetObjectRetentionInput GetObjectRetentionOutput [version ReadRetention ReadRetention] => retention::show;
    put_object_retention PutObjectRetentionInput PutObjectRetentionOutput [version WriteRetention WriteRetention] => retention::set;
    get_object_legal_hold GetObjectLegalHoldInput GetObjectLegalHoldOutput [version ReadHold ReadHold] => retention::hold;
    put_object_legal_hold PutObjectLegalHoldInput PutObjectLegalHoldOutput [version WriteHold WriteHold] => retention::set_hold;
    get_bucket_request_payment GetBucketRequestPaymentInput GetBucketRequestPaymentOutput [bucket ReadRequestPayment] => settings::request_payment;
    get_bucket_logging GetBucketLoggingInput GetBucketLoggingOutput [bucket ReadLogging] => settings::logging;
    get_bucket_website GetBucketWebsiteInput GetBucketWebsiteOutput [bucket ReadWebsite] => settings::website;
    get_bucket_replication GetBucketReplicationInput GetBucketReplicationOutput [bucket ReadReplication] => settings::replication;
    get_bucket_accelerate_configuration GetBucketAccelerateConfigurationInput GetBucketAccelerateConfigurationOutput [bucket ReadAcceleration] => settings::acceleration;
}

#[cfg(test)]
mod tests {
    use super::{ItemName, SERVED, names};

    #[test]
    fn a_key_is_cut_at_each_slash() {
        for (key, parts) in [("a", vec!["a"]), ("a//b", vec!["a", "", "b"]), ("/", vec!["", ""]), ("..", vec![".."])] {
            let names = names(key).unwrap();
            assert_eq!(names.iter().map(ItemName::as_str).collect::<Vec<_>>(), parts, "{key}");
        }
        assert_eq!(names("a\0b").unwrap_err().code().as_str(), "InvalidArgument");
        let long = ["a/".repeat(512), "a".repeat(1_025)];
        assert!(names(&long[0]).is_ok());
        for long in [&(long[0].clone() + "b"), &long[1]] {
            assert_eq!(names(long).unwrap_err().code().as_str(), "KeyTooLongError");
        }
    }

    /// COVERAGE.md names each operation that is served.
    #[test]
    fn coverage_names_what_is_served() {
        let page = include_str!("../../COVERAGE.md");
        for operation in SERVED {
            let name: String = operation
                .split('_')
                .map(|word| match word {
                    "v2" => "V2".to_owned(),
                    word => word[..1].to_uppercase() + &word[1..],
                })
                .collect();
            assert!(page.contains(&format!("| {name} |")), "COVERAGE.md does not name {name}");
        }
    }
}
