//! Who else may do what with a bucket or an object, as a list of grants. The forms are stored: in the facts of a version,
//! and in the rules of a bucket.

use entente_model::{ItemId, UserId};
use serde::{Deserialize, Serialize};

/// A list of grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl {
    /// The bucket in which it counts: what is copied elsewhere through another door does not take its grants along.
    pub bucket: ItemId,
    /// Whose it is. `None` for the bucket's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// In the order in which they were given.
    pub grants: Vec<Grant>,
}

/// One right of one grantee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// Who has it.
    pub to: Grantee,
    /// Which it is.
    pub permission: Permission,
}

/// Who has a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Grantee {
    /// A user.
    User(UserId),
    /// Every user of the enterprise.
    Users,
    /// Everybody, also who says no name.
    Everyone,
}

/// A right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Permission {
    /// To list a bucket; to read an object.
    Read,
    /// To put objects into a bucket and to remove them.
    Write,
    /// To read the list itself.
    ReadAcl,
    /// To change the list itself.
    WriteAcl,
    /// All of these.
    Full,
}

impl Grantee {
    /// Whether it is more than somebody by name.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Users | Self::Everyone)
    }

    /// Whether whoever asks is among them; `None` says no name.
    #[must_use]
    pub fn includes(self, asker: Option<UserId>) -> bool {
        match self {
            Self::User(user) => asker == Some(user),
            Self::Users => asker.is_some(),
            Self::Everyone => true,
        }
    }
}

impl Acl {
    /// Whether somebody unnamed has a right.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.grants.iter().any(|grant| grant.to.is_public())
    }
}
