//! Listings, page by page.

use crate::grant::{Grant, List};
use crate::limits::{OFFSET_MAX, PAGE_ITEMS_MAX, SORTED_ITEMS_MAX};
use crate::shared_links;
use crate::sharing::{Entries, by_name, sorted};
use crate::view::{Minis, Surroundings};
use crate::{Caller, Error, ItemView, Kind, Marker, SortBy, SortOrder, Top, Tree, allow};
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
                list(tx, &caller, &grant, &query)
            })
            .await
    }

    /// A page of what is in the caller's trash itself.
    pub async fn list_trash(&self, caller: &Caller, query: ListQuery) -> Result<Listing, Error> {
        let trash = self.trash(caller).await?;
        self.list(caller, trash, query).await
    }
}

fn list(tx: &mut Tx<'_>, caller: &Caller, grant: &Grant<List>, query: &ListQuery) -> Result<Listing, Error> {
    let shared = if grant.item().top == Top::Root { Entries::of(tx, caller)? } else { None };
    let folder = grant.item().id;
    let own_total = counts::children(tx, folder)?;
    let shared_total = shared.as_ref().map_or(0, |shared| u64::try_from(shared.len()).unwrap_or(u64::MAX));
    let limit = match &query.page {
        Page::After { limit, .. } | Page::Offset { limit, .. } => (*limit).min(PAGE_ITEMS_MAX),
    };
    // One more than asked for tells whether there is a next page.
    let mut children = match (&query.page, &shared) {
        (Page::After { marker, .. }, shared) => {
            let after = marker.as_ref().map(Marker::position);
            let own = items::page_after(tx, folder, after, limit + 1)?;
            match shared {
                None => own,
                Some(shared) => merged(own, shared, after.map_or(0, |after| shared.until(after))),
            }
        }
        (Page::Offset { offset, .. }, None) => {
            page_at_offset(tx, folder, query.order, (*offset, own_total), limit + 1)?
        }
        (Page::Offset { offset, .. }, Some(shared)) => {
            page_among(tx, folder, shared, query.order, (*offset, own_total), limit + 1)?
        }
    };
    let kept = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = children.len() > kept;
    children.truncate(kept);
    let last = children.last().filter(|_| more);
    let next = last.map(|(item, _)| Marker::after(Position::of(item)));
    let (surroundings, mut minis) = (Surroundings::inside(grant.inside()), Minis::default());
    let mut entries = Vec::with_capacity(children.len());
    for (item, version) in children {
        let of_others = shared.as_ref().filter(|_| item.parent != Some(folder));
        entries.push(match of_others {
            Some(shared) => shared.view(tx, &mut minis, item.id)?.ok_or(Error::NotFound)?,
            None => surroundings.view(tx, &mut minis, item, version)?,
        });
    }
    shared_links::add_links(tx, &mut entries)?;
    Ok(Listing { entries, total_count: Some(own_total + shared_total), next })
}

/// Own children and items of others from an index on, by name.
fn merged(own: Vec<Child>, shared: &Entries, from: usize) -> Vec<Child> {
    let mut all = own;
    all.extend(shared.from(from).cloned());
    all.sort_by(|(one, _), (other, _)| by_name(&Position::of(one), &Position::of(other)));
    all
}

/// A page of a root between whose children items of others stand.
fn page_among(
    tx: &mut Tx<'_>,
    folder: ItemId,
    shared: &Entries,
    order: (SortBy, SortOrder),
    (offset, own_total): (u32, u64),
    limit: u32,
) -> Result<Vec<Child>, Error> {
    if offset > OFFSET_MAX {
        return Ok(Vec::new());
    }
    let among = u32::try_from(shared.len()).unwrap_or(u32::MAX);
    // However the items of others are spread, so many own children before the page are enough.
    let last = u32::try_from(own_total).unwrap_or(u32::MAX).saturating_sub(1);
    let begin = offset.saturating_sub(among).min(last);
    let want = (offset - begin).saturating_add(limit);
    let by_other = order != (SortBy::Name, SortOrder::Ascending) && own_total <= SORTED_ITEMS_MAX;
    let (all, before) = if by_other {
        let most = u32::try_from(SORTED_ITEMS_MAX).unwrap_or(u32::MAX);
        let own = items::page_sorted(tx, folder, order, 0, most)?;
        let mut all = merged(own, shared, 0);
        let size = |child: &Child| child.1.as_ref().map_or(0, |version| version.size);
        all.sort_by(|one, other| sorted(order, (&one.0, size(one)), (&other.0, size(other))));
        (all, 0)
    } else {
        let own = page_at_offset(tx, folder, order, (begin, own_total), want)?;
        // Those that stand before the first own child that was read are before the page, too.
        let skipped = if begin == 0 {
            0
        } else {
            own.first().map_or(shared.len(), |(first, _)| shared.before(&Position::of(first)))
        };
        let before = usize::try_from(begin).unwrap_or(usize::MAX).saturating_add(skipped);
        (merged(own, shared, skipped), before)
    };
    let skip = usize::try_from(offset).unwrap_or(usize::MAX).saturating_sub(before);
    Ok(all.into_iter().skip(skip).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
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
