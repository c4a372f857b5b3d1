//! A link is made, changed or taken away.

use super::{LinkAccess, LinkPasswordHash, LinkRules, SharedLink, rules_of};
use crate::grant::{Grant, Share};
use crate::items::{ItemChange, NameRule, Stamp, change, check_sequence};
use crate::limits::VANITY_CHARS;
use crate::users::check_full_seat;
use crate::view::{row, view_row};
use crate::{Caller, Error, ItemView, Kind, Tree, allow};
use entente_database::events::EventKind;
use entente_database::{Tx, folder_settings, items, shared_links};
use entente_model::{ItemId, Rights, SharedLinkId, Timestamp};
use entente_world::World;

/// Letters of a token: 32 of 36 kinds are 165 bits.
pub(crate) const TOKEN_LETTERS: usize = 32;
const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// What of a link is to change; `None` stays as it is, or is what is usual for a new one.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SharedLinkChange {
    /// For whom it is.
    pub access: Option<LinkAccess>,
    /// Its password; `Some(None)` for none. Only of open links.
    pub password: Option<Option<LinkPasswordHash>>,
    /// Its name, of `limits::VANITY_CHARS` letters, digits, `-` and `_`; `Some(None)` for none.
    pub vanity: Option<Option<String>>,
    /// When it ends by itself; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
    /// Whether contents may be taken along.
    pub can_download: Option<bool>,
    /// Whether a file may be given new versions.
    pub can_edit: Option<bool>,
}

/// What is to become of an item's link.
#[derive(Clone, PartialEq, Eq)]
pub enum LinkWish {
    /// It is to be there, and to be like that.
    Set(SharedLinkChange),
    /// It is to be gone.
    Remove,
}

/// What a new link is made of. Made up once, before the transaction that may run more than once.
#[derive(Clone)]
struct Fresh {
    id: SharedLinkId,
    token: String,
}

impl Tree {
    /// Changes an item and its link, all at once. What is as it is to be already counts as no change.
    ///
    /// Making a link takes the right to share; changing or removing one, to have made it or to be able to change the item;
    /// letting others edit, to be able to edit. `Forbidden` otherwise, with a frontline seat, and when the link would be for
    /// more people than the owner's enterprise or a folder on the way lets. `AlreadyExists` when another link has the name;
    /// `Invalid` when the link cannot be like that; `PreconditionFailed`; and as for [`Tree::update`].
    pub async fn change_shared_link(
        &self,
        caller: &Caller,
        (item, kind): (ItemId, Kind),
        change: ItemChange,
        wish: LinkWish,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        change::check(&change)?;
        if let Some(parent) = change.parent
            && self.is_between_owners(caller, item, parent)?
        {
            return Err(Error::Invalid("an item goes to another owner by itself: change its link in another request"));
        }
        let fresh = Fresh { id: SharedLinkId::new(self.world.next_id()), token: fresh_token(&self.world) };
        let (caller, stamp) = (caller.clone(), self.stamp());
        let told = stamp.again(&self.world);
        self.database
            .transact("change shared link", move |tx| {
                let mut if_match = change.if_match;
                if (ItemChange { if_match: None, ..change.clone() }) != ItemChange::default() {
                    change::apply(tx, &caller, stamp, (item, kind), &change, rule)?;
                    if_match = None;
                }
                let grant = allow::<Share>(tx, &caller, item)?.of(kind)?;
                check_sequence(&row(tx, &grant)?, if_match)?;
                match &wish {
                    LinkWish::Set(wanted) => set(tx, &caller, told, &grant, (&fresh, wanted))?,
                    LinkWish::Remove => remove(tx, &caller, told, &grant)?,
                }
                let row = row(tx, &grant)?;
                view_row(tx, &grant, row)
            })
            .await
    }
}

fn set(
    tx: &mut Tx<'_>,
    caller: &Caller,
    stamp: Stamp,
    grant: &Grant<Share>,
    (fresh, wanted): (&Fresh, &SharedLinkChange),
) -> Result<(), Error> {
    check_full_seat(tx, caller)?;
    let old = shared_links::of_item(tx, grant.item().id)?.filter(|link| !link.has_ended(stamp.at));
    let rules = rules_along(tx, grant)?;
    let before = old.clone().unwrap_or_else(|| new_link(caller, stamp.at, grant.item().id, (fresh, rules)));
    let mut link = changed(&before, wanted);
    // A password says which of those who have the URL are meant: of others there is another way to know.
    let password = match &wanted.password {
        Some(Some(_)) if link.access != LinkAccess::Open => {
            return Err(Error::Invalid("only an open shared link has a password"));
        }
        None if link.access != LinkAccess::Open && before.has_password => Some(None),
        other => other.clone(),
    };
    if old.as_ref() == Some(&link) && password.is_none() {
        return Ok(());
    }
    if old.is_some() {
        check_may_change(caller, grant, &before)?;
    }
    let is_widened = link.access > before.access || old.is_none();
    if is_widened && link.access > rules.most {
        return Err(Error::Forbidden);
    }
    check(tx, grant, stamp.at, (&before, &link))?;
    link.modified_at = stamp.at;
    shared_links::save(tx, &link)?;
    if let Some(password) = &password {
        shared_links::set_password(tx, link.id, password.as_ref())?;
    }
    let kind = if old.is_some() { EventKind::SharedLinkChanged } else { EventKind::SharedLinkMade };
    tell(tx, caller, stamp, grant, kind)
}

fn remove(tx: &mut Tx<'_>, caller: &Caller, stamp: Stamp, grant: &Grant<Share>) -> Result<(), Error> {
    let Some(old) = shared_links::of_item(tx, grant.item().id)? else { return Ok(()) };
    check_may_change(caller, grant, &old)?;
    shared_links::remove(tx, old.item)?;
    tell(tx, caller, stamp, grant, EventKind::SharedLinkRemoved)
}

/// Whoever saw the item sees by its sequence number that it is shared in another way; who last changed it stays.
fn tell(tx: &mut Tx<'_>, caller: &Caller, stamp: Stamp, grant: &Grant<Share>, kind: EventKind) -> Result<(), Error> {
    let mut item = row(tx, grant)?;
    item.sequence += 1;
    items::save(tx, &item)?;
    stamp.record(tx, caller, kind, item.id, None)
}

/// What somebody else made is changed by who may change the item.
fn check_may_change(caller: &Caller, grant: &Grant<Share>, link: &SharedLink) -> Result<(), Error> {
    if link.created_by == caller.user || grant.rights().contains(Rights::EDIT) { Ok(()) } else { Err(Error::Forbidden) }
}

/// What the owner's enterprise lets, and every folder on the way: one whose collaborators are all of the enterprise is not
/// opened to others by links.
fn rules_along(tx: &mut Tx<'_>, grant: &Grant<Share>) -> Result<LinkRules, Error> {
    let LinkRules { usual, most } = rules_of(tx, grant.owner())?;
    let way: Vec<ItemId> = [grant.item()].into_iter().chain(grant.above()).map(|step| step.id).collect();
    let is_closed = folder_settings::of_some(tx, &way)?.iter().any(|(_, settings)| settings.enterprise_only);
    let most = if is_closed { most.min(LinkAccess::Company) } else { most };
    Ok(LinkRules { usual: usual.min(most), most })
}

fn new_link(caller: &Caller, at: Timestamp, item: ItemId, (fresh, rules): (&Fresh, LinkRules)) -> SharedLink {
    SharedLink {
        id: fresh.id,
        item,
        token: fresh.token.clone(),
        vanity: None,
        access: rules.usual,
        has_password: false,
        expires_at: None,
        can_download: true,
        can_edit: false,
        created_by: caller.user,
        created_at: at,
        modified_at: at,
    }
}

/// The link as it is to be.
fn changed(before: &SharedLink, wanted: &SharedLinkChange) -> SharedLink {
    let mut link = before.clone();
    link.access = wanted.access.unwrap_or(link.access);
    link.vanity = wanted.vanity.clone().unwrap_or(link.vanity);
    link.expires_at = wanted.expires_at.unwrap_or(link.expires_at);
    link.can_download = wanted.can_download.unwrap_or(link.can_download);
    // Who may no longer take a content along, or is not let in by the link, does not change it either.
    let may_stay = link.can_download && link.access != LinkAccess::Collaborators;
    link.can_edit = wanted.can_edit.unwrap_or(link.can_edit && may_stay);
    link
}

/// Whether a link can be like that.
fn check(
    tx: &mut Tx<'_>,
    grant: &Grant<Share>,
    at: Timestamp,
    (before, link): (&SharedLink, &SharedLink),
) -> Result<(), Error> {
    if link.expires_at != before.expires_at && link.has_ended(at) {
        return Err(Error::Invalid("a shared link cannot end in the past"));
    }
    if link.can_edit {
        if grant.item().kind != Kind::File || !link.can_download || link.access == LinkAccess::Collaborators {
            return Err(Error::Invalid("only files that may be downloaded by their link can be edited by it"));
        }
        if !before.can_edit && !grant.rights().contains(Rights::EDIT) {
            return Err(Error::Forbidden);
        }
    }
    let Some(name) = link.vanity.as_deref().filter(|_| link.vanity != before.vanity) else { return Ok(()) };
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if !VANITY_CHARS.contains(&name.chars().count()) || !name.chars().all(is_plain) {
        return Err(Error::Invalid("the name of a shared link has 12 to 64 letters, digits, '-' and '_'"));
    }
    match shared_links::by_vanity(tx, name)? {
        Some(other) if other.item != link.item => Err(Error::AlreadyExists("another shared link has this name")),
        _ => Ok(()),
    }
}

/// What nobody guesses.
pub(crate) fn fresh_token(world: &World) -> String {
    let mut token = String::with_capacity(TOKEN_LETTERS);
    while token.len() < TOKEN_LETTERS {
        // Of a byte beyond the last whole round of letters, some letters would come more often.
        let bytes = world.random().bytes::<TOKEN_LETTERS>();
        let fair = bytes.iter().filter(|byte| **byte < 252).filter_map(|byte| LETTERS.get(usize::from(byte % 36)));
        token.extend(fair.take(TOKEN_LETTERS - token.len()).map(|letter| char::from(*letter)));
    }
    token
}
