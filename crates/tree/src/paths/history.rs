//! Keys with all their versions and delete markers, as S3 lists them.

use super::at::{marker_of, object_within};
use super::removed::trashed;
use super::walker::{Keys, Looks, Step, Walker};
use super::way::{Reached, descend};
use super::{Object, WantedVersion};
use crate::grant::{Grant, List, allow_way};
use crate::limits::PAGE_ITEMS_MAX;
use crate::view::{Minis, Surroundings};
use crate::{Caller, Error, ItemView, Kind, Tree};
use entente_database::Tx;
use entente_database::buckets::{self, BucketVersioning};
use entente_database::paths::{self, Found};
use entente_model::{ItemId, ItemName};

/// Versions of one file that are read at a time.
const VERSIONS: u32 = 100;
/// Versions that one page looks at, about, whether they are shown or not.
const LOOKED_AT_MAX: usize = 10_000;

/// Which keys to list with their versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryWalk {
    /// Only keys that begin with this; empty for all.
    pub prefix: String,
    /// Only what comes after this key, or prefix that was given out; with a version, what is older of the key as well.
    pub after: Option<(String, Option<WantedVersion>)>,
    /// Keys that have this behind the prefix are given out as the one prefix that ends with it.
    pub delimiter: Option<String>,
    /// How many entries there are at most; `limits::PAGE_ITEMS_MAX` if more.
    pub limit: u32,
}

/// A version, a delete marker, or a prefix of several keys.
#[derive(Debug, Clone)]
pub enum HistoryEntry {
    /// A version.
    Version {
        /// Its key.
        key: String,
        /// How it is called.
        version: WantedVersion,
        /// It.
        object: Box<Object>,
        /// Whether it is the newest of its key.
        latest: bool,
    },
    /// A delete marker.
    Marker {
        /// Its key.
        key: String,
        /// How it is called.
        version: WantedVersion,
        /// What is in the trash: `trashed_at` says when the marker was made.
        view: Box<ItemView>,
        /// Whether it is the newest of its key.
        latest: bool,
    },
    /// What several keys begin with.
    Prefix(String),
}

/// A page of versions.
#[derive(Debug, Clone)]
pub struct HistoryWalked {
    /// In order of the bytes of their keys; of one key the newest first.
    pub entries: Vec<HistoryEntry>,
    /// After what the next page begins; `None` at the end. A page may be short, even empty, and have a next one.
    pub next: Option<(String, Option<WantedVersion>)>,
}

impl Tree {
    /// A page of the keys below a folder with all their versions. Bounded and refused as [`Tree::walk`] is.
    ///
    /// What is below a folder in the trash is not shown. In a bucket that has never kept versions, each file is its own
    /// only one, and plain.
    pub async fn walk_versions(
        &self,
        caller: &Caller,
        base: ItemId,
        walk: HistoryWalk,
    ) -> Result<HistoryWalked, Error> {
        let caller = caller.clone();
        self.database.read_long(move |tx| history(tx, &caller, base, &walk)).await
    }
}

fn history(tx: &mut Tx<'_>, caller: &Caller, base: ItemId, walk: &HistoryWalk) -> Result<HistoryWalked, Error> {
    let limit = usize::try_from(walk.limit.min(PAGE_ITEMS_MAX)).unwrap_or(usize::MAX);
    let top = allow_way::<List>(caller, descend(tx, base, &[])?.way)?;
    let bucket = top.bucket();
    let versioning = bucket.map(|bucket| buckets::versioning(tx, bucket)).transpose()?.unwrap_or_default();
    // One more than asked for tells whether there is a next page.
    let mut page =
        Page { entries: Vec::new(), room: limit + 1, versioning, minis: Minis::default(), looked_at: 0, stopped: None };
    let (key, version) = walk.after.as_ref().map_or((None, None), |(key, version)| (Some(key), *version));
    if let (Some(key), Some(version)) = (key, version)
        && key.starts_with(&walk.prefix)
    {
        page.rest_of(tx, &top, key, version)?;
        if let Some(stopped) = page.stopped.take() {
            return Ok(page.end(limit, Some((key.clone(), Some(stopped)))));
        }
    }
    let keys = Keys { prefix: &walk.prefix, after: key.map(String::as_str), delimiter: walk.delimiter.as_deref() };
    let rows = walk.limit.min(PAGE_ITEMS_MAX).saturating_add(1);
    let mut walker = Walker::begin(tx, caller, base, keys, (Looks::Past, rows))?;
    while page.entries.len() <= limit {
        match walker.step(tx)? {
            Step::End => return Ok(page.end(limit, None)),
            Step::Tired(place) => return Ok(page.end(limit, Some((place, None)))),
            Step::Prefix(prefix) => page.entries.push(HistoryEntry::Prefix(prefix)),
            Step::Key { key, sibling, surroundings } => {
                let sources: Vec<Found> = sibling.live.into_iter().chain(sibling.trashed).collect();
                page.history_of(tx, &surroundings, &key, &sources, None)?;
                if let Some(stopped) = page.stopped.take() {
                    return Ok(page.end(limit, Some((key, Some(stopped)))));
                }
            }
        }
    }
    Ok(page.end(limit, None))
}

struct Page {
    entries: Vec<HistoryEntry>,
    /// How many entries there may be.
    room: usize,
    versioning: BucketVersioning,
    minis: Minis,
    looked_at: usize,
    /// The version behind which it has looked at so many that another page is to go on.
    stopped: Option<WantedVersion>,
}

impl Page {
    /// What is older of a key than a version of it.
    fn rest_of(&mut self, tx: &mut Tx<'_>, top: &Grant<List>, key: &str, version: WantedVersion) -> Result<(), Error> {
        let Ok(names) = key.split('/').map(ItemName::new).collect::<Result<Vec<_>, _>>() else { return Ok(()) };
        let Some((name, above)) = names.split_last() else { return Ok(()) };
        let Reached { way, missing } = descend(tx, top.item().id, above)?;
        let Some(folder) = way.first().filter(|_| missing.is_empty()).map(|folder| folder.id) else { return Ok(()) };
        let mut surroundings = Surroundings::inside(top.inside());
        for folder in way.iter().take(above.len()).rev() {
            let entry = crate::PathEntry { id: folder.id, name: folder.name.clone(), sequence: folder.sequence };
            surroundings = surroundings.below(entry, folder.guard.watermarked);
        }
        let live = paths::child(tx, folder, name, Some(Kind::File))?;
        let sources: Vec<Found> = live.into_iter().chain(trashed(tx, folder, name)?).collect();
        let Some(after) = find_place(tx, &sources, version)? else { return Ok(()) };
        self.history_of(tx, &surroundings, key, &sources, Some(&after))
    }

    /// The versions and markers of a key, the newest first, as far as there is room.
    fn history_of(
        &mut self,
        tx: &mut Tx<'_>,
        surroundings: &Surroundings,
        key: &str,
        sources: &[Found],
        after: Option<&Place>,
    ) -> Result<(), Error> {
        let (mut latest, mut plain_seen) = (after.is_none(), false);
        let skip = after.map_or(0, |after| after.source);
        for found in sources.iter().take(skip) {
            plain_seen |= found.item.mark.plain || paths::newest_plain(tx, found.item.id)?.is_some();
        }
        for (index, found) in sources.iter().enumerate().skip(skip) {
            let item = &found.item;
            let is_live = item.trashed_at.is_none();
            if is_live && self.versioning == BucketVersioning::Never {
                if after.is_none() {
                    let object = object_within(tx, surroundings, &mut self.minis, found.clone())?;
                    self.version(key, WantedVersion::Plain, object, latest);
                }
                return Ok(());
            }
            let mut before = u64::MAX;
            let resumed = after.filter(|after| after.source == index);
            if let Some(after) = resumed {
                before = after.number;
                let newest = paths::newest_plain(tx, item.id)?.and_then(|found| found.version);
                plain_seen |= item.mark.plain || newest.is_some_and(|plain| plain.number >= before);
            } else if item.mark.marker && !(item.mark.plain && plain_seen) {
                plain_seen |= item.mark.plain;
                let object = object_within(tx, surroundings, &mut self.minis, found.clone())?;
                self.marker(key, marker_of(item), object, latest);
                latest = false;
            }
            if !(is_live || item.mark.versions) {
                continue;
            }
            while self.entries.len() < self.room {
                let versions = paths::versions_before(tx, item.id, before, VERSIONS)?;
                let ended = versions.len() < usize::try_from(VERSIONS).unwrap_or(usize::MAX);
                self.looked_at += versions.len();
                let last = versions.last().and_then(|last| Some(WantedVersion::Id(last.version.as_ref()?.id)));
                for found in versions {
                    let Some((id, number, plain)) = found.version.as_ref().map(|it| (it.id, it.number, it.plain))
                    else {
                        continue;
                    };
                    before = number;
                    if plain && plain_seen {
                        continue;
                    }
                    plain_seen |= plain;
                    let version = if plain { WantedVersion::Plain } else { WantedVersion::Id(id) };
                    let object = object_within(tx, surroundings, &mut self.minis, found)?;
                    self.version(key, version, object, latest);
                    latest = false;
                }
                if ended {
                    break;
                }
                if self.looked_at >= LOOKED_AT_MAX && self.entries.len() < self.room {
                    self.stopped = last;
                    return Ok(());
                }
            }
            if self.entries.len() >= self.room {
                return Ok(());
            }
        }
        Ok(())
    }

    fn version(&mut self, key: &str, version: WantedVersion, object: Object, latest: bool) {
        let (key, object) = (key.to_owned(), Box::new(object));
        self.entries.push(HistoryEntry::Version { key, version, object, latest });
    }

    fn marker(&mut self, key: &str, version: WantedVersion, object: Object, latest: bool) {
        let (key, view) = (key.to_owned(), Box::new(object.view));
        self.entries.push(HistoryEntry::Marker { key, version, view, latest });
    }

    fn end(mut self, limit: usize, next: Option<(String, Option<WantedVersion>)>) -> HistoryWalked {
        if self.entries.len() <= limit {
            return HistoryWalked { entries: self.entries, next };
        }
        self.entries.truncate(limit);
        let next = self.entries.last().map(|last| match last {
            HistoryEntry::Version { key, version, .. } | HistoryEntry::Marker { key, version, .. } => {
                (key.clone(), Some(*version))
            }
            HistoryEntry::Prefix(prefix) => (prefix.clone(), None),
        });
        HistoryWalked { entries: self.entries, next }
    }
}

/// A place in the history of a key: behind a version with that number of one of the items, or behind its marker.
struct Place {
    source: usize,
    number: u64,
}

fn find_place(tx: &mut Tx<'_>, sources: &[Found], version: WantedVersion) -> Result<Option<Place>, Error> {
    if let WantedVersion::Id(id) = version {
        let found = paths::by_version(tx, id)?.and_then(|found| found.version);
        return Ok(found.and_then(|found| {
            let source = sources.iter().position(|source| source.item.id == found.item)?;
            Some(Place { source, number: found.number })
        }));
    }
    for (source, found) in sources.iter().enumerate() {
        let mark = found.item.mark;
        if mark.marker && marker_of(&found.item) == version {
            return Ok(Some(Place { source, number: u64::MAX }));
        }
        if version == WantedVersion::Plain
            && let Some(plain) = paths::newest_plain(tx, found.item.id)?.and_then(|found| found.version)
        {
            return Ok(Some(Place { source, number: plain.number }));
        }
    }
    Ok(None)
}
