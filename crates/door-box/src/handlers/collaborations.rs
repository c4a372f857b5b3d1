//! Collaborations.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::moment;
use crate::wire::collaboration::NewCollaboration as NewAsked;
use crate::wire::collaboration::{COLLABORATION, CollaborationChange as ChangeAsked, GranteeAsked, role_named};
use crate::wire::collection::{Collection, Page};
use crate::wire::id::{self, FromNumber, ItemRef, MalformedId};
use crate::wire::query::OffsetPage;
use crate::wire::request::{IdText, TypedReference};
use entente_identity::Login;
use entente_model::{Caller, CollaborationId, ItemId, Role};
use entente_tree::{
    CollaborationChange, CollaborationPage, CollaborationStatus, CollaborationView, Invitee, Kind, NewCollaboration,
};
use http::StatusCode;
use std::str::FromStr;

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewAsked = asked.json().await?;
    let (item, kind) = item(&asked, &caller, new.item.as_ref()).await?;
    let new = NewCollaboration {
        item,
        invitee: invitee(new.accessible_by.as_ref())?,
        role: role(new.role.as_deref())?.ok_or_else(|| Problem::missing("role"))?,
        sees_path: new.can_view_path.unwrap_or(false),
        access_only: new.is_access_only.unwrap_or(false),
        expires_at: moment(new.expires_at),
    };
    // A file's id is no folder's: the tree takes any item.
    asked.tree().item(&caller, item, kind).await?;
    // Clients in Python write it with a capital.
    let is_told = asked.query().value("notify").is_none_or(|told| !told.eq_ignore_ascii_case("false"));
    let view = if is_told {
        asked.tree().invite_by_letter(&caller, new).await?
    } else {
        asked.tree().invite(&caller, new).await?
    };
    Ok(answer(&asked, StatusCode::CREATED, &view))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let view = asked.tree().collaboration(&caller, asked.id("collaboration_id")?).await?;
    Ok(answer(&asked, StatusCode::OK, &view))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let id: CollaborationId = asked.id("collaboration_id")?;
    let change: ChangeAsked = asked.json().await?;
    if change.role.as_deref() == Some("owner") {
        if change.status.is_some() || change.can_view_path.is_some() || change.expires_at.is_some() {
            return Err(Problem::invalid("role", "'owner' is given by itself, without other changes"));
        }
        asked.tree().give_item(&caller, id).await?;
        // The collaboration is no more.
        return Ok(answer::empty(StatusCode::NO_CONTENT));
    }
    let status = change.status.as_deref().map(|status| match status {
        "pending" => Ok(CollaborationStatus::Pending),
        "accepted" => Ok(CollaborationStatus::Accepted),
        "rejected" => Ok(CollaborationStatus::Rejected),
        _ => Err(Problem::invalid("status", "'status' must be 'pending', 'accepted' or 'rejected'")),
    });
    let change = CollaborationChange {
        role: role(change.role.as_deref())?,
        status: status.transpose()?,
        sees_path: change.can_view_path,
        expires_at: change.expires_at.map(moment),
    };
    let view = asked.tree().change_collaboration(&caller, id, change).await?;
    Ok(answer(&asked, StatusCode::OK, &view))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_collaboration(&caller, asked.id("collaboration_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn pending(asked: Asked, caller: Caller) -> Outcome {
    match asked.query().value("status").as_deref() {
        Some("pending") => {}
        Some(_) => return Err(Problem::invalid("status", "'status' must be 'pending'")),
        None => return Err(Problem::missing("status")),
    }
    let wanted = asked.query().offset_page()?;
    let page = asked.tree().pending_collaborations(&caller, wanted.offset, wanted.limit).await?;
    Ok(by_offset(&asked, &page, &wanted))
}

pub(crate) async fn of_group(asked: Asked, caller: Caller) -> Outcome {
    let wanted = asked.query().offset_page()?;
    let group = asked.id("group_id")?;
    let page = asked.tree().collaborations_of_group(&caller, group, wanted.offset, wanted.limit).await?;
    Ok(by_offset(&asked, &page, &wanted))
}

pub(crate) async fn of_file(asked: Asked, caller: Caller) -> Outcome {
    let file = asked.id("file_id")?;
    of_item(asked, caller, (file, Kind::File)).await
}

pub(crate) async fn of_folder(asked: Asked, caller: Caller) -> Outcome {
    let folder = asked.folder_id(&caller).await?;
    of_item(asked, caller, (folder, Kind::Folder)).await
}

async fn of_item(asked: Asked, caller: Caller, item: (ItemId, Kind)) -> Outcome {
    let wanted = asked.query().marker_page()?;
    // A page of none would have no marker to go on from.
    let limit = wanted.limit.max(1);
    let malformed = |_: MalformedId| Problem::invalid("marker", "the marker is not one that a list gave");
    let after = wanted.marker.as_deref().map(id::parse).transpose().map_err(malformed)?;
    let page = asked.tree().collaborations_of_item(&caller, item, after, limit).await?;
    let next = page.next.map(|next| next.to_string());
    Ok(list(&asked, &page, limit, Page::Marker { next }))
}

fn by_offset(asked: &Asked, page: &CollaborationPage, wanted: &OffsetPage) -> axum::response::Response {
    let total_count = page.total_count.unwrap_or(0);
    let shown = Page::Offset { total_count, offset: wanted.offset.into(), order: &[] };
    list(asked, page, wanted.limit, shown)
}

fn list(asked: &Asked, page: &CollaborationPage, limit: u32, place: Page<'_>) -> axum::response::Response {
    let (look, fields) = (asked.look(), asked.fields(COLLABORATION));
    let entries: Vec<_> = page.entries.iter().map(|view| look.collaboration(view, fields)).collect();
    answer::json(StatusCode::OK, &Collection { entries, limit: limit.into(), page: place })
}

fn answer(asked: &Asked, status: StatusCode, view: &CollaborationView) -> axum::response::Response {
    answer::json(status, &asked.look().collaboration(view, asked.fields(COLLABORATION)))
}

/// The item that a body names, and of what kind it says that it is.
async fn item(asked: &Asked, caller: &Caller, item: Option<&TypedReference>) -> Result<(ItemId, Kind), Problem> {
    let item = item.ok_or_else(|| Problem::missing("item"))?;
    let id = item.id.as_ref().ok_or_else(|| Problem::missing("item.id"))?;
    let kind = match item.kind.as_deref() {
        Some("file") => Kind::File,
        Some("folder") => Kind::Folder,
        Some(_) => return Err(Problem::invalid("item.type", "'item.type' must be 'file' or 'folder'")),
        None => return Err(Problem::missing("item.type")),
    };
    let reference: ItemRef = id.0.parse().map_err(|error: MalformedId| Problem::invalid("item", error.to_string()))?;
    if kind != Kind::Folder && reference == ItemRef::Root {
        return Err(Problem::not_found());
    }
    Ok((asked.resolve(caller, reference).await?, kind))
}

fn invitee(by: Option<&GranteeAsked>) -> Result<Invitee, Problem> {
    let by = by.ok_or_else(|| Problem::missing("accessible_by"))?;
    match (by.kind.as_deref(), &by.id, &by.login) {
        (Some("user"), Some(user), _) => Ok(Invitee::User(given(user)?)),
        (Some("user"), None, Some(login)) => match Login::new(&**login) {
            Ok(login) => Ok(Invitee::Login(login.as_str().to_owned())),
            Err(error) => Err(Problem::invalid("login", error.to_string())),
        },
        (Some("group"), Some(group), _) => Ok(Invitee::Group(given(group)?)),
        (Some("user" | "group"), None, _) => Err(Problem::missing("accessible_by.id")),
        (Some(_), ..) => Err(Problem::invalid("accessible_by", "'accessible_by.type' must be 'user' or 'group'")),
        (None, ..) => Err(Problem::missing("accessible_by.type")),
    }
}

fn given<I: FromStr + FromNumber>(text: &IdText) -> Result<I, Problem> {
    id::parse(&text.0).map_err(|malformed| Problem::invalid("accessible_by", malformed.to_string()))
}

fn role(word: Option<&str>) -> Result<Option<Role>, Problem> {
    match word {
        None => Ok(None),
        Some("owner") => {
            let message = "'owner' is given to somebody who has a role already: change that collaboration";
            Err(Problem::invalid("role", message))
        }
        Some(word) => match role_named(word) {
            Some(role) => Ok(Some(role)),
            None => Err(Problem::invalid("role", "'role' must be one of the roles of collaborators")),
        },
    }
}
