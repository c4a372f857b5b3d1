//! What users last had to do with, and what they read.
//!
//! It is noted when a request has done its work, and written soon after, many notes in one transaction: no request waits for
//! it, and none fails by it. What is not written yet when the process is killed is lost. Who asks on the same node finds all
//! that was noted before.
//!
//! That somebody read something becomes an event besides. Such a note is never left out: when too many wait, whoever reads
//! waits too.

use crate::favorites::seen;
use crate::limits::{PAGE_ITEMS_MAX, RECENT_LIFETIME, RECENTS_MAX, RECENTS_WAITING_MAX, RECENTS_WRITTEN_MAX};
use crate::{Caller, Error, ItemView, Tree};
use entente_database::events::{self, EventKind, NewEvent};
use entente_database::recents::{self, Act, Recent};
use entente_model::{ItemId, Timestamp, UserId, VersionId, with_causes};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Notes that wait to be written.
pub(crate) struct Noted {
    waiting: Mutex<Waiting>,
    /// How many notes have been taken from there and written, or could not be.
    written: watch::Sender<u64>,
}

enum Note {
    Recent(Recent),
    Read(NewEvent),
}

#[derive(Default)]
struct Waiting {
    notes: VecDeque<Note>,
    /// How many have ever come.
    come: u64,
    is_written: bool,
}

impl Default for Noted {
    fn default() -> Self {
        Self { waiting: Mutex::default(), written: watch::Sender::new(0) }
    }
}

impl Noted {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a note. `true` when somebody has to be found who writes. Gives it back when too many wait.
    fn take(&self, note: Note) -> Result<bool, Note> {
        let mut waiting = self.waiting();
        if waiting.notes.len() >= RECENTS_WAITING_MAX {
            return Err(note);
        }
        waiting.notes.push_back(note);
        waiting.come += 1;
        Ok(!std::mem::replace(&mut waiting.is_written, true))
    }

    /// Waits until there is room for another, as far as one can know.
    async fn has_room(&self) {
        let enough = {
            let waiting = self.waiting();
            waiting.come.saturating_sub(RECENTS_WAITING_MAX as u64 / 2)
        };
        // It cannot fail: the sender is here.
        let _ = self.written.subscribe().wait_for(|written| *written >= enough).await;
    }

    /// What is to be written next; nothing when there is no more, and then somebody else has to be found.
    fn next(&self) -> Vec<Note> {
        let mut waiting = self.waiting();
        let some = waiting.notes.len().min(RECENTS_WRITTEN_MAX);
        waiting.is_written = some > 0;
        waiting.notes.drain(..some).collect()
    }

    fn is_done(&self, some: usize) {
        self.written.send_modify(|written| *written += u64::try_from(some).unwrap_or(u64::MAX));
    }
}

/// Whoever writes; when that ends before its time, nobody waits for it.
struct Writing {
    noted: Arc<Noted>,
    has_ended: bool,
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let mut waiting = self.noted.waiting();
        waiting.is_written = false;
        waiting.notes.clear();
        let come = waiting.come;
        self.noted.written.send_modify(|written| *written = come);
    }
}

/// How somebody read something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The content of a file, or an archive of the item.
    Downloaded,
    /// A large picture.
    Previewed,
}

/// An item that the caller had to do with.
#[derive(Debug, Clone)]
pub struct RecentItem {
    /// The item, as it is now.
    pub item: ItemView,
    /// What it was.
    pub act: Act,
    /// When.
    pub at: Timestamp,
}

/// Where a list of what was recent goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentPlace {
    /// The moment of the last one.
    pub at: Timestamp,
    /// Its item.
    pub item: ItemId,
}

/// A page of what was recent.
#[derive(Debug, Clone)]
pub struct RecentPage {
    /// The latest first.
    pub entries: Vec<RecentItem>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<RecentPlace>,
}

impl Tree {
    /// Notes that the caller has done something with an item just now. Nothing fails by it, and nobody waits for it.
    pub fn note_recent(&self, caller: &Caller, item: ItemId, act: Act) {
        let recent = Recent { user: caller.user, item, act, at: self.world.now() };
        // One too many is left out: it says no more than what somebody may want to find again.
        if let Ok(true) = self.noted.take(Note::Recent(recent)) {
            self.write_notes();
        }
    }

    /// Notes that the caller has read an item just now, in that version, which becomes an event. Waits only while too many
    /// notes wait.
    pub async fn note_read(&self, caller: &Caller, item: ItemId, version: Option<VersionId>, how: Reading) {
        let stamp = self.stamp();
        let kind = match how {
            Reading::Downloaded => EventKind::Downloaded,
            Reading::Previewed => EventKind::Previewed,
        };
        let (enterprise, user) = (caller.enterprise, caller.doer());
        let event = NewEvent { id: stamp.event, enterprise, user, kind, item, version, at: stamp.at };
        let mut note = Note::Read(event);
        loop {
            match self.noted.take(note) {
                Ok(true) => return self.write_notes(),
                Ok(false) => return,
                Err(back) => note = back,
            }
            self.noted.has_room().await;
        }
    }

    fn write_notes(&self) {
        let tree = self.clone();
        self.world.spawn(async move {
            let mut writing = Writing { noted: Arc::clone(&tree.noted), has_ended: false };
            loop {
                let notes = tree.noted.next();
                if notes.is_empty() {
                    writing.has_ended = true;
                    break;
                }
                let (some, events) = (notes.len(), notes.iter().filter(|note| matches!(note, Note::Read(_))).count());
                if let Err(error) = tree.write_recents(notes).await {
                    tracing::warn!(events, error = with_causes(&error), "what was read could not be recorded");
                }
                tree.noted.is_done(some);
            }
        });
    }

    async fn write_recents(&self, notes: Vec<Note>) -> Result<(), Error> {
        let since = self.world.now().before(RECENT_LIFETIME);
        // Of several of one item the last one counts. Always in one order, so that no two nodes wait for each other.
        let (mut latest, mut events) = (BTreeMap::new(), Vec::new());
        for note in notes {
            match note {
                Note::Recent(recent) => drop(latest.insert((recent.user, recent.item), recent)),
                Note::Read(event) => events.push(event),
            }
        }
        let users: BTreeSet<UserId> = latest.values().map(|recent| recent.user).collect();
        self.database
            .transact("note recent items", move |tx| {
                for note in latest.values() {
                    recents::note(tx, note)?;
                }
                for user in &users {
                    recents::trim(tx, *user, since, RECENTS_MAX)?;
                }
                for event in &events {
                    events::record(tx, event)?;
                }
                Ok(())
            })
            .await
    }

    /// Up to `limit` items that the caller had to do with in the last `limits::RECENT_LIFETIME`, the latest first, and of no
    /// more than `limits::RECENTS_MAX`: after a place that a page gave, or from the latest on. What the caller may not see
    /// any more, or what is in the trash, is left out.
    pub async fn recents(&self, caller: &Caller, after: Option<RecentPlace>, limit: u32) -> Result<RecentPage, Error> {
        self.notes_written().await;
        let (caller, since) = (caller.clone(), self.world.now().before(RECENT_LIFETIME));
        let limit = usize::try_from(limit.clamp(1, PAGE_ITEMS_MAX)).unwrap_or(usize::MAX);
        self.database
            .read_long(move |tx| {
                let after = after.map(|place| (place.at, place.item));
                let mut entries: Vec<RecentItem> = Vec::new();
                for Recent { item, act, at, .. } in recents::page(tx, caller.user, since, after, RECENTS_MAX)? {
                    let Some(item) = seen(tx, &caller, item)? else { continue };
                    if entries.len() >= limit {
                        let next = entries.last().map(|last| RecentPlace { at: last.at, item: last.item.item.id });
                        return Ok(RecentPage { entries, next });
                    }
                    entries.push(RecentItem { item, act, at });
                }
                Ok(RecentPage { entries, next: None })
            })
            .await
    }

    /// Waits until all that has been noted here is written.
    pub async fn notes_written(&self) {
        let come = self.noted.waiting().come;
        // It cannot fail: the sender is the tree's own.
        let _ = self.noted.written.subscribe().wait_for(|written| *written >= come).await;
    }
}
