//! Decode, ask the tree, encode: one module for each kind of thing. This is the table of what is served; what is not
//! named here is answered with `NotImplemented`.

mod attributes;
mod buckets;
mod checksums;
mod conditions;
mod copies;
mod deletes;
mod facts;
mod listing;
mod multipart;
mod objects;
mod parts;
mod settings;
mod shown;
mod tagging;
mod uploads;
mod versions;

pub(crate) use facts::facts_of_form;
pub(crate) use settings::CORS_SETTING;
pub(crate) use shown::modified;
pub(crate) use uploads::store_form;

use crate::asked::Asked;
use crate::error::{About, of_name, of_tree};
use entente_model::{ItemName, NameError};
use entente_tree::{Bucket, BucketVersioning, Error as TreeError, Path, Tree};
use s3s::dto;
use s3s::{S3, S3Error, S3Request, S3Response, S3Result};
use std::sync::Arc;

/// The longest key.
const KEY_BYTES_MAX: usize = 1_024;

/// The operations, and what they need.
pub(crate) struct Operations {
    pub(crate) tree: Tree,
    pub(crate) object_bytes_max: u64,
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
    /// A bucket that the caller's key reaches.
    pub(crate) async fn bucket(&self, asked: &Asked, name: &str) -> S3Result<Bucket> {
        asked.may_reach(name)?;
        let found = self.tree.bucket(&asked.caller, name).await;
        found.map_err(|error| of_tree(error, About::Bucket, asked.arrival.request_id))
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

macro_rules! table {
    ($($operation:ident $input:ident $output:ident => $module:ident::$function:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Shared {
            $(
                async fn $operation(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                    let asked = Asked::of(&request)?;
                    $module::$function(&self.0, &asked, request).await
                }
            )*
        }

        /// The names of the operations that are served.
        #[cfg(test)]
        pub(crate) const SERVED: &[&str] = &[$(stringify!($operation)),*];
    };
}

table! {
    list_buckets ListBucketsInput ListBucketsOutput => buckets::list;
    create_bucket CreateBucketInput CreateBucketOutput => buckets::create;
    head_bucket HeadBucketInput HeadBucketOutput => buckets::head;
    delete_bucket DeleteBucketInput DeleteBucketOutput => buckets::delete;
    get_bucket_location GetBucketLocationInput GetBucketLocationOutput => buckets::location;
    get_bucket_versioning GetBucketVersioningInput GetBucketVersioningOutput => versions::versioning;
    put_bucket_versioning PutBucketVersioningInput PutBucketVersioningOutput => versions::set_versioning;

    list_objects ListObjectsInput ListObjectsOutput => listing::list;
    list_objects_v2 ListObjectsV2Input ListObjectsV2Output => listing::list_v2;
    list_object_versions ListObjectVersionsInput ListObjectVersionsOutput => versions::list;

    put_object PutObjectInput PutObjectOutput => uploads::put;
    get_object GetObjectInput GetObjectOutput => objects::get;
    head_object HeadObjectInput HeadObjectOutput => objects::head;
    copy_object CopyObjectInput CopyObjectOutput => copies::copy;
    delete_object DeleteObjectInput DeleteObjectOutput => deletes::delete;
    delete_objects DeleteObjectsInput DeleteObjectsOutput => deletes::delete_many;
    get_object_attributes GetObjectAttributesInput GetObjectAttributesOutput => attributes::show;
    get_object_tagging GetObjectTaggingInput GetObjectTaggingOutput => tagging::show;
    put_object_tagging PutObjectTaggingInput PutObjectTaggingOutput => tagging::set;
    delete_object_tagging DeleteObjectTaggingInput DeleteObjectTaggingOutput => tagging::remove;
    get_object_acl GetObjectAclInput GetObjectAclOutput => settings::object_acl;
    put_object_acl PutObjectAclInput PutObjectAclOutput => settings::set_object_acl;

    create_multipart_upload CreateMultipartUploadInput CreateMultipartUploadOutput => multipart::create;
    upload_part UploadPartInput UploadPartOutput => parts::put;
    upload_part_copy UploadPartCopyInput UploadPartCopyOutput => parts::copy;
    list_parts ListPartsInput ListPartsOutput => parts::list;
    list_multipart_uploads ListMultipartUploadsInput ListMultipartUploadsOutput => multipart::list;
    complete_multipart_upload CompleteMultipartUploadInput CompleteMultipartUploadOutput => multipart::complete;
    abort_multipart_upload AbortMultipartUploadInput AbortMultipartUploadOutput => multipart::abort;

    get_bucket_cors GetBucketCorsInput GetBucketCorsOutput => settings::cors;
    put_bucket_cors PutBucketCorsInput PutBucketCorsOutput => settings::set_cors;
    delete_bucket_cors DeleteBucketCorsInput DeleteBucketCorsOutput => settings::remove_cors;
    get_bucket_tagging GetBucketTaggingInput GetBucketTaggingOutput => settings::tagging;
    put_bucket_tagging PutBucketTaggingInput PutBucketTaggingOutput => settings::set_tagging;
    delete_bucket_tagging DeleteBucketTaggingInput DeleteBucketTaggingOutput => settings::remove_tagging;
    get_public_access_block GetPublicAccessBlockInput GetPublicAccessBlockOutput => settings::public_access_block;
    put_public_access_block PutPublicAccessBlockInput PutPublicAccessBlockOutput => settings::set_public_access_block;
    delete_public_access_block DeletePublicAccessBlockInput DeletePublicAccessBlockOutput => settings::remove_public_access_block;
    get_bucket_ownership_controls GetBucketOwnershipControlsInput GetBucketOwnershipControlsOutput => settings::ownership;
    put_bucket_ownership_controls PutBucketOwnershipControlsInput PutBucketOwnershipControlsOutput => settings::set_ownership;
    delete_bucket_ownership_controls DeleteBucketOwnershipControlsInput DeleteBucketOwnershipControlsOutput => settings::remove_ownership;
    get_bucket_encryption GetBucketEncryptionInput GetBucketEncryptionOutput => settings::encryption;
    put_bucket_encryption PutBucketEncryptionInput PutBucketEncryptionOutput => settings::set_encryption;
    delete_bucket_encryption DeleteBucketEncryptionInput DeleteBucketEncryptionOutput => settings::remove_encryption;
    get_bucket_acl GetBucketAclInput GetBucketAclOutput => settings::bucket_acl;
    put_bucket_acl PutBucketAclInput PutBucketAclOutput => settings::set_bucket_acl;
    get_bucket_policy GetBucketPolicyInput GetBucketPolicyOutput => settings::policy;
    delete_bucket_policy DeleteBucketPolicyInput DeleteBucketPolicyOutput => settings::remove_policy;
    get_bucket_policy_status GetBucketPolicyStatusInput GetBucketPolicyStatusOutput => settings::policy_status;
    get_bucket_lifecycle_configuration GetBucketLifecycleConfigurationInput GetBucketLifecycleConfigurationOutput => settings::lifecycle;
    delete_bucket_lifecycle DeleteBucketLifecycleInput DeleteBucketLifecycleOutput => settings::remove_lifecycle;
    get_bucket_notification_configuration GetBucketNotificationConfigurationInput GetBucketNotificationConfigurationOutput => settings::notifications;
    get_object_lock_configuration GetObjectLockConfigurationInput GetObjectLockConfigurationOutput => settings::object_lock;
    get_bucket_request_payment GetBucketRequestPaymentInput GetBucketRequestPaymentOutput => settings::request_payment;
    get_bucket_logging GetBucketLoggingInput GetBucketLoggingOutput => settings::logging;
    get_bucket_website GetBucketWebsiteInput GetBucketWebsiteOutput => settings::website;
    get_bucket_replication GetBucketReplicationInput GetBucketReplicationOutput => settings::replication;
    get_bucket_accelerate_configuration GetBucketAccelerateConfigurationInput GetBucketAccelerateConfigurationOutput => settings::acceleration;
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
