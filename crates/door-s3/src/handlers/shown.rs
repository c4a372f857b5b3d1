//! How things of the tree look to S3's clients.

use super::Place;
use super::facts::UNKNOWN_TYPE;
use crate::error::error;
use entente_door_kit::media_type;
use entente_model::{Timestamp, UserId};
use entente_tree::{BucketVersioning, Facts, Object, Version, WantedVersion};
use s3s::dto::{self, Owner, ServerSideEncryption};
use s3s::{S3ErrorCode, S3Result};
use std::time::{Duration, UNIX_EPOCH};

/// What S3 calls a version that was made while its bucket kept none.
pub(super) const NULL: &str = "null";

/// A moment, to the second, as S3's are.
pub(crate) fn modified(at: Timestamp) -> dto::Timestamp {
    let seconds = at.millis().div_euclid(1_000);
    let span = Duration::from_secs(seconds.unsigned_abs());
    dto::Timestamp::from(if seconds < 0 { UNIX_EPOCH - span } else { UNIX_EPOCH + span })
}

/// The other way, to the millisecond. `None` for what is no moment of ours.
pub(super) fn moment(at: &dto::Timestamp) -> Option<Timestamp> {
    let mut text = Vec::new();
    at.format(dto::TimestampFormat::EpochSeconds, &mut text).ok()?;
    let seconds: f64 = std::str::from_utf8(&text).ok()?.parse().ok()?;
    // The text may be off by less than a microsecond.
    let span = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    let span = span.checked_add(jiff::SignedDuration::from_micros(500))?;
    let millis = span.as_nanos().div_euclid(1_000_000);
    i64::try_from(millis).ok().map(Timestamp::from_millis)
}

/// Everything is sealed with AES-256.
pub(super) fn sealed() -> Option<ServerSideEncryption> {
    Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256))
}

/// A user as the owner of something.
pub(super) fn owner(user: UserId) -> Owner {
    let id = user.to_string();
    Owner { display_name: Some(id.clone()), id: Some(id) }
}

/// When the version that is shown was stored; of a folder, when it was changed.
pub(super) fn stored_at(object: &Object) -> Timestamp {
    object.view.version.as_ref().map_or(object.view.item.modified_at, |version| version.created_at)
}

/// Length in bytes of the version that is shown.
pub(super) fn size(object: &Object) -> u64 {
    object.view.version.as_ref().map_or(0, |version| version.size)
}

/// A length as S3's shapes have it.
pub(super) fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// What an object's bytes are: what its client said, else what its name says, unless it came through S3: then they are of
/// no kind, as its clients expect.
pub(super) fn content_type(object: &Object) -> String {
    if let Some(kind) = object.facts.as_ref().and_then(|facts| facts.content_type.clone()) {
        return kind;
    }
    let is_in_parts = object.facts.as_ref().is_some_and(|facts| facts.etag.is_some());
    if object.plain() || is_in_parts {
        return UNKNOWN_TYPE.to_owned();
    }
    media_type::of(object.view.item.name.as_str()).to_owned()
}

/// What is remembered of a version that is made through S3 in a bucket: where it would look like one that came through
/// another door, that its bytes are of no kind.
pub(super) fn remembered(mut facts: Facts, place: &Place) -> Facts {
    // Versions that are not told apart are plain, which says as much.
    if place.bucket.versioning == BucketVersioning::On && facts.content_type.is_none() && facts.etag.is_none() {
        facts.content_type = Some(UNKNOWN_TYPE.to_owned());
    }
    facts
}

/// What a version is called.
pub(super) fn version_id(version: &Version) -> String {
    if version.plain { NULL.to_owned() } else { version.id.to_string() }
}

/// What the version that is shown is called, in a bucket that tells versions.
pub(super) fn told_version(place: &Place, object: &Object) -> Option<String> {
    object.view.version.as_ref().filter(|_| place.tells_versions()).map(version_id)
}

/// The version that a request names. `InvalidArgument` for what cannot be one.
pub(crate) fn wanted(version: Option<&str>) -> S3Result<Option<WantedVersion>> {
    let invalid = |_| error(S3ErrorCode::InvalidArgument, "Invalid version id specified");
    version.map(str::parse).transpose().map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::modified;
    use entente_model::Timestamp;

    #[test]
    fn moments_are_whole_seconds() {
        assert_eq!(modified(Timestamp::from_millis(1_999)), modified(Timestamp::from_millis(1_000)));
        assert_eq!(modified(Timestamp::from_millis(-1)), modified(Timestamp::from_millis(-1_000)));
        assert!(modified(Timestamp::from_millis(-1)) < modified(Timestamp::from_millis(0)));
    }
}
