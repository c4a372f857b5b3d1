//! The index of words follows what happens.
//!
//! Each node has an index of its own. It is filled once from all items that there are, and then follows the events by their
//! positions: what has happened to an item is no matter, it is looked up as it is now. What stands below a folder that came from
//! elsewhere has no events of its own, so it is walked through. When events are missing, or the index is of no use, it is
//! made anew.

use super::Words;
use super::document::document;
use crate::limits::INDEXED_MAX;
use crate::{Error, Tree};
use entente_database::events::{self, EventKind, Touch};
use entente_database::items::{self, Kind};
use entente_database::{Tx, enterprises};
use entente_model::ItemId;
use entente_search::{Document, Index, Place};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::PoisonError;

/// What follows, and how far it has got.
#[derive(Clone)]
pub(super) struct Following {
    pub(super) index: Index,
    place: Place,
    /// Folders whose children are still to be looked at, and after which child; then all is at `then`.
    below: Vec<(ItemId, ItemId)>,
    then: i64,
}

/// How the index stands after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexing {
    /// There was nothing to take in.
    UpToDate,
    /// It took in what there was. Whoever waits a little before the next step takes more in at a time, which costs less.
    Followed,
    /// It took in as much as one step does, and there is more.
    Behind,
}

impl Indexing {
    /// Whether there may be more to take in.
    #[must_use]
    pub const fn may_go_on(self) -> bool {
        !matches!(self, Self::UpToDate)
    }
}

/// What one step has found.
struct Step {
    put: Vec<Document>,
    out: Vec<i64>,
    next: Following,
    /// As much as a step takes.
    is_full: bool,
}

/// What is to be done.
enum Found {
    Nothing,
    /// Events are missing, or there are none as late as the index.
    Torn,
    Step(Box<Step>),
}

impl Tree {
    /// Takes some of what has happened into the index of a folder of this machine. One task of a process does so again and
    /// again. `Unavailable` when the key of the index may not be used: nobody can search then.
    pub async fn index_words(&self, folder: &Path) -> Result<Indexing, Error> {
        let Some(following) = self.following(folder).await? else { return Ok(Indexing::UpToDate) };
        if let Err(error) = following.index.check().await {
            self.words.set(None);
            return Err(unavailable(error));
        }
        let gone = self.words.take_gone();
        let found = self.database.read_long(move |tx| step(tx, following, gone)).await?;
        let step = match found {
            Found::Nothing => return Ok(Indexing::UpToDate),
            Found::Torn => {
                self.words.set(None);
                Index::clear(folder).map_err(unavailable)?;
                return Ok(Indexing::Behind);
            }
            Found::Step(step) => *step,
        };
        let Step { put, out, next, is_full } = step;
        let index = next.index.clone();
        let written = self.world.blocking(move || index.write(&put, &out, next.place)).await?;
        if let Err(error) = written {
            self.words.set(None);
            // What could not be written is of no use any more; a full disk shows again at once.
            Index::clear(folder).map_err(unavailable)?;
            return Err(unavailable(error));
        }
        self.words.set(Some(next));
        Ok(if is_full { Indexing::Behind } else { Indexing::Followed })
    }

    /// The index as it is; opened if it is not. `None` before there is an enterprise.
    async fn following(&self, folder: &Path) -> Result<Option<Following>, Error> {
        if let Some(following) = self.words.get() {
            return Ok(Some(following));
        }
        let Some(first) = self.database.read_long(enterprises::first).await? else { return Ok(None) };
        let index = Index::open(&self.vault, (first.id, first.zone), folder.to_owned()).await.map_err(unavailable)?;
        let place = match index.place().map_err(unavailable)? {
            Some(place) => place,
            // From here on nothing is missed, while all that is there is gone through.
            None => Place { position: self.database.read_long(events::last).await?, filled: Some(0) },
        };
        let following = Following { index, place, below: Vec::new(), then: place.position };
        self.words.set(Some(following.clone()));
        Ok(Some(following))
    }
}

impl Words {
    pub(super) fn get(&self) -> Option<Following> {
        self.0.following.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that there may be no such items any more: whoever takes note looks again.
    pub(super) fn are_gone(&self, gone: Vec<i64>) {
        if !gone.is_empty() {
            self.0.gone.lock().unwrap_or_else(PoisonError::into_inner).extend(gone);
        }
    }

    fn take_gone(&self) -> Vec<ItemId> {
        let gone = std::mem::take(&mut *self.0.gone.lock().unwrap_or_else(PoisonError::into_inner));
        gone.into_iter().map(ItemId::new).collect()
    }

    fn set(&self, following: Option<Following>) {
        *self.0.following.write().unwrap_or_else(PoisonError::into_inner) = following;
    }
}

pub(super) fn unavailable(error: entente_search::Error) -> Error {
    match error {
        entente_search::Error::Key(error) => error.into(),
        other => Error::Unavailable(other.into()),
    }
}

fn step(tx: &mut Tx<'_>, mut next: Following, gone: Vec<ItemId>) -> Result<Found, Error> {
    let mut is_full = next.place.filled.is_some() || !next.below.is_empty();
    let touched = if let Some(filled) = next.place.filled {
        let some = items::ids_after(tx, ItemId::new(filled), INDEXED_MAX)?;
        next.place.filled = some.last().map(|last| last.number());
        some
    } else if !next.below.is_empty() {
        below(tx, &mut next)?
    } else {
        let found = events::touches(tx, next.place.position, INDEXED_MAX)?;
        let last = events::last(tx)?;
        let follows = |touch: &Touch| touch.position == next.place.position + 1;
        match found.first() {
            None if last == next.place.position && gone.is_empty() => return Ok(Found::Nothing),
            None if last == next.place.position => {}
            Some(first) if follows(first) => {}
            _ => return Ok(Found::Torn),
        }
        is_full |= found.len() >= INDEXED_MAX as usize;
        events_of(tx, &mut next, &found)?
    };
    is_full |= !next.below.is_empty();
    let (mut put, mut out) = (Vec::new(), Vec::new());
    for item in touched.into_iter().chain(gone).collect::<BTreeSet<_>>() {
        match document(tx, item)? {
            Some(document) => put.push(document),
            None => out.push(item.number()),
        }
    }
    if next.below.is_empty() {
        next.place.position = next.then;
    }
    Ok(Found::Step(Box::new(Step { put, out, next, is_full })))
}

/// What some events have happened to. Up to the first one that brought a folder from elsewhere: what is below it comes next.
fn events_of(tx: &mut Tx<'_>, next: &mut Following, found: &[Touch]) -> Result<Vec<ItemId>, Error> {
    let mut touched = Vec::new();
    for touch in found {
        next.then = touch.position;
        if touch.kind.is_some_and(EventKind::is_of_reading) {
            continue;
        }
        touched.push(touch.item);
        let brings = matches!(
            touch.kind,
            None | Some(EventKind::Copied | EventKind::Moved | EventKind::Restored | EventKind::Created)
        );
        if brings && items::by_id(tx, touch.item)?.is_some_and(|item| item.kind == Kind::Folder) {
            next.below.push((touch.item, ItemId::new(0)));
            break;
        }
    }
    Ok(touched)
}

/// Some of what stands below folders.
fn below(tx: &mut Tx<'_>, next: &mut Following) -> Result<Vec<ItemId>, Error> {
    let Some((folder, after)) = next.below.pop() else { return Ok(Vec::new()) };
    let some = items::children_after(tx, folder, after, INDEXED_MAX)?;
    if let Some((last, _)) = some.last().filter(|_| some.len() >= INDEXED_MAX as usize) {
        next.below.push((folder, *last));
    }
    let folders = some.iter().filter(|(_, kind)| *kind == Kind::Folder);
    next.below.extend(folders.map(|(id, _)| (*id, ItemId::new(0))));
    Ok(some.into_iter().map(|(id, _)| id).collect())
}
