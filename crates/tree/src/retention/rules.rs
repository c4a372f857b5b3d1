//! What may be done with what is retained: pure.

use super::RetentionChange;
use crate::Error;
use entente_database::retention::{Retention, RetentionMode, RetentionTerm};
use entente_model::Timestamp;

/// Whether somebody wants to remove a version before its time, or to shorten that. Whether they may is decided by who asks
/// for it; what is kept under compliance, or held, is kept all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Bypass {
    /// Not.
    #[default]
    No,
    /// What is kept under governance.
    Governance,
}

/// Decides about a change. `Retained`; `Invalid`.
pub(super) fn changed(before: Retention, change: RetentionChange, now: Timestamp) -> Result<Retention, Error> {
    match change {
        RetentionChange::Hold => Ok(Retention { held: true, ..before }),
        RetentionChange::LetGo => Ok(Retention { held: false, ..before }),
        RetentionChange::Term { term, bypass } => {
            if let Some(term) = term {
                check_term(term, now)?;
            }
            if let Some(old) = before.term.filter(|old| old.until > now) {
                let is_longer = term.is_some_and(|new| new.mode == old.mode && new.until >= old.until);
                if !is_longer && !may_cut_short(old, bypass) {
                    return Err(Error::Retained { until: Some(old.until) });
                }
            }
            Ok(Retention { term, ..before })
        }
    }
}

/// Whether a version may be removed. `Retained` if not.
pub(super) fn check_removal(retention: Retention, now: Timestamp, bypass: Bypass) -> Result<(), Error> {
    if retention.held {
        return Err(Error::Retained { until: None });
    }
    match retention.term {
        Some(term) if term.until > now && !may_cut_short(term, bypass) => {
            Err(Error::Retained { until: Some(term.until) })
        }
        _ => Ok(()),
    }
}

/// `Invalid` for a term that is over already.
pub(super) fn check_term(term: RetentionTerm, now: Timestamp) -> Result<(), Error> {
    if term.until > now { Ok(()) } else { Err(Error::Invalid("the retain until date must be in the future")) }
}

fn may_cut_short(term: RetentionTerm, bypass: Bypass) -> bool {
    term.mode == RetentionMode::Governance && bypass == Bypass::Governance
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn term(mode: RetentionMode, until: i64) -> Option<RetentionTerm> {
        Some(RetentionTerm { mode, until: Timestamp::from_millis(until) })
    }

    fn set(
        before: Option<RetentionTerm>,
        after: Option<RetentionTerm>,
        bypass: Bypass,
    ) -> Result<Option<RetentionTerm>, Error> {
        let before = Retention { term: before, held: false };
        changed(before, RetentionChange::Term { term: after, bypass }, NOW).map(|after| after.term)
    }

    #[test]
    fn a_term_is_made_longer_by_anybody_and_shorter_by_few() {
        use Bypass::{Governance as Yes, No};
        use RetentionMode::{Compliance, Governance};
        for (before, after, bypass, may) in [
            (None, term(Governance, 2_000), No, true),
            (None, None, No, true),
            (term(Governance, 2_000), term(Governance, 2_000), No, true),
            (term(Governance, 2_000), term(Governance, 3_000), No, true),
            (term(Governance, 2_000), term(Governance, 1_500), No, false),
            (term(Governance, 2_000), term(Governance, 1_500), Yes, true),
            (term(Governance, 2_000), None, No, false),
            (term(Governance, 2_000), None, Yes, true),
            (term(Governance, 2_000), term(Compliance, 3_000), No, false),
            (term(Governance, 2_000), term(Compliance, 3_000), Yes, true),
            (term(Compliance, 2_000), term(Compliance, 3_000), No, true),
            (term(Compliance, 2_000), term(Compliance, 1_999), Yes, false),
            (term(Compliance, 2_000), term(Governance, 3_000), Yes, false),
            (term(Compliance, 2_000), None, Yes, false),
            // What is over is over.
            (term(Compliance, 1_000), None, No, true),
            (term(Compliance, 1_000), term(Governance, 1_001), No, true),
        ] {
            let outcome = set(before, after, bypass);
            assert_eq!(outcome.is_ok(), may, "{before:?} to {after:?} with {bypass:?}");
            match outcome {
                Ok(found) => assert_eq!(found, after),
                Err(error) => assert!(matches!(error, Error::Retained { until: Some(_) }), "{error}"),
            }
        }
        assert!(matches!(set(None, term(Compliance, 1_000), No), Err(Error::Invalid(_))));
    }

    #[test]
    fn a_hold_has_nothing_to_do_with_the_term() {
        let before = Retention { term: term(RetentionMode::Compliance, 2_000), held: false };
        let held = changed(before, RetentionChange::Hold, NOW).expect("a hold");
        assert_eq!(held, Retention { held: true, ..before });
        assert_eq!(changed(held, RetentionChange::LetGo, NOW).expect("no hold"), before);
    }

    #[test]
    fn removal_waits_for_both() {
        use RetentionMode::{Compliance, Governance};
        let check = |term, held, bypass| check_removal(Retention { term, held }, NOW, bypass);
        assert!(check(None, false, Bypass::No).is_ok());
        assert!(check(term(Compliance, 1_000), false, Bypass::No).is_ok());
        assert!(check(term(Governance, 1_001), false, Bypass::Governance).is_ok());
        let until = Some(Timestamp::from_millis(1_001));
        for bypass in [Bypass::No, Bypass::Governance] {
            let outcome = check(term(Compliance, 1_001), false, bypass);
            assert!(matches!(outcome, Err(Error::Retained { until: found }) if found == until));
            let outcome = check(term(Governance, 1_001), true, bypass);
            assert!(matches!(outcome, Err(Error::Retained { until: None })));
        }
        assert!(check(term(Governance, 1_001), false, Bypass::No).is_err());
    }
}
