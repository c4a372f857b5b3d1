//! What others share with a user stands in the user's root, between what is the user's own.

use crate::grant::{Grant, See};
use crate::limits::SHARED_ITEMS_MAX;
use crate::view::{Minis, Surroundings, current, row};
use crate::{Caller, Error, ItemView, SortBy, SortOrder, allow};
use entente_database::items::{Child, Item, Position};
use entente_database::{Tx, collaborations};
use entente_model::ItemId;
use std::cmp::Ordering;

/// Items of others in the order of a listing by name.
pub(crate) struct Entries(Vec<Entry>);

struct Entry {
    position: Position,
    child: Child,
    grant: Grant<See>,
}

impl Entries {
    /// What others share with the caller and that is not below something else that they share: of the
    /// `limits::SHARED_ITEMS_MAX` items that were shared last. `None`, after one lookup, for who has no role anywhere.
    pub(crate) fn of(tx: &mut Tx<'_>, caller: &Caller) -> Result<Option<Self>, Error> {
        if !collaborations::any_with(tx, caller.user)? {
            return Ok(None);
        }
        let mut shared = collaborations::shared_with(tx, caller.user, SHARED_ITEMS_MAX)?;
        shared.sort_unstable();
        let mut found = Vec::new();
        for item in &shared {
            let grant = match allow::<See>(tx, caller, *item) {
                Ok(grant) => grant,
                Err(Error::NotFound | Error::Trashed | Error::Forbidden) => continue,
                Err(error) => return Err(error),
            };
            let is_own = grant.owner() == caller.user;
            let is_below = grant.above().iter().any(|above| shared.binary_search(&above.id).is_ok());
            if is_own || is_below {
                continue;
            }
            let row = row(tx, &grant)?;
            let version = current(tx, &row)?;
            found.push(Entry { position: Position::of(&row), child: (row, version), grant });
        }
        found.sort_by(|one, other| by_name(&one.position, &other.position));
        Ok(Some(Self(found)).filter(|entries| !entries.0.is_empty()))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many of them stand before that place.
    pub(crate) fn before(&self, place: &Position) -> usize {
        self.0.partition_point(|entry| by_name(&entry.position, place) == Ordering::Less)
    }

    /// How many of them stand up to that place, itself included.
    pub(crate) fn until(&self, place: &Position) -> usize {
        self.0.partition_point(|entry| by_name(&entry.position, place) != Ordering::Greater)
    }

    /// Those from the one on that has so many before it.
    pub(crate) fn from(&self, index: usize) -> impl Iterator<Item = &Child> {
        self.0.iter().skip(index).map(|entry| &entry.child)
    }

    /// What is shown of one of them, as it stands in the caller's root. `None` for any other item.
    pub(crate) fn view(&self, tx: &mut Tx<'_>, minis: &mut Minis, item: ItemId) -> Result<Option<ItemView>, Error> {
        let Some(Entry { child: (row, version), grant, .. }) = self.0.iter().find(|entry| entry.child.0.id == item)
        else {
            return Ok(None);
        };
        Surroundings::of(grant).view(tx, minis, row.clone(), version.clone()).map(Some)
    }
}

/// The order of a listing by name.
pub(crate) fn by_name(one: &Position, other: &Position) -> Ordering {
    let place = |position: &Position| (position.kind.number(), position.id);
    let kinds = one.kind.number().cmp(&other.kind.number());
    kinds.then_with(|| one.folded.cmp(&other.folded)).then_with(|| place(one).cmp(&place(other)))
}

/// The order of a listing by something else, of items with the sizes of their current versions.
pub(crate) fn sorted(
    (by, order): (SortBy, SortOrder),
    (one, one_size): (&Item, u64),
    (other, other_size): (&Item, u64),
) -> Ordering {
    let names = by_name(&Position::of(one), &Position::of(other));
    let kinds = one.kind.number().cmp(&other.kind.number());
    let found = match by {
        SortBy::Name => names,
        SortBy::Date => one.content_modified_at.cmp(&other.content_modified_at),
        SortBy::Size => one_size.cmp(&other_size),
        SortBy::Id => one.id.cmp(&other.id),
    };
    let found = if order == SortOrder::Descending { found.reverse() } else { found };
    kinds.then(found).then(names)
}
