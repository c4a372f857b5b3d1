//! Files in the trash.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::{name_given, parent_given};
use crate::wire::item::FILE;
use crate::wire::request::Destination;
use entente_model::Caller;
use entente_tree::{Kind, NameRule, RestoreTo};
use http::StatusCode;

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let view = asked.tree().trashed(&caller, asked.id("file_id")?, Kind::File).await?;
    Ok(asked.look().item(&view, asked.fields(FILE), |item| answer::json(StatusCode::OK, item)))
}

pub(crate) async fn restore(mut asked: Asked, caller: Caller) -> Outcome {
    let file = asked.id("file_id")?;
    let to: Destination = asked.json().await?;
    let to = destination(&asked, &caller, &to).await?;
    let view = asked.tree().restore(&caller, file, Kind::File, to, NameRule::CaseInsensitive).await?;
    Ok(asked.look().item(&view, asked.fields(FILE), |item| answer::json(StatusCode::CREATED, item)))
}

pub(crate) async fn purge(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().purge(&caller, asked.id("file_id")?, Kind::File).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(super) async fn destination(asked: &Asked, caller: &Caller, to: &Destination) -> Result<RestoreTo, Problem> {
    Ok(RestoreTo {
        name: name_given(to.name.as_deref())?,
        parent: parent_given(asked, caller, to.parent.as_ref()).await?,
    })
}
