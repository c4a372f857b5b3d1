//! Downloads of several items in one zip archive.

use super::date::Date;
use super::id::Text;
use super::request::TypedReference;
use entente_model::ItemId;
use serde::{Deserialize, Serialize};

/// What asks for one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ZipDownloadAsked {
    /// What is to be in it.
    pub items: Option<Vec<TypedReference>>,
    /// What it is called, without `.zip`.
    pub download_file_name: Option<String>,
}

/// Where it is.
#[derive(Debug, Serialize)]
pub struct ZipDownload<'a> {
    /// Where the archive is, for whoever knows it.
    pub download_url: String,
    /// Where it is told how far it is.
    pub status_url: String,
    /// Until when the download can be begun.
    pub expires_at: Date<'a>,
    /// What is called otherwise in it: what would be called alike, together.
    pub name_conflicts: Vec<Vec<NameConflict<'a>>>,
}

/// An item that is called otherwise in an archive.
#[derive(Debug, Serialize)]
pub struct NameConflict<'a> {
    /// Which.
    pub id: Text<ItemId>,
    /// `file` or `folder`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it is called.
    pub original_name: &'a str,
    /// What it is called there.
    pub download_name: &'a str,
}

/// How far it is.
#[derive(Debug, Serialize)]
pub struct ZipDownloadStatus {
    /// How many files it had when it was asked for.
    pub total_file_count: u32,
    /// How many files went out.
    pub downloaded_file_count: u32,
    /// How many files could not be had any more.
    pub skipped_file_count: u32,
    /// The same of folders.
    pub skipped_folder_count: u32,
    /// `in_progress`, `succeeded` or `failed`.
    pub state: &'static str,
}
