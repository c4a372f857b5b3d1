//! Conditions that requests state: of reads, of writes, and of what is copied.

use super::shown::modified;
use crate::error::{error, not_served};
use entente_model::Timestamp;
use entente_tree::{Expect, Object};
use s3s::dto::{self, ETag, ETagCondition};
use s3s::{S3Error, S3ErrorCode, S3Result};

/// The four conditions of a read, or of what is copied.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    pub(super) matches: Option<ETagCondition>,
    pub(super) none_match: Option<ETagCondition>,
    pub(super) modified_since: Option<dto::Timestamp>,
    pub(super) unmodified_since: Option<dto::Timestamp>,
}

/// What follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Holds,
    NotModified,
    Failed,
}

impl Conditions {
    /// Decides for an object, in the order of RFC 9110, section 13.2.2.
    pub(super) fn decide(&self, etag: &str, stored_at: Timestamp) -> Outcome {
        let stored_at = modified(stored_at);
        match (&self.matches, &self.unmodified_since) {
            (Some(wanted), _) if !names(wanted, etag) => return Outcome::Failed,
            (None, Some(since)) if stored_at > *since => return Outcome::Failed,
            _ => {}
        }
        match (&self.none_match, &self.modified_since) {
            (Some(unwanted), _) if names(unwanted, etag) => Outcome::NotModified,
            (None, Some(since)) if stored_at <= *since => Outcome::NotModified,
            _ => Outcome::Holds,
        }
    }

    /// The same of what is copied, which either holds or not.
    pub(super) fn check_source(&self, etag: &str, stored_at: Timestamp) -> S3Result<()> {
        if self.decide(etag, stored_at) == Outcome::Holds { Ok(()) } else { Err(failed()) }
    }
}

pub(super) fn failed() -> S3Error {
    let message = "At least one of the pre-conditions you specified did not hold";
    error(S3ErrorCode::PreconditionFailed, message)
}

fn names(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.value() == etag,
    }
}

/// What must be at a key for a write to happen. `found` is what is there, and asked for only when that matters.
pub(super) fn expected(
    matches: Option<&ETagCondition>,
    none_match: Option<&ETagCondition>,
    found: Option<&Object>,
) -> S3Result<Expect> {
    match (matches, none_match) {
        (None, None) => Ok(Expect::Anything),
        (Some(_), Some(_)) => Err(not_served("If-Match and If-None-Match together are not served")),
        (None, Some(ETagCondition::Any)) => Ok(Expect::Absent),
        (None, Some(ETagCondition::ETag(_))) => Err(not_served("A write's If-None-Match can only be *")),
        (Some(ETagCondition::Any), None) => Ok(Expect::Present),
        (Some(ETagCondition::ETag(wanted)), None) => {
            let object = found.ok_or_else(|| crate::error::About::Key.missing())?;
            let version = object.view.version.as_ref().ok_or_else(failed)?;
            if wanted.value() == object.etag() { Ok(Expect::Version(version.id)) } else { Err(failed()) }
        }
    }
}

/// Whether what is at the key must be looked at to know what is expected.
pub(super) fn depends_on_content(matches: Option<&ETagCondition>) -> bool {
    matches!(matches, Some(ETagCondition::ETag(_)))
}

/// An entity tag as answers have it.
pub(super) fn strong(etag: String) -> ETag {
    ETag::Strong(etag)
}

#[cfg(test)]
mod tests {
    use super::{Conditions, Outcome};
    use crate::handlers::shown::modified;
    use entente_model::Timestamp;
    use s3s::dto::{ETag, ETagCondition};

    fn tag(text: &str) -> Option<ETagCondition> {
        Some(ETagCondition::ETag(ETag::Strong(text.to_owned())))
    }

    #[test]
    fn tags_outrank_times() {
        let stored_at = Timestamp::from_millis(10_500);
        let decide = |conditions: &Conditions| conditions.decide("aa", stored_at);
        let (before, same) = (Some(modified(Timestamp::from_millis(9_000))), Some(modified(stored_at)));
        assert_eq!(decide(&Conditions::default()), Outcome::Holds);
        assert_eq!(decide(&Conditions { matches: tag("aa"), ..Conditions::default() }), Outcome::Holds);
        assert_eq!(decide(&Conditions { matches: tag("bb"), ..Conditions::default() }), Outcome::Failed);
        assert_eq!(decide(&Conditions { none_match: tag("aa"), ..Conditions::default() }), Outcome::NotModified);
        assert_eq!(decide(&Conditions { modified_since: same.clone(), ..Conditions::default() }), Outcome::NotModified);
        assert_eq!(decide(&Conditions { modified_since: before.clone(), ..Conditions::default() }), Outcome::Holds);
        assert_eq!(decide(&Conditions { unmodified_since: same.clone(), ..Conditions::default() }), Outcome::Holds);
        assert_eq!(decide(&Conditions { unmodified_since: before.clone(), ..Conditions::default() }), Outcome::Failed);
        let both = Conditions { matches: tag("aa"), unmodified_since: before, ..Conditions::default() };
        assert_eq!(decide(&both), Outcome::Holds);
        let both = Conditions { none_match: tag("bb"), modified_since: same, ..Conditions::default() };
        assert_eq!(decide(&both), Outcome::Holds);
    }
}
