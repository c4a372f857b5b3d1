//! Deleting objects, versions and markers.

use super::conditions::failed;
use super::facts::refuse_what_is_not_served;
use super::retention::bypass;
use super::shown::{modified, size, stored_at, wanted};
use super::{Operations, Place, names};
use crate::asked::Asked;
use crate::error::{About, error};
use crate::gate::{self, Said, TagsSaid};
use entente_tree::rules::Deed;
use entente_tree::{
    Bypass, Error as TreeError, Expect, Object, Prune, Recursive, RemoveAt, RemoveVersionAt, Want, WantedVersion,
};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition,
    Error, ObjectIdentifier, Timestamp,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};
use std::borrow::Cow;

/// Objects that one request names.
const OBJECTS_MAX: usize = 1_000;

/// What must hold of an object for it to be deleted, and what need not.
#[derive(Default)]
struct Wish {
    etag: Option<ETagCondition>,
    modified_at: Option<Timestamp>,
    size: Option<i64>,
    /// Whether what is retained is deleted too, if it may be.
    bypass: Bypass,
}

/// What was deleted.
struct Done {
    /// The version that is gone, or the marker that has come or is gone.
    version: Option<String>,
    /// Whether that is a marker.
    marker: bool,
}

pub(super) async fn delete(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let S3Request { input, headers, .. } = request;
    refuse_what_is_not_served(&headers)?;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let wish = Wish {
        etag: input.if_match,
        modified_at: input.if_match_last_modified_time,
        size: input.if_match_size,
        bypass: bypass(input.bypass_governance_retention),
    };
    let done = remove(operations, asked, &place, input.version_id.as_deref(), &wish).await?;
    Ok(S3Response::new(DeleteObjectOutput {
        delete_marker: done.marker.then_some(true),
        version_id: done.version,
        ..DeleteObjectOutput::default()
    }))
}

pub(super) async fn delete_many(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let S3Request { input, headers, uri, .. } = request;
    refuse_what_is_not_served(&headers)?;
    let said = Said { headers: &headers, uri: Some(&uri), tags: TagsSaid::ByHeader };
    if input.delete.objects.is_empty() || input.delete.objects.len() > OBJECTS_MAX {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(error(S3ErrorCode::MalformedXML, message));
    }
    let mut place = Place { bucket: operations.bucket(asked, &input.bucket).await?, names: Vec::new() };
    let bypass = bypass(input.bypass_governance_retention);
    let quiet = input.delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let ObjectIdentifier { key, version_id, e_tag, last_modified_time, size } = object;
        let wish = Wish { etag: e_tag.map(ETagCondition::ETag), modified_at: last_modified_time, size, bypass };
        let outcome = match names(&key) {
            Ok(names) => {
                place.names = names;
                let version = version_id.as_deref();
                match let_in(operations, asked, (&input.bucket, &key, version), &wish, said).await {
                    // Another bucket may have got the name meanwhile.
                    Ok(asked) if asked.entered.as_ref().is_none_or(|found| found.bucket.item != place.bucket.item) => {
                        Err(About::Bucket.missing())
                    }
                    Ok(asked) => {
                        let removed = remove(operations, &asked, &place, version, &wish).await;
                        removed.map_err(|error| asked.seen(error))
                    }
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(_) if quiet => {}
            Ok(done) => deleted.push(DeletedObject {
                delete_marker: done.marker.then_some(true),
                delete_marker_version_id: done.version.filter(|_| done.marker),
                version_id,
                key: Some(key),
            }),
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(key),
                version_id,
            }),
        }
    }
    let (deleted, errors) = (Some(deleted), Some(errors));
    Ok(S3Response::new(DeleteObjectsOutput { deleted, errors, ..DeleteObjectsOutput::default() }))
}

/// One of many keys: the rules of the bucket are asked about each, if it has any.
async fn let_in<'a>(
    operations: &Operations,
    asked: &'a Asked,
    (bucket, key, version): (&str, &str, Option<&str>),
    wish: &Wish,
    said: Said<'_>,
) -> S3Result<Cow<'a, Asked>> {
    if asked.entered.as_ref().is_some_and(|entered| !entered.ruled) {
        return Ok(Cow::Borrowed(asked));
    }
    let deed = if version.is_some() { Deed::RemoveVersion } else { Deed::RemoveObject };
    // Otherwise one could ask, delete by delete, what an object is.
    let deeds = if wish.is_empty() { vec![deed] } else { vec![deed, Deed::ReadObject] };
    gate::remove(operations, asked, (bucket, key, version), &deeds, said).await.map(Cow::Owned)
}

async fn remove(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    version: Option<&str>,
    wish: &Wish,
) -> S3Result<Done> {
    match wanted(version)? {
        None => remove_current(operations, asked, place, wish).await,
        Some(wanted) => remove_version(operations, asked, place, wanted, wish).await,
    }
}

/// Deleting a key that is not there is a success, as often as one likes, and leaves a marker where versions are kept.
async fn remove_current(operations: &Operations, asked: &Asked, place: &Place, wish: &Wish) -> S3Result<Done> {
    let expect = if wish.is_empty() {
        Expect::Anything
    } else {
        match operations.tree.at(&asked.caller, place.path(), Want::File).await {
            Ok(object) => wish.expected(&object)?,
            Err(TreeError::NotFound) => return Err(About::Key.missing()),
            Err(error) => return Err(asked.told(error)),
        }
    };
    let remove = RemoveAt { expect, recursive: Recursive::No, prune: Prune::Implied };
    match operations.tree.remove_or_mark_at(&asked.caller, place.path(), remove).await {
        Ok(removed) => {
            let version = removed.marker.map(|marker| marker.to_string());
            Ok(Done { marker: version.is_some(), version })
        }
        Err(TreeError::NotFound) => Ok(Done { version: None, marker: false }),
        Err(error) => Err(asked.told(error)),
    }
}

async fn remove_version(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    version: WantedVersion,
    wish: &Wish,
) -> S3Result<Done> {
    if !wish.is_empty() {
        let found = operations.tree.version_at(&asked.caller, place.path(), Some(version)).await;
        wish.expected(&found.map_err(asked.told_about(About::Version))?)?;
    }
    let how = RemoveVersionAt { prune: Prune::Implied, bypass: wish.bypass };
    let removed = operations.tree.remove_version_at(&asked.caller, place.path(), version, how).await;
    let marker = match removed {
        Ok(removed) => removed.marker.is_some(),
        Err(TreeError::NotFound) => false,
        Err(error) => return Err(asked.told(error)),
    };
    Ok(Done { version: Some(version.to_string()), marker })
}

impl Wish {
    fn is_empty(&self) -> bool {
        self.etag.is_none() && self.modified_at.is_none() && self.size.is_none()
    }

    /// What must be there, if it is as wished now.
    fn expected(&self, object: &Object) -> S3Result<Expect> {
        let matches = match &self.etag {
            Some(ETagCondition::ETag(etag)) => etag.value() == object.etag(),
            Some(ETagCondition::Any) | None => true,
        };
        let is_same_time = self.modified_at.as_ref().is_none_or(|at| *at == modified(stored_at(object)));
        let is_same_size = self.size.is_none_or(|size_bytes| u64::try_from(size_bytes) == Ok(size(object)));
        match &object.view.version {
            Some(version) if matches && is_same_time && is_same_size => Ok(Expect::Version(version.id)),
            _ => Err(failed()),
        }
    }
}
