//! Everything that a user owns is given to another, or one folder to somebody who has a role on it.

use super::{Move, Parties};
use crate::grant::{Change, Manage, Upload};
use crate::items::place::{NameRule, check_name, numbered, settle};
use crate::items::{ItemChange, Stamp};
use crate::limits::HAND_OVER_PATIENCE;
use crate::sharing::{CollaborationStatus, Collaborator, known_collaboration};
use crate::users::{acting, administers, is_above};
use crate::view::view_inside;
use crate::{Caller, Error, ItemView, Kind, Tree, User, UserKind, UserStatus, allow};
use entente_database::events::EventKind;
use entente_database::items::{self, Item};
use entente_database::jobs::{self, NewJob};
use entente_database::{Tx, users};
use entente_model::{CollaborationId, ItemId, ItemName, JobId, UserId};

/// The kind of the jobs that call [`Tree::transfer_rest`] until there is no more. Their key is the id of whose content it
/// was, their payload the id of the folder that it goes into.
pub const TRANSFER_JOB: &str = "transfer content";

/// Items of a root that are looked up at a time.
const ITEMS_AT_ONCE: u32 = 50;
/// Bytes of a name and of a login that go into the name of the folder.
const NAME_BYTES: usize = 80;
/// Numbered names that are tried for the folder.
const NAMES_TRIED: u32 = 100;

impl Tree {
    /// Puts everything in a user's root into a new folder in another's root, and answers that folder. What it cannot do
    /// at once it goes on with as a job. What is in the trash stays.
    ///
    /// `NotFound` for a user whom the caller may not know. `Forbidden` for who does not administer users, or not users with
    /// that role; `Invalid` when both are one, or the other cannot own anything; `QuotaExceeded` when the other has no
    /// space for it, after as much as fits.
    pub async fn transfer_content(&self, caller: &Caller, from: UserId, to: UserId) -> Result<ItemView, Error> {
        let (doer, stamp) = (caller.clone(), self.stamp());
        let (id, job) = (ItemId::new(self.world.next_id()), JobId::new(self.world.next_id()));
        let view = self
            .database
            .transact("transfer content", move |tx| {
                let (old, new) = (colleague(tx, &doer, from)?, colleague(tx, &doer, to)?);
                if !is_above(&doer, &old) || !is_above(&doer, &new) {
                    return Err(Error::Forbidden);
                }
                if from == to {
                    return Err(Error::Invalid("what a user owns cannot be given to that same user"));
                }
                if new.kind == UserKind::External || new.status != UserStatus::Active {
                    return Err(Error::Invalid("the new owner is not an active user of the enterprise"));
                }
                let view = make_folder(tx, (&doer, stamp), (&old, &new), id)?;
                let (key, payload, run_at) = (from.to_string(), id.to_string(), stamp.at.after(HAND_OVER_PATIENCE));
                let job = NewJob { job, kind: TRANSFER_JOB, key: &key, payload: &payload, run_at };
                jobs::enqueue(tx, &job, stamp.at)?;
                Ok(view)
            })
            .await?;
        while !self.transfer_some(Some(caller), from, id).await? {}
        Ok(view)
    }

    /// Goes on with what [`Tree::transfer_content`] began. `true` when there is no more. Errors as there; `NotFound` when
    /// the folder is gone or in the trash.
    pub async fn transfer_rest(&self, from: UserId, folder: ItemId) -> Result<bool, Error> {
        self.transfer_some(None, from, folder).await
    }

    async fn transfer_some(&self, doer: Option<&Caller>, from: UserId, folder: ItemId) -> Result<bool, Error> {
        let (leaves, enters, children) = self.database.read(|tx| {
            let owner = items::ancestors(tx, folder)?.last().and_then(|top| top.top_user).ok_or(Error::NotFound)?;
            let enters = acting(&users::by_id(tx, owner)?.ok_or(Error::NotFound)?);
            let Some(leaves) = users::by_id(tx, from)? else { return Ok((enters.clone(), enters, Vec::new())) };
            let tops = users::tops(tx, from)?.ok_or(Error::internal("a user has no root"))?;
            Ok::<_, Error>((acting(&leaves), enters, items::some_children(tx, tops.root, ITEMS_AT_ONCE)?))
        })?;
        let parties = Parties { doer: doer.unwrap_or(&enters).clone(), leaves, enters };
        let mut moved_any = children.is_empty();
        for (item, kind) in &children {
            let change = ItemChange { parent: Some(folder), ..ItemChange::default() };
            let (parties, rule) = (parties.clone(), NameRule::Exact);
            let moved = Move { parties, item: *item, kind: *kind, change, rule, keeps_role: false, minds_locks: false };
            match self.hand_over(moved).await {
                // Somebody was quicker: a job, or who has put it elsewhere.
                Err(Error::NotFound | Error::Trashed | Error::BusyRetry(_)) => {}
                outcome => {
                    outcome?;
                    moved_any = true;
                }
            }
        }
        if !moved_any {
            return Err(Error::BusyRetry("what is to be transferred is being changed".into()));
        }
        if !children.is_empty() {
            return Ok(false);
        }
        let key = from.to_string();
        self.database
            .transact("end transfer", move |tx| Ok::<_, Error>(jobs::withdraw(tx, TRANSFER_JOB, &key)?))
            .await?;
        Ok(true)
    }

    /// Gives an item in the caller's own root to somebody who has a role on it: it is in their root from then on, and the
    /// caller is a co-owner.
    ///
    /// `NotFound` as for [`Tree::collaboration`]; `Forbidden` for who does not own the item; `Invalid` for an item that is
    /// not in the root itself, and for a collaborator who cannot own it: a group, somebody of another enterprise, or who
    /// has not accepted the role. `NameInUse` when they have something of that name; `QuotaExceeded`.
    pub async fn give_item(&self, caller: &Caller, collaboration: CollaborationId) -> Result<ItemView, Error> {
        let doer = caller.clone();
        let moved = self.database.read(|tx| {
            let row = known_collaboration(tx, &doer, collaboration)?;
            let grant = allow::<Manage>(tx, &doer, row.item)?;
            allow::<Change>(tx, &doer, row.item)?;
            if grant.owner() != doer.user {
                return Err(Error::Forbidden);
            }
            if grant.above().len() != 1 {
                return Err(Error::Invalid("only what is in your root itself can be given away"));
            }
            let Collaborator::User(to) = row.with else {
                return Err(Error::Invalid("only a user can own it"));
            };
            let new = users::by_id(tx, to)?.ok_or(Error::NotFound)?;
            let is_colleague = new.enterprise == doer.enterprise && new.kind != UserKind::External;
            if !is_colleague || row.status != CollaborationStatus::Accepted || new.status != UserStatus::Active {
                return Err(Error::Invalid(
                    "only an active user of your enterprise who has accepted the role can own it",
                ));
            }
            let root = users::tops(tx, to)?.ok_or(Error::internal("a user has no root"))?.root;
            let change = ItemChange { parent: Some(root), ..ItemChange::default() };
            let parties = Parties { leaves: doer.clone(), enters: acting(&new), doer: doer.clone() };
            let (item, kind) = (row.item, grant.item().kind);
            Ok(Move {
                parties,
                item,
                kind,
                change,
                rule: NameRule::CaseInsensitive,
                keeps_role: true,
                minds_locks: true,
            })
        })?;
        self.hand_over(moved).await
    }
}

/// A user whom the caller administers.
fn colleague(tx: &mut Tx<'_>, caller: &Caller, user: UserId) -> Result<User, Error> {
    let found = users::by_id(tx, user)?.filter(|found| found.enterprise == caller.enterprise);
    match found {
        Some(found) if administers(caller) || found.id == caller.user => Ok(found),
        _ => Err(Error::NotFound),
    }
}

/// Makes the folder for what is transferred, called as Box calls it.
fn make_folder(
    tx: &mut Tx<'_>,
    (doer, stamp): (&Caller, Stamp),
    (old, new): (&User, &User),
    id: ItemId,
) -> Result<ItemView, Error> {
    let root = users::tops(tx, new.id)?.ok_or(Error::internal("a user has no root"))?.root;
    let folder = allow::<Upload>(tx, &acting(new), root)?;
    let wanted = folder_name(old)?;
    let mut name = wanted.clone();
    for number in 2..=NAMES_TRIED {
        match check_name(tx, folder.inside(), (Kind::Folder, &name), NameRule::CaseInsensitive, None) {
            Err(Error::NameInUse { .. }) => name = numbered(Kind::Folder, &wanted, number).unwrap_or(name),
            outcome => {
                outcome?;
                break;
            }
        }
    }
    check_name(tx, folder.inside(), (Kind::Folder, &name), NameRule::CaseInsensitive, None)?;
    let mut item = Item::new(id, Kind::Folder, name, doer.doer(), stamp.at);
    item.parent = Some(root);
    items::insert(tx, &item)?;
    settle(tx, &folder, id, 1)?;
    stamp.record(tx, doer, EventKind::Created, id, None)?;
    view_inside(tx, folder.inside(), item)
}

fn folder_name(old: &User) -> Result<ItemName, Error> {
    let text = format!("{} - {}'s Files and Folders", short(&old.login), short(&old.name));
    // A login may have what no item's name may.
    let name = ItemName::new(text).or_else(|_| ItemName::new(format!("Files and Folders of {}", old.id)));
    name.map_err(|_| Error::internal("a folder has no name"))
}

/// The beginning of a text, as far as it can stand in an item's name.
fn short(text: &str) -> String {
    let mut kept = String::new();
    for c in text.chars().filter(|c| !matches!(c, '/' | '\\') && !c.is_control()) {
        if kept.len() + c.len_utf8() > NAME_BYTES {
            break;
        }
        kept.push(c);
    }
    kept
}
