//! The walk behind listings of keys: depth first along the index of sort names, folder by folder, which is the order of
//! the keys. Names with a delimiter in them are skipped together, by a step along the index.
//!
//! Its memory is bounded by the depth of the folders and a page at each level.

use super::removed::newest_first;
use super::way::descend;
use crate::grant::{List, allow_way};
use crate::limits::WALK_ROWS_MAX;
use crate::view::{PathEntry, Surroundings};
use crate::{Caller, Error, Kind};
use entente_database::Tx;
use entente_database::items::Ancestor;
use entente_database::paths::{self, FirstChild, Found, From, Passed};
use entente_model::{ItemId, ItemName};
use std::collections::VecDeque;

/// Ends a position within what it begins with: everything that begins with the rest has been seen. No key has it.
const ALL_BELOW: char = '\0';
/// Ends a position that itself has not been seen.
const NOT_YET: &str = "\0\0";
/// Rows that are read first where most may be skipped.
const ROWS_FIRST: u32 = 64;

/// Which part of which keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys<'w> {
    pub(super) prefix: &'w str,
    /// A key, a prefix that was given out, or a position: what comes after it.
    pub(super) after: Option<&'w str>,
    pub(super) delimiter: Option<&'w str>,
}

/// What a walk looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// At what is there.
    Present,
    /// The same, until it meets anything that makes a folder one to be shown.
    ForAny,
    /// Also at what is in the trash.
    Past,
}

/// What the walk came to.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and most are keys")]
pub(super) enum Step {
    /// A key, and all that has or had it.
    Key { key: String, sibling: Sibling, surroundings: Surroundings },
    /// All keys that begin like this.
    Prefix(String),
    /// It has looked at so much that it should go on another time, after this.
    Tired(String),
    /// There is nothing more.
    End,
}

/// What has one sort name in a folder.
pub(super) struct Sibling {
    sort_name: String,
    pub(super) live: Option<Found>,
    first: FirstChild,
    /// What is in the trash and had it, the newest first.
    pub(super) trashed: Vec<Found>,
}

/// A walk.
pub(super) struct Walker {
    prefix: String,
    delimiter: Option<String>,
    looks: Looks,
    frames: Vec<Frame>,
    /// What is given out before all else.
    pending: Option<String>,
    /// Everything up to here has been given out.
    position: Option<String>,
    rows: u32,
    looked_at: u32,
}

/// A folder on the way, and what is to come in it.
struct Frame {
    folder: ItemId,
    /// What the keys in it begin with.
    path: String,
    siblings: VecDeque<Sibling>,
    /// Where the next page begins; `None` at the end.
    next: Option<From>,
    /// How many rows the last page had; 0 when none has been read since something was skipped.
    rows: u32,
    surroundings: Surroundings,
}

impl Walker {
    /// A walk below a folder. It reads up to `rows` rows at a time. `NotFound`, `Trashed` and `Forbidden` speak of the
    /// folder.
    pub(super) fn begin(
        tx: &mut Tx<'_>,
        caller: &Caller,
        base: ItemId,
        keys: Keys<'_>,
        (looks, rows): (Looks, u32),
    ) -> Result<Self, Error> {
        let top = allow_way::<List>(caller, descend(tx, base, &[])?.way)?;
        let mut walker = Self {
            prefix: keys.prefix.to_owned(),
            // No key has one with a NUL.
            delimiter: keys.delimiter.filter(|it| !it.is_empty() && !it.contains(ALL_BELOW)).map(str::to_owned),
            looks,
            frames: Vec::new(),
            pending: None,
            position: None,
            rows: rows.max(2),
            looked_at: 0,
        };
        if keys.prefix.contains(ALL_BELOW) {
            return Ok(walker);
        }
        let Some(bound) = walker.bound(tx, caller, base, keys.after)? else { return Ok(walker) };
        // Whatever begins with the prefix is in the folder that the prefix leads to.
        let mut frame = Frame {
            folder: base,
            path: String::new(),
            siblings: VecDeque::new(),
            next: None,
            rows: 0,
            surroundings: Surroundings::inside(top.inside()),
        };
        while let Some((name, _)) = walker.prefix.get(frame.path.len()..).and_then(|rest| rest.split_once('/')) {
            match frame.child(tx, name)? {
                Some(child) => frame = child,
                None => return Ok(walker),
            }
        }
        walker.seek(tx, frame, &bound)?;
        Ok(walker)
    }

    /// Where the walk begins, if anything can follow. May find out that the prefix which `after` is in goes on after it.
    fn bound(
        &mut self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        base: ItemId,
        after: Option<&str>,
    ) -> Result<Option<Bound>, Error> {
        let first = Bound { text: self.prefix.clone(), inclusive: true };
        let Some(after) = after else { return Ok(Some(first)) };
        // No key has a NUL in it: where one is, only what is before it says where that is.
        let (before, rest) = after.split_once(ALL_BELOW).map_or((after, None), |(before, rest)| (before, Some(rest)));
        let inclusive = rest == NOT_YET.strip_prefix(ALL_BELOW);
        let mut bound = match rest {
            Some("") => match successor(before) {
                Some(text) => Bound { text, inclusive: true },
                None => return Ok(None),
            },
            Some(_) | None => Bound { text: before.to_owned(), inclusive },
        };
        if let Some(common) = self.common_prefix(before).map(str::to_owned) {
            if common != before || inclusive {
                let rest = Keys { prefix: &common, after: Some(after), delimiter: None };
                let mut rest = Self::begin(tx, caller, base, rest, (Looks::ForAny, 2))?;
                rest.looks = if self.looks == Looks::Past { Looks::Past } else { rest.looks };
                if !matches!(rest.step(tx)?, Step::End) {
                    self.pending = Some(common.clone());
                }
                self.looked_at += rest.looked_at;
            }
            match successor(&common) {
                Some(text) => bound = Bound { text, inclusive: true },
                None => return Ok(None),
            }
        }
        if bound.text < self.prefix {
            return Ok(Some(first));
        }
        Ok(Some(bound).filter(|bound| bound.text.starts_with(&self.prefix)))
    }

    /// Goes down to where the bound is, below the folder of the frame.
    fn seek(&mut self, tx: &mut Tx<'_>, mut frame: Frame, bound: &Bound) -> Result<(), Error> {
        let mut rest = bound.text.get(frame.path.len()..).unwrap_or_default();
        while let Some((name, below)) = rest.split_once('/') {
            frame.next = Some(From::After(format!("{name}/")));
            let child = frame.child(tx, name)?;
            self.frames.push(frame);
            let Some(child) = child else { return Ok(()) };
            (frame, rest) = (child, below);
        }
        let from = if bound.inclusive { From::At } else { From::After };
        frame.next = Some(from(rest.to_owned()));
        self.frames.push(frame);
        Ok(())
    }

    /// What a key is given out as, if it has the delimiter behind the prefix.
    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref()?;
        let at = key.strip_prefix(self.prefix.as_str())?.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }

    /// Everything up to here has been given out: a key, a prefix, or a position that [`Keys::after`] takes.
    pub(super) fn position(&self) -> Option<String> {
        self.position.clone()
    }

    /// The next key or prefix.
    pub(super) fn step(&mut self, tx: &mut Tx<'_>) -> Result<Step, Error> {
        if let Some(common) = self.pending.take() {
            self.position = Some(common.clone());
            return Ok(Step::Prefix(common));
        }
        loop {
            let Some(frame) = self.frames.last_mut() else { return Ok(Step::End) };
            let Some(sibling) = frame.siblings.pop_front() else {
                match frame.next.take() {
                    Some(from) if self.looked_at >= WALK_ROWS_MAX => {
                        let place = frame.place(&from);
                        frame.next = Some(from);
                        return Ok(Step::Tired(place));
                    }
                    Some(from) => {
                        let first = if self.delimiter.is_some() { ROWS_FIRST } else { self.rows };
                        frame.rows = frame.rows.saturating_mul(4).max(first).min(self.rows);
                        self.looked_at += frame.read(tx, &from, self.looks)?.max(1);
                    }
                    None => {
                        // Nothing below it is left: that is known even where nothing was given out.
                        if !frame.path.is_empty() && self.frames.len() > 1 {
                            self.position = self.frames.last().map(|frame| format!("{}{ALL_BELOW}", frame.path));
                        }
                        self.frames.pop();
                    }
                }
                continue;
            };
            let key = format!("{}{}", frame.path, sibling.sort_name);
            if !key.starts_with(&self.prefix) {
                // Names are in order, so nothing that follows begins with it either.
                self.frames.clear();
                return Ok(Step::End);
            }
            let is_folder = key.ends_with('/') && sibling.is_folder();
            if let Some(common) = self.common_prefix(&key).map(str::to_owned) {
                if is_folder && self.looked_at >= WALK_ROWS_MAX && sibling.first == FirstChild::Implied {
                    // To find out whether it is shown may be as much work again.
                    if let Some(frame) = self.frames.last_mut() {
                        frame.siblings.push_front(sibling);
                    }
                    return Ok(Step::Tired(format!("{key}{NOT_YET}")));
                }
                if is_folder && !self.is_shown(tx, &sibling)? {
                    self.position = Some(format!("{key}{ALL_BELOW}"));
                    continue;
                }
                self.skip(&common, &key);
                self.position = Some(common.clone());
                return Ok(Step::Prefix(common));
            }
            if !is_folder {
                self.position = Some(key.clone());
                let surroundings = self.frames.last().map(|frame| frame.surroundings.clone());
                let surroundings = surroundings.ok_or(Error::internal("a key in no folder"))?;
                return Ok(Step::Key { key, sibling, surroundings });
            }
            let Some(folder) = sibling.live else { continue };
            if self.looks == Looks::ForAny && !folder.item.implied {
                return Ok(Step::Prefix(key));
            }
            if let Some(frame) = self.frames.last() {
                let child = frame.below(&Ancestor::of(&folder.item));
                self.frames.push(Frame { next: Some(From::At(String::new())), ..child });
            }
        }
    }

    /// Whether a folder is shown though no key of it has been seen: not if only paths below it needed it, and there are
    /// none.
    fn is_shown(&mut self, tx: &mut Tx<'_>, sibling: &Sibling) -> Result<bool, Error> {
        let Some(folder) = sibling.live.as_ref().map(|found| &found.item) else { return Ok(false) };
        if !folder.implied || self.looks == Looks::Past {
            // What nothing needs, not even for its past, is not there.
            return Ok(true);
        }
        match sibling.first {
            FirstChild::None => Ok(false),
            FirstChild::Other => Ok(true),
            FirstChild::Implied => {
                let Some(frame) = self.frames.last() else { return Ok(false) };
                let child = frame.below(&Ancestor::of(folder));
                let mut below = Self {
                    prefix: String::new(),
                    delimiter: None,
                    looks: Looks::ForAny,
                    frames: vec![Frame { path: String::new(), next: Some(From::At(String::new())), ..child }],
                    pending: None,
                    position: None,
                    rows: 2,
                    looked_at: 0,
                };
                let step = below.step(tx)?;
                self.looked_at += below.looked_at;
                // What could not be found out soon is shown.
                Ok(!matches!(step, Step::End))
            }
        }
    }

    /// Goes on behind everything that begins like this, after `key`, which does.
    fn skip(&mut self, common: &str, key: &str) {
        let Some(frame) = self.frames.last_mut() else { return };
        if common == key && common.ends_with('/') {
            // A folder: what follows it does not begin with it.
            return;
        }
        let path = frame.path.len();
        let begins = common.get(path..).unwrap_or_default();
        while frame.siblings.front().is_some_and(|sibling| sibling.sort_name.starts_with(begins)) {
            frame.siblings.pop_front();
        }
        if frame.siblings.is_empty() && frame.next.is_some() {
            let next = successor(common).filter(|next| next.starts_with(&frame.path));
            frame.next = next.and_then(|next| Some(From::At(next.get(path..)?.to_owned())));
            frame.rows = 0;
        }
    }
}

/// The place from which on a walk looks.
struct Bound {
    text: String,
    inclusive: bool,
}

impl Sibling {
    fn is_folder(&self) -> bool {
        let one = self.live.as_ref().or_else(|| self.trashed.first());
        one.is_some_and(|found| found.item.kind == Kind::Folder)
    }
}

impl Frame {
    /// The folder of that name in it, if there is one.
    fn child(&self, tx: &mut Tx<'_>, name: &str) -> Result<Option<Self>, Error> {
        // What cannot be a name is nobody's.
        let Ok(name) = ItemName::new(name) else { return Ok(None) };
        Ok(paths::folder_named(tx, self.folder, &name)?.map(|folder| self.below(&folder)))
    }

    /// For a folder in it.
    fn below(&self, folder: &Ancestor) -> Self {
        let Ancestor { id, name, sequence, .. } = folder;
        let path = format!("{}{}/", self.path, name.as_str());
        let entry = PathEntry { id: *id, name: name.clone(), sequence: *sequence };
        let surroundings = self.surroundings.below(entry, folder.guard.watermarked);
        Self { folder: *id, path, siblings: VecDeque::new(), next: None, rows: 0, surroundings }
    }

    /// A position from which on a walk finds what is read from here.
    fn place(&self, from: &From) -> String {
        let path = &self.path;
        match from {
            From::At(name) => format!("{path}{name}{NOT_YET}"),
            // What is in a folder comes after it, and has been seen.
            From::After(name) if name.ends_with('/') => format!("{path}{name}{ALL_BELOW}"),
            From::After(name) => format!("{path}{name}"),
        }
    }

    /// Reads the next siblings. Answers how many rows that took.
    fn read(&mut self, tx: &mut Tx<'_>, from: &From, looks: Looks) -> Result<u32, Error> {
        let rows = self.rows;
        let live = paths::walk_page(tx, self.folder, from, rows)?;
        let trashed = match looks {
            Looks::Past => paths::trashed_page(tx, self.folder, from, rows)?,
            Looks::Present | Looks::ForAny => Vec::new(),
        };
        let read = live.len() + trashed.len();
        let full = |length: usize| u32::try_from(length).is_ok_and(|length| length >= rows);
        let (live_full, trashed_full) = (full(live.len()), full(trashed.len()));
        let last_live = live.last().filter(|_| live_full).map(|last| last.found.item.sort_name());
        let last_trashed = trashed.last().filter(|_| trashed_full).map(|last| last.item.sort_name());
        // Of what was read beyond the end of the other, nothing is known yet.
        let end = match (last_live, last_trashed) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let mut merged = merge(live, trashed);
        if let Some(end) = &end {
            merged.retain(|sibling| sibling.sort_name <= *end);
        }
        if let (Some(end), true) = (&end, trashed_full)
            && let Some(last) = merged.back_mut().filter(|last| last.sort_name == *end)
        {
            // There may be more of the last name than were read.
            last.trashed = paths::trashed_named(tx, self.folder, end, super::removed::OF_ONE_PATH_MAX)?;
            newest_first(&mut last.trashed);
        }
        self.siblings = merged;
        self.next = end.map(From::After);
        Ok(u32::try_from(read).unwrap_or(u32::MAX))
    }
}

/// Puts what is there and what was there together, by sort name.
fn merge(live: Vec<Passed>, trashed: Vec<Found>) -> VecDeque<Sibling> {
    let present = |passed: &Passed| passed.found.item.kind != Kind::WebLink;
    let alone = |Passed { found, first }: Passed| {
        let sort_name = found.item.sort_name();
        Sibling { sort_name, live: Some(found), first, trashed: Vec::new() }
    };
    if trashed.is_empty() {
        return live.into_iter().filter(present).map(alone).collect();
    }
    let mut siblings = VecDeque::with_capacity(live.len());
    let mut trashed = trashed.into_iter().filter(|found| found.item.kind == Kind::File).peekable();
    let mut live = live.into_iter().filter(present).peekable();
    loop {
        let of_live = live.peek().map(|passed| passed.found.item.sort_name());
        let of_trashed = trashed.peek().map(|found| found.item.sort_name());
        let (sort_name, has_live) = match (of_live, of_trashed) {
            (None, None) => return siblings,
            (Some(one), Some(other)) if one <= other => (one, true),
            (Some(one), None) => (one, true),
            (_, Some(other)) => (other, false),
        };
        let passed = if has_live { live.next() } else { None };
        let first = passed.as_ref().map_or(FirstChild::None, |passed| passed.first);
        let mut gone = Vec::new();
        while let Some(found) = trashed.next_if(|found| found.item.sort_name() == sort_name) {
            gone.push(found);
        }
        newest_first(&mut gone);
        siblings.push_back(Sibling { sort_name, live: passed.map(|passed| passed.found), first, trashed: gone });
    }
}

/// The least text that is greater than everything that begins with this one; `None` if there is none.
fn successor(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    while let Some(last) = text.pop() {
        let next = match last {
            // The numbers between are no characters.
            '\u{d7ff}' => Some('\u{e000}'),
            last => u32::from(last).checked_add(1).and_then(char::from_u32),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn a_successor_is_the_next_that_begins_otherwise() {
        assert_eq!(successor("a/").as_deref(), Some("a0"));
        assert_eq!(successor("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(successor("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(successor("\u{10ffff}"), None);
        assert_eq!(successor(""), None);
    }

    proptest! {
        #[test]
        fn nothing_is_between(text in any::<String>(), more in any::<String>()) {
            if let Some(next) = successor(&text) {
                let longer = [text.as_str(), more.as_str()].concat();
                proptest::prop_assert!(longer < next);
                proptest::prop_assert!(!next.starts_with(&text) || text.is_empty());
            }
        }
    }
}
