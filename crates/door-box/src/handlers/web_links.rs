//! Web links.

use super::files::item_change;
use super::{collections, shared_links};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::{name_given, parent_required};
use crate::wire::item::{Item, WEB_LINK};
use crate::wire::name;
use crate::wire::request::{Change, NewWebLink as NewWebLinkAsked};
use entente_model::Caller;
use entente_tree::{ItemChange, ItemView, Kind, NameRule, NewWebLink, RecentAct, Recursive};
use http::StatusCode;

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let view = asked.tree().item(&caller, asked.id("web_link_id")?, Kind::WebLink).await?;
    answer(&asked, &view).await
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewWebLinkAsked = asked.json().await?;
    let url = new.url.ok_or_else(|| Problem::missing("url"))?;
    let name = match name_given(new.name.as_deref())? {
        Some(name) => name,
        // What is no URL has no name either, and the URL is what is wrong.
        None => name::parse(&name::of_url(&url)).map_err(|_| Problem::invalid("url", "'url' must be a URL"))?,
    };
    let parent = parent_required(&asked, &caller, new.parent.as_ref()).await?;
    let link = NewWebLink { name, url, description: new.description.unwrap_or_default() };
    let view = asked.tree().create_web_link(&caller, parent, link, NameRule::CaseInsensitive).await?;
    asked.tree().note_recent(&caller, view.item.id, RecentAct::Uploaded);
    // Of all that is made, Box says 200 of this alone.
    answer(&asked, &view).await
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let mut change: Change = asked.json().await?;
    let favorite = collections::wish(&caller, change.collections.take())?;
    let (item, rule) = (asked.id("web_link_id")?, NameRule::CaseInsensitive);
    if let Some(view) = collections::alone(&asked, &caller, (item, Kind::WebLink), (favorite, &change)).await? {
        return answer(&asked, &view).await;
    }
    let (link, url) = (change.shared_link.take(), change.url.take());
    let change = ItemChange { url, ..item_change(&asked, &caller, change).await? };
    let view = match link {
        None => asked.tree().update(&caller, item, Kind::WebLink, change, rule).await?,
        Some(link) => {
            let wish = shared_links::wish(&asked, link).await?;
            asked.tree().change_shared_link(&caller, (item, Kind::WebLink), change, wish, rule).await?
        }
    };
    collections::besides(&asked, &caller, (item, Kind::WebLink), favorite).await?;
    asked.tree().note_recent(&caller, item, RecentAct::Modified);
    answer(&asked, &view).await
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    let link = asked.id("web_link_id")?;
    asked.tree().trash_item(&caller, link, Kind::WebLink, Recursive::No, asked.expected_sequence()).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(super) async fn answer(asked: &Asked, view: &ItemView) -> Outcome {
    let fields = asked.fields(WEB_LINK);
    let sharing = asked.sharing_of(fields, view).await?;
    Ok(asked.look().item(view, fields, |item| answer::json(StatusCode::OK, &Item { sharing, ..*item })))
}
