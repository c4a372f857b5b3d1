//! Objects that are sealed with their customers' own keys, and copies that cannot be by reference.

use super::copies::Source;
use super::{Operations, Place};
use crate::asked::Asked;
use crate::body::{Hashers, Received};
use crate::error::{About, error};
use bytes::Bytes;
use entente_tree::{
    BoxError, ChecksumKind, Content, Error as TreeError, Expect, Facts, Finished, Folders, Manner, Multipart, NameRule,
    Put, PutAt, Versioning,
};
use futures_util::{Stream, TryStreamExt};
use s3s::{S3Error, S3ErrorCode, S3Result};
use std::sync::Arc;

/// Says in an answer how the object is sealed: with the customer's key, or as everything is.
macro_rules! told_sealing {
    ($output:expr, $asked:expr) => {
        match $asked.keys.told() {
            Some((algorithm, md5)) => {
                $output.sse_customer_algorithm = Some(algorithm);
                $output.sse_customer_key_md5 = Some(md5);
            }
            None => $output.server_side_encryption = $crate::handlers::shown::sealed(),
        }
    };
}
pub(super) use told_sealing;

/// What an object's content needs to be read with the key that came for it. Access to the object was decided before.
pub(super) async fn with_key(
    operations: &Operations,
    asked: &Asked,
    content: Content,
    about: About,
) -> S3Result<Content> {
    operations.tree.with_key(content, asked.keys.target()).await.map_err(asked.told_about(about))
}

/// The same for what is copied.
pub(super) async fn source_with_key(operations: &Operations, asked: &Asked, content: Content) -> S3Result<Content> {
    operations.tree.with_key(content, asked.keys.source()).await.map_err(asked.told_about(About::Key))
}

/// Copies by reading and writing: what is sealed with another key than its copy is to be, or with none, or is another
/// owner's.
pub(super) async fn copy_anew(
    operations: &Operations,
    asked: &Asked,
    source: &Source,
    (place, expect, facts): (&Place, Expect, Facts),
) -> S3Result<Put> {
    let (item, size) = (&source.object.view.item, source.content.size());
    let received = Arc::new(Received::default());
    let found = Arc::clone(&received);
    // What is known of the source's bytes in pieces is not so of the copy's.
    let checksum = facts.checksum.filter(|checksum| checksum.kind == ChecksumKind::FullObject);
    let facts = Facts { etag: None, parts: Vec::new(), checksum, ..facts };
    let put = PutAt {
        size_max: size,
        content_created_at: Some(item.content_created_at),
        content_modified_at: Some(item.content_modified_at),
        expected_sha1: None,
        folders: Folders::Imply,
        rule: NameRule::Exact,
        expect,
        versioning: Versioning::ByBucket,
        finish: Box::new(move || {
            let digests = found.digests().ok_or_else(|| TreeError::Internal("a body without digests".into()))?;
            Ok(Finished { md5: digests.md5, facts })
        }),
    };
    let tree = operations.tree.in_manner(Manner::Copy);
    let bytes = digested(operations.tree.read_content(source.content.clone(), 0..size), received);
    let stored = tree.put_at_with_key(&asked.caller, place.path(), put, asked.keys.target(), Box::pin(bytes)).await;
    stored.map_err(|error| match error {
        TreeError::BodyFailed(cause) => asked.told(TreeError::of_read(cause)),
        error => asked.told(error),
    })
}

/// The same bytes, whose MD5 is known at their end.
fn digested(
    bytes: impl Stream<Item = Result<Bytes, BoxError>> + Send,
    received: Arc<Received>,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let start = (Box::pin(bytes), Hashers::default().with_md5(), received);
    futures_util::stream::try_unfold(start, |(mut bytes, mut hashers, received)| async move {
        if let Some(piece) = bytes.try_next().await? {
            hashers.update(&piece);
            return Ok(Some((piece, (bytes, hashers, received))));
        }
        received.set(hashers.finish(None));
        Ok(None)
    })
}

/// Refuses a completion that says more of an upload that a customer's key has sealed than is known of it: of its parts
/// there are no checksums. A key that comes along must be the upload's.
pub(super) fn check_completion(asked: &Asked, upload: &Multipart, names_checksums: bool) -> S3Result<()> {
    let is_same = match (&upload.customer, asked.keys.target()) {
        (_, None) => true,
        (Some(mark), Some(key)) => key.has_made(mark),
        (None, Some(_)) => false,
    };
    if !is_same {
        return Err(other_key());
    }
    if upload.customer.is_some() && names_checksums {
        let message =
            "No checksums are kept of what is sealed with a customer's key: name the parts by their entity tags";
        return Err(error(S3ErrorCode::InvalidRequest, message));
    }
    Ok(())
}

/// Another key than the one that an upload was begun with.
fn other_key() -> S3Error {
    let message = "The provided encryption parameters did not match the ones used originally.";
    error(S3ErrorCode::InvalidRequest, message)
}
