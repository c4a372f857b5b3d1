//! Archives: files and folders that somebody fetches together, in one stream that is made while it goes out.
//!
//! Who may have what is decided when an archive is asked for, and again for each item when its turn comes: what may no
//! longer be had by then is left out, and counted. Its URL is fetched without a credential, so the row says on whose behalf.

mod make;
mod names;
mod read;

pub use make::{MadeArchive, NewArchive, RenamedItem};
pub use read::{ArchiveEntry, ArchiveFile, ArchiveReader};

use crate::limits::{ARCHIVE_REMEMBERED, ARCHIVE_SILENCE_MAX, ARCHIVES_AT_ONCE_MAX};
use crate::shared_links::TOKEN_LETTERS;
use crate::{ArchiveCounts, ArchiveState, Caller, Error, Reading, Tree};
use entente_database::archives::{self, Archive};
use entente_database::{Tx, tokens};
use entente_model::{FollowedLink, Timestamp};

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It would have more than `limits::ARCHIVE_FILES_MAX` files, or very many folders. Ask for less at a time.
    #[error("an archive has {} files at most", crate::limits::ARCHIVE_FILES_MAX)]
    TooManyFiles,
    /// Its files would have more than `limits::ARCHIVE_BYTES_MAX` bytes. Ask for less at a time.
    #[error("the files of an archive have {} bytes at most", crate::limits::ARCHIVE_BYTES_MAX)]
    TooManyBytes,
    /// The user fetches `limits::ARCHIVES_AT_ONCE_MAX` archives already. Try again when one of them has come.
    #[error("a user fetches {ARCHIVES_AT_ONCE_MAX} archives at a time at most")]
    TooManyAtOnce,
    /// Anything else.
    #[error(transparent)]
    Tree(#[from] Error),
}

impl From<entente_database::Error> for ArchiveError {
    fn from(error: entente_database::Error) -> Self {
        Self::Tree(error.into())
    }
}

/// How far an archive is that somebody has begun to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveStatus {
    /// On its way, complete or broken off.
    pub state: ArchiveState,
    /// How many files it had when it was made.
    pub files: u32,
    /// How much of it has gone out; some seconds late.
    pub counts: ArchiveCounts,
}

impl Tree {
    /// Begins to fetch an archive, whoever asks: its token says that they may. Once.
    ///
    /// `NotFound` when there is no such archive, it was fetched already or not within `limits::ARCHIVE_PATIENCE`, or its
    /// user may not come in any more; `TooManyAtOnce`.
    pub async fn begin_archive(&self, token: &str) -> Result<ArchiveReader, ArchiveError> {
        let (token, now) = (token.to_owned(), self.world.now());
        let begun = self.database.transact("begin archive", move |tx| {
            let found = known(tx, &token, now)?.filter(|found| found.state == ArchiveState::Made);
            let found = found.ok_or(Error::NotFound)?;
            let caller = on_behalf(tx, &found, now)?;
            if archives::underway(tx, found.user, now.before(ARCHIVE_SILENCE_MAX))? >= ARCHIVES_AT_ONCE_MAX {
                return Err(ArchiveError::TooManyAtOnce);
            }
            let expires_at = now.after(ARCHIVE_REMEMBERED);
            let begun = Archive { state: ArchiveState::Underway, seen_at: now, expires_at, ..found };
            archives::update(tx, &begun)?;
            Ok((begun, caller))
        });
        let (begun, caller) = begun.await?;
        for item in &begun.items {
            self.note_read(&caller, item.item, None, Reading::Downloaded).await;
        }
        Ok(ArchiveReader::new(self.clone(), begun))
    }

    /// What the archive is called that could be begun to fetch. `NotFound` as for [`Tree::begin_archive`].
    pub fn archive_name(&self, token: &str) -> Result<String, Error> {
        let now = self.world.now();
        let found = self.database.read(|tx| known(tx, token, now))?;
        let found = found.filter(|found| found.state == ArchiveState::Made).ok_or(Error::NotFound)?;
        Ok(found.name)
    }

    /// How far an archive of the caller's is. `NotFound` for another's, when it was not begun to fetch, and longer than
    /// `limits::ARCHIVE_REMEMBERED` after that.
    pub async fn archive_status(&self, caller: &Caller, token: &str) -> Result<ArchiveStatus, Error> {
        let now = self.world.now();
        let found = self.database.read(|tx| known(tx, token, now))?.filter(|found| found.user == caller.user);
        let found = found.filter(|found| found.state != ArchiveState::Made).ok_or(Error::NotFound)?;
        let silent = found.state == ArchiveState::Underway && found.seen_at < now.before(ARCHIVE_SILENCE_MAX);
        let state = if silent { ArchiveState::Broken } else { found.state };
        Ok(ArchiveStatus { state, files: found.files, counts: found.counts })
    }
}

fn known(tx: &mut Tx<'_>, token: &str, now: Timestamp) -> Result<Option<Archive>, Error> {
    let found = if token.len() > TOKEN_LETTERS { None } else { archives::by_token(tx, token)? };
    Ok(found.filter(|found| found.expires_at > now))
}

/// Who asks for what is in the archive, as they are now.
fn on_behalf(tx: &mut Tx<'_>, archive: &Archive, now: Timestamp) -> Result<Caller, Error> {
    let caller = tokens::caller(tx, archive.user, archive.app, archive.scopes)?.ok_or(Error::NotFound)?;
    let link = archive.link.map(|link| FollowedLink { link, at: now });
    Ok(Caller { confined: archive.confined, link, ..caller })
}
