//! The `fields` parameter: which members of an object the client asked for.
//!
//! Without it an object has the members of its standard schema and none of its `--Full` one; with it, exactly `type`,
//! `id`, `etag` and those named. Unknown names are ignored.

use serde::Serialize;
use serde::ser::SerializeMap;

macro_rules! fields {
    ($($name:ident $text:literal,)*) => {
        /// A member of some object that `fields` can name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Field {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl Field {
            const ALL: &'static [Field] = &[$(Field::$name,)*];

            /// Its name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Field::$name => $text,)* }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Field::$name),)* _ => None }
            }
        }
    };
}

fields! {
    Type "type", Id "id", Etag "etag", SequenceId "sequence_id", Name "name", Url "url", Sha1 "sha1", FileVersion "file_version",
    Description "description", Size "size", PathCollection "path_collection", CreatedAt "created_at",
    ModifiedAt "modified_at", TrashedAt "trashed_at", PurgedAt "purged_at", ContentCreatedAt "content_created_at",
    ContentModifiedAt "content_modified_at", CreatedBy "created_by", ModifiedBy "modified_by", OwnedBy "owned_by",
    SharedLink "shared_link", FolderUploadEmail "folder_upload_email", Parent "parent", ItemStatus "item_status",
    ItemCollection "item_collection", VersionNumber "version_number", CommentCount "comment_count",
    Permissions "permissions", Tags "tags", Lock "lock", Extension "extension", IsPackage "is_package",
    WatermarkInfo "watermark_info", IsAccessibleViaSharedLink "is_accessible_via_shared_link",
    AllowedInviteeRoles "allowed_invitee_roles", IsExternallyOwned "is_externally_owned",
    HasCollaborations "has_collaborations", ExpiresAt "expires_at", Representations "representations",
    Classification "classification", UploaderDisplayName "uploader_display_name", DispositionAt "disposition_at",
    SharedLinkPermissionOptions "shared_link_permission_options", IsAssociatedWithAppItem "is_associated_with_app_item",
    SyncState "sync_state", CanNonOwnersInvite "can_non_owners_invite",
    IsCollaborationRestrictedToEnterprise "is_collaboration_restricted_to_enterprise",
    AllowedSharedLinkAccessLevels "allowed_shared_link_access_levels",
    CanNonOwnersViewCollaborators "can_non_owners_view_collaborators", TrashedBy "trashed_by", RestoredAt "restored_at",
    RestoredBy "restored_by", Login "login", Language "language", Timezone "timezone", SpaceAmount "space_amount",
    SpaceUsed "space_used", MaxUploadSize "max_upload_size", Status "status", JobTitle "job_title", Phone "phone",
    Address "address", AvatarUrl "avatar_url", NotificationEmail "notification_email", Role "role",
    TrackingCodes "tracking_codes", CanSeeManagedUsers "can_see_managed_users", IsSyncEnabled "is_sync_enabled",
    IsExternalCollabRestricted "is_external_collab_restricted",
    IsExemptFromDeviceLimits "is_exempt_from_device_limits",
    IsExemptFromLoginVerification "is_exempt_from_login_verification", Enterprise "enterprise", MyTags "my_tags",
    Hostname "hostname", IsPlatformAccessOnly "is_platform_access_only", ExternalAppUserId "external_app_user_id",
    Item "item", AppItem "app_item", AccessibleBy "accessible_by", InviteEmail "invite_email",
    IsAccessOnly "is_access_only", CanViewPath "can_view_path", AcknowledgedAt "acknowledged_at",
    AcceptanceRequirementsStatus "acceptance_requirements_status",
    GroupType "group_type", Provenance "provenance", ExternalSyncIdentifier "external_sync_identifier",
    InvitabilityLevel "invitability_level", MemberViewabilityLevel "member_viewability_level", User "user",
    Group "group", ConfigurablePermissions "configurable_permissions", InvitedTo "invited_to",
    ActionableBy "actionable_by", InvitedBy "invited_by", IsReplyComment "is_reply_comment", Message "message",
    TaggedMessage "tagged_message",
    Collections "collections", CollectionType "collection_type",
}

/// A set of members.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    low: u128,
    high: u128,
}

impl Fields {
    /// No member at all.
    const NONE: Self = Self { low: 0, high: 0 };
    /// What every object has, whatever `fields` says.
    pub const ALWAYS: Self = Self::of(&[Field::Type, Field::Id, Field::Etag]);

    /// These members.
    #[must_use]
    pub const fn of(fields: &[Field]) -> Self {
        let mut set = Self::NONE;
        let mut rest = fields;
        while let [first, others @ ..] = rest {
            set = set.and(Self::one(*first));
            rest = others;
        }
        set
    }

    const fn one(field: Field) -> Self {
        let place = field as u8;
        if place < 128 { Self { low: 1 << place, high: 0 } } else { Self { low: 0, high: 1 << (place - 128) } }
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self { low: self.low | others.low, high: self.high | others.high }
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self { low: self.low & !others.low, high: self.high & !others.high }
    }

    /// Whether the member is one of them.
    #[must_use]
    pub const fn has(self, field: Field) -> bool {
        let one = Self::one(field);
        self.low & one.low != 0 || self.high & one.high != 0
    }

    /// Reads the value of the parameter: names apart by commas. A value that names nothing at all counts as absent.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut names = value.split(',').map(str::trim).filter(|name| !name.is_empty()).peekable();
        names.peek()?;
        Some(names.filter_map(Field::from_name).fold(Self::ALWAYS, |set, field| set.and(Self::one(field))))
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(Field::ALL.iter().filter(|field| self.has(**field)).map(|field| field.name())).finish()
    }
}

/// Writes the members that were asked for, and no other.
pub(crate) struct Members<M> {
    map: M,
    fields: Fields,
}

impl<M: SerializeMap> Members<M> {
    pub(crate) fn new(map: M, fields: Fields) -> Self {
        Self { map, fields }
    }

    pub(crate) fn put<T: Serialize + ?Sized>(&mut self, field: Field, value: &T) -> Result<(), M::Error> {
        if self.fields.has(field) { self.map.serialize_entry(field.name(), value) } else { Ok(()) }
    }

    /// For values that are built only when they are wanted.
    pub(crate) fn put_with<T: Serialize>(&mut self, field: Field, value: impl FnOnce() -> T) -> Result<(), M::Error> {
        if self.fields.has(field) { self.map.serialize_entry(field.name(), &value()) } else { Ok(()) }
    }

    pub(crate) fn end(self) -> Result<M::Ok, M::Error> {
        self.map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Fields};
    use proptest::prelude::{any, proptest};

    #[test]
    fn what_is_named_is_asked_for_and_nothing_else() {
        let fields = Fields::parse("name, size,nonsense,,name").expect("names something");
        assert_eq!(fields, Fields::ALWAYS.and(Fields::of(&[Field::Name, Field::Size])));
        assert_eq!(Fields::parse("nonsense"), Some(Fields::ALWAYS));
        assert_eq!(Fields::parse(""), None);
        assert_eq!(Fields::parse(" , "), None);
    }

    #[test]
    fn every_field_has_a_bit_of_its_own() {
        assert!(Field::ALL.len() <= 256);
        for field in Field::ALL {
            assert_eq!(Field::from_name(field.name()), Some(*field));
            assert!(Fields::of(&[*field]).has(*field));
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            let _ = Fields::parse(&text);
        }
    }
}
