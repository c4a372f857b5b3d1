//! Going through an archive, item by item, while it goes out.

use super::names::{safe, with_id};
use super::on_behalf;
use crate::files::open::opened;
use crate::grant::{Download, Grant};
use crate::guards::check_unlocked_to_read;
use crate::limits::{ARCHIVE_BYTES_MAX, ARCHIVE_FILES_MAX, ARCHIVE_LOOKED_AT_MAX, ARCHIVE_PATH_BYTES_MAX};
use crate::view::row;
use crate::{ArchiveCounts, ArchiveState, Content, Error, Item, Kind, Tree, allow};
use entente_database::archives::{self, Archive, ArchiveItem};
use entente_database::items::{self, Position};
use entente_model::{ItemId, ItemName, Timestamp, fold};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// Children that are read at a time.
const PAGE: u32 = 100;
/// How often it is written down how far an archive has come.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// One thing in an archive.
#[derive(Debug)]
pub enum ArchiveEntry {
    /// A folder: its path, ending in a slash, and when it last changed.
    Folder(String, Timestamp),
    /// A file.
    File(ArchiveFile),
}

/// A file in an archive.
#[derive(Debug)]
pub struct ArchiveFile {
    /// Its path there, with slashes; leads nowhere else.
    pub path: String,
    /// When its content last changed.
    pub modified_at: Timestamp,
    /// Its content, for [`Tree::read_content`].
    pub content: Content,
}

/// An archive on its way. Dropped before [`ArchiveReader::finish`], it has broken off.
pub struct ArchiveReader {
    tree: Tree,
    archive: Archive,
    /// What has not been begun yet of what was asked for.
    pending: VecDeque<ArchiveItem>,
    /// The folders that are being gone through, each in the one before.
    folders: Vec<Folder>,
    /// What stands at the top already, folded.
    taken: HashSet<String>,
    looked_at: u32,
    bytes: u64,
    finished: bool,
}

/// Whoever fetched it has gone away.
impl Drop for ArchiveReader {
    fn drop(&mut self) {
        // Without a runtime the process is stopping: it is found silent after a while.
        if self.finished || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let (tree, archive) = (self.tree.clone(), self.archive.clone());
        let world = tree.world.clone();
        world.spawn(async move {
            let archive = Archive { state: ArchiveState::Broken, seen_at: tree.world.now(), ..archive };
            // If that fails, it is found silent after a while.
            let _ = write(&tree, archive).await;
        });
    }
}

#[derive(Debug)]
struct Folder {
    id: ItemId,
    /// Its path, ending in a slash.
    path: String,
    /// Children that were read and not gone through.
    children: VecDeque<(ItemId, Kind, ItemName)>,
    /// Behind which child the next ones are; `None` when there are no more.
    after: Option<Position>,
}

impl ArchiveReader {
    pub(super) fn new(tree: Tree, archive: Archive) -> Self {
        let pending = archive.items.iter().copied().collect();
        let (folders, taken) = (Vec::new(), HashSet::new());
        Self { tree, archive, pending, folders, taken, looked_at: 0, bytes: 0, finished: false }
    }

    /// What the archive is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.archive.name
    }

    /// How much has gone out.
    #[must_use]
    pub fn counts(&self) -> ArchiveCounts {
        self.archive.counts
    }

    /// The next folder or file, a folder before what is in it; `None` at the end. What cannot be had (any more) is left out
    /// and counted. Fails only when the database does.
    pub async fn next(&mut self) -> Result<Option<ArchiveEntry>, Error> {
        loop {
            let entry = match self.folders.last_mut() {
                None => match self.pending.pop_front() {
                    Some(one) => self.top(one).await?,
                    None => return Ok(None),
                },
                Some(folder) => match folder.children.pop_front() {
                    Some((id, kind, name)) => {
                        let path = [folder.path.as_str(), &safe(&name, id)].concat();
                        self.enter(id, kind, path).await?
                    }
                    None => {
                        self.turn_page().await?;
                        None
                    }
                },
            };
            if entry.is_some() {
                return Ok(entry);
            }
        }
    }

    /// A file went out to its end.
    pub fn sent(&mut self) {
        self.archive.counts.files_sent += 1;
    }

    /// Writes down how far it has come, unless that was done within the last seconds.
    pub async fn tell(&mut self) -> Result<(), Error> {
        let now = self.tree.world.now();
        if now < self.archive.seen_at.after(TOLD_EVERY) { Ok(()) } else { self.write(ArchiveState::Underway).await }
    }

    /// Writes down that it has gone out to its end, or that it has broken off.
    pub async fn finish(mut self, state: ArchiveState) -> Result<(), Error> {
        self.finished = true;
        self.write(state).await
    }

    async fn write(&mut self, state: ArchiveState) -> Result<(), Error> {
        self.archive.state = state;
        self.archive.seen_at = self.tree.world.now();
        write(&self.tree, self.archive.clone()).await
    }

    /// One of the items that were asked for.
    async fn top(&mut self, one: ArchiveItem) -> Result<Option<ArchiveEntry>, Error> {
        let Some(item) = self.tree.database.read(|tx| items::by_id(tx, one.item))? else {
            // Nobody knows what it was.
            self.archive.counts.files_skipped += 1;
            return Ok(None);
        };
        let name = safe(&item.name, item.id);
        let mut name = if one.renamed { with_id(&name, item.id) } else { name };
        if !self.taken.insert(fold(&name)) {
            // It was called otherwise when the archive was made.
            name = with_id(&name, item.id);
            self.taken.insert(fold(&name));
        }
        self.enter(item.id, item.kind, name).await
    }

    async fn enter(&mut self, id: ItemId, kind: Kind, path: String) -> Result<Option<ArchiveEntry>, Error> {
        self.looked_at += 1;
        if self.looked_at > ARCHIVE_LOOKED_AT_MAX {
            // It has grown since it was asked for: here it ends.
            self.folders.clear();
            self.pending.clear();
            return Ok(None);
        }
        let entry = match kind {
            Kind::File => self.file(id, path).await.map(|file| file.map(ArchiveEntry::File)),
            Kind::Folder => self.folder(id, path).await.map(Some),
            Kind::WebLink => return Ok(None),
        };
        let skipped = match kind {
            Kind::Folder => &mut self.archive.counts.folders_skipped,
            _ => &mut self.archive.counts.files_skipped,
        };
        match entry {
            Ok(Some(entry)) => return Ok(Some(entry)),
            Ok(None) | Err(Error::NotFound | Error::Trashed | Error::Forbidden | Error::Locked) => *skipped += 1,
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// `None` for one that cannot be in an archive.
    async fn file(&mut self, id: ItemId, path: String) -> Result<Option<ArchiveFile>, Error> {
        let (archive, now) = (&self.archive, self.tree.world.now());
        let (item, content) = self.tree.database.read(|tx| {
            let caller = on_behalf(tx, archive, now)?;
            let grant: Grant<Download> = allow(tx, &caller, id)?.of(Kind::File)?;
            let item: Item = row(tx, &grant)?;
            check_unlocked_to_read(tx, &caller, &item)?;
            let found = opened(tx, item, None)?;
            let content = Content::find(tx, found.content)?.ok_or(Error::NotFound)?;
            Ok::<_, Error>((found.item, content))
        })?;
        let bytes = self.bytes.saturating_add(content.size());
        let counts = self.archive.counts;
        if content.is_customers()
            || path.len() > ARCHIVE_PATH_BYTES_MAX
            || bytes > ARCHIVE_BYTES_MAX
            || counts.files_sent >= ARCHIVE_FILES_MAX
        {
            return Ok(None);
        }
        self.bytes = bytes;
        Ok(Some(ArchiveFile { path, modified_at: item.content_modified_at, content }))
    }

    async fn folder(&mut self, id: ItemId, path: String) -> Result<ArchiveEntry, Error> {
        let path = path + "/";
        if path.len() > ARCHIVE_PATH_BYTES_MAX {
            return Err(Error::NotFound);
        }
        let (modified_at, children, after) = self.children(id, None).await?;
        self.folders.push(Folder { id, path: path.clone(), children, after });
        Ok(ArchiveEntry::Folder(path, modified_at))
    }

    /// Goes on in the folder, or out of it.
    async fn turn_page(&mut self) -> Result<(), Error> {
        let Some(mut folder) = self.folders.pop() else { return Ok(()) };
        let Some(after) = folder.after.take() else { return Ok(()) };
        match self.children(folder.id, Some(after)).await {
            Ok((_, children, after)) => self.folders.push(Folder { children, after, ..folder }),
            Err(Error::NotFound | Error::Trashed | Error::Forbidden) => self.archive.counts.folders_skipped += 1,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// When a folder changed, some children of it, and behind which the next ones are.
    #[allow(clippy::type_complexity, reason = "for two functions beside it")]
    async fn children(
        &self,
        folder: ItemId,
        after: Option<Position>,
    ) -> Result<(Timestamp, VecDeque<(ItemId, Kind, ItemName)>, Option<Position>), Error> {
        let (archive, now) = (self.archive.clone(), self.tree.world.now());
        let read = move |tx: &mut entente_database::Tx<'_>| {
            let caller = on_behalf(tx, &archive, now)?;
            let grant: Grant<Download> = allow(tx, &caller, folder)?.of(Kind::Folder)?;
            let modified_at = row(tx, &grant)?.content_modified_at;
            let page = items::page_after(tx, folder, after.as_ref(), PAGE)?;
            let is_full = page.len() >= PAGE as usize;
            let after = page.last().filter(|_| is_full).map(|(item, _)| Position::of(item));
            let children = page.into_iter().map(|(item, _)| (item.id, item.kind, item.name)).collect();
            Ok((modified_at, children, after))
        };
        self.tree.database.read_long(read).await
    }
}

async fn write(tree: &Tree, archive: Archive) -> Result<(), Error> {
    tree.database.transact("tell of an archive", move |tx| Ok(archives::update(tx, &archive)?)).await
}
