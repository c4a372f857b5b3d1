//! What belongs to users: other addresses, pictures, invites.

use super::date::{Date, Zone};
use super::fields::{Field, Fields, Members};
use super::id::Text;
use super::user::{Enterprise, UserMini};
use entente_model::{AliasId, AuthorizationId, InviteId, Timestamp};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// `EmailAlias`.
#[derive(Debug, Clone, Copy)]
pub struct EmailAlias<'a> {
    /// Its id.
    pub id: AliasId,
    /// The address.
    pub email: &'a str,
}

impl Serialize for EmailAlias<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("type", "email_alias")?;
        map.serialize_entry("id", &Text(self.id))?;
        map.serialize_entry("email", self.email)?;
        // Whoever administers users has said so.
        map.serialize_entry("is_confirmed", &true)?;
        map.end()
    }
}

/// `EmailAliases`: all of them, on one page.
#[derive(Debug, Clone, Serialize)]
pub struct EmailAliases<'a> {
    /// How many there are.
    pub total_count: usize,
    /// They.
    pub entries: Vec<EmailAlias<'a>>,
}

/// `UserAvatar`.
#[derive(Debug, Clone, Serialize)]
pub struct UserAvatar<'a> {
    /// Where it is.
    pub pic_urls: PictureUrls<'a>,
}

/// Where a picture is in three sizes.
#[derive(Debug, Clone, Serialize)]
pub struct PictureUrls<'a> {
    /// The smallest.
    pub small: &'a str,
    /// The next.
    pub large: &'a str,
    /// The largest.
    pub preview: &'a str,
}

/// `SessionTerminationMessage`.
#[derive(Debug, Clone, Serialize)]
pub struct SessionTerminationMessage {
    /// What will happen.
    pub message: &'static str,
}

/// An invite, and which members to write.
#[derive(Debug, Clone, Copy)]
pub struct Invite<'a> {
    /// What to write.
    pub fields: Fields,
    /// Its id.
    pub id: InviteId,
    /// Where to.
    pub invited_to: Enterprise<'a>,
    /// Who was asked.
    pub actionable_by: UserMini<'a>,
    /// Who has asked.
    pub invited_by: UserMini<'a>,
    /// `pending` or `accepted`.
    pub status: &'static str,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub modified_at: Timestamp,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

/// `Invite`.
pub const INVITE: Fields = Fields::of(&[
    Field::Type,
    Field::Id,
    Field::InvitedTo,
    Field::ActionableBy,
    Field::InvitedBy,
    Field::Status,
    Field::CreatedAt,
    Field::ModifiedAt,
]);

impl Serialize for Invite<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        members.put(Field::Type, "invite")?;
        members.put_with(Field::Id, || Text(self.id))?;
        members.put(Field::InvitedTo, &self.invited_to)?;
        members.put(Field::ActionableBy, &self.actionable_by)?;
        members.put(Field::InvitedBy, &self.invited_by)?;
        members.put(Field::Status, self.status)?;
        members.put_with(Field::CreatedAt, || Date { at: self.created_at, zone: self.zone })?;
        members.put_with(Field::ModifiedAt, || Date { at: self.modified_at, zone: self.zone })?;
        members.end()
    }
}

/// `DevicePinner`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "device_pinner")]
pub struct DevicePinner<'a> {
    /// Its id.
    pub id: Text<AuthorizationId>,
    /// Whose device.
    pub owned_by: UserMini<'a>,
    /// What it calls itself.
    pub product_name: &'a str,
}

/// `DevicePinners`.
#[derive(Debug, Clone, Serialize)]
pub struct DevicePinners<'a> {
    /// They.
    pub entries: Vec<DevicePinner<'a>>,
    /// How many there could be.
    pub limit: u32,
    /// A number, as described; left out at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<u32>,
    /// What they are ordered by: in small letters, unlike elsewhere.
    pub order: [DevicePinnerOrder; 1],
}

/// What devices are ordered by.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct DevicePinnerOrder {
    /// A member.
    pub by: &'static str,
    /// `asc` or `desc`.
    pub direction: &'static str,
}
