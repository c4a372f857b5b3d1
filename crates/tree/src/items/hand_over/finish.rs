//! What is left to do of a move between owners once the item is out of sight.

use super::walk::{Walk, hand};
use super::{Ids, Stamp};
use crate::files::Content;
use crate::grant::{Grant, Upload};
use crate::items::place::{check_depth, free_name, levels, settle};
use crate::items::purge;
use crate::limits::BATCH_ROWS_MAX;
use crate::sharing::{Collaboration, CollaborationStatus, Collaborator};
use crate::storage::follow_owner;
use crate::users::acting;
use crate::{Error, Kind, Top, Tree, User, allow, retention, subscriptions};
use entente_database::events::EventKind;
use entente_database::handovers::{self, Handover, Holding};
use entente_database::items::{self, Item};
use entente_database::{Tx, collaborations, contents, jobs, users};
use entente_model::{ItemId, Role, Timestamp, UserId};
use entente_vault::Scope;
use std::time::Duration;

/// The kind of the jobs that call [`Tree::finish_handover`]. Their key is the item's id.
pub const HAND_OVER_JOB: &str = "hand over item";

/// An item that has come into a folder of its new owner's.
pub(super) struct Arrival {
    pub(super) item: ItemId,
    pub(super) from: UserId,
    pub(super) to: UserId,
    /// Whether the old owner is a co-owner from then on.
    pub(super) keeps_role: bool,
    pub(super) at: Timestamp,
}

/// Sees to the roles on an item that has come, and to it being stored as its new owner's policy wants it.
pub(super) fn arrive(tx: &mut Tx<'_>, arrival: &Arrival, ids: Ids) -> Result<(), Error> {
    let Arrival { item, from, to, keeps_role, at } = *arrival;
    if let Some(needless) = collaborations::of(tx, item, &Collaborator::User(to))? {
        collaborations::remove(tx, needless.id)?;
    }
    let with = Collaborator::User(from);
    if keeps_role && collaborations::of(tx, item, &with)?.is_none() {
        let row = Collaboration {
            id: ids.role,
            item,
            with,
            role: Role::CoOwner,
            status: CollaborationStatus::Accepted,
            sees_path: false,
            access_only: false,
            created_by: to,
            created_at: at,
            modified_at: at,
            acknowledged_at: Some(at),
            expires_at: None,
        };
        collaborations::insert(tx, &row)?;
    }
    follow_owner(tx, to, (ids.job, at))
}

impl Tree {
    /// Makes all that is below an item on its way to another owner theirs, and puts it into its new folder: into their
    /// root, if that is gone or in the trash, and under another name, if its own is taken there. Back to where it came
    /// from, if the new owner is gone. Nothing, for an item that is not on its way. Harmless to run twice, also at the
    /// same time.
    pub async fn finish_handover(&self, item: ItemId) -> Result<(), Error> {
        loop {
            let Some((handover, kind)) = self.database.read(|tx| on_its_way(tx, item))? else { return Ok(()) };
            let mut walk = Walk::new(item, kind);
            while !walk.ended() {
                let next = walk;
                let (reached, rest) = self
                    .database
                    .transact("hand over batch", move |tx| {
                        let mut next = next.clone();
                        if on_its_way(tx, item)?.is_none_or(|(found, _)| found != handover) {
                            // Somebody else has done it.
                            return Ok((Walk::new(item, Kind::WebLink), Vec::new()));
                        }
                        let page = next.next(tx, BATCH_ROWS_MAX)?;
                        let rest = hand(tx, &page, (handover.from, handover.to))?;
                        Ok::<_, Error>((next, rest))
                    })
                    .await?;
                for holding in rest {
                    self.copy_holding(&handover, &holding).await?;
                }
                walk = reached;
            }
            let (stamp, ids) = (self.stamp(), self.handover_ids());
            if self.database.transact("end handover", move |tx| end(tx, &handover, (stamp, ids))).await? {
                return Ok(());
            }
        }
    }

    /// Gives a version that shares its content with others one of its own, which is the new owner's.
    async fn copy_holding(&self, handover: &Handover, holding: &Holding) -> Result<(), Error> {
        let (Handover { item, from, to, .. }, holding) = (*handover, *holding);
        let found = self.database.read(|tx| {
            let storage = users::storage(tx, to)?;
            Ok::<_, Error>(Content::find(tx, holding.content)?.zip(storage))
        })?;
        // Without one the version was removed since; without the other the end of it all says what is to be done.
        let Some((content, storage)) = found else { return Ok(()) };
        let scope = Scope { enterprise: storage.enterprise, zone: storage.zone, policy: storage.policy };
        let bytes = self.read_content(content, 0..holding.size);
        let written = self.vault.write_with_key(scope, None, holding.size, bytes).await?;
        self.database
            .transact("hand over copy", move |tx| {
                let going = handovers::of(tx, item)?.is_some_and(|found| found.to == to);
                let (old, new) = (holding.content, &written.manifest);
                if !going || !handovers::set_content(tx, holding.version, old, (new.content, new.sha1))? {
                    return Ok(());
                }
                contents::commit_with_md5(tx, &written, to, holding.md5)?;
                contents::release(tx, old)?;
                Ok::<_, Error>(handovers::move_space(tx, from, to, holding.size)?)
            })
            .await
    }
}

fn on_its_way(tx: &mut Tx<'_>, item: ItemId) -> Result<Option<(Handover, Kind)>, Error> {
    let Some(handover) = handovers::of(tx, item)? else { return Ok(None) };
    let row = items::by_id(tx, item)?.filter(|row| row.top == Top::Limbo);
    let row = row.ok_or(Error::internal("an item on its way to another owner is not in limbo"))?;
    Ok(Some((handover, row.kind)))
}

/// Puts the item into its new folder. `false` when it has to go back, since the new owner is gone.
fn end(tx: &mut Tx<'_>, handover: &Handover, (stamp, ids): (Stamp, Ids)) -> Result<bool, Error> {
    let Handover { item, from, to, parent, keeps_role, .. } = *handover;
    let Some((found, _)) = on_its_way(tx, item)? else { return Ok(true) };
    if found != *handover {
        return Ok(false);
    }
    let mut row = items::by_id(tx, item)?.ok_or(Error::internal("an item on its way is not there"))?;
    let Some(owner) = users::by_id(tx, to)? else {
        return turn_back(tx, handover, &mut row, (stamp, ids));
    };
    let Some(folder) = destination(tx, &owner, parent, &row)? else {
        return turn_back(tx, handover, &mut row, (stamp, ids));
    };
    row.name = free_name(tx, folder.inside(), (row.kind, &row.name), item)?;
    row.top = Top::Ordinary;
    row.top_user = None;
    row.parent = Some(folder.item().id);
    items::save(tx, &row)?;
    settle(tx, &folder, item, levels(&row))?;
    retention::follow(tx, item)?;
    arrive(tx, &Arrival { item, from, to, keeps_role, at: stamp.at }, ids)?;
    handovers::remove(tx, item)?;
    jobs::withdraw(tx, HAND_OVER_JOB, &item.to_string())?;
    let doer = users::by_id(tx, handover.doer)?.map_or_else(|| acting(&owner), |doer| acting(&doer));
    stamp.record(tx, &doer, EventKind::Moved, item, row.version)?;
    subscriptions::restored(tx, (&doer, stamp), folder.inside(), &row, EventKind::Moved)?;
    Ok(true)
}

/// The folder that the item goes into, or its new owner's root. `None` when there is neither.
fn destination(tx: &mut Tx<'_>, owner: &User, parent: ItemId, item: &Item) -> Result<Option<Grant<Upload>>, Error> {
    let owner = acting(owner);
    for folder in [Some(parent), users::tops(tx, owner.user)?.map(|tops| tops.root)].into_iter().flatten() {
        match allow::<Upload>(tx, &owner, folder) {
            Ok(grant) if grant.owner() == owner.user && check_depth(&grant, levels(item)).is_ok() => {
                return Ok(Some(grant));
            }
            Ok(_) | Err(Error::NotFound | Error::Trashed | Error::Forbidden) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Sends the item back to whom it was taken from. When that one is gone too, what is nobody's any more is removed as
/// what a removed user owned.
fn turn_back(tx: &mut Tx<'_>, handover: &Handover, row: &mut Item, (stamp, ids): (Stamp, Ids)) -> Result<bool, Error> {
    let Handover { item, from, to, .. } = *handover;
    handovers::remove(tx, item)?;
    row.top_user = Some(to);
    items::save(tx, row)?;
    let Some(tops) = users::storage(tx, from)?.and(users::tops(tx, from)?) else {
        purge::enqueue(tx, ids.job, item, stamp, Duration::ZERO)?;
        return Ok(false);
    };
    let back = Handover { from: to, to: from, parent: tops.root, keeps_role: false, ..*handover };
    handovers::insert(tx, &back)?;
    Ok(false)
}
