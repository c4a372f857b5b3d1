//! What stands in the way of changes: locks of folders, locks of files, watermarks.

use super::date::{Date, DateText, Zone};
use super::id::Text;
use super::item::Item;
use super::request::TypedReference;
use super::user::UserMini;
use entente_model::{FileLockId, FolderLockId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a lock keeps a folder from: both, or there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operations {
    /// Being moved.
    #[serde(rename = "move")]
    pub moving: bool,
    /// Being removed.
    pub delete: bool,
}

impl Operations {
    /// Both.
    pub const ALL: Self = Self { moving: true, delete: true };
}

/// `FolderLock`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "folder_lock")]
pub struct FolderLock<'a> {
    /// Its id.
    pub id: Text<FolderLockId>,
    /// The folder.
    pub folder: Item<'a>,
    /// Who locked it.
    pub created_by: UserMini<'a>,
    /// When.
    pub created_at: Date<'a>,
    /// What it is kept from.
    pub locked_operations: Operations,
    /// `freeze`.
    pub lock_type: &'static str,
}

/// `FolderLocks`.
#[derive(Debug, Clone, Serialize)]
pub struct FolderLocks<'a> {
    /// They.
    pub entries: Vec<FolderLock<'a>>,
    /// How many there could be: a text, as Box describes it.
    pub limit: Text<u64>,
    /// Never any.
    pub next_marker: Option<String>,
}

/// What locks a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewFolderLock {
    /// Which.
    pub folder: Option<TypedReference>,
    /// What it is kept from; both, if nothing is said.
    pub locked_operations: Option<Operations>,
}

/// The lock of a file, as its member `lock` shows it.
#[derive(Debug, Clone, Copy)]
pub struct FileLock<'a> {
    /// Its id.
    pub id: FileLockId,
    /// Who holds it.
    pub created_by: UserMini<'a>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// Whether others may not read the content either.
    pub prevents_downloads: bool,
}

/// The same with dates where they are shown.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "lock")]
pub(super) struct FileLockShown<'a> {
    id: Text<FileLockId>,
    created_by: UserMini<'a>,
    created_at: Date<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_at: Option<Date<'a>>,
    is_download_prevented: bool,
    app_type: Option<&'static str>,
}

impl<'a> FileLock<'a> {
    pub(super) fn shown(&self, zone: &'a Zone) -> FileLockShown<'a> {
        let date = |at| Date { at, zone };
        FileLockShown {
            id: Text(self.id),
            created_by: self.created_by,
            created_at: date(self.created_at),
            expired_at: self.expires_at.map(date),
            is_download_prevented: self.prevents_downloads,
            app_type: None,
        }
    }
}

/// What locks a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FileLockAsked {
    /// `lock`; some clients say it here, and some as the type.
    pub access: Option<String>,
    /// `lock`, or `unlock`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Until when.
    pub expires_at: Option<DateText>,
    /// Whether others may not read the content either.
    pub is_download_prevented: Option<bool>,
}

/// `Watermark`.
#[derive(Debug, Clone, Serialize)]
pub struct Watermark<'a> {
    /// Since when.
    pub watermark: Times<'a>,
}

/// Since when there is a watermark.
#[derive(Debug, Clone, Serialize)]
pub struct Times<'a> {
    /// When it was made.
    pub created_at: Date<'a>,
    /// When somebody last said so.
    pub modified_at: Date<'a>,
}

/// What makes a watermark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewWatermark {
    /// How it looks.
    pub watermark: Option<Imprint>,
}

/// How a watermark looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Imprint {
    /// `default`.
    pub imprint: Option<String>,
}
