//! The trash as a list.

use super::listing::Wanted;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::item::ITEM_MINI;
use entente_model::Caller;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let query = asked.query();
    if query.is_set("usemarker") && (query.value("sort").is_some() || query.value("direction").is_some()) {
        return Err(Problem::invalid("sort", "'sort' and 'direction' cannot be combined with usemarker=true"));
    }
    let wanted = Wanted::of(&asked)?;
    let listing = asked.tree().list_trash(&caller, wanted.query.clone()).await?;
    wanted.answer(&asked, &listing, asked.fields(ITEM_MINI)).await
}
