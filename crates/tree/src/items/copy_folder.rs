//! Copying a folder: a walk over the source in pages, rows that nobody sees yet in batches, and at the end one
//! transaction that attaches them. A job that is asked for at the beginning removes what was not attached in time.

use super::copy::check_owner;
use super::place::{NameRule, check_depth, check_name, levels, make_room, settle};
use super::{CopyTo, purge};
use crate::grant::{Download, Grant, Upload};
use crate::guards::check_unlocked_to_read;
use crate::limits::{BATCH_ROWS_MAX, COPY_LIFETIME};
use crate::view::{row, view_inside};
use crate::{Caller, Error, Item, ItemView, Kind, Overwrite, Retention, Top, Tree, Version, allow, retention};
use crate::{metadata, subscriptions};
use entente_database::events::EventKind;
use entente_database::items::{self, Child, Position};
use entente_database::{Tx, contents, counts, facts, jobs, properties, users, versions};
use entente_model::{ItemId, JobId, Rights, Timestamp, UserId, VersionId};
use entente_world::World;
use std::time::Duration;

/// A copy in the making.
pub(super) struct Copying {
    source: ItemId,
    root: ItemId,
    owner: UserId,
    at: Timestamp,
    rule: NameRule,
    overwrite: Overwrite,
    /// How what is copied is retained where it goes.
    retention: Option<Retention>,
    /// Whether the caller may change what is copied: then nothing of it is kept from them by a watermark.
    edits: bool,
}

/// A row that is to be.
struct Staged {
    item: Item,
    /// What it is a copy of.
    source: ItemId,
    /// With the one whose content it shares.
    version: Option<(Version, VersionId)>,
}

/// Where the walk over the source is: a folder of it at every level. Its memory is bounded by the depth.
struct Walk {
    steps: Vec<Step>,
    /// The bound on the levels below the copy, from what has been seen.
    height: u32,
}

struct Step {
    source: ItemId,
    target: ItemId,
    after: Option<Position>,
    /// Folders of the page that was read last: source and target.
    waiting: Vec<(ItemId, ItemId)>,
    ended: bool,
}

impl Step {
    fn new(source: ItemId, target: ItemId) -> Self {
        Self { source, target, after: None, waiting: Vec::new(), ended: false }
    }
}

impl Copying {
    /// Makes the copy's root, in limbo, and asks for the job that removes it should it stay there.
    pub(super) async fn begin(
        tree: &Tree,
        caller: &Caller,
        (source, to): (ItemId, &CopyTo),
        (rule, overwrite): (NameRule, Overwrite),
    ) -> Result<Self, Error> {
        let (caller, to, stamp) = (caller.clone(), to.clone(), tree.stamp());
        let (root, job) = (ItemId::new(tree.world.next_id()), JobId::new(tree.world.next_id()));
        tree.database
            .transact("begin copy", move |tx| {
                let (source, folder) = allow_both(tx, &caller, source, to.parent)?;
                check_owner(source.owner(), folder.owner())?;
                let old = row(tx, &source)?;
                let mut item = copy_of(&old, root, &caller, stamp.at);
                item.name = to.name.clone().unwrap_or(item.name);
                item.top = Top::Limbo;
                item.top_user = Some(folder.owner());
                check_depth(&folder, levels(&item))?;
                if overwrite == Overwrite::Refuse {
                    check_name(tx, folder.inside(), (item.kind, &item.name), rule, None)?;
                }
                items::insert(tx, &item)?;
                properties::copy(tx, old.id, root)?;
                metadata::copied(tx, old.id, root)?;
                purge::enqueue(tx, job, root, stamp, COPY_LIFETIME)?;
                let retention = retention::of_folder(tx, &folder, stamp.at)?;
                let (owner, edits) = (folder.owner(), source.rights().contains(Rights::EDIT));
                Ok(Self { source: old.id, root, owner, at: stamp.at, rule, overwrite, retention, edits })
            })
            .await
    }

    /// Copies what is below the source, then attaches the copy.
    pub(super) async fn run(&self, tree: &Tree, caller: &Caller, to: &CopyTo) -> Result<ItemView, Error> {
        let mut walk = Walk { steps: vec![Step::new(self.source, self.root)], height: 0 };
        loop {
            let (world, by, at, edits) = (tree.world.clone(), caller.clone(), self.at, self.edits);
            let (next, staged) = tree
                .database
                .read_long(move |tx| {
                    let staged = walk.read(tx, &world, (&by, edits), at)?;
                    Ok::<_, Error>((walk, staged))
                })
                .await?;
            walk = next;
            if staged.is_empty() {
                break;
            }
            let (root, owner, retention) = (self.root, self.owner, self.retention);
            tree.database.transact("copy batch", move |tx| stage(tx, (root, owner), retention, &staged)).await?;
        }
        self.attach(tree, caller, (to, walk.height)).await
    }

    async fn attach(&self, tree: &Tree, caller: &Caller, (to, height): (&CopyTo, u32)) -> Result<ItemView, Error> {
        let (world, caller, to, stamp) = (tree.world.clone(), caller.clone(), to.clone(), tree.stamp());
        let Self { source, root, owner, rule, overwrite, retention, .. } = *self;
        tree.database
            .transact("attach copy", move |tx| {
                let (_, folder) = allow_both(tx, &caller, source, to.parent)?;
                if folder.owner() != owner {
                    return Err(Error::BusyRetry("the folder changed its owner".into()));
                }
                let mut item = in_limbo(tx, root)?;
                item.height = item.height.max(height);
                check_depth(&folder, levels(&item))?;
                make_room(tx, (&world, &caller, stamp), &folder, (&item, source), (rule, overwrite))?;
                item.top = Top::Ordinary;
                item.top_user = None;
                item.parent = Some(to.parent);
                items::save(tx, &item)?;
                settle(tx, &folder, root, levels(&item))?;
                retention::mark_copy(tx, &item, None, retention)?;
                retention::follow(tx, root)?;
                jobs::withdraw(tx, purge::PURGE_JOB, &root.to_string())?;
                stamp.record(tx, &caller, EventKind::Copied, root, None)?;
                subscriptions::restored(tx, (&caller, stamp), folder.inside(), &item, EventKind::Copied)?;
                view_inside(tx, folder.inside(), item)
            })
            .await
    }

    /// Asks for what there is of the copy to be removed now rather than later.
    pub(super) async fn give_up(&self, tree: &Tree) -> Result<(), Error> {
        let (root, stamp, job) = (self.root, tree.stamp(), JobId::new(tree.world.next_id()));
        let enqueue = move |tx: &mut Tx<'_>| purge::enqueue(tx, job, root, stamp, Duration::ZERO);
        tree.database.transact("give up copy", enqueue).await
    }
}

impl Walk {
    /// Reads on until there are rows for one batch, or no more.
    fn read(
        &mut self,
        tx: &mut Tx<'_>,
        world: &World,
        (by, edits): (&Caller, bool),
        at: Timestamp,
    ) -> Result<Vec<Staged>, Error> {
        let mut staged = Vec::new();
        let mut left = BATCH_ROWS_MAX;
        while left > 0 {
            let level = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
            let Some(step) = self.steps.last_mut() else { break };
            if let Some((source, target)) = step.waiting.pop() {
                self.steps.push(Step::new(source, target));
                continue;
            }
            if step.ended {
                self.steps.pop();
                continue;
            }
            let page = items::page_after(tx, step.source, step.after.as_ref(), left)?;
            let read = u32::try_from(page.len()).unwrap_or(u32::MAX);
            step.ended = read < left;
            step.after = page.last().map(|(item, _)| Position::of(item)).or(step.after.take());
            left = left.saturating_sub(read);
            for child in page {
                check_unlocked_to_read(tx, by, &child.0)?;
                if child.0.guard.watermarked && !edits {
                    return Err(Error::Forbidden);
                }
                if child.0.kind == Kind::Folder {
                    self.height = self.height.max(level.saturating_add(child.0.height));
                }
                staged.extend(stage_row(step, child, world, by, at));
            }
        }
        Ok(staged)
    }
}

/// The row that a child of the source becomes.
fn stage_row(step: &mut Step, (old, version): Child, world: &World, by: &Caller, at: Timestamp) -> Option<Staged> {
    let id = ItemId::new(world.next_id());
    let mut item = copy_of(&old, id, by, at);
    item.parent = Some(step.target);
    let source = old.id;
    match old.kind {
        Kind::Folder => {
            step.waiting.push((old.id, id));
            Some(Staged { item, source, version: None })
        }
        Kind::File => {
            let old = version?;
            let version = VersionId::new(world.next_id());
            item.version = Some(version);
            let name = item.name.clone();
            let of = old.id;
            let version = Version {
                id: version,
                item: id,
                number: 1,
                name,
                created_at: at,
                created_by: by.user,
                plain: false,
                sender: None,
                ..old
            };
            Some(Staged { item, source, version: Some((version, of)) })
        }
        Kind::WebLink => Some(Staged { item, source, version: None }),
    }
}

/// A new item with what a copy keeps.
fn copy_of(old: &Item, id: ItemId, by: &Caller, at: Timestamp) -> Item {
    Item {
        height: old.height,
        description: old.description.clone(),
        tags: old.tags.clone(),
        url: old.url.clone(),
        content_created_at: old.content_created_at,
        content_modified_at: old.content_modified_at,
        ..Item::new(id, old.kind, old.name.clone(), by.user, at)
    }
}

/// Decides about both ends of a copy.
fn allow_both(
    tx: &mut Tx<'_>,
    caller: &Caller,
    source: ItemId,
    parent: ItemId,
) -> Result<(Grant<Download>, Grant<Upload>), Error> {
    let from = allow::<Download>(tx, caller, source)?.of(Kind::Folder)?;
    let folder = allow::<Upload>(tx, caller, parent)?.of(Kind::Folder)?;
    if folder.is_within(source) { Err(Error::FolderIntoItself) } else { Ok((from, folder)) }
}

/// The copy's root, as long as it may still be added to and attached.
fn in_limbo(tx: &mut Tx<'_>, root: ItemId) -> Result<Item, Error> {
    let item = items::by_id(tx, root)?.filter(|item| item.top == Top::Limbo && item.trashed_at.is_none());
    item.ok_or_else(|| Error::BusyRetry("the copy took too long and was given up".into()))
}

/// Writes a batch of rows below a copy's root.
fn stage(
    tx: &mut Tx<'_>,
    (root, owner): (ItemId, UserId),
    retention: Option<Retention>,
    staged: &[Staged],
) -> Result<(), Error> {
    in_limbo(tx, root)?;
    let mut size = 0;
    for Staged { item, source, version } in staged {
        if let Some((version, of)) = version {
            if !contents::share(tx, version.content)? {
                // Its file was purged since the walk came by: then it is not part of the copy.
                continue;
            }
            // Between the walk and this the job may have come by that reads what is not known yet: it has updated the
            // versions that there were then.
            let sha1 = match version.sha1 {
                Some(sha1) => Some(sha1),
                None => contents::sha1(tx, version.content)?,
            };
            versions::insert(tx, &Version { sha1, ..version.clone() })?;
            facts::copy(tx, *of, version.id)?;
            size += version.size;
        }
        items::insert(tx, item)?;
        retention::mark_copy(tx, item, item.version, retention)?;
        properties::copy(tx, *source, item.id)?;
        metadata::copied(tx, *source, item.id)?;
        if let Some(parent) = item.parent {
            counts::gained(tx, parent, item.id)?;
        }
    }
    if users::take_space(tx, owner, size)? { Ok(()) } else { Err(Error::QuotaExceeded) }
}
