//! Listings, page by page.

use crate::grant::{Grant, List};
use crate::limits::{OFFSET_MAX, PAGE_ITEMS_MAX, SORTED_ITEMS_MAX};
use crate::view::{Minis, Surroundings};
use crate::{Caller, Error, ItemView, Kind, Marker, SortBy, SortOrder, Tree, allow};
use entente_database::items::{self, Child, Position};
use entente_database::{Tx, counts};
use entente_model::ItemId;

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// So many items, after so many others. Beyond `limits::OFFSET_MAX` there are none.
    Offset {
        /// How many items are before it.
        offset: u32,
        /// How many items it has at most; `limits::PAGE_ITEMS_MAX` if more.
        limit: u32,
    },
    /// So many items after a marker, or from the first on. Always by name, upwards.
    After {
        /// What the page before this one gave; `None` for the first page.
        marker: Option<Marker>,
        /// How many items it has at most; `limits::PAGE_ITEMS_MAX` if more.
        limit: u32,
    },
}

/// What to list, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// What items of one kind are sorted by: folders come first, then files, then web links. A folder with more than
    /// `limits::SORTED_ITEMS_MAX` children is listed by name, upwards, whatever stands here.
    pub order: (SortBy, SortOrder),
    /// Which page.
    pub page: Page,
}

impl ListQuery {
    /// A page by name, upwards.
    #[must_use]
    pub fn by_name(page: Page) -> Self {
        Self { order: (SortBy::Name, SortOrder::Ascending), page }
    }
}

/// A page of a folder.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The folder's children.
    pub entries: Vec<ItemView>,
    /// How many children the folder has.
    pub total_count: Option<u64>,
    /// Where the next page begins; `None` if there is none. Only for pages by name.
    pub next: Option<Marker>,
}

impl Tree {
    /// A page of a folder's children. `NotFound`, `Trashed` and `Forbidden` speak of the folder.
    pub async fn list(&self, caller: &Caller, folder: ItemId, query: ListQuery) -> Result<Listing, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let grant = allow::<List>(tx, &caller, folder)?.of(Kind::Folder)?;
                list(tx, &grant, &query)
            })
            .await
    }

    /// A page of what is in the caller's trash itself.
    pub async fn list_trash(&self, caller: &Caller, query: ListQuery) -> Result<Listing, Error> {
        let trash = self.trash(caller).await?;
        self.list(caller, trash, query).await
    }
}

fn list(tx: &mut Tx<'_>, grant: &Grant<List>, query: &ListQuery) -> Result<Listing, Error> {
    let folder = grant.item().id;
    let total = counts::children(tx, folder)?;
    // One more than asked for tells whether there is a next page.
    let (mut children, limit) = match &query.page {
        Page::After { marker, limit } => {
            let limit = (*limit).min(PAGE_ITEMS_MAX);
            (items::page_after(tx, folder, marker.as_ref().map(Marker::position), limit + 1)?, limit)
        }
        Page::Offset { offset, limit } => {
            let limit = (*limit).min(PAGE_ITEMS_MAX);
            (page_at_offset(tx, folder, query.order, (*offset, total), limit + 1)?, limit)
        }
    };
    let kept = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = children.len() > kept;
    children.truncate(kept);
    let last = children.last().filter(|_| more);
    let next = last.map(|(item, _)| Marker::after(Position::of(item)));
    let (surroundings, mut minis) = (Surroundings::inside(grant.inside()), Minis::default());
    let entries = children
        .into_iter()
        .map(|(item, version)| surroundings.view(tx, &mut minis, item, version))
        .collect::<Result<_, _>>()?;
    Ok(Listing { entries, total_count: Some(total), next })
}

fn page_at_offset(
    tx: &mut Tx<'_>,
    folder: ItemId,
    order: (SortBy, SortOrder),
    (offset, total): (u32, u64),
    limit: u32,
) -> Result<Vec<Child>, Error> {
    if offset > OFFSET_MAX {
        return Ok(Vec::new());
    }
    if order != (SortBy::Name, SortOrder::Ascending) && total <= SORTED_ITEMS_MAX {
        return Ok(items::page_sorted(tx, folder, order, offset, limit)?);
    }
    if offset == 0 {
        return Ok(items::page_after(tx, folder, None, limit)?);
    }
    match items::position_at(tx, folder, offset)? {
        Some(position) => Ok(items::page_at(tx, folder, &position, limit)?),
        None => Ok(Vec::new()),
    }
}
