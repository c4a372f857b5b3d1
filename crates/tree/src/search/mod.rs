//! Search: the index of words names candidates, and here it is decided which of them the caller finds.
//!
//! Nothing of an item that the caller may not see comes out, neither as a result nor in a count. What not everybody may read who
//! sees an item (comments, what metadata says) finds it only for those who may.

mod document;
mod feed;
mod filter;
mod wish;

use crate::grant::{Grant, See, SeeTrashed};
use crate::limits::{
    EVENT_OWNERS_MAX, EVENT_SHARED_ITEMS_MAX, SEARCH_COUNTED_MAX, SEARCH_LIST_MAX, SEARCH_LOOKED_AT_MAX,
    SEARCH_PAGE_MAX,
};
use crate::view::{row, view_row};
use crate::{Caller, Error, ItemState, ItemView, Kind, Tree, allow};
use entente_database::items::{Top, ancestors};
use entente_database::{Tx, collaborations, items};
use entente_model::{ItemId, Rights, Scopes, Timestamp, UserId};
use entente_search::{Ask, In, Index, Order, Question};
pub use feed::Indexing;
use feed::unavailable;
pub use filter::{MetadataFilter, Within};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, RwLock};
pub use wish::{Search, SearchOrder, SearchPage, SearchPlace, SearchTrash};

/// The index, once it is open.
#[derive(Clone, Default)]
pub(crate) struct Words(Arc<Shared>);

#[derive(Default)]
struct Shared {
    following: RwLock<Option<feed::Following>>,
    /// Candidates that searches have found gone: what is removed with a folder has no events of its own.
    gone: Mutex<BTreeSet<i64>>,
}

impl Tree {
    /// Finds items by words and otherwise, among those that the caller sees. It knows what was done a moment ago.
    ///
    /// `NotFound` and `Trashed` speak of a folder; `Invalid` of what is too long; `Metadata` of what metadata is to say.
    /// `Unavailable` while this node has no index. `Forbidden` for a credential that may not read.
    pub async fn search(&self, caller: &Caller, search: Search) -> Result<SearchPage, Error> {
        if !caller.scopes.contains(Scopes::READ) || caller.through.is_some() {
            return Err(Error::Forbidden);
        }
        let Some(following) = self.words.get() else {
            return Err(Error::Unavailable("the index of words is not open yet".into()));
        };
        let caller = caller.clone();
        let (page, gone) = self.database.read_long(move |tx| run(tx, &following.index, &caller, &search)).await?;
        self.words.are_gone(gone);
        Ok(page)
    }
}

/// Whoever may see an item may read what these say.
const OPEN: [In; 4] = [In::Name, In::Description, In::Tags, In::Content];

fn run(tx: &mut Tx<'_>, index: &Index, caller: &Caller, search: &Search) -> Result<(SearchPage, Vec<i64>), Error> {
    let nothing = SearchPage { entries: Vec::new(), total: 0 };
    for folder in &search.ancestors {
        allow::<See>(tx, caller, *folder)?.of(Kind::Folder)?;
    }
    let Some(question) = question(tx, caller, search)? else { return Ok((nothing, Vec::new())) };
    let places = if question.places.is_empty() { OPEN.to_vec() } else { question.places.clone() };
    let open =
        Question { places: places.into_iter().filter(|place| OPEN.contains(place)).collect(), ..question.clone() };
    // The words of a query may stand where not everybody may read.
    let is_open = question.ask.is_none() || (open.places == question.places && !question.places.is_empty());
    let (offset, limit) = (search.offset as usize, search.limit.min(SEARCH_PAGE_MAX) as usize);
    let (mut page, mut seen, mut looked, mut batch) = (nothing, 0_usize, 0_usize, FIRST_BATCH);
    let (mut results, mut gone) = (index.ask(&question), Vec::new());
    while looked < SEARCH_LOOKED_AT_MAX && (seen <= offset + limit || looked < SEARCH_COUNTED_MAX) {
        let ids = results.next(batch).map_err(unavailable)?;
        let is_all = ids.len() < batch;
        looked += ids.len();
        batch = (batch * 2).min(BATCH_MAX);
        let openly = if is_open || ids.is_empty() { BTreeSet::new() } else { among(index, &open, &ids)? };
        for id in ids {
            let item = ItemId::new(id);
            let Some((view, owner)) = found(tx, caller, search, item)? else {
                if items::by_id(tx, item)?.is_none() {
                    gone.push(id);
                }
                continue;
            };
            let reads_all = view.rights.contains(Rights::COMMENT) && same_enterprise(tx, caller, owner)?;
            if !is_open && !reads_all && !openly.contains(&id) {
                continue;
            }
            if seen >= offset && page.entries.len() < limit {
                page.entries.push(view);
            }
            seen += 1;
        }
        if is_all {
            break;
        }
    }
    page.total = seen as u64;
    Ok((page, gone))
}

/// How many candidates are looked at first; then twice as many each time.
const FIRST_BATCH: usize = 128;
const BATCH_MAX: usize = 2_048;

/// Which of some candidates fit also by what everybody may read who sees them.
fn among(index: &Index, open: &Question, ids: &[i64]) -> Result<BTreeSet<i64>, Error> {
    if open.places.is_empty() {
        return Ok(BTreeSet::new());
    }
    let question = Question { ids: Some(ids.to_vec()), ..open.clone() };
    Ok(index.ask(&question).next(ids.len()).map_err(unavailable)?.into_iter().collect())
}

fn same_enterprise(tx: &mut Tx<'_>, caller: &Caller, owner: UserId) -> Result<bool, Error> {
    if owner == caller.user {
        return Ok(true);
    }
    Ok(entente_database::users::by_id(tx, owner)?.is_some_and(|owner| owner.enterprise == caller.enterprise))
}

/// What the index is asked; `None` when nothing can be found.
fn question(tx: &mut Tx<'_>, caller: &Caller, search: &Search) -> Result<Option<Question>, Error> {
    let lists = [
        search.extensions.len(),
        search.owners.len(),
        search.updaters.len(),
        search.ancestors.len(),
        search.trashers.len(),
    ];
    if lists.into_iter().any(|length| length > SEARCH_LIST_MAX) {
        return Err(Error::Invalid("a list of a search has too many entries"));
    }
    let ask = Ask::parse(&search.text).map_err(|_| Error::Invalid("a search has too many words"))?;
    if ask.is_none() && !search.text.trim().is_empty() {
        return Ok(None);
    }
    let only_trash = search.trash == SearchTrash::Only;
    if !only_trash && (!search.trashers.is_empty() || !search.trashed.is_open()) {
        return Ok(None);
    }
    let ids = search.metadata.as_ref().map(|filter| filter::items(tx, caller, filter)).transpose()?;
    let place = |place: &SearchPlace| match place {
        SearchPlace::Name => In::Name,
        SearchPlace::Description => In::Description,
        SearchPlace::Tags => In::Tags,
        SearchPlace::Comments => In::Comments,
        SearchPlace::Content => In::Content,
    };
    let numbers = |users: &[UserId]| users.iter().map(|user| user.number()).collect::<Vec<_>>();
    let moment = |at: Timestamp| at.millis();
    let mut owners = numbers(&search.owners);
    if let Some(known) = owners_seen(tx, caller)? {
        let known = numbers(&known);
        if owners.is_empty() {
            owners = known;
        } else {
            owners.retain(|owner| known.contains(owner));
            if owners.is_empty() {
                return Ok(None);
            }
        }
    }
    Ok(Some(Question {
        ask,
        places: search.places.iter().map(place).collect(),
        kind: search.kind.map(Kind::number),
        extensions: search.extensions.iter().map(|text| text.to_lowercase()).collect(),
        created: search.created.ends(moment),
        modified: search.modified.ends(moment),
        size: search.size.ends(|size| i64::try_from(size).unwrap_or(i64::MAX)),
        owners,
        updaters: numbers(&search.updaters),
        ids,
        order: match search.order {
            SearchOrder::Relevance => Order::Relevance,
            SearchOrder::LatestFirst => Order::LatestFirst,
            SearchOrder::EarliestFirst => Order::EarliestFirst,
        },
    }))
}

/// Whose items the caller may see some of; `None` when they are too many to be told.
fn owners_seen(tx: &mut Tx<'_>, caller: &Caller) -> Result<Option<Vec<UserId>>, Error> {
    if caller.link.is_some() {
        return Ok(None);
    }
    let mut owners = vec![caller.user];
    if collaborations::any_with(tx, caller.user)? {
        let shared = collaborations::shared_with(tx, caller.user, EVENT_SHARED_ITEMS_MAX)?;
        if shared.len() >= EVENT_SHARED_ITEMS_MAX as usize {
            return Ok(None);
        }
        for item in shared {
            let owner = ancestors(tx, item)?.last().and_then(|top| top.top_user);
            owners.extend(owner.filter(|owner| !owners.contains(owner)));
            if owners.len() > EVENT_OWNERS_MAX {
                return Ok(None);
            }
        }
    }
    Ok(Some(owners))
}

/// An item, if the caller finds it, and whose it is.
fn found(tx: &mut Tx<'_>, caller: &Caller, search: &Search, item: ItemId) -> Result<Option<(ItemView, UserId)>, Error> {
    match allow::<See>(tx, caller, item) {
        Ok(grant) if search.trash != SearchTrash::Only => shown(tx, search, &grant),
        Ok(_) => Ok(None),
        Err(Error::Trashed) if search.trash != SearchTrash::Without => match allow::<SeeTrashed>(tx, caller, item) {
            Ok(grant) => shown(tx, search, &grant),
            Err(Error::NotFound | Error::Trashed | Error::Forbidden) => Ok(None),
            Err(error) => Err(error),
        },
        Err(Error::NotFound | Error::Trashed | Error::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

fn shown<A>(tx: &mut Tx<'_>, search: &Search, grant: &Grant<A>) -> Result<Option<(ItemView, UserId)>, Error> {
    let is_below = |folder: &ItemId| grant.is_strictly_within(*folder);
    if !search.ancestors.is_empty() && !search.ancestors.iter().any(is_below) {
        return Ok(None);
    }
    let found = row(tx, grant)?;
    if found.top != Top::Ordinary {
        return Ok(None);
    }
    let view = view_row(tx, grant, found)?;
    if view.state == ItemState::Trashed && (!search.trashers.is_empty() || !search.trashed.is_open()) {
        let Some((by, at)) = trashed(tx, grant)? else { return Ok(None) };
        let by_one = search.trashers.is_empty() || search.trashers.contains(&by);
        if !by_one || !search.trashed.has(at) {
            return Ok(None);
        }
    }
    Ok(Some((view, grant.owner())))
}

/// Who put it into the trash and when, itself or with a folder above it.
fn trashed<A>(tx: &mut Tx<'_>, grant: &Grant<A>) -> Result<Option<(UserId, Timestamp)>, Error> {
    for id in std::iter::once(grant.item().id).chain(grant.above().iter().map(|above| above.id)) {
        if let Some(item) = items::by_id(tx, id)?
            && let (Some(by), Some(at)) = (item.trashed_by, item.trashed_at)
        {
            return Ok(Some((by, at)));
        }
    }
    Ok(None)
}
