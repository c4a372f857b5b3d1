//! Archives: items that somebody fetches together, once, and how far that has come.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{AppId, ItemId, Scopes, SharedLinkId, Timestamp, UserId};
use std::fmt::{self, Write};

/// How far an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArchiveState {
    /// Nobody has fetched it yet.
    Made,
    /// Somebody is fetching it.
    Underway,
    /// It went out to its end.
    Complete,
    /// It broke off.
    Broken,
}

impl ArchiveState {
    const fn number(self) -> i64 {
        match self {
            Self::Made => 0,
            Self::Underway => 1,
            Self::Complete => 2,
            Self::Broken => 3,
        }
    }

    fn from_number(number: i64) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::Made),
            1 => Ok(Self::Underway),
            2 => Ok(Self::Complete),
            3 => Ok(Self::Broken),
            _ => Err(Error::damaged("how far an archive is")),
        }
    }
}

/// How much of an archive has gone out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArchiveCounts {
    /// Files that went out.
    pub files_sent: u32,
    /// Files that could not be read, or not any more.
    pub files_skipped: u32,
    /// The same of folders.
    pub folders_skipped: u32,
}

/// An item of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveItem {
    /// Which.
    pub item: ItemId,
    /// Whether it is called otherwise there, because another one has its name.
    pub renamed: bool,
}

/// An archive as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Archive {
    /// What its URL has: whoever knows it may fetch the archive.
    pub token: String,
    /// On whose behalf.
    pub user: UserId,
    /// Through which app, if through one.
    pub app: Option<AppId>,
    /// What the credential was limited to.
    pub scopes: Scopes,
    /// The item at and below which alone the credential was worth anything.
    pub confined: Option<ItemId>,
    /// The shared link that they came with.
    pub link: Option<SharedLinkId>,
    /// What the archive is called.
    pub name: String,
    /// What is in it.
    pub items: Vec<ArchiveItem>,
    /// How far it is.
    pub state: ArchiveState,
    /// How many files it had when it was made.
    pub files: u32,
    /// How much of it has gone out.
    pub counts: ArchiveCounts,
    /// The last sign of life.
    pub seen_at: Timestamp,
    /// From when on nothing is known of it.
    pub expires_at: Timestamp,
}

/// Without what its URL has.
impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Archive");
        shown.field("user", &self.user).field("state", &self.state).field("counts", &self.counts);
        shown.finish_non_exhaustive()
    }
}

/// Stores a new one. `Duplicate` when the token is there.
pub fn insert(tx: &mut Tx<'_>, new: &Archive) -> Result<(), Error> {
    tx.put(
        "INSERT INTO archives (token, user_id, app_id, scopes, confined_to, link_id, name, items, state, files,
           files_sent, files_skipped, folders_skipped, seen_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        &[
            new.token.as_str().into(),
            new.user.into(),
            new.app.into(),
            new.scopes.to_string().as_str().into(),
            new.confined.into(),
            new.link.into(),
            new.name.as_str().into(),
            written(&new.items).as_str().into(),
            new.state.number().into(),
            new.files.into(),
            new.counts.files_sent.into(),
            new.counts.files_skipped.into(),
            new.counts.folders_skipped.into(),
            new.seen_at.into(),
            new.expires_at.into(),
        ],
    )
}

/// Writes how far one is: state, counts, sign of life and end.
pub fn update(tx: &mut Tx<'_>, archive: &Archive) -> Result<(), Error> {
    tx.put(
        "UPDATE archives SET state = ?2, files_sent = ?3, files_skipped = ?4, folders_skipped = ?5, seen_at = ?6,
           expires_at = ?7
         WHERE token = ?1",
        &[
            archive.token.as_str().into(),
            archive.state.number().into(),
            archive.counts.files_sent.into(),
            archive.counts.files_skipped.into(),
            archive.counts.folders_skipped.into(),
            archive.seen_at.into(),
            archive.expires_at.into(),
        ],
    )
}

/// The archive whose URL has that, whether it has expired or not.
pub fn by_token(tx: &mut Tx<'_>, token: &str) -> Result<Option<Archive>, Error> {
    let sql = "SELECT token, user_id, app_id, scopes, confined_to, link_id, name, items, state, files, files_sent,
                 files_skipped, folders_skipped, seen_at, expires_at
               FROM archives WHERE token = ?1";
    tx.query_one(sql, &[token.into()], read)
}

/// How many archives of a user are on their way and have given a sign of life since then.
pub fn underway(tx: &mut Tx<'_>, user: UserId, since: Timestamp) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM archives WHERE user_id = ?1 AND state = 1 AND seen_at >= ?2";
    let count = tx.query_one(sql, &[user.into(), since.into()], |row| row.int(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Removes up to `limit` that have expired by then.
pub fn remove_expired(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<(), Error> {
    tx.put(
        "DELETE FROM archives WHERE token IN (SELECT token FROM archives WHERE expires_at <= ?1 LIMIT ?2)",
        &[now.into(), limit.into()],
    )
}

fn written(items: &[ArchiveItem]) -> String {
    let mut text = String::with_capacity(items.len() * 20);
    for (index, one) in items.iter().enumerate() {
        let (before, after) = (if index == 0 { "" } else { " " }, if one.renamed { "!" } else { "" });
        // Writing to a String does not fail.
        let _ = write!(text, "{before}{}{after}", one.item);
    }
    text
}

fn items(text: &str) -> Result<Vec<ArchiveItem>, Error> {
    let one = |word: &str| {
        let (id, renamed) = word.strip_suffix('!').map_or((word, false), |id| (id, true));
        let item = id.parse().map_err(|_| Error::damaged("what is in an archive"))?;
        Ok(ArchiveItem { item, renamed })
    };
    text.split_ascii_whitespace().map(one).collect()
}

fn read(row: &Row<'_>) -> Result<Archive, Error> {
    let count = |index| Ok::<_, Error>(u32::try_from(row.int(index)?).unwrap_or(u32::MAX));
    Ok(Archive {
        token: row.text(0)?,
        user: UserId::new(row.int(1)?),
        app: row.int_or_null(2)?.map(AppId::new),
        scopes: row.text(3)?.parse().map_err(|_| Error::damaged("the scopes of an archive"))?,
        confined: row.int_or_null(4)?.map(ItemId::new),
        link: row.int_or_null(5)?.map(SharedLinkId::new),
        name: row.text(6)?,
        items: items(&row.text(7)?)?,
        state: ArchiveState::from_number(row.int(8)?)?,
        files: count(9)?,
        counts: ArchiveCounts { files_sent: count(10)?, files_skipped: count(11)?, folders_skipped: count(12)? },
        seen_at: Timestamp::from_millis(row.int(13)?),
        expires_at: Timestamp::from_millis(row.int(14)?),
    })
}
