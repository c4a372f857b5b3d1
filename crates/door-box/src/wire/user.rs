//! Users.

use super::date::{Date, Zone};
use super::fields::{Field, Fields, Members};
use super::id::Text;
use entente_model::{EnterpriseId, Timestamp, UserId, UserRole};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// `User--Mini`. Without an id it is nobody, as Box shows the maker of a root.
#[derive(Debug, Clone, Copy)]
pub struct UserMini<'a> {
    /// The user.
    pub id: Option<UserId>,
    /// Their name.
    pub name: &'a str,
    /// What they log in with: an e-mail address.
    pub login: &'a str,
}

impl UserMini<'static> {
    /// Who made a root.
    pub const NOBODY: Self = Self { id: None, name: "", login: "" };
}

/// `uploader_display_name`: who sent a content by a file request, as Box words it, or who uploaded it.
#[must_use]
pub(super) fn uploader<'a>(sender: Option<&'a str>, user: &UserMini<'a>) -> &'a str {
    match sender {
        Some("") => "File Request",
        Some(sender) => sender,
        None => user.name,
    }
}

impl Serialize for UserMini<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("type", "user")?;
        match self.id {
            Some(id) => map.serialize_entry("id", &Text(id))?,
            None => map.serialize_entry("id", "")?,
        }
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("login", self.login)?;
        map.end()
    }
}

/// Whether a user may use the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// May.
    Active,
    /// May not.
    Inactive,
    /// May, and changes and removes nothing.
    #[serde(rename = "cannot_delete_edit")]
    CannotDeleteEdit,
    /// May, and neither changes nor removes nor adds anything.
    #[serde(rename = "cannot_delete_edit_upload")]
    CannotDeleteEditUpload,
}

impl Status {
    /// Reads Box's word.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "active" => Self::Active,
            "inactive" => Self::Inactive,
            "cannot_delete_edit" => Self::CannotDeleteEdit,
            "cannot_delete_edit_upload" => Self::CannotDeleteEditUpload,
            _ => return None,
        })
    }
}

/// What is so or not so with a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// `can_see_managed_users`
    pub can_see_managed_users: bool,
    /// `is_sync_enabled`
    pub is_sync_enabled: bool,
    /// `is_external_collab_restricted`
    pub is_external_collab_restricted: bool,
    /// `is_exempt_from_device_limits`
    pub is_exempt_from_device_limits: bool,
    /// `is_exempt_from_login_verification`
    pub is_exempt_from_login_verification: bool,
    /// `is_platform_access_only`
    pub is_platform_access_only: bool,
}

/// A user, and which members to write.
#[derive(Debug, Clone, Copy)]
pub struct User<'a> {
    /// What to write.
    pub fields: Fields,
    /// Id, name and login.
    pub mini: UserMini<'a>,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the user was changed.
    pub modified_at: Timestamp,
    /// Two letters.
    pub language: &'a str,
    /// A name of the IANA time zone database.
    pub timezone: &'a str,
    /// How much the user may store, in bytes; none for any amount.
    pub space_amount_bytes: Option<u64>,
    /// How much the user stores, in bytes.
    pub space_used_bytes: u64,
    /// The largest file that an upload may bring, in bytes.
    pub max_upload_size_bytes: u64,
    /// Whether they may come in.
    pub status: Status,
    /// What they do.
    pub job_title: &'a str,
    /// Their telephone.
    pub phone: &'a str,
    /// Their postal address.
    pub address: &'a str,
    /// Where their picture would be.
    pub avatar_url: &'a str,
    /// What they may administer.
    pub role: UserRole,
    /// Their enterprise; none for somebody from outside.
    pub enterprise: Option<Enterprise<'a>>,
    /// What is so with them.
    pub flags: Flags,
    /// Where they are told of things instead. May be empty.
    pub notification_email: &'a str,
    /// What an app calls them. May be empty.
    pub external_app_user_id: &'a str,
    /// By what the enterprise counts them: names and values.
    pub tracking_codes: &'a [TrackingCode<'a>],
    /// The host of links that are made for them.
    pub hostname: &'a str,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

/// `User--Mini`, which has no etag.
pub const USER_MINI: Fields = Fields::of(&[Field::Type, Field::Id, Field::Name, Field::Login]);
/// `User`.
pub const USER: Fields = USER_MINI.and(Fields::of(&[
    Field::CreatedAt,
    Field::ModifiedAt,
    Field::Language,
    Field::Timezone,
    Field::SpaceAmount,
    Field::SpaceUsed,
    Field::MaxUploadSize,
    Field::Status,
    Field::JobTitle,
    Field::Phone,
    Field::Address,
    Field::AvatarUrl,
    Field::NotificationEmail,
]));

/// What Box shows for "any amount": a negative number would break clients that compute what is left.
pub const SPACE_UNLIMITED_BYTES: u64 = 999_999_999_999_999;

impl Serialize for User<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        members.put(Field::Type, "user")?;
        members.put_with(Field::Id, || self.mini.id.map(Text))?;
        members.put(Field::Name, self.mini.name)?;
        members.put(Field::Login, self.mini.login)?;
        members.put_with(Field::CreatedAt, || Date { at: self.created_at, zone: self.zone })?;
        members.put_with(Field::ModifiedAt, || Date { at: self.modified_at, zone: self.zone })?;
        members.put(Field::Language, self.language)?;
        members.put(Field::Timezone, self.timezone)?;
        members.put_with(Field::SpaceAmount, || self.space_amount_bytes.unwrap_or(SPACE_UNLIMITED_BYTES))?;
        members.put(Field::SpaceUsed, &self.space_used_bytes)?;
        members.put(Field::MaxUploadSize, &self.max_upload_size_bytes)?;
        members.put(Field::Status, &self.status)?;
        members.put(Field::JobTitle, self.job_title)?;
        members.put(Field::Phone, self.phone)?;
        members.put(Field::Address, self.address)?;
        members.put(Field::AvatarUrl, self.avatar_url)?;
        members.put_with(Field::NotificationEmail, || {
            (!self.notification_email.is_empty())
                .then_some(NotificationEmail { email: self.notification_email, is_confirmed: false })
        })?;
        members.put_with(Field::Role, || role_name(self.role))?;
        members.put(Field::TrackingCodes, self.tracking_codes)?;
        members.put(Field::CanSeeManagedUsers, &self.flags.can_see_managed_users)?;
        members.put(Field::IsSyncEnabled, &self.flags.is_sync_enabled)?;
        members.put(Field::IsExternalCollabRestricted, &self.flags.is_external_collab_restricted)?;
        members.put(Field::IsExemptFromDeviceLimits, &self.flags.is_exempt_from_device_limits)?;
        members.put(Field::IsExemptFromLoginVerification, &self.flags.is_exempt_from_login_verification)?;
        members.put(Field::Enterprise, &self.enterprise)?;
        members.put_with(Field::MyTags, || [(); 0])?;
        members.put(Field::Hostname, self.hostname)?;
        members.put(Field::IsPlatformAccessOnly, &self.flags.is_platform_access_only)?;
        if !self.external_app_user_id.is_empty() {
            members.put(Field::ExternalAppUserId, self.external_app_user_id)?;
        }
        members.end()
    }
}

/// Box's word for a role.
#[must_use]
pub const fn role_name(role: UserRole) -> &'static str {
    match role {
        UserRole::User => "user",
        UserRole::CoAdmin => "coadmin",
        UserRole::Admin => "admin",
    }
}

/// The role for Box's word; admins are not made through this door.
#[must_use]
pub fn role_named(name: &str) -> Option<UserRole> {
    match name {
        "user" => Some(UserRole::User),
        "coadmin" => Some(UserRole::CoAdmin),
        _ => None,
    }
}

/// An enterprise.
#[derive(Debug, Clone, Copy)]
pub struct Enterprise<'a> {
    /// Its id.
    pub id: EnterpriseId,
    /// What people call it.
    pub name: &'a str,
}

impl Serialize for Enterprise<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("type", "enterprise")?;
        map.serialize_entry("id", &Text(self.id))?;
        map.serialize_entry("name", self.name)?;
        map.end()
    }
}

/// By what an enterprise counts a user.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "type", rename = "tracking_code")]
pub struct TrackingCode<'a> {
    /// What is counted by.
    pub name: &'a str,
    /// Under which of it.
    pub value: &'a str,
}

#[derive(Serialize)]
struct NotificationEmail<'a> {
    email: &'a str,
    is_confirmed: bool,
}
