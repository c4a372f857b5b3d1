//! JSON bodies of requests about users and groups, apart from those of users themselves.

use super::group::{Level, MemberRole};
use super::request::{IdText, Reference, given};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What creates or changes a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GroupChange {
    /// Its name.
    pub name: Option<String>,
    /// From where it was brought here.
    pub provenance: Option<String>,
    /// What it is called there.
    pub external_sync_identifier: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who may invite it.
    pub invitability_level: Option<Level>,
    /// Who may see its members.
    pub member_viewability_level: Option<Level>,
}

/// What creates or changes a membership.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MembershipChange {
    /// Who.
    pub user: Option<Reference>,
    /// Of which group.
    pub group: Option<Reference>,
    /// As what.
    pub role: Option<MemberRole>,
    /// `Some(None)` for `null`, which takes all permissions.
    #[serde(deserialize_with = "given")]
    pub configurable_permissions: Option<Option<BTreeMap<String, bool>>>,
}

/// What gives a user another address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewAlias {
    /// It.
    pub email: Option<String>,
}

/// What invites a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewInvite {
    /// Where to.
    pub enterprise: Option<Reference>,
    /// Whom.
    pub actionable_by: Option<LoginReference>,
}

/// `{"login": …}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LoginReference {
    /// The login.
    pub login: Option<String>,
}

/// What ends sessions of users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UserSessions {
    /// Whose.
    pub user_ids: Option<Vec<IdText>>,
    /// And whose.
    pub user_logins: Option<Vec<String>>,
}

/// What ends sessions of the members of groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GroupSessions {
    /// Whose.
    pub group_ids: Option<Vec<IdText>>,
}

/// What gives everything that a user owns to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Transfer {
    /// Who owns it from then on.
    pub owned_by: Option<Reference>,
}
