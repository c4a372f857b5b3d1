//! Buckets whose objects may be retained, and how long they are by default.

use super::Operations;
use super::retention::{malformed, mode_name, mode_of};
use crate::asked::Asked;
use crate::error::{About, custom, error};
use entente_tree::{Bucket, BucketVersioning, DefaultRetention, Retains, RetentionSpan};
use http::StatusCode;
use s3s::dto::{
    DefaultRetention as DefaultRetentionElement, GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule,
    PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

pub(super) async fn show(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
    let bucket = operations.bucket(asked, &request.input.bucket).await?;
    let rule = match bucket.retains {
        Retains::Never => {
            let message = "Object Lock configuration does not exist for this bucket";
            return Err(error(S3ErrorCode::ObjectLockConfigurationNotFoundError, message));
        }
        Retains::OnRequest => None,
        Retains::ByDefault(default) => Some(ObjectLockRule { default_retention: Some(element(default)) }),
    };
    let enabled = ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED);
    let object_lock_configuration = Some(ObjectLockConfiguration { object_lock_enabled: Some(enabled), rule });
    Ok(S3Response::new(GetObjectLockConfigurationOutput { object_lock_configuration }))
}

pub(super) async fn set(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutObjectLockConfigurationInput>,
) -> S3Result<S3Response<PutObjectLockConfigurationOutput>> {
    let input = request.input;
    let bucket = operations.bucket(asked, &input.bucket).await?;
    if bucket.versioning != BucketVersioning::On {
        let message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
        return Err(invalid_state(message));
    }
    let retains = retains_of(input.object_lock_configuration.ok_or_else(malformed)?)?;
    let set = operations.tree.set_bucket_retention(&asked.caller, &bucket.name, retains).await;
    set.map_err(asked.told_about(About::Bucket))?;
    Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
}

/// Refuses to let a bucket keep no versions that may retain them.
pub(super) fn check_versioning(bucket: &Bucket, versioning: BucketVersioning) -> S3Result<()> {
    if versioning == BucketVersioning::On || bucket.retains == Retains::Never {
        return Ok(());
    }
    let message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
    Err(invalid_state(message))
}

fn invalid_state(message: &'static str) -> S3Error {
    custom("InvalidBucketState", StatusCode::CONFLICT, message)
}

fn retains_of(wanted: ObjectLockConfiguration) -> S3Result<Retains> {
    let enabled = wanted.object_lock_enabled.as_ref().map(ObjectLockEnabled::as_str);
    if enabled != Some(ObjectLockEnabled::ENABLED) {
        return Err(malformed());
    }
    let Some(rule) = wanted.rule else { return Ok(Retains::OnRequest) };
    let default = rule.default_retention.ok_or_else(malformed)?;
    let mode = default.mode.as_ref().and_then(|mode| mode_of(mode.as_str())).ok_or_else(malformed)?;
    let period = |value: i32| {
        let message = "Default retention period must be a positive integer value.";
        u32::try_from(value).ok().filter(|value| *value > 0).ok_or_else(|| invalid_period(message))
    };
    let span = match (default.days, default.years) {
        (Some(days), None) => RetentionSpan::Days(period(days)?),
        (None, Some(years)) => RetentionSpan::Years(period(years)?),
        (Some(_), Some(_)) | (None, None) => return Err(malformed()),
    };
    if matches!(span, RetentionSpan::Days(36_501..) | RetentionSpan::Years(101..)) {
        return Err(invalid_period("Default retention period too large."));
    }
    Ok(Retains::ByDefault(DefaultRetention { mode, span }))
}

fn invalid_period(message: &'static str) -> S3Error {
    custom("InvalidRetentionPeriod", StatusCode::BAD_REQUEST, message)
}

fn element(default: DefaultRetention) -> DefaultRetentionElement {
    let number = |value: u32| Some(i32::try_from(value).unwrap_or(i32::MAX));
    let (days, years) = match default.span {
        RetentionSpan::Days(days) => (number(days), None),
        RetentionSpan::Years(years) => (None, number(years)),
    };
    let mode = Some(ObjectLockRetentionMode::from_static(mode_name(default.mode)));
    DefaultRetentionElement { days, mode, years }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_tree::RetentionMode;

    fn wanted(mode: &'static str, days: Option<i32>, years: Option<i32>) -> ObjectLockConfiguration {
        let mode = Some(ObjectLockRetentionMode::from_static(mode));
        let default_retention = Some(DefaultRetentionElement { days, mode, years });
        ObjectLockConfiguration {
            object_lock_enabled: Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED)),
            rule: Some(ObjectLockRule { default_retention }),
        }
    }

    #[test]
    fn a_default_is_of_days_or_of_years() {
        for (days, years, span) in
            [(Some(36_500), None, RetentionSpan::Days(36_500)), (None, Some(1), RetentionSpan::Years(1))]
        {
            let retains = retains_of(wanted("GOVERNANCE", days, years)).unwrap();
            let default = DefaultRetention { mode: RetentionMode::Governance, span };
            assert_eq!(retains, Retains::ByDefault(default));
            assert_eq!((element(default).days, element(default).years), (days, years));
        }
        let without_rule = ObjectLockConfiguration { rule: None, ..wanted("GOVERNANCE", None, None) };
        assert_eq!(retains_of(without_rule).unwrap(), Retains::OnRequest);
    }

    #[test]
    fn other_defaults_are_refused() {
        for (mode, days, years, code) in [
            ("GOVERNANCE", Some(1), Some(1), "MalformedXML"),
            ("GOVERNANCE", None, None, "MalformedXML"),
            ("governance", Some(1), None, "MalformedXML"),
            ("COMPLIANCE", Some(0), None, "InvalidRetentionPeriod"),
            ("COMPLIANCE", None, Some(-1), "InvalidRetentionPeriod"),
            ("COMPLIANCE", Some(36_501), None, "InvalidRetentionPeriod"),
            ("COMPLIANCE", None, Some(101), "InvalidRetentionPeriod"),
        ] {
            let refused = retains_of(wanted(mode, days, years)).unwrap_err();
            assert_eq!(refused.code().as_str(), code, "{mode} {days:?} {years:?}");
        }
        let disabled = ObjectLockEnabled::from_static("Disabled");
        let disabled =
            ObjectLockConfiguration { object_lock_enabled: Some(disabled), ..wanted("GOVERNANCE", Some(1), None) };
        assert_eq!(retains_of(disabled).unwrap_err().code().as_str(), "MalformedXML");
    }
}
