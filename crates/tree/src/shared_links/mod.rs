//! Shared links: a URL that gives access to an item and to what is below it, at most one to an item.
//!
//! A link adds to what somebody may do: they come with it ([`entente_model::FollowedLink`]), and [`given`] says in the
//! transaction at hand what it is worth to them. What it is worth, and for whom, is asked anew each time, so a link that was
//! taken away, or has ended, is worth nothing at once.

mod follow;
mod set;

pub use entente_database::enterprises::LinkRules;
pub use entente_database::shared_links::{LinkAccess, LinkPasswordHash, SharedLink};
pub use follow::{FoundLink, LinkName};
pub use set::{LinkWish, SharedLinkChange};
pub(crate) use set::{TOKEN_LETTERS, fresh_token};

use crate::{Caller, Error, ItemView, Kind, Top, UserKind};
use entente_database::items::Ancestor;
use entente_database::{Tx, enterprises, shared_links, users};
use entente_model::{FollowedLink, ItemId, Rights, UserId};

/// A link, and for whom it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedLinkView {
    /// The row.
    pub link: SharedLink,
    /// For whom it is, by what its owner's enterprise lets: never for more than it was made for.
    pub effective: LinkAccess,
}

/// What a link gives to a caller, and the place on the way of the item that it is of; `None` if it gives nothing there.
pub(crate) fn given(
    tx: &mut Tx<'_>,
    caller: &Caller,
    followed: FollowedLink,
    way: &[Ancestor],
) -> Result<Option<(usize, Rights)>, Error> {
    let Some(link) = shared_links::by_id(tx, followed.link)?.filter(|link| !link.has_ended(followed.at)) else {
        return Ok(None);
    };
    let Some(place) = way.iter().position(|step| step.id == link.item) else { return Ok(None) };
    // In the trash it is its owner's alone.
    let Some(owner) = way.last().filter(|top| top.top == Top::Root).and_then(|top| top.top_user) else {
        return Ok(None);
    };
    let is_meant = match effective(tx, owner, &link)? {
        LinkAccess::Open => true,
        LinkAccess::Company => is_colleague(tx, caller, owner)?,
        LinkAccess::Collaborators => false,
    };
    let is_file = way.get(place).is_some_and(|step| step.kind == Kind::File);
    Ok(is_meant.then(|| (place, rights(&link, is_file))))
}

fn rights(link: &SharedLink, is_file: bool) -> Rights {
    let looked = Rights::NAMES.with(Rights::PREVIEW);
    let taken = if link.can_download { looked.with(Rights::DOWNLOAD) } else { looked };
    if link.can_edit && is_file { taken.with(Rights::UPLOAD) } else { taken }
}

/// For whom a link is, as far as its owner's enterprise lets.
fn effective(tx: &mut Tx<'_>, owner: UserId, link: &SharedLink) -> Result<LinkAccess, Error> {
    Ok(link.access.min(rules_of(tx, owner)?.most))
}

/// What holds for links of what a user owns.
fn rules_of(tx: &mut Tx<'_>, owner: UserId) -> Result<LinkRules, Error> {
    let owner = users::by_id(tx, owner)?.ok_or(Error::NotFound)?;
    enterprises::link_rules(tx, owner.enterprise)?.ok_or(Error::NotFound)
}

/// Whether the caller is of the enterprise of a user, and not just invited into it.
fn is_colleague(tx: &mut Tx<'_>, caller: &Caller, owner: UserId) -> Result<bool, Error> {
    let (Some(owner), Some(user)) = (users::by_id(tx, owner)?, users::by_id(tx, caller.user)?) else {
        return Ok(false);
    };
    Ok(owner.enterprise == user.enterprise && user.kind != UserKind::External)
}

/// A view with the link of its item.
pub(crate) fn with_link(tx: &mut Tx<'_>, mut view: ItemView) -> Result<ItemView, Error> {
    add_links(tx, std::slice::from_mut(&mut view))?;
    Ok(view)
}

/// Adds their links to views: no lookup where none has, or had, one.
pub(crate) fn add_links(tx: &mut Tx<'_>, views: &mut [ItemView]) -> Result<(), Error> {
    let linked: Vec<ItemId> = views.iter().filter(|view| view.item.linked).map(|view| view.item.id).collect();
    if linked.is_empty() {
        return Ok(());
    }
    let links = shared_links::of_some(tx, &linked)?;
    // A page has few owners.
    let mut rules: Vec<(UserId, LinkRules)> = Vec::new();
    for view in views.iter_mut().filter(|view| view.item.linked) {
        let Some(link) = links.iter().find(|link| link.item == view.item.id) else { continue };
        let owner = view.owner.id;
        let known = rules.iter().find(|(user, _)| *user == owner).map(|(_, known)| *known);
        let found = match known {
            Some(known) => known,
            None => {
                let found = rules_of(tx, owner)?;
                rules.push((owner, found));
                found
            }
        };
        view.link = Some(SharedLinkView { effective: link.access.min(found.most), link: link.clone() });
    }
    Ok(())
}
