//! What is told of one change, if anybody wants to know.

use super::below::tell_below;
use super::enqueue;
use crate::grant::Inside;
use crate::items::{Manner, Stamp};
use crate::limits::SUBSCRIPTIONS_MAX;
use crate::paths::{etag_of, marker_of};
use crate::{BucketVersioning, Caller, Error, Item, Kind, Top, WantedVersion};
use entente_database::deliveries::{Branch, Happening, Told};
use entente_database::events::EventKind;
use entente_database::facts::Facts;
use entente_database::items::Ancestor;
use entente_database::paths::{self, Found};
use entente_database::subscriptions::{self, Subscription};
use entente_database::{Tx, buckets};
use entente_model::{ItemName, UserId, VersionId};

/// A folder in a bucket of which somebody wants to be told.
struct Watched<'w> {
    bucket: &'w Ancestor,
    owner: UserId,
    /// How the paths of its children begin: nothing, or what ends in a slash.
    prefix: String,
}

impl<'w> Watched<'w> {
    /// The folder, if it is one.
    fn at(inside: Inside<'w>) -> Option<Self> {
        let (top, above) = inside.above.split_last()?;
        let (bucket, below) = match above.split_last() {
            Some((bucket, below)) => (bucket, Some(below)),
            None => (inside.folder, None),
        };
        if !bucket.watched || top.top != Top::Root {
            return None;
        }
        let mut prefix = String::new();
        if let Some(below) = below {
            for folder in below.iter().rev().chain([inside.folder]) {
                prefix.push_str(folder.name.as_str());
                prefix.push('/');
            }
        }
        Some(Self { bucket, owner: inside.owner, prefix })
    }

    fn key(&self, name: &ItemName) -> String {
        [&self.prefix, name.as_str()].concat()
    }

    fn branch(&self, name: &ItemName, happening: Happening) -> Branch {
        let prefix = [&self.prefix, name.as_str(), "/"].concat();
        Branch::new(self.bucket.id, self.bucket.name.as_str().to_owned(), self.owner, (prefix, happening))
    }

    /// Those who want to be told of this.
    fn subscribers(&self, tx: &mut Tx<'_>, happening: Happening, key: &str) -> Result<Vec<Subscription>, Error> {
        let mut wishes = subscriptions::of_item(tx, self.bucket.id, SUBSCRIPTIONS_MAX)?;
        wishes.retain(|wish| wish.wants(happening, key));
        Ok(wishes)
    }

    /// Whether the bucket's clients are told of versions.
    fn tells_versions(&self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        Ok(buckets::versioning(tx, self.bucket.id)? != BucketVersioning::Never)
    }

    fn told(&self, caller: &Caller, stamp: Stamp, key: String) -> Told {
        Told {
            bucket: self.bucket.name.as_str().to_owned(),
            owner: self.owner.number(),
            user: caller.doer().number(),
            key,
            at: stamp.at.millis(),
            ..Told::default()
        }
    }
}

/// Tells that a file in the folder has a new current version. To be called when all of it has been written.
pub(crate) fn put(
    tx: &mut Tx<'_>,
    (caller, stamp): (&Caller, Stamp),
    inside: Inside<'_>,
    version: VersionId,
    how: EventKind,
) -> Result<(), Error> {
    let Some(watched) = Watched::at(inside) else { return Ok(()) };
    let found = paths::by_version(tx, version)?.ok_or(Error::internal("a new version is not there"))?;
    let happening = match (stamp.manner, how) {
        (Manner::Form, _) => Happening::Posted,
        (Manner::Parts, _) => Happening::Assembled,
        (_, EventKind::Copied | EventKind::Moved | EventKind::Renamed | EventKind::VersionPromoted) => {
            Happening::Copied
        }
        _ => Happening::Put,
    };
    tell_found(tx, (caller, stamp), &watched, &found, happening)
}

/// Tells what has happened to a version of a file in the folder.
fn tell_found(
    tx: &mut Tx<'_>,
    (caller, stamp): (&Caller, Stamp),
    watched: &Watched<'_>,
    found: &Found,
    happening: Happening,
) -> Result<(), Error> {
    let key = watched.key(&found.item.name);
    let wishes = watched.subscribers(tx, happening, &key)?;
    if wishes.is_empty() {
        return Ok(());
    }
    let tells_versions = watched.tells_versions(tx)?;
    let told = about(found, tells_versions, watched.told(caller, stamp, key));
    for wish in &wishes {
        enqueue(tx, wish, (happening, stamp.event), &told, stamp.at)?;
    }
    Ok(())
}

/// What is told of a version besides where it is.
pub(super) fn about(found: &Found, tells_versions: bool, told: Told) -> Told {
    let Found { version, md5, facts, .. } = found;
    let Some(version) = version else { return told };
    let name = if version.plain { WantedVersion::Plain } else { WantedVersion::Id(version.id) };
    Told {
        size: Some(version.size),
        etag: Some(etag_of(Some(version), md5.as_ref(), facts.as_ref())),
        version: tells_versions.then(|| name.to_string()),
        ..told
    }
}

/// Tells that an item is not in the folder any more: `trashed` is its row in the trash.
pub(crate) fn gone(
    tx: &mut Tx<'_>,
    (caller, stamp): (&Caller, Stamp),
    inside: Inside<'_>,
    trashed: &Item,
) -> Result<(), Error> {
    let Some(watched) = Watched::at(inside) else { return Ok(()) };
    let expired = stamp.manner == Manner::Expiry;
    let happening = match (trashed.mark.marker, expired) {
        (true, false) => Happening::Marked,
        (true, true) => Happening::ExpiryMarked,
        (false, false) => Happening::Removed,
        (false, true) => Happening::Expired,
    };
    match trashed.kind {
        Kind::WebLink => Ok(()),
        Kind::Folder => {
            let branch = watched.branch(&trashed.name, happening);
            tell_below(tx, (caller, stamp), trashed.id, (Some(branch), None))
        }
        Kind::File => {
            let version = trashed.mark.marker.then(|| marker_of(trashed).to_string());
            tell_key(tx, (caller, stamp), &watched, (&trashed.name, happening), version)
        }
    }
}

/// Tells that a version of a path in the folder is gone, or a delete marker.
pub(crate) fn version_gone(
    tx: &mut Tx<'_>,
    (caller, stamp): (&Caller, Stamp),
    inside: Inside<'_>,
    name: &ItemName,
    version: WantedVersion,
) -> Result<(), Error> {
    let Some(watched) = Watched::at(inside) else { return Ok(()) };
    let happening = if stamp.manner == Manner::Expiry { Happening::Expired } else { Happening::Removed };
    let version = watched.tells_versions(tx)?.then(|| version.to_string());
    tell_key(tx, (caller, stamp), &watched, (name, happening), version)
}

fn tell_key(
    tx: &mut Tx<'_>,
    (caller, stamp): (&Caller, Stamp),
    watched: &Watched<'_>,
    (name, happening): (&ItemName, Happening),
    version: Option<String>,
) -> Result<(), Error> {
    let key = watched.key(name);
    let wishes = watched.subscribers(tx, happening, &key)?;
    let told = Told { version, ..watched.told(caller, stamp, key) };
    for wish in &wishes {
        enqueue(tx, wish, (happening, stamp.event), &told, stamp.at)?;
    }
    Ok(())
}

/// Tells that an item has come into the folder from the trash, or from elsewhere as a copy that is whole.
pub(crate) fn restored(
    tx: &mut Tx<'_>,
    by: (&Caller, Stamp),
    inside: Inside<'_>,
    item: &Item,
    how: EventKind,
) -> Result<(), Error> {
    match (item.kind, item.version) {
        (Kind::File, Some(version)) => put(tx, by, inside, version, how),
        (Kind::Folder, _) => {
            let Some(watched) = Watched::at(inside) else { return Ok(()) };
            let happening = if how == EventKind::Restored { Happening::Put } else { Happening::Copied };
            tell_below(tx, by, item.id, (None, Some(watched.branch(&item.name, happening))))
        }
        _ => Ok(()),
    }
}

/// Tells that an item which was called `name` in one folder has another name, or is in another folder.
pub(crate) fn moved(
    tx: &mut Tx<'_>,
    by: (&Caller, Stamp),
    (from, name): (Inside<'_>, &ItemName),
    to: Inside<'_>,
    item: &Item,
) -> Result<(), Error> {
    match item.kind {
        Kind::WebLink => Ok(()),
        Kind::File => {
            if let Some(watched) = Watched::at(from) {
                tell_key(tx, by, &watched, (name, Happening::Removed), None)?;
            }
            restored(tx, by, to, item, EventKind::Moved)
        }
        Kind::Folder => {
            let gone = Watched::at(from).map(|watched| watched.branch(name, Happening::Removed));
            let come = Watched::at(to).map(|watched| watched.branch(&item.name, Happening::Copied));
            tell_below(tx, by, item.id, (gone, come))
        }
    }
}

/// Tells what has changed of the facts of a version of a file in the folder.
pub(crate) fn changed(
    tx: &mut Tx<'_>,
    by: (&Caller, Stamp),
    inside: Inside<'_>,
    (found, before, after): (&Found, &Facts, &Facts),
) -> Result<(), Error> {
    let Some(watched) = Watched::at(inside) else { return Ok(()) };
    if before.tags != after.tags {
        let happening = if after.tags.is_empty() { Happening::Untagged } else { Happening::Tagged };
        tell_found(tx, by, &watched, found, happening)?;
    }
    if before.acl != after.acl {
        tell_found(tx, by, &watched, found, Happening::Granted)?;
    }
    Ok(())
}
