//! Uploads in one request, and the question before one.

use super::form::Form;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::{moment, name_given, name_required, parent_required};
use crate::wire::item::{FILE, Files};
use crate::wire::request::NewItem;
use crate::wire::session::UploadUrl;
use axum::response::Response;
use entente_model::{Caller, ItemId};
use entente_tree::{Error as TreeError, ItemView, NameRule, NewFile, NewVersion, RecentAct};
use http::StatusCode;

pub(crate) async fn new_file(mut asked: Asked, caller: Caller) -> Outcome {
    let expected_sha1 = asked.announced_sha1()?;
    let mut form = Form::open(&mut asked)?;
    let attributes: NewItem = form.attributes().await?;
    let new = NewFile {
        name: name_required(attributes.name.as_deref())?,
        content_created_at: moment(attributes.content_created_at),
        content_modified_at: moment(attributes.content_modified_at),
        size_max: asked.door.options().file_bytes_max,
        expected_sha1,
    };
    let parent = parent_required(&asked, &caller, attributes.parent.as_ref()).await?;
    let content = form.content().await?;
    let view = asked.tree().upload(&caller, parent, new, NameRule::CaseInsensitive, content).await?;
    asked.tree().note_recent(&caller, view.item.id, RecentAct::Uploaded);
    Ok(files(&asked, StatusCode::CREATED, &view))
}

pub(crate) async fn new_version(mut asked: Asked, caller: Caller) -> Outcome {
    let file: ItemId = asked.id("file_id")?;
    let expected_sha1 = asked.announced_sha1()?;
    let mut form = Form::open(&mut asked)?;
    let attributes: NewItem = form.attributes().await?;
    let new = NewVersion {
        name: name_given(attributes.name.as_deref())?,
        content_modified_at: moment(attributes.content_modified_at),
        size_max: asked.door.options().file_bytes_max,
        expected_sha1,
        if_match: asked.expected_sequence(),
    };
    let content = form.content().await?;
    let view = asked.tree().upload_version(&caller, file, new, NameRule::CaseInsensitive, content).await?;
    asked.tree().note_recent(&caller, view.item.id, RecentAct::Uploaded);
    Ok(files(&asked, StatusCode::OK, &view))
}

pub(crate) async fn preflight(mut asked: Asked, caller: Caller) -> Outcome {
    let wanted: NewItem = asked.json().await?;
    let size = size(&asked, wanted.size)?;
    let name = name_required(wanted.name.as_deref())?;
    let parent = parent_required(&asked, &caller, wanted.parent.as_ref()).await?;
    asked.tree().check_upload(&caller, parent, &name, size, NameRule::CaseInsensitive).await?;
    Ok(upload_url(&asked, "/box/upload/2.0/files/content"))
}

pub(crate) async fn preflight_version(mut asked: Asked, caller: Caller) -> Outcome {
    let file: ItemId = asked.id("file_id")?;
    let wanted: NewItem = asked.json().await?;
    let size = size(&asked, wanted.size)?;
    let name = name_given(wanted.name.as_deref())?;
    asked.tree().check_upload_version(&caller, file, name.as_ref(), size, NameRule::CaseInsensitive).await?;
    Ok(upload_url(&asked, &format!("/box/upload/2.0/files/{file}/content")))
}

/// The size that a client announces, if it does.
fn size(asked: &Asked, size: Option<i64>) -> Result<Option<u64>, Problem> {
    let Some(size) = size else { return Ok(None) };
    let size = u64::try_from(size).map_err(|_| Problem::invalid("size", "'size' cannot be negative"))?;
    let limit = asked.door.options().file_bytes_max;
    if size > limit { Err(TreeError::TooLarge { limit }.into()) } else { Ok(Some(size)) }
}

fn upload_url(asked: &Asked, path: &str) -> Response {
    answer::json(StatusCode::OK, &UploadUrl { upload_url: &asked.url(path) })
}

/// What every upload answers.
pub(super) fn files(asked: &Asked, status: StatusCode, view: &ItemView) -> Response {
    asked.look().item(view, asked.fields(FILE), |item| answer::json(status, &Files(*item)))
}
