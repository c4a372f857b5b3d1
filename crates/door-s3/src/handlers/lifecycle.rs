//! Rules by which keys go by themselves: S3's documents, and what the tree makes of them.

use super::facts::{TagsOf, tags_of_document};
use super::retention::malformed;
use super::shown::{modified, moment};
use super::{Operations, Place};
use crate::asked::Asked;
use crate::error::{About, error, not_served};
use entente_model::ItemName;
use entente_tree::{
    Error as TreeError, Expires, Expiry, KeyFilter, Lifecycle, LifecycleRule as Rule, Object, OlderVersions,
};
use s3s::dto::{
    AbortIncompleteMultipartUpload, DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput, ExpirationStatus,
    GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput, LifecycleExpiration, LifecycleRule,
    LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration, PutBucketLifecycleConfigurationInput,
    PutBucketLifecycleConfigurationOutput, Timestamp, TimestampFormat, TransitionDefaultMinimumObjectSize,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const RULES_MAX: usize = 1_000;
const ID_CHARS_MAX: usize = 255;
/// Versions that are not current and stay.
const KEPT_MAX: i32 = 100;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The end of the year 9999.
const DATE_MAX_MS: i64 = 253_402_300_799_999;
/// The size below which objects are not moved to another storage class, if nobody says. None is ever moved.
const SIZE_DEFAULT: &str = TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K;

/// Rules as they were given, with a name for each.
#[derive(Serialize, Deserialize)]
struct Document {
    rules: Vec<LifecycleRule>,
    /// Said of transitions, of which there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    smallest: Option<String>,
}

pub(super) async fn show(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let bucket = operations.bucket(asked, &request.input.bucket).await?;
    let text = operations.tree.lifecycle_document(&asked.caller, &bucket.name).await;
    let text = text.map_err(asked.told_about(About::Bucket))?.ok_or_else(|| {
        error(S3ErrorCode::NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist")
    })?;
    let damaged =
        |error: serde_json::Error| asked.told(TreeError::Damaged(format!("a bucket's rules: {error}").into()));
    let Document { rules, smallest } = serde_json::from_str(&text).map_err(damaged)?;
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules),
        transition_default_minimum_object_size: Some(size(smallest)),
    }))
}

pub(super) async fn set(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let input = request.input;
    let bucket = operations.bucket(asked, &input.bucket).await?;
    let smallest = input.transition_default_minimum_object_size.map(|size| size.as_str().to_owned());
    let known = [SIZE_DEFAULT, TransitionDefaultMinimumObjectSize::VARIES_BY_STORAGE_CLASS];
    if smallest.as_deref().is_some_and(|size| !known.contains(&size)) {
        return Err(error(S3ErrorCode::InvalidArgument, "This default minimum object size is not known"));
    }
    let rules = named(input.lifecycle_configuration.ok_or_else(malformed)?.rules)?;
    let lifecycle = Lifecycle { rules: rules.iter().map(rule_of).collect::<S3Result<_>>()? };
    let document = Document { rules, smallest };
    let text = serde_json::to_string(&document);
    let text = text.map_err(|error| asked.told(TreeError::Internal(error.into())))?;
    let set = operations.tree.set_lifecycle(&asked.caller, &bucket.name, &lifecycle, text).await;
    set.map_err(asked.told_about(About::Bucket))?;
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput {
        transition_default_minimum_object_size: Some(size(document.smallest)),
    }))
}

pub(super) async fn remove(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<S3Response<DeleteBucketLifecycleOutput>> {
    let bucket = operations.bucket(asked, &request.input.bucket).await?;
    let removed = operations.tree.remove_lifecycle(&asked.caller, &bucket.name).await;
    removed.map_err(asked.told_about(About::Bucket))?;
    Ok(S3Response::new(DeleteBucketLifecycleOutput::default()))
}

/// What a client is told of when an object goes by itself: the header `x-amz-expiration`. Nothing, and no trip to the
/// database, where the bucket has no rules.
pub(super) fn expiration(operations: &Operations, asked: &Asked, place: &Place, object: &Object) -> Option<String> {
    let expires = told(asked, operations.tree.expiry(&place.bucket, &key(place), object))?;
    let mut date = Vec::new();
    modified(expires.at).format(TimestampFormat::HttpDate, &mut date).ok()?;
    let name: String = form_urlencoded::byte_serialize(expires.rule.as_bytes()).collect();
    Some(format!("expiry-date=\"{}\", rule-id=\"{name}\"", String::from_utf8_lossy(&date)))
}

/// When an upload is ended that nobody completes, if a rule says so, and which.
pub(super) fn abortion(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    begun_at: entente_model::Timestamp,
) -> Option<(Timestamp, String)> {
    let expires = told(asked, operations.tree.upload_expiry(&place.bucket, &key(place), begun_at))?;
    Some((modified(expires.at), expires.rule))
}

/// The answer is about something else, and goes without this where the rules cannot be read; the log says why.
fn told(asked: &Asked, expires: Result<Option<Expires>, TreeError>) -> Option<Expires> {
    match expires {
        // What is later has no date.
        Ok(expires) => expires.filter(|expires| expires.at.millis() <= DATE_MAX_MS),
        Err(error) => {
            asked.told(error);
            None
        }
    }
}

fn key(place: &Place) -> String {
    place.names.iter().map(ItemName::as_str).collect::<Vec<_>>().join("/")
}

fn size(said: Option<String>) -> TransitionDefaultMinimumObjectSize {
    TransitionDefaultMinimumObjectSize::from(said.unwrap_or_else(|| SIZE_DEFAULT.to_owned()))
}

fn argument(message: &'static str) -> S3Error {
    error(S3ErrorCode::InvalidArgument, message)
}

fn refused(message: &'static str) -> S3Error {
    error(S3ErrorCode::InvalidRequest, message)
}

/// Gives a name to each rule that has none.
fn named(mut rules: Vec<LifecycleRule>) -> S3Result<Vec<LifecycleRule>> {
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(malformed());
    }
    let mut names = BTreeSet::new();
    for rule in &mut rules {
        rule.id = rule.id.take().filter(|id| !id.is_empty());
        let Some(id) = &rule.id else { continue };
        if id.chars().count() > ID_CHARS_MAX {
            return Err(argument("ID length should not exceed allowed limit of 255"));
        }
        if !names.insert(id.clone()) {
            return Err(argument("Rule ID must be unique. Found same ID for more than one rule"));
        }
    }
    let mut free = (1_usize..).map(|number| format!("rule-{number}")).filter(|name| !names.contains(name));
    for rule in &mut rules {
        if rule.id.is_none() {
            rule.id = free.next();
        }
    }
    Ok(rules)
}

fn rule_of(rule: &LifecycleRule) -> S3Result<Rule> {
    let enabled = match rule.status.as_str() {
        ExpirationStatus::ENABLED => true,
        ExpirationStatus::DISABLED => false,
        _ => return Err(malformed()),
    };
    let has_transitions = rule.transitions.as_ref().is_some_and(|some| !some.is_empty())
        || rule.noncurrent_version_transitions.as_ref().is_some_and(|some| !some.is_empty());
    if has_transitions {
        return Err(not_served("There is one storage class; where content is kept is for storage policies to say"));
    }
    let filter = match (&rule.filter, &rule.prefix) {
        (Some(filter), None) => filter_of(filter)?,
        (None, Some(prefix)) => prefixed(prefix),
        (Some(_), Some(_)) | (None, None) => return Err(malformed()),
    };
    let is_by_prefix = filter.tags.is_empty() && filter.above_bytes.is_none() && filter.below_bytes.is_none();
    let mut found = Rule { name: rule.id.clone().unwrap_or_default(), enabled, filter, ..Rule::default() };
    if let Some(expiration) = &rule.expiration {
        expiration_of(expiration, &mut found)?;
        if found.lone_markers && !is_by_prefix {
            return Err(refused("ExpiredObjectDeleteMarker cannot be specified with tags or sizes"));
        }
    }
    found.older = rule.noncurrent_version_expiration.as_ref().map(older_of).transpose()?;
    if let Some(AbortIncompleteMultipartUpload { days_after_initiation }) = &rule.abort_incomplete_multipart_upload {
        if !is_by_prefix {
            return Err(refused("AbortIncompleteMultipartUpload cannot be specified with tags or sizes"));
        }
        let message = "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer";
        found.uploads_after_days = Some(days(days_after_initiation.ok_or_else(malformed)?, message)?);
    }
    if rule.expiration.is_none() && found.older.is_none() && found.uploads_after_days.is_none() {
        return Err(refused("At least one action needs to be specified in a rule"));
    }
    Ok(found)
}

fn days(days: i32, message: &'static str) -> S3Result<u32> {
    u32::try_from(days).ok().filter(|days| *days > 0).ok_or_else(|| argument(message))
}

fn expiration_of(expiration: &LifecycleExpiration, rule: &mut Rule) -> S3Result<()> {
    let LifecycleExpiration { date, days: after, expired_object_delete_marker } = expiration;
    match (date, after, expired_object_delete_marker) {
        (Some(date), None, None) => {
            let at = moment(date).filter(|at| at.millis() % DAY_MS == 0);
            rule.expiry = Some(Expiry::From(at.ok_or_else(|| argument("'Date' must be at midnight GMT"))?));
        }
        (None, Some(after), None) => {
            let message = "'Days' for Expiration action must be a positive integer";
            rule.expiry = Some(Expiry::AfterDays(days(*after, message)?));
        }
        (None, None, Some(marker)) => rule.lone_markers = *marker,
        _ => return Err(malformed()),
    }
    Ok(())
}

fn older_of(expiration: &NoncurrentVersionExpiration) -> S3Result<OlderVersions> {
    let message = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer";
    let after_days = days(expiration.noncurrent_days.ok_or_else(malformed)?, message)?;
    let keep = match expiration.newer_noncurrent_versions {
        None => 0,
        Some(keep @ 1..=KEPT_MAX) => keep.unsigned_abs(),
        Some(_) => return Err(argument("'NewerNoncurrentVersions' must be from 1 to 100")),
    };
    Ok(OlderVersions { after_days, keep })
}

fn prefixed(prefix: &str) -> KeyFilter {
    KeyFilter { prefix: prefix.to_owned(), ..KeyFilter::default() }
}

/// One condition, or several in an `And`; none is everything.
fn filter_of(filter: &LifecycleRuleFilter) -> S3Result<KeyFilter> {
    let LifecycleRuleFilter { and, object_size_greater_than, object_size_less_than, prefix, tag } = filter;
    let said = [
        and.is_some(),
        object_size_greater_than.is_some(),
        object_size_less_than.is_some(),
        prefix.is_some(),
        tag.is_some(),
    ];
    if said.into_iter().filter(|said| *said).count() > 1 {
        return Err(malformed());
    }
    let all = match and {
        Some(and) => and,
        None => &LifecycleRuleAndOperator {
            object_size_greater_than: *object_size_greater_than,
            object_size_less_than: *object_size_less_than,
            prefix: prefix.clone(),
            tags: tag.clone().map(|tag| vec![tag]),
        },
    };
    let mut found = prefixed(all.prefix.as_deref().unwrap_or_default());
    found.tags = tags_of_document(all.tags.clone().unwrap_or_default(), TagsOf::Object)?;
    let bytes = |size: Option<i64>| size.map(u64::try_from).transpose();
    let negative = |_| refused("An object size cannot be negative");
    found.above_bytes = bytes(all.object_size_greater_than).map_err(negative)?;
    found.below_bytes = bytes(all.object_size_less_than).map_err(negative)?;
    let is_empty = match (found.above_bytes, found.below_bytes) {
        (above, Some(below)) => below <= above.unwrap_or(0),
        (_, None) => false,
    };
    if is_empty {
        return Err(refused("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'"));
    }
    if and.is_some() && found == KeyFilter::default() && all.prefix.is_none() {
        return Err(malformed());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_model::Timestamp as Moment;
    use s3s::dto::{Tag, Transition};

    fn rule() -> LifecycleRule {
        LifecycleRule {
            abort_incomplete_multipart_upload: None,
            expiration: Some(LifecycleExpiration { days: Some(1), ..LifecycleExpiration::default() }),
            filter: Some(LifecycleRuleFilter::default()),
            id: Some("r".to_owned()),
            noncurrent_version_expiration: None,
            noncurrent_version_transitions: None,
            prefix: None,
            status: ExpirationStatus::from_static(ExpirationStatus::ENABLED),
            transitions: None,
        }
    }

    fn code(rule: &LifecycleRule) -> String {
        rule_of(rule).err().map_or_else(|| "fine".to_owned(), |error| error.code().as_str().to_owned())
    }

    #[test]
    fn a_rule_says_what_and_when() {
        let found = rule_of(&rule()).unwrap();
        assert_eq!((found.enabled, found.expiry), (true, Some(Expiry::AfterDays(1))));
        assert_eq!(found.filter, KeyFilter::default());
        let old = LifecycleRule { filter: None, prefix: Some("logs/".to_owned()), ..rule() };
        assert_eq!(rule_of(&old).unwrap().filter.prefix, "logs/");
        let date = LifecycleExpiration {
            date: Some(modified(Moment::from_millis(DAY_MS * 3))),
            ..LifecycleExpiration::default()
        };
        let dated = LifecycleRule { expiration: Some(date), ..rule() };
        assert_eq!(rule_of(&dated).unwrap().expiry, Some(Expiry::From(Moment::from_millis(DAY_MS * 3))));
        let tag = |key: &str| Tag { key: Some(key.to_owned()), value: Some("1".to_owned()) };
        let and = LifecycleRuleAndOperator {
            object_size_greater_than: Some(1),
            object_size_less_than: Some(3),
            prefix: Some("a".to_owned()),
            tags: Some(vec![tag("x"), tag("y")]),
        };
        let filter = LifecycleRuleFilter { and: Some(and), ..LifecycleRuleFilter::default() };
        let found = rule_of(&LifecycleRule { filter: Some(filter), ..rule() }).unwrap().filter;
        assert_eq!((found.above_bytes, found.below_bytes, found.tags.len()), (Some(1), Some(3), 2));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let with = |change: &dyn Fn(&mut LifecycleRule)| {
            let mut changed = rule();
            change(&mut changed);
            code(&changed)
        };
        let filter = |filter: LifecycleRuleFilter| with(&|rule| rule.filter = Some(filter.clone()));
        let expiration = |expiration: LifecycleExpiration| with(&|rule| rule.expiration = Some(expiration.clone()));
        let none = LifecycleExpiration::default();
        assert_eq!(with(&|rule| rule.status = ExpirationStatus::from("enabled".to_owned())), "MalformedXML");
        assert_eq!(with(&|rule| rule.prefix = Some(String::new())), "MalformedXML");
        assert_eq!(with(&|rule| rule.filter = None), "MalformedXML");
        assert_eq!(with(&|rule| rule.expiration = None), "InvalidRequest");
        assert_eq!(with(&|rule| rule.transitions = Some(vec![Transition::default()])), "NotImplemented");
        assert_eq!(expiration(none.clone()), "MalformedXML");
        assert_eq!(expiration(LifecycleExpiration { days: Some(0), ..none.clone() }), "InvalidArgument");
        let noon = Some(modified(Moment::from_millis(DAY_MS / 2)));
        assert_eq!(expiration(LifecycleExpiration { date: noon, ..none.clone() }), "InvalidArgument");
        let both = LifecycleExpiration { days: Some(1), expired_object_delete_marker: Some(true), ..none };
        assert_eq!(expiration(both), "MalformedXML");
        let marker = LifecycleExpiration { expired_object_delete_marker: Some(true), ..LifecycleExpiration::default() };
        let sized = LifecycleRuleFilter { object_size_less_than: Some(5), ..LifecycleRuleFilter::default() };
        let tagged = with(&|rule| {
            (rule.expiration, rule.filter) = (Some(marker.clone()), Some(sized.clone()));
        });
        assert_eq!(tagged, "InvalidRequest");
        let two = LifecycleRuleFilter { prefix: Some("a".to_owned()), ..sized.clone() };
        assert_eq!(filter(two), "MalformedXML");
        let empty =
            LifecycleRuleFilter { and: Some(LifecycleRuleAndOperator::default()), ..LifecycleRuleFilter::default() };
        assert_eq!(filter(empty), "MalformedXML");
        for (above, below) in [(Some(5), Some(5)), (None, Some(0)), (Some(-1), None)] {
            let and = LifecycleRuleAndOperator {
                object_size_greater_than: above,
                object_size_less_than: below,
                ..LifecycleRuleAndOperator::default()
            };
            let sizes = LifecycleRuleFilter { and: Some(and), ..LifecycleRuleFilter::default() };
            assert_eq!(filter(sizes), "InvalidRequest", "{above:?} {below:?}");
        }
        for (days, keep) in [(None, None), (Some(0), None), (Some(1), Some(0)), (Some(1), Some(101))] {
            let older = NoncurrentVersionExpiration { noncurrent_days: days, newer_noncurrent_versions: keep };
            assert_ne!(with(&|rule| rule.noncurrent_version_expiration = Some(older.clone())), "fine");
        }
        let abort = |days| AbortIncompleteMultipartUpload { days_after_initiation: days };
        assert_eq!(with(&|rule| rule.abort_incomplete_multipart_upload = Some(abort(Some(0)))), "InvalidArgument");
        assert_eq!(with(&|rule| rule.abort_incomplete_multipart_upload = Some(abort(None))), "MalformedXML");
    }

    #[test]
    fn rules_without_a_name_get_one() {
        let id = |id: Option<&str>| LifecycleRule { id: id.map(str::to_owned), ..rule() };
        let rules = named(vec![id(None), id(Some("rule-1")), id(Some(""))]).unwrap();
        let ids: Vec<_> = rules.iter().filter_map(|rule| rule.id.as_deref()).collect();
        assert_eq!(ids, ["rule-2", "rule-1", "rule-3"]);
        for bad in [vec![id(Some("a")), id(Some("a"))], vec![id(Some(&"x".repeat(256)))]] {
            assert_eq!(named(bad).unwrap_err().code().as_str(), "InvalidArgument");
        }
        assert_eq!(named(Vec::new()).unwrap_err().code().as_str(), "MalformedXML");
    }
}
