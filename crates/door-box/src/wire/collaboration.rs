//! Collaborations: who else has which role on an item.

use super::company::TermsMini;
use super::date::{Date, DateText, Zone};
use super::fields::{Field, Fields, Members};
use super::group::GroupMini;
use super::id::Text;
use super::item::Item;
use super::request::{IdText, TypedReference, given};
use super::user::UserMini;
use entente_model::{CollaborationId, Role, TermsId, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

/// What gives somebody a role on an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewCollaboration {
    /// A file or a folder.
    pub item: Option<TypedReference>,
    /// To whom.
    pub accessible_by: Option<GranteeAsked>,
    /// Which, by Box's word.
    pub role: Option<String>,
    /// Whether it stays out of the collaborator's "All Files".
    pub is_access_only: Option<bool>,
    /// Whether the collaborator sees the names of what is above it.
    pub can_view_path: Option<bool>,
    /// When it is to end.
    pub expires_at: Option<DateText>,
}

/// To whom a role is to be given: a user by id or login, or a group by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GranteeAsked {
    /// `user` or `group`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Of the user or the group.
    pub id: Option<IdText>,
    /// Of the user.
    pub login: Option<String>,
}

/// What changes a collaboration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CollaborationChange {
    /// Another role, by Box's word.
    pub role: Option<String>,
    /// What its user says to it.
    pub status: Option<String>,
    /// Whether the collaborator sees the names of what is above the item.
    pub can_view_path: Option<bool>,
    /// `Some(None)` for `null`, after which it does not end by itself.
    #[serde(deserialize_with = "given")]
    pub expires_at: Option<Option<DateText>>,
}

/// A collaboration, borrowed from wherever it is kept, and which of its members to write.
#[derive(Debug, Clone, Copy)]
pub struct Collaboration<'a> {
    /// What to write.
    pub fields: Fields,
    /// Its id.
    pub id: CollaborationId,
    /// On which item; none while it is pending, and to whom may not see the item.
    pub item: Option<Item<'a>>,
    /// To whom.
    pub with: Grantee<'a>,
    /// Which role.
    pub role: Role,
    /// Whether it counts.
    pub status: Status,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether the item stays out of the collaborator's "All Files".
    pub is_access_only: bool,
    /// Whether the collaborator sees the names of what is above the item.
    pub can_view_path: bool,
    /// When its user said something to it, or it counted by itself.
    pub acknowledged_at: Option<Timestamp>,
    /// Who gave it.
    pub created_by: UserMini<'a>,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// The terms of service that its user has to accept first, if any, and whether they have.
    pub terms: Option<(TermsId, bool)>,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

/// To whom a role was given.
#[derive(Debug, Clone, Copy)]
pub enum Grantee<'a> {
    /// A user; their name stays hidden until they accept.
    User(UserMini<'a>),
    /// A group.
    Group(GroupMini<'a>),
    /// Whoever becomes the user with this login.
    Invited(&'a str),
}

/// Whether a role counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Yes.
    Accepted,
    /// Not yet.
    Pending,
    /// No.
    Rejected,
}

/// `Collaboration`, which has no etag.
pub const COLLABORATION: Fields = Fields::of(&[
    Field::Type,
    Field::Id,
    Field::Item,
    Field::AppItem,
    Field::AccessibleBy,
    Field::InviteEmail,
    Field::Role,
    Field::ExpiresAt,
    Field::IsAccessOnly,
    Field::Status,
    Field::AcknowledgedAt,
    Field::CreatedBy,
    Field::CreatedAt,
    Field::ModifiedAt,
    Field::AcceptanceRequirementsStatus,
]);

/// Every role that can be given, by Box's words.
pub const ROLES: [Role; 7] = [
    Role::Editor,
    Role::Viewer,
    Role::Previewer,
    Role::Uploader,
    Role::PreviewerUploader,
    Role::ViewerUploader,
    Role::CoOwner,
];

/// Box's word for a role.
#[must_use]
pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Uploader => "uploader",
        Role::Previewer => "previewer",
        Role::Viewer => "viewer",
        Role::PreviewerUploader => "previewer uploader",
        Role::ViewerUploader => "viewer uploader",
        Role::Editor => "editor",
        Role::CoOwner => "co-owner",
    }
}

/// The role for Box's word. There is none for `owner`, who is whoever owns the item.
#[must_use]
pub fn role_named(name: &str) -> Option<Role> {
    ROLES.into_iter().find(|role| role_name(*role) == name)
}

impl Collaboration<'_> {
    fn date(&self, at: Timestamp) -> Date<'_> {
        Date { at, zone: self.zone }
    }
}

impl Serialize for Collaboration<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        members.put(Field::Type, "collaboration")?;
        members.put_with(Field::Id, || Text(self.id))?;
        members.put(Field::Item, &self.item)?;
        members.put(Field::AppItem, &None::<()>)?;
        members.put(Field::AccessibleBy, &self.with)?;
        let invited = match self.with {
            Grantee::Invited(login) => Some(login),
            Grantee::User(_) | Grantee::Group(_) => None,
        };
        members.put(Field::InviteEmail, &invited)?;
        members.put_with(Field::Role, || role_name(self.role))?;
        members.put_with(Field::ExpiresAt, || self.expires_at.map(|at| self.date(at)))?;
        members.put(Field::IsAccessOnly, &self.is_access_only)?;
        members.put(Field::CanViewPath, &self.can_view_path)?;
        members.put(Field::Status, &self.status)?;
        if let Some(at) = self.acknowledged_at {
            members.put_with(Field::AcknowledgedAt, || self.date(at))?;
        }
        members.put(Field::CreatedBy, &self.created_by)?;
        members.put_with(Field::CreatedAt, || self.date(self.created_at))?;
        members.put_with(Field::ModifiedAt, || self.date(self.modified_at))?;
        members.put_with(Field::AcceptanceRequirementsStatus, || Requirements::of(self.terms))?;
        members.end()
    }
}

/// `null` for an invited address, as at Box, whose description does not say so.
impl Serialize for Grantee<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::User(user) => user.serialize(serializer),
            Self::Group(group) => group.serialize(serializer),
            Self::Invited(_) => serializer.serialize_none(),
        }
    }
}

/// What has to be met before a collaboration can be accepted.
#[derive(Serialize)]
struct Requirements {
    terms_of_service_requirement: TermsOfService,
    strong_password_requirement: StrongPassword,
    two_factor_authentication_requirement: TwoFactorAuthentication,
}

#[derive(Serialize)]
struct TermsOfService {
    is_accepted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms_of_service: Option<TermsMini>,
}

#[derive(Serialize)]
struct StrongPassword {
    enterprise_has_strong_password_required_for_external_users: bool,
    user_has_strong_password: Option<bool>,
}

#[derive(Serialize)]
struct TwoFactorAuthentication {
    enterprise_has_two_factor_auth_enabled: bool,
    user_has_two_factor_authentication_enabled: Option<bool>,
}

impl Requirements {
    /// Nothing but terms is required of anybody.
    fn of(terms: Option<(TermsId, bool)>) -> Self {
        let terms_of_service = terms.map(|(id, _)| TermsMini { id: Text(id) });
        Self {
            terms_of_service_requirement: TermsOfService {
                is_accepted: terms.map(|(_, accepted)| accepted),
                terms_of_service,
            },
            strong_password_requirement: StrongPassword {
                enterprise_has_strong_password_required_for_external_users: false,
                user_has_strong_password: None,
            },
            two_factor_authentication_requirement: TwoFactorAuthentication {
                enterprise_has_two_factor_auth_enabled: false,
                user_has_two_factor_authentication_enabled: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CollaborationChange, ROLES, Role, role_name, role_named};
    use crate::wire::request::parse;

    #[test]
    fn every_role_has_a_word_and_an_owner_is_none() {
        for role in Role::ALL {
            assert!(ROLES.contains(&role));
            assert_eq!(role_named(role_name(role)), Some(role));
        }
        assert_eq!((role_named("owner"), role_named("Editor"), role_named("")), (None, None, None));
    }

    #[test]
    fn no_end_is_told_from_nothing_said() {
        let change: CollaborationChange = parse(br#"{"expires_at":null,"role":null}"#).expect("is correct");
        assert_eq!(change, CollaborationChange { expires_at: Some(None), ..CollaborationChange::default() });
        assert_eq!(parse(b""), Ok(CollaborationChange::default()));
    }
}
