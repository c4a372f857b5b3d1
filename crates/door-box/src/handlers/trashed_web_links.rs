//! Web links in the trash.

use super::trashed_files::destination;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::wire::item::WEB_LINK;
use crate::wire::request::Destination;
use entente_model::Caller;
use entente_tree::{Kind, NameRule};
use http::StatusCode;

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let view = asked.tree().trashed(&caller, asked.id("web_link_id")?, Kind::WebLink).await?;
    Ok(asked.look().item(&view, asked.fields(WEB_LINK), |item| answer::json(StatusCode::OK, item)))
}

pub(crate) async fn restore(mut asked: Asked, caller: Caller) -> Outcome {
    let link = asked.id("web_link_id")?;
    let to: Destination = asked.json().await?;
    let to = destination(&asked, &caller, &to).await?;
    let view = asked.tree().restore(&caller, link, Kind::WebLink, to, NameRule::CaseInsensitive).await?;
    Ok(asked.look().item(&view, asked.fields(WEB_LINK), |item| answer::json(StatusCode::CREATED, item)))
}

pub(crate) async fn purge(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().purge(&caller, asked.id("web_link_id")?, Kind::WebLink).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
