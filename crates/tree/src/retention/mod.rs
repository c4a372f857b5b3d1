//! Versions that may not be removed: retained until a time, or held for as long as somebody says, through whatever door.
//!
//! What is retained can go into the trash, where nothing is lost, be moved, be overwritten by another version and be
//! copied without what retains it. It cannot be removed for good, nor be taken out of the list of its file's versions,
//! nor can a folder that it is somewhere below.
//!
//! To know the latter without looking through all that is below, each item that has retained versions is noted, with every
//! folder above it: see [`keep`]. A note may outlive its reason, and is never missing.

mod bucket;
mod check;
mod keep;
mod rules;
mod span;

pub(crate) use bucket::with_retention;
pub(crate) use check::{Cleared, clear, release, release_plain};
pub(crate) use keep::{Keeping, begin, check_wish, decide, follow, mark_copy, of_folder};
pub use rules::Bypass;

use crate::grant::{Change, See};
use crate::paths::{Named, Object, Path, WantedVersion, named};
use crate::{Caller, Error, Tree};
use entente_database::events::EventKind;
use entente_database::items;
use entente_database::retention::{self, Retention, RetentionTerm};

/// A change of what keeps a version from being removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionChange {
    /// It is retained until then, or not at all.
    Term {
        /// Until when.
        term: Option<RetentionTerm>,
        /// Whether the caller wants to cut short what may be cut short.
        bypass: Bypass,
    },
    /// It is held.
    Hold,
    /// It is not held any longer.
    LetGo,
}

impl Tree {
    /// A version of the file at a path (the current one, if none is named), and what keeps it from being removed, if
    /// anything was ever said of that. Errors are those of [`Tree::version_at`]. A few lookups, inline.
    pub async fn retention_at(
        &self,
        caller: &Caller,
        path: Path<'_>,
        version: Option<WantedVersion>,
    ) -> Result<(Object, Option<Retention>), Error> {
        self.database.read(|tx| {
            let Named { object, version, .. } = named::<See>(tx, caller, (path, version))?;
            Ok((object, retention::of_version(tx, version)?))
        })
    }

    /// Changes what keeps a version of the file at a path (the current one, if none is named) from being removed.
    ///
    /// `Invalid` where the bucket retains nothing, and for a term that is over already; `Retained` when the version is
    /// retained longer than it would be, or otherwise, and that may not be cut short. Otherwise the errors of
    /// [`Tree::version_at`].
    pub async fn set_retention_at(
        &self,
        caller: &Caller,
        (path, version): (Path<'_>, Option<WantedVersion>),
        change: RetentionChange,
    ) -> Result<Object, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        let (base, names) = (path.base, path.names.to_vec());
        self.database
            .transact("set retention at path", move |tx| {
                let path = Path { base, names: &names };
                let Named { object, version, bucket } = named::<Change>(tx, &caller, (path, version))?;
                let item = object.view.item.id;
                keep::check_bucket(tx, bucket)?;
                let before = retention::of_version(tx, version)?.unwrap_or_default();
                let after = rules::changed(before, change, stamp.at)?;
                if after != before {
                    retention::set(tx, (item, version), after)?;
                    let way = items::ancestors(tx, item)?;
                    keep::mark_way(tx, &way)?;
                    stamp.record(tx, &caller, EventKind::Described, item, Some(version))?;
                }
                Ok(object)
            })
            .await
    }
}
