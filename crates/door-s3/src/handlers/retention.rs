//! What keeps objects from being deleted: until when they are retained, and whether they are held.

use super::shown::{moment, told_version, wanted};
use super::{Operations, Place};
use crate::asked::Asked;
use crate::error::{About, custom, error};
use entente_tree::{Bypass, Object, Retains, Retention, RetentionChange, RetentionMode, RetentionTerm, WantedVersion};
use http::{HeaderMap, HeaderName, StatusCode};
use s3s::dto::{
    GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectRetentionInput, GetObjectRetentionOutput,
    ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode,
    PutObjectLegalHoldInput, PutObjectLegalHoldOutput, PutObjectRetentionInput, PutObjectRetentionOutput, Timestamp,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::time::{Duration, UNIX_EPOCH};

const MODE: HeaderName = HeaderName::from_static("x-amz-object-lock-mode");
const UNTIL: HeaderName = HeaderName::from_static("x-amz-object-lock-retain-until-date");
const HOLD: HeaderName = HeaderName::from_static("x-amz-object-lock-legal-hold");

pub(super) async fn show(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetObjectRetentionInput>,
) -> S3Result<S3Response<GetObjectRetentionOutput>> {
    let input = request.input;
    let (_, found) = find(operations, asked, (&input.bucket, &input.key), input.version_id.as_deref()).await?;
    let term = found.and_then(|found| found.term).ok_or_else(none)?;
    let retention = ObjectLockRetention {
        mode: Some(ObjectLockRetentionMode::from_static(mode_name(term.mode))),
        retain_until_date: Some(date(term)),
    };
    Ok(S3Response::new(GetObjectRetentionOutput { retention: Some(retention) }))
}

pub(super) async fn set(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutObjectRetentionInput>,
) -> S3Result<S3Response<PutObjectRetentionOutput>> {
    let input = request.input;
    let place = retaining_place(operations, asked, (&input.bucket, &input.key)).await?;
    let wish = input.retention.ok_or_else(malformed)?;
    let term = match (wish.mode, wish.retain_until_date) {
        (None, None) => None,
        (Some(mode), Some(until)) => {
            let mode = mode_of(mode.as_str()).ok_or_else(malformed)?;
            Some(RetentionTerm { mode, until: moment(&until).ok_or_else(malformed)? })
        }
        (Some(_), None) | (None, Some(_)) => return Err(malformed()),
    };
    let change = RetentionChange::Term { term, bypass: bypass(input.bypass_governance_retention) };
    change_at(operations, asked, &place, (input.version_id.as_deref(), change)).await?;
    Ok(S3Response::new(PutObjectRetentionOutput::default()))
}

pub(super) async fn hold(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetObjectLegalHoldInput>,
) -> S3Result<S3Response<GetObjectLegalHoldOutput>> {
    let input = request.input;
    let (_, found) = find(operations, asked, (&input.bucket, &input.key), input.version_id.as_deref()).await?;
    let found = found.ok_or_else(none)?;
    let status = ObjectLockLegalHoldStatus::from_static(hold_name(found.held));
    let legal_hold = Some(ObjectLockLegalHold { status: Some(status) });
    Ok(S3Response::new(GetObjectLegalHoldOutput { legal_hold }))
}

pub(super) async fn set_hold(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutObjectLegalHoldInput>,
) -> S3Result<S3Response<PutObjectLegalHoldOutput>> {
    let input = request.input;
    let place = retaining_place(operations, asked, (&input.bucket, &input.key)).await?;
    let status = input.legal_hold.and_then(|hold| hold.status).ok_or_else(malformed)?;
    let change = match status.as_str() {
        ObjectLockLegalHoldStatus::ON => RetentionChange::Hold,
        ObjectLockLegalHoldStatus::OFF => RetentionChange::LetGo,
        _ => return Err(malformed()),
    };
    change_at(operations, asked, &place, (input.version_id.as_deref(), change)).await?;
    Ok(S3Response::new(PutObjectLegalHoldOutput::default()))
}

async fn find(
    operations: &Operations,
    asked: &Asked,
    key: (&str, &str),
    version: Option<&str>,
) -> S3Result<(Object, Option<Retention>)> {
    let place = retaining_place(operations, asked, key).await?;
    let version = wanted(version)?;
    let found = operations.tree.retention_at(&asked.caller, place.path(), version).await;
    found.map_err(asked.told_about(about(version)))
}

async fn change_at(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    (version, change): (Option<&str>, RetentionChange),
) -> S3Result<Option<String>> {
    let version = wanted(version)?;
    let changed = operations.tree.set_retention_at(&asked.caller, (place.path(), version), change).await;
    Ok(told_version(place, &changed.map_err(asked.told_about(about(version)))?))
}

const fn about(version: Option<WantedVersion>) -> About {
    if version.is_some() { About::Version } else { About::Key }
}

/// A key of a bucket whose versions may be retained.
async fn retaining_place(operations: &Operations, asked: &Asked, (bucket, key): (&str, &str)) -> S3Result<Place> {
    let place = operations.place(asked, bucket, key).await?;
    if place.bucket.retains == Retains::Never { Err(not_retaining()) } else { Ok(place) }
}

pub(super) fn not_retaining() -> S3Error {
    error(S3ErrorCode::InvalidRequest, "Bucket is missing Object Lock Configuration")
}

fn none() -> S3Error {
    let message = "The specified object does not have a ObjectLock configuration";
    custom("NoSuchObjectLockConfiguration", StatusCode::NOT_FOUND, message)
}

pub(super) fn malformed() -> S3Error {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    error(S3ErrorCode::MalformedXML, message)
}

/// Whether a request says that what may be cut short is to be.
pub(super) fn bypass(wanted: Option<bool>) -> Bypass {
    if wanted == Some(true) { Bypass::Governance } else { Bypass::No }
}

/// What the headers of a request say that is to keep the object that it makes from being deleted.
pub(super) fn wish(headers: &HeaderMap) -> S3Result<Option<Retention>> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let invalid = |message| error(S3ErrorCode::InvalidArgument, message);
    let term = match (text(&MODE), text(&UNTIL)) {
        (None, None) => None,
        (Some(mode), Some(until)) => {
            let mode = mode_of(mode).ok_or_else(|| invalid("Unknown wormMode directive."))?;
            let until = until.parse::<jiff::Timestamp>();
            let until = until.map_err(|_| invalid("The retain until date must be provided in ISO 8601 format"))?;
            Some(RetentionTerm { mode, until: entente_model::Timestamp::from_millis(until.as_millisecond()) })
        }
        (Some(_), None) | (None, Some(_)) => {
            let message = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
            return Err(invalid(message));
        }
    };
    let held = match text(&HOLD) {
        None | Some(ObjectLockLegalHoldStatus::OFF) => false,
        Some(ObjectLockLegalHoldStatus::ON) => true,
        Some(_) => return Err(invalid("Legal Hold must be either of 'ON' or 'OFF'")),
    };
    let is_said = term.is_some() || headers.contains_key(HOLD);
    Ok(is_said.then_some(Retention { term, held }))
}

/// Refuses at once what a bucket that retains nothing would refuse in the end.
pub(super) fn check_wish(place: &Place, wish: Option<Retention>) -> S3Result<()> {
    if wish.is_some() && place.bucket.retains == Retains::Never { Err(not_retaining()) } else { Ok(()) }
}

/// What an answer with an object says of it.
pub(super) struct Told {
    pub(super) mode: Option<ObjectLockMode>,
    pub(super) until: Option<Timestamp>,
    pub(super) hold: Option<ObjectLockLegalHoldStatus>,
}

/// Of what was opened: of other objects it is not looked up.
pub(super) fn told(object: &Object) -> Told {
    let found = object.facts.as_ref().and_then(|facts| facts.retention);
    let term = found.and_then(|found| found.term);
    Told {
        mode: term.map(|term| ObjectLockMode::from_static(mode_name(term.mode))),
        until: term.map(date),
        hold: found.filter(|found| found.held).map(|_| ObjectLockLegalHoldStatus::from_static(hold_name(true))),
    }
}

pub(super) fn mode_of(name: &str) -> Option<RetentionMode> {
    match name {
        ObjectLockRetentionMode::GOVERNANCE => Some(RetentionMode::Governance),
        ObjectLockRetentionMode::COMPLIANCE => Some(RetentionMode::Compliance),
        _ => None,
    }
}

pub(super) const fn mode_name(mode: RetentionMode) -> &'static str {
    match mode {
        RetentionMode::Governance => ObjectLockRetentionMode::GOVERNANCE,
        RetentionMode::Compliance => ObjectLockRetentionMode::COMPLIANCE,
    }
}

const fn hold_name(held: bool) -> &'static str {
    if held { ObjectLockLegalHoldStatus::ON } else { ObjectLockLegalHoldStatus::OFF }
}

/// To the millisecond, unlike other moments.
fn date(term: RetentionTerm) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_millis(term.until.millis().unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn headers_say_until_when_and_whether_it_is_held() {
        let said = wish(&headers(&[(MODE, "COMPLIANCE"), (UNTIL, "1970-01-01T00:00:01.5Z")])).unwrap().unwrap();
        let term =
            RetentionTerm { mode: RetentionMode::Compliance, until: entente_model::Timestamp::from_millis(1_500) };
        assert_eq!(said, Retention { term: Some(term), held: false });
        let said = wish(&headers(&[(MODE, "GOVERNANCE"), (UNTIL, "1970-01-01T01:00:00+01:00"), (HOLD, "ON")]));
        let said = said.unwrap().unwrap();
        assert_eq!((said.term.unwrap().until.millis(), said.held), (0, true));
        assert_eq!(wish(&headers(&[(HOLD, "OFF")])).unwrap(), Some(Retention::default()));
        assert_eq!(wish(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn what_is_half_said_is_refused() {
        for pairs in [
            &[(MODE, "COMPLIANCE")][..],
            &[(UNTIL, "2030-01-01T00:00:00Z")],
            &[(MODE, "compliance"), (UNTIL, "2030-01-01T00:00:00Z")],
            &[(MODE, "COMPLIANCE"), (UNTIL, "tomorrow")],
            &[(MODE, "COMPLIANCE"), (UNTIL, "2030-01-01")],
            &[(HOLD, "on")],
        ] {
            assert_eq!(wish(&headers(pairs)).unwrap_err().code().as_str(), "InvalidArgument", "{pairs:?}");
        }
    }

    #[test]
    fn a_date_is_told_as_it_was_said() {
        let until = entente_model::Timestamp::from_millis(1_893_456_000_123);
        let told = date(RetentionTerm { mode: RetentionMode::Governance, until });
        assert_eq!(moment(&told), Some(until));
    }
}
