//! What collaborators may do: the seven roles, and what each is made of.
//!
//! Source: "Understanding Collaborator Permission Levels" of Box's support pages, whose roles these are.

use std::fmt;

/// What somebody may do with an item and with everything below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Adds items, and sees names.
    Uploader,
    /// Looks at contents without taking them along.
    Previewer,
    /// Reads contents.
    Viewer,
    /// Looks, and adds items.
    PreviewerUploader,
    /// Reads, and adds items.
    ViewerUploader,
    /// Does everything with contents.
    Editor,
    /// Does everything that the owner may, but for owning it.
    CoOwner,
}

impl Role {
    /// All of them, in the order of what they may do.
    pub const ALL: [Self; 7] = [
        Self::Uploader,
        Self::Previewer,
        Self::Viewer,
        Self::PreviewerUploader,
        Self::ViewerUploader,
        Self::Editor,
        Self::CoOwner,
    ];

    /// What it is made of.
    #[must_use]
    pub const fn rights(self) -> Rights {
        const READER: Rights = Rights::PREVIEW.with(Rights::COMMENT).with(Rights::DOWNLOAD).with(Rights::SHARE);
        const LOOKER: Rights = Rights::PREVIEW.with(Rights::COMMENT);
        let more = match self {
            Self::Uploader => Rights::UPLOAD,
            Self::Previewer => LOOKER,
            Self::Viewer => READER,
            Self::PreviewerUploader => LOOKER.with(Rights::UPLOAD),
            Self::ViewerUploader => READER.with(Rights::UPLOAD),
            Self::Editor => READER.with(Rights::UPLOAD).with(Rights::EDIT),
            Self::CoOwner => READER.with(Rights::UPLOAD).with(Rights::EDIT).with(Rights::MANAGE),
        };
        Rights::NAMES.with(more)
    }
}

/// A set of the constants here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// Nothing, not even to know of it.
    pub const NONE: Self = Self(0);
    /// Know of it, and of names below it.
    pub const NAMES: Self = Self(1);
    /// Look at contents.
    pub const PREVIEW: Self = Self(1 << 1);
    /// Take contents along.
    pub const DOWNLOAD: Self = Self(1 << 2);
    /// Add items and versions.
    pub const UPLOAD: Self = Self(1 << 3);
    /// Comment, and have tasks.
    pub const COMMENT: Self = Self(1 << 4);
    /// Make a shared link of it.
    pub const SHARE: Self = Self(1 << 5);
    /// Rename, move, describe, remove, lock, and invite others.
    pub const EDIT: Self = Self(1 << 6);
    /// Change what others may do.
    pub const MANAGE: Self = Self(1 << 7);
    /// Everything.
    pub const ALL: Self = Self(u8::MAX);

    /// These and those.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether every one of `others` is among these.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({:08b})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_knows_of_the_item_and_none_is_another() {
        for (index, role) in Role::ALL.iter().enumerate() {
            assert!(role.rights().contains(Rights::NAMES));
            assert!(Role::ALL.iter().skip(index + 1).all(|other| other.rights() != role.rights()));
            assert!(Role::CoOwner.rights().contains(role.rights()));
        }
    }

    #[test]
    fn who_only_looks_takes_nothing_along() {
        for role in [Role::Uploader, Role::Previewer, Role::PreviewerUploader] {
            assert!(!role.rights().contains(Rights::DOWNLOAD) && !role.rights().contains(Rights::SHARE));
        }
        assert!(!Role::Editor.rights().contains(Rights::MANAGE));
    }
}
