//! Rename, move, describe: one row, however much is below it.

use super::copy::check_owner;
use super::place::{NameRule, check_depth, check_name, levels, settle};
use super::web_links::check_url;
use super::{Stamp, check_sequence};
use crate::grant::{Change, Grant, Upload};
use crate::limits::{DESCRIPTION_CHARS_MAX, TAG_CHARS_MAX, TAGS_MAX};
use crate::view::{row, view_inside, view_row};
use crate::{Caller, Error, FileLockWish, Item, ItemView, Kind, Tree, allow, guards, retention, subscriptions};
use entente_database::events::EventKind;
use entente_database::{Tx, counts, items};
use entente_model::{ItemId, ItemName, Timestamp};

/// What of an item is to change; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ItemChange {
    /// Another name.
    pub name: Option<ItemName>,
    /// Another folder.
    pub parent: Option<ItemId>,
    /// Another description, of at most `limits::DESCRIPTION_CHARS_MAX` characters.
    pub description: Option<String>,
    /// Other tags, at most `limits::TAGS_MAX`: none empty, none longer than `limits::TAG_CHARS_MAX` characters, none
    /// with a control character, each once.
    pub tags: Option<Vec<String>>,
    /// Where a web link leads from then on, as [`crate::NewWebLink`] says. Nothing else has one.
    pub url: Option<String>,
    /// When its content was made.
    pub content_created_at: Option<Timestamp>,
    /// When its content was last changed.
    pub content_modified_at: Option<Timestamp>,
    /// Locks the file, or with `Some(None)` unlocks it.
    pub lock: Option<Option<FileLockWish>>,
    /// Only if the item still has this sequence number.
    pub if_match: Option<u64>,
}

impl Tree {
    /// Changes an item, all at once. What is given as it is already counts as no change.
    ///
    /// `Forbidden` for a root, or when the caller may see the item or the new parent and not do this. `NotFound` also
    /// when the new parent is not there; `Trashed` also when it is in the trash. `NameInUse`, `FolderIntoItself`,
    /// `TooDeep`, `PreconditionFailed`, `Invalid`. A folder of somebody else's makes the item theirs: `Forbidden` for who
    /// may not take it away from where it is, and between enterprises; `QuotaExceeded`. When there is much below the item,
    /// nobody sees it until all of that is theirs.
    pub async fn update(
        &self,
        caller: &Caller,
        item: ItemId,
        kind: Kind,
        change: ItemChange,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        check(&change)?;
        if let Some(parent) = change.parent
            && self.is_between_owners(caller, item, parent)?
        {
            return self.move_between(caller, (item, kind), change, rule).await;
        }
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database.transact("change item", move |tx| apply(tx, &caller, stamp, (item, kind), &change, rule)).await
    }
}

pub(crate) fn check(change: &ItemChange) -> Result<(), Error> {
    if change.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_CHARS_MAX) {
        return Err(Error::Invalid("the description is too long"));
    }
    if let Some(url) = &change.url {
        check_url(url)?;
    }
    let tags = change.tags.as_deref().unwrap_or_default();
    if tags.len() > TAGS_MAX {
        return Err(Error::Invalid("the item would have too many tags"));
    }
    for (index, tag) in tags.iter().enumerate() {
        if tag.is_empty() || tag.chars().count() > TAG_CHARS_MAX || tag.chars().any(char::is_control) {
            return Err(Error::Invalid("a tag is empty, too long, or has a control character"));
        }
        if tags.iter().take(index).any(|earlier| earlier == tag) {
            return Err(Error::Invalid("a tag is there twice"));
        }
    }
    Ok(())
}

pub(crate) fn apply(
    tx: &mut Tx<'_>,
    caller: &Caller,
    stamp: Stamp,
    (id, kind): (ItemId, Kind),
    change: &ItemChange,
    rule: NameRule,
) -> Result<ItemView, Error> {
    let grant = allow::<Change>(tx, caller, id)?.of(kind)?;
    let before = row(tx, &grant)?;
    check_sequence(&before, change.if_match)?;
    let mut item = changed(&before, change);
    let by = (caller, grant.rights(), stamp.at);
    let locked = change.lock.map(|wish| guards::apply_wish(tx, by, &mut item, wish)).transpose()?.flatten();
    if item == before && locked.is_none() {
        return view_row(tx, &grant, item);
    }
    if locked != Some(EventKind::FileUnlocked) {
        guards::check_unlocked(tx, caller, &before)?;
    }
    let (old, new) = (before.parent.ok_or(Error::NotFound)?, item.parent.ok_or(Error::NotFound)?);
    let (renamed, moved) = (item.name != before.name, old != new);
    // A new name needs no more than the item; a new parent needs a yes of its own.
    let folder = if moved { Some(move_to(tx, caller, &grant, &item, rule)?) } else { None };
    if renamed && !moved {
        grant.check_may_rename(caller)?;
        check_name(tx, grant.beside()?, (item.kind, &item.name), rule, Some(id))?;
    }
    item.touch(caller.user, stamp.at);
    items::save(tx, &item)?;
    if moved {
        retention::follow(tx, id)?;
    }
    let kind = match (moved, renamed) {
        (true, _) => EventKind::Moved,
        (false, true) => EventKind::Renamed,
        (false, false) => locked.unwrap_or(EventKind::Described),
    };
    stamp.record(tx, caller, kind, id, item.version)?;
    if moved || renamed {
        let beside = grant.beside()?;
        let to = folder.as_ref().map_or(beside, Grant::inside);
        subscriptions::moved(tx, (caller, stamp), (beside, &before.name), to, &item)?;
    }
    match folder {
        Some(folder) => view_inside(tx, folder.inside(), item),
        None => view_row(tx, &grant, item),
    }
}

/// The item as it is to be.
pub(super) fn changed(before: &Item, change: &ItemChange) -> Item {
    let mut item = before.clone();
    item.name = change.name.clone().unwrap_or(item.name);
    item.parent = change.parent.or(item.parent);
    item.description = change.description.clone().unwrap_or(item.description);
    item.tags = change.tags.clone().unwrap_or(item.tags);
    item.url = change.url.clone().filter(|_| before.kind == Kind::WebLink).unwrap_or(item.url);
    item.content_created_at = change.content_created_at.unwrap_or(item.content_created_at);
    item.content_modified_at = change.content_modified_at.unwrap_or(item.content_modified_at);
    item
}

/// Checks that the item may go into its new parent, and counts it there.
fn move_to(
    tx: &mut Tx<'_>,
    caller: &Caller,
    grant: &Grant<Change>,
    item: &Item,
    rule: NameRule,
) -> Result<Grant<Upload>, Error> {
    let folder = allow::<Upload>(tx, caller, item.parent.ok_or(Error::NotFound)?)?.of(Kind::Folder)?;
    if folder.is_within(item.id) {
        return Err(Error::FolderIntoItself);
    }
    grant.check_may_leave()?;
    if item.guard.frozen {
        return Err(Error::Locked);
    }
    // Content has its owner's space and zone: between owners it would have to be copied.
    check_owner(grant.owner(), folder.owner())?;
    check_depth(&folder, levels(item))?;
    check_name(tx, folder.inside(), (item.kind, &item.name), rule, Some(item.id))?;
    counts::lost(tx, grant.beside()?.folder.id, item.id)?;
    settle(tx, &folder, item.id, levels(item))?;
    Ok(folder)
}
