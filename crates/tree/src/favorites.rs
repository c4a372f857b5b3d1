//! Favorites: what a user wants to find again, for that user alone.

use crate::grant::See;
use crate::items::check_sequence;
use crate::limits::{FAVORITES_MAX, OFFSET_MAX, PAGE_ITEMS_MAX};
use crate::view::{row, view_row};
use crate::{Caller, Error, ItemView, Kind, Tree, allow};
use entente_database::{Tx, favorites};
use entente_model::{ItemId, Scopes};

/// Whether an item is to be a favorite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Favorite {
    /// From then on.
    Yes,
    /// Not any more.
    No,
}

/// A page of favorites.
#[derive(Debug, Clone)]
pub struct FavoritePage {
    /// Those of the page that the user may see now, the last one added first.
    pub entries: Vec<ItemView>,
    /// How many there are in all, whether the user may see them now or not.
    pub total_count: u64,
}

impl Tree {
    /// Makes an item a favorite of the caller, or no longer one. The item itself does not change.
    ///
    /// `NotFound` and `Trashed` speak of the item; `Forbidden` for a root, and with a credential that changes
    /// nothing;
    /// `PreconditionFailed`; `Invalid` when the caller has `limits::FAVORITES_MAX` already.
    pub async fn set_favorite(
        &self,
        caller: &Caller,
        (item, kind): (ItemId, Kind),
        favorite: Favorite,
        if_match: Option<u64>,
    ) -> Result<ItemView, Error> {
        let (caller, at) = (caller.clone(), self.world.now());
        self.database
            .transact("set favorite", move |tx| {
                let grant = allow::<See>(tx, &caller, item)?.of(kind)?;
                // A root is where everything is, and nobody's to choose.
                if !caller.scopes.contains(Scopes::CHANGE) || grant.above().is_empty() {
                    return Err(Error::Forbidden);
                }
                let row = row(tx, &grant)?;
                check_sequence(&row, if_match)?;
                match favorite {
                    Favorite::No => favorites::remove(tx, caller.user, item)?,
                    Favorite::Yes if favorites::is_one(tx, caller.user, item)? => {}
                    Favorite::Yes if favorites::count(tx, caller.user)? >= FAVORITES_MAX => {
                        return Err(Error::Invalid("there are as many favorites as there may be"));
                    }
                    Favorite::Yes => favorites::insert(tx, caller.user, item, at)?,
                }
                view_row(tx, &grant, row)
            })
            .await
    }

    /// Up to `limit` favorites of the caller, and `limits::PAGE_ITEMS_MAX`, after `offset` others. What the caller may not
    /// see any more, or what is in the trash, is left out, so a page may be short.
    pub async fn favorites(&self, caller: &Caller, offset: u32, limit: u32) -> Result<FavoritePage, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let total_count = favorites::count(tx, caller.user)?;
                let limit = if offset > OFFSET_MAX { 0 } else { limit.min(PAGE_ITEMS_MAX) };
                let mut entries = Vec::new();
                for item in favorites::page(tx, caller.user, offset, limit)? {
                    entries.extend(seen(tx, &caller, item)?);
                }
                Ok(FavoritePage { entries, total_count })
            })
            .await
    }

    /// Which of some items are favorites of the caller.
    pub async fn favorites_among(&self, caller: &Caller, items: &[ItemId]) -> Result<Vec<ItemId>, Error> {
        Ok(self.database.read(|tx| favorites::among(tx, caller.user, items))?)
    }
}

/// An item as the caller sees it now; `None` if they do not.
pub(crate) fn seen(tx: &mut Tx<'_>, caller: &Caller, item: ItemId) -> Result<Option<ItemView>, Error> {
    match allow::<See>(tx, caller, item) {
        Ok(grant) => {
            let row = row(tx, &grant)?;
            view_row(tx, &grant, row).map(Some)
        }
        Err(Error::NotFound | Error::Trashed | Error::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}
