//! The proof of a yes. What changes an item takes a [`Grant`], and only [`allow`] makes one, from what it reads in the
//! transaction at hand: a commit decides again, in its own transaction, whatever was decided before the body came.

use crate::Error;
use crate::access::{Action, Decision, decide};
use entente_database::Tx;
use entente_database::items::{self, Ancestor, Kind};
use entente_model::{Caller, ItemId, UserId};
use std::marker::PhantomData;

/// An [`Action`] as a type.
pub trait Act {
    /// Which.
    const ACTION: Action;
}

macro_rules! acts {
    ($($name:ident)*) => {$(
        #[doc = concat!("[`Action::", stringify!($name), "`] as a type.")]
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl Act for $name {
            const ACTION: Action = Action::$name;
        }
    )*};
}

acts!(See List Download Upload Change Delete SeeTrashed Restore Purge);

/// Proof that a caller may do `A` with an item, as the database was when it was asked.
#[derive(Debug)]
pub struct Grant<A> {
    item: Ancestor,
    /// From the item's parent to the top.
    above: Vec<Ancestor>,
    owner: UserId,
    act: PhantomData<A>,
}

impl<A> Grant<A> {
    /// The item.
    #[must_use]
    pub fn item(&self) -> &Ancestor {
        &self.item
    }

    /// What is above the item, its parent first, its top last.
    #[must_use]
    pub fn above(&self) -> &[Ancestor] {
        &self.above
    }

    /// Whose content it is.
    #[must_use]
    pub fn owner(&self) -> UserId {
        self.owner
    }

    /// The grant again, if the item is of that kind; else it is as if there were no such item.
    pub fn of(self, kind: Kind) -> Result<Self, Error> {
        if self.item.kind == kind { Ok(self) } else { Err(Error::NotFound) }
    }

    /// This folder, for its children.
    pub(crate) fn inside(&self) -> Inside<'_> {
        Inside { folder: &self.item, above: &self.above, owner: self.owner }
    }

    /// The folder that the item is in, for the item's siblings. `NotFound` on top.
    pub(crate) fn beside(&self) -> Result<Inside<'_>, Error> {
        let (folder, above) = self.above.split_first().ok_or(Error::NotFound)?;
        Ok(Inside { folder, above, owner: self.owner })
    }

    /// The way from the item to its top.
    pub(crate) fn way(&self) -> Vec<Ancestor> {
        [self.item.clone()].into_iter().chain(self.above.iter().cloned()).collect()
    }

    /// The way from a child of this folder to its top.
    pub(crate) fn way_from(&self, child: Ancestor) -> Vec<Ancestor> {
        [child, self.item.clone()].into_iter().chain(self.above.iter().cloned()).collect()
    }

    /// The folder at the root through which the way to the item leads, or the item itself if it is there: what S3 takes
    /// for a bucket. `None` on top.
    pub(crate) fn bucket(&self) -> Option<ItemId> {
        let below_root = self.above.len().checked_sub(1)?;
        match below_root.checked_sub(1) {
            None => Some(self.item.id),
            Some(index) => self.above.get(index).map(|folder| folder.id),
        }
    }

    /// How many folders are above a child of this folder.
    pub(crate) fn depth_below(&self) -> usize {
        self.above.len() + 1
    }

    /// Whether `folder` is this item or above it.
    pub(crate) fn is_within(&self, folder: ItemId) -> bool {
        self.item.id == folder || self.above.iter().any(|above| above.id == folder)
    }
}

/// A folder that a grant leads through, and what is above it: what its children have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inside<'g> {
    pub(crate) folder: &'g Ancestor,
    pub(crate) above: &'g [Ancestor],
    pub(crate) owner: UserId,
}

/// Decides whether the caller may do `A` with the item.
///
/// `NotFound` if it may not know of the item; `Trashed` if the item is in the trash and `A` is not for that;
/// `Forbidden` if it may know of the item and not do `A`.
pub fn allow<A: Act>(tx: &mut Tx<'_>, caller: &Caller, item: ItemId) -> Result<Grant<A>, Error> {
    let way = items::ancestors(tx, item)?;
    allow_way(caller, way)
}

/// The same for an item whose way to its top has been read already in this transaction, the item first.
pub(crate) fn allow_way<A: Act>(caller: &Caller, mut way: Vec<Ancestor>) -> Result<Grant<A>, Error> {
    match decide(caller, &way, A::ACTION) {
        Decision::Hidden => return Err(Error::NotFound),
        Decision::Trashed => return Err(Error::Trashed),
        Decision::Denied => return Err(Error::Forbidden),
        Decision::Allowed => {}
    }
    let owner = way.last().and_then(|top| top.top_user).ok_or(Error::NotFound)?;
    if way.is_empty() {
        return Err(Error::NotFound);
    }
    let item = way.remove(0);
    Ok(Grant { item, above: way, owner, act: PhantomData })
}
