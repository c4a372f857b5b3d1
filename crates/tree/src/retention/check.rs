//! Whether something may be removed: every way on which a version leaves its file's list or is removed for good comes past
//! here.

use super::Bypass;
use super::rules::check_removal;
use crate::{Error, Kind};
use entente_database::Tx;
use entente_database::retention::{self, Retention};
use entente_model::{ItemId, Timestamp, VersionId};

/// Retained versions of one file that bear no id, read at a time: more than one would need a bucket that retains and keeps
/// no versions.
const PLAIN_AT_A_TIME: u32 = 100;

/// Lets a version go that is to be taken out of its file's list: nothing is said of it any more. `Retained` if it may not
/// be removed.
pub(crate) fn release(tx: &mut Tx<'_>, version: VersionId, now: Timestamp, bypass: Bypass) -> Result<(), Error> {
    let Some(found) = retention::of_version(tx, version)? else { return Ok(()) };
    check_removal(found, now, bypass)?;
    Ok(retention::forget_version(tx, version)?)
}

/// The same for every version in the list of a file that bears no id.
pub(crate) fn release_plain(tx: &mut Tx<'_>, file: ItemId, now: Timestamp, bypass: Bypass) -> Result<(), Error> {
    loop {
        let retained = retention::plain_in_force(tx, file, now, PLAIN_AT_A_TIME)?;
        if retained.is_empty() {
            return Ok(());
        }
        // Each turn refuses, or leaves fewer.
        for (version, found) in retained {
            check_removal(found, now, bypass)?;
            retention::forget_version(tx, version)?;
        }
    }
}

/// How far the look went that found nothing retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cleared {
    /// There is nothing.
    Wholly,
    /// There is more to look at. What has been looked at need not be again.
    InPart,
}

/// Looks whether anything in an item or below it is retained: only at what is noted, and takes up to `notes` notes away.
/// `Retained` at the first that is. However deep that is, each call but the last gets on by as many notes.
pub(crate) fn clear(
    tx: &mut Tx<'_>,
    (item, kind): (ItemId, Kind),
    now: Timestamp,
    notes: u32,
) -> Result<Cleared, Error> {
    if !retention::is_marked(tx, item)? {
        return Ok(Cleared::Wholly);
    }
    let (mut way, mut left) = (vec![(item, kind)], notes);
    while let Some(&(item, kind)) = way.last() {
        if left == 0 {
            return Ok(Cleared::InPart);
        }
        let child = if kind == Kind::Folder { retention::marked_child(tx, item)? } else { None };
        if let Some(child) = child {
            way.push(child);
            continue;
        }
        if kind == Kind::File
            && let Some(found) = retention::in_force(tx, item, now)?
        {
            return Err(why(found));
        }
        retention::unmark(tx, item)?;
        left -= 1;
        way.pop();
    }
    Ok(Cleared::Wholly)
}

fn why(found: Retention) -> Error {
    let until = found.term.filter(|_| !found.held).map(|term| term.until);
    Error::Retained { until }
}
