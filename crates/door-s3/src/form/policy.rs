//! What a form's sender was allowed to send.

use super::fields::Fields;
use crate::error::error;
use crate::handlers::modified;
use entente_model::Timestamp;
use s3s::post_policy::{PostPolicy, PostPolicyCondition};
use s3s::{S3Error, S3ErrorCode, S3Result};

/// Fields that no condition needs to speak of.
const FREE: [&str; 5] = ["policy", "x-amz-signature", "file", "submit", "bucket"];

/// A policy that was signed.
pub(super) struct Policy(PostPolicy);

/// How long the file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least_bytes: u64,
    pub(super) most_bytes: u64,
}

impl Policy {
    pub(super) fn parse(text: &str) -> S3Result<Self> {
        let invalid = |_| {
            error(
                S3ErrorCode::InvalidPolicyDocument,
                "The content of the form does not meet the conditions specified in \
                                                       the policy document.",
            )
        };
        PostPolicy::from_base64(text).map(Self).map_err(invalid)
    }

    /// Whether the form is one that the policy allows, and how long its file may be.
    pub(super) fn check(&self, fields: &Fields, bucket: &str, key: &str, now: Timestamp) -> S3Result<Bounds> {
        if self.0.expiration <= modified(now) {
            return Err(error(S3ErrorCode::AccessDenied, "Invalid according to Policy: Policy expired."));
        }
        let value = |field: &str| match field {
            "bucket" => Some(bucket),
            "key" => Some(key),
            field => fields.value(field),
        };
        let mut bounds = Bounds { least_bytes: 0, most_bytes: u64::MAX };
        for condition in &self.0.conditions {
            let holds = match condition {
                PostPolicyCondition::Eq { field, value: wanted } => value(field) == Some(wanted),
                PostPolicyCondition::StartsWith { field, prefix } => {
                    value(field).is_some_and(|value| begins(field, value, prefix))
                }
                PostPolicyCondition::ContentLengthRange { min, max } => {
                    bounds.least_bytes = bounds.least_bytes.max(*min);
                    bounds.most_bytes = bounds.most_bytes.min(*max);
                    true
                }
            };
            if !holds {
                return Err(failed());
            }
        }
        let is_covered = |name: &str| {
            FREE.contains(&name)
                || name.starts_with("x-ignore-")
                || self.0.conditions.iter().any(|condition| match condition {
                    PostPolicyCondition::Eq { field, .. } | PostPolicyCondition::StartsWith { field, .. } => {
                        field == name
                    }
                    PostPolicyCondition::ContentLengthRange { .. } => false,
                })
        };
        if !fields.all().iter().all(|(name, _)| is_covered(name)) {
            return Err(error(S3ErrorCode::AccessDenied, "Invalid according to Policy: Extra input fields"));
        }
        Ok(bounds)
    }
}

/// A content type may be a list, of which each must begin so.
fn begins(field: &str, value: &str, prefix: &str) -> bool {
    if field == "content-type" {
        return value.split(',').all(|one| one.trim().starts_with(prefix));
    }
    value.starts_with(prefix)
}

fn failed() -> S3Error {
    error(S3ErrorCode::AccessDenied, "Invalid according to Policy: Policy Condition failed")
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Policy};
    use crate::form::fields::Fields;
    use data_encoding::BASE64;
    use entente_model::Timestamp;

    fn policy(conditions: &str) -> Policy {
        let text = format!("{{\"expiration\":\"2026-01-01T00:00:00Z\",\"conditions\":[{conditions}]}}");
        Policy::parse(&BASE64.encode(text.as_bytes())).unwrap()
    }

    const BEFORE: Timestamp = Timestamp::from_millis(1_767_225_599_000);
    const AFTER: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    #[test]
    fn conditions_are_met() {
        let policy = policy(
            "{\"bucket\":\"box\"},[\"starts-with\",\"$key\",\"user/\"],[\"content-length-range\",2,5],\
             [\"starts-with\",\"$Content-Type\",\"image/\"]",
        );
        let fields = Fields::of(&[("key", "user/${filename}"), ("content-type", "image/png"), ("x-ignore-a", "b")]);
        let check = |bucket: &str, key: &str, now| policy.check(&fields, bucket, key, now);
        assert_eq!(check("box", "user/a", BEFORE).unwrap(), Bounds { least_bytes: 2, most_bytes: 5 });
        assert!(check("box", "user/a", AFTER).is_err() && check("other", "user/a", BEFORE).is_err());
        assert!(check("box", "a", BEFORE).is_err());
        let extra = Fields::of(&[("key", "user/a"), ("content-type", "image/png"), ("x-amz-meta-a", "b")]);
        assert!(policy.check(&extra, "box", "user/a", BEFORE).is_err());
        let other = Fields::of(&[("key", "user/a"), ("content-type", "image/png,text/html")]);
        assert!(policy.check(&other, "box", "user/a", BEFORE).is_err());
        assert!(policy.check(&Fields::of(&[("key", "user/a")]), "box", "user/a", BEFORE).is_err());
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for text in
            ["", "nonsense", &BASE64.encode(b"{}"), &BASE64.encode(b"{\"expiration\":\"soon\",\"conditions\":[]}")]
        {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
    }
}
