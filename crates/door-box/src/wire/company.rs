//! What an enterprise says of everybody: with whom its users share, and its terms of service.

use super::date::Date;
use super::id::Text;
use super::request::{Reference, TypedReference};
use super::user::{Enterprise, UserMini};
use entente_model::{AllowedDomainId, ExemptionId, TermsId, TermsStatusId};
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
