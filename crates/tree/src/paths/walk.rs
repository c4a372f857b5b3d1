//! Keys below a folder, as S3 lists them.

use super::Object;
use super::at::object_within;
use super::walker::{Keys, Looks, Step, Walker};
use crate::limits::PAGE_ITEMS_MAX;
use crate::view::Minis;
use crate::{Caller, Error, Tree};
use entente_model::ItemId;

/// Which keys to list. A key is the names on the way from a folder to a file, with a slash between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Walk {
    /// Only keys that begin with this; empty for all.
    pub prefix: String,
    /// Only what comes after this: a key, a prefix that was given out, or what [`Walked::next`] was.
    pub after: Option<String>,
    /// Keys that have this behind the prefix are given out as the one prefix that ends with it.
    pub delimiter: Option<String>,
    /// How many entries there are at most; `limits::PAGE_ITEMS_MAX` if more.
    pub limit: u32,
}

/// A key, or a prefix of several.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A file.
    Key {
        /// Its key.
        key: String,
        /// It.
        object: Box<Object>,
    },
    /// What so many keys as there are begin with, or a folder that somebody made and that is empty.
    Prefix(String),
}

/// A page of keys and prefixes.
#[derive(Debug, Clone)]
pub struct Walked {
    /// In order of their bytes.
    pub entries: Vec<Entry>,
    /// After what the next page begins; `None` at the end. Opaque: it may be no key. A page may be short, even empty, and
    /// have a next one.
    pub next: Option<String>,
}

impl Tree {
    /// A page of the keys below a folder, in order of their bytes. A walk along an index, however many there are, on
    /// another thread; its work is bounded by `limits::WALK_ROWS_MAX`.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the folder.
    pub async fn walk(&self, caller: &Caller, base: ItemId, walk: Walk) -> Result<Walked, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let Walk { prefix, after, delimiter, limit } = &walk;
                let limit = (*limit).min(PAGE_ITEMS_MAX);
                let keys = Keys { prefix, after: after.as_deref(), delimiter: delimiter.as_deref() };
                let mut walker = Walker::begin(tx, &caller, base, keys, (Looks::Present, limit.saturating_add(1)))?;
                let (mut entries, mut minis) = (Vec::new(), Minis::default());
                let mut position = after.clone();
                loop {
                    let step = walker.step(tx)?;
                    // One more than asked for tells whether there is a next page.
                    let full = entries.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
                    let entry = match step {
                        Step::Key { key, sibling, surroundings } if !full => {
                            let Some(found) = sibling.live else { continue };
                            let object = object_within(tx, &surroundings, &mut minis, found)?;
                            Entry::Key { key, object: Box::new(object) }
                        }
                        Step::Prefix(prefix) if !full => Entry::Prefix(prefix),
                        Step::Key { .. } | Step::Prefix(_) => return Ok(Walked { entries, next: position }),
                        Step::Tired(place) => return Ok(Walked { entries, next: Some(place) }),
                        Step::End => return Ok(Walked { entries, next: None }),
                    };
                    entries.push(entry);
                    position = walker.position();
                }
            })
            .await
    }
}
