//! Looking at paths, and reading what is there.

use super::removed::{Placed, find_version};
use super::way::{descend, find};
use super::{MarkerId, Object, Path, Want, WantedVersion};
use crate::files::Content;
use crate::grant::{Act, Download, Grant, List, See};
use crate::guards::check_unlocked_to_read;
use crate::limits::PAGE_ITEMS_MAX;
use crate::view::{Minis, Surroundings};
use crate::{Caller, Error, Item, Kind, Tree, allow};
use entente_database::Tx;
use entente_database::facts::Facts;
use entente_database::paths::{self, Found, From};
use entente_model::{ItemId, VersionId};

impl Tree {
    /// What is at a path. `NotFound`; `Trashed` when the path begins in the trash. A few lookups, inline.
    pub async fn at(&self, caller: &Caller, path: Path<'_>, want: Want) -> Result<Object, Error> {
        self.database.read(|tx| {
            let (grant, found) = find::<See>(tx, caller, path, want.kind())?;
            object(tx, &grant, found)
        })
    }

    /// A version of the file at a path, or the current one if none is named, in the trash too if it is shown among the
    /// versions of the path. `NotFound`; `Deleted` for a delete marker.
    pub async fn version_at(
        &self,
        caller: &Caller,
        path: Path<'_>,
        version: Option<WantedVersion>,
    ) -> Result<Object, Error> {
        let Some(version) = version else { return self.at(caller, path, Want::File).await };
        self.database.read(|tx| {
            let Placed { grant, found, .. } = find_version::<See>(tx, caller, path, version)?;
            object(tx, &grant, found)
        })
    }

    /// Decides whether the caller may read a version of the file at a path (the current one, if none is named), and gives
    /// all that reading it needs, as it is at one moment. Errors are those of [`Tree::version_at`]. A few lookups, inline.
    pub async fn open_at(
        &self,
        caller: &Caller,
        path: Path<'_>,
        version: Option<WantedVersion>,
    ) -> Result<(Object, Content), Error> {
        self.database.read(|tx| open(tx, caller, path, version))
    }

    /// The delete marker that is the newest of a path's history, if that is what there is rather than a file.
    pub async fn marker_at(&self, caller: &Caller, path: Path<'_>) -> Result<Option<WantedVersion>, Error> {
        self.database.read(|tx| {
            let Some((name, above)) = path.names.split_last() else { return Ok(None) };
            let reached = descend(tx, path.base, above)?;
            let grant = crate::grant::allow_way::<See>(caller, reached.way)?;
            let folder = grant.item().id;
            if !reached.missing.is_empty() || paths::child(tx, folder, name, Want::File.kind())?.is_some() {
                return Ok(None);
            }
            let newest = super::removed::newest_shown(tx, folder, name)?;
            Ok(newest.filter(|newest| newest.item.mark.marker).map(|newest| marker_of(&newest.item)))
        })
    }

    /// Up to `limit` children of a folder, and `limits::PAGE_ITEMS_MAX`, in the order of [`Object::sort_name`], after
    /// that one. A walk along an index, on another thread. `NotFound`, `Trashed` and `Forbidden` speak of the folder.
    pub async fn children(
        &self,
        caller: &Caller,
        folder: ItemId,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Object>, Error> {
        let caller = caller.clone();
        let from = after.map_or(From::At(String::new()), From::After);
        self.database
            .read_long(move |tx| {
                let grant = allow::<List>(tx, &caller, folder)?.of(Kind::Folder)?;
                let page = paths::page(tx, folder, &from, limit.min(PAGE_ITEMS_MAX))?;
                let (surroundings, mut minis) = (Surroundings::inside(grant.inside()), Minis::default());
                page.into_iter().map(|found| object_within(tx, &surroundings, &mut minis, found)).collect()
            })
            .await
    }
}

/// What reading a version of the file at a path needs.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    caller: &Caller,
    path: Path<'_>,
    version: Option<WantedVersion>,
) -> Result<(Object, Content), Error> {
    let (grant, found) = match version {
        None => find::<Download>(tx, caller, path, Want::File.kind())?,
        Some(version) => {
            let Placed { grant, found, .. } = find_version::<Download>(tx, caller, path, version)?;
            (grant, found)
        }
    };
    check_unlocked_to_read(tx, caller, &found.item)?;
    let content = found.version.as_ref().map(|version| version.content);
    let content = content.ok_or(Error::internal("a file has no current version"))?;
    let content = Content::find(tx, content)?.ok_or(Error::internal("a version's content is not there"))?;
    Ok((object(tx, &grant, found)?, content))
}

/// What is remembered of a version of the file at a path (the current one, if none is named), if there is such a file.
pub(crate) fn facts_at(
    tx: &mut Tx<'_>,
    caller: &Caller,
    path: Path<'_>,
    version: Option<WantedVersion>,
) -> Result<Option<Facts>, Error> {
    let found = match version {
        None => find::<See>(tx, caller, path, Want::File.kind()).map(|(_, found)| found),
        Some(version) => find_version::<See>(tx, caller, path, version).map(|placed| placed.found),
    };
    match found {
        Ok(found) => Ok(found.facts),
        Err(Error::NotFound | Error::Deleted) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A version that a request names.
pub(crate) struct Named {
    pub(crate) object: Object,
    pub(crate) version: VersionId,
    /// The bucket that its path leads through.
    pub(crate) bucket: Option<ItemId>,
}

/// A version of the file at a path, or the current one if none is named. Errors are those of [`Tree::version_at`].
pub(crate) fn named<A: Act>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (path, version): (Path<'_>, Option<WantedVersion>),
) -> Result<Named, Error> {
    let (grant, found) = match version {
        None => find::<A>(tx, caller, path, Want::File.kind())?,
        Some(version) => {
            let Placed { grant, found } = find_version::<A>(tx, caller, path, version)?;
            (grant, found)
        }
    };
    let version = found.version.as_ref().map(|version| version.id);
    let version = version.ok_or(Error::internal("a file has no current version"))?;
    Ok(Named { object: object(tx, &grant, found)?, version, bucket: grant.bucket() })
}

/// How a marker is called.
pub(crate) fn marker_of(item: &Item) -> WantedVersion {
    if item.mark.plain {
        WantedVersion::Plain
    } else {
        WantedVersion::Marker(MarkerId { item: item.id, sequence: item.sequence })
    }
}

/// What is shown of the item of a grant.
pub(super) fn object<A>(tx: &mut Tx<'_>, grant: &Grant<A>, found: Found) -> Result<Object, Error> {
    object_within(tx, &Surroundings::of(grant), &mut Minis::default(), found)
}

/// The same for one of many siblings.
pub(super) fn object_within(
    tx: &mut Tx<'_>,
    surroundings: &Surroundings,
    minis: &mut Minis,
    Found { item, version, md5, facts }: Found,
) -> Result<Object, Error> {
    Ok(Object { view: surroundings.view(tx, minis, item, version)?, md5, facts })
}
