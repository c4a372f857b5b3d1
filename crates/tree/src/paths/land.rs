//! What was stored becomes a file at a path, or its next version: the end of every upload that knows a path.

use super::folders::imply;
use super::removed::hide_plain;
use super::way::{Reached, descend_again};
use super::{Expect, Folders, Object, Path, Put, Versioning};
use crate::files::{Added, Target, add_file_to, add_version_to};
use crate::grant::{Grant, Upload, allow_way};
use crate::items::place::{NameRule, check_name};
use crate::retention::Keeping;
use crate::view::Minis;
use crate::{Caller, Error, Kind, retention, subscriptions};
use entente_database::Tx;
use entente_database::buckets::{self, BucketVersioning, Traits};
use entente_database::facts::{self, Facts};
use entente_database::items::Ancestor;
use entente_database::lifecycle;
use entente_database::paths::{self, Found};
use entente_model::{ItemId, ItemName, Md5, UserId};
use entente_world::World;

/// Where something is to land, and on which terms.
#[derive(Debug, Clone)]
pub(crate) struct Landing {
    base: ItemId,
    names: Vec<ItemName>,
    folders: Folders,
    rule: NameRule,
    expect: Expect,
    versioning: Versioning,
    /// The folder that was there when it was last looked for.
    hint: Option<ItemId>,
}

/// What there is where something is to land.
struct Site<'l> {
    /// The last folder of the way that is there.
    folder: Grant<Upload>,
    missing: &'l [ItemName],
    name: &'l ItemName,
    found: Option<Found>,
}

impl Landing {
    pub(crate) fn new(
        path: Path<'_>,
        (folders, rule): (Folders, NameRule),
        (expect, versioning): (Expect, Versioning),
    ) -> Self {
        let Path { base, names } = path;
        Self { base, names: names.to_vec(), folders, rule, expect, versioning, hint: None }
    }

    /// Looks where it is before there is a body, and refuses what can be refused already: the folder that it is below, and
    /// how much is known of that for the next time. Errors are those of [`Landing::site`].
    pub(crate) fn scout(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<(Grant<Upload>, Option<ItemId>), Error> {
        if self.expect != Expect::Anything || self.rule != NameRule::Exact {
            let site = self.site(tx, caller)?;
            let hint = site.hint();
            return Ok((site.folder, hint));
        }
        // Whatever has the name, nothing is in the way.
        let (folder, missing, _) = self.reach(tx, caller)?;
        let hint = missing.is_empty().then(|| folder.item().id);
        if hint.is_none() && self.folders == Folders::Refuse { Err(Error::FolderMissing) } else { Ok((folder, hint)) }
    }

    /// Goes as far as there are folders. Answers the last one, the names of those missing, and the item's.
    fn reach(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<(Grant<Upload>, &[ItemName], &ItemName), Error> {
        let (name, above) = self.names.split_last().ok_or(Error::Forbidden)?;
        let Reached { way, missing } = descend_again(tx, (self.base, above), self.hint)?;
        Ok((allow_way::<Upload>(caller, way)?, missing, name))
    }

    /// Looks where it is, decides whether the caller may, and whether the terms hold.
    ///
    /// `Forbidden` for a path without names; `FolderMissing`; `NameInUse`; `PreconditionFailed`.
    fn site(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<Site<'_>, Error> {
        let (folder, missing, name) = self.reach(tx, caller)?;
        if !missing.is_empty() {
            self.expect.check(None)?;
            if self.folders == Folders::Refuse {
                return Err(Error::FolderMissing);
            }
            return Ok(Site { folder, missing, name, found: None });
        }
        let found = paths::child(tx, folder.item().id, name, Some(Kind::File))?;
        if found.is_none() && self.rule != NameRule::Exact {
            check_name(tx, folder.inside(), (Kind::File, name), self.rule, None)?;
        }
        self.expect.check(found.as_ref().map(|found| &found.item))?;
        Ok(Site { folder, missing, name, found })
    }

    /// Remembers where that was, for the next time.
    pub(crate) fn seen(&mut self, folder: Option<ItemId>) {
        self.hint = folder;
    }
}

impl Site<'_> {
    /// The folder, if it is the very one that the item is to be in.
    fn hint(&self) -> Option<ItemId> {
        self.missing.is_empty().then(|| self.folder.item().id)
    }
}

/// Makes a file at a path of what was stored, or a version of the file there. `commit` commits or shares the content for
/// its owner, with one reference for this version. The caller, the terms and the path are looked at again.
pub(crate) fn land(
    tx: &mut Tx<'_>,
    (world, target): (&World, &Target),
    landing: &Landing,
    (item, added): (ItemId, &Added),
    (md5, facts): (Option<Md5>, &Facts),
    minis: &mut Minis,
    commit: impl FnOnce(&mut Tx<'_>, UserId) -> Result<(), Error>,
) -> Result<Put, Error> {
    let Site { folder, missing, name, found } = landing.site(tx, &target.caller)?;
    let traits = folder.bucket().map_or_else(|| Ok(Traits::default()), |bucket| buckets::traits(tx, bucket))?;
    let plain = landing.versioning == Versioning::ByBucket && traits.versioning != BucketVersioning::On;
    let decided = retention::decide(traits.retains, facts.retention, target.stamp.at)?;
    let facts = Facts { retention: None, ..facts.clone() };
    let added = Added { plain, keeping: Keeping::As(decided), ..*added };
    let created = found.is_none();
    if let Some(bucket) = folder.bucket().filter(|_| plain && traits.versioning == BucketVersioning::Suspended)
        && missing.is_empty()
    {
        hide_plain(tx, bucket, (folder.item().id, name), target.stamp.at)?;
    }
    let (view, folder) = match found {
        Some(Found { item, version, .. }) => {
            let grant = allow_way::<Upload>(&target.caller, folder.way_from(Ancestor::of(&item)))?;
            let before = version.map_or(0, |version| version.number);
            (add_version_to(tx, target, (&grant, item, before), &added, minis, commit)?, folder)
        }
        None => {
            let by = (world, &target.caller, target.stamp);
            let folder = imply(tx, by, folder, missing, landing.folders)?;
            (add_file_to(tx, target, (item, &folder, name), &added, minis, commit)?, folder)
        }
    };
    facts::insert(tx, added.version, &facts)?;
    if plain && !created && traits.versioning == BucketVersioning::Never {
        lifecycle::note_replaced(tx, view.item.id, added.version, target.stamp.at)?;
    }
    subscriptions::put(tx, (&target.caller, target.stamp), folder.inside(), added.version, target.event)?;
    let facts = Some(facts).filter(|facts| !facts.is_empty());
    Ok(Put { object: Object { view, md5, facts }, created })
}
