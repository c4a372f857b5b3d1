//! File requests.

use super::date::{Date, DateText};
use super::id::Text;
use super::item::Item;
use super::request::{TypedReference, given};
use super::user::UserMini;
use entente_model::FileRequestId;
use serde::{Deserialize, Serialize};

/// Whether a file request takes files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Yes.
    Active,
    /// No.
    Inactive,
}

/// `FileRequest`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "file_request")]
pub struct FileRequest<'a> {
    /// Its id.
    pub id: Text<FileRequestId>,
    /// What the page is called.
    pub title: &'a str,
    /// What it says; `null` for nothing.
    pub description: Option<&'a str>,
    /// Whether it takes files now.
    pub status: Status,
    /// Whether people must say who they are.
    pub is_email_required: bool,
    /// Whether they must say what it is.
    pub is_description_required: bool,
    /// Left out without one: it is not nullable in Box's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Date<'a>>,
    /// Where files go.
    pub folder: Item<'a>,
    /// Where the page is: a path, as Box has it.
    pub url: String,
    /// Grows with every change.
    pub etag: Text<u64>,
    /// Who made it.
    pub created_by: UserMini<'a>,
    /// When.
    pub created_at: Date<'a>,
    /// Who changed it last.
    pub updated_by: UserMini<'a>,
    /// When.
    pub updated_at: Date<'a>,
}

/// What makes a file request, or changes one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FileRequestAsked {
    /// For which folder; not of one that is there.
    pub folder: Option<TypedReference>,
    /// What the page is called.
    pub title: Option<String>,
    /// What it says; `Some(None)` for `null`.
    #[serde(deserialize_with = "given")]
    pub description: Option<Option<String>>,
    /// Whether it takes files.
    pub status: Option<Status>,
    /// Whether people must say who they are.
    pub is_email_required: Option<bool>,
    /// Whether they must say what it is.
    pub is_description_required: Option<bool>,
    /// When it ends by itself; `Some(None)` for `null`.
    #[serde(deserialize_with = "given")]
    pub expires_at: Option<Option<DateText>>,
}
