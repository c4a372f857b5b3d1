//! Asking for an archive: may the caller have all of it, is it small enough, and what is called otherwise there.

use super::ArchiveError;
use super::names::{safe, with_id};
use crate::grant::Download;
use crate::limits::{
    ARCHIVE_BYTES_MAX, ARCHIVE_FILES_MAX, ARCHIVE_ITEMS_MAX, ARCHIVE_LOOKED_AT_MAX, ARCHIVE_NAME_CHARS_MAX,
    ARCHIVE_PATIENCE,
};
use crate::shared_links::fresh_token;
use crate::view::row;
use crate::{ArchiveCounts, ArchiveState, Caller, Error, Item, Kind, Tree, allow};
use entente_database::archives::{self, Archive, ArchiveItem};
use entente_database::items::{self, Position};
use entente_database::{Tx, versions};
use entente_model::{ItemId, ItemName, Timestamp, fold};
use std::collections::{HashMap, HashSet};

/// Children that are read at a time.
const PAGE: u32 = 500;
/// Rows of archives that have expired, removed whenever one is made.
const REMOVED_MAX: u32 = 100;

/// What to put into an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArchive {
    /// What it is called: 1 to `limits::ARCHIVE_NAME_CHARS_MAX` characters.
    pub name: String,
    /// The items, and what they are. One that stands there twice is there once.
    pub items: Vec<(ItemId, Kind)>,
}

/// An archive that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeArchive {
    /// What its URL has: whoever knows it may fetch it, once.
    pub token: String,
    /// Until when that may be begun.
    pub expires_at: Timestamp,
    /// Items that are called otherwise there, since they are called alike: each group of them.
    pub renamed: Vec<Vec<RenamedItem>>,
}

/// An item that is called otherwise in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedItem {
    /// Which.
    pub item: ItemId,
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub name: ItemName,
    /// What it is called there.
    pub called: String,
}

/// What an archive would have.
#[derive(Debug, Default)]
struct Extent {
    files: u32,
    bytes: u64,
    looked_at: u32,
}

impl Tree {
    /// Makes an archive of items that the caller may download; nothing is read yet.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` for the first item that is not to be had (a root never is), `Invalid` for none, for
    /// more than `limits::ARCHIVE_ITEMS_MAX`, and for such a name; `TooManyFiles`, `TooManyBytes`.
    pub async fn make_archive(&self, caller: &Caller, new: NewArchive) -> Result<MadeArchive, ArchiveError> {
        let NewArchive { name, items } = new;
        check(caller, &name, &items)?;
        let asked = caller.clone();
        let (files, rows) = self.database.read_long(move |tx| measure(tx, &asked, &items)).await?;
        let (items, renamed) = called(&rows);
        let (token, now) = (fresh_token(&self.world), self.world.now());
        let made = MadeArchive { token: token.clone(), expires_at: now.after(ARCHIVE_PATIENCE), renamed };
        let archive = Archive {
            token,
            user: caller.user,
            app: caller.app,
            scopes: caller.scopes,
            confined: caller.confined,
            link: caller.link.map(|link| link.link),
            name,
            items,
            state: ArchiveState::Made,
            files,
            counts: ArchiveCounts::default(),
            seen_at: now,
            expires_at: made.expires_at,
        };
        self.database
            .transact("make archive", move |tx| {
                archives::remove_expired(tx, now, REMOVED_MAX)?;
                Ok::<_, ArchiveError>(archives::insert(tx, &archive)?)
            })
            .await?;
        Ok(made)
    }
}

fn check(caller: &Caller, name: &str, items: &[(ItemId, Kind)]) -> Result<(), Error> {
    if caller.through.is_some() {
        return Err(Error::Forbidden);
    }
    if items.is_empty() || items.len() > ARCHIVE_ITEMS_MAX {
        return Err(Error::Invalid("an archive is made of 1 to 10000 items"));
    }
    if name.trim().is_empty() || name.chars().count() > ARCHIVE_NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Error::Invalid("the name of an archive has 1 to 200 characters"));
    }
    Ok(())
}

/// The items, each once, and how many files are among and below them.
fn measure(tx: &mut Tx<'_>, caller: &Caller, asked: &[(ItemId, Kind)]) -> Result<(u32, Vec<Item>), ArchiveError> {
    let (mut extent, mut rows, mut seen) = (Extent::default(), Vec::new(), HashSet::new());
    for (id, kind) in asked {
        if !seen.insert(*id) {
            continue;
        }
        let grant = allow::<Download>(tx, caller, *id)?.of(*kind)?;
        let item = row(tx, &grant)?;
        match item.kind {
            Kind::File => {
                let size = versions::by_id(tx, item.version.ok_or(Error::NotFound)?)?;
                extent.file(size.map_or(0, |version| version.size))?;
            }
            Kind::Folder => below(tx, item.id, &mut extent)?,
            Kind::WebLink => return Err(Error::NotFound.into()),
        }
        rows.push(item);
    }
    Ok((extent.files, rows))
}

/// Adds what is below a folder: who may download it may download all of that.
fn below(tx: &mut Tx<'_>, folder: ItemId, extent: &mut Extent) -> Result<(), ArchiveError> {
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let mut after = None;
        loop {
            let page = items::page_after(tx, folder, after.as_ref(), PAGE)?;
            after = page.last().map(|(item, _)| Position::of(item));
            let is_last = page.len() < PAGE as usize;
            for (item, version) in page {
                extent.looked_at()?;
                match item.kind {
                    Kind::File => extent.file(version.map_or(0, |version| version.size))?,
                    Kind::Folder => folders.push(item.id),
                    Kind::WebLink => {}
                }
            }
            if is_last {
                break;
            }
        }
    }
    Ok(())
}

impl Extent {
    fn file(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.files > ARCHIVE_FILES_MAX {
            return Err(ArchiveError::TooManyFiles);
        }
        if self.bytes > ARCHIVE_BYTES_MAX { Err(ArchiveError::TooManyBytes) } else { Ok(()) }
    }

    fn looked_at(&mut self) -> Result<(), ArchiveError> {
        self.looked_at += 1;
        if self.looked_at > ARCHIVE_LOOKED_AT_MAX { Err(ArchiveError::TooManyFiles) } else { Ok(()) }
    }
}

/// What items are called there: all that would be called alike get other names.
fn called(rows: &[Item]) -> (Vec<ArchiveItem>, Vec<Vec<RenamedItem>>) {
    let names: Vec<_> = rows.iter().map(|item| safe(&item.name, item.id)).collect();
    let folded: Vec<_> = names.iter().map(|name| fold(name)).collect();
    let mut groups: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, name) in folded.iter().enumerate() {
        groups.entry(name.as_str()).or_default().push(index);
    }
    let (mut renamed, mut items) = (Vec::new(), Vec::with_capacity(rows.len()));
    for (index, (item, name)) in rows.iter().zip(&folded).enumerate() {
        let group = groups.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        items.push(ArchiveItem { item: item.id, renamed: group.len() > 1 });
        if group.len() > 1 && group.first() == Some(&index) {
            let others = group.iter().filter_map(|index| Some((rows.get(*index)?, names.get(*index)?)));
            renamed.push(others.map(|(item, name)| renamed_item(item, name)).collect());
        }
    }
    (items, renamed)
}

fn renamed_item(item: &Item, name: &str) -> RenamedItem {
    RenamedItem { item: item.id, kind: item.kind, name: item.name.clone(), called: with_id(name, item.id) }
}
