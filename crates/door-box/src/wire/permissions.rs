//! What a caller may do with an item, in Box's words.

use super::collaboration::{ROLES, role_name};
use entente_model::{Rights, Role, UserId};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// How an item is shared, as far as it is shown with the item, and whose favorite it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// Whether editors may invite others.
    pub others_invite: bool,
    /// Whether collaborators who do not manage a folder see who else there is.
    pub others_see_each_other: bool,
    /// Whether only users of the enterprise may be invited.
    pub enterprise_only: bool,
    /// Whether there is any collaboration on the item itself.
    pub collaborated: bool,
    /// The user who asks, if it is a favorite of theirs.
    pub favorite_of: Option<UserId>,
}

impl Sharing {
    /// Of what nobody shares.
    pub const NONE: Self = Self {
        others_invite: true,
        others_see_each_other: true,
        enterprise_only: false,
        collaborated: false,
        favorite_of: None,
    };
}

/// What a caller may do with an item, apart from what only its kind has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permissions {
    /// What roles, or owning it, give.
    pub(super) rights: Rights,
    /// How it is shared.
    pub(super) sharing: Sharing,
    /// What kind of item.
    pub(super) of: Of,
}

/// What kind of item permissions are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// "All Files", which is nothing that could be renamed, removed or shared.
    Root,
    File,
    Folder,
    /// Nobody is invited to it by itself.
    WebLink,
}

impl Permissions {
    fn has(&self, rights: Rights) -> bool {
        self.rights.contains(rights)
    }

    fn may_invite(&self) -> bool {
        let invites = self.has(Rights::MANAGE) || self.has(Rights::EDIT) && self.sharing.others_invite;
        invites && matches!(self.of, Of::File | Of::Folder)
    }

    /// The roles that the caller may give.
    pub(super) fn roles(&self) -> Roles {
        Roles(match (self.may_invite(), self.has(Rights::MANAGE)) {
            (false, _) => &[],
            (true, true) => &ROLES,
            (true, false) => ROLES.split_last().map_or(&[], |(_co_owner, others)| others),
        })
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let edits = self.has(Rights::EDIT) && self.of != Of::Root;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("can_download", &self.has(Rights::DOWNLOAD))?;
        map.serialize_entry("can_delete", &edits)?;
        map.serialize_entry("can_rename", &edits)?;
        map.serialize_entry("can_upload", &(self.has(Rights::UPLOAD) && self.of != Of::WebLink))?;
        map.serialize_entry("can_share", &(self.has(Rights::SHARE) && self.of != Of::Root))?;
        map.serialize_entry("can_set_share_access", &edits)?;
        map.serialize_entry("can_invite_collaborator", &self.may_invite())?;
        map.serialize_entry("can_apply_watermark", &false)?;
        if self.of == Of::File {
            map.serialize_entry("can_preview", &self.has(Rights::PREVIEW))?;
            map.serialize_entry("can_view_annotations_self", &self.has(Rights::PREVIEW))?;
            map.serialize_entry("can_comment", &self.has(Rights::COMMENT))?;
            map.serialize_entry("can_annotate", &self.has(Rights::COMMENT))?;
            map.serialize_entry("can_view_annotations_all", &self.has(Rights::COMMENT))?;
        }
        map.end()
    }
}

/// Roles by Box's words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Roles(&'static [Role]);

impl Serialize for Roles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for role in self.0 {
            seq.serialize_element(role_name(*role))?;
        }
        seq.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{Of, Permissions, Sharing};
    use entente_model::{Rights, Role};
    use serde_json::{Value, json};

    fn shown(rights: Rights, sharing: Sharing, of: Of) -> (Value, usize) {
        let permissions = Permissions { rights, sharing, of };
        let roles = serde_json::to_value(permissions.roles()).expect("serializes");
        (serde_json::to_value(permissions).expect("serializes"), roles.as_array().map_or(0, Vec::len))
    }

    #[test]
    fn a_role_is_shown_as_what_it_may_do() {
        let (viewer, roles) = shown(Role::Viewer.rights(), Sharing::NONE, Of::File);
        let expected = json!({
            "can_download": true, "can_delete": false, "can_rename": false, "can_upload": false, "can_share": true,
            "can_set_share_access": false, "can_invite_collaborator": false, "can_apply_watermark": false,
            "can_preview": true, "can_view_annotations_self": true, "can_comment": true, "can_annotate": true,
            "can_view_annotations_all": true,
        });
        assert_eq!((viewer, roles), (expected, 0));
        let (uploader, _) = shown(Role::Uploader.rights(), Sharing::NONE, Of::Folder);
        assert_eq!((&uploader["can_upload"], &uploader["can_download"]), (&json!(true), &json!(false)));
        assert_eq!(uploader.get("can_preview"), None);
    }

    #[test]
    fn who_may_invite_may_give_what_they_may_give() {
        let alone = Sharing { others_invite: false, ..Sharing::NONE };
        for (role, sharing, expected) in [
            (Role::Editor, Sharing::NONE, 6),
            (Role::Editor, alone, 0),
            (Role::CoOwner, alone, 7),
            (Role::ViewerUploader, Sharing::NONE, 0),
        ] {
            let (permissions, roles) = shown(role.rights(), sharing, Of::Folder);
            assert_eq!((&permissions["can_invite_collaborator"], roles), (&json!(expected > 0), expected), "{role:?}");
        }
        let (root, roles) = shown(Rights::ALL, Sharing::NONE, Of::Root);
        assert_eq!((&root["can_upload"], &root["can_delete"], roles), (&json!(true), &json!(false), 0));
    }
}
