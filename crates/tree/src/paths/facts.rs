//! Changing what is remembered of a version, in place.

use super::at::object;
use super::removed::{Placed, find_version};
use super::way::find;
use super::{Object, Path, Want, WantedVersion};
use crate::grant::Change;
use crate::{Caller, Error, Tree, subscriptions};
use entente_database::events::EventKind;
use entente_database::facts::{self, Facts};

impl Tree {
    /// Changes what is remembered of a version of the file at a path (the current one, if none is named). The version
    /// itself stays as it is. `change` may be called more than once, each time with the facts as they are then.
    ///
    /// `NotFound`, `Trashed`, `Forbidden`; `Deleted` for a delete marker; what `change` answers.
    pub async fn set_facts_at<F>(
        &self,
        caller: &Caller,
        (path, version): (Path<'_>, Option<WantedVersion>),
        mut change: F,
    ) -> Result<Object, Error>
    where
        F: FnMut(&mut Facts) -> Result<(), Error> + Send + 'static,
    {
        let (caller, stamp) = (caller.clone(), self.stamp());
        let (base, names) = (path.base, path.names.to_vec());
        self.database
            .transact("set facts at path", move |tx| {
                let path = Path { base, names: &names };
                let (grant, mut found) = match version {
                    None => find::<Change>(tx, &caller, path, Want::File.kind())?,
                    Some(version) => {
                        let Placed { grant, found } = find_version::<Change>(tx, &caller, path, version)?;
                        (grant, found)
                    }
                };
                let version = found.version.as_ref().map(|version| version.id);
                let version = version.ok_or(Error::internal("a file has no current version"))?;
                let before = found.facts.take().unwrap_or_default();
                let mut after = before.clone();
                change(&mut after)?;
                if after != before {
                    facts::replace(tx, version, &after)?;
                    stamp.record(tx, &caller, EventKind::Described, found.item.id, Some(version))?;
                    let facts = (&found, &before, &after);
                    subscriptions::changed(tx, (&caller, stamp), grant.beside()?, facts)?;
                }
                found.facts = Some(after).filter(|facts| !facts.is_empty());
                object(tx, &grant, found)
            })
            .await
    }
}
