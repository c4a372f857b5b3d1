//! Who else may use a bucket: what its owner has said, in words of no vendor, and the decision, which is a function of
//! what was said, who asks and how.
//!
//! As with S3: what a rule forbids is forbidden, whoever allows it; then what a rule or a grant allows is allowed; then the
//! owner may do everything; and nobody else anything. The owner may always read, replace and take away the rules, so that
//! nobody shuts themselves out.

mod condition;
mod decide;
mod deed;
mod pattern;
mod sharing;

pub use condition::{Absent, Circumstances, Condition, Known, Network, Order, Sense, Test, Word};
pub use decide::{Asked, Verdict};
pub use deed::{Deed, Deeds, DoneTo};
pub use pattern::Pattern;
pub(crate) use sharing::SETTING;
pub use sharing::{Ownership, PublicBlock, Sharing};

use entente_model::UserId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// It lets.
    Allow,
    /// It forbids, whatever else lets.
    Deny,
}

/// Of whom a rule speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// Of everybody, also who says no name.
    Everyone,
    /// Of these users.
    Users(BTreeSet<UserId>),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it does.
    pub effect: Effect,
    /// Of whom it speaks.
    pub who: Who,
    /// Of which deeds.
    pub deeds: Deeds,
    /// Whether it speaks of the bucket as a whole.
    pub of_bucket: bool,
    /// Of which keys it speaks.
    pub keys: Vec<Pattern>,
    /// All of these must hold.
    pub when: Vec<Condition>,
}

impl Who {
    /// Whether it speaks of whoever asks; `None` says no name.
    #[must_use]
    pub fn includes(&self, asker: Option<UserId>) -> bool {
        match self {
            Self::Everyone => true,
            Self::Users(users) => asker.is_some_and(|asker| users.contains(&asker)),
        }
    }
}

impl Rule {
    /// Whether it speaks of what is asked.
    fn speaks_of(&self, asked: &Asked<'_>, known: &Known<'_>) -> bool {
        let is_there = match asked.deed.done_to() {
            DoneTo::Bucket => self.of_bucket,
            DoneTo::Key => asked.key.is_some_and(|key| self.keys.iter().any(|pattern| pattern.fits(key))),
        };
        is_there
            && self.who.includes(known.asker)
            && self.deeds.contains(asked.deed)
            && self.when.iter().all(|condition| condition.holds(known))
    }

    /// Whether it lets everybody, but for where they are or who they are.
    fn is_public(&self) -> bool {
        self.effect == Effect::Allow && self.who == Who::Everyone && !self.when.iter().any(Condition::is_narrow)
    }

    /// Whether it depends on the tags that an object has.
    fn needs_tags(&self) -> bool {
        self.when.iter().any(|condition| matches!(condition.word, Word::TagThere(_)))
    }
}

impl Condition {
    /// Whether it lets only some be meant that are known: by their addresses or ids.
    fn is_narrow(&self) -> bool {
        if self.absent == Absent::Holds {
            return false;
        }
        match (&self.word, &self.test) {
            (Word::Address, Test::Within(Sense::Any, networks)) => !networks.iter().any(Network::is_wide),
            (Word::Asker, Test::Equals(Sense::Any, _)) => true,
            (Word::Asker, Test::Fits(Sense::Any, patterns)) => !patterns.iter().any(Pattern::is_open),
            _ => false,
        }
    }
}
