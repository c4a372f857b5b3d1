use super::place::{self, NameRule, check_depth, check_name, settle};
use crate::grant::Upload;
use crate::view::view_inside;
use crate::{Caller, Error, ItemView, Kind, Tree, allow};
use entente_database::events::EventKind;
use entente_database::items::{self, Item};
use entente_model::{ItemId, ItemName, Timestamp};

/// A folder to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFolder {
    /// Its name.
    pub name: ItemName,
    /// When its content was made; now, if not given.
    pub content_created_at: Option<Timestamp>,
    /// When its content was last changed; now, if not given.
    pub content_modified_at: Option<Timestamp>,
}

impl NewFolder {
    /// A folder of that name, made now.
    #[must_use]
    pub fn named(name: ItemName) -> Self {
        Self { name, content_created_at: None, content_modified_at: None }
    }
}

impl Tree {
    /// Makes a folder.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the parent. `NameInUse`; `TooDeep`.
    pub async fn create_folder(
        &self,
        caller: &Caller,
        parent: ItemId,
        new: NewFolder,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        let (caller, stamp, id) = (caller.clone(), self.stamp(), ItemId::new(self.world.next_id()));
        self.database
            .transact("create folder", move |tx| {
                let folder = allow::<Upload>(tx, &caller, parent)?.of(Kind::Folder)?;
                let mut item = Item::new(id, Kind::Folder, new.name.clone(), caller.user, stamp.at);
                item.parent = Some(parent);
                item.content_created_at = new.content_created_at.unwrap_or(stamp.at);
                item.content_modified_at = new.content_modified_at.unwrap_or(stamp.at);
                let levels = place::levels(&item);
                check_depth(&folder, levels)?;
                check_name(tx, folder.inside(), (item.kind, &item.name), rule, None)?;
                items::insert(tx, &item)?;
                settle(tx, &folder, id, levels)?;
                stamp.record(tx, &caller, EventKind::Created, id, None)?;
                view_inside(tx, folder.inside(), item)
            })
            .await
    }
}
