//! What an enterprise says of everybody: with whom its users share, and its terms of service.

use super::date::Date;
use super::id::Text;
use super::request::{Reference, TypedReference};
use super::user::{Enterprise, UserMini};
use entente_model::{AllowedDomainId, EnterpriseId, ExemptionId, TermsId, TermsStatusId, UserId};
use serde::{Deserialize, Serialize};

/// `CollaborationAllowlistEntry`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "collaboration_whitelist_entry")]
pub struct AllowlistEntry<'a> {
    /// Its id.
    pub id: Text<AllowedDomainId>,
    /// The domain.
    pub domain: &'a str,
    /// `inbound`, `outbound` or `both`.
    pub direction: &'static str,
    /// Who allows it.
    pub enterprise: Enterprise<'a>,
    /// Since when.
    pub created_at: Date<'a>,
}

/// `CollaborationAllowlistExemptTarget`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "collaboration_whitelist_exempt_target")]
pub struct ExemptTarget<'a> {
    /// Its id.
    pub id: Text<ExemptionId>,
    /// Who exempts.
    pub enterprise: Enterprise<'a>,
    /// Whom.
    pub user: UserMini<'a>,
    /// Since when.
    pub created_at: Date<'a>,
    /// The same: nothing of it changes.
    pub modified_at: Date<'a>,
}

/// `TermsOfService`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "terms_of_service")]
pub struct TermsOfService<'a> {
    /// Their id.
    pub id: Text<TermsId>,
    /// `enabled` or `disabled`.
    pub status: &'static str,
    /// Whose.
    pub enterprise: Enterprise<'a>,
    /// `managed` or `external`.
    pub tos_type: &'static str,
    /// What they say.
    pub text: &'a str,
    /// When they were made.
    pub created_at: Date<'a>,
    /// When they last changed.
    pub modified_at: Date<'a>,
}

/// `TermsOfService--Base`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "type", rename = "terms_of_service")]
pub struct TermsMini {
    /// Their id.
    pub id: Text<TermsId>,
}

/// `TermsOfServiceUserStatus`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "terms_of_service_user_status")]
pub struct TermsUserStatus<'a> {
    /// Its id.
    pub id: Text<TermsStatusId>,
    /// To which terms.
    pub tos: TermsMini,
    /// Who.
    pub user: UserMini<'a>,
    /// Whether they accept them.
    pub is_accepted: bool,
    /// When they first said something.
    pub created_at: Date<'a>,
    /// When they last did.
    pub modified_at: Date<'a>,
}

/// A list that is always whole.
#[derive(Debug, Clone, Serialize)]
pub struct Whole<E> {
    /// How many there are.
    pub total_count: usize,
    /// They.
    pub entries: Vec<E>,
}

/// What allows a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewAllowlistEntry {
    /// Which.
    pub domain: Option<String>,
    /// In which direction.
    pub direction: Option<String>,
}

/// What exempts a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewExemptTarget {
    /// Whom.
    pub user: Option<Reference>,
}

/// What makes terms, or changes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TermsAsked {
    /// `enabled` or `disabled`.
    pub status: Option<String>,
    /// `managed` or `external`; only new ones.
    pub tos_type: Option<String>,
    /// What they say.
    pub text: Option<String>,
}

/// What a user says to terms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TermsAnswerAsked {
    /// To which; only the first time.
    pub tos: Option<TypedReference>,
    /// Who; only the first time.
    pub user: Option<TypedReference>,
    /// Whether they accept them.
    pub is_accepted: Option<bool>,
}

/// `ExternalUsersSubmitDeleteJobRequest`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ExternalUsersAsked {
    /// Who is to lose their roles.
    pub external_users: Option<Vec<TypedReference>>,
}

/// `ExternalUsersSubmitDeleteJobResponse`.
#[derive(Debug, Clone, Serialize)]
pub struct ExternalUsersGone {
    /// What becomes of each.
    pub entries: Vec<ExternalUser>,
}

/// `ExternalUserDeletionResult`.
#[derive(Debug, Clone, Serialize)]
pub struct ExternalUser {
    /// Who.
    pub user_id: Text<UserId>,
    /// A status of HTTP's.
    pub status: u16,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
}

/// `EnterpriseConfiguration`: what is asked for of it, and is so here.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "enterprise_configuration")]
pub struct EnterpriseConfiguration {
    /// The enterprise.
    pub id: Text<EnterpriseId>,
    /// Of signing in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<Security>,
    /// Of sharing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_and_sharing: Option<ContentAndSharing>,
    /// Of new users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_settings: Option<UserSettings>,
}

/// One setting.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Setting<T> {
    is_used: bool,
    value: T,
}

impl<T> Setting<T> {
    /// It is so.
    pub const fn is(value: T) -> Self {
        Self { is_used: true, value }
    }
}

/// `EnterpriseConfigurationSecurity`.
#[derive(Debug, Clone, Serialize)]
pub struct Security {
    /// Whether people make themselves users.
    pub is_managed_user_signup_enabled: Setting<bool>,
    /// Whether everybody shows a second factor.
    pub is_multi_factor_auth_required: Setting<bool>,
    /// Whether passwords that everybody tries first are refused.
    pub is_weak_password_prevention_enabled: Setting<bool>,
    /// Whether passwords are looked up among stolen ones.
    pub is_password_leak_detection_enabled: Setting<bool>,
    /// Characters of a password.
    pub password_min_length: Setting<u32>,
}

/// `EnterpriseConfigurationContentAndSharing`.
#[derive(Debug, Clone, Serialize)]
pub struct ContentAndSharing {
    /// For whom a link is at most.
    pub shared_link_access: Setting<&'static str>,
    /// For whom a link is when nobody says.
    pub shared_link_default_access: Setting<&'static str>,
    /// With whom roles are given and taken.
    pub external_collaboration_status: Setting<&'static str>,
    /// Whether there are watermarks.
    pub is_watermarking_enterprise_feature_enabled: Setting<bool>,
    /// Whether only owners invite.
    pub is_invite_privilege_restricted: Setting<bool>,
    /// Whether mail becomes files.
    pub is_email_uploads_enabled: Setting<bool>,
}

/// `EnterpriseConfigurationUserSettings`.
#[derive(Debug, Clone, Serialize)]
pub struct UserSettings {
    /// Whether new users have no limit.
    pub is_unlimited_storage_enabled_for_new_users: Setting<bool>,
    /// Whose language new users have.
    pub new_user_default_language: Setting<&'static str>,
    /// Whose time zone.
    pub new_user_default_timezone: Setting<&'static str>,
}
