//! File requests, as those see them who make them. What is sent comes by `super::file_request_page`.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::{folder, moment, numbered};
use crate::to_wire::mini;
use crate::wire::collection::{Collection, Page};
use crate::wire::date::Date;
use crate::wire::file_request::{FileRequest, FileRequestAsked, Status};
use crate::wire::id::Text;
use crate::wire::item::ITEM_MINI;
use crate::wire::request::TypedReference;
use axum::response::Response;
use entente_model::{Caller, ItemId};
use entente_tree::{FileRequestChange, FileRequestView, NewFileRequest};
use http::StatusCode;

/// Box's first one is made in its web application; here it is made like any other.
pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let wish: FileRequestAsked = asked.json().await?;
    let folder = target(&asked, &caller, wish.folder.as_ref()).await?;
    let new = NewFileRequest { folder, title: wish.title.clone(), change: change(wish) };
    let made = asked.tree().create_file_request(&caller, new).await?;
    Ok(answer(&asked, StatusCode::CREATED, &made))
}

pub(crate) async fn copy(mut asked: Asked, caller: Caller) -> Outcome {
    let wish: FileRequestAsked = asked.json().await?;
    let folder = target(&asked, &caller, wish.folder.as_ref()).await?;
    let id = asked.id("file_request_id")?;
    let made = asked.tree().copy_file_request(&caller, id, folder, change(wish)).await?;
    // Not 201, as Box describes it.
    Ok(answer(&asked, StatusCode::OK, &made))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().file_request(&caller, asked.id("file_request_id")?).await?;
    Ok(answer(&asked, StatusCode::OK, &found))
}

/// A list of ours: Box shows it in its web application alone.
pub(crate) async fn of_folder(asked: Asked, caller: Caller) -> Outcome {
    let wanted = asked.query().marker_page()?;
    let after = wanted.marker.as_deref().map(|marker| numbered("marker", marker)).transpose()?;
    let (folder, limit) = (asked.folder_id(&caller).await?, wanted.limit.max(1));
    let found = asked.tree().file_requests(&caller, folder, after, limit).await?;
    let look = asked.look();
    let entries = found.entries.iter().map(|view| look.file_request(view)).collect();
    let page = Page::Marker { next: found.next.map(|next| next.to_string()) };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: limit.into(), page }))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let id = asked.id("file_request_id")?;
    let wish: FileRequestAsked = asked.json().await?;
    let if_match = asked.expected_sequence();
    let changed = asked.tree().change_file_request(&caller, id, change(wish), if_match).await?;
    Ok(answer(&asked, StatusCode::OK, &changed))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_file_request(&caller, asked.id("file_request_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

async fn target(asked: &Asked, caller: &Caller, named: Option<&TypedReference>) -> Result<ItemId, Problem> {
    let named = named.ok_or_else(|| Problem::missing("folder"))?;
    if named.kind.as_deref().is_some_and(|kind| kind != "folder") {
        return Err(Problem::invalid("folder.type", "'folder.type' must be 'folder'"));
    }
    let id = named.id.as_ref().ok_or_else(|| Problem::missing("folder.id"))?;
    folder(asked, caller, id, "folder.id").await
}

fn change(wish: FileRequestAsked) -> FileRequestChange {
    FileRequestChange {
        title: wish.title,
        description: wish.description.map(Option::unwrap_or_default),
        active: wish.status.map(|status| status == Status::Active),
        wants_email: wish.is_email_required,
        wants_description: wish.is_description_required,
        expires_at: wish.expires_at.map(moment),
    }
}

fn answer(asked: &Asked, code: StatusCode, view: &FileRequestView) -> Response {
    answer::json(code, &asked.look().file_request(view))
}

impl crate::to_wire::Look<'_> {
    fn file_request<'a>(&'a self, view: &'a FileRequestView) -> FileRequest<'a> {
        let row = &view.request;
        let date = |at| Date { at, zone: self.zone };
        FileRequest {
            id: Text(row.id),
            title: &row.title,
            description: Some(row.description.as_str()).filter(|text| !text.is_empty()),
            status: if view.open { Status::Active } else { Status::Inactive },
            is_email_required: row.wants_email,
            is_description_required: row.wants_description,
            expires_at: row.expires_at.map(date),
            folder: self.item_at(&view.folder, &[], ITEM_MINI),
            url: ["/f/", &row.token].concat(),
            etag: Text(row.sequence),
            created_by: mini(&view.created_by),
            created_at: date(row.created_at),
            updated_by: mini(&view.modified_by),
            updated_at: date(row.modified_at),
        }
    }
}
