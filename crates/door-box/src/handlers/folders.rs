//! Folders.

use super::files::item_change;
use super::listing::Wanted;
use super::{collections, shared_links};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::{moment, name_given, name_required, parent_required};
use crate::wire::fields::Field;
use crate::wire::id;
use crate::wire::item::{FOLDER, ITEM_MINI, Item};
use crate::wire::people_request::Transfer;
use crate::wire::request::{Change, Destination, NewItem};
use entente_model::Caller;
use entente_tree::{
    CopyTo, FolderSettingsChange, ItemView, Kind, Listing, NameRule, NewFolder, RecentAct, Recursive, Top,
};
use http::StatusCode;

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let view = asked.tree().item(&caller, asked.folder_id(&caller).await?, Kind::Folder).await?;
    // A root has no etag at Box.
    if view.item.top != Top::Root && asked.is_not_modified(view.item.sequence) {
        return Ok(answer::empty(StatusCode::NOT_MODIFIED));
    }
    answer(&asked, &caller, StatusCode::OK, &view, Children::Some).await
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewItem = asked.json().await?;
    let folder = NewFolder {
        name: name_required(new.name.as_deref())?,
        content_created_at: moment(new.content_created_at),
        content_modified_at: moment(new.content_modified_at),
    };
    let parent = parent_required(&asked, &caller, new.parent.as_ref()).await?;
    let made = asked.tree().create_folder(&caller, parent, folder, NameRule::CaseInsensitive).await;
    let view = made.map_err(Problem::of_folder)?;
    answer(&asked, &caller, StatusCode::CREATED, &view, Children::None).await
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let mut change: Change = asked.json().await?;
    let favorite = collections::wish(&caller, change.collections.take())?;
    let folder = asked.folder_id(&caller).await?;
    if let Some(view) = collections::alone(&asked, &caller, (folder, Kind::Folder), (favorite, &change)).await? {
        return answer(&asked, &caller, StatusCode::OK, &view, Children::Some).await;
    }
    let link = change.shared_link.take();
    let settings = FolderSettingsChange {
        others_invite: change.can_non_owners_invite,
        others_see_each_other: change.can_non_owners_view_collaborators,
        enterprise_only: change.is_collaboration_restricted_to_enterprise,
    };
    let change = item_change(&asked, &caller, change).await?;
    let rule = NameRule::CaseInsensitive;
    let updated = match link {
        None => asked.tree().update_folder(&caller, folder, change, settings, rule).await,
        Some(_) if settings != FolderSettingsChange::default() => {
            let message = "A folder's settings and its shared link are changed in requests of their own";
            return Err(Problem::invalid("shared_link", message));
        }
        Some(link) => {
            let wish = shared_links::wish(&asked, link).await?;
            asked.tree().change_shared_link(&caller, (folder, Kind::Folder), change, wish, rule).await
        }
    };
    let view = updated.map_err(Problem::of_folder)?;
    collections::besides(&asked, &caller, (folder, Kind::Folder), favorite).await?;
    asked.tree().note_recent(&caller, folder, RecentAct::Modified);
    answer(&asked, &caller, StatusCode::OK, &view, Children::Some).await
}

/// Everything that a user owns, in a new folder of another's.
pub(crate) async fn transfer(mut asked: Asked, caller: Caller) -> Outcome {
    let from = asked.id("user_id")?;
    let wanted: Transfer = asked.json().await?;
    let to = wanted.owned_by.ok_or_else(|| Problem::missing("owned_by"))?;
    let to = to.id.ok_or_else(|| Problem::missing("owned_by.id"))?;
    let to = id::parse(&to.0).map_err(|malformed| Problem::invalid("owned_by.id", malformed.to_string()))?;
    let view = asked.tree().transfer_content(&caller, from, to).await.map_err(Problem::of_folder)?;
    answer(&asked, &caller, StatusCode::OK, &view, Children::None).await
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    let recursive = if asked.query().is_set("recursive") { Recursive::Yes } else { Recursive::No };
    let folder = asked.folder_id(&caller).await?;
    asked.tree().trash_item(&caller, folder, Kind::Folder, recursive, asked.expected_sequence()).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn copy(mut asked: Asked, caller: Caller) -> Outcome {
    let to: Destination = asked.json().await?;
    let to = CopyTo {
        parent: parent_required(&asked, &caller, to.parent.as_ref()).await?,
        name: name_given(to.name.as_deref())?,
        version: None,
    };
    let folder = asked.folder_id(&caller).await?;
    let copied = asked.tree().copy(&caller, folder, Kind::Folder, to, NameRule::CaseInsensitive).await;
    let view = copied.map_err(Problem::of_folder)?;
    answer(&asked, &caller, StatusCode::CREATED, &view, Children::Some).await
}

pub(crate) async fn items(asked: Asked, caller: Caller) -> Outcome {
    let wanted = Wanted::of(&asked)?;
    let folder = asked.folder_id(&caller).await?;
    let listing = asked.tree().list(&caller, folder, wanted.query.clone()).await?;
    wanted.answer(&asked, &listing, asked.fields(ITEM_MINI)).await
}

/// A folder, as a whole.
pub(super) async fn answer_one(asked: &Asked, caller: &Caller, view: &ItemView) -> Outcome {
    answer(asked, caller, StatusCode::OK, view, Children::Some).await
}

/// Whether a folder may have children.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Children {
    /// It was made just now.
    None,
    Some,
}

async fn answer(asked: &Asked, caller: &Caller, status: StatusCode, view: &ItemView, children: Children) -> Outcome {
    let fields = asked.fields(FOLDER);
    let look = asked.look();
    let sharing = asked.sharing_of(fields, view).await?;
    if !fields.has(Field::ItemCollection) {
        return Ok(look.item(view, fields, |item| answer::json(status, &Item { sharing, ..*item })));
    }
    let wanted = Wanted::of(asked)?;
    let listing = match children {
        Children::None => Listing { entries: Vec::new(), total_count: Some(0), next: None },
        Children::Some => asked.tree().list(caller, view.item.id, wanted.query.clone()).await?,
    };
    Ok(wanted.show(&look, (&listing, &[]), ITEM_MINI, |page| {
        look.item(view, fields, |item| answer::json(status, &Item { sharing, children: Some(page), ..*item }))
    }))
}
