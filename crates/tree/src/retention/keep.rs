//! What arrives is retained as it is wished, or as its bucket does by default; and what is noted of where such versions are.
//!
//! The notes: a file that has retained versions is noted, with each folder above it up to what stands on top. Whoever
//! notes goes up until something is noted as it should be. So whatever is put somewhere else takes its note along
//! ([`follow`]), and whoever takes a note away ([`super::clear`]) begins at the bottom.

use super::rules::check_term;
use super::span;
use crate::Error;
use crate::grant::Grant;
use entente_database::Tx;
use entente_database::buckets;
use entente_database::facts::Facts;
use entente_database::items::{self, Ancestor, Item};
use entente_database::retention::{self, Retains, Retention, RetentionTerm};
use entente_database::versions::Version;
use entente_model::{ItemId, Timestamp, VersionId};

/// How a version that arrives is retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Keeping {
    /// As its bucket does by default, which is still to be looked up.
    #[default]
    AsBucket,
    /// As has been decided.
    As(Option<Retention>),
}

/// `Invalid` when what is wished is a term that is over already.
pub(crate) fn check_wish(facts: &Facts, now: Timestamp) -> Result<(), Error> {
    facts.retention.and_then(|wish| wish.term).map_or(Ok(()), |term| check_term(term, now))
}

/// How what arrives in a bucket is retained. `Invalid` for a wish where nothing is.
pub(crate) fn decide(retains: Retains, wish: Option<Retention>, at: Timestamp) -> Result<Option<Retention>, Error> {
    let decided = match (retains, wish) {
        (Retains::Never, Some(_)) => return Err(nothing_retained()),
        (Retains::Never, None) => return Ok(None),
        (Retains::OnRequest, wish) => wish.unwrap_or_default(),
        (Retains::ByDefault(default), wish) => {
            let wish = wish.unwrap_or_default();
            let term = RetentionTerm { mode: default.mode, until: span::after(at, default.span) };
            Retention { term: Some(wish.term.unwrap_or(term)), ..wish }
        }
    };
    Ok(Some(decided).filter(|decided| *decided != Retention::default()))
}

/// `Invalid` where the versions of the bucket may not be retained.
pub(super) fn check_bucket(tx: &mut Tx<'_>, bucket: Option<ItemId>) -> Result<(), Error> {
    if of_bucket(tx, bucket)? == Retains::Never { Err(nothing_retained()) } else { Ok(()) }
}

fn nothing_retained() -> Error {
    Error::Invalid("nothing is retained in this bucket: object lock is not enabled")
}

/// Whether the versions below a folder at a root may be retained.
fn of_bucket(tx: &mut Tx<'_>, bucket: Option<ItemId>) -> Result<Retains, Error> {
    let Some(bucket) = bucket else { return Ok(Retains::Never) };
    Ok(buckets::traits(tx, bucket)?.retains)
}

/// How what is copied into a folder is retained.
pub(crate) fn of_folder<A>(tx: &mut Tx<'_>, folder: &Grant<A>, at: Timestamp) -> Result<Option<Retention>, Error> {
    decide(of_bucket(tx, folder.bucket())?, None, at)
}

/// Retains a version that has just been made. `way` leads from its file to the top, and `bucket` is on it.
pub(crate) fn begin(
    tx: &mut Tx<'_>,
    (version, keeping): (&Version, Keeping),
    bucket: Option<ItemId>,
    way: impl FnOnce() -> Vec<Ancestor>,
) -> Result<(), Error> {
    let decided = match keeping {
        Keeping::AsBucket => decide(of_bucket(tx, bucket)?, None, version.created_at)?,
        Keeping::As(decided) => decided,
    };
    let Some(decided) = decided else { return Ok(()) };
    retention::set(tx, (version.item, version.id), decided)?;
    mark_way(tx, &way())
}

/// Retains a version in a copy that is being made, and notes where it is: the folders of a copy are noted one by one, as
/// they are made.
pub(crate) fn mark_copy(
    tx: &mut Tx<'_>,
    item: &Item,
    version: Option<VersionId>,
    retention: Option<Retention>,
) -> Result<(), Error> {
    let Some(retention) = retention else { return Ok(()) };
    if let Some(version) = version {
        retention::set(tx, (item.id, version), retention)?;
    }
    if let Some(parent) = item.parent {
        retention::mark(tx, item.id, parent)?;
    }
    Ok(())
}

/// Notes the first step of a way and those above it.
pub(super) fn mark_way(tx: &mut Tx<'_>, way: &[Ancestor]) -> Result<(), Error> {
    for step in way {
        let Some(parent) = step.parent else { break };
        if retention::mark(tx, step.id, parent)? {
            break;
        }
    }
    Ok(())
}

/// Takes the note of an item along that has just been put somewhere else, or back where it was.
pub(crate) fn follow(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    if !retention::is_marked(tx, item)? {
        return Ok(());
    }
    let way = items::ancestors(tx, item)?;
    let Some((first, above)) = way.split_first() else { return Ok(()) };
    if let Some(parent) = first.parent {
        // It may say so already, from when it was there before; those above may have lost theirs since.
        retention::mark(tx, first.id, parent)?;
    }
    mark_way(tx, above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_database::retention::{DefaultRetention, RetentionMode, RetentionSpan};

    const AT: Timestamp = Timestamp::from_millis(1_000);

    #[test]
    fn a_wish_goes_before_the_default() {
        let default =
            Retains::ByDefault(DefaultRetention { mode: RetentionMode::Compliance, span: RetentionSpan::Days(1) });
        let term = |mode, until| Some(RetentionTerm { mode, until: Timestamp::from_millis(until) });
        let by_default = term(RetentionMode::Compliance, 86_401_000);
        let wished = term(RetentionMode::Governance, 2_000);
        let wish = |term, held| Some(Retention { term, held });
        for (retains, wished, decided) in [
            (Retains::Never, None, None),
            (Retains::OnRequest, None, None),
            (Retains::OnRequest, wish(None, false), None),
            (Retains::OnRequest, wish(wished, false), wish(wished, false)),
            (Retains::OnRequest, wish(None, true), wish(None, true)),
            (default, None, wish(by_default, false)),
            (default, wish(None, true), wish(by_default, true)),
            (default, wish(wished, false), wish(wished, false)),
        ] {
            assert_eq!(decide(retains, wished, AT).expect("decided"), decided, "{retains:?} {wished:?}");
        }
        assert!(matches!(decide(Retains::Never, wish(None, true), AT), Err(Error::Invalid(_))));
    }
}
