//! Groups, and who is in them.

use super::date::{Date, Zone};
use super::fields::{Field, Fields, Members};
use super::id::Text;
use super::user::UserMini;
use entente_model::{GroupId, MembershipId, Timestamp};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// Who may do something with a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Those who administer it.
    AdminsOnly,
    /// Its members too.
    AdminsAndMembers,
    /// Every user of the enterprise.
    AllManagedUsers,
}

/// What somebody is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Has what the group has.
    Member,
    /// Says who is in it.
    Admin,
}

/// `Group--Mini`.
#[derive(Debug, Clone, Copy)]
pub struct GroupMini<'a> {
    /// The group.
    pub id: GroupId,
    /// Its name.
    pub name: &'a str,
}

/// What every group is: the other type is that of all users of an enterprise, which nobody can name here.
const GROUP_TYPE: &str = "managed_group";

impl Serialize for GroupMini<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("type", "group")?;
        map.serialize_entry("id", &Text(self.id))?;
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("group_type", GROUP_TYPE)?;
        map.end()
    }
}

/// A group, and which members to write.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// What to write.
    pub fields: Fields,
    /// Id and name.
    pub mini: GroupMini<'a>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub modified_at: Timestamp,
    /// May be empty.
    pub provenance: &'a str,
    /// May be empty.
    pub external_sync_identifier: &'a str,
    /// May be empty.
    pub description: &'a str,
    /// Who may invite it.
    pub invitability: Level,
    /// Who may see its members.
    pub viewability: Level,
    /// Whether the caller may invite it.
    pub can_invite: bool,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

/// `Group--Mini`, and `Group`, which lists show.
pub const GROUP: Fields =
    Fields::of(&[Field::Type, Field::Id, Field::Name, Field::GroupType, Field::CreatedAt, Field::ModifiedAt]);
/// `Group--Full`, which single groups are shown as.
pub const GROUP_FULL: Fields = GROUP.and(Fields::of(&[
    Field::Provenance,
    Field::ExternalSyncIdentifier,
    Field::Description,
    Field::InvitabilityLevel,
    Field::MemberViewabilityLevel,
]));

impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        members.put(Field::Type, "group")?;
        members.put_with(Field::Id, || Text(self.mini.id))?;
        members.put(Field::Name, self.mini.name)?;
        members.put(Field::GroupType, GROUP_TYPE)?;
        members.put_with(Field::CreatedAt, || Date { at: self.created_at, zone: self.zone })?;
        members.put_with(Field::ModifiedAt, || Date { at: self.modified_at, zone: self.zone })?;
        members.put(Field::Provenance, self.provenance)?;
        members.put(Field::ExternalSyncIdentifier, self.external_sync_identifier)?;
        members.put(Field::Description, self.description)?;
        members.put(Field::InvitabilityLevel, &self.invitability)?;
        members.put(Field::MemberViewabilityLevel, &self.viewability)?;
        members.put_with(Field::Permissions, || Permissions { can_invite_as_collaborator: self.can_invite })?;
        members.end()
    }
}

#[derive(Serialize)]
struct Permissions {
    can_invite_as_collaborator: bool,
}

/// A membership, and which members to write.
#[derive(Debug, Clone)]
pub struct Membership<'a> {
    /// What to write.
    pub fields: Fields,
    /// Its id.
    pub id: MembershipId,
    /// Who.
    pub user: UserMini<'a>,
    /// Of which group.
    pub group: GroupMini<'a>,
    /// As what.
    pub role: MemberRole,
    /// What one who administers the group may do besides, by name.
    pub permissions: Option<BTreeMap<&'static str, bool>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub modified_at: Timestamp,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

/// `GroupMembership`.
pub const MEMBERSHIP: Fields =
    Fields::of(&[Field::Type, Field::Id, Field::User, Field::Group, Field::Role, Field::CreatedAt, Field::ModifiedAt]);

impl Serialize for Membership<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        members.put(Field::Type, "group_membership")?;
        members.put_with(Field::Id, || Text(self.id))?;
        members.put(Field::User, &self.user)?;
        members.put(Field::Group, &self.group)?;
        members.put(Field::Role, &self.role)?;
        members.put_with(Field::CreatedAt, || Date { at: self.created_at, zone: self.zone })?;
        members.put_with(Field::ModifiedAt, || Date { at: self.modified_at, zone: self.zone })?;
        members.put(Field::ConfigurablePermissions, &self.permissions)?;
        members.end()
    }
}
