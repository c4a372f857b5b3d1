//! All that is said of who else may use a bucket: one setting of it.

use super::{Known, Rule};
use crate::Error;
use entente_database::acl::{Acl, Grant};
use entente_model::UserId;
use serde::{Deserialize, Serialize};

/// The setting that has it.
pub(crate) const SETTING: &str = "sharing";

/// What shall not be public, whatever else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicBlock {
    /// No grant to everybody may be made.
    pub block_public_acls: bool,
    /// No grant to everybody counts.
    pub ignore_public_acls: bool,
    /// No rules may be made that let everybody.
    pub block_public_policy: bool,
    /// Rules that let everybody let nobody but the owner.
    pub restrict_public_buckets: bool,
}

/// Whose what others put is, and whether grants count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Ownership {
    /// The bucket's owner's; no grants count.
    #[default]
    Enforced,
    /// The bucket's owner's if whoever puts it says so; else theirs.
    Preferred,
    /// Theirs.
    Writer,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// The rules. Empty if there are none.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The text that the rules were made of, to be given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The bucket's grants; none: nobody but the owner has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
    /// What shall not be public. `None`: that was taken away.
    pub block: Option<PublicBlock>,
    /// Whose objects are. `None`: that was taken away, and is as [`Ownership::Writer`].
    pub ownership: Option<Ownership>,
}

impl PublicBlock {
    /// All of it, as with every new bucket.
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
    /// Nothing of it.
    pub const NONE: Self = Self {
        block_public_acls: false,
        ignore_public_acls: false,
        block_public_policy: false,
        restrict_public_buckets: false,
    };
}

impl Default for Sharing {
    /// What is so as long as nothing has been said: nobody but the owner.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            text: None,
            acl: None,
            block: Some(PublicBlock::ALL),
            ownership: Some(Ownership::Enforced),
        }
    }
}

impl Sharing {
    /// What shall not be public.
    #[must_use]
    pub fn blocked(&self) -> PublicBlock {
        self.block.unwrap_or(PublicBlock::NONE)
    }

    /// Whose objects are.
    #[must_use]
    pub fn owned(&self) -> Ownership {
        self.ownership.unwrap_or(Ownership::Writer)
    }

    /// Whether grants count.
    #[must_use]
    pub fn has_grants(&self) -> bool {
        self.owned() != Ownership::Enforced
    }

    /// Whether the rules let everybody.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.rules.iter().any(Rule::is_public)
    }

    /// Whether what an object itself says has a part in the decision.
    pub(crate) fn needs_object(&self) -> bool {
        self.has_grants() || self.rules.iter().any(Rule::needs_tags)
    }

    /// The rules that count for somebody who is not the owner, or that forbid.
    pub(super) fn rules_in_force(&self) -> impl Iterator<Item = &Rule> {
        let restricts = self.blocked().restrict_public_buckets && self.is_public();
        self.rules.iter().filter(move |rule| !restricts || rule.effect == super::Effect::Deny)
    }

    /// The grants of a list that count here.
    pub(super) fn grants<'a>(&self, acl: Option<&'a Acl>, known: &'a Known<'_>) -> impl Iterator<Item = &'a Grant> {
        let ignores = self.blocked().ignore_public_acls;
        let acl = acl.filter(|_| self.has_grants());
        let grants = acl.map_or(&[][..], |acl| &acl.grants);
        grants.iter().filter(move |grant| grant.to.includes(known.asker) && !(ignores && grant.to.is_public()))
    }

    /// Users whom the rules name.
    pub(crate) fn named(&self) -> impl Iterator<Item = UserId> + '_ {
        self.rules.iter().flat_map(|rule| match &rule.who {
            super::Who::Users(users) => users.iter().copied().collect(),
            super::Who::Everyone => Vec::new(),
        })
    }

    pub(crate) fn to_text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::Internal(error.into()))
    }

    pub(crate) fn of_text(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| Error::Damaged(format!("the rules of a bucket: {error}").into()))
    }
}
