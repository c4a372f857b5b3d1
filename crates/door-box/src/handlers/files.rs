//! Files, apart from their contents.

use super::{collections, representations, shared_links};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::{moment, name_given, parent_given, parent_required};
use crate::wire::id;
use crate::wire::item::{FILE, Item};
use crate::wire::lock::FileLockAsked;
use crate::wire::request::{Change, Destination};
use entente_model::Caller;
use entente_tree::{CopyTo, FileLockWish, ItemChange, ItemView, Kind, NameRule, RecentAct, Recursive};
use http::StatusCode;

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let view = asked.tree().item(&caller, asked.id("file_id")?, Kind::File).await?;
    if asked.is_not_modified(view.item.sequence) {
        return Ok(answer::empty(StatusCode::NOT_MODIFIED));
    }
    answer(&asked, StatusCode::OK, &view).await
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let mut change: Change = asked.json().await?;
    let favorite = collections::wish(&caller, change.collections.take())?;
    let (file, rule) = (asked.id("file_id")?, NameRule::CaseInsensitive);
    if let Some(view) = collections::alone(&asked, &caller, (file, Kind::File), (favorite, &change)).await? {
        return answer(&asked, StatusCode::OK, &view).await;
    }
    let link = change.shared_link.take();
    let change = item_change(&asked, &caller, change).await?;
    let view = match link {
        None => asked.tree().update(&caller, file, Kind::File, change, rule).await?,
        Some(link) => {
            let wish = shared_links::wish(&asked, link).await?;
            asked.tree().change_shared_link(&caller, (file, Kind::File), change, wish, rule).await?
        }
    };
    collections::besides(&asked, &caller, (file, Kind::File), favorite).await?;
    asked.tree().note_recent(&caller, file, RecentAct::Modified);
    answer(&asked, StatusCode::OK, &view).await
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    let file = asked.id("file_id")?;
    asked.tree().trash_item(&caller, file, Kind::File, Recursive::No, asked.expected_sequence()).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn copy(mut asked: Asked, caller: Caller) -> Outcome {
    let to: Destination = asked.json().await?;
    let version = to.version.as_ref().map(|version| id::parse(&version.0)).transpose();
    let to = CopyTo {
        parent: parent_required(&asked, &caller, to.parent.as_ref()).await?,
        name: name_given(to.name.as_deref())?,
        version: version.map_err(|malformed| Problem::invalid("version", malformed.to_string()))?,
    };
    let view = asked.tree().copy(&caller, asked.id("file_id")?, Kind::File, to, NameRule::CaseInsensitive).await?;
    answer(&asked, StatusCode::CREATED, &view).await
}

/// What a `PUT` changes of an item of any kind.
pub(super) async fn item_change(asked: &Asked, caller: &Caller, change: Change) -> Result<ItemChange, Problem> {
    Ok(ItemChange {
        name: name_given(change.name.as_deref())?,
        parent: parent_given(asked, caller, change.parent.as_ref()).await?,
        description: change.description,
        tags: change.tags,
        url: None,
        content_created_at: moment(change.content_created_at),
        content_modified_at: moment(change.content_modified_at),
        lock: change.lock.map(|wish| lock(asked, wish)).transpose()?,
        if_match: asked.expected_sequence(),
    })
}

/// What a file's lock is to be.
fn lock(asked: &Asked, wish: Option<FileLockAsked>) -> Result<Option<FileLockWish>, Problem> {
    let Some(wish) = wish else { return Ok(None) };
    match (wish.access.as_deref(), wish.kind.as_deref()) {
        (None, Some("unlock")) => return Ok(None),
        (Some("lock"), None | Some("lock")) | (None, Some("lock")) => {}
        _ => return Err(Problem::invalid("lock", "'lock' must be null, or have 'lock' as its 'access'")),
    }
    Ok(Some(FileLockWish {
        id: asked.tree().next_file_lock(),
        expires_at: moment(wish.expires_at),
        prevents_downloads: wish.is_download_prevented.unwrap_or(false),
    }))
}

pub(super) async fn answer(asked: &Asked, status: StatusCode, view: &ItemView) -> Outcome {
    let fields = asked.fields(FILE);
    let sharing = asked.sharing_of(fields, view).await?;
    let representations = representations::of(asked, fields, view).await?;
    let representations = representations.as_slice();
    Ok(asked.look().item(view, fields, |item| answer::json(status, &Item { sharing, representations, ..*item })))
}
