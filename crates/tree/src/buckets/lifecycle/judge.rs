//! Which of the versions and markers on a page of a bucket's history go, purely, and where the next page begins.

use super::rules::{Lifecycle, Seen};
use crate::{HistoryEntry, HistoryWalked, WantedVersion};
use entente_model::{ItemId, Timestamp, VersionId};
use serde::{Deserialize, Serialize};

/// Where in the keys of a bucket a walk is. Stored as JSON: a member is never given another meaning.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// Unfinished uploads have been seen to.
    pub(super) uploads_done: bool,
    /// Keys that begin like this, and all before them, have been seen to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<String>,
    /// What comes after this key is to be seen to, or after that version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<(String, Option<String>)>,
    /// What is known of that key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history: Option<History>,
}

/// What a walk knows of a key from what is newer of it than where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct History {
    /// When the last version or marker came that it has seen.
    at: Timestamp,
    /// Of which item that was; `None` if it was kept without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<i64>,
    /// How many versions it has seen that are not current.
    older: u32,
}

/// What goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// The file, if this is its current version.
    Current(VersionId),
    /// A version, if it is not current.
    Older(WantedVersion, VersionId),
    /// A delete marker, which is this item in the trash.
    Marker(WantedVersion, ItemId),
}

/// What goes of a key, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Going {
    pub(super) key: String,
    pub(super) deeds: Vec<Deed>,
}

/// What is to be done about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) going: Vec<Going>,
    /// From where the next page is read when all of that is gone; `None` when nothing comes after this one.
    pub(super) next: Option<Place>,
    /// The same when none of it is.
    pub(super) otherwise: Option<Place>,
}

/// What goes of a page that was read from a place on.
pub(super) fn judge(lifecycle: &Lifecycle, now: Timestamp, from: &Place, page: &HistoryWalked) -> Judged {
    let (mut going, mut stops): (Vec<Going>, Vec<Stop<'_>>) = (Vec::new(), Vec::with_capacity(page.entries.len()));
    let mut history = from.history;
    let mut key_before = from.after.as_ref().map(|(key, _)| key.as_str());
    for (index, entry) in page.entries.iter().enumerate() {
        let Some(Line { key, version, seen, latest, deed, item, trashed_at }) = Line::of(entry) else { continue };
        let newer = history.filter(|_| !latest && key_before == Some(key));
        key_before = Some(key);
        let (goes, undecided) = match newer {
            Some(History { at, item: of, older }) => {
                // What came onto its key by being moved or restored may be older than what it is newer of: that was current
                // until it went into the trash.
                let since = trashed_at.filter(|_| of != Some(item)).max(Some(at)).max(Some(seen.at)).unwrap_or(at);
                (lifecycle.older_goes(&seen, (since, older), now), false)
            }
            None if !latest => (false, false),
            None if seen.content.is_some() => (lifecycle.expiry(&seen).is_some_and(|(at, _)| at <= now), false),
            None => match stands_alone(page, index, key) {
                Some(alone) => (alone && lifecycle.lone_marker_goes(&seen, now), false),
                None => (false, true),
            },
        };
        let counts = u32::from(seen.content.is_some() && newer.is_some());
        let older = newer.map_or(0, |newer| newer.older).saturating_add(counts);
        history = Some(History { at: seen.at, item: Some(item), older });
        let is_left = undecided || goes && seen.content.is_none();
        stops.push(Stop { key, version, history, is_left, is_undecided: undecided });
        let Some(deed) = deed.filter(|_| goes) else { continue };
        match going.last_mut().filter(|last| last.key == key) {
            Some(last) => last.deeds.push(deed),
            None => going.push(Going { key: key.to_owned(), deeds: vec![deed] }),
        }
    }
    let Some((key, version)) = &page.next else { return Judged { going, next: None, otherwise: None } };
    let last = stops.last().filter(|last| last.key == key);
    let mut otherwise = from.beyond(key, *version, last.and_then(|last| last.history));
    if let [.., before, last] = stops.as_slice()
        && last.is_undecided
    {
        // What is last on this page is first on the next one, which can tell.
        otherwise = from.beyond(before.key, Some(before.version), before.history);
    }
    let next = if last.is_some_and(|last| Some(last.version) == *version) {
        // A marker that goes is no place to go on from: it will not be found.
        let kept = stops.iter().rev().find(|stop| !stop.is_left);
        kept.map_or_else(|| from.clone(), |stop| from.beyond(stop.key, Some(stop.version), stop.history))
    } else {
        otherwise.clone()
    };
    Judged { going, next: Some(next), otherwise: Some(otherwise) }
}

/// A version or a marker as it stands in a history.
struct Line<'e> {
    key: &'e str,
    version: WantedVersion,
    seen: Seen<'e>,
    latest: bool,
    /// How it goes, if it does.
    deed: Option<Deed>,
    /// Of which item it is, and when that went into the trash, if it is there.
    item: i64,
    trashed_at: Option<Timestamp>,
}

impl<'e> Line<'e> {
    fn of(entry: &'e HistoryEntry) -> Option<Self> {
        match entry {
            HistoryEntry::Version { key, version, object, latest } => {
                let found = object.view.version.as_ref()?;
                let tags = object.facts.as_ref().map_or(&[][..], |facts| &facts.tags);
                let seen = Seen { key, content: Some((found.size, tags)), at: found.created_at };
                let deed = if *latest { Deed::Current(found.id) } else { Deed::Older(*version, found.id) };
                let (item, trashed_at) = (object.view.item.id.number(), object.view.item.trashed_at);
                Some(Self { key, version: *version, seen, latest: *latest, deed: Some(deed), item, trashed_at })
            }
            HistoryEntry::Marker { key, version, view, latest } => {
                let at = view.item.trashed_at.unwrap_or(view.item.modified_at);
                let deed = Some(Deed::Marker(*version, view.item.id));
                let (seen, item) = (Seen { key, content: None, at }, view.item.id.number());
                Some(Self { key, version: *version, seen, latest: *latest, deed, item, trashed_at: Some(at) })
            }
            // There is no delimiter.
            HistoryEntry::Prefix(_) => None,
        }
    }
}

/// Behind what a walk may stop.
struct Stop<'e> {
    key: &'e str,
    version: WantedVersion,
    history: Option<History>,
    /// It cannot be found again, or has to be looked at again.
    is_left: bool,
    /// It has to be looked at again.
    is_undecided: bool,
}

/// Whether a marker that is the latest of its key is all that there is of it; `None` if only the next page can tell.
fn stands_alone(page: &HistoryWalked, index: usize, key: &str) -> Option<bool> {
    if let Some(HistoryEntry::Version { key: next, .. } | HistoryEntry::Marker { key: next, .. }) =
        page.entries.get(index + 1)
    {
        return Some(next != key);
    }
    match &page.next {
        // Where a page does not end because it is full, it says behind what it has looked at everything.
        Some((at, Some(_))) if at == key => {
            if index > 0 {
                None
            } else {
                Some(false)
            }
        }
        _ => Some(true),
    }
}

impl Place {
    /// The place behind a version of a key.
    fn beyond(&self, key: &str, version: Option<WantedVersion>, history: Option<History>) -> Self {
        Self { after: Some((key.to_owned(), version.map(|version| version.to_string()))), history, ..self.clone() }
    }
}
