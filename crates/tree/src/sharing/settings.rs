//! What collaborators may do with a folder apart from their roles, and what is shown of an item's sharing.

use super::FolderSettings;
use crate::grant::Manage;
use crate::items::change;
use crate::items::{ItemChange, NameRule};
use crate::view::{row, view_row};
use crate::{Caller, Error, ItemView, Kind, Tree, allow};
use entente_database::events::EventKind;
use entente_database::{collaborations, folder_settings, items};
use entente_model::ItemId;

/// What of a folder's settings is to change; `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FolderSettingsChange {
    /// Whether editors may invite others.
    pub others_invite: Option<bool>,
    /// Whether collaborators who do not manage the folder see who else there is. Where they do not, they cannot invite.
    pub others_see_each_other: Option<bool>,
    /// Whether only users of the enterprise may be invited.
    pub enterprise_only: Option<bool>,
}

impl FolderSettingsChange {
    fn of(self, settings: FolderSettings) -> FolderSettings {
        FolderSettings {
            others_invite: self.others_invite.unwrap_or(settings.others_invite),
            others_see_each_other: self.others_see_each_other.unwrap_or(settings.others_see_each_other),
            enterprise_only: self.enterprise_only.unwrap_or(settings.enterprise_only),
        }
    }
}

/// How an item is shared, as far as it is shown with the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemSharing {
    /// What collaborators may do; what is usual, of what is no folder.
    pub settings: FolderSettings,
    /// Whether there is any collaboration on the item itself.
    pub collaborated: bool,
}

impl Tree {
    /// Changes a folder and its settings, all at once. What is given as it is already counts as no change.
    ///
    /// Errors as for [`Tree::update`]; `Forbidden` also when a setting is given and the caller does not manage the folder,
    /// and `Invalid` when those who do not see each other could still invite.
    pub async fn update_folder(
        &self,
        caller: &Caller,
        folder: ItemId,
        change: ItemChange,
        settings: FolderSettingsChange,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        if settings == FolderSettingsChange::default() {
            return self.update(caller, folder, Kind::Folder, change, rule).await;
        }
        change::check(&change)?;
        if let Some(parent) = change.parent
            && self.is_between_owners(caller, folder, parent)?
        {
            return Err(Error::Invalid(
                "a folder goes to another owner by itself: change its settings in another request",
            ));
        }
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("change folder", move |tx| {
                let grant = allow::<Manage>(tx, &caller, folder)?.of(Kind::Folder)?;
                let before = row(tx, &grant)?;
                let changed = change::apply(tx, &caller, stamp, (folder, Kind::Folder), &change, rule)?;
                let old = folder_settings::of(tx, folder)?;
                let new = settings.of(old);
                if new.others_invite && !new.others_see_each_other {
                    return Err(Error::Invalid("who may not see the other collaborators cannot invite any either"));
                }
                if new == old {
                    return Ok(changed);
                }
                folder_settings::set(tx, folder, new)?;
                if changed.item.sequence != before.sequence {
                    return Ok(changed);
                }
                let mut item = before;
                item.touch(caller.user, stamp.at);
                items::save(tx, &item)?;
                stamp.record(tx, &caller, EventKind::Described, folder, None)?;
                view_row(tx, &grant, item)
            })
            .await
    }

    /// How items that the caller was shown are shared, in the same order.
    pub async fn sharing_of(&self, views: &[ItemView]) -> Result<Vec<ItemSharing>, Error> {
        let asked: Vec<ItemId> = views.iter().map(|view| view.item.id).collect();
        self.database
            .read_long(move |tx| {
                let set = folder_settings::of_some(tx, &asked)?;
                let collaborated = collaborations::any_on(tx, &asked)?;
                let of_one = |item: &ItemId| ItemSharing {
                    settings: set.iter().find(|(id, _)| id == item).map_or(FolderSettings::USUAL, |(_, found)| *found),
                    collaborated: collaborated.contains(item),
                };
                Ok(asked.iter().map(of_one).collect())
            })
            .await
    }
}
