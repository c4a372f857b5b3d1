//! Locks of folders.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::{Look, mini};
use crate::wire::date::Date;
use crate::wire::id::{ItemRef, MalformedId, Text};
use crate::wire::item::ITEM_MINI;
use crate::wire::lock::{FolderLock, FolderLocks, NewFolderLock, Operations};
use entente_model::Caller;
use entente_tree::FolderLockView;
use http::StatusCode;

/// There is never more than one.
const LIMIT: u64 = 1_000;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let folder = asked.query().value("folder_id").filter(|id| !id.is_empty());
    let folder = folder.ok_or_else(|| Problem::missing("folder_id"))?;
    let folder = asked.resolve(&caller, folder.parse::<ItemRef>()?).await?;
    let found = asked.tree().folder_lock(&caller, folder).await?;
    let look = asked.look();
    let entries: Vec<_> = found.iter().map(|view| look.folder_lock(view)).collect();
    Ok(answer::json(StatusCode::OK, &FolderLocks { entries, limit: Text(LIMIT), next_marker: None }))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewFolderLock = asked.json().await?;
    let folder = new.folder.ok_or_else(|| Problem::missing("folder"))?;
    if folder.kind.as_deref().is_some_and(|kind| kind != "folder") {
        return Err(Problem::invalid("folder.type", "'folder.type' must be 'folder'"));
    }
    if new.locked_operations.is_some_and(|operations| operations != Operations::ALL) {
        let message = "'locked_operations' must have 'move' and 'delete', and both must be true";
        return Err(Problem::invalid("locked_operations", message));
    }
    let id = folder.id.ok_or_else(|| Problem::missing("folder.id"))?;
    let reference = id.0.parse().map_err(|error: MalformedId| Problem::invalid("folder.id", error.to_string()))?;
    let folder = asked.resolve(&caller, reference).await?;
    let made = asked.tree().lock_folder(&caller, folder).await?;
    // Not 201, as Box describes it.
    Ok(answer::json(StatusCode::OK, &asked.look().folder_lock(&made)))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().unlock_folder(&caller, asked.id("folder_lock_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

impl Look<'_> {
    fn folder_lock<'a>(&'a self, view: &'a FolderLockView) -> FolderLock<'a> {
        FolderLock {
            id: Text(view.lock.id),
            folder: self.item_at(&view.folder, &[], ITEM_MINI),
            created_by: mini(&view.created_by),
            created_at: Date { at: view.lock.created_at, zone: self.zone },
            locked_operations: Operations::ALL,
            lock_type: "freeze",
        }
    }
}
