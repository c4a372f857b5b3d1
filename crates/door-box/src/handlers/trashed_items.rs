//! The trash as a list.

use super::listing::Wanted;
use crate::asked::{Asked, Outcome};
use crate::wire::item::ITEM_MINI;
use entente_model::Caller;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let wanted = Wanted::of(&asked)?;
    let listing = asked.tree().list_trash(&caller, wanted.query.clone()).await?;
    wanted.answer(&asked, &listing, asked.fields(ITEM_MINI))
}
