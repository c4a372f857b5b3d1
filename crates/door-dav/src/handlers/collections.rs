//! `MKCOL` and `DELETE`.

use crate::answer;
use crate::asked::{Asked, Outcome, wanted};
use crate::conditions::{Passed, has_conditions};
use crate::error::Problem;
use crate::wire::headers::Depth;
use entente_model::ItemId;
use entente_tree::{Folders, Kind, NameRule, Object, Prune, Recursive, RemoveAt, Touch};
use http::StatusCode;

pub(crate) async fn make(mut asked: Asked) -> Outcome {
    asked.no_body().await?;
    if asked.path.names.is_empty() {
        return Err(Problem::method_not_allowed());
    }
    let is_locked = asked.tree().has_locks(&asked.caller)?;
    if is_locked || has_conditions(asked.headers()) {
        let seen = asked.target().await?;
        let passed = asked.pass(seen.as_ref()).await?;
        if seen.is_some() {
            return Err(Problem::method_not_allowed());
        }
        let parent = asked.parent(&asked.path).await?.ok_or_else(Problem::no_parent)?;
        asked.unlocked(Touch { items: &[parent.view.item.id], below: &[] }, &passed).await?;
    }
    let path = asked.at(&asked.path.names);
    let made = asked.tree().make_folder_at(&asked.caller, path, NameRule::CaseSensitive, Folders::Refuse).await;
    made.map_err(Problem::of_put)?;
    answer::done(StatusCode::CREATED)
}

pub(crate) async fn remove(mut asked: Asked) -> Outcome {
    asked.no_body().await?;
    if asked.path.names.is_empty() {
        return Err(Problem::forbidden("a root cannot be removed"));
    }
    let seen = asked.target().await?;
    let passed = asked.pass(seen.as_ref()).await?;
    let seen = seen.ok_or_else(Problem::not_found)?;
    if seen.view.item.kind == Kind::Folder && !matches!(asked.depth()?, None | Some(Depth::Infinity)) {
        return Err(Problem::bad_request("a collection is removed with everything in it: 'Depth' is infinity"));
    }
    let mut touched = Touched::default();
    touched.removal(&seen);
    touched.check(&asked, &passed).await?;
    let remove = RemoveAt { expect: passed.expect(Some(&seen)), recursive: Recursive::Yes, prune: Prune::Keep };
    asked.tree().remove_at(&asked.caller, asked.at(&asked.path.names), wanted(&asked.path), remove).await?;
    asked.tree().release_locks(&asked.caller, seen.view.item.id).await?;
    answer::done(StatusCode::NO_CONTENT)
}

/// What is touched when an item goes from where it is: itself, its parent's list of children, and what is below it.
#[derive(Debug, Default)]
pub(super) struct Touched {
    items: Vec<ItemId>,
    below: Vec<ItemId>,
}

impl Touched {
    /// The item goes.
    pub(super) fn removal(&mut self, object: &Object) {
        let item = &object.view.item;
        self.items.push(item.id);
        self.items.extend(item.parent);
        if item.kind == Kind::Folder {
            self.below.push(item.id);
        }
    }

    /// The item itself changes, or which children it has.
    pub(super) fn change(&mut self, item: ItemId) {
        self.items.push(item);
    }

    pub(super) async fn check(&self, asked: &Asked, passed: &Passed) -> Result<(), Problem> {
        asked.unlocked(Touch { items: &self.items, below: &self.below }, passed).await
    }
}
