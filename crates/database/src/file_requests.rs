//! File requests: pages where people without an account put files into a folder.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{FileRequestId, ItemId, Timestamp, UserId};
use std::fmt;

/// A file request as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct FileRequest {
    /// Its id.
    pub id: FileRequestId,
    /// Into which folder.
    pub folder: ItemId,
    /// What its URL ends with: whoever has it may send.
    pub token: String,
    /// What the page is called.
    pub title: String,
    /// What it says. May be empty.
    pub description: String,
    /// Whether it was switched on.
    pub active: bool,
    /// Whether people must say who they are.
    pub wants_email: bool,
    /// Whether they must say what it is.
    pub wants_description: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Counts its changes, from 0.
    pub sequence: u64,
    /// In whose name files come in.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who changed it last.
    pub modified_by: UserId,
    /// When.
    pub modified_at: Timestamp,
}

/// Without what its URL ends with.
impl fmt::Debug for FileRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("FileRequest");
        shown.field("id", &self.id).field("folder", &self.folder).field("active", &self.active).finish_non_exhaustive()
    }
}

impl FileRequest {
    /// Whether it takes files at that time.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.active && self.expires_at.is_none_or(|end| end > at)
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, folder_id, token, title, description, active, wants_email, wants_description, expires_at, sequence,
               created_by, created_at, modified_by, modified_at
             FROM file_requests ",
            $rest
        )
    };
}

/// Inserts one as it is, or changes what may change of it.
pub fn save(tx: &mut Tx<'_>, request: &FileRequest) -> Result<(), Error> {
    tx.put(
        "INSERT INTO file_requests (id, folder_id, token, title, description, active, wants_email, wants_description,
           expires_at, sequence, created_by, created_at, modified_by, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (id) DO UPDATE SET title = excluded.title, description = excluded.description,
           active = excluded.active, wants_email = excluded.wants_email, wants_description = excluded.wants_description,
           expires_at = excluded.expires_at, sequence = excluded.sequence, modified_by = excluded.modified_by,
           modified_at = excluded.modified_at",
        &[
            request.id.into(),
            request.folder.into(),
            request.token.as_str().into(),
            request.title.as_str().into(),
            request.description.as_str().into(),
            i64::from(request.active).into(),
            i64::from(request.wants_email).into(),
            i64::from(request.wants_description).into(),
            request.expires_at.into(),
            request.sequence.into(),
            request.created_by.into(),
            request.created_at.into(),
            request.modified_by.into(),
            request.modified_at.into(),
        ],
    )
}

/// The one with that id.
pub fn by_id(tx: &mut Tx<'_>, id: FileRequestId) -> Result<Option<FileRequest>, Error> {
    tx.query_one(select!("WHERE id = ?1"), &[id.into()], read)
}

/// The one whose URL ends with that.
pub fn by_token(tx: &mut Tx<'_>, token: &str) -> Result<Option<FileRequest>, Error> {
    tx.query_one(select!("WHERE token = ?1"), &[token.into()], read)
}

/// Up to `limit` of a folder, after one, in the order of their ids.
pub fn of_folder(
    tx: &mut Tx<'_>,
    folder: ItemId,
    after: Option<FileRequestId>,
    limit: u32,
) -> Result<Vec<FileRequest>, Error> {
    let after = after.map_or(0, FileRequestId::number);
    tx.query(
        select!("WHERE folder_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3"),
        &[folder.into(), after.into(), limit.into()],
        read,
    )
}

/// Removes one.
pub fn remove(tx: &mut Tx<'_>, id: FileRequestId) -> Result<(), Error> {
    tx.put("DELETE FROM file_requests WHERE id = ?1", &[id.into()])
}

/// Those of an item that goes.
pub(crate) fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM file_requests WHERE folder_id = ?1", &[item.into()])
}

fn read(row: &Row<'_>) -> Result<FileRequest, Error> {
    Ok(FileRequest {
        id: FileRequestId::new(row.int(0)?),
        folder: ItemId::new(row.int(1)?),
        token: row.text(2)?,
        title: row.text(3)?,
        description: row.text(4)?,
        active: row.int(5)? != 0,
        wants_email: row.int(6)? != 0,
        wants_description: row.int(7)? != 0,
        expires_at: row.int_or_null(8)?.map(Timestamp::from_millis),
        sequence: row.size(9)?,
        created_by: UserId::new(row.int(10)?),
        created_at: Timestamp::from_millis(row.int(11)?),
        modified_by: UserId::new(row.int(12)?),
        modified_at: Timestamp::from_millis(row.int(13)?),
    })
}
