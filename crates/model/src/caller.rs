//! Who asks, for one request. Identity makes a [`Caller`] of a credential; the tree decides what it may do.

use crate::{AppId, EnterpriseId, ItemId, SharedLinkId, Timestamp, UserId};
use std::fmt;

/// What a user may do within the enterprise, apart from what is shared with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UserRole {
    /// Uses content.
    #[default]
    User,
    /// Administers users and settings.
    CoAdmin,
    /// Administers everything, co-admins too.
    Admin,
}

impl UserRole {
    /// Whether it administers users.
    #[must_use]
    pub const fn administers(self) -> bool {
        matches!(self, Self::CoAdmin | Self::Admin)
    }
}

/// What a credential is limited to: a set of the constants here. It never gives more than its user has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scopes(u32);

/// The text names a scope that does not exist. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is one of read, download, upload, change, delete, share, administer")]
pub struct ScopeError;

impl Scopes {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// See items and list folders.
    pub const READ: Self = Self(1);
    /// Read the contents of files.
    pub const DOWNLOAD: Self = Self(1 << 1);
    /// Add files, folders and versions.
    pub const UPLOAD: Self = Self(1 << 2);
    /// Rename, move, describe.
    pub const CHANGE: Self = Self(1 << 3);
    /// Trash, restore and purge.
    pub const DELETE: Self = Self(1 << 4);
    /// Give others access.
    pub const SHARE: Self = Self(1 << 5);
    /// Administer users, as far as the user's role goes.
    pub const ADMINISTER: Self = Self(1 << 6);
    /// Everything that the user may do.
    pub const ALL: Self = Self((1 << 7) - 1);

    const NAMES: [(&'static str, Self); 7] = [
        ("read", Self::READ),
        ("download", Self::DOWNLOAD),
        ("upload", Self::UPLOAD),
        ("change", Self::CHANGE),
        ("delete", Self::DELETE),
        ("share", Self::SHARE),
        ("administer", Self::ADMINISTER),
    ];

    /// These and those.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// What both have.
    #[must_use]
    pub const fn within(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Whether every one of `others` is among these.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// The names, each once, with spaces between.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES.iter().filter(|(_, scope)| self.contains(*scope));
        for (index, (name, _)) in names.enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

impl std::str::FromStr for Scopes {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        text.split_ascii_whitespace().try_fold(Self::NONE, |scopes, word| {
            let named = Self::NAMES.iter().find(|(name, _)| *name == word);
            named.map(|(_, scope)| scopes.with(*scope)).ok_or(ScopeError)
        })
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user on whose behalf.
    pub user: UserId,
    /// The user's enterprise.
    pub enterprise: EnterpriseId,
    /// The user's role in it.
    pub role: UserRole,
    /// The app that the credential was issued to, if to one.
    pub app: Option<AppId>,
    /// What the credential is limited to.
    pub scopes: Scopes,
    /// The item at and below which alone the credential is worth anything, if it is limited to one.
    pub confined: Option<ItemId>,
    /// Who really asks, where a bucket's rules let somebody do one thing in its owner's name.
    pub through: Option<Through>,
    /// The shared link that the caller came with.
    pub link: Option<FollowedLink>,
}

/// A shared link that somebody came with: only once its password was shown, if it has one. Whether it still is one, and for
/// whom, is asked whenever something is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowedLink {
    /// Which.
    pub link: SharedLinkId,
    /// When; it may have ended by then.
    pub at: Timestamp,
}

/// By which rules somebody asks in the name of a bucket's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Through {
    /// Who asks; `None` when nobody knows.
    pub asker: Option<UserId>,
    /// The bucket.
    pub bucket: ItemId,
    /// How often its rules had been changed when they were asked. Once they have been changed again, they must be asked
    /// again before anything is changed.
    pub ruled: u64,
}

impl Caller {
    /// Nobody at all: of no user, and without any right.
    #[must_use]
    pub const fn nobody() -> Self {
        Self {
            user: UserId::new(0),
            enterprise: EnterpriseId::new(0),
            role: UserRole::User,
            app: None,
            scopes: Scopes::NONE,
            confined: None,
            through: None,
            link: None,
        }
    }

    /// Who is to be remembered as having done what is done: whoever really asks, and user 0 if nobody knows who.
    #[must_use]
    pub fn doer(&self) -> UserId {
        match self.through {
            None => self.user,
            Some(through) => through.asker.unwrap_or(UserId::new(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_go_to_text_and_back() {
        let some = Scopes::READ.with(Scopes::DELETE);
        assert_eq!(some.to_string(), "read delete");
        assert_eq!("delete read".parse(), Ok(some));
        assert_eq!(Scopes::ALL.to_string().parse(), Ok(Scopes::ALL));
        assert_eq!("".parse(), Ok(Scopes::NONE));
        assert_eq!("everything".parse::<Scopes>(), Err(ScopeError));
    }

    #[test]
    fn a_set_contains_only_what_it_was_given() {
        let some = Scopes::READ.with(Scopes::UPLOAD);
        assert!(some.contains(Scopes::READ) && some.contains(some) && some.contains(Scopes::NONE));
        assert!(!some.contains(Scopes::DELETE) && !some.contains(Scopes::READ.with(Scopes::DELETE)));
        assert_eq!(some.within(Scopes::UPLOAD.with(Scopes::SHARE)), Scopes::UPLOAD);
    }
}
