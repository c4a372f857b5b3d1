//! The proof of a yes. What changes an item takes a [`Grant`], and only [`allow`] makes one, from what it reads in the
//! transaction at hand: a commit decides again, in its own transaction, whatever was decided before the body came.

use crate::Error;
use crate::access::{Action, Decision, Standing, decide};
use crate::shared_links;
use entente_database::items::{self, Ancestor, Kind};
use entente_database::{Tx, collaborations};
use entente_model::{Caller, FollowedLink, ItemId, Rights, Scopes, UserId};
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

acts!(See List Download Upload Change Delete SeeTrashed Restore Purge Preview Comment Share Invite Manage);

/// Proof that a caller may do `A` with an item, as the database was when it was asked.
#[derive(Debug)]
pub struct Grant<A> {
    item: Ancestor,
    /// From the item's parent to the top.
    above: Vec<Ancestor>,
    /// How many of these the caller sees, from the item's parent on.
    seen: usize,
    owner: UserId,
    rights: Rights,
    /// What the caller may do with the item's siblings, as far as their parent is why.
    beside: Rights,
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

    /// Of what is above the item, as much as the caller may know of: its parent first.
    pub(crate) fn seen_above(&self) -> &[Ancestor] {
        self.above.get(..self.seen).unwrap_or(&self.above)
    }

    /// Whose content it is.
    #[must_use]
    pub fn owner(&self) -> UserId {
        self.owner
    }

    /// Whether the caller may know of everything that is above the item.
    pub(crate) fn sees_all_above(&self) -> bool {
        self.seen >= self.above.len()
    }

    /// `Forbidden` unless the caller may take the item out of its folder.
    pub(crate) fn check_may_leave(&self) -> Result<(), Error> {
        if self.beside.contains(Rights::EDIT) { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// `Forbidden` unless the caller may give the item another name: that takes the right to change it, and to know which
    /// names there are beside it.
    pub(crate) fn check_may_rename(&self, caller: &Caller) -> Result<(), Error> {
        let may = self.rights.contains(Rights::EDIT) && caller.scopes.contains(Scopes::CHANGE);
        if may && self.beside.contains(Rights::NAMES) { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// All that the caller may do with the item, whatever the credential is limited to.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// The grant again, if the item is of that kind; else it is as if there were no such item.
    pub fn of(self, kind: Kind) -> Result<Self, Error> {
        if self.item.kind == kind { Ok(self) } else { Err(Error::NotFound) }
    }

    /// This folder, for its children.
    pub(crate) fn inside(&self) -> Inside<'_> {
        Inside { folder: &self.item, above: &self.above, seen: self.seen + 1, owner: self.owner, rights: self.rights }
    }

    /// The folder that the item is in, for the item's siblings. `NotFound` on top.
    pub(crate) fn beside(&self) -> Result<Inside<'_>, Error> {
        let (folder, above) = self.above.split_first().ok_or(Error::NotFound)?;
        Ok(Inside { folder, above, seen: self.seen, owner: self.owner, rights: self.beside })
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

    /// Whether `folder` is above this item.
    pub(crate) fn is_strictly_within(&self, folder: ItemId) -> bool {
        self.above.iter().any(|above| above.id == folder)
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
    /// How many of these the caller sees, the folder counted as the first.
    pub(crate) seen: usize,
    pub(crate) owner: UserId,
    /// What the caller may do with the folder's children, as far as the folder is why.
    pub(crate) rights: Rights,
}

/// Decides whether the caller may do `A` with the item.
///
/// `NotFound` if it may not know of the item; `Trashed` if the item is in the trash and `A` is not for that;
/// `Forbidden` if it may know of the item and not do `A`.
pub fn allow<A: Act>(tx: &mut Tx<'_>, caller: &Caller, item: ItemId) -> Result<Grant<A>, Error> {
    let way = items::ancestors(tx, item)?;
    let standing = Standing::without_roles(caller, &way);
    if standing == Standing::Owner || caller.through.is_some() {
        return granted(caller, standing, way, usize::MAX);
    }
    let (standing, seen) = by_roles(tx, caller, &way)?;
    let (standing, seen) = match caller.link {
        Some(link) => by_link(tx, caller, link, &way, (standing, seen))?,
        None => (standing, seen),
    };
    granted(caller, watermarked(standing, &way), way, seen)
}

/// What is left to a collaborator of an item that is watermarked, itself or by something above it: who may not change it
/// does not take its content along.
fn watermarked(standing: Standing, way: &[Ancestor]) -> Standing {
    match standing {
        Standing::Collaborator { rights, beside } if way.iter().any(|step| step.guard.watermarked) => {
            Standing::Collaborator { rights: under_watermark(rights), beside: under_watermark(beside) }
        }
        _ => standing,
    }
}

/// What rights come to with what is watermarked.
pub(crate) fn under_watermark(rights: Rights) -> Rights {
    if rights.contains(Rights::EDIT) { rights } else { rights.without(Rights::DOWNLOAD) }
}

/// The same for an item whose way to its top has been read already in this transaction, the item first, by somebody who
/// has no role on it: only its owner may do anything. Paths begin at the caller's own root.
pub(crate) fn allow_way<A: Act>(caller: &Caller, way: Vec<Ancestor>) -> Result<Grant<A>, Error> {
    granted(caller, Standing::without_roles(caller, &way), way, usize::MAX)
}

/// What a caller is to an item by collaborations, and how many of the steps above it they may know of.
fn by_roles(tx: &mut Tx<'_>, caller: &Caller, way: &[Ancestor]) -> Result<(Standing, usize), Error> {
    let shared: Vec<ItemId> = way.iter().filter(|step| step.shared).map(|step| step.id).collect();
    if shared.is_empty() {
        return Ok((Standing::Stranger, 0));
    }
    let standings = collaborations::standing(tx, caller.user, &shared)?;
    if standings.is_empty() {
        return Ok((Standing::Stranger, 0));
    }
    let all = |rights: Rights, one: &collaborations::Standing| rights.with(one.rights);
    let rights = standings.iter().fold(Rights::NONE, all);
    let item = way.first().map(|step| step.id);
    let beside = standings.iter().filter(|one| Some(one.item) != item).fold(Rights::NONE, all);
    let standing = Standing::Collaborator { rights, beside };
    if standings.iter().any(|one| one.sees_path) {
        return Ok((standing, way.len()));
    }
    let topmost = way.iter().rposition(|step| standings.iter().any(|one| one.item == step.id));
    Ok((standing, topmost.unwrap_or(0)))
}

/// The same with what the shared link gives that the caller came with.
fn by_link(
    tx: &mut Tx<'_>,
    caller: &Caller,
    link: FollowedLink,
    way: &[Ancestor],
    (standing, seen): (Standing, usize),
) -> Result<(Standing, usize), Error> {
    let Some((place, given)) = shared_links::given(tx, caller, link, way)? else { return Ok((standing, seen)) };
    let (rights, beside) = match standing {
        Standing::Collaborator { rights, beside } => (rights, beside),
        Standing::Owner | Standing::Stranger => (Rights::NONE, Rights::NONE),
    };
    let beside = if place == 0 { beside } else { beside.with(given) };
    Ok((Standing::Collaborator { rights: rights.with(given), beside }, seen.max(place)))
}

fn granted<A: Act>(
    caller: &Caller,
    standing: Standing,
    mut way: Vec<Ancestor>,
    seen: usize,
) -> Result<Grant<A>, Error> {
    match decide(caller, standing, &way, A::ACTION) {
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
    let (rights, beside) = match standing {
        Standing::Owner => (Rights::ALL, Rights::ALL),
        Standing::Collaborator { rights, beside } => (rights, beside),
        Standing::Stranger => (Rights::NONE, Rights::NONE),
    };
    let seen = seen.min(way.len());
    Ok(Grant { item, above: way, seen, owner, rights, beside, act: PhantomData })
}
