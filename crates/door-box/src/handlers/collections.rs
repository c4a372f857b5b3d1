//! Collections. Every user has one, their favorites, with the user's own id.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::steps;
use crate::wire::collection::{Collection, Page};
use crate::wire::favorites::{COLLECTION, Favorites};
use crate::wire::id;
use crate::wire::item::{ITEM_MINI, Item};
use crate::wire::request::{Change, Reference};
use entente_model::{Caller, ItemId, UserId};
use entente_tree::{Favorite, ItemView, Kind};
use http::StatusCode;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let wanted = asked.query().offset_page()?;
    let favorites = Favorites { fields: asked.fields(COLLECTION), user: caller.user };
    let entries = if wanted.offset == 0 && wanted.limit > 0 { vec![favorites] } else { Vec::new() };
    let page = Page::Offset { total_count: 1, offset: wanted.offset.into(), order: &[] };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: wanted.limit.into(), page }))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    check_own(&caller, asked.id("collection_id")?)?;
    let favorites = Favorites { fields: asked.fields(COLLECTION), user: caller.user };
    Ok(answer::json(StatusCode::OK, &favorites))
}

pub(crate) async fn items(asked: Asked, caller: Caller) -> Outcome {
    check_own(&caller, asked.id("collection_id")?)?;
    let wanted = asked.query().offset_page()?;
    let found = asked.tree().favorites(&caller, wanted.offset, wanted.limit).await?;
    let fields = asked.fields(ITEM_MINI);
    let sharing = asked.sharing(fields, &found.entries).await?;
    let look = asked.look();
    let paths: Vec<_> = found.entries.iter().map(|view| steps(&view.path, view.state)).collect();
    let shown = found.entries.iter().zip(&paths).zip(sharing);
    let entries = shown.map(|((view, path), sharing)| Item { sharing, ..look.item_at(view, path, fields) }).collect();
    let page = Page::Offset { total_count: found.total_count, offset: wanted.offset.into(), order: &[] };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: wanted.limit.into(), page }))
}

/// Whoever asks for another's collection finds none.
fn check_own(caller: &Caller, collection: UserId) -> Result<(), Problem> {
    if collection == caller.user { Ok(()) } else { Err(Problem::not_found()) }
}

/// What a `PUT` of an item says of collections, if it says anything.
pub(super) fn wish(caller: &Caller, given: Option<Option<Vec<Reference>>>) -> Result<Option<Favorite>, Problem> {
    let Some(collections) = given else { return Ok(None) };
    let collections = collections.unwrap_or_default();
    for collection in &collections {
        let collection = collection.id.as_ref().ok_or_else(|| Problem::missing("collections.id"))?;
        let collection = id::parse(&collection.0);
        check_own(caller, collection.map_err(|malformed| Problem::invalid("collections", malformed.to_string()))?)?;
    }
    Ok(Some(if collections.is_empty() { Favorite::No } else { Favorite::Yes }))
}

/// Does what a `PUT` says of collections if it says nothing else: that takes no right to change the item, since only the
/// caller's own list does.
pub(super) async fn alone(
    asked: &Asked,
    caller: &Caller,
    item: (ItemId, Kind),
    (favorite, rest): (Option<Favorite>, &Change),
) -> Result<Option<ItemView>, Problem> {
    match favorite {
        Some(favorite) if *rest == Change::default() => {
            let view = asked.tree().set_favorite(caller, item, favorite, asked.expected_sequence()).await?;
            Ok(Some(view))
        }
        _ => Ok(None),
    }
}

/// Does it after what else the `PUT` says has been done.
pub(super) async fn besides(
    asked: &Asked,
    caller: &Caller,
    item: (ItemId, Kind),
    favorite: Option<Favorite>,
) -> Result<(), Problem> {
    if let Some(favorite) = favorite {
        asked.tree().set_favorite(caller, item, favorite, None).await?;
    }
    Ok(())
}
