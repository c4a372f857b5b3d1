//! Folders in the trash.

use super::trashed_files::destination;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::item::TRASH_FOLDER;
use crate::wire::request::Destination;
use entente_model::Caller;
use entente_tree::{Kind, NameRule};
use http::StatusCode;

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let folder = asked.id("folder_id")?;
    let view = asked.tree().trashed(&caller, folder, Kind::Folder).await?;
    Ok(asked.look().item(&view, asked.fields(TRASH_FOLDER), |item| answer::json(StatusCode::OK, item)))
}

pub(crate) async fn restore(mut asked: Asked, caller: Caller) -> Outcome {
    let folder = asked.id("folder_id")?;
    let to: Destination = asked.json().await?;
    let to = destination(&asked, &caller, &to).await?;
    let restored = asked.tree().restore(&caller, folder, Kind::Folder, to, NameRule::CaseInsensitive).await;
    let view = restored.map_err(Problem::of_folder)?;
    Ok(asked.look().item(&view, asked.fields(TRASH_FOLDER), |item| answer::json(StatusCode::CREATED, item)))
}

pub(crate) async fn purge(asked: Asked, caller: Caller) -> Outcome {
    let folder = asked.id("folder_id")?;
    asked.tree().purge(&caller, folder, Kind::Folder).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
