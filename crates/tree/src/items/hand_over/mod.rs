//! Items that go from one owner to another.
//!
//! Content has its owner's space, and is stored under its owner's policy. So a move between owners has to reach every
//! version below the item. Little goes in one transaction. Much goes in three stages: the item is taken out of sight,
//! what is below it is made the new owner's in batches, and it is put into its new folder. A job does what is left of
//! that when the process ends half way. While it is out of sight nobody changes anything below it.

mod finish;
mod give;
mod walk;

pub use finish::HAND_OVER_JOB;
pub use give::TRANSFER_JOB;

use super::change::changed;
use super::place::{NameRule, check_depth, check_name, levels, settle};
use super::{ItemChange, Stamp, check_sequence};
use crate::grant::{Change, Delete, Grant, Upload};
use crate::guards::{check_may_go, check_unlocked, take_locks_along};
use crate::limits::{BATCH_ROWS_MAX, HAND_OVER_PATIENCE};
use crate::view::{row, view_inside};
use crate::{Caller, Error, ItemView, Kind, Top, Tree, allow, retention, subscriptions};
use entente_database::events::EventKind;
use entente_database::handovers::{self, Handover};
use entente_database::items::{self, Item, Mark};
use entente_database::jobs::{self, NewJob};
use entente_database::{Tx, buckets, counts, users};
use entente_model::{CollaborationId, ItemId, JobId};
use finish::{Arrival, arrive};
use walk::{Walk, check_space, hand, is_to_be_copied, size_of};

/// Who takes part in a move between owners. In most they are one.
#[derive(Debug, Clone)]
struct Parties {
    /// Whose right it is to take the item from where it is.
    leaves: Caller,
    /// Whose right it is to put it where it goes.
    enters: Caller,
    /// Who is remembered as having done it.
    doer: Caller,
}

/// A move between owners.
#[derive(Debug, Clone)]
struct Move {
    parties: Parties,
    item: ItemId,
    kind: Kind,
    /// With the folder that it goes into.
    change: ItemChange,
    rule: NameRule,
    /// Whether the old owner manages the item from then on, as a co-owner of it.
    keeps_role: bool,
    /// Whether locks stand in the way: not where an administrator gives away all that somebody has.
    minds_locks: bool,
}

/// How far one transaction got.
enum Begun {
    /// All of it.
    Done(Box<ItemView>),
    /// The item is out of sight.
    OnItsWay,
    /// Nowhere: it is too much for one.
    TooMuch,
}

/// How it is to be tried.
#[derive(Clone, Copy)]
enum Attempt {
    /// In one transaction.
    AtOnce,
    /// In stages, of that many bytes.
    InStages(u64),
}

/// Ids that a move may need.
#[derive(Clone, Copy)]
struct Ids {
    job: JobId,
    role: CollaborationId,
}

impl Tree {
    /// Whether the item and the folder have different owners. `false` where the caller may not know of both.
    pub(crate) fn is_between_owners(&self, caller: &Caller, item: ItemId, folder: ItemId) -> Result<bool, Error> {
        let owners = self.database.read(|tx| {
            let from = allow::<Change>(tx, caller, item)?.owner();
            Ok::<_, Error>((from, allow::<Upload>(tx, caller, folder)?.owner()))
        });
        match owners {
            Ok((from, to)) => Ok(from != to),
            // The move itself says what is wrong.
            Err(Error::NotFound | Error::Trashed | Error::Forbidden) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Moves an item into a folder of another owner, who owns it from then on, and may give it another name and so on.
    ///
    /// Errors as for [`Tree::update`]; `Forbidden` also for who may not take the item away from where it is, and between
    /// enterprises; `QuotaExceeded` when the new owner has no space for it.
    pub(super) async fn move_between(
        &self,
        caller: &Caller,
        (item, kind): (ItemId, Kind),
        change: ItemChange,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        let parties = Parties { leaves: caller.clone(), enters: caller.clone(), doer: caller.clone() };
        self.hand_over(Move { parties, item, kind, change, rule, keeps_role: false, minds_locks: true }).await
    }

    async fn hand_over(&self, wanted: Move) -> Result<ItemView, Error> {
        let item = wanted.item;
        let begun = match self.begin_handover(&wanted, Attempt::AtOnce).await? {
            Begun::TooMuch => {
                let size = self.size_below(item, wanted.kind).await?;
                self.begin_handover(&wanted, Attempt::InStages(size)).await?
            }
            begun => begun,
        };
        match begun {
            Begun::Done(view) => Ok(*view),
            Begun::TooMuch => Err(Error::internal("a move in stages was too much")),
            Begun::OnItsWay => {
                self.finish_handover(item).await?;
                self.item(&wanted.parties.enters, item, wanted.kind).await
            }
        }
    }

    async fn begin_handover(&self, wanted: &Move, attempt: Attempt) -> Result<Begun, Error> {
        let (wanted, stamp) = (wanted.clone(), self.stamp());
        let ids = self.handover_ids();
        self.database.transact("hand over item", move |tx| begin(tx, &wanted, (stamp, ids), attempt)).await
    }

    fn handover_ids(&self) -> Ids {
        Ids { job: JobId::new(self.world.next_id()), role: CollaborationId::new(self.world.next_id()) }
    }

    /// Bytes of all versions below an item. Walks over them in pages.
    async fn size_below(&self, item: ItemId, kind: Kind) -> Result<u64, Error> {
        let (mut walk, mut size) = (Walk::new(item, kind), 0_u64);
        while !walk.ended() {
            let mut next = walk;
            let (reached, page) = self
                .database
                .read_long(move |tx| {
                    let page = size_of(&next.next(tx, BATCH_ROWS_MAX)?);
                    Ok::<_, Error>((next, page))
                })
                .await?;
            walk = reached;
            size = size.saturating_add(page);
        }
        Ok(size)
    }
}

fn begin(tx: &mut Tx<'_>, wanted: &Move, (stamp, ids): (Stamp, Ids), attempt: Attempt) -> Result<Begun, Error> {
    let Move { parties, item: id, kind, change, rule, keeps_role, minds_locks } = wanted;
    let grant = allow::<Change>(tx, &parties.leaves, *id)?.of(*kind)?;
    // For its old owner it is as good as gone.
    allow::<Delete>(tx, &parties.leaves, *id)?;
    grant.check_may_leave()?;
    let before = row(tx, &grant)?;
    check_sequence(&before, change.if_match)?;
    if *minds_locks {
        check_may_go(tx, grant.owner(), &before)?;
        check_unlocked(tx, &parties.doer, &before)?;
    }
    let mut item = changed(&before, change);
    let folder = allow::<Upload>(tx, &parties.enters, item.parent.ok_or(Error::NotFound)?)?.of(Kind::Folder)?;
    check(tx, (&grant, &folder), &item, *rule)?;
    let page = match attempt {
        Attempt::InStages(size) => {
            check_space(tx, folder.owner(), size)?;
            None
        }
        Attempt::AtOnce => {
            let mut walk = Walk::new(*id, *kind);
            let page = walk.next(tx, BATCH_ROWS_MAX)?;
            if !walk.ended() || page.iter().any(is_to_be_copied) {
                return Ok(Begun::TooMuch);
            }
            check_space(tx, folder.owner(), size_of(&page))?;
            Some(page)
        }
    };
    let (from, to) = (grant.owner(), folder.owner());
    take_locks_along(tx, (from, to), &before)?;
    let beside = grant.beside()?;
    counts::lost(tx, beside.folder.id, *id)?;
    if *kind == Kind::Folder {
        // What a bucket is to S3, it is in its owner's root.
        buckets::remove(tx, *id)?;
    }
    item.implied = false;
    item.touch(parties.doer.doer(), stamp.at);
    let by = (&parties.doer, stamp);
    let Some(page) = page else {
        item.parent = None;
        item.mark = Mark::HIDDEN;
        item.top = Top::Limbo;
        item.top_user = Some(from);
        items::save(tx, &item)?;
        let (parent, doer) = (folder.item().id, parties.doer.doer());
        handovers::insert(tx, &Handover { item: *id, from, to, parent, doer, keeps_role: *keeps_role })?;
        let (key, run_at) = (id.to_string(), stamp.at.after(HAND_OVER_PATIENCE));
        let job = NewJob { job: ids.job, kind: HAND_OVER_JOB, key: &key, payload: "", run_at };
        jobs::enqueue(tx, &job, stamp.at)?;
        subscriptions::gone(tx, by, beside, &item)?;
        return Ok(Begun::OnItsWay);
    };
    hand(tx, &page, (from, to))?;
    settle(tx, &folder, *id, levels(&item))?;
    items::save(tx, &item)?;
    retention::follow(tx, *id)?;
    arrive(tx, &Arrival { item: *id, from, to, keeps_role: *keeps_role, at: stamp.at }, ids)?;
    stamp.record(tx, &parties.doer, EventKind::Moved, *id, item.version)?;
    subscriptions::moved(tx, by, (beside, &before.name), folder.inside(), &item)?;
    Ok(Begun::Done(Box::new(view_inside(tx, folder.inside(), item)?)))
}

/// Checks what does not depend on how much there is below the item.
fn check(
    tx: &mut Tx<'_>,
    (grant, folder): (&Grant<Change>, &Grant<Upload>),
    item: &Item,
    rule: NameRule,
) -> Result<(), Error> {
    let (from, to) = (users::storage(tx, grant.owner())?, users::storage(tx, folder.owner())?);
    let (Some(from), Some(to)) = (from, to) else { return Err(Error::internal("an owner is not there")) };
    if from.enterprise != to.enterprise {
        // Its bytes are sealed with its enterprise's keys.
        return Err(Error::Forbidden);
    }
    if folder.owner() == grant.owner() {
        return Err(Error::BusyRetry("the item changed its owner".into()));
    }
    check_depth(folder, levels(item))?;
    check_name(tx, folder.inside(), (item.kind, &item.name), rule, Some(item.id))
}
